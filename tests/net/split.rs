//! Two halves for two tasks: what either does for the other.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use framewire::engine::{Limits, Misuse, Prepared, Role};
use framewire::net::{Error, Reader, TimedOut, Writer};
use framewire::wire::close::CloseCode;
use std::io::ErrorKind;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, timeout};

use crate::peer::{CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, close_body, frame_to};
use crate::scripted::{Give, Script, Scripted, stream};
use crate::{open, poll_once};

const SECOND: Duration = Duration::from_secs(1);

fn halves(role: Role, limits: Limits) -> (Reader<Scripted>, Writer<Scripted>, Script) {
    let (end, script) = stream();
    let (reader, writer) = open(role, limits, end).split();
    (reader, writer, script)
}

/// Lets every other task run until it waits.
async fn settle() {
    for _ in 0..10 {
        yield_now().await;
    }
}

/// The result of a task that has no reason to wait any more.
async fn done<T>(task: JoinHandle<T>) -> T {
    let result = timeout(SECOND / 2, task).await;
    result.expect("nobody woke the task").expect("no panic")
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_waits_goes_on_although_the_reader_polled_last() {
    for role in Role::BOTH {
        let limits = Limits::default().with_outbox_marks(1, 100);
        let (mut reader, mut writer, script) = halves(role, limits);
        script.set_room(Some(0));
        let writing = tokio::spawn(async move {
            for _ in 0..10 {
                writer.send(vec![0; 200]).await.expect("no failure");
            }
        });
        settle().await;
        let reading = tokio::spawn(async move { reader.recv().await });
        settle().await;
        for _ in 0..3000 {
            script.set_room(Some(1));
            settle().await;
        }
        done(writing).await;
        assert_eq!(script.frames(role).len(), 10);
        script.give_bytes(&frame_to(role, TEXT, b"heard"));
        assert_eq!(
            done(reading).await.expect("no failure"),
            Some("heard".into())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_waits_goes_on_although_the_writer_polled_last() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        let reading = tokio::spawn(async move { reader.recv().await });
        settle().await;
        script.set_room(Some(0));
        let writing = tokio::spawn(async move { writer.send("stuck").await });
        settle().await;
        script.give_bytes(&frame_to(role, TEXT, b"heard"));
        assert_eq!(
            done(reading).await.expect("no failure"),
            Some("heard".into())
        );
        script.set_room(None);
        done(writing).await.expect("no failure");
    }
}

/// Notes that it was woken.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Bell {
    fn poll<F: Future + ?Sized>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        self.0.store(false, Ordering::Relaxed);
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }

    fn has_rung(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_ends_the_wait_of_the_writer() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        script.set_room(Some(0));
        let (read_bell, write_bell) = (Arc::<Bell>::default(), Arc::<Bell>::default());
        let mut reading = Box::pin(reader.recv());
        let mut writing = Box::pin(writer.send("lost"));
        assert!(read_bell.poll(reading.as_mut()).is_pending());
        assert!(write_bell.poll(writing.as_mut()).is_pending());
        script.give([Give::Error(ErrorKind::ConnectionReset)]);
        assert!(read_bell.has_rung() && write_bell.has_rung());
        // The writer is the first to run, finds nothing new, and must be woken once more.
        assert!(write_bell.poll(writing.as_mut()).is_pending());
        let failed = read_bell.poll(reading.as_mut());
        assert!(
            matches!(failed, Poll::Ready(Err(Error::Io(_)))),
            "{failed:?}"
        );
        assert!(write_bell.has_rung(), "nobody tells the writer");
        let written = write_bell.poll(writing.as_mut());
        assert!(
            matches!(written, Poll::Ready(Err(Error::Misuse(Misuse::Closing)))),
            "{written:?}"
        );
        drop(reading);
        assert!(matches!(reader.recv().await, Ok(None)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_ends_the_wait_of_the_reader() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        let reading = tokio::spawn(async move { reader.recv().await });
        settle().await;
        script.fail_write(ErrorKind::BrokenPipe);
        let written = writer.send("lost").await;
        assert!(matches!(written, Err(Error::Io(_))), "{written:?}");
        assert!(matches!(done(reading).await, Ok(None)));
        let refused = writer.send("more").await;
        assert!(
            matches!(refused, Err(Error::Misuse(Misuse::Closing))),
            "{refused:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_writer_ends_with_the_closing_that_the_peer_began() {
    for role in Role::BOTH {
        let limits = Limits::default().with_close_timeout(3 * SECOND);
        let (mut reader, mut writer, script) = halves(role, limits);
        script.set_room(Some(0));
        let reading = tokio::spawn(async move { reader.recv().await });
        let writing = tokio::spawn(async move { writer.send("lost").await });
        settle().await;
        let began = Instant::now();
        script.give_bytes(&frame_to(role, CLOSE, &close_body(1000, "")));
        let (read, written) = (reading.await.expect("no panic"), done(writing).await);
        assert!(written.is_err(), "the message has never left");
        // Our Close has not left either. Whichever half noticed first was told why.
        let told = |error: &Error| matches!(error, Error::TimedOut(TimedOut::Close));
        assert!(
            read.as_ref()
                .err()
                .or_else(|| written.as_ref().err())
                .is_some_and(told)
        );
        assert!(matches!(read, Ok(None)) || read.is_err_and(|error| told(&error)));
        assert_eq!(began.elapsed(), 3 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_violation_is_told_to_the_peer_although_a_writer_waits() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        script.set_room(Some(0));
        let writing = tokio::spawn(async move { writer.send("before").await });
        let reading = tokio::spawn(async move { reader.recv().await });
        settle().await;
        script.give_bytes(&frame_to(role, CONTINUATION, b"x"));
        settle().await;
        script.set_room(None);
        done(writing).await.expect("it left before the Close");
        let sent = script.frames(role);
        assert_eq!(sent[0], Frame::whole(TEXT, b"before"));
        assert_eq!(sent[1].code(), Some(1002));
        assert!(script.is_shut_down());
        script.give([Give::End]);
        let failed = done(reading).await;
        assert!(matches!(failed, Err(Error::Violation(_))), "{failed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn close_of_the_writer_is_carried_out_by_a_reader_that_waits() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        let reading = tokio::spawn(async move { (reader.recv().await, reader.closure()) });
        settle().await;
        writer
            .close(CloseCode::GOING_AWAY, "bye")
            .await
            .expect("sent");
        assert_eq!(script.frames(role), [Frame::close(1001, "bye")]);
        script.give_bytes(&frame_to(role, CLOSE, &close_body(1001, "")));
        settle().await;
        assert_eq!(script.is_shut_down(), role == Role::Server);
        script.give([Give::End]);
        let (ended, closure) = done(reading).await;
        assert!(matches!(ended, Ok(None)), "{ended:?}");
        assert!(closure.expect("it is closed").is_clean());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_waits_keeps_the_deadline_of_the_writers_close() {
    for role in Role::BOTH {
        let limits = Limits::default().with_close_timeout(3 * SECOND);
        let (mut reader, mut writer, _script) = halves(role, limits);
        let reading = tokio::spawn(async move { reader.recv().await });
        settle().await;
        let began = Instant::now();
        writer
            .close(CloseCode::NORMAL_CLOSURE, "")
            .await
            .expect("sent");
        let ended = reading.await.expect("no panic");
        assert!(
            matches!(ended, Err(Error::TimedOut(TimedOut::Close))),
            "{ended:?}"
        );
        assert_eq!(began.elapsed(), 3 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn pings_are_read_by_the_reader_and_its_pongs_leave_with_either_half() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        script.give_bytes(&frame_to(role, PING, b"1"));
        writer.flush().await.expect("no failure");
        assert_eq!(script.frames(role), [], "whoever only writes does not read");
        script.set_room(Some(0));
        assert!(poll_once(pin!(reader.recv())).await.is_pending());
        script.set_room(None);
        writer.flush().await.expect("no failure");
        assert_eq!(script.frames(role), [Frame::whole(PONG, b"1")]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_writer_feeds_leaves_when_either_half_has_something_to_do() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        let reading = tokio::spawn(async move { (reader.recv().await, reader.recv().await) });
        settle().await;
        writer.feed("one").await.expect("room");
        writer
            .try_feed_prepared(&Prepared::text("two"))
            .expect("room");
        settle().await;
        assert_eq!(script.written(), 0, "messages are gathered");
        assert!(writer.buffered_bytes() > 0);
        script.give_bytes(&frame_to(role, TEXT, b"go on"));
        settle().await;
        let sent = [b"one", b"two"].map(|it| Frame::whole(TEXT, it));
        assert_eq!(script.frames(role), sent);
        assert_eq!((script.writes(), writer.buffered_bytes()), (1, 0));
        reading.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn either_half_works_without_the_other() {
    for role in Role::BOTH {
        let (mut reader, writer, script) = halves(role, Limits::default());
        drop(writer);
        let heard = [frame_to(role, PING, b"1"), frame_to(role, TEXT, b"heard")].concat();
        script.give_bytes(&heard);
        assert_eq!(
            reader.recv().await.expect("no failure"),
            Some("heard".into())
        );
        assert!(poll_once(pin!(reader.recv())).await.is_pending());
        assert_eq!(script.frames(role), [Frame::whole(PONG, b"1")]);

        let (reader, mut writer, script) = halves(role, Limits::default());
        drop(reader);
        writer.send("sent").await.expect("no failure");
        writer
            .close(CloseCode::NORMAL_CLOSURE, "")
            .await
            .expect("sent");
        let sent = [Frame::whole(TEXT, b"sent"), Frame::close(1000, "")];
        assert_eq!(script.frames(role), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_goes_on_in_another_task() {
    for role in Role::BOTH {
        let (mut reader, mut writer, script) = halves(role, Limits::default());
        // A call that was dropped leaves its waker behind; the next one takes its place.
        for _ in 0..3 {
            let reading = tokio::spawn(async move {
                let _ = timeout(SECOND, reader.recv()).await;
                reader
            });
            reader = reading.await.expect("no panic");
        }
        let reading = tokio::spawn(async move { reader.recv().await });
        settle().await;
        writer.send("sent").await.expect("no failure");
        script.give_bytes(&frame_to(role, TEXT, b"heard"));
        assert_eq!(
            done(reading).await.expect("no failure"),
            Some("heard".into())
        );
    }
}
