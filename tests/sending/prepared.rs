//! Messages that are encoded once, and payloads that are given away.

use bytes::Bytes;
use framewire::engine::{Connection, Kind, Message, Prepared, Role};

use crate::raw::{Frame, frames};
use crate::{NOW, TEXT, open, pairs, sent};

/// Where the bytes that wait stand in memory.
fn places(connection: &Connection) -> Vec<(*const u8, usize)> {
    connection
        .transmit()
        .map(|slice| (slice.as_ptr(), slice.len()))
        .collect()
}

//= WS-071 type=test
#[test]
fn a_prepared_message_is_one_frame_without_a_mask() {
    let text = "p".repeat(200);
    let prepared = Prepared::text(&text);
    assert_eq!(
        (prepared.kind(), prepared.payload()),
        (Kind::Text, text.as_bytes())
    );
    assert_eq!(frames(prepared.frame()), [Frame::new(TEXT, &text)]);
    let same = Message::text(&*text).prepare();
    assert_eq!(same.frame(), prepared.frame());
    for len in [0, 125, 126, 65_535, 65_536] {
        let prepared = Prepared::binary(&vec![9; len]);
        assert_eq!(frames(prepared.frame()), [Frame::new(0x82, vec![9; len])]);
        assert_eq!(
            (prepared.kind(), prepared.payload().len()),
            (Kind::Binary, len)
        );
    }
}

//= WS-088 type=test
#[test]
fn a_long_prepared_message_is_in_fragments() {
    let payload = vec![9; 150_000];
    let prepared = Prepared::binary(&payload);
    let found = frames(prepared.frame());
    let firsts: Vec<u8> = found.iter().map(|frame| frame.first).collect();
    assert_eq!(firsts, [0x02, 0x00, 0x80]);
    assert_eq!(prepared.payload(), payload);
    let joined: Vec<u8> = found.into_iter().flat_map(|frame| frame.payload).collect();
    assert_eq!(joined, payload);
}

#[test]
fn servers_send_the_very_bytes_that_were_prepared() {
    let text = "for all ".repeat(200);
    let prepared = Prepared::text(&text);
    let frame = (prepared.frame().as_ptr(), prepared.frame().len());
    for _ in 0..3 {
        let mut server = open(Role::Server);
        server
            .send_prepared(NOW, &prepared)
            .expect("an open connection");
        server
            .send_prepared(NOW, &prepared.clone())
            .expect("an open connection");
        assert_eq!(places(&server), [frame, frame]);
        assert_eq!(pairs(&sent(&mut server)), [(TEXT, text.as_bytes()); 2]);
    }
}

#[test]
fn servers_put_small_ones_together() {
    let prepared = Prepared::text("for all");
    let mut server = open(Role::Server);
    for _ in 0..3 {
        server
            .send_prepared(NOW, &prepared)
            .expect("an open connection");
    }
    assert_eq!(server.transmit().count(), 1);
    assert_eq!(pairs(&sent(&mut server)), [(TEXT, &b"for all"[..]); 3]);
}

//= WS-069 type=test
//= WS-082 type=test
#[test]
fn a_client_masks_a_copy_of_what_was_prepared() {
    let prepared = Prepared::text("for all");
    let mut client = open(Role::Client);
    client
        .send_prepared(NOW, &prepared)
        .expect("an open connection");
    client
        .send_prepared(NOW, &prepared)
        .expect("an open connection");
    let frames = sent(&mut client);
    assert_eq!(pairs(&frames), [(TEXT, &b"for all"[..]); 2]);
    assert_ne!(frames[0].mask, frames[1].mask);
    assert_eq!(prepared.payload(), b"for all");
}

#[test]
fn a_server_sends_a_large_payload_from_where_it_is() {
    let payload = Bytes::from(vec![7; 4_096]);
    let place = (payload.as_ptr(), payload.len());
    let mut server = open(Role::Server);
    server
        .send_message(NOW, Message::Binary(payload.clone()))
        .expect("an open connection");
    assert_eq!(places(&server)[1..], [place]);
    assert_eq!(pairs(&sent(&mut server)), [(0x82, &payload[..])]);
    // Below the size from which that pays, and on a client, it is copied.
    server
        .send_message(NOW, Message::Binary(payload.slice(1..)))
        .expect("an open connection");
    assert_eq!(places(&server).len(), 1);
    let mut client = open(Role::Client);
    client
        .send_message(NOW, Message::Binary(payload.clone()))
        .expect("an open connection");
    assert_eq!(places(&client).len(), 1);
    assert_eq!(payload, vec![7; 4_096]);
}
