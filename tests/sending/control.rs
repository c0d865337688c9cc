//! Control frames overtake data at the next boundary between two frames, and only there.

use framewire::engine::{
    Acceptance, Connection, Kind, Message, Prepared, Role, ServerHandshake, ServerProgress,
};

use crate::raw::frames;
use crate::{NOW, PING, open, take};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// A connection whose answer to the handshake has not left.
fn accepted() -> Connection {
    let Ok(ServerProgress::Upgrade(request)) = ServerHandshake::default().receive(REQUEST) else {
        panic!("a request that can be accepted");
    };
    let accepted = request.accept(Acceptance::new(), Default::default(), NOW);
    accepted.expect("nothing is chosen").connection
}

/// Where bytes that are no frame end: the answer to the handshake.
fn preamble_end(bytes: &[u8]) -> usize {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    end.filter(|_| bytes.starts_with(b"HTTP/"))
        .map_or(0, |end| end + 4)
}

fn small(connection: &mut Connection) {
    connection
        .send_text(NOW, "one")
        .expect("an open connection");
    connection.send_text(NOW, "").expect("an open connection");
    connection
        .send_fragment(NOW, Kind::Binary, &[1; 130], false)
        .expect("an open connection");
    connection
        .send_fragment(NOW, Kind::Binary, b"end", true)
        .expect("an open connection");
}

/// A payload that a server shares, between frames in its buffers.
fn shared(connection: &mut Connection) {
    connection
        .send_text(NOW, "one")
        .expect("an open connection");
    let large = Message::binary(vec![2; 4_096]);
    connection
        .send_message(NOW, large)
        .expect("an open connection");
    connection
        .send_text(NOW, "three")
        .expect("an open connection");
}

fn prepared(connection: &mut Connection) {
    let prepared = Prepared::text(&"p".repeat(150));
    connection
        .send_prepared(NOW, &prepared)
        .expect("an open connection");
    connection
        .send_text(NOW, "one")
        .expect("an open connection");
    connection
        .send_prepared(NOW, &prepared)
        .expect("an open connection");
    connection
        .send_prepared(NOW, &prepared)
        .expect("an open connection");
}

type Make = fn() -> Connection;

/// Connections with a queue each, made anew by each call.
const QUEUES: [(&str, Make); 7] = [
    ("small frames of a server", || {
        queued(open(Role::Server), small)
    }),
    ("small frames of a client", || {
        queued(open(Role::Client), small)
    }),
    ("shared payloads", || queued(open(Role::Server), shared)),
    ("large payloads of a client", || {
        queued(open(Role::Client), shared)
    }),
    ("prepared frames", || queued(open(Role::Server), prepared)),
    ("an answer to a handshake", accepted),
    ("frames behind an answer", || queued(accepted(), small)),
];

fn queued(mut connection: Connection, queue: fn(&mut Connection)) -> Connection {
    queue(&mut connection);
    connection
}

/// Checks what has left: the same data as without the Pings, and each Ping at the first boundary
/// that came after it was queued. `queued` says how much had left when each of them was.
fn check(what: &str, output: &[u8], plain: &[u8], queued: &[usize]) {
    let preamble = preamble_end(output);
    let mut data = output[..preamble].to_vec();
    let mut starts = Vec::new();
    let mut pings = Vec::new();
    let mut at = preamble;
    for frame in frames(&output[preamble..]) {
        let len = frame.to_bytes().len();
        if frame.first == PING {
            assert_eq!(
                frame.payload,
                [u8::try_from(pings.len()).expect("few Pings")]
            );
            pings.push(at);
        } else {
            data.extend_from_slice(&output[at..at + len]);
            starts.push(at);
        }
        at += len;
    }
    assert!(data == plain, "{what}: the data has changed");
    assert_eq!(pings.len(), queued.len(), "{what}");
    for (ping, queued) in pings.iter().zip(queued) {
        let late = starts.iter().find(|start| (queued..ping).contains(start));
        assert_eq!(
            late, None,
            "{what}: the Ping queued at {queued} left at {ping}"
        );
    }
}

//= WS-091 type=test
//= WS-105 type=test
//= WS-111 type=test
//= WS-121 type=test
#[test]
fn a_ping_queued_at_any_point_leaves_at_the_next_boundary() {
    for (what, make) in QUEUES {
        let plain = take(&mut make(), usize::MAX);
        for cut in 0..=plain.len() {
            let mut connection = make();
            let mut output = take(&mut connection, cut);
            connection.ping(&[0]).expect("an open connection");
            output.extend(take(&mut connection, usize::MAX));
            check(what, &output, &plain, &[cut]);
        }
    }
}

//= WS-121 type=test
#[test]
fn steps_of_every_size_leave_every_byte_in_its_place() {
    for (what, make) in QUEUES {
        let plain = take(&mut make(), usize::MAX);
        for step in 1..=plain.len() {
            let mut connection = make();
            let (mut output, mut queued) = (Vec::new(), Vec::new());
            for n in 0_u8.. {
                // Pings one after another, then two at once, then none for a while.
                let count = [1, 1, 1, 2, 0, 0, 0]
                    .get(usize::from(n))
                    .copied()
                    .unwrap_or(0);
                for _ in 0..count {
                    let payload = [u8::try_from(queued.len()).expect("few Pings")];
                    connection.ping(&payload).expect("an open connection");
                    queued.push(output.len());
                }
                let taken = take(&mut connection, step);
                if taken.is_empty() {
                    break;
                }
                output.extend(taken);
                if n == 100 {
                    output.extend(take(&mut connection, usize::MAX));
                    break;
                }
            }
            check(what, &output, &plain, &queued);
        }
    }
}

/// Frames beyond one buffer of the outbox, small and large, in steps that meet nothing evenly.
#[test]
fn queues_of_many_buffers_leave_in_order() {
    let fill = |connection: &mut Connection| {
        for (n, len) in (0_u8..).zip([10, 70_000, 4_095, 65_530, 0, 60_000, 5_000, 1]) {
            connection
                .send_binary(NOW, &vec![n; len])
                .expect("below the mark");
            for _ in 0..=n % 2 {
                let given = Message::binary(vec![n; 4_200]);
                connection.send_message(NOW, given).expect("below the mark");
            }
        }
    };
    for role in Role::BOTH {
        let mut whole = open(role);
        fill(&mut whole);
        let plain = take(&mut whole, usize::MAX);
        for step in [997, 4_096, 65_521, 100_003] {
            let mut connection = open(role);
            fill(&mut connection);
            let (mut output, mut queued) = (Vec::new(), Vec::new());
            for n in 0.. {
                if n % 5 == 1 && queued.len() < 200 {
                    let payload = [u8::try_from(queued.len()).expect("few Pings")];
                    connection.ping(&payload).expect("an open connection");
                    queued.push(output.len());
                }
                let taken = take(&mut connection, step);
                if taken.is_empty() {
                    break;
                }
                output.extend(taken);
            }
            check("many buffers", &output, &plain, &queued);
        }
    }
}
