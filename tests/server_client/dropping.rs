//! Calls that are dropped after every number of polls, and at every byte of a request.

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::num::NonZeroU32;
use core::time::Duration;

use framewire::client::{self, connect};
use framewire::engine::{Acceptance, ClientRequest, Refusal};
use framewire::server::{Config, Drain, Listener, Opening, Stop, hook};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::polling::poll_times;
use crate::raw::request;
use crate::{EchoServer, within};

const ANY: SocketAddr = SocketAddr::V4(core::net::SocketAddrV4::new(
    core::net::Ipv4Addr::LOCALHOST,
    0,
));
/// More polls than any of the calls takes here.
const POLLS_MAX: usize = 8;

/// Reads until the server has closed, and returns what it said.
async fn read_all(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = within(stream.read_to_end(&mut bytes)).await;
    bytes
}

// drops: server::listener::bind
// drops: server::listener::accept
#[tokio::test]
async fn an_accept_that_is_dropped_loses_no_client() {
    for polls in 0..POLLS_MAX {
        let bound = poll_times(Listener::bind(ANY, Config::default()), polls).await;
        drop(bound);
        let listener = Listener::bind(ANY, Config::default())
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let mut client = TcpStream::connect(address).await.expect("it listens");
        client
            .write_all(request("").as_bytes())
            .await
            .expect("open");
        let incoming = match poll_times(listener.accept(), polls).await {
            Some(incoming) => incoming,
            None => within(listener.accept()).await,
        };
        let opened = within(async { incoming.handshake().await?.accept().await }).await;
        assert!(opened.is_ok(), "{polls} polls");
    }
}

// drops: server::listener::handshake
#[tokio::test]
async fn a_handshake_that_is_dropped_at_any_byte_closes_the_stream_and_nobody_else_notices() {
    let listener = Listener::bind(ANY, Config::default())
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let asked = request("");
    for bytes in 0..asked.len() {
        let mut client = TcpStream::connect(address).await.expect("it listens");
        client
            .write_all(&asked.as_bytes()[..bytes])
            .await
            .expect("open");
        let (incoming, polls) = (within(listener.accept()).await, 1 + bytes % 5);
        let is_waiting = match bytes % 2 {
            0 => poll_times(incoming.handshake(), polls).await.is_none(),
            _ => {
                let accepting = incoming.accept_with(Acceptance::new());
                poll_times(accepting, polls).await.is_none()
            }
        };
        assert!(is_waiting);
        assert_eq!(read_all(client).await, b"", "dropped at byte {bytes}");
        assert_eq!(listener.admission().connections(), 0);
    }
    let mut client = TcpStream::connect(address).await.expect("it listens");
    client.write_all(asked.as_bytes()).await.expect("open");
    let opening = within(within(listener.accept()).await.handshake()).await;
    assert!(opening.expect("a request").accept().await.is_ok());
    let mut client = TcpStream::connect(address).await.expect("it listens");
    client.write_all(asked.as_bytes()).await.expect("open");
    let incoming = within(listener.accept()).await;
    let opened = within(incoming.accept_with(Acceptance::new())).await;
    assert!(opened.is_ok());
}

