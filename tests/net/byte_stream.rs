//! A WebSocket as a pipe.

use framewire::engine::{Kind, Limits, Message, Role};
use framewire::net::{ByteStream, WebSocket};
use framewire::wire::close::CloseCode;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::open;
use crate::peer::{BINARY, TEXT, frame_to};
use crate::scripted::{Give, stream};

fn ends() -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (client, server) = tokio::io::duplex(4096);
    let open = |role, end| open(role, Limits::default(), end);
    (open(Role::Client, client), open(Role::Server, server))
}

//= E56 type=test
#[tokio::test(start_paused = true)]
async fn bytes_pass_both_ways_whatever_the_messages() {
    let (client, server) = ends();
    let sent: Vec<u8> = (0..300_000u32).map(|it| it.to_le_bytes()[0]).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        let mut pipe = ByteStream::new(client);
        pipe.write_all(&sent).await.expect("room");
        pipe.shutdown().await.expect("a close");
        let mut answer = Vec::new();
        pipe.read_to_end(&mut answer).await.expect("an end");
        answer
    });
    let mut pipe = ByteStream::new(server);
    let mut read = Vec::new();
    pipe.read_to_end(&mut read).await.expect("the end");
    assert!(read == expected, "{} bytes", read.len());
    assert_eq!(writing.await.expect("no panic"), b"");
}

#[tokio::test(start_paused = true)]
async fn text_is_written_in_whole_characters() {
    let (client, mut server) = ends();
    let writing = tokio::spawn(async move {
        let mut pipe = ByteStream::new(client).with_text();
        pipe.write_all(b"a\xce")
            .await
            .expect("the beginning of a character");
        pipe.write_all(b"\xba").await.expect("its end");
        let failed = pipe.write_all(b"\xff").await.expect_err("no character");
        assert_eq!(failed.kind(), ErrorKind::InvalidData);
        pipe.shutdown().await.expect("a close");
        pipe
    });
    let mut heard = Vec::new();
    while let Some(message) = server.recv().await.expect("no failure") {
        assert_eq!(message.kind(), Kind::Text);
        heard.push(message);
    }
    assert_eq!(heard, [Message::text("a"), Message::text("κ")]);
    assert_eq!(
        server.closure().expect("closed").code(),
        CloseCode::NORMAL_CLOSURE
    );
    writing.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_character_that_never_ends_is_told_when_the_pipe_is_shut() {
    let (client, mut server) = ends();
    let reading = tokio::spawn(async move { server.recv().await });
    let mut pipe = ByteStream::new(client).with_text();
    pipe.write_all(b"\xce")
        .await
        .expect("the beginning of a character");
    let failed = pipe.shutdown().await.expect_err("half a character");
    assert_eq!(failed.kind(), ErrorKind::InvalidData);
    assert_eq!(reading.await.expect("no panic").expect("closed"), None);
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_close_is_no_end_of_file() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut pipe = ByteStream::new(open(role, Limits::default(), end));
        script.give([
            Give::Bytes(frame_to(role, TEXT, b"ab")),
            Give::Bytes(frame_to(role, BINARY, b"cd")),
            Give::End,
        ]);
        let mut read = Vec::new();
        let failed = pipe.read_to_end(&mut read).await.expect_err("cut off");
        assert_eq!(
            (read.as_slice(), failed.kind()),
            (&b"abcd"[..], ErrorKind::UnexpectedEof)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reading_takes_no_more_than_was_asked_for() {
    let (mut client, server) = ends();
    client.send(vec![7; 1000]).await.expect("room");
    let mut pipe = ByteStream::new(server);
    let mut some = [0; 300];
    for _ in 0..3 {
        pipe.read_exact(&mut some).await.expect("bytes");
        assert_eq!(some, [7; 300]);
    }
    assert_eq!(pipe.read(&mut some).await.expect("bytes"), 100);
}
