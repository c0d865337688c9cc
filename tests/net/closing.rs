//! The closing handshake, from both sides and in both roles, and its end in time.

use core::pin::pin;
use core::time::Duration;
use framewire::engine::{Cause, Limits, Misuse, Role, Side};
use framewire::net::{Error, TimedOut};
use framewire::wire::close::CloseCode;
use tokio::time::Instant;

use crate::peer::{CLOSE, Frame, TEXT, close_body, frame_to};
use crate::scripted::{Give, stream};
use crate::{open, poll_once};

const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

fn limits() -> Limits {
    Limits::default().with_close_timeout(CLOSE_TIMEOUT)
}

//= WS-104 type=test
//= WS-105 type=test
//= WS-106 type=test
//= WS-107 type=test
//= WS-108 type=test
//= WS-128 type=test
#[tokio::test(start_paused = true)]
async fn the_peers_close_is_answered_and_the_server_ends_the_stream_first() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        let bye = close_body(1001, "bye");
        script.give_bytes(&[frame_to(role, TEXT, b"last"), frame_to(role, CLOSE, &bye)].concat());
        assert_eq!(
            socket.recv().await.expect("no failure"),
            Some("last".into())
        );
        let mut rest = Box::pin(socket.recv());
        assert!(poll_once(rest.as_mut()).await.is_pending());
        assert_eq!(script.frames(role), [Frame::close(1001, "")]);
        assert_eq!(script.is_shut_down(), role == Role::Server);
        script.give([Give::End]);
        assert_eq!(rest.await.expect("a normal close"), None);
        assert!(script.is_shut_down());
        let closure = socket.closure().expect("it is closed");
        assert!(closure.is_clean());
        assert_eq!(closure.began(), Some(Side::Remote));
        assert_eq!(
            (closure.code(), closure.reason()),
            (CloseCode::GOING_AWAY, "bye")
        );
        assert_eq!(socket.recv().await.expect("still closed"), None);
    }
}

//= E26 type=test
//= WS-102 type=test
//= WS-127 type=test
//= WS-129 type=test
//= WS-130 type=test
//= WS-131 type=test
#[tokio::test(start_paused = true)]
async fn our_close_leaves_behind_what_was_queued_and_awaits_the_peers() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        socket.feed("before").await.expect("room");
        let mut closing = Box::pin(socket.close(CloseCode::NORMAL_CLOSURE, "done"));
        assert!(poll_once(closing.as_mut()).await.is_pending());
        let sent = [Frame::whole(TEXT, b"before"), Frame::close(1000, "done")];
        assert_eq!(script.frames(role), sent);
        assert!(!script.is_shut_down());
        // What still arrives before the peer's Close is dropped by `close`, and all behind it is.
        script.give_bytes(&frame_to(role, TEXT, b"on its way"));
        script.give_bytes(&frame_to(role, CLOSE, &close_body(1000, "")));
        script.give_bytes(b"\xFF\xFF no frame, and nobody looks");
        assert!(poll_once(closing.as_mut()).await.is_pending());
        assert_eq!(script.is_shut_down(), role == Role::Server);
        script.give([Give::End]);
        let closure = closing.await.expect("a normal close");
        assert!(script.is_shut_down());
        assert!(closure.is_clean());
        assert_eq!(closure.began(), Some(Side::Local));
        assert_eq!(script.frames(role), [], "nothing is said twice");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_on_their_way_are_heard_after_begin_close() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        socket
            .begin_close(CloseCode::NORMAL_CLOSURE, "")
            .expect("1000 may be sent");
        script.give_bytes(&frame_to(role, TEXT, b"on its way"));
        script.give_bytes(&frame_to(role, CLOSE, b""));
        script.give([Give::End]);
        assert_eq!(
            socket.recv().await.expect("no failure"),
            Some("on its way".into())
        );
        assert_eq!(socket.recv().await.expect("a normal close"), None);
        assert_eq!(script.frames(role), [Frame::close(1000, "")]);
        let code = socket.closure().expect("it is closed").code();
        assert_eq!(code, CloseCode::NO_STATUS_RECEIVED);
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_without_a_code_is_empty() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        socket.begin_close_without_code();
        assert!(poll_once(pin!(socket.recv())).await.is_pending());
        assert_eq!(script.frames(role), [Frame::whole(CLOSE, b"")]);
    }
}

//= WS-103 type=test
#[tokio::test(start_paused = true)]
async fn no_data_may_follow_our_close() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        socket
            .begin_close(CloseCode::NORMAL_CLOSURE, "")
            .expect("1000 may be sent");
        let refused = socket.send("too late").await;
        assert!(
            matches!(refused, Err(Error::Misuse(Misuse::Closing))),
            "{refused:?}"
        );
        let refused = socket.ping(b"too late").await;
        assert!(
            matches!(refused, Err(Error::Misuse(Misuse::Closing))),
            "{refused:?}"
        );
        socket.flush().await.expect("no failure");
        assert_eq!(script.frames(role), [Frame::close(1000, "")]);
    }
}

