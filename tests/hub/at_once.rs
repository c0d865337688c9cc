//! What is written past the task of a connection: all that there is, a part of it, or nothing.

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;

use framewire::engine::{Connection, Limits, Prepared, Role, Timestamp};
use framewire::hub::{Bounds, Branch, Hub, Seated, SlowPolicy};
use framewire::net::{WebSocket, WriteNow};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

use crate::{branch::within, expect_balanced, reason};

/// A pipe that takes only so much past the task, each time another amount.
struct Fitful {
    pipe: RefCell<DuplexStream>,
    amounts: Amounts,
}

/// How much is taken at each call; shared, to see that there were calls.
#[derive(Clone, Default)]
struct Amounts {
    calls: Rc<Cell<usize>>,
    parts: Rc<Cell<usize>>,
}

impl Amounts {
    /// Nothing, everything, or some bytes.
    fn next(&self, all: usize) -> usize {
        let call = self.calls.get();
        self.calls.set(call + 1);
        match call % 5 {
            0 => 0,
            1 | 2 => all,
            _ => 1 + call * 7 % all,
        }
    }
}

impl WriteNow for Fitful {
    fn write_now(&self, bytes: &[u8]) -> usize {
        let taken = self.amounts.next(bytes.len());
        if taken == 0 {
            return 0;
        }
        let mut pipe = self.pipe.borrow_mut();
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut *pipe).poll_write(&mut cx, &bytes[..taken]) {
            Poll::Ready(Ok(written)) => {
                if written < bytes.len() {
                    self.amounts.parts.set(self.amounts.parts.get() + 1);
                }
                written
            }
            _ => 0,
        }
    }
}

impl AsyncRead for Fitful {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.pipe.get_mut()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Fitful {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.pipe.get_mut()).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.pipe.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.pipe.get_mut()).poll_shutdown(cx)
    }
}

fn open<S: AsyncRead + AsyncWrite + Unpin>(role: Role, stream: S) -> WebSocket<S> {
    let limits = Arc::new(Limits::default());
    let connection = Connection::new(role, limits, Timestamp::ZERO, [7; 32]);
    WebSocket::new(stream, connection, Vec::new())
}

/// The two ends of a connection of TCP.
async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (far, near) = tokio::join!(TcpStream::connect(address), listener.accept());
    (far.expect("connected"), near.expect("accepted").0)
}

/// A message of `bytes` that says which it is.
fn numbered(number: u32, bytes: usize) -> Prepared {
    let mut payload = vec![b'.'; bytes.max(4)];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    Prepared::binary(&payload)
}

/// Hears so many messages, whole and in order.
async fn hear_all<S: AsyncRead + AsyncWrite + Unpin>(client: &mut WebSocket<S>, count: u32) {
    for number in 0..count {
        let message = within(client.recv()).await.expect("no failure");
        let message = message.expect("it is open");
        assert_eq!(message.as_bytes()[..4], number.to_be_bytes());
        let rest = &message.as_bytes()[4..];
        assert!(rest.iter().all(|byte| *byte == b'.'), "message {number}");
    }
}

/// Joins a branch of its own that is run, as a member of `t` that is served and counted.
fn join<S>(hub: &Hub, socket: WebSocket<S>) -> Seated<S>
where
    S: AsyncRead + WriteNow + 'static,
{
    let branch = Branch::new(hub);
    spawn_local(branch.clone().run());
    let seated = branch.join(
        socket,
        Bounds::new(64 << 20, 10_000),
        SlowPolicy::DropNewest,
    );
    seated.member().subscribe("t");
    seated
}

/// Serves a member until it is closed, and says then what was counted.
async fn serve<S: AsyncRead + WriteNow>(mut seated: Seated<S>) {
    let _ = seated.serve(|_| {}).await;
    let counts = seated.member().counts();
    expect_balanced(counts);
    assert_eq!(counts.offered, u64::from(MESSAGES));
    assert_eq!(counts.taken, u64::from(MESSAGES));
}

const MESSAGES: u32 = 2000;

