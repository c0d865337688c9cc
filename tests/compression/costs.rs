//! What messages cost in memory and in time: bounds on the first, proportions of the second.

use core::time::Duration;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::engine::{Answer, Connection, Inbox, Incoming, Limits, Role, Timestamp, Violation};
use framewire::wire::list::ExtensionOffer;

use crate::allocator::measured;
use crate::endpoint::{Endpoint, open_server, take};
use crate::payload;
use crate::raw::Frame;

const NOW: Timestamp = Timestamp::ZERO;
/// The largest message, in bytes.
const LIMIT: u64 = 1 << 20;

fn open(offer: &str) -> Connection {
    open_with(&DeflateAnswer::default(), offer)
}

fn open_with(deflate: &DeflateAnswer, offer: &str) -> Connection {
    let limits = Arc::new(Limits::default().with_message_bytes_max(LIMIT));
    open_server(deflate, &[offer.to_owned()], &limits)
        .unwrap()
        .0
}

const OFFER: &str = "permessage-deflate";
/// Distances are looked at apart where they are not as long as they can be.
const SMALL_WINDOW: &str = "permessage-deflate; client_max_window_bits=9";

/// Receives a message, and says how long it was or why it was refused.
fn receive(
    connection: &mut Connection,
    inbox: &mut Inbox,
    mut frames: &[u8],
) -> Result<usize, Violation> {
    while !frames.is_empty() {
        let space = inbox.space(0);
        let len = space.len().min(frames.len()).min(16 << 10);
        space[..len].copy_from_slice(&frames[..len]);
        inbox.filled(len);
        frames = &frames[len..];
        while let Some(incoming) = inbox.next(connection, NOW) {
            match incoming {
                Incoming::Message(message) => return Ok(message.bytes().len()),
                Incoming::Failed(violation) => return Err(violation),
                _ => {}
            }
        }
    }
    panic!("the message has no end");
}

fn one_frame(payload: &str) -> Vec<u8> {
    let payload = payload::bytes(payload, LIMIT);
    Frame::new(0xc2, payload).masked().to_bytes()
}

/// Time of this thread on a processor, where the system tells it, and by the clock elsewhere.
fn thread_time() -> Duration {
    static BEGINNING: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match text.split(' ').next().and_then(|it| it.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => BEGINNING.get_or_init(Instant::now).elapsed(),
    }
}

/// How long a connection takes to receive `frames`. The clock of a thread may move in steps of
/// milliseconds, so it is done again and again for many of them.
fn time_of(offer: &str, frames: &[u8], expected: Result<usize, Violation>) -> Duration {
    const ENOUGH: Duration = Duration::from_millis(80);
    let (begun, mut times) = (thread_time(), 0);
    while thread_time() - begun < ENOUGH {
        let (mut connection, mut inbox) = (open(offer), Inbox::new());
        assert_eq!(receive(&mut connection, &mut inbox, frames), expected);
        times += 1;
    }
    (thread_time() - begun) / times
}

/// Whether `holds` for one of three measurements: others may use the processor meanwhile.
fn soon(holds: impl Fn() -> bool) -> bool {
    (0..3).any(|_| holds())
}

//= DF-12 type=test
//= DF-14 type=test
//= PX-03 type=test
//= PX-06 type=test
#[test]
fn a_bomb_costs_no_more_memory_than_the_largest_message() {
    let bomb = "dynamic [ run 00 1_000_000_000 ] end";
    let whole = one_frame(bomb);
    assert!(whole.len() > 900_000 && whole.len() as u64 <= LIMIT);
    let mut pieces = Vec::new();
    for (at, piece) in payload::bytes(bomb, 0).chunks(1_000).enumerate() {
        let first = if at == 0 { 0x42 } else { 0x00 };
        pieces.extend(Frame::new(first, piece).masked().to_bytes());
    }
    for frames in [whole, pieces] {
        let (mut connection, mut inbox) = (open(OFFER), Inbox::new());
        let (peak, ..) = measured(|| {
            let refused = receive(&mut connection, &mut inbox, &frames);
            assert_eq!(refused, Err(Violation::MessageTooBig));
        });
        // The message as far as it is allowed to come; the decoder and what has arrived of it.
        let most = i64::try_from(LIMIT).unwrap() + (192 << 10);
        println!("a bomb holds {peak} bytes at most");
        assert!(peak <= most, "{peak} bytes, {most} are allowed");
    }
}

//= DF-12 type=test
#[test]
fn a_bomb_costs_no_more_time_than_the_largest_message() {
    let largest = one_frame("dynamic [ run 00 LIMIT ] end");
    let bomb = one_frame("dynamic [ run 00 1_000_000_000 ] end");
    assert!(soon(|| {
        let whole = time_of(OFFER, &largest, Ok(usize::try_from(LIMIT).unwrap()));
        let refused = time_of(OFFER, &bomb, Err(Violation::MessageTooBig));
        println!("the largest message {whole:?}, a bomb {refused:?}");
        refused <= 2 * whole
    }));
}