//= E12 type=test
#[tokio::test(start_paused = true)]
async fn a_code_that_may_not_be_sent_leaves_the_connection_open() {
    let (end, script) = stream();
    let mut socket = open(Role::Server, limits(), end);
    for code in [CloseCode::NO_STATUS_RECEIVED, CloseCode::ABNORMAL_CLOSURE] {
        let refused = socket.close(code, "").await;
        assert!(
            matches!(refused, Err(Error::Misuse(Misuse::CloseReason(_)))),
            "{refused:?}"
        );
    }
    let refused = socket.close(CloseCode::MANDATORY_EXTENSION, "").await;
    assert!(
        matches!(refused, Err(Error::Misuse(Misuse::ClientCode))),
        "{refused:?}"
    );
    assert!(socket.closure().is_none());
    socket.send("still open").await.expect("no failure");
    assert_eq!(
        script.frames(Role::Server),
        [Frame::whole(TEXT, b"still open")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered_ends_at_the_close_timeout() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        let began = Instant::now();
        let ended = socket.close(CloseCode::NORMAL_CLOSURE, "").await;
        assert!(
            matches!(ended, Err(Error::TimedOut(TimedOut::Close))),
            "{ended:?}"
        );
        assert_eq!(began.elapsed(), CLOSE_TIMEOUT);
        assert!(script.is_shut_down());
        assert_eq!(socket.recv().await.expect("reported already"), None);
        let closure = socket.closure().expect("it is closed");
        assert_eq!(closure.cause(), Some(Cause::CloseTimeout));
        assert_eq!(closure.code(), CloseCode::ABNORMAL_CLOSURE);
    }
}

//= WS-130 type=test
#[tokio::test(start_paused = true)]
async fn a_peer_that_never_ends_the_stream_is_waited_for_until_the_close_timeout() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        script.give_bytes(&frame_to(role, CLOSE, &close_body(1000, "")));
        let began = Instant::now();
        assert_eq!(socket.recv().await.expect("both have said Close"), None);
        assert_eq!(began.elapsed(), CLOSE_TIMEOUT);
        assert!(script.is_shut_down());
        assert!(socket.closure().expect("it is closed").is_clean());
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_close_frame_ends_at_the_close_timeout() {
    for role in Role::BOTH {
        let (end, script) = stream();
        script.set_room(Some(0));
        let mut socket = open(role, limits(), end);
        socket.feed(vec![0; 1000]).await.expect("room");
        let began = Instant::now();
        let ended = socket.close(CloseCode::NORMAL_CLOSURE, "").await;
        assert!(
            matches!(ended, Err(Error::TimedOut(TimedOut::Close))),
            "{ended:?}"
        );
        assert_eq!(began.elapsed(), CLOSE_TIMEOUT);
        assert_eq!((script.written(), socket.buffered_bytes()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn both_ends_may_say_close_at_once() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        socket
            .begin_close(CloseCode::NORMAL_CLOSURE, "")
            .expect("1000 may be sent");
        script.give_bytes(&frame_to(role, CLOSE, &close_body(1001, "")));
        script.give([Give::End]);
        assert_eq!(socket.recv().await.expect("a normal close"), None);
        assert_eq!(script.frames(role), [Frame::close(1000, "")]);
        assert!(socket.closure().expect("it is closed").is_clean());
    }
}

//= D13 type=test
//= D23 type=test
#[tokio::test(start_paused = true)]
async fn two_ends_of_the_library_close_with_each_other() {
    for closing in Role::BOTH {
        let (one, other) = tokio::io::duplex(16);
        let mut closer = open(closing, limits(), one);
        let mut listener = open(closing.peer(), limits(), other);
        let listening = tokio::spawn(async move {
            assert_eq!(
                listener.recv().await.expect("no failure"),
                Some("last".into())
            );
            assert_eq!(listener.recv().await.expect("a normal close"), None);
            listener.closure().cloned().expect("it is closed")
        });
        let began = Instant::now();
        closer.feed("last").await.expect("room");
        let here = closer
            .close(CloseCode::new(4321), "why")
            .await
            .expect("a normal close");
        let there = listening.await.expect("no panic");
        assert!(here.is_clean() && there.is_clean());
        assert_eq!(
            (there.code(), there.reason()),
            (CloseCode::new(4321), "why")
        );
        assert_eq!(here.code(), CloseCode::new(4321));
        assert_eq!(
            began.elapsed(),
            Duration::ZERO,
            "nobody waited for a timeout"
        );
    }
}

//= E13 type=test
#[tokio::test(start_paused = true)]
async fn terminate_gives_the_stream_back_and_says_nothing() {
    let (end, script) = stream();
    let mut socket = open(Role::Server, limits(), end);
    socket.feed("lost").await.expect("room");
    drop(socket.terminate());
    assert_eq!(script.written(), 0);
    assert!(!script.is_shut_down());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_after_both_closes_is_no_error() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, limits(), end);
        script.give_bytes(&frame_to(role, CLOSE, &close_body(1000, "")));
        script.give([Give::Error(std::io::ErrorKind::ConnectionReset)]);
        assert_eq!(socket.recv().await.expect("both have said Close"), None);
        assert!(socket.closure().expect("it is closed").is_clean());
    }
}
