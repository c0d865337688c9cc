//! Calls of the client that are dropped after every number of polls.

use framewire::client::{Config, Happening, Reconnecting, open};
use framewire::wire::close::CloseCode;
use tokio::net::TcpListener;

use crate::polling::poll_times;
use crate::raw::{self, listen};
use crate::within;

const POLLS_MAX: usize = 20;

/// Opens every connection and echoes what comes.
fn serve(listener: TcpListener) {
    tokio::spawn(async move {
        loop {
            let stream = raw::accept(&listener).await;
            tokio::spawn(async move { raw::echo(stream).await });
        }
    });
}

// drops: client::connect::open
#[tokio::test]
async fn an_open_that_is_dropped_lets_the_next_one_in() {
    let (listener, url) = listen().await;
    serve(listener);
    let config = Config::default();
    for polls in 0..POLLS_MAX {
        drop(poll_times(open(&url, &config), polls).await);
        let mut connected = within(open(&url, &config)).await.expect("it listens");
        connected.socket.send("there").await.expect("open");
        let echoed = within(connected.socket.recv()).await.expect("open");
        assert_eq!(echoed, Some("there".into()), "{polls} polls");
    }
}

// drops: client::reconnect::next
// drops: client::reconnect::flush
// drops: client::reconnect::close
#[tokio::test]
async fn a_reconnecting_client_goes_on_where_a_call_was_dropped() {
    let (listener, url) = listen().await;
    serve(listener);
    for polls in 1..POLLS_MAX {
        let client = Reconnecting::new(&url, Config::default()).expect("random bytes");
        let mut client = client.with_random(|| 0);
        let mut happened = Vec::new();
        let mut sent = false;
        while !happened.contains(&"message") {
            let happening = match poll_times(client.next(), polls).await {
                None => continue,
                Some(happening) => happening.expect("it goes on"),
            };
            happened.push(match happening {
                Happening::Connecting { .. } => "connecting",
                Happening::Connected { .. } => "connected",
                Happening::Message(message) => {
                    assert_eq!(message.as_text(), Some("there"));
                    "message"
                }
                other => panic!("{other:?}"),
            });
            if happened.ends_with(&["connected"]) && !core::mem::replace(&mut sent, true) {
                client.try_feed("there").expect("open");
                poll_times(client.flush(), polls % 3).await;
                within(client.flush()).await;
            }
        }
        assert_eq!(
            happened,
            ["connecting", "connected", "message"],
            "{polls} polls"
        );
        drop(poll_times(client.close(CloseCode::NORMAL_CLOSURE, ""), polls % 4).await);
        let closed = within(client.close(CloseCode::NORMAL_CLOSURE, "")).await;
        assert!(closed.is_ok(), "{closed:?}");
        assert!(
            within(client.next()).await.is_none(),
            "it does not come back"
        );
    }
}
