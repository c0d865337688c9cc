//! Both halves of both ends at work at once, over pipes that hold next to nothing.

use core::time::Duration;
use framewire::engine::{Limits, Message, Role};
use framewire::net::{Reader, Writer};
use framewire::wire::close::CloseCode;
use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::time::timeout;

use crate::open;

/// Far more than any run takes; a deadlock takes longer.
const DEADLOCK: Duration = Duration::from_secs(60);

/// The message at a place in a stream of them, with something of its own.
fn message(at: usize, len: usize) -> Message {
    let mark = at.to_be_bytes();
    let mut bytes = vec![mark[7]; len];
    let shown = mark.len().min(len);
    bytes[..shown].copy_from_slice(&mark[mark.len() - shown..]);
    Message::binary(bytes)
}

async fn write_all<S: AsyncRead + AsyncWrite + Unpin>(
    mut writer: Writer<S>,
    sizes: Vec<usize>,
    pings: bool,
) -> Writer<S> {
    for (at, len) in sizes.into_iter().enumerate() {
        if pings {
            writer.ping(b"still there?").await.expect("no failure");
        }
        if at % 3 == 0 {
            writer.feed(message(at, len)).await.expect("no failure");
        } else {
            writer.send(message(at, len)).await.expect("no failure");
        }
    }
    writer.flush().await.expect("no failure");
    writer
}

async fn read_all<S: AsyncRead + AsyncWrite + Unpin>(
    mut reader: Reader<S>,
    sizes: Vec<usize>,
) -> Reader<S> {
    for (at, len) in sizes.into_iter().enumerate() {
        let received = reader.recv().await.expect("no failure");
        assert!(
            received == Some(message(at, len)),
            "message {at} of {len} bytes"
        );
    }
    reader
}

/// Sends the same messages both ways at once, then closes.
async fn exchange(sizes: &[usize], pipe_bytes: usize, pings: bool) {
    let limits = || Limits::default().with_outbox_marks(100, 1000);
    let (one, other) = duplex(pipe_bytes);
    let (reader, writer) = open(Role::Client, limits(), one).split();
    let (far_reader, far_writer) = open(Role::Server, limits(), other).split();
    let reading = tokio::spawn(read_all(reader, sizes.to_vec()));
    let far_reading = tokio::spawn(read_all(far_reader, sizes.to_vec()));
    let writing = tokio::spawn(write_all(writer, sizes.to_vec(), pings));
    let far_writing = tokio::spawn(write_all(far_writer, sizes.to_vec(), pings));
    let whole = timeout(DEADLOCK, async {
        // The reading halves read on, for the Pings behind the last message and for the Close.
        let (mut reader, mut far_reader) = (
            reading.await.expect("no panic"),
            far_reading.await.expect("no panic"),
        );
        let rest = tokio::spawn(async move { reader.recv().await });
        let far_rest = tokio::spawn(async move { far_reader.recv().await });
        let mut writer = writing.await.expect("no panic");
        drop(far_writing.await.expect("no panic"));
        writer
            .close(CloseCode::NORMAL_CLOSURE, "")
            .await
            .expect("sent");
        for rest in [rest, far_rest] {
            assert_eq!(rest.await.expect("no panic").expect("a normal close"), None);
        }
    });
    whole.await.expect("the two ends wait for each other");
}

#[tokio::test]
async fn large_messages_pass_both_ways_through_a_tiny_pipe() {
    exchange(&[1 << 20, 1 << 20], 64, false).await;
}

//= D01 type=test
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn large_messages_pass_both_ways_between_threads() {
    exchange(&[1 << 20, 1 << 20], 64, false).await;
}

#[tokio::test]
async fn small_and_large_messages_with_pings_pass_both_ways() {
    let sizes: Vec<_> = (0..40)
        .map(|at| [0, 1, 125, 126, 5000, 70_000][at % 6])
        .collect();
    for pipe_bytes in [1, 64, 4096] {
        let count = if pipe_bytes == 1 { 5 } else { sizes.len() };
        exchange(&sizes[..count], pipe_bytes, true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_wake_up_is_lost_in_many_short_exchanges() {
    for round in 0..300 {
        let sizes: Vec<_> = (0..8).map(|at| (at * 157 + round * 31) % 1200).collect();
        exchange(&sizes, 64, round % 2 == 0).await;
    }
}
