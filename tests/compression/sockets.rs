//! What compression holds over sockets, in either role.
//!
//! The end that is measured keeps to the thread of the test; the other has one of its own.

use core::net::SocketAddr;
use core::time::Duration;
use std::thread::{self, JoinHandle};

use framewire::client::{Config, connect_with};
use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::engine::{Acceptance, Role};
use framewire::net::WebSocket;
use framewire::server;
use framewire::wire::close::CloseCode;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;

use crate::allocator::held;
use crate::payload;

/// Longer than anything takes that is not stuck.
const LONG: Duration = Duration::from_secs(60);

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future)
        .await
        .expect("it is stuck")
}

/// How the two ends of each connection are set up.
#[derive(Clone)]
struct Ends {
    answer: Option<DeflateAnswer>,
    client: Config,
}

impl Ends {
    fn plain() -> Self {
        Self {
            answer: None,
            client: Config::default(),
        }
    }

    fn compressed(config: DeflateConfig) -> Self {
        Self {
            answer: Some(DeflateAnswer::new(config)),
            client: Config::default().with_deflate(config),
        }
    }
}

/// Echoes on each connection until it ends, and says whenever one has.
async fn serve(tcp: TcpListener, answer: Option<DeflateAnswer>, ended: mpsc::UnboundedSender<()>) {
    let listener = server::Listener::new(tcp, server::Config::default());
    loop {
        let (incoming, answer) = (listener.accept().await, answer.clone());
        let ended = ended.clone();
        tokio::spawn(async move {
            let mut acceptance = Acceptance::new();
            if let Some(answer) = &answer {
                acceptance = acceptance.with_extension(answer);
            }
            let opened = async { incoming.handshake().await?.accept_with(acceptance).await };
            let mut socket = opened.await.expect("a client that keeps to the rules");
            while let Ok(Some(message)) = socket.recv().await {
                if socket.send(message).await.is_err() {
                    break;
                }
            }
            drop(socket);
            let _ = ended.send(());
        });
    }
}

type Socket = WebSocket<framewire::client::Stream>;

/// Opens a connection and gets an echo of each message.
async fn talk(address: SocketAddr, config: &Config, messages: &[Vec<u8>]) -> Socket {
    let url = format!("ws://{address}/");
    let (mut socket, _) = within(connect_with(&url, config)).await.expect("open");
    for message in messages {
        within(socket.send(message.clone()))
            .await
            .expect("it reads");
        let back = within(socket.recv()).await.expect("no failure");
        assert!(back.is_some_and(|it| it.as_bytes() == message), "the echo");
    }
    socket
}

/// Runs `work` on a thread of its own.
fn elsewhere<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send + 'static) -> JoinHandle<()> {
    thread::spawn(move || runtime().block_on(work()))
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

async fn listen() -> (TcpListener, SocketAddr) {
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = tcp.local_addr().expect("it is bound");
    (tcp, address)
}

/// Lets all that has to be done be done at once, a second and a bit later. Nothing may be on its
/// way to a socket.
async fn rest() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(1_100)).await;
    for _ in 0..100 {
        yield_now().await;
    }
    tokio::time::resume();
}

/// What this many connections of `role` hold in all, after these messages and when they have
/// rested, beyond what one without compression left that has gone: the buffers that a thread
/// keeps.
fn held_at_rest(role: Role, ends: &Ends, count: usize, messages: &[Vec<u8>]) -> i64 {
    match role {
        Role::Server => servers_at_rest(ends, count, messages),
        Role::Client => clients_at_rest(ends, count, messages),
    }
}

