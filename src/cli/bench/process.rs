//! What a process of this machine has used, as Linux tells it.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::fmt::Display;
use std::fs;

/// A tick of `/proc/PID/stat`, in nanoseconds: a hundredth of a second on every Linux.
const TICK: u64 = 10_000_000;

/// What a process has used so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time of its threads, to the nanosecond, where that is told.
    exact: Option<(u64, BTreeSet<String>)>,
    /// Processor time of all threads there have been, in user and system, to the tick.
    ticks: u64,
    /// Memory that is resident, in bytes.
    pub(crate) resident: u64,
}

impl Usage {
    /// Of this process.
    pub(crate) fn own() -> Option<Self> {
        Self::of(&"self")
    }

    /// Of the process with this identifier; none where it is not there.
    pub(crate) fn of(process: &dyn Display) -> Option<Self> {
        let folder = alloc::format!("/proc/{process}");
        let stat = fs::read_to_string(alloc::format!("{folder}/stat")).ok()?;
        let status = fs::read_to_string(alloc::format!("{folder}/status")).ok()?;
        let memory = fs::read_to_string(alloc::format!("{folder}/smaps_rollup"));
        Some(Self {
            exact: exact(&folder),
            ticks: ticks(&stat)? * TICK,
            resident: memory
                .ok()
                .and_then(|text| kibibytes(&text, "Rss:"))
                .or_else(|| kibibytes(&status, "VmRSS:"))?
                * 1024,
        })
    }

    /// Nanoseconds of processor time since `before`.
    pub(crate) fn time_since(&self, before: &Self) -> u64 {
        match (&self.exact, &before.exact) {
            // A thread that has ended takes its figure along.
            (Some((now, threads)), Some((then, before))) if before.is_subset(threads) => {
                now.saturating_sub(*then)
            }
            _ => self.ticks.saturating_sub(before.ticks),
        }
    }
}

/// The sum of all threads, and which they are.
fn exact(folder: &str) -> Option<(u64, BTreeSet<String>)> {
    let (mut sum, mut threads) = (0, BTreeSet::new());
    for entry in fs::read_dir(alloc::format!("{folder}/task")).ok()? {
        let entry = entry.ok()?;
        let Ok(text) = fs::read_to_string(entry.path().join("schedstat")) else {
            // It has ended just now.
            continue;
        };
        sum += text.split_whitespace().next()?.parse::<u64>().ok()?;
        threads.insert(entry.file_name().to_string_lossy().into_owned());
    }
    (!threads.is_empty()).then_some((sum, threads))
}

/// `utime` and `stime`; what stands before them may hold anything, up to the last bracket.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut field = || fields.next()?.parse::<u64>().ok();
    Some(field()? + field()?)
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_whatever_the_program_is_called() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 31 0 0 20";
        assert_eq!(ticks(stat), Some(281));
        assert_eq!(
            kibibytes("VmPeak: 9 kB\nVmRSS:\t 42 kB\n", "VmRSS:"),
            Some(42)
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn time_that_is_spent_is_seen() {
        let before = Usage::own().unwrap();
        let mut sum = 0_u64;
        let usage = loop {
            sum = (0..1_000_000).fold(sum, |sum, it| core::hint::black_box(sum ^ it));
            let usage = Usage::own().unwrap();
            if usage.time_since(&before) >= 2 * TICK {
                break usage;
            }
        };
        assert!(usage.resident > 0);
        assert!(Usage::of(&u32::MAX).is_none());
    }

    #[test]
    fn threads_that_have_ended_do_not_turn_time_back() {
        let usage = |nanoseconds, threads: &[&str], ticks| Usage {
            exact: Some((
                nanoseconds,
                threads.iter().map(|it| String::from(*it)).collect(),
            )),
            ticks,
            resident: 1,
        };
        let before = usage(500, &["1", "2"], 1000);
        assert_eq!(usage(900, &["1", "2", "3"], 0).time_since(&before), 400);
        assert_eq!(usage(100, &["1"], 3000).time_since(&before), 2000);
    }
}
