//! Members, what they want to hear, and what becomes of those who are slow.

extern crate alloc;

mod at_once;
mod branch;
mod concurrency;
mod dropping;
mod members;
mod model;
mod slow;

use framewire::engine::Prepared;
use framewire::hub::{Counts, Delivery, Member};
use framewire::wire::close::{CloseCode, CloseReason};

fn text(text: &str) -> Prepared {
    Prepared::text(text)
}

fn reason(code: u16) -> CloseReason {
    CloseReason::new(CloseCode::new(code), "").expect("a code that may be sent")
}

/// A delivery in words.
fn say(delivery: Delivery) -> String {
    match delivery {
        Delivery::Message(message) => String::from_utf8_lossy(message.payload()).into_owned(),
        Delivery::Close(reason) => {
            format!("close {}", reason.code().map_or(0, |code| code.get()))
        }
        _ => "something new".into(),
    }
}

/// Everything that the member has to do now.
fn all(member: &mut Member) -> Vec<String> {
    core::iter::from_fn(|| member.try_next().map(say)).collect()
}

fn expect_balanced(counts: Counts) {
    let known = counts.taken + counts.dropped + counts.waiting;
    assert_eq!(counts.offered, known, "{counts:?}");
}
