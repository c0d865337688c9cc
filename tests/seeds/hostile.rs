//! What ended the first server for everybody.

use crate::story::{everywhere, in_node};

#[test]
fn texts_that_are_no_message_harm_nobody() {
    //= A43 type=test
    //= A44 type=test
    everywhere("hostile", "texts");
}

#[test]
fn messages_of_the_wrong_shape_harm_nobody() {
    //= A44 type=test
    //= A59 type=test
    //= A60 type=test
    //= A69 type=test
    everywhere("hostile", "fields");
}

#[test]
fn huge_messages_end_their_own_connection_alone() {
    //= A74 type=test
    everywhere("hostile", "sizes");
}

#[test]
fn frames_against_the_protocol_end_their_own_connection_alone() {
    //= A45 type=test
    in_node("hostile", "frames");
}

#[test]
fn strangers_who_do_not_sign_in_are_closed() {
    //= A32 type=test
    in_node("hostile", "unsigned");
}
