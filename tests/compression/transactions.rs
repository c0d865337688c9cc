//! A send is done whole or not at all, also where its future is dropped.

use std::sync::Arc;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::engine::{Kind, Limits, Message, Role, Timestamp};
use framewire::net::WebSocket;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

use crate::cases::Told;
use crate::endpoint::{open_server, take};
use crate::judge::hear;
use crate::payload;
use crate::polling::poll_times;
use crate::raw::frames;

/// Reads everything up to the end.
async fn listen(mut stream: DuplexStream) -> Vec<u8> {
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    heard
}

//= DF-26 type=test
//= PX-02 type=test
#[tokio::test]
async fn a_send_that_is_given_up_does_not_go_on_as_another() {
    let lines = ["permessage-deflate".to_owned()];
    let limits = Arc::new(Limits::default());
    let large = payload::bytes("repeat 20 [ noise 2_000 1 ] run 00 20_000 noise 9_000 2", 0);
    for polls in 0..40 {
        let opened = open_server(&DeflateAnswer::default(), &lines, &limits);
        let (connection, agreed) = opened.unwrap();
        // A stream that takes little at once.
        let (ours, theirs) = duplex(64);
        let mut socket = WebSocket::new(ours, connection, Vec::new());
        let heard = tokio::spawn(listen(theirs));
        socket
            .send(Message::text("before ".repeat(30)))
            .await
            .unwrap();
        drop(poll_times(socket.send(Message::binary(large.clone())), polls).await);
        socket
            .send(Message::text("after ".repeat(30)))
            .await
            .unwrap();
        drop(socket);
        let heard = hear(Role::Server, &agreed, &frames(&heard.await.unwrap()));
        let heard = heard.unwrap_or_else(|why| panic!("after {polls} polls: {why}"));
        let data: Vec<_> = heard.messages.into_iter().map(|it| it.data).collect();
        let whole = ["before ".repeat(30).into_bytes(), large.clone()];
        let after = "after ".repeat(30).into_bytes();
        // The message that was given up stands there whole, or it was never begun.
        let is_right = data == [&whole[..], core::slice::from_ref(&after)].concat()
            || data == [whole[0].clone(), after];
        assert!(is_right, "after {polls} polls: {} messages", data.len());
    }
}

//= DF-26 type=test
#[test]
fn no_other_message_gets_into_one_that_was_begun_compressed() {
    let lines = ["permessage-deflate".to_owned()];
    let deflate = DeflateAnswer::new(DeflateConfig::default());
    let opened = open_server(&deflate, &lines, &Arc::new(Limits::default()));
    let (mut connection, agreed) = opened.unwrap();
    let now = Timestamp::ZERO;
    let begun = connection.send_fragment(now, Kind::Text, b"the first half, ", false);
    begun.unwrap();
    assert!(connection.send_text(now, "another message").is_err());
    assert!(
        connection
            .send_fragment(now, Kind::Binary, b"another kind", true)
            .is_err()
    );
    connection.ping(b"between").unwrap();
    let ended = connection.send_fragment(now, Kind::Text, b"the second half", true);
    ended.unwrap();
    connection.send_text(now, &"one more. ".repeat(20)).unwrap();
    let bytes = take(&mut connection);
    let without_pings: Vec<_> = frames(&bytes)
        .into_iter()
        .filter(|it| it.first != 0x89)
        .collect();
    let heard = hear(Role::Server, &agreed, &without_pings).unwrap();
    let data = |it: &Told| String::from_utf8(it.data.clone()).unwrap();
    let heard: Vec<_> = heard.messages.iter().map(data).collect();
    assert_eq!(
        heard,
        [
            "the first half, the second half".to_owned(),
            "one more. ".repeat(20)
        ]
    );
}
