//! How the runs of each schedule came to their end, counted since the runner began.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use std::sync::{Mutex, PoisonError};

/// How many schedules are told apart. Plans come and go as the configuration is read again.
const NAMED_MAX: usize = 100;

/// What the others are counted under; no schedule can have this identifier.
const OTHERS: &str = "(others)";

/// How the runs of one schedule came to their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tallied {
    /// Runs that were announced, when they were due or by hand.
    pub announced: u64,
    /// Runs that fell into a pause, or were missed and are not made up.
    pub skipped: u64,
    /// Runs that nobody named an audience for, and times at which the store or, by hand, the hook
    /// did not do what was asked.
    pub failed: u64,
}

/// What became of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Announced,
    Skipped,
    Failed,
}

#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<String, Tallied>>);

impl Tally {
    pub(crate) fn count(&self, schedule: &str, fate: Fate) {
        let mut tallied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_named = tallied.contains_key(schedule) || tallied.len() < NAMED_MAX;
        let name = if is_named { schedule } else { OTHERS };
        let tallied = tallied.entry(name.to_owned()).or_default();
        *match fate {
            Fate::Announced => &mut tallied.announced,
            Fate::Skipped => &mut tallied.skipped,
            Fate::Failed => &mut tallied.failed,
        } += 1;
    }

    pub(crate) fn all(&self) -> Vec<(String, Tallied)> {
        let tallied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = tallied.iter();
        all.map(|(name, tallied)| (name.clone(), *tallied))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_schedules_are_told_apart() {
        let tally = Tally::default();
        for number in 0..NAMED_MAX + 7 {
            tally.count(&alloc::format!("s{number}"), Fate::Announced);
        }
        tally.count("s3", Fate::Skipped);
        tally.count("s3", Fate::Failed);
        let all = tally.all();
        assert_eq!(all.len(), NAMED_MAX + 1);
        let of = |name: &str| all.iter().find(|(it, _)| it == name).map(|(_, it)| *it);
        assert_eq!(of(OTHERS).map(|it| it.announced), Some(7));
        let third = of("s3").map(|it| (it.announced, it.skipped, it.failed));
        assert_eq!(third, Some((1, 1, 1)));
    }
}