fn servers_at_rest(ends: &Ends, count: usize, messages: &[Vec<u8>]) -> i64 {
    let (ends, messages) = (ends.clone(), messages.to_vec());
    runtime().block_on(async {
        let (tcp, address) = listen().await;
        let (ended, mut gone) = mpsc::unbounded_channel();
        tokio::spawn(serve(tcp, ends.answer.clone(), ended));
        let plain = Ends::plain();
        let (go_on, told_to) = oneshot::channel::<()>();
        let (opened, all_open) = oneshot::channel();
        let (leave, told_to_leave) = oneshot::channel::<()>();
        let clients = elsewhere(move || async move {
            let mut first = talk(address, &plain.client, &messages).await;
            let closed = within(first.close(CloseCode::NORMAL_CLOSURE, "")).await;
            closed.expect("a normal close");
            told_to.await.expect("the test goes on");
            let mut open = Vec::new();
            for _ in 0..count {
                open.push(talk(address, &ends.client, &messages).await);
            }
            let _ = opened.send(());
            let _ = told_to_leave.await;
        });
        within(gone.recv()).await.expect("the first has left");
        rest().await;
        let before = held();
        go_on.send(()).expect("the clients are there");
        within(all_open).await.expect("the clients are there");
        rest().await;
        let held = held() - before;
        leave.send(()).expect("the clients are there");
        clients.join().expect("no panic");
        held
    })
}

fn clients_at_rest(ends: &Ends, count: usize, messages: &[Vec<u8>]) -> i64 {
    runtime().block_on(async {
        let (address, server) = server_elsewhere(ends.answer.clone()).await;
        let mut first = talk(address, &Config::default(), messages).await;
        // Whoever waits for a message gives its buffers to the thread.
        tokio::select! {
            biased;
            _ = first.recv() => panic!("nothing was sent"),
            () = yield_now() => {}
        }
        drop(first);
        let before = held();
        let mut open = tokio::task::JoinSet::new();
        for _ in 0..count {
            let mut socket = talk(address, &ends.client, messages).await;
            // Whoever waits for a message is told when it is time to rest.
            open.spawn(async move { socket.recv().await.map(drop) });
            yield_now().await;
        }
        rest().await;
        let held = held() - before;
        assert!(open.try_join_next().is_none(), "all are open");
        drop(open);
        server.stop();
        held
    })
}

/// A server on a thread of its own.
struct ServerElsewhere {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl ServerElsewhere {
    fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.thread.join().expect("no panic");
    }
}

async fn server_elsewhere(answer: Option<DeflateAnswer>) -> (SocketAddr, ServerElsewhere) {
    let (stop, stopped) = oneshot::channel();
    let (listening, listens) = oneshot::channel();
    let thread = elsewhere(move || async move {
        let (tcp, address) = listen().await;
        listening.send(address).expect("the test waits");
        let (ended, _gone) = mpsc::unbounded_channel();
        tokio::select! {
            () = serve(tcp, answer, ended) => {}
            _ = stopped => {}
        }
    });
    let address = within(listens).await.expect("it listens");
    (address, ServerElsewhere { stop, thread })
}

/// A message of few bytes that is compressed.
fn short() -> Vec<u8> {
    b"announcement ".repeat(8)
}

const ROLES: [Role; 2] = [Role::Server, Role::Client];

//= DF-29 type=test
#[test]
fn idle_sockets_with_compression_hold_at_most_a_kib_more() {
    const COUNT: usize = 1_000;
    for role in ROLES {
        let each = |ends: &Ends, messages: &[Vec<u8>]| {
            held_at_rest(role, ends, COUNT, messages) / i64::try_from(COUNT).unwrap()
        };
        let keeps = DeflateConfig::default();
        for config in [keeps, keeps.with_context_kept(false, false)] {
            for messages in [&[][..], &[short()]] {
                let plain = each(&Ends::plain(), messages);
                let more = each(&Ends::compressed(config), messages) - plain;
                println!("{role:?}: {more} bytes more than {plain}");
                assert!((1..=1_024).contains(&more), "{role:?}: {more} bytes");
            }
        }
    }
}

