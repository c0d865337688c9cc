//! An orderly end: everybody is told, and waited for, and not for ever.

use core::net::SocketAddr;
use core::num::NonZeroUsize;
use core::time::Duration;
use framewire::engine::Limits;
use framewire::server::workers::Workers;
use framewire::server::{Config, Incoming, Listener, Stop, Stopping};
use framewire::wire::close::CloseCode;
use std::collections::HashSet;
use std::thread;
use std::time::Instant;

use crate::raw::{Raw, masked};
use crate::{LONG, within};

/// A Close frame with 1001 and this reason.
const GOING: &[u8] = b"\x88\x06\x03\xE9stop";

/// Accepts until it is told to stop.
async fn serve(listener: Listener, mut stopping: Stopping) {
    loop {
        tokio::select! {
            incoming = listener.accept() => {
                tokio::task::spawn_local(one(incoming, stopping.clone()));
            }
            () = stopping.wait() => return,
        }
    }
}

/// Answers each message with the name of the thread.
async fn one(incoming: Incoming, mut stopping: Stopping) {
    let opened = async { incoming.handshake().await?.accept().await };
    let Ok(mut socket) = opened.await else { return };
    loop {
        tokio::select! {
            received = socket.recv() => match received {
                Ok(Some(_)) => {
                    let name = thread::current().name().unwrap_or_default().to_owned();
                    socket.send(name).await.expect("the client is there");
                }
                _ => return,
            },
            () = stopping.wait() => {
                let _ = socket.close(CloseCode::GOING_AWAY, "stop").await;
                return;
            }
        }
    }
}

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn two_workers(config: Config, stop: &Stop) -> (SocketAddr, Vec<thread::JoinHandle<()>>) {
    let two = NonZeroUsize::new(2).expect("two");
    let workers = Workers::bind(any(), two, config).expect("a free port");
    let address = workers.local_addr();
    (address, workers.start(stop, serve).expect("threads"))
}

fn join(threads: Vec<thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("no panic");
    }
}

//= E69 type=test
#[tokio::test]
async fn both_workers_serve_and_all_connections_are_told_1001() {
    let stop = Stop::new();
    let (address, threads) = two_workers(Config::default(), &stop);
    let (mut clients, mut names) = (Vec::new(), HashSet::new());
    for _ in 0..64 {
        let mut raw = Raw::open(address).await;
        raw.send(&masked(1, b"who?")).await;
        let len = usize::from(raw.bytes(2).await[1]);
        names.insert(raw.bytes(len).await);
        clients.push(raw);
    }
    assert_eq!(
        names,
        HashSet::from([b"worker-0".to_vec(), b"worker-1".to_vec()])
    );
    let stopping = tokio::spawn(stop.stop(LONG));
    for raw in &mut clients {
        assert_eq!(raw.bytes(GOING.len()).await, GOING);
        raw.send(&masked(8, b"\x03\xE9")).await;
        assert_eq!(raw.rest().await.expect("no reset"), b"");
    }
    drop(clients);
    assert!(
        within(stopping).await.expect("no panic"),
        "all have stopped in time"
    );
    join(threads);
    let refused = tokio::net::TcpStream::connect(address).await;
    assert!(refused.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_stuck_peer_is_waited_for_until_the_deadline_and_no_longer() {
    let stop = Stop::new();
    let limits = Limits::default().with_close_timeout(Duration::from_secs(600));
    let (address, threads) = two_workers(Config::default().with_limits(limits), &stop);
    let mut stuck = Raw::open(address).await;
    let deadline = Duration::from_millis(300);
    let began = Instant::now();
    assert!(!stop.stop(deadline).await, "one has not stopped");
    assert!(began.elapsed() >= deadline);
    assert_eq!(
        stuck.bytes(GOING.len()).await,
        GOING,
        "it was told all the same"
    );
    join(threads);
    assert!(
        began.elapsed() < LONG,
        "the workers do not outlive the deadline"
    );
    let _ = stuck.rest().await;
}

#[test]
fn workers_run_until_they_are_told_and_one_of_them_is_the_calling_thread() {
    let two = NonZeroUsize::new(2).expect("two");
    let workers = Workers::bind(any(), two, Config::default()).expect("a free port");
    let address = workers.local_addr();
    let (tell, told) = tokio::sync::oneshot::channel();
    let own = thread::current().name().unwrap_or_default().to_owned();
    let clients = thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let (mut raws, mut names) = (Vec::new(), HashSet::new());
            for _ in 0..64 {
                let mut raw = Raw::open(address).await;
                raw.send(&masked(1, b"who?")).await;
                let len = usize::from(raw.bytes(2).await[1]);
                names.insert(raw.bytes(len).await);
                raws.push(raw);
            }
            tell.send("enough").expect("they run");
            for raw in &mut raws {
                assert_eq!(raw.bytes(GOING.len()).await, GOING);
                raw.send(&masked(8, b"\x03\xE9")).await;
                assert_eq!(raw.rest().await.expect("no reset"), b"");
            }
            names
        })
    });
    let said = workers.run(LONG, serve, told).expect("they run");
    assert_eq!(said, Ok("enough"));
    let names = clients.join().expect("no panic");
    assert_eq!(
        names,
        HashSet::from([own.into_bytes(), b"worker-0".to_vec()])
    );
}

#[tokio::test]
async fn a_stop_without_anybody_is_at_once() {
    assert!(within(Stop::new().stop(Duration::from_secs(600))).await);
    let stop = Stop::default();
    let mut stopping = stop.stopping();
    assert!(!stopping.is_told());
    let waiting = tokio::spawn(async move {
        stopping.wait().await;
        stopping.is_told()
    });
    assert!(within(stop.stop(LONG)).await);
    assert!(within(waiting).await.expect("no panic"));
}

#[tokio::test]
async fn a_stop_that_is_dropped_tells_everybody() {
    let stop = Stop::new();
    let mut stopping = stop.stopping();
    drop(stop);
    within(stopping.wait()).await;
}

#[tokio::test]
async fn a_stop_waits_for_the_last_holder() {
    let stop = Stop::new();
    let (one, other) = (stop.stopping(), stop.stopping());
    drop(one);
    let stopping = tokio::spawn(stop.stop(LONG));
    let mut told = other.clone();
    within(told.wait()).await;
    drop(told);
    tokio::task::yield_now().await;
    assert!(!stopping.is_finished());
    drop(other);
    assert!(within(stopping).await.expect("no panic"));
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let one = NonZeroUsize::MIN;
    let taken = Workers::bind(any(), one, Config::default()).expect("a free port");
    let refused = Workers::bind(taken.local_addr(), one, Config::default());
    assert!(refused.is_err());
}
