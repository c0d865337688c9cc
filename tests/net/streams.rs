//! Streams and sinks of messages, with the combinators that everybody uses.

use framewire::engine::{Limits, Message, Role};
use framewire::net::{Error, WebSocket};
use futures_util::{SinkExt, StreamExt, TryStreamExt};
use tokio::io::DuplexStream;

use crate::open;
use crate::scripted::{Give, stream};

fn ends() -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (client, server) = tokio::io::duplex(4096);
    let open = |role, end| open(role, Limits::default(), end);
    (open(Role::Client, client), open(Role::Server, server))
}

fn messages() -> Vec<Message> {
    (0..100)
        .map(|at| Message::text(format!("message {at}")))
        .collect()
}

//= D17 type=test
#[tokio::test(start_paused = true)]
async fn what_goes_into_the_sink_comes_out_of_the_stream() {
    let (mut client, server) = ends();
    let sending = tokio::spawn(async move {
        let mut all = futures_util::stream::iter(messages().into_iter().map(Ok::<_, Error>));
        client.send_all(&mut all).await.expect("no failure");
        SinkExt::close(&mut client).await.expect("a close");
        client
    });
    let heard: Vec<Message> = server.try_collect().await.expect("no failure");
    assert_eq!(heard, messages());
    let client = sending.await.expect("no panic");
    assert!(client.closure().expect("closed").is_clean());
}

#[tokio::test(start_paused = true)]
async fn the_halves_are_a_stream_and_a_sink() {
    let (client, server) = ends();
    let (mut listens, mut says) = client.split();
    let echoing = tokio::spawn(async move {
        let (reads, writes) = server.split();
        reads.forward(writes).await
    });
    let sending = tokio::spawn(async move {
        for message in messages() {
            SinkExt::send(&mut says, message).await.expect("no failure");
        }
        says
    });
    for expected in messages() {
        let heard = StreamExt::next(&mut listens).await.expect("open");
        assert_eq!(heard.expect("no failure"), expected);
    }
    let mut says = sending.await.expect("no panic");
    SinkExt::close(&mut says).await.expect("a close");
    assert!(StreamExt::next(&mut listens).await.is_none());
    let echoed = echoing.await.expect("no panic");
    assert!(
        echoed.is_ok() || matches!(echoed, Err(Error::Misuse(_))),
        "{echoed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_an_item_and_then_the_stream_ends() {
    for role in Role::BOTH {
        let (end, script) = stream();
        script.give([Give::End]);
        let mut socket = open(role, Limits::default(), end);
        let failed = StreamExt::next(&mut socket).await;
        assert!(
            matches!(failed, Some(Err(Error::EndOfStream))),
            "{failed:?}"
        );
        assert!(StreamExt::next(&mut socket).await.is_none());
    }
}
