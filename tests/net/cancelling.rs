//! Every call is dropped after every number of polls, and nothing is lost, doubled or cut.

use core::pin::pin;
use framewire::engine::{Compress, Incoming, Kind, Limits, Message, Role};
use framewire::net::{Exchange, Heard, PieceExchange, Reader, WebSocket, Writer};
use framewire::wire::close::CloseCode;

use crate::peer::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, close_body};
use crate::peer::{frame_to, raw_frame_to};
use crate::scripted::{Give, Script, Scripted, stream};
use crate::{open, poll_once, poll_times};

/// How often a call is polled at most before it is dropped.
const POLLS_MAX: usize = 60;

/// A stream that gives and takes a byte at a time, and is busy every other time.
fn halting(role: Role) -> (WebSocket<Scripted>, Script) {
    let (end, script) = stream();
    script.limit_bytes(1, 1);
    script.hesitate();
    (open(role, Limits::default(), end), script)
}

/// What the peer says, with a pause behind every byte, up to its Close and the end.
fn say(role: Role, script: &Script) {
    let bytes = [
        frame_to(role, TEXT, b"one"),
        frame_to(role, PING, b"p"),
        raw_frame_to(role, BINARY, b"t"),
        frame_to(role, PING, b"q"),
        frame_to(role, CONTINUATION, b"wo"),
        frame_to(role, TEXT, b""),
        frame_to(role, CLOSE, &close_body(1000, "")),
    ]
    .concat();
    for byte in bytes {
        script.give([Give::Bytes(vec![byte]), Give::Pending]);
    }
    script.give([Give::End]);
}

fn said() -> Vec<Message> {
    vec![
        Message::text("one"),
        Message::binary(&b"two"[..]),
        Message::text(""),
    ]
}

fn answered() -> Vec<Frame> {
    let pongs = [b"p", b"q"].map(|it| Frame::whole(PONG, it));
    [&pongs[..], &[Frame::close(1000, "")]].concat()
}

/// How many ways there are to receive.
const WAYS: usize = 8;

/// A message that came in pieces.
fn whole(kind: Kind, bytes: Vec<u8>) -> Message {
    match kind {
        Kind::Text => Message::text(String::from_utf8(bytes).expect("UTF-8")),
        Kind::Binary => Message::binary(bytes),
    }
}

/// Everything that is heard when each `recv` is dropped after `polls` polls, and the last one not.
async fn hear(socket: &mut WebSocket<Scripted>, polls: usize, way: usize) -> Vec<Message> {
    let mut heard = Vec::new();
    let (mut pieces, mut within) = (Vec::new(), false);
    loop {
        let received = match way {
            0 => poll_times(socket.recv(), polls).await,
            1 => {
                let received = poll_times(socket.recv_lent(), polls).await;
                received.map(|it| it.map(|it| it.map(|it| it.to_owned())))
            }
            2 => {
                let received = poll_times(socket.recv_exchange(), polls).await;
                received.map(|it| it.map(|it| it.map(|it| it.message.to_owned())))
            }
            3 => match poll_times(socket.recv_or_room(), polls).await {
                Some(Ok(Heard::Message(message))) => Some(Ok(Some(message))),
                Some(Ok(Heard::End)) => Some(Ok(None)),
                Some(Err(error)) => Some(Err(error)),
                _ => None,
            },
            4 => match poll_times(socket.recv_event(), polls).await {
                Some(Ok(Some(Incoming::Message(message)))) => Some(Ok(Some(message.to_owned()))),
                Some(Ok(None)) => Some(Ok(None)),
                Some(Err(error)) => Some(Err(error)),
                _ => None,
            },
            5 => {
                let hear = |exchange: Exchange<'_>| heard.push(exchange.message.to_owned());
                let served = poll_times(socket.serve(hear), polls).await;
                served.map(|it| it.map(|()| None))
            }
            6 => {
                let hear = |exchange: PieceExchange<'_>| {
                    let piece = exchange.piece.piece();
                    assert!(piece.first && piece.last, "small ones come whole");
                    heard.push(whole(piece.kind, piece.bytes.to_vec()));
                };
                let served = poll_times(socket.serve_pieces(hear), polls).await;
                served.map(|it| it.map(|()| None))
            }
            _ => match poll_times(socket.recv_piece(), polls).await {
                Some(Ok(Some(piece))) => {
                    assert_eq!(piece.first, pieces.is_empty() && !within);
                    within = !piece.last;
                    pieces.extend_from_slice(piece.bytes);
                    match piece.last {
                        false => None,
                        true => Some(Ok(Some(whole(piece.kind, core::mem::take(&mut pieces))))),
                    }
                }
                Some(Ok(None)) => Some(Ok(None)),
                Some(Err(error)) => Some(Err(error)),
                None => None,
            },
        };
        match received.map(|it| it.expect("no failure")) {
            None => {}
            Some(Some(message)) => heard.push(message),
            Some(None) => return heard,
        }
    }
}