//= DF-31 type=test
#[test]
fn sockets_give_the_buffers_of_a_large_message_back_within_a_second_or_so() {
    let large = [payload::noise(1 << 20, 3)];
    let also = [b"announcement ".repeat(80_000)];
    for (role, messages) in ROLES.iter().flat_map(|it| [(it, &large), (it, &also)]) {
        for (keeps, most) in [(true, 36 << 10), (false, 4 << 10)] {
            let config = DeflateConfig::default().with_context_kept(keeps, keeps);
            const COUNT: usize = 8;
            // One buffer to write with, which the thread keeps for all of them.
            let most = most * i64::try_from(COUNT).unwrap() + (128 << 10);
            let held = held_at_rest(*role, &Ends::compressed(config), COUNT, messages);
            println!("{role:?}, context kept: {keeps}: {COUNT} hold {held} bytes at rest");
            assert!(held <= most, "{role:?}: {held} bytes, {most} are allowed");
        }
    }
}

/// A client's connections share what they compress with: were each to keep its own, that would
/// be some 300 KiB for each of them.
#[test]
fn connections_of_one_configuration_share_what_they_compress_with() {
    const COUNT: usize = 50;
    runtime().block_on(async {
        let config = DeflateConfig::default().with_context_kept(false, false);
        let ends = Ends::compressed(config);
        let (address, server) = server_elsewhere(ends.answer.clone()).await;
        let mut open = tokio::task::JoinSet::new();
        let mut before = 0;
        for at in 0..=COUNT {
            // Clones share as well.
            let config = ends.client.clone();
            let config = config.with_header("X-Number", at.to_string());
            let mut socket = talk(address, &config, &[short()]).await;
            // Whoever waits for a message keeps no buffers.
            open.spawn(async move { socket.recv().await.map(drop) });
            yield_now().await;
            if at == 0 {
                before = held();
            }
        }
        let each = (held() - before) / i64::try_from(COUNT).unwrap();
        println!("{each} bytes for each connection that has spoken");
        assert!(each <= 8 << 10, "{each} bytes");
        drop(open);
        server.stop();
    });
}

/// Opens, talks and closes, one connection after the other.
async fn come_and_go(address: SocketAddr, config: &Config, times: usize) {
    for _ in 0..times {
        let mut socket = talk(address, config, &[short()]).await;
        let closed = within(socket.close(CloseCode::NORMAL_CLOSURE, "")).await;
        assert!(closed.expect("a normal close").is_clean());
    }
}

/// What so many connections of `role` that have come and gone leave behind.
fn left_by(role: Role, ends: &Ends, times: usize) -> i64 {
    const WARM_UP: usize = 100;
    runtime().block_on(async {
        match role {
            Role::Client => {
                let (address, server) = server_elsewhere(ends.answer.clone()).await;
                come_and_go(address, &ends.client, WARM_UP).await;
                let before = held();
                come_and_go(address, &ends.client, times).await;
                let left = held() - before;
                server.stop();
                left
            }
            Role::Server => {
                let (tcp, address) = listen().await;
                let (ended, mut gone) = mpsc::unbounded_channel();
                tokio::spawn(serve(tcp, ends.answer.clone(), ended));
                let client = ends.client.clone();
                let clients = elsewhere(move || async move {
                    come_and_go(address, &client, WARM_UP + times).await
                });
                let mut before = 0;
                for at in 0..WARM_UP + times {
                    if at == WARM_UP {
                        before = held();
                    }
                    within(gone.recv()).await.expect("the server runs");
                }
                let left = held() - before;
                clients.join().expect("no panic");
                left
            }
        }
    })
}

//= DF-30 type=test
#[test]
fn sockets_that_come_and_go_leave_no_memory_behind() {
    let asked = std::env::var("COMPRESSION_CONNECTIONS").ok();
    let times = asked.map_or(1_000, |it| it.parse().expect("a number of connections"));
    for role in ROLES {
        for keeps in [true, false] {
            let config = DeflateConfig::default().with_context_kept(keeps, keeps);
            let left = left_by(role, &Ends::compressed(config), times);
            println!("{role:?}: {times} connections leave {left} bytes");
            // One connection that is about to go, and what the runtime keeps for the next.
            assert!(left.abs() <= 64 << 10, "{role:?}: {left} bytes");
        }
    }
}
