//! Clients of the gateway.

use crate::story::{everywhere, in_node};

#[test]
fn without_handlers_the_gateway_is_silent() {
    //= B02 type=test
    //= B03 type=test
    //= B04 type=test
    //= B18 type=test
    everywhere("gateway", "silence");
}

#[test]
fn strangers_stay_outside() {
    //= A40 type=test
    //= A41 type=test
    //= B04 type=test
    //= B05 type=test
    //= B18 type=test
    //= B26 type=test
    everywhere("gateway", "strangers");
}

#[test]
fn pages_of_other_sites_are_refused_with_the_cookie() {
    //= A33 type=test
    //= B22 type=test
    //= B23 type=test
    everywhere("gateway", "foreignPage");
}

#[test]
fn the_handshake_of_the_old_manual_is_told_what_is_wrong_with_its_key() {
    //= B19 type=test
    //= B20 type=test
    in_node("gateway", "byHand");
}

#[test]
fn a_handler_greets_connections_or_turns_them_away() {
    //= B06 type=test
    //= B31 type=test
    //= B32 type=test
    //= B33 type=test
    //= B34 type=test
    everywhere("handled", "connecting");
}

#[test]
fn handlers_answer_messages() {
    //= B07 type=test
    //= B08 type=test
    //= B09 type=test
    //= B10 type=test
    //= B36 type=test
    //= B37 type=test
    //= B38 type=test
    everywhere("handled", "messages");
}

#[test]
fn the_end_of_a_connection_is_told_once() {
    //= B11 type=test
    //= B53 type=test
    everywhere("handled", "closing");
}

#[test]
fn the_end_is_told_of_lost_connections_and_of_a_server_that_goes() {
    //= B11 type=test
    //= B52 type=test
    in_node("handled", "losing");
}

#[test]
fn what_programs_send_stays_in_its_namespace() {
    //= B12 type=test
    //= B13 type=test
    //= B14 type=test
    //= B27 type=test
    //= B28 type=test
    //= B44 type=test
    everywhere("bus", "tenancy");
}

#[test]
fn a_send_without_a_person_is_no_broadcast() {
    //= B42 type=test
    //= B45 type=test
    //= B48 type=test
    //= B49 type=test
    in_node("bus", "refusals");
}

#[test]
fn malformed_messages_to_the_gateway_harm_nobody() {
    //= A45 type=test
    //= A74 type=test
    //= B54 type=test
    everywhere("gateway", "malformed");
}
