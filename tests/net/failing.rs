//! What the peer breaks, and what the transport does.

use core::pin::pin;
use core::time::Duration;
use framewire::engine::{Cause, Limits, Role, Violation};
use framewire::net::{Error, WebSocket};
use framewire::wire::close::CloseCode;
use std::io::ErrorKind;
use tokio::time::Instant;

use crate::peer::{BINARY, CONTINUATION, Frame, PING, TEXT, frame_to, raw_frame_to};
use crate::scripted::{Give, Scripted, stream};
use crate::{open, poll_once};

async fn expect_ended(socket: &mut WebSocket<Scripted>) {
    for _ in 0..3 {
        let received = socket.recv().await;
        assert!(matches!(received, Ok(None)), "reported twice: {received:?}");
    }
}

//= WS-136 type=test
//= WS-137 type=test
//= WS-140 type=test
#[tokio::test(start_paused = true)]
async fn a_violation_is_told_with_its_code_before_the_end_and_reported_once() {
    for role in Role::BOTH {
        let wrong = [
            (
                raw_frame_to(role, 0xA0 | TEXT, b"x"),
                Violation::ReservedBits,
                1002,
            ),
            (
                frame_to(role.peer(), TEXT, b"x"),
                masked_wrongly(role),
                1002,
            ),
            (
                frame_to(role, CONTINUATION, b"x"),
                Violation::UnexpectedContinuation,
                1002,
            ),
            (frame_to(role, TEXT, b"\xFF"), Violation::NotUtf8, 1007),
            (
                frame_to(role, BINARY, &[0; 1001]),
                Violation::MessageTooBig,
                1009,
            ),
        ];
        for (bytes, violation, code) in wrong {
            let (end, script) = stream();
            let limits = Limits::default().with_message_bytes_max(1000);
            let mut socket = open(role, limits, end);
            script.give_bytes(&frame_to(role, TEXT, b"before"));
            script.give_bytes(&[bytes, frame_to(role, TEXT, b"behind")].concat());
            script.give_bytes(&frame_to(role, PING, b"behind"));
            assert_eq!(
                socket.recv().await.expect("no failure yet"),
                Some("before".into())
            );
            let mut failing = Box::pin(socket.recv());
            assert!(
                poll_once(failing.as_mut()).await.is_pending(),
                "the peer may still read"
            );
            let sent = script.frames(role);
            assert_eq!(sent.first().and_then(Frame::code), Some(code));
            assert_eq!(sent.len(), 1);
            assert!(script.is_shut_down(), "the end follows the Close");
            script.give([Give::End]);
            let failed = failing.await;
            assert!(
                matches!(failed, Err(Error::Violation(it)) if it == violation),
                "{failed:?}"
            );
            expect_ended(&mut socket).await;
        }
    }
}

fn masked_wrongly(role: Role) -> Violation {
    if role.requires_mask() {
        Violation::Unmasked
    } else {
        Violation::Masked
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stays_after_its_violation_is_left_at_the_close_timeout() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let timeout = Duration::from_secs(2);
        let mut socket = open(role, Limits::default().with_close_timeout(timeout), end);
        script.give_bytes(&frame_to(role, CONTINUATION, b"x"));
        let began = Instant::now();
        let failed = socket.recv().await;
        assert!(matches!(failed, Err(Error::Violation(_))), "{failed:?}");
        assert_eq!(began.elapsed(), timeout);
        expect_ended(&mut socket).await;
    }
}

//= D24 type=test
//= WS-143 type=test
#[tokio::test(start_paused = true)]
async fn an_end_without_close_is_reported_once() {
    for role in Role::BOTH {
        let half = frame_to(role, TEXT, b"a message that is not whole");
        for cut in [0, 1, half.len() - 1] {
            let (end, script) = stream();
            let mut socket = open(role, Limits::default(), end);
            script.give_bytes(&frame_to(role, TEXT, b"whole"));
            script.give(
                [Give::Bytes(half[..cut].to_vec()), Give::End]
                    .into_iter()
                    .skip(
                        // No bytes would be the end already.
                        usize::from(cut == 0),
                    ),
            );
            assert_eq!(
                socket.recv().await.expect("no failure yet"),
                Some("whole".into())
            );
            let failed = socket.recv().await;
            assert!(matches!(failed, Err(Error::EndOfStream)), "{failed:?}");
            expect_ended(&mut socket).await;
            let closure = socket.closure().expect("it is closed");
            assert_eq!(closure.cause(), Some(Cause::EndOfStream));
            assert_eq!(closure.code(), CloseCode::ABNORMAL_CLOSURE);
            assert!(script.is_shut_down());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_while_we_close_is_reported() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        script.give([Give::End]);
        let ended = socket.close(CloseCode::NORMAL_CLOSURE, "").await;
        assert!(matches!(ended, Err(Error::EndOfStream)), "{ended:?}");
        expect_ended(&mut socket).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_still_leaves_when_only_the_peers_side_has_ended() {
    for role in Role::BOTH {
        let (end, script) = stream();
        script.set_room(Some(3));
        let mut socket = open(role, Limits::default(), end);
        socket.feed("an answer").await.expect("room");
        script.give([Give::End]);
        let mut receiving = Box::pin(socket.recv());
        assert!(poll_once(receiving.as_mut()).await.is_pending());
        script.set_room(None);
        let failed = receiving.await;
        assert!(matches!(failed, Err(Error::EndOfStream)), "{failed:?}");
        assert_eq!(script.frames(role), [Frame::whole(TEXT, b"an answer")]);
        expect_ended(&mut socket).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_while_reading_is_reported_once() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        script.give_bytes(&frame_to(role, TEXT, b"before"));
        script.give([Give::Error(ErrorKind::ConnectionReset)]);
        assert_eq!(
            socket.recv().await.expect("no failure yet"),
            Some("before".into())
        );
        let failed = socket.recv().await;
        assert!(
            matches!(&failed, Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionReset),
            "{failed:?}"
        );
        expect_ended(&mut socket).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_while_writing_is_reported_once_by_whichever_call_meets_it() {
    for role in Role::BOTH {
        for by_flush in [true, false] {
            let (end, script) = stream();
            script.fail_write(ErrorKind::BrokenPipe);
            let mut socket = open(role, Limits::default(), end);
            socket.feed("lost").await.expect("room");
            let failed = if by_flush {
                socket.flush().await
            } else {
                socket.recv().await.map(drop)
            };
            assert!(
                matches!(&failed, Err(Error::Io(error)) if error.kind() == ErrorKind::BrokenPipe),
                "{failed:?}"
            );
            expect_ended(&mut socket).await;
            assert!(socket.send("more").await.is_err());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn flush_does_not_say_that_lost_bytes_were_sent() {
    for role in Role::BOTH {
        let (end, script) = stream();
        script.set_room(Some(0));
        let mut socket = open(role, Limits::default(), end);
        socket.feed("lost").await.expect("room");
        script.give([Give::Error(ErrorKind::ConnectionReset)]);
        assert!(socket.recv().await.is_err(), "the failure is reported here");
        let flushed = socket.flush().await;
        assert!(flushed.is_err(), "what was fed has never left: {flushed:?}");
        assert_eq!(script.written(), 0);
        assert!(poll_once(pin!(socket.flush())).await.is_ready());
    }
}
