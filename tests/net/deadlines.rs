//! Deadlines are kept while a call is awaited, whatever the stream does.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use framewire::engine::{Cause, Limits, Role};
use framewire::net::{Error, TimedOut};
use framewire::wire::close::CloseCode;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, advance};

use crate::peer::{CLOSE, Frame, PING, PONG, TEXT, close_body, frame_to};
use crate::scripted::{Give, stream};
use crate::{open, poll_once};

const SECOND: Duration = Duration::from_secs(1);

//= D15 type=test
//= D30 type=test
//= D33 type=test
//= E66 type=test
//= E67 type=test
#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_given_up_without_a_pong() {
    for role in Role::BOTH {
        let limits = Limits::default().with_keep_alive(Some(20 * SECOND), 10 * SECOND);
        let (end, script) = stream();
        let mut socket = open(role, limits, end);
        let began = Instant::now();
        let ended = socket.recv().await;
        assert!(
            matches!(ended, Err(Error::TimedOut(TimedOut::Pong))),
            "{ended:?}"
        );
        assert_eq!(began.elapsed(), 30 * SECOND);
        let sent = script.frames(role);
        assert_eq!(sent.iter().map(|it| it.opcode).collect::<Vec<_>>(), [PING]);
        assert_eq!(socket.recv().await.expect("reported already"), None);
        assert_eq!(
            socket.closure().and_then(|it| it.cause()),
            Some(Cause::NoPong)
        );
    }
}

