//! Connections that close in turn when a server stops.

use core::net::SocketAddr;
use core::num::NonZeroU32;
use core::time::Duration;
use framewire::server::{
    Clients, Config, Drain, Drained, HandshakeError, Incoming, Listener, Opening, Stop, Stopping,
};
use framewire::wire::close::CloseCode;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::raw::{Raw, header, masked, request};
use crate::{LONG, within};

/// A Close frame with 1012 and no reason.
const RESTART: &[u8] = b"\x88\x02\x03\xF4";

async fn one(incoming: Incoming, stopping: Stopping) -> Result<(), HandshakeError> {
    let Opening::Upgrade(upgrade) = incoming.handshake().await? else {
        return Ok(());
    };
    let mut connected = match stopping.connection() {
        Ok(connected) => connected,
        Err(refusal) => return upgrade.refuse(refusal).await.map_err(HandshakeError::Io),
    };
    let mut socket = upgrade.accept(Default::default()).await?;
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Ok(Some(message)) => drop(socket.send(message).await),
                _ => return Ok(()),
            },
            code = connected.turn() => {
                let _ = socket.close(code, "").await;
                return Ok(());
            }
        }
    }
}

/// A server, and word of each client that it has accepted.
async fn start(stop: &Stop) -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, Config::default()).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (note, accepted) = mpsc::unbounded_channel();
    let mut stopping = stop.stopping();
    tokio::spawn(async move {
        loop {
            let incoming = tokio::select! {
                incoming = listener.accept() => incoming,
                () = stopping.wait() => return,
            };
            let _ = note.send(());
            let stopping = stopping.clone();
            tokio::spawn(async move {
                let serving = one(incoming, stopping.clone());
                stopping.until_over(serving).await
            });
        }
    });
    (address, accepted)
}

fn drained(closed: usize, forced: usize) -> impl Fn(Drained) -> bool {
    move |it| (it.closed, it.forced) == (closed, forced)
}

//= E38 type=test
#[tokio::test]
async fn all_are_told_and_newcomers_are_not_let_in() {
    let stop = Stop::new();
    let (address, mut accepted) = start(&stop).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(Raw::open(address).await);
        within(accepted.recv()).await.expect("it runs");
    }
    let mut late = Raw::connect(address).await;
    within(accepted.recv()).await.expect("it runs");
    let drain = Drain::new(LONG).with_code(CloseCode::SERVICE_RESTART);
    let draining = tokio::spawn(stop.drain(drain));
    for raw in &mut clients {
        assert_eq!(raw.bytes(RESTART.len()).await, RESTART);
    }
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
    late.send(request("").as_bytes()).await;
    let answer = late.answer().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(header(&answer, "retry-after").is_some());
    drop(late);
    assert!(!draining.is_finished(), "nobody has answered yet");
    for raw in &mut clients {
        raw.send(&masked(8, b"\x03\xF4")).await;
        assert_eq!(raw.rest().await.expect("no reset"), b"");
    }
    drop(clients);
    let drained_as = drained(8, 0);
    assert!(drained_as(within(draining).await.expect("no panic")));
}

#[tokio::test]
async fn whoever_is_there_at_the_deadline_is_cut_off_and_counted() {
    let stop = Stop::new();
    let (address, _accepted) = start(&stop).await;
    let mut good = Raw::open(address).await;
    let mut stuck = Raw::open(address).await;
    let draining = tokio::spawn(stop.drain(Drain::new(Duration::from_secs(2))));
    good.bytes(4).await;
    good.send(&masked(8, b"\x03\xE9")).await;
    good.rest().await.expect("no reset");
    drop(good);
    assert!(drained(1, 1)(within(draining).await.expect("no panic")));
    stuck.bytes(4).await;
    let _ = stuck.rest().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_close_in_a_second() {
    let stop = Stop::new();
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let mut connected = stop.stopping().connection().expect("it serves");
        tasks.spawn(async move {
            // A turn that is asked for again is the same.
            let short = tokio::time::timeout(Duration::from_millis(1), connected.turn());
            let _ = short.await;
            assert_eq!(connected.turn().await, CloseCode::GOING_AWAY);
            Instant::now()
        });
    }
    let began = Instant::now();
    let four = NonZeroU32::new(4).expect("four");
    let drain = Drain::new(Duration::from_secs(60)).with_rate(four);
    assert!(drained(20, 0)(stop.drain(drain).await));
    let mut ended = tasks.join_all().await;
    ended.sort();
    // Each closes somewhere in its own quarter of a second; the clock of the runtime counts whole
    // milliseconds, rounded up.
    let share = Duration::from_millis(250);
    for (turn, at) in (0..).zip(ended) {
        let (after, begin) = (at - began, share * turn);
        let late = after.saturating_sub(begin + share);
        let is_in_turn = after >= begin && late <= Duration::from_millis(2);
        assert!(is_in_turn, "{turn}: {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_has_no_turn_before_the_deadline_is_forced() {
    let stop = Stop::new();
    for _ in 0..5 {
        let stopping = stop.stopping();
        let mut connected = stopping.connection().expect("it serves");
        tokio::spawn(async move {
            stopping
                .until_over(async move { connected.turn().await })
                .await
        });
    }
    tokio::task::yield_now().await;
    let drain = Drain::new(Duration::from_millis(2500)).with_rate(NonZeroU32::MIN);
    let result = stop.drain(drain).await;
    assert_eq!(result.closed + result.forced, 5);
    assert!((2..=3).contains(&result.closed), "{result:?}");
}

#[tokio::test]
async fn a_stop_without_a_plan_is_everybodys_turn_at_once() {
    let stop = Stop::new();
    let stopping = stop.stopping();
    let mut connected = stopping.connection().expect("it serves");
    drop(stop);
    assert_eq!(within(connected.turn()).await, CloseCode::GOING_AWAY);
    assert!(stopping.connection().is_err());
}

//= E43 type=test
#[test]
fn who_is_there_can_be_gone_through_while_others_come_and_go() {
    let clients = Clients::new();
    assert!(clients.is_empty());
    let (one, two) = (clients.join("one"), clients.join("two"));
    assert_eq!((clients.len(), *one), (2, "one"));
    let mut seen = Vec::new();
    for client in clients.snapshot() {
        seen.push(*client);
        drop(clients.join("three"));
    }
    assert_eq!(seen, ["one", "two"]);
    drop(one);
    assert_eq!(clients.snapshot().len(), 1);
    drop(two);
    assert!(clients.is_empty());
}
