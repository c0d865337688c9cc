//! What the peer says, in each of the ways to hear it.

use framewire::engine::{Connection, Incoming, Limits, Message, Role, Timestamp};
use framewire::net::{Exchange, WebSocket};
use tokio::io::{AsyncWriteExt, duplex};

use crate::peer::{self, BINARY, CONTINUATION, Frame, PING, PONG, TEXT, frame_to, raw_frame_to};
use crate::scripted::{Give, Scripted, stream};
use crate::{open, poll_once};

/// A text, a fragmented one with a Ping inside, a large binary message and an empty one.
fn bytes_to(role: Role) -> Vec<u8> {
    let large = vec![0xA5; 70_000];
    [
        frame_to(role, TEXT, b"first"),
        raw_frame_to(role, TEXT, "sec\u{f6}".as_bytes()),
        frame_to(role, PING, b"there?"),
        raw_frame_to(role, 0x80 | CONTINUATION, b"nd"),
        frame_to(role, BINARY, &large),
        frame_to(role, TEXT, b""),
    ]
    .concat()
}

fn messages() -> Vec<Message> {
    vec![
        Message::text("first"),
        Message::text("sec\u{f6}nd"),
        Message::binary(vec![0xA5; 70_000]),
        Message::text(""),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Owned,
    Lent,
    Exchange,
    Events,
}

async fn receive(socket: &mut WebSocket<Scripted>, way: Way) -> Message {
    loop {
        let received = match way {
            Way::Owned => socket.recv().await.expect("a message"),
            Way::Lent => socket
                .recv_lent()
                .await
                .expect("a message")
                .map(|it| it.to_owned()),
            Way::Exchange => {
                let exchange = socket.recv_exchange().await.expect("a message");
                exchange.map(|it| it.message.to_owned())
            }
            Way::Events => match socket.recv_event().await.expect("an event") {
                Some(Incoming::Message(message)) => Some(message.to_owned()),
                Some(Incoming::Ping(b"there?")) => continue,
                other => panic!("not sent by the peer: {other:?}"),
            },
        };
        return received.expect("the connection is open");
    }
}

//= D10 type=test
//= E05 type=test
#[tokio::test(start_paused = true)]
async fn every_way_to_receive_gives_the_same_messages_however_the_stream_is_cut() {
    for role in Role::BOTH {
        for way in [Way::Owned, Way::Lent, Way::Exchange, Way::Events] {
            for cut in [1, 7, 4096, usize::MAX] {
                let (end, script) = stream();
                script.limit_bytes(cut, usize::MAX);
                script.give_bytes(&bytes_to(role));
                let mut socket = open(role, Limits::default(), end);
                for expected in messages() {
                    let received = receive(&mut socket, way).await;
                    assert_eq!(received, expected, "{role:?}, {way:?}, cut at {cut}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reads_that_find_nothing_in_between_lose_nothing() {
    for role in Role::BOTH {
        let (end, script) = stream();
        for byte in bytes_to(role).chunks(997) {
            script.give([Give::Pending, Give::Bytes(byte.to_vec()), Give::Pending]);
        }
        let mut socket = open(role, Limits::default(), end);
        for expected in messages() {
            assert_eq!(receive(&mut socket, Way::Owned).await, expected);
        }
    }
}

/// Echoes until the stream has nothing more to give.
async fn echo_all(socket: &mut WebSocket<Scripted>) {
    loop {
        let mut received = Box::pin(socket.recv_exchange());
        match poll_once(received.as_mut())
            .await
            .map(|it| it.expect("no failure"))
        {
            core::task::Poll::Ready(Some(exchange)) => Exchange::echo(exchange).expect("room"),
            core::task::Poll::Ready(None) => panic!("nobody closed"),
            core::task::Poll::Pending => return,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_messages_that_arrive_together_take_one_read_and_one_write() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let texts: Vec<String> = (0..100).map(|at| format!("message {at}")).collect();
        let frames: Vec<_> = texts
            .iter()
            .map(|it| frame_to(role, TEXT, it.as_bytes()))
            .collect();
        script.give_bytes(&frames.concat());
        let mut socket = open(role, Limits::default(), end);
        echo_all(&mut socket).await;
        assert_eq!(
            script.reads(),
            2,
            "one that finds all, one that finds nothing"
        );
        assert_eq!((script.writes(), script.flushes()), (1, 1));
        let echoed = script.frames(role);
        let expected: Vec<_> = texts
            .iter()
            .map(|it| Frame::whole(TEXT, it.as_bytes()))
            .collect();
        assert_eq!(echoed, expected);
    }
}

//= PX-09 type=test
#[tokio::test(start_paused = true)]
async fn what_arrived_behind_the_handshake_comes_first() {
    for role in Role::BOTH {
        let bytes = bytes_to(role);
        // The cut goes through the first, the second, and the large message.
        for at in [3, 20, 60, 5000, bytes.len()] {
            let (end, script) = stream();
            script.give_bytes(&bytes[at..]);
            let connection = Connection::new(role, Default::default(), Timestamp::ZERO, [7; 32]);
            let mut socket = WebSocket::new(end, connection, bytes[..at].to_vec());
            for expected in messages() {
                assert_eq!(receive(&mut socket, Way::Owned).await, expected);
            }
        }
    }
}

//= D32 type=test
//= E54 type=test
//= WS-110 type=test
//= WS-112 type=test
#[tokio::test(start_paused = true)]
async fn pings_are_answered_while_the_application_waits() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        let mut waiting = Box::pin(socket.recv());
        assert!(poll_once(waiting.as_mut()).await.is_pending());
        script.give_bytes(&frame_to(role, PING, b"alive?"));
        assert!(poll_once(waiting.as_mut()).await.is_pending());
        assert_eq!(script.frames(role), [Frame::whole(PONG, b"alive?")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pong_leaves_although_there_is_always_more_to_read() {
    for role in Role::BOTH {
        let (end, script) = stream();
        script.give_bytes(&frame_to(role, PING, b"1"));
        for _ in 0..5 {
            script.give_bytes(&frame_to(role, TEXT, b"more"));
        }
        let mut socket = open(role, Limits::default(), end);
        assert_eq!(
            socket.recv().await.expect("no failure"),
            Some("more".into())
        );
        assert!(script.unread() > 0);
        assert_eq!(script.frames(role), [Frame::whole(PONG, b"1")]);
    }
}

#[tokio::test(start_paused = true)]
async fn pongs_for_a_peer_that_reads_nothing_are_bounded() {
    for role in Role::BOTH {
        let limits = Limits::default().with_control_bytes_max(1000);
        let (end, script) = stream();
        script.set_room(Some(0));
        let pings: Vec<_> = (0..10_000_u32)
            .flat_map(|at| frame_to(role, PING, &at.to_be_bytes()))
            .collect();
        script.give_bytes(&pings);
        let mut socket = open(role, limits, end);
        assert!(poll_once(core::pin::pin!(socket.recv())).await.is_pending());
        assert_eq!(
            script.unread(),
            0,
            "pings are read although nothing can be written"
        );
        assert!(
            socket.buffered_bytes() <= 1000 + 14,
            "{}",
            socket.buffered_bytes()
        );
        script.set_room(None);
        assert!(poll_once(core::pin::pin!(socket.recv())).await.is_pending());
        let pongs = script.frames(role);
        let newest = Frame::whole(PONG, &9999_u32.to_be_bytes());
        assert_eq!(
            pongs.last(),
            Some(&newest),
            "the most recent Ping is answered"
        );
    }
}

//= D02 type=test
//= D22 type=test
#[tokio::test(start_paused = true)]
async fn messages_pass_over_a_pipe_of_tokio() {
    for role in Role::BOTH {
        let (end, mut peer_end) = duplex(64);
        let mut socket = open(role, Limits::default(), end);
        let sender = tokio::spawn(async move {
            peer_end
                .write_all(&bytes_to(role))
                .await
                .expect("the pipe is open");
            peer_end
        });
        for expected in messages() {
            assert_eq!(socket.recv().await.expect("no failure"), Some(expected));
        }
        drop(sender.await.expect("no panic"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_by_reply_stands_before_what_comes_after_the_question() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let wrong = raw_frame_to(role, 0xC0 | TEXT, b"reserved bit");
        script.give_bytes(&[frame_to(role, TEXT, b"question"), wrong].concat());
        let mut socket = open(role, Limits::default(), end);
        let exchange = socket
            .recv_exchange()
            .await
            .expect("no failure")
            .expect("a message");
        let Exchange {
            message, mut reply, ..
        } = exchange;
        assert_eq!(message.text(), Some("question"));
        reply.text("answer").expect("room");
        reply.binary(b"and more").expect("room");
        assert!(
            poll_once(core::pin::pin!(socket.recv_exchange()))
                .await
                .is_pending()
        );
        let sent = script.frames(role);
        let expected = [
            Frame::whole(TEXT, b"answer"),
            Frame::whole(BINARY, b"and more"),
        ];
        assert_eq!(sent[..2], expected);
        assert_eq!(sent[2].code(), Some(1002));
        assert_eq!(sent.len(), 3);
    }
}

#[test]
fn the_peer_by_hand_reads_what_it_writes() {
    for (role, len) in [(Role::Client, 0), (Role::Server, 125), (Role::Client, 126)]
        .into_iter()
        .chain([(Role::Server, 65_535), (Role::Client, 65_536)])
    {
        let payload = vec![0x5A; len];
        let bytes = frame_to(role, BINARY, &payload);
        let expected = [Frame::whole(BINARY, &payload)];
        assert_eq!(peer::frames_from(role.peer(), &bytes), expected);
    }
}
