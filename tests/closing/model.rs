//! Two ends, a clock and a wire that is cut anywhere: whatever both do in whatever order, nothing
//! is lost, doubled or sent too late, and both agree on how it ended.

use core::time::Duration;

use framewire::engine::{Cause, Kind, Limits, Role, SendError, Timestamp};
use proptest::prelude::*;

use crate::raw::{Frame, frames};
use crate::{CLOSE, End, Found, PING, PONG, at, reason};

const CODES: [u16; 4] = [1000, 1001, 3000, 4999];

/// One thing that one side does.
#[derive(Clone, Debug)]
enum Act {
    Send { text: bool, len: usize },
    Give { len: usize },
    Fragment { text: bool, len: usize, last: bool },
    Ping(u8),
    Pong(u8),
    Close(usize),
    Transmit(usize),
    Deliver(usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let len = || prop_oneof![4 => 0..20_usize, 1 => 120..130_usize, 1 => 4_000..5_000_usize];
    let size = || prop_oneof![3 => 1..20_usize, 2 => 20..400_usize, 2 => Just(usize::MAX)];
    prop_oneof![
        3 => (any::<bool>(), len()).prop_map(|(text, len)| Act::Send { text, len }),
        1 => len().prop_map(|len| Act::Give { len }),
        3 => (any::<bool>(), len(), any::<bool>())
            .prop_map(|(text, len, last)| Act::Fragment { text, len, last }),
        2 => any::<u8>().prop_map(Act::Ping),
        1 => any::<u8>().prop_map(Act::Pong),
        1 => (0..CODES.len()).prop_map(Act::Close),
        6 => size().prop_map(Act::Transmit),
        6 => size().prop_map(Act::Deliver),
        2 => (0..400_u64).prop_map(Act::Wait),
    ]
}

/// One side: an end, what it has put on the wire, and what is expected of it.
struct Side {
    end: End,
    /// Everything that it ever sent.
    wire: Vec<u8>,
    /// How much of that the peer has received.
    delivered: usize,
    stream_ended: bool,
    messages: Vec<Found>,
    unfinished: Option<(bool, Vec<u8>)>,
    /// The messages of the peer that came out.
    found: Vec<Found>,
}

impl Side {
    fn new(role: Role) -> Self {
        let limits = Limits::default()
            .with_keep_alive(
                Some(Duration::from_millis(300)),
                Duration::from_secs(100_000),
            )
            .with_idle_timeout(Some(Duration::from_millis(2_000)))
            .with_close_timeout(Duration::from_secs(100_000))
            .with_outbox_marks(1_000, 6_000)
            .with_control_bytes_max(300);
        Self {
            end: End::with_limits(role, limits),
            wire: Vec::new(),
            delivered: 0,
            stream_ended: false,
            messages: Vec::new(),
            unfinished: None,
            found: Vec::new(),
        }
    }

    fn transmit(&mut self, n: usize) {
        let bytes = self.end.take(n);
        assert!(
            bytes.is_empty() || !self.stream_ended,
            "bytes behind the end of the stream"
        );
        self.wire.extend(bytes);
        if self.end.connection.should_end_stream() {
            self.stream_ended = true;
        }
    }

    fn send(&mut self, now: Timestamp, act: &Act) {
        let connection = &mut self.end.connection;
        let (fits, open) = (!connection.is_full(), connection.is_open());
        match *act {
            Act::Send { text, len } => {
                let payload = vec![b'm'; len];
                let outcome = match text {
                    true => connection.send_text(now, str::from_utf8(&payload).expect("ASCII")),
                    false => connection.send_binary(now, &payload),
                };
                let may = fits && open && self.unfinished.is_none();
                assert_eq!(outcome.is_ok(), may, "{outcome:?}");
                self.messages.extend(may.then(|| message(text, payload)));
            }
            Act::Give { len } => {
                let payload = vec![b'g'; len];
                let outcome = connection.send_message(now, payload.clone().into());
                let may = fits && open && self.unfinished.is_none();
                assert_eq!(outcome.is_ok(), may, "{outcome:?}");
                self.messages.extend(may.then(|| message(false, payload)));
            }
            Act::Fragment { text, len, last } => {
                let kind = if text { Kind::Text } else { Kind::Binary };
                let outcome = connection.send_fragment(now, kind, &vec![b'f'; len], last);
                let agrees = self.unfinished.as_ref().is_none_or(|(it, _)| *it == text);
                assert_eq!(outcome.is_ok(), fits && open && agrees, "{outcome:?}");
                if outcome.is_ok() {
                    let (_, mut so_far) = self.unfinished.take().unwrap_or_default();
                    so_far.resize(so_far.len() + len, b'f');
                    match last {
                        true => self.messages.push(message(text, so_far)),
                        false => self.unfinished = Some((text, so_far)),
                    }
                }
            }
            Act::Ping(byte) => expect_control(open, connection.ping(&[byte; 3])),
            Act::Pong(byte) => expect_control(open, connection.pong(&[byte; 3])),
            Act::Close(code) => {
                connection
                    .close(now, reason(CODES[code], ""))
                    .expect("a code for both ends");
                assert!(!connection.is_open());
            }
            Act::Transmit(_) | Act::Deliver(_) | Act::Wait(_) => {}
        }
    }

