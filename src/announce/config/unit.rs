//! Numbers with a unit: times, sizes and rates, read strictly and written back.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;
use core::time::Duration;

const TIMES: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("y", 365 * 86_400_000),
];

const SIZES: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const PERIODS: [(&str, u64); 3] = [("s", 1), ("m", 60), ("h", 3600)];

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how long: a second, a minute or an hour.
    pub period: Duration,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.count)?;
        let seconds = self.period.as_secs();
        match PERIODS.iter().find(|(_, length)| *length == seconds) {
            Some((unit, _)) => f.write_str(unit),
            None => write!(f, "{seconds}s"),
        }
    }
}

/// A time of whole milliseconds: digits, then `ms`, `s`, `m`, `h`, `d` or `y` (365 days).
pub(crate) fn time(text: &str) -> Option<Duration> {
    scaled(text, &TIMES).map(Duration::from_millis)
}

/// A number of bytes: digits, then `B`, `KiB`, `MiB` or `GiB`.
pub(crate) fn size(text: &str) -> Option<u64> {
    scaled(text, &SIZES)
}

/// A rate: digits, then `/s`, `/m` or `/h`.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let (count, unit) = text.split_once('/')?;
    let (_, seconds) = PERIODS.iter().find(|(name, _)| *name == unit)?;
    let (count, period) = (whole(count)?, Duration::from_secs(*seconds));
    Some(Rate { count, period })
}

/// Digits and nothing else.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    whole(number)?.checked_mul(*scale)
}

/// A time in the largest unit that leaves no rest.
pub(crate) fn show_time(time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    show(millis, &TIMES)
}

/// A size in the largest unit that leaves no rest.
pub(crate) fn show_size(bytes: u64) -> String {
    show(bytes, &SIZES)
}

fn show(value: u64, units: &[(&str, u64)]) -> String {
    let fitting = units
        .iter()
        .rev()
        .find(|(_, scale)| value > 0 && value.is_multiple_of(*scale));
    match fitting.or_else(|| units.first()) {
        Some((unit, scale)) => format!("{}{unit}", value / scale),
        None => value.to_string(),
    }
}
