//! Clients of the announcements.

use crate::story::everywhere;

#[test]
fn what_one_announces_is_heard_by_all_who_are_signed_in() {
    //= A04 type=test
    //= A29 type=test
    //= A42 type=test
    //= A47 type=test
    //= A62 type=test
    //= A64 type=test
    //= A81 type=test
    everywhere("announcements", "live");
}

#[test]
fn what_was_missed_is_unread_until_it_is_read_on_one_device() {
    //= A01 type=test
    //= A57 type=test
    //= A60 type=test
    //= A66 type=test
    //= A72 type=test
    everywhere("announcements", "reading");
}

#[test]
fn changes_of_personnel_data_are_for_the_members_of_hr() {
    //= A58 type=test
    //= A60 type=test
    //= A61 type=test
    //= A68 type=test
    everywhere("announcements", "personnel");
}

#[test]
fn tokens_decide_who_somebody_is() {
    //= A47 type=test
    //= A48 type=test
    //= A50 type=test
    //= A52 type=test
    //= A56 type=test
    //= A67 type=test
    //= A82 type=test
    everywhere("announcements", "signingIn");
}

#[test]
fn announcements_in_a_channel_are_for_its_members() {
    //= A60 type=test
    //= A63 type=test
    //= A64 type=test
    everywhere("announcements", "channels");
}