#[tokio::test]
async fn whatever_part_leaves_at_once_the_rest_follows() {
    let act = async {
        let (hub, amounts) = (Hub::new(), Amounts::default());
        let (pipe, far) = tokio::io::duplex(20_000);
        let fitful = Fitful {
            pipe: RefCell::new(pipe),
            amounts: amounts.clone(),
        };
        let mut client = open(Role::Client, far);
        let served = spawn_local(serve(join(&hub, open(Role::Server, fitful))));
        let publishing = async {
            for number in 0..MESSAGES {
                let bytes = usize::try_from(number * 37 % 500).expect("small");
                assert_eq!(hub.publish("t", &numbered(number, bytes)).queued, 1);
                // Alone, or together with others.
                for _ in 0..number % 7 {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::join!(publishing, hear_all(&mut client, MESSAGES));
        hub.close_all(&reason(1001));
        within(served).await.expect("as counted");
        assert!(amounts.calls.get() > 100, "{}", amounts.calls.get());
        assert!(amounts.parts.get() > 20, "{}", amounts.parts.get());
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn a_full_socket_takes_the_rest_when_it_is_read() {
    let act = async {
        let hub = Hub::new();
        let (far, near) = connected().await;
        let mut client = open(Role::Client, far);
        let served = spawn_local(serve(join(&hub, open(Role::Server, near))));
        // More than both sockets hold: 16 MiB that nobody reads.
        for number in 0..MESSAGES {
            assert_eq!(hub.publish("t", &numbered(number, 8 << 10)).queued, 1);
            tokio::task::yield_now().await;
        }
        hear_all(&mut client, MESSAGES).await;
        hub.close_all(&reason(1001));
        within(served).await.expect("as counted");
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn whoever_is_to_close_is_given_what_came_before_and_nothing_after() {
    let act = async {
        let hub = Hub::new();
        let (near, far) = tokio::io::duplex(1 << 16);
        let mut client = open(Role::Client, far);
        let mut seated = join(&hub, open(Role::Server, near));
        let id = seated.member().id();
        hub.publish("t", &numbered(0, 10));
        assert!(hub.close(id, &reason(4000)));
        hub.publish("t", &numbered(1, 10));
        // The branch has its turn before the member does.
        tokio::task::yield_now().await;
        hear_all(&mut client, 1).await;
        let ended = within(seated.serve(|_| {})).await.expect("no failure");
        assert_eq!(ended, Some(reason(4000)));
        let counts = seated.member().counts();
        expect_balanced(counts);
        assert_eq!((counts.offered, counts.dropped), (2, 1));
        drop(seated);
        assert!(within(client.recv()).await.is_err(), "nothing more came");
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn a_stream_that_breaks_ends_its_own_connection_alone() {
    let act = async {
        let hub = Hub::new();
        let mut pairs = Vec::new();
        for _ in 0..3 {
            let (far, near) = connected().await;
            let mut seated = join(&hub, open(Role::Server, near));
            let served = spawn_local(async move { seated.serve(|_| {}).await });
            pairs.push((far, served));
        }
        let (gone, broken) = pairs.remove(1);
        // With linger of nothing, dropping it resets the connection.
        socket2::SockRef::from(&gone)
            .set_linger(Some(core::time::Duration::ZERO))
            .expect("a socket option");
        drop(gone);
        let ended = async {
            while !broken.is_finished() {
                hub.publish("t", &numbered(0, 10));
                tokio::task::yield_now().await;
            }
        };
        within(ended).await;
        assert!(broken.await.expect("no panic").is_err());
        hub.publish("t", &numbered(1, 10));
        for (far, served) in pairs {
            let mut client = open(Role::Client, far);
            let mut last = [0; 4];
            while last != 1_u32.to_be_bytes() {
                let message = within(client.recv()).await.expect("no failure");
                let message = message.expect("open");
                last.copy_from_slice(&message.as_bytes()[..4]);
            }
            assert!(!served.is_finished());
        }
    };
    LocalSet::new().run_until(act).await;
}