// drops: net::websocket::recv
// drops: net::websocket::recv_lent
// drops: net::websocket::recv_exchange
// drops: net::websocket::recv_or_room
// drops: net::websocket::recv_event
// drops: net::websocket::recv_piece
#[tokio::test(start_paused = true)]
async fn a_recv_that_is_dropped_at_any_poll_loses_nothing() {
    for role in Role::BOTH {
        for way in 0..WAYS {
            for polls in 1..POLLS_MAX {
                let (mut socket, script) = halting(role);
                say(role, &script);
                assert_eq!(hear(&mut socket, polls, way).await, said(), "{polls} polls");
                assert_eq!(script.frames(role), answered());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_recv_that_is_dropped_changes_nothing_for_the_next() {
    for role in Role::BOTH {
        for polls in 0..200 {
            let (mut socket, script) = halting(role);
            say(role, &script);
            let first = poll_times(socket.recv(), polls).await;
            let first = first.map(|it| it.expect("no failure").expect("open"));
            let mut heard: Vec<_> = first.into_iter().collect();
            heard.extend(hear(&mut socket, usize::MAX, 0).await);
            assert_eq!(heard, said(), "dropped after {polls} polls");
        }
    }
}

// drops: net::split::recv
// drops: net::split::recv_piece
#[tokio::test(start_paused = true)]
async fn a_reader_that_is_dropped_at_any_poll_loses_nothing() {
    async fn whole_messages(reader: &mut Reader<Scripted>, polls: usize) -> Vec<Message> {
        let mut heard = Vec::new();
        loop {
            match poll_times(reader.recv(), polls).await {
                None => {}
                Some(Ok(Some(message))) => heard.push(message),
                Some(ended) => break assert!(ended.expect("no failure").is_none()),
            }
        }
        heard
    }
    async fn pieces(reader: &mut Reader<Scripted>, polls: usize) -> Vec<Message> {
        let (mut heard, mut bytes) = (Vec::new(), Vec::new());
        loop {
            match poll_times(reader.recv_piece(), polls).await {
                None => {}
                Some(Ok(Some(piece))) => {
                    bytes.extend_from_slice(&piece.bytes);
                    if piece.last {
                        heard.push(whole(piece.kind, core::mem::take(&mut bytes)));
                    }
                }
                Some(ended) => break assert!(ended.expect("no failure").is_none()),
            }
        }
        heard
    }
    for role in Role::BOTH {
        for polls in 1..POLLS_MAX {
            let (socket, script) = halting(role);
            say(role, &script);
            let (mut reader, _writer) = socket.split();
            let heard = match polls % 2 {
                0 => whole_messages(&mut reader, polls).await,
                _ => pieces(&mut reader, polls).await,
            };
            assert_eq!(heard, said(), "{polls} polls");
            assert_eq!(script.frames(role), answered());
        }
    }
}

/// The frames of a message that may have been sent before another that certainly was.
fn expect_whole_or_none(sent: &[Frame], message: &Frame, polls: usize) {
    let marker = Frame::whole(TEXT, b"marker");
    let whole = [message.clone(), marker.clone()];
    assert!(
        sent == whole || sent == [marker],
        "after {polls} polls the peer has {sent:?}"
    );
}

#[derive(Clone, Copy)]
enum Call {
    Send,
    Feed,
    SendWith,
    Fragment,
    FragmentWith,
    Ping,
    Pong,
}

const CALLS: [Call; 7] = [
    Call::Send,
    Call::Feed,
    Call::SendWith,
    Call::Fragment,
    Call::FragmentWith,
    Call::Ping,
    Call::Pong,
];

impl Call {
    fn frame(self) -> Frame {
        match self {
            Self::Ping => Frame::whole(PING, b"message"),
            Self::Pong => Frame::whole(PONG, b"message"),
            _ => Frame::whole(BINARY, b"message"),
        }
    }

    async fn on_whole(self, socket: &mut WebSocket<Scripted>) {
        let done = match self {
            Self::Send => socket.send(b"message".to_vec()).await,
            Self::Feed => socket.feed(b"message".to_vec()).await,
            Self::SendWith => {
                let message = b"message".to_vec();
                socket.send_with(message, Compress::Always).await
            }
            Self::Fragment => socket.send_fragment(Kind::Binary, b"message", true).await,
            Self::FragmentWith => {
                let compress = Compress::Never;
                socket
                    .send_fragment_with(Kind::Binary, b"message", true, compress)
                    .await
            }
            Self::Ping => socket.ping(b"message").await,
            Self::Pong => socket.pong(b"message").await,
        };
        done.expect("no failure");
    }

    async fn on_half(self, writer: &mut Writer<Scripted>) {
        let done = match self {
            Self::Send | Self::SendWith => writer.send(b"message".to_vec()).await,
            Self::Feed => writer.feed(b"message".to_vec()).await,
            Self::Fragment | Self::FragmentWith => {
                writer.send_fragment(Kind::Binary, b"message", true).await
            }
            Self::Ping | Self::Pong => writer.ping(b"message").await,
        };
        done.expect("no failure");
    }
}

// drops: net::websocket::sending::send
// drops: net::websocket::sending::feed
// drops: net::websocket::sending::send_with
// drops: net::websocket::sending::send_fragment
// drops: net::websocket::sending::send_fragment_with
// drops: net::websocket::sending::ping
// drops: net::websocket::sending::pong
// drops: net::split::send
// drops: net::split::feed
// drops: net::split::send_fragment
// drops: net::split::ping
#[tokio::test(start_paused = true)]
async fn a_message_is_sent_whole_or_not_at_all() {
    for role in Role::BOTH {
        for call in CALLS {
            let mut done = false;
            for polls in 0..POLLS_MAX {
                let (mut socket, script) = halting(role);
                done |= poll_times(call.on_whole(&mut socket), polls)
                    .await
                    .is_some();
                socket.send("marker").await.expect("no failure");
                expect_whole_or_none(&script.frames(role), &call.frame(), polls);

                if matches!(call, Call::Pong) {
                    continue;
                }
                let (socket, script) = halting(role);
                let (_reader, mut writer) = socket.split();
                poll_times(call.on_half(&mut writer), polls).await;
                writer.send("marker").await.expect("no failure");
                expect_whole_or_none(&script.frames(role), &call.frame(), polls);
            }
            assert!(done, "the call was never seen to its end");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_waits_for_room_and_is_dropped_has_queued_nothing() {
    for role in Role::BOTH {
        for split in [false, true] {
            let (end, script) = stream();
            script.set_room(Some(0));
            let mut socket = open(role, Limits::default().with_outbox_marks(1, 1), end);
            socket.feed("first").await.expect("room");
            if split {
                let (_reader, mut writer) = socket.split();
                assert!(poll_times(writer.feed("dropped"), 3).await.is_none());
                script.set_room(None);
                writer.send("last").await.expect("no failure");
            } else {
                assert!(poll_times(socket.feed("dropped"), 3).await.is_none());
                script.set_room(None);
                socket.send("last").await.expect("no failure");
            }
            let expected = [b"first".as_slice(), b"last"].map(|it| Frame::whole(TEXT, it));
            assert_eq!(script.frames(role), expected);
        }
    }
}

// drops: net::websocket::sending::flush
// drops: net::websocket::sending::ready
// drops: net::websocket::sending::drained
// drops: net::split::flush
#[tokio::test(start_paused = true)]
async fn a_flush_that_is_dropped_leaves_the_rest_queued() {
    for role in Role::BOTH {
        for polls in 0..4 * POLLS_MAX {
            let (end, script) = stream();
            script.limit_bytes(1, 1);
            script.hesitate();
            let mut socket = open(role, Limits::default().with_outbox_marks(2, 15), end);
            for text in ["one", "two", "three"] {
                socket.feed(text).await.expect("room");
            }
            match polls % 4 {
                0 => drop(poll_times(socket.flush(), polls / 4).await),
                1 => drop(poll_times(socket.ready(), polls / 4).await),
                2 => drop(poll_times(socket.drained(), polls / 4).await),
                _ => {
                    let (reader, mut writer) = socket.split();
                    drop(poll_times(writer.flush(), polls / 4).await);
                    socket = reader.reunite(writer).expect("of one socket");
                }
            }
            socket.drained().await.expect("no failure");
            assert!(socket.buffered_bytes() <= 2);
            socket.flush().await.expect("no failure");
            let expected = [b"one".as_slice(), b"two", b"three"].map(|it| Frame::whole(TEXT, it));
            assert_eq!(script.frames(role), expected);
            assert!(script.flushes() > 0);
        }
    }
}

// drops: net::websocket::close
// drops: net::split::close
#[tokio::test(start_paused = true)]
async fn a_close_that_is_dropped_goes_on_with_the_next_call() {
    for role in Role::BOTH {
        for polls in 1..POLLS_MAX {
            let (mut socket, script) = halting(role);
            poll_times(socket.close(CloseCode::GOING_AWAY, "x"), polls).await;
            script.give_bytes(&frame_to(role, CLOSE, &close_body(1001, "")));
            script.give([Give::End]);
            assert_eq!(socket.recv().await.expect("a normal close"), None);
            assert_eq!(
                script.frames(role),
                [Frame::close(1001, "x")],
                "{polls} polls"
            );
            assert!(socket.closure().expect("it is closed").is_clean());

            let (socket, script) = halting(role);
            let (mut reader, mut writer) = socket.split();
            poll_times(writer.close(CloseCode::GOING_AWAY, "x"), polls).await;
            script.give_bytes(&frame_to(role, CLOSE, &close_body(1001, "")));
            script.give([Give::End]);
            assert_eq!(reader.recv().await.expect("a normal close"), None);
            assert_eq!(
                script.frames(role),
                [Frame::close(1001, "x")],
                "{polls} polls"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_called_again_goes_on() {
    for role in Role::BOTH {
        for polls in 0..POLLS_MAX {
            let (mut socket, script) = halting(role);
            poll_times(socket.close(CloseCode::GOING_AWAY, "x"), polls).await;
            script.give_bytes(&frame_to(role, CLOSE, &close_body(1001, "")));
            script.give([Give::End]);
            let closure = socket.close(CloseCode::GOING_AWAY, "x").await;
            assert!(closure.expect("a normal close").is_clean());
            assert_eq!(
                script.frames(role),
                [Frame::close(1001, "x")],
                "{polls} polls"
            );
        }
    }
}

// drops: net::split::closed
#[tokio::test(start_paused = true)]
async fn a_wait_for_the_end_that_is_dropped_misses_nothing() {
    for role in Role::BOTH {
        for polls in 1..POLLS_MAX {
            let (socket, script) = halting(role);
            say(role, &script);
            let (reader, mut writer) = socket.split();
            drop(reader);
            let closure = loop {
                if let Some(closed) = poll_times(writer.closed(), polls).await {
                    break closed.expect("no failure").expect("it is closed");
                }
            };
            assert!(closure.is_clean());
            assert_eq!(script.frames(role), answered(), "{polls} polls");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_select_that_drops_recv_at_every_turn_hears_everything() {
    for role in Role::BOTH {
        let (mut socket, script) = halting(role);
        say(role, &script);
        let mut heard = Vec::new();
        loop {
            tokio::select! {
                biased;
                received = socket.recv() => match received.expect("no failure") {
                    Some(message) => heard.push(message),
                    None => break,
                },
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(heard, said());
        assert!(poll_once(pin!(socket.recv())).await.is_ready());
    }
}