//= C07 type=test
//= D04 type=test
//= D31 type=test
#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_is_kept() {
    for role in Role::BOTH {
        let limits = Limits::default().with_keep_alive(Some(20 * SECOND), 10 * SECOND);
        let (end, script) = stream();
        let mut socket = open(role, limits, end);
        let mut waiting = Box::pin(socket.recv());
        for _ in 0..5 {
            assert!(poll_once(waiting.as_mut()).await.is_pending());
            advance(21 * SECOND).await;
            assert!(poll_once(waiting.as_mut()).await.is_pending());
            let pings = script.frames(role);
            assert_eq!(pings.len(), 1, "one Ping an interval");
            advance(2 * SECOND).await;
            script.give_bytes(&frame_to(role, PONG, &pings[0].payload));
            assert!(poll_once(waiting.as_mut()).await.is_pending());
        }
        drop(waiting);
        assert_eq!(socket.connection().round_trip(), Some(2 * SECOND));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_is_said_is_closed_with_1001() {
    for role in Role::BOTH {
        let limits = Limits::default().with_idle_timeout(Some(60 * SECOND));
        let (end, script) = stream();
        let mut socket = open(role, limits, end);
        let began = Instant::now();
        let mut waiting = Box::pin(socket.recv());
        tokio::select! {
            biased;
            _ = waiting.as_mut() => panic!("the peer has not answered"),
            () = tokio::time::sleep(61 * SECOND) => {}
        }
        assert_eq!(script.frames(role)[0].code(), Some(1001));
        script.give_bytes(&frame_to(role, CLOSE, &close_body(1001, "")));
        script.give([Give::End]);
        assert_eq!(waiting.await.expect("a normal close"), None);
        assert_eq!(began.elapsed(), 61 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_is_stuck_ends_when_the_closing_does() {
    for role in Role::BOTH {
        let limits = Limits::default().with_close_timeout(3 * SECOND);
        let (end, script) = stream();
        script.set_room(Some(0));
        let mut socket = open(role, limits, end);
        socket
            .begin_close(CloseCode::NORMAL_CLOSURE, "")
            .expect("1000 may be sent");
        let began = Instant::now();
        let flushed = socket.flush().await;
        assert!(
            matches!(flushed, Err(Error::TimedOut(TimedOut::Close))),
            "{flushed:?}"
        );
        assert_eq!(began.elapsed(), 3 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recv_exchange_that_waits_for_room_ends_when_the_peer_is_given_up() {
    for role in Role::BOTH {
        let limits = Limits::default()
            .with_outbox_marks(1, 1)
            .with_keep_alive(Some(20 * SECOND), 10 * SECOND);
        let (end, script) = stream();
        script.set_room(Some(0));
        let mut socket = open(role, limits, end);
        socket.feed("stuck").await.expect("room");
        let ended = socket.recv_exchange().await.map(drop);
        assert!(
            matches!(ended, Err(Error::TimedOut(TimedOut::Pong))),
            "{ended:?}"
        );
        assert_eq!(socket.recv().await.expect("reported already"), None);
    }
}

/// A peer that sends the same bytes again and again, and is never at an end.
///
/// Like a socket of tokio it lets a task read only so often in one turn.
#[derive(Debug)]
struct Endless {
    first: Vec<u8>,
    again: Vec<u8>,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let turn = ready!(tokio::task::coop::poll_proceed(cx));
        turn.made_progress();
        let first = core::mem::take(&mut self.first);
        buffer.put_slice(if first.is_empty() {
            &self.again
        } else {
            &first
        });
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buffer.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls `future` in turns of a task, while a second passes from turn to turn.
async fn while_time_passes<F: Future + Send + 'static>(future: F) -> F::Output
where
    F::Output: Send,
{
    let task = tokio::spawn(future);
    for _ in 0..1000 {
        if task.is_finished() {
            return task.await.expect("no panic");
        }
        advance(SECOND).await;
    }
    task.abort();
    panic!("still going on after 1000 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_stops_sending_does_not_outlive_the_close_timeout() {
    for role in Role::BOTH {
        let close = frame_to(role, CLOSE, &close_body(1000, ""));
        let (first, again) = (close, frame_to(role, TEXT, b"and on and on"));
        let mut socket = open(role, Limits::default(), Endless { first, again });
        let ended = while_time_passes(async move { socket.recv().await }).await;
        assert_eq!(ended.expect("both have said Close"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_nothing_but_pings_is_idle() {
    for role in Role::BOTH {
        let limits = Limits::default().with_idle_timeout(Some(60 * SECOND));
        let again = frame_to(role, PING, b"");
        let first = again.clone();
        let mut socket = open(role, limits, Endless { first, again });
        let ended = while_time_passes(async move {
            let ended = socket.recv().await;
            (ended, socket.closure().cloned())
        });
        let (ended, closure) = ended.await;
        assert!(
            matches!(ended, Err(Error::TimedOut(TimedOut::Close))),
            "{ended:?}"
        );
        let sent = closure
            .and_then(|it| it.sent().cloned())
            .expect("we said Close");
        assert_eq!(sent.code(), Some(CloseCode::GOING_AWAY));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_rings_for_the_call_that_waits_now() {
    let limits = Limits::default().with_keep_alive(Some(20 * SECOND), 10 * SECOND);
    let (end, script) = stream();
    let mut socket = open(Role::Server, limits, end);
    // The first call arms the deadline and is dropped; the second is another task's.
    assert!(poll_once(core::pin::pin!(socket.recv())).await.is_pending());
    let waiting = tokio::spawn(async move { socket.recv().await });
    let ended = waiting.await.expect("no panic");
    assert!(
        matches!(ended, Err(Error::TimedOut(TimedOut::Pong))),
        "{ended:?}"
    );
    assert_eq!(
        script.frames(Role::Server).first().map(|it| it.opcode),
        Some(PING)
    );
    assert_eq!(script.frames(Role::Server), Vec::<Frame>::new());
}

//= E68 type=test
#[tokio::test(start_paused = true)]
async fn pings_of_connections_that_were_opened_apart_do_not_come_together() {
    let limits = Limits::default().with_keep_alive(Some(SECOND), SECOND);
    let began = Instant::now();
    let pinged = (0..10u32).map(|at| {
        let limits = limits.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SECOND / 10 * at).await;
            let (end, script) = stream();
            let mut socket = open(Role::Server, limits, end);
            // Nobody answers, so the end of this is one timeout behind the Ping.
            let _ = socket.recv().await;
            assert_eq!(script.frames(Role::Server).len(), 1);
            began.elapsed()
        })
    });
    let pinged: Vec<_> = pinged.collect();
    let mut last = Duration::ZERO;
    for task in pinged {
        let at = task.await.expect("no panic");
        assert!(at >= last + SECOND / 20, "{at:?} so soon after {last:?}");
        last = at;
    }
}