/// Four times the input may take at most six times as long; were the time a square, it would be
/// sixteen times.
fn is_linear(text: impl Fn(u32) -> String, count: u32) {
    let frames = [count, 4 * count].map(|count| one_frame(&text(count)));
    for offer in [OFFER, SMALL_WINDOW] {
        assert!(soon(|| {
            let [one, four] = [0, 1].map(|at| time_of(offer, &frames[at], Ok(1)));
            println!("{}: {one:?}, four times as many {four:?}", text(count));
            four <= 6 * one
        }));
    }
}

//= DF-15 type=test
#[test]
fn empty_blocks_take_time_in_proportion_to_their_number() {
    is_linear(
        |n| format!("repeat {n} [ 00 00 00 ff ff ] fixed [ \"x\" ] end"),
        25_000,
    );
}

//= DF-16 type=test
#[test]
fn headers_without_output_take_time_in_proportion_to_their_number() {
    is_linear(
        |n| format!("repeat {n} [ dynamic [ ] ] fixed [ \"x\" ] end"),
        5_000,
    );
    is_linear(
        |n| format!("repeat {n} [ fixed [ ] ] fixed [ \"x\" ] end"),
        25_000,
    );
}

/// What an inflater of a connection of its own gives of a message: how much, how much of the
/// message it has taken by then, and whether that was all.
fn expanded(payload: &[u8]) -> (usize, usize, Result<(), Violation>) {
    let offer = ExtensionOffer::new(OFFER).unwrap();
    let (_, mut inflater) = DeflateAnswer::default().answer(&[offer]).unwrap();
    let (mut given, mut taken) = (0, 0);
    // In small steps, so that what is refused has not come far beyond where it is.
    for piece in payload.chunks(64) {
        let (mut at, is_last) = (0, taken + piece.len() == payload.len());
        loop {
            let expanded = inflater.expand(&piece[at..], is_last, &mut [0; 1 << 10]);
            match expanded {
                Err(violation) => return (given, taken + at, Err(violation)),
                Ok(it) => (at, given) = (at + it.taken, given + it.given),
            }
            if expanded.is_ok_and(|it| it.done) {
                break;
            }
        }
        taken += piece.len();
    }
    (given, taken, Ok(()))
}

/// What the decoder, the codes of the reader of distances and the bytes of the message that have
/// arrived and are not yet decoded may hold together.
const DECODING_BYTES_MAX: i64 = 96 << 10;

//= DF-15 type=test
//= DF-16 type=test
#[test]
fn blocks_without_output_hold_no_more_than_a_decoder() {
    for text in [
        "repeat 200_000 [ 00 00 00 ff ff ] fixed [ \"x\" ] end",
        "repeat 60_000 [ dynamic [ ] ] fixed [ \"x\" ] end",
        "repeat 600_000 [ fixed [ ] ] fixed [ \"x\" ] end",
        "repeat 200_000 [ fixed-last [ ] ] fixed [ \"x\" ] end",
    ] {
        let frames = one_frame(text);
        assert!(frames.len() > 300_000 && frames.len() as u64 <= LIMIT);
        for offer in [OFFER, SMALL_WINDOW] {
            let (mut connection, mut inbox) = (open(offer), Inbox::new());
            let (peak, left, received) = measured(|| receive(&mut connection, &mut inbox, &frames));
            let expected = match text.contains("last") {
                true => Err(Violation::MessageTooBig),
                false => Ok(1),
            };
            assert_eq!(received, expected, "{text}");
            println!("{text}: {peak} bytes at most, {left} behind it");
            assert!(peak <= DECODING_BYTES_MAX, "{text}: {peak} bytes");
        }
    }
}

//= DF-15 type=test
//= DF-16 type=test
#[test]
fn what_is_refused_has_given_no_more_than_it_may() {
    // 64 ends are free, and one more for each 64 bytes that have come.
    for (before, block) in [
        (0, "fixed-last [ ]"),
        (0, "stored-last [ ]"),
        (32_768, "fixed-last [ ]"),
    ] {
        let text = format!("stored [ noise {before} 1 ] repeat 200_000 [ {block} ] end");
        let (given, taken, refused) = expanded(&payload::bytes(&text, 0));
        assert_eq!(refused, Err(Violation::MessageTooBig), "{text}");
        println!("{text}: {given} bytes of {taken}");
        assert_eq!(given, before, "{text}");
        assert!(taken <= before + before / 10 + 512, "{text}: {taken} bytes");
    }
}

