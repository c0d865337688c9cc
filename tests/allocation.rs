//! What a connection costs in memory: allocations while it receives, and bytes while it is idle.

extern crate alloc;

use alloc::sync::Arc;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

use framewire::engine::{
    Acceptance, Connection, Inbox, Incoming, Kind, Limits, Role, ServerHandshake, ServerProgress,
    Timestamp,
};

/// Counts what the thread that asks allocates, and hands everything on.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

std::thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static HELD_BYTES: Cell<i64> = const { Cell::new(0) };
}

fn note(allocations: u64, bytes: usize, sign: i64) {
    let bytes = i64::try_from(bytes).expect("a size below 2⁶³");
    ALLOCATIONS.with(|count| count.set(count.get() + allocations));
    HELD_BYTES.with(|held| held.set(held.get() + sign * bytes));
}

#[expect(unsafe_code, reason = "an allocator is unsafe to write")]
// SAFETY: every call is handed to the system's allocator as it is, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), 1);
        // SAFETY: the caller keeps the promises of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(0, layout.size(), -1);
        // SAFETY: the memory came from the system's allocator with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size, 1);
        note(0, layout.size(), -1);
        // SAFETY: the memory came from the system's allocator with this layout.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// How many allocations `work` makes, and how many bytes it leaves allocated.
fn measured<T>(work: impl FnOnce() -> T) -> (u64, i64, T) {
    let before = (ALLOCATIONS.get(), HELD_BYTES.get());
    let done = work();
    (
        ALLOCATIONS.get() - before.0,
        HELD_BYTES.get() - before.1,
        done,
    )
}

const NOW: Timestamp = Timestamp::ZERO;
const SIZES: [usize; 6] = [0, 16, 125, 126, 1_024, 60 * 1_024];
const MESSAGES: usize = 100;

fn open(role: Role) -> Connection {
    Connection::new(role, Arc::new(Limits::default()), NOW, [1; 32])
}

/// How the peer sends each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    OneFrame,
    Fragments,
    FragmentsAroundPings,
}

const SHAPES: [Shape; 3] = [
    Shape::OneFrame,
    Shape::Fragments,
    Shape::FragmentsAroundPings,
];

/// A stream of messages of one size, as the peer of `role` sends them.
fn stream(role: Role, kind: Kind, size: usize, shape: Shape) -> Vec<u8> {
    let limits = Limits::default().with_outbox_marks(1, usize::MAX);
    let mut peer = Connection::new(role.peer(), Arc::new(limits), NOW, [2; 32]);
    let payload = vec![b'm'; size];
    let mut bytes = Vec::new();
    for _ in 0..MESSAGES {
        let (one, two) = payload.split_at(match shape {
            Shape::OneFrame => 0,
            _ => size / 3,
        });
        if shape != Shape::OneFrame {
            peer.send_fragment(NOW, kind, one, false)
                .expect("room for it");
        }
        if shape == Shape::FragmentsAroundPings {
            bytes.extend(drain(&mut peer));
            peer.ping(b"between").expect("room for it");
            bytes.extend(drain(&mut peer));
        }
        peer.send_fragment(NOW, kind, two, true)
            .expect("room for it");
        bytes.extend(drain(&mut peer));
    }
    bytes
}

fn drain(connection: &mut Connection) -> Vec<u8> {
    let bytes = connection.transmit().collect::<Vec<_>>().concat();
    connection.transmitted(bytes.len());
    bytes
}

/// What a loop over a stream took from it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    messages: usize,
    bytes: usize,
    pings: usize,
}

/// Receives the whole stream as a driver would, and sends what is to be answered.
fn receive(
    connection: &mut Connection,
    inbox: &mut Inbox,
    mut stream: &[u8],
    mut each: impl FnMut(&mut Inbox) -> usize,
) -> Taken {
    let mut taken = Taken::default();
    while !stream.is_empty() {
        let space = inbox.space(connection.frame_bytes_to_come());
        let read = space.len().min(stream.len()).min(16 * 1_024);
        space[..read].copy_from_slice(&stream[..read]);
        inbox.filled(read);
        stream = &stream[read..];
        while inbox.advance(connection, NOW) {
            if inbox.is_message() {
                taken.messages += 1;
                taken.bytes += each(inbox);
            } else {
                assert!(matches!(inbox.incoming(), Some(Incoming::Ping(_))));
                taken.pings += 1;
            }
        }
        let waiting = connection.transmit().map(<[u8]>::len).sum();
        connection.transmitted(waiting);
    }
    taken
}

