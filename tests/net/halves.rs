//! Halves that are brought together again, and a half that is alone.

use framewire::engine::{Limits, Message, Role};
use framewire::net::WebSocket;
use framewire::wire::close::CloseCode;
use tokio::io::DuplexStream;

use crate::open;
use crate::peer::{CLOSE, Frame, PING, PONG, TEXT, close_body, frame_to};
use crate::scripted::{Give, stream};

fn ends() -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (client, server) = tokio::io::duplex(4096);
    let open = |role, end| open(role, Limits::default(), end);
    (open(Role::Client, client), open(Role::Server, server))
}

#[tokio::test(start_paused = true)]
async fn halves_of_one_socket_are_one_again_and_nothing_is_lost() {
    let (client, mut server) = ends();
    let client = client.with_subprotocol(Some("chat".to_owned()));
    let (reader, mut writer) = client.split();
    assert_eq!(reader.subprotocol(), Some("chat"));
    writer.feed("queued").await.expect("room");
    server.send("arrived").await.expect("room");
    let mut client = reader.reunite(writer).expect("of one socket");
    assert_eq!(client.subprotocol(), Some("chat"));
    assert_eq!(client.recv().await.expect("open"), Some("arrived".into()));
    assert_eq!(server.recv().await.expect("open"), Some("queued".into()));
    let (reader, writer) = client.split();
    assert!(writer.reunite(reader).is_ok());
}

#[tokio::test(start_paused = true)]
async fn halves_of_two_sockets_stay_halves() {
    let (client, server) = ends();
    let (reads_client, writes_client) = client.split();
    let (reads_server, writes_server) = server.split();
    let (reads_client, writes_server) = reads_client.reunite(writes_server).expect_err("strangers");
    let (reads_server, writes_client) = writes_client.reunite(reads_server).expect_err("strangers");
    assert!(reads_client.reunite(writes_client).is_ok());
    assert!(reads_server.reunite(writes_server).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_writer_alone_answers_pings_and_the_close() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let (reader, mut writer) = open(role, Limits::default(), end).split();
        drop(reader);
        script.give([
            Give::Bytes(frame_to(role, TEXT, b"nobody hears this")),
            Give::Bytes(frame_to(role, PING, b"there?")),
            Give::Bytes(frame_to(role, CLOSE, &close_body(1001, "bye"))),
            Give::End,
        ]);
        let closure = writer.closed().await.expect("no failure").expect("closed");
        assert_eq!(
            (closure.code(), closure.reason()),
            (CloseCode::GOING_AWAY, "bye")
        );
        let expected = [Frame::whole(PONG, b"there?"), Frame::close(1001, "")];
        assert_eq!(script.frames(role), expected);
        assert_eq!(writer.closed().await.expect("told before"), Some(closure));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_alone_sends_what_was_queued_and_answers_the_close() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let (mut reader, mut writer) = open(role, Limits::default(), end).split();
        writer.feed("queued").await.expect("room");
        drop(writer);
        script.give([
            Give::Pending,
            Give::Bytes(frame_to(role, CLOSE, &close_body(1000, ""))),
            Give::End,
        ]);
        assert_eq!(reader.recv().await.expect("no failure"), None);
        let expected = [Frame::whole(TEXT, b"queued"), Frame::close(1000, "")];
        assert_eq!(script.frames(role), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_terminates_ends_the_reader_at_once() {
    let (client, _server) = ends();
    let (mut reader, mut writer) = client.split();
    let reading = tokio::spawn(async move { reader.recv().await });
    tokio::task::yield_now().await;
    writer.terminate();
    assert_eq!(
        reading.await.expect("no panic").expect("an end"),
        None::<Message>
    );
}
