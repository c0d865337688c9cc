//! What compression holds in memory: `cargo bench --bench compression_memory`.
//!
//! Counts the bytes that are allocated, and prints for each agreement what a server's connection
//! holds more than one without: before the first message, right after a message each way, and
//! when it has rested for a second. Then what all connections together keep where no context is
//! kept. Exit status 1 where a connection that rests, or has not been used, holds 2 KiB or more
//! beyond the last bytes that it must remember.

extern crate alloc;

use alloc::sync::Arc;
use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;
use std::alloc::System;
use std::process::ExitCode;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig, DeflateOffer};
use framewire::engine::{
    Answer, Connection, Extension, Inbox, Incoming, Limits, Offer, Role, Timestamp,
};

/// Counts the bytes that are allocated, and hands everything on.
struct Counting;

static HELD: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: usize, sign: i64) {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    HELD.fetch_add(sign * bytes, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every call is handed on as it is to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(at, layout) }
    }
}

const BYTES_MAX: i64 = 2048;
const CONNECTIONS: usize = 100;

/// A client and a server that have agreed.
struct Pair {
    client: Connection,
    server: Connection,
    client_inbox: Inbox,
    server_inbox: Inbox,
}

impl Pair {
    fn open(answer: &DeflateAnswer, offer: &DeflateOffer) -> Self {
        let offer = Box::new(offer.clone());
        let (agreed, theirs) = answer.answer(&offer.offers()).expect("what is offered");
        let ours = offer.accept(&agreed).expect("what was answered");
        let open = |role, extension: Option<Box<dyn Extension>>| {
            let limits = Arc::new(Limits::default());
            let connection = Connection::new(role, limits, Timestamp::ZERO, [7; 32]);
            match extension {
                Some(extension) => connection.with_extension(extension),
                None => connection,
            }
        };
        Self {
            client: open(Role::Client, Some(ours)),
            server: open(Role::Server, Some(theirs)),
            client_inbox: Inbox::new(),
            server_inbox: Inbox::new(),
        }
    }

    /// A message each way, and no buffer left behind.
    fn talk(&mut self, message: &str) {
        pass(
            &mut self.client,
            &mut self.server,
            &mut self.server_inbox,
            message,
        );
        pass(
            &mut self.server,
            &mut self.client,
            &mut self.client_inbox,
            message,
        );
    }

    fn rest(&mut self) {
        let later = Timestamp::ZERO.after(Duration::from_secs(1));
        self.client.timeout(later);
        self.server.timeout(later);
    }
}

fn pass(from: &mut Connection, to: &mut Connection, inbox: &mut Inbox, message: &str) {
    let now = Timestamp::ZERO;
    from.send_text(now, message).expect("room");
    let bytes: Vec<u8> = from.transmit().flatten().copied().collect();
    from.transmitted(bytes.len());
    drop(from.take_send_buffer());
    inbox.space(bytes.len() as u64)[..bytes.len()].copy_from_slice(&bytes);
    inbox.filled(bytes.len());
    let heard = inbox.next(to, now);
    assert!(matches!(heard, Some(Incoming::Message(it)) if it.text() == Some(message)));
    assert!(inbox.next(to, now).is_none());
    drop(inbox.take_buffer());
}

/// The bytes that `work` leaves allocated, for each connection at both of its ends.
fn held<T>(work: impl FnOnce() -> T) -> (i64, T) {
    let before = HELD.load(Ordering::Relaxed);
    let done = work();
    let held = HELD.load(Ordering::Relaxed) - before;
    (held / i64::try_from(CONNECTIONS).unwrap_or(i64::MAX), done)
}

fn main() -> ExitCode {
    let message = "a message that is long enough to be compressed, and then some; ".repeat(8);
    println!("bytes for both ends of a connection   negotiated   after a message   at rest");
    let mut fits = true;
    for bits in [9, 12, 15] {
        for keeps in [true, false] {
            let config = DeflateConfig::default()
                .with_window_bits(bits, bits)
                .with_context_kept(keeps, keeps);
            let (answer, offer) = (DeflateAnswer::new(config), DeflateOffer::new(config));
            let bare = held(|| {
                let limits = || Arc::new(Limits::default());
                let open = |role| Connection::new(role, limits(), Timestamp::ZERO, [7; 32]);
                let each = |_| {
                    (
                        open(Role::Client),
                        open(Role::Server),
                        Inbox::new(),
                        Inbox::new(),
                    )
                };
                (0..CONNECTIONS).map(each).collect::<Vec<_>>()
            });
            let (negotiated, mut pairs) = held(|| {
                let each = |_| Pair::open(&answer, &offer);
                (0..CONNECTIONS).map(each).collect::<Vec<_>>()
            });
            let negotiated = negotiated - bare.0;
            let (used, ()) = held(|| pairs.iter_mut().for_each(|it| it.talk(&message)));
            let (rested, ()) = held(|| pairs.iter_mut().for_each(Pair::rest));
            let at_rest = negotiated + used + rested;
            let kept = if keeps { "context kept" } else { "no context" };
            println!("{bits:>2} bits, {kept:<12} {negotiated:>24} {used:>17} {at_rest:>9}");
            // Each end remembers the other's last message, or the window if that is shorter.
            let window = if keeps {
                message.len().min(1 << bits)
            } else {
                0
            };
            let remembered = 2 * i64::try_from(window.next_power_of_two()).unwrap_or(i64::MAX);
            fits &= negotiated < 2 * BYTES_MAX && at_rest - remembered < 2 * BYTES_MAX;
        }
    }
    if fits {
        ExitCode::SUCCESS
    } else {
        eprintln!("an end of a connection holds more than {BYTES_MAX} bytes");
        ExitCode::FAILURE
    }
}