    fn wait(&mut self, now: Timestamp) {
        while let Some(due) = self.end.connection.poll_timeout().filter(|due| *due <= now) {
            self.end.connection.timeout(now);
            assert_ne!(
                self.end.connection.poll_timeout(),
                Some(due),
                "a deadline that stays"
            );
        }
        let waiting = self.end.connection.buffered_bytes();
        self.end.connection.timeout(now);
        assert_eq!(
            self.end.connection.buffered_bytes(),
            waiting,
            "nothing is due"
        );
    }
}

fn message(text: bool, payload: Vec<u8>) -> Found {
    match text {
        true => Found::Text(String::from_utf8(payload).expect("ASCII")),
        false => Found::Binary(payload),
    }
}

fn expect_control(open: bool, outcome: Result<(), SendError>) {
    match outcome {
        Ok(()) | Err(SendError::Full) => assert!(open),
        Err(SendError::Misuse(_)) => assert!(!open),
        other => panic!("{other:?}"),
    }
}

/// Brings up to `n` bytes of one side to the other, and the end of its stream behind the last.
fn deliver(from: &mut Side, to: &mut Side, now: Timestamp, n: usize) {
    let end = from.wire.len().min(from.delivered.saturating_add(n));
    for found in to.end.feed(now, &from.wire[from.delivered..end]) {
        match found {
            Found::Text(_) | Found::Binary(_) => to.found.push(found),
            Found::Failed(violation) => panic!("{violation}"),
            _ => {}
        }
    }
    from.delivered = end;
    if from.stream_ended && end == from.wire.len() {
        to.end.connection.receive_eof(now);
    }
}

/// What a side has sent is a stream of frames in which nothing but Pongs follows the Close.
fn check_wire(side: &Side) {
    let masks = side.end.connection.role() == Role::Client;
    let all = frames(&side.wire);
    let close = all
        .iter()
        .position(|frame| frame.first == CLOSE)
        .unwrap_or(all.len());
    let mut within = false;
    for (at, Frame { first, mask, .. }) in all.iter().enumerate() {
        assert_eq!(mask.is_some(), masks);
        match *first {
            PONG => {}
            CLOSE => assert_eq!(at, close, "a second Close"),
            _ => assert!(at < close, "{first:02x} behind the Close"),
        }
        match *first {
            PING | PONG | CLOSE => {}
            0x00 | 0x80 => assert!(within),
            0x01 | 0x02 | 0x81 | 0x82 => assert!(!within),
            other => panic!("{other:02x}"),
        }
        if first & 0x08 == 0 {
            within = first & 0x80 == 0;
        }
    }
}

fn check_agreement(one: &Side, other: &Side) {
    let closure = one.end.connection.closure().expect("it has closed");
    let theirs = other.end.connection.closure().expect("it has closed");
    assert!(closure.is_clean(), "{closure}");
    assert_eq!(closure.cause(), Some(Cause::Handshake));
    assert_eq!(closure.sent(), theirs.received());
    assert_eq!(Some(closure.code()), theirs.sent().and_then(|it| it.code()));
    assert_eq!(one.messages, other.found, "sent here, received there");
}

fn play(acts: &[(bool, Act)]) {
    let (mut client, mut server) = (Side::new(Role::Client), Side::new(Role::Server));
    let mut now = at(0);
    for (by_client, act) in acts {
        let (side, peer) = match by_client {
            true => (&mut client, &mut server),
            false => (&mut server, &mut client),
        };
        match act {
            Act::Transmit(n) => side.transmit(*n),
            Act::Deliver(n) => deliver(peer, side, now, *n),
            Act::Wait(millis) => {
                now = now.after(Duration::from_millis(*millis));
                side.wait(now);
                peer.wait(now);
            }
            other => side.send(now, other),
        }
    }
    client.send(now, &Act::Close(0));
    for _ in 0..4 {
        for (from, to) in [(true, false), (false, true)] {
            let (from, to) = match (from, to) {
                (true, _) => (&mut client, &mut server),
                _ => (&mut server, &mut client),
            };
            from.transmit(usize::MAX);
            deliver(from, to, now, usize::MAX);
        }
        // A client waits for the server to end TCP.
        assert!(!client.stream_ended || server.stream_ended);
    }
    for side in [&client, &server] {
        assert!(side.end.connection.is_closed() && side.stream_ended);
        check_wire(side);
    }
    check_agreement(&client, &server);
    check_agreement(&server, &client);
}

#[test]
fn two_ends_that_do_nothing_but_close_agree() {
    play(&[]);
    play(&[(true, Act::Close(1)), (false, Act::Close(2))]);
    play(&[
        (false, Act::Close(1)),
        (false, Act::Transmit(1)),
        (true, Act::Deliver(1)),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    //= WS-073 type=test
    //= WS-089 type=test
    //= WS-103 type=test
    //= WS-109 type=test
    //= WS-117 type=test
    //= WS-121 type=test
    //= WS-128 type=test
    //= WS-133 type=test
    #[test]
    fn prop_any_order_of_doings_ends_in_agreement(
        acts in prop::collection::vec((any::<bool>(), act()), 0..40)
    ) {
        play(&acts);
    }
}
