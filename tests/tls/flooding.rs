//! Clients that cut, flood, or come all at once.

use core::time::Duration;
use framewire::net::Error;
use framewire::server::{Config, HandshakeError};
use framewire::wire::close::CloseCode;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::authority::Authority;
use crate::peer::{self, config, first_flight, record, say};
use crate::{EchoServer, within};

//= TL-10 type=test
#[tokio::test]
async fn a_stream_that_is_cut_within_a_message_ends_abnormally() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    let mut socket = peer::open(server.address, config(&authority, None)).await;
    peer::echo(&mut socket, "whole").await.unwrap();
    let mut stream = socket.terminate();
    // Half of a frame; then TCP ends, and TLS has not said so.
    within(stream.write_all(b"\x81\x8A\0\0\0\0half"))
        .await
        .unwrap();
    within(stream.flush()).await.unwrap();
    let (mut tcp, _) = stream.into_inner();
    within(tcp.shutdown()).await.unwrap();
    let ended = server.next_ended().await;
    assert!(
        matches!(&ended, Err(Error::Io(error)) if error.kind() == ErrorKind::UnexpectedEof),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_close_inside_tls_ends_with_close_notify_and_no_reset() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    for behind in [0, 100 << 10] {
        let socket = peer::open(server.address, config(&authority, None)).await;
        let mut stream = socket.terminate();
        within(stream.write_all(b"\x88\x82\0\0\0\0\x03\xE8"))
            .await
            .unwrap();
        within(stream.write_all(&vec![0; behind])).await.unwrap();
        within(stream.flush()).await.unwrap();
        let mut rest = Vec::new();
        // Without close_notify this would be an error.
        within(stream.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(rest, b"\x88\x02\x03\xE8");
        assert!(server.next_ended().await.is_ok());
    }
}

//= TL-11 type=test
#[tokio::test]
async fn a_flood_of_key_updates_is_closed() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    let socket = peer::open(server.address, config(&authority, None)).await;
    let mut stream = socket.terminate();
    for _ in 0..1000 {
        stream.get_mut().1.refresh_traffic_keys().unwrap();
        if within(stream.flush()).await.is_err() {
            break;
        }
    }
    let ended = server.next_ended().await;
    assert!(matches!(ended, Err(Error::Io(_))), "{ended:?}");
}

//= TL-11 type=test
#[tokio::test]
async fn a_flood_of_empty_records_is_closed() {
    let authority = Authority::new("one");
    let mut server = EchoServer::secure(&authority, Config::default()).await;
    let flood = [
        record(&[]).repeat(100_000),
        first_flight(config(&authority, None)),
    ]
    .concat();
    say(server.address, &flood).await;
    let refused = server.next_refused().await;
    assert!(matches!(refused, HandshakeError::Tls(_)), "{refused:?}");
}

//= TL-15 type=test
#[tokio::test]
async fn handshakes_beyond_the_rate_wait_for_their_turn_or_are_dropped() {
    let authority = Authority::new("one");
    let settings = Config::default()
        .with_tls_handshakes_per_second_max(2)
        .with_handshake_timeout(Duration::from_secs(2));
    let mut server = EchoServer::secure(&authority, settings).await;
    let mut open = peer::open(server.address, config(&authority, None)).await;
    let began = Instant::now();
    let hello = first_flight(config(&authority, None));
    let mut flood = Vec::new();
    for _ in 0..60 {
        let mut tcp = within(TcpStream::connect(server.address)).await.unwrap();
        tcp.write_all(&hello).await.unwrap();
        flood.push(tcp);
        // Whoever is open is served meanwhile.
        peer::echo(&mut open, "hello").await.unwrap();
    }
    let (mut busy, mut begun) = (0, 0);
    for _ in 0..60 {
        match server.next_refused().await {
            HandshakeError::TlsBusy => busy += 1,
            // They got their turn, and then went on no further.
            HandshakeError::Io(error) if error.kind() == ErrorKind::TimedOut => begun += 1,
            other => panic!("{other:?}"),
        }
    }
    // So many turns there were from the first client until the last gave up waiting.
    let turns = began.elapsed().as_secs() * 2 + 3;
    assert!(begun >= 1 && begun <= turns, "{begun} of {turns}");
    assert!(busy >= 20, "{busy}");
    let code = CloseCode::NORMAL_CLOSURE;
    within(open.close(code, "")).await.unwrap();
}

//= TL-15 type=test
#[tokio::test]
async fn no_tick_sees_more_handshakes_than_one_and_clients_without_tls_get_through() {
    const RATE: u32 = 20;
    const PATIENCE: Duration = Duration::from_secs(2);
    let authority = Authority::new("one");
    let settings = Config::default()
        .with_tls_handshakes_per_second_max(RATE)
        .with_handshake_timeout(PATIENCE);
    let server = EchoServer::secure(&authority, settings).await;
    let plain = EchoServer::start(Config::default()).await;
    let hello = first_flight(config(&authority, None));
    let began = Instant::now();
    let mut storm = tokio::task::JoinSet::new();
    for _ in 0..5 * RATE {
        let hello = hello.clone();
        storm.spawn(async move {
            let mut tcp = within(TcpStream::connect(server.address)).await.unwrap();
            tcp.write_all(&hello).await.unwrap();
            // Whoever has got a turn is answered; to the others it says nothing.
            let answered = within(tcp.read_u8()).await.is_ok();
            answered.then(|| began.elapsed())
        });
    }
    let url = format!("ws://{}/", plain.address);
    for _ in 0..50 {
        let mut socket = within(framewire::client::connect(&url)).await.unwrap();
        within(socket.send("hello")).await.unwrap();
        let back = within(socket.recv()).await.unwrap();
        assert_eq!(back.unwrap().as_text(), Some("hello"));
    }
    let mut answered: Vec<_> = storm.join_all().await.into_iter().flatten().collect();
    answered.sort();
    println!("{} of {} had a turn", answered.len(), 5 * RATE);
    for (at, when) in (0..).zip(&answered) {
        let earliest = Duration::from_secs(1) / RATE * at;
        assert!(*when >= earliest, "number {at} after {when:?}");
    }
    let allowed = RATE * u32::try_from(PATIENCE.as_secs()).unwrap();
    let had = u32::try_from(answered.len()).unwrap();
    assert!(
        (allowed / 2..=allowed + RATE).contains(&had),
        "{had} of {allowed}"
    );
}

/// The handshake of TLS would cost more than the clients that are let in.
#[tokio::test]
async fn clients_that_come_too_fast_are_closed_before_tls() {
    let authority = Authority::new("one");
    let hour = Duration::from_secs(3600);
    let mut server =
        EchoServer::secure(&authority, Config::default().with_accept_rate(2, hour)).await;
    let mut socket = peer::open(server.address, config(&authority, None)).await;
    let other = peer::open(server.address, config(&authority, None)).await;
    for count in 1..=3 {
        let mut tcp = within(TcpStream::connect(server.address)).await.unwrap();
        // It is closed although it has said nothing.
        let read = within(tcp.read(&mut [0])).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
        assert_eq!(server.admission.turned_away().too_fast, count);
    }
    peer::echo(&mut socket, "unharmed").await.unwrap();
    drop((socket, other));
    assert!(server.refused.try_recv().is_err(), "no handshake was begun");
}
