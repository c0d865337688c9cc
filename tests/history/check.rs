//! The checker: which promises a history breaks, and the lines that show it.

mod facts;
mod feeds;
mod reading;
mod stored;

use crate::record::History;
use facts::Facts;
pub(crate) use reading::overtaken;

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// What was acknowledged to its publisher is there.
    Lost,
    /// Nothing is there twice.
    Doubled,
    /// A feed has one order, the same for everybody, without holes.
    Order,
    /// Nothing reaches anybody whom it is not for.
    Leaked,
    /// What was read stays read, on all devices.
    Unread,
    /// The newest version is the one that is shown.
    Stale,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    pub(crate) text: String,
}

/// Judges a history. Nothing depends on the order of the clients.
pub(crate) fn check(history: &History) -> Vec<Fault> {
    let facts = Facts::of(history);
    let mut faults = Vec::new();
    feeds::leaks(history, &mut faults);
    feeds::orders(history, &mut faults);
    feeds::one_order(history, &mut faults);
    stored::check(history, &facts, &mut faults);
    reading::check(history, &facts, &mut faults);
    faults.sort_by_key(|fault| fault.rule);
    faults
}

/// The first faults, as few as tell what is wrong.
pub(crate) fn excerpt(faults: &[Fault]) -> String {
    let mut text = format!("{} faults", faults.len());
    for fault in faults.iter().take(8) {
        text += &format!("\n{:?}: {}", fault.rule, fault.text);
    }
    text
}

fn fault(rule: Rule, text: String) -> Fault {
    Fault { rule, text }
}
