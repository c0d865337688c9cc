//! What is queued, what is sent, and what a peer that does not read holds up.

use core::pin::pin;
use framewire::engine::{Kind, Limits, Message, Prepared, Role, SendError};
use framewire::net::Exchange;
use tokio::time::timeout;

use crate::peer::{BINARY, CONTINUATION, Frame, PING, TEXT, frame_to};
use crate::scripted::stream;
use crate::{open, poll_once};

const SECOND: core::time::Duration = core::time::Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn feed_queues_and_flush_sends_in_one_write() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        for text in ["one", "two", "three"] {
            socket.feed(text).await.expect("room");
        }
        socket.try_feed(vec![4]).expect("room");
        socket
            .try_feed_prepared(&Prepared::text("five"))
            .expect("room");
        assert_eq!((script.writes(), script.written()), (0, 0));
        assert!(socket.buffered_bytes() > 0);
        socket.flush().await.expect("no failure");
        assert_eq!((script.writes(), script.flushes()), (1, 1));
        assert_eq!(socket.buffered_bytes(), 0);
        let expected = [
            Frame::whole(TEXT, b"one"),
            Frame::whole(TEXT, b"two"),
            Frame::whole(TEXT, b"three"),
            Frame::whole(BINARY, &[4]),
            Frame::whole(TEXT, b"five"),
        ];
        assert_eq!(script.frames(role), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_fed_leaves_when_recv_waits() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        socket.feed("fed").await.expect("room");
        assert!(poll_once(pin!(socket.recv())).await.is_pending());
        assert_eq!(script.frames(role), [Frame::whole(TEXT, b"fed")]);
        assert_eq!(script.flushes(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_little_and_hesitates_gets_everything_in_order() {
    for role in Role::BOTH {
        for most in [1, 3, 1000] {
            let (end, script) = stream();
            script.limit_bytes(1, most);
            script.hesitate();
            let mut socket = open(role, Limits::default(), end);
            let shared = Message::binary(vec![3; 9000]);
            socket.feed("text").await.expect("room");
            socket.feed(shared).await.expect("room");
            socket
                .send_fragment(Kind::Text, b"be", false)
                .await
                .expect("sent");
            socket.ping(b"now").await.expect("sent");
            socket
                .send_fragment(Kind::Text, b"gun", true)
                .await
                .expect("sent");
            let mut expected = vec![
                Frame::whole(TEXT, b"text"),
                Frame::whole(BINARY, &[3; 9000]),
                Frame::whole(TEXT, b"be"),
                Frame::whole(PING, b"now"),
                Frame::whole(CONTINUATION, b"gun"),
            ];
            expected[2].fin = false;
            assert_eq!(script.frames(role), expected);
        }
    }
}

//= D26 type=test
//= E11 type=test
//= WS-116 type=test
#[tokio::test(start_paused = true)]
async fn feed_waits_at_the_high_mark_until_the_peer_reads_to_the_low_mark() {
    for role in Role::BOTH {
        let limits = Limits::default().with_outbox_marks(1000, 10_000);
        let (end, script) = stream();
        script.set_room(Some(0));
        let mut socket = open(role, limits, end);
        let mut fed = 0;
        while let core::task::Poll::Ready(done) = poll_once(pin!(socket.feed(vec![1; 500]))).await {
            done.expect("room");
            fed += 1;
        }
        assert_eq!(fed, 20, "as many as begin below the mark");
        assert!((10_000..10_600).contains(&socket.buffered_bytes()));
        assert_eq!(socket.try_feed("more"), Err(SendError::Full));
        // Down to just above the low mark it still waits; then it goes on.
        let above = socket.buffered_bytes() - 1001;
        script.set_room(Some(above));
        assert!(
            poll_once(pin!(socket.feed(vec![2; 500])))
                .await
                .is_pending()
        );
        assert_eq!(socket.buffered_bytes(), 1001);
        script.set_room(Some(1));
        assert!(poll_once(pin!(socket.feed(vec![2; 500]))).await.is_ready());
        script.set_room(None);
        socket.flush().await.expect("no failure");
        let sent = script.frames(role);
        assert_eq!(sent.len(), 21);
        assert_eq!(sent[20], Frame::whole(BINARY, &[2; 500]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_not_read_from() {
    for (role, serves) in [
        (Role::Server, false),
        (Role::Client, false),
        (Role::Server, true),
        (Role::Client, true),
    ] {
        let limits = Limits::default().with_outbox_marks(1000, 10_000);
        let (end, script) = stream();
        script.set_room(Some(0));
        let messages = 5000;
        for at in (0..=u8::MAX).cycle().take(messages) {
            script.give_bytes(&frame_to(role, BINARY, &[at; 100]));
        }
        let all = script.unread();
        let mut socket = open(role, limits, end);
        let mut echo = pin!(async {
            let mut echoed = 0;
            while serves && echoed < messages {
                let echo = |exchange: Exchange<'_>| {
                    exchange.echo().expect("there is room for an answer");
                    echoed += 1;
                };
                let _ = poll_once(pin!(socket.serve(echo))).await;
                tokio::task::yield_now().await;
            }
            for _ in echoed..messages {
                let exchange = socket.recv_exchange().await.expect("no failure");
                exchange
                    .expect("a message")
                    .echo()
                    .expect("there is room for an answer");
            }
            socket.flush().await.expect("no failure");
        });
        assert!(poll_once(echo.as_mut()).await.is_pending());
        let read = all - script.unread();
        assert!(
            read <= 11_000,
            "{read} bytes were read for a peer that takes none"
        );
        // Each time that the peer reads a little, the echo goes on a little.
        let mut turns = 0;
        loop {
            script.set_room(Some(7777));
            if poll_once(echo.as_mut()).await.is_ready() {
                break;
            }
            turns += 1;
            let read = (all - script.unread()) / frame_to(role, BINARY, &[0; 100]).len();
            let answered = script.written() / frame_to(role.peer(), BINARY, &[0; 100]).len();
            assert!(
                read - answered <= 110,
                "{} messages are held",
                read - answered
            );
        }
        assert!(turns > 60, "done in {turns} turns");
        assert_eq!(script.frames(role).len(), messages);
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_writer_does_not_keep_recv_from_reading() {
    for role in Role::BOTH {
        let (end, script) = stream();
        script.set_room(Some(0));
        let mut socket = open(role, Limits::default(), end);
        socket.feed("stuck").await.expect("room");
        assert!(timeout(SECOND, socket.flush()).await.is_err());
        script.give_bytes(&frame_to(role, TEXT, b"heard"));
        assert_eq!(
            socket.recv().await.expect("no failure"),
            Some("heard".into())
        );
        assert_eq!(script.written(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recv_that_waits_goes_on_sending_when_the_peer_reads() {
    for role in Role::BOTH {
        let (end, script) = stream();
        script.set_room(Some(1));
        let mut socket = open(role, Limits::default(), end);
        socket.feed("stuck").await.expect("room");
        let waiting = tokio::spawn(async move { socket.recv().await });
        tokio::task::yield_now().await;
        assert_eq!(script.written(), 1);
        script.set_room(None);
        tokio::task::yield_now().await;
        assert_eq!(script.frames(role), [Frame::whole(TEXT, b"stuck")]);
        script.give_bytes(&frame_to(role, TEXT, b"thanks"));
        let received = waiting.await.expect("no panic").expect("no failure");
        assert_eq!(received, Some("thanks".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_ping_waits_for_room_among_the_control_frames() {
    for role in Role::BOTH {
        let limits = Limits::default().with_control_bytes_max(256);
        let (end, script) = stream();
        script.set_room(Some(0));
        let mut socket = open(role, limits, end);
        for _ in 0..3 {
            let queued = poll_once(pin!(socket.ping(&[9; 120]))).await;
            assert!(queued.is_pending(), "queued, and waits to be flushed");
        }
        let before = socket.buffered_bytes();
        assert!(poll_once(pin!(socket.ping(&[8; 120]))).await.is_pending());
        assert_eq!(
            socket.buffered_bytes(),
            before,
            "the fourth has found no room"
        );
        script.set_room(None);
        socket.ping(&[7; 120]).await.expect("room again");
        let sent = script.frames(role);
        let payloads: Vec<_> = sent.iter().map(|frame| frame.payload[0]).collect();
        assert_eq!(payloads, [9, 9, 9, 7]);
    }
}
