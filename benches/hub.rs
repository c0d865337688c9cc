//! One message for many: `cargo bench --bench hub`.
//!
//! Publishing through a hub beside pushing the same bytes into as many queues; and a message to
//! 500 connections that have agreed on compression beside one to as many that have not: in the
//! engine alone, and with what it takes to send them.

extern crate alloc;

use alloc::collections::VecDeque;
use core::cell::RefCell;
use core::hint::black_box;
use core::time::Duration;
use criterion::{Criterion, Throughput};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig, DeflateOffer};
use framewire::engine::{Answer, Connection, Offer, Prepared, Role};
use framewire::hub::{Bounds, Hub, SlowPolicy};

use crate::beside::{Group, Routine, with};
use crate::ends::{NOW, drain};

#[expect(dead_code, reason = "some of it is for other programs")]
#[path = "floors/beside.rs"]
mod beside;
#[path = "floors/ends.rs"]
mod ends;
#[path = "floors/json.rs"]
mod json;
#[path = "floors/settings.rs"]
mod settings;

const MEMBERS: [usize; 3] = [1, 100, 10_000];

/// Messages that are published before the mailboxes are drained, which is not timed.
const MESSAGES: u32 = 64;

const CONNECTIONS: usize = 500;

/// Connections that send before what was sent is read, which is not timed.
const AT_ONCE: usize = 10;

fn main() {
    let mut criterion = settings::criterion();
    publish(&mut criterion);
    for size in [512, 4 << 10] {
        broadcast(&mut criterion, size);
    }
    criterion.final_summary();
}

/// Times `publish` as often as is asked for, and in between has everything drained.
fn timed<'a>(mut publish: impl FnMut() + 'a, mut drain: impl FnMut() + 'a) -> Routine<'a> {
    Box::new(move |times| {
        let mut took = Duration::ZERO;
        for _ in 0..times {
            let start = Instant::now();
            for _ in 0..MESSAGES {
                publish();
            }
            took += start.elapsed();
            drain();
        }
        took / MESSAGES
    })
}

fn publish(criterion: &mut Criterion) {
    let message = &Prepared::text(&json::messages(1, 1, 512)[0]);
    let mut group = Group::new(criterion, "publish");
    for count in MEMBERS {
        group.throughput(Throughput::Elements(count as u64));
        let hub = Hub::new();
        let mut members: Vec<_> = (0..count)
            .map(|_| hub.join(Bounds::default(), SlowPolicy::DropNewest))
            .collect();
        for member in &members {
            member.subscribe("news");
        }
        let queues = &RefCell::new(vec![VecDeque::new(); count]);
        let bytes = message.frame();
        group.measure(
            count,
            [
                (
                    "framewire",
                    timed(
                        || {
                            let published = hub.publish("news", black_box(message));
                            assert_eq!(published.queued, count);
                        },
                        || {
                            for member in &mut members {
                                member.take_each(|_| true);
                            }
                        },
                    ),
                ),
                (
                    "queues",
                    timed(
                        || {
                            for queue in queues.borrow_mut().iter_mut() {
                                queue.push_back(black_box(bytes).clone());
                            }
                        },
                        || queues.borrow_mut().iter_mut().for_each(VecDeque::clear),
                    ),
                ),
            ],
        );
    }
    group.finish();
}

/// Connections of the engine, and one socket that all of them send through: what a write costs is
/// the same for all, and 500 sockets are more than some systems allow.
struct Room {
    connections: Vec<Connection>,
    near: TcpStream,
    far: TcpStream,
    arrived: Vec<u8>,
}

impl Room {
    fn new(connections: Vec<Connection>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let near = TcpStream::connect(address).expect("a listener");
        near.set_nodelay(true).expect("a socket");
        let (far, _) = listener.accept().expect("a client");
        let arrived = Vec::new();
        Self {
            connections,
            near,
            far,
            arrived,
        }
    }

    /// Sends a new message to all in the engine alone, and takes what waits on each.
    fn send(&mut self, text: &str) {
        let message = Prepared::text(black_box(text));
        for connection in &mut self.connections {
            connection.send_prepared(NOW, &message).expect("room");
            drain(connection);
        }
    }

    /// Sends a new message to all, and says how long that took; reading it does not count.
    fn send_through(&mut self, text: &str) -> Duration {
        let start = Instant::now();
        let message = Prepared::text(black_box(text));
        let mut took = start.elapsed();
        for some in self.connections.chunks_mut(AT_ONCE) {
            let start = Instant::now();
            let mut sent = 0;
            for connection in some {
                connection.send_prepared(NOW, &message).expect("room");
                for slice in connection.transmit() {
                    self.near.write_all(slice).expect("a socket");
                }
                sent += connection.buffered_bytes();
                connection.transmitted(usize::MAX);
            }
            took += start.elapsed();
            self.arrived.resize(sent, 0);
            self.far.read_exact(&mut self.arrived).expect("a socket");
        }
        took
    }
}

/// Times what it takes to send a message through a room.
fn sent<'a>(room: &'a RefCell<Room>, text: &'a str) -> Routine<'a> {
    Box::new(move |times| {
        let room = &mut *room.borrow_mut();
        (0..times).map(|_| room.send_through(text)).sum()
    })
}

fn broadcast(criterion: &mut Criterion, size: usize) {
    let text = &json::messages(1, 1, size)[0];
    let config = DeflateConfig::default();
    let offers = DeflateOffer::new(config).offers();
    let answer = DeflateAnswer::new(config);
    let agreed = || {
        let (_, extension) = answer.answer(&offers).expect("what is offered");
        ends::open(Role::Server).with_extension(extension)
    };
    let room = |connections| RefCell::new(Room::new(connections));
    let coded = room((0..CONNECTIONS).map(|_| agreed()).collect());
    let plain = room((0..CONNECTIONS).map(|_| ends::open(Role::Server)).collect());

    let mut group = Group::new(
        criterion,
        format!("broadcast of {size} bytes, engine alone"),
    );
    group.throughput(Throughput::Elements(CONNECTIONS as u64));
    group.measure(
        CONNECTIONS,
        [
            ("framewire", with(&coded, |it| it.send(text))),
            ("not compressed", with(&plain, |it| it.send(text))),
        ],
    );
    group.finish();

    let mut group = Group::new(criterion, format!("broadcast of {size} bytes, sent"));
    group.throughput(Throughput::Elements(CONNECTIONS as u64));
    group.measure(
        CONNECTIONS,
        [
            ("framewire", sent(&coded, text)),
            ("not compressed", sent(&plain, text)),
        ],
    );
    group.finish();
}