/// Runs `each` over every kind, size and shape, once to warm up and once to count.
fn count(name: &str, each: fn(&mut Inbox) -> usize, mut check: impl FnMut(Shape, u64, usize)) {
    for role in Role::BOTH {
        for kind in [Kind::Text, Kind::Binary] {
            for shape in SHAPES {
                for size in SIZES {
                    let stream = stream(role, kind, size, shape);
                    let (mut connection, mut inbox) = (open(role), Inbox::new());
                    receive(&mut connection, &mut inbox, &stream, each);
                    let (allocations, _, taken) =
                        measured(|| receive(&mut connection, &mut inbox, &stream, each));
                    let pings = if shape == Shape::FragmentsAroundPings {
                        MESSAGES
                    } else {
                        0
                    };
                    let (messages, bytes) = (MESSAGES, MESSAGES * size);
                    assert_eq!(
                        taken,
                        Taken {
                            messages,
                            bytes,
                            pings
                        }
                    );
                    println!(
                        "{name} {role:?} {kind:?} {shape:?} {size}: \
                         {allocations} allocations for {messages} messages and {pings} pings"
                    );
                    check(shape, allocations, pings);
                }
            }
        }
    }
}

#[test]
fn receiving_lent_messages_allocates_nothing() {
    let lend = |inbox: &mut Inbox| inbox.lent().map_or(0, |message| message.bytes().len());
    count("lent", lend, |shape, allocations, pings| {
        // The memory for Pongs is given back when they have left, so that none waits for a Ping.
        let most = if shape == Shape::FragmentsAroundPings {
            2 * pings as u64
        } else {
            0
        };
        assert!(allocations <= most, "{allocations}");
    });
}

#[test]
fn receiving_an_owned_message_allocates_once_at_most() {
    let own = |inbox: &mut Inbox| inbox.take_message().map_or(0, |it| it.as_bytes().len());
    count("owned", own, |shape, allocations, pings| {
        let pongs = if shape == Shape::FragmentsAroundPings {
            2 * pings as u64
        } else {
            0
        };
        assert!(allocations <= MESSAGES as u64 + pongs, "{allocations}");
    });
}

#[test]
fn receiving_in_chunks_allocates_nothing() {
    for role in Role::BOTH {
        let stream = stream(role, Kind::Text, 60 * 1_024, Shape::Fragments);
        let mut connection = open(role);
        let mut bytes = stream.clone();
        let (allocations, _, chunks) = measured(|| {
            let (mut at, mut chunks) = (0, 0);
            while at < bytes.len() {
                let received = connection.receive(NOW, &mut bytes[at..]);
                at += received.consumed;
                chunks += usize::from(received.event.is_some());
            }
            chunks
        });
        assert_eq!((allocations, chunks), (0, 2 * MESSAGES));
    }
}

#[test]
fn an_idle_connection_of_a_server_is_small() {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    let limits = Arc::new(Limits::default());
    let (_, held, pair) = measured(|| {
        let Ok(ServerProgress::Upgrade(request)) = ServerHandshake::default().receive(REQUEST)
        else {
            panic!("a request that can be accepted");
        };
        let accepted = request.accept(Acceptance::new(), Arc::clone(&limits), NOW);
        let mut connection = accepted.expect("nothing is chosen").connection;
        let mut inbox = Inbox::new();
        drain(&mut connection);
        // It has been used before it became idle.
        let stream = stream(Role::Server, Kind::Text, 1_024, Shape::FragmentsAroundPings);
        let echo = |inbox: &mut Inbox| inbox.lent().map_or(0, |it| it.bytes().len());
        receive(&mut connection, &mut inbox, &stream, echo);
        connection
            .send_text(NOW, "answer")
            .expect("an open connection");
        drain(&mut connection);
        drop(inbox.take_buffer().expect("nothing waits"));
        drop(connection.take_send_buffer());
        (connection, inbox)
    });
    let sizes = (size_of::<Connection>(), size_of::<Inbox>());
    println!(
        "Connection {} bytes, Inbox {} bytes, on the heap {held} bytes",
        sizes.0, sizes.1
    );
    assert!(pair.1.is_empty() && pair.0.buffered_bytes() == 0);
    assert!(sizes.0 <= 512 && sizes.1 <= 192, "{sizes:?}");
    // The queue of the outbox keeps its few places.
    assert!((0..=256).contains(&held), "{held}");
}