// drops: server::opening::accept
// drops: server::opening::accept_with
// drops: server::opening::refuse
// drops: server::opening::decide
#[tokio::test]
async fn an_answer_that_is_dropped_closes_the_stream() {
    let listener = Listener::bind(ANY, Config::default())
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    for polls in 0..POLLS_MAX {
        for way in 0..6 {
            let mut client = TcpStream::connect(address).await.expect("it listens");
            let asked = match way {
                3 => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
                _ => request(""),
            };
            client.write_all(asked.as_bytes()).await.expect("open");
            let incoming = within(listener.accept()).await;
            let opening = within(incoming.handshake()).await.expect("a request");
            match (way, opening) {
                (0, opening) => drop(poll_times(opening.accept(), polls).await),
                (1, opening) => {
                    let acceptance = Acceptance::new();
                    drop(poll_times(opening.accept_with(acceptance), polls).await);
                }
                (4, Opening::Upgrade(upgrade)) => {
                    let decision = Ok((Acceptance::new(), "what was found"));
                    drop(poll_times(upgrade.decide(decision), polls).await);
                }
                (5, Opening::Upgrade(upgrade)) => {
                    let decision: Result<(Acceptance<'_>, ()), _> = Err(Refusal::not_found());
                    drop(poll_times(upgrade.decide(decision), polls).await);
                }
                (2, Opening::Upgrade(upgrade)) => {
                    drop(poll_times(upgrade.refuse(Refusal::new(403, "no")), polls).await);
                }
                (_, Opening::Plain(plain)) => drop(poll_times(plain.refuse(), polls).await),
                other => panic!("another opening: {other:?}"),
            }
            let said = read_all(client).await;
            assert!(
                said.is_empty() || said.starts_with(b"HTTP/1.1 "),
                "{said:?}"
            );
            assert_eq!(listener.admission().connections(), 0);
        }
    }
}

// drops: server::shutdown::stop
#[tokio::test]
async fn a_stop_that_is_dropped_has_told_everybody() {
    for polls in 0..POLLS_MAX {
        let stop = Stop::new();
        let mut stopping = stop.stopping();
        assert!(poll_times(stopping.wait(), polls).await.is_none());
        let stopped = poll_times(stop.stop(Duration::from_secs(60)), polls).await;
        assert_eq!(stopped, None, "somebody has not stopped");
        within(stopping.wait()).await;
        assert!(stopping.is_told());
    }
}

// drops: server::shutdown::drain
// drops: server::shutdown::turn
// drops: server::shutdown::until_over
#[tokio::test(start_paused = true)]
async fn a_drain_that_is_dropped_lets_connections_close_in_turn_all_the_same() {
    for polls in 1..POLLS_MAX {
        let stop = Stop::new();
        let stopping = stop.stopping();
        let connection = || stopping.connection().expect("it serves");
        let (mut first, mut second) = (connection(), connection());
        assert!(poll_times(first.turn(), polls).await.is_none());
        let one_a_second = Drain::new(Duration::from_secs(600)).with_rate(NonZeroU32::MIN);
        assert!(poll_times(stop.drain(one_a_second), polls).await.is_none());
        let began = Instant::now();
        // Both take their turn, drop the wait, and keep the turn.
        let _ = poll_times(first.turn(), polls).await;
        let _ = poll_times(second.turn(), polls).await;
        let _ = poll_times(stopping.until_over(second.turn()), polls).await;
        second.turn().await;
        let second_after = began.elapsed();
        first.turn().await;
        assert!(second_after >= Duration::from_secs(1), "{second_after:?}");
        assert_eq!(
            began.elapsed(),
            second_after,
            "the first turn is over by then"
        );
    }
}

// drops: server::hook::within
#[tokio::test]
async fn a_decision_that_is_no_longer_awaited_is_dropped() {
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let decision = async move {
        let _held = held;
        core::future::pending::<Result<(), Refusal>>().await
    };
    let decided = poll_times(hook::within(Duration::from_secs(60), decision), 3).await;
    assert_eq!(decided, None);
    assert_eq!(Arc::strong_count(&alive), 1);
}

// drops: client::connect::connect
// drops: client::connect::connect_with
// drops: client::connect::handshake
#[tokio::test]
async fn a_connect_that_is_dropped_lets_the_next_one_in() {
    let server = EchoServer::start(Config::default()).await;
    let url = format!("ws://{}/", server.address);
    let config = client::Config::default();
    for polls in 0..30 {
        drop(poll_times(connect(&url), polls).await);
        drop(poll_times(client::connect_with(&url, &config), polls).await);
        let tcp = TcpStream::connect(server.address)
            .await
            .expect("it listens");
        let asked = ClientRequest::new("localhost", "/");
        drop(poll_times(client::handshake(tcp, asked, &config), polls).await);
        let mut socket = within(connect(&url)).await.expect("it listens");
        socket.send("there").await.expect("open");
        let echoed = within(socket.recv()).await.expect("open");
        assert_eq!(echoed, Some("there".into()), "{polls} polls");
    }
}