// Behind a last block the decoder is made anew with its window, which may be full: a message in
// which that happens all the time is refused before it has cost much.
//= DF-15 type=test
#[test]
fn a_message_of_nothing_but_last_blocks_is_refused_soon() {
    let last = |before: &str, count: u32, block: &str| {
        one_frame(&format!(
            "{before} repeat {count} [ {block} ] fixed [ \"x\" ] end"
        ))
    };
    for block in ["fixed-last [ ]", "stored-last [ ]"] {
        for (before, bytes) in [("", 1), ("stored [ noise 32_768 1 ]", 32_769)] {
            let (mut connection, mut inbox) = (open(OFFER), Inbox::new());
            let some = receive(&mut connection, &mut inbox, &last(before, 64, block));
            assert_eq!(some, Ok(bytes));
        }
        let (few, many) = (last("", 2_000, block), last("", 200_000, block));
        assert!(soon(|| {
            let [few, many] =
                [few.as_slice(), &many].map(|it| time_of(OFFER, it, Err(Violation::MessageTooBig)));
            println!("2,000 last blocks {few:?}, 200,000 {many:?}");
            many <= 6 * few
        }));
    }
}

//= DF-29 type=test
#[test]
fn an_idle_connection_with_compression_holds_hardly_more_than_one_without() {
    const COUNT: i64 = 10_000;
    let deflate = DeflateAnswer::default();
    let held = |offer: &str| {
        let limits = Arc::new(Limits::default());
        let open = |_| {
            let (mut connection, _) = open_server(&deflate, &[offer.to_owned()], &limits).unwrap();
            drop(connection.take_send_buffer());
            connection
        };
        let (_, held, connections) = measured(|| (0..COUNT).map(open).collect::<Vec<_>>());
        drop(connections);
        held / COUNT
    };
    let plain = held("x-none");
    for offer in [OFFER, "permessage-deflate; server_no_context_takeover"] {
        let more = held(offer) - plain;
        println!("{offer}: {more} bytes more than {plain}");
        assert!(more <= 1_024, "{offer}: {more} bytes");
    }
}

/// Opens, echoes a message and closes, as often as told.
fn come_and_go(deflate: &DeflateAnswer, offer: &str, times: u32) {
    let payload = payload::bytes("fixed [ repeat 40 [ \"announcement \" ] ] end", 0);
    let bytes = [
        Frame::new(0xc1, payload).masked().to_bytes(),
        Frame::new(0x88, 1000_u16.to_be_bytes()).masked().to_bytes(),
    ]
    .concat();
    for _ in 0..times {
        let mut endpoint = Endpoint::new(open_with(deflate, offer));
        endpoint.receive(&bytes, &[usize::MAX]);
        assert_eq!(endpoint.sent.last_chunk(), Some(&1000_u16.to_be_bytes()));
    }
}

//= DF-30 type=test
#[test]
fn connections_that_come_and_go_leave_no_memory_behind() {
    let asked = std::env::var("COMPRESSION_CONNECTIONS").ok();
    let times = asked.map_or(1_000, |it| it.parse().expect("a number of connections"));
    let deflate = DeflateAnswer::default();
    for offer in [
        OFFER,
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
    ] {
        come_and_go(&deflate, offer, 50);
        let (_, left, ()) = measured(|| come_and_go(&deflate, offer, times));
        assert!(left.abs() <= 1_024, "{offer}: {left} bytes");
    }
}

//= DF-31 type=test
#[test]
fn buffers_of_a_large_message_are_given_back_when_the_connection_falls_idle() {
    let large = one_frame("fixed [ repeat 79_000 [ \"announcement \" ] ] end");
    for (keeps, most) in [(true, (32 << 10) + 2_048), (false, 2_048)] {
        let config = DeflateConfig::default().with_context_kept(keeps, keeps);
        let deflate = DeflateAnswer::new(config);
        let (mut connection, mut inbox) = (open_with(&deflate, OFFER), Inbox::new());
        drop(connection.take_send_buffer());
        let (peak, left, ()) = measured(|| {
            receive(&mut connection, &mut inbox, &large).unwrap();
            let message = inbox.take_message().unwrap();
            connection.send_message(NOW, message).unwrap();
            drop(take(&mut connection));
            assert!(inbox.next(&mut connection, NOW).is_none());
            // What the driver does with a connection that has nothing to do.
            drop(inbox.take_buffer());
            drop(connection.take_send_buffer());
            connection.timeout(NOW.after(Duration::from_secs(1)));
        });
        println!("context kept: {keeps}; {peak} bytes in use, {left} at rest");
        assert!(peak > 1 << 20);
        assert!(
            left <= most,
            "context kept: {keeps}; {left} bytes of {most}"
        );
        // And it goes on as if nothing had been.
        let again = "announcement ".repeat(100);
        connection.send_text(NOW, &again).unwrap();
        assert!(connection.buffered_bytes() < again.len());
        assert_eq!(connection.role(), Role::Server);
    }
}
