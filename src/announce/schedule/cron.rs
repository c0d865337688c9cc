//! Cron expressions, and the instants at which they are due in a time zone.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The longest expression, in bytes.
pub const CRON_BYTES_MAX: usize = 256;

/// One of the five fields of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31, `L`, `LW`, `15W`.
    Day,
    /// 1 to 12, or `JAN` to `DEC`.
    Month,
    /// 0 to 7 (0 and 7 are Sunday), or `SUN` to `SAT`; `5L`, `5#3`.
    Weekday,
}

impl Field {
    pub(crate) const ALL: [Self; 5] = [
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Month,
        Self::Weekday,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute (0 to 59)",
            Self::Hour => "hour (0 to 23)",
            Self::Day => "day (1 to 31, L, LW or 15W)",
            Self::Month => "month (1 to 12 or JAN to DEC)",
            Self::Weekday => "weekday (0 to 7 or SUN to SAT, 5L or 5#3)",
        }
    }
}

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CronError {
    /// Longer than [`CRON_BYTES_MAX`].
    Long,
    /// Not five fields.
    Fields {
        /// How many there are.
        found: usize,
    },
    /// A field cannot be read.
    Field {
        /// Which.
        field: Field,
        /// Its text.
        text: String,
    },
    /// No day is ever meant, as with February 30.
    Never,
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Long => write!(f, "longer than {CRON_BYTES_MAX} bytes"),
            Self::Fields { found } => write!(
                f,
                "{found} fields instead of five: minute hour day month weekday"
            ),
            Self::Field { field, text } => write!(f, "no {}: {text:?}", field.name()),
            Self::Never => f.write_str("no date ever matches"),
        }
    }
}

impl core::error::Error for CronError {}

/// A cron expression: minute, hour, day of the month, month, weekday.
///
/// A field holds `*`, a value, a range `1-5`, a step `*/15` or `10-50/20`, or a list of these
/// with commas. Months and weekdays may be named by three letters. `L` is the last day of the
/// month, `LW` its last weekday from Monday to Friday, `15W` the weekday nearest to day 15
/// within the month, `5L` the last Friday and `5#3` the third. Where day and weekday are both
/// restricted, a date that matches either is meant, as in every cron.
///
/// A month without the day that is named is skipped: `31` runs in seven months of the year and
/// nothing is moved to the 30th. `L` is what runs at the end of every month.
///
/// Three rules hold when clocks change.
///
/// - A local time that does not exist, because the clock is put forward over it, is run once,
///   at the instant of the change. Several such times are one run.
/// - A local time that comes twice, because the clock is put back, is run the first time.
/// - An expression whose hour field begins with `*` describes an interval, which goes on in
///   absolute time: it runs at each instant whose local time matches, so twice where the time
///   comes twice, and nothing is added for times that do not exist.
#[derive(Clone)]
pub struct Cron {
    text: String,
    fields: [String; 5],
    parsed: croner::Cron,
    is_interval: bool,
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({self})")
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Cron {}

impl Cron {
    /// Reads an expression of five fields parted by white space.
    ///
    /// # Errors
    ///
    /// [`CronError`], which names the field that cannot be read.
    pub fn new(text: &str) -> Result<Self, CronError> {
        if text.len() > CRON_BYTES_MAX {
            return Err(CronError::Long);
        }
        let found: Vec<String> = text
            .split_whitespace()
            .map(str::to_ascii_uppercase)
            .collect();
        let fields: [String; 5] = found
            .try_into()
            .map_err(|found: Vec<String>| CronError::Fields { found: found.len() })?;
        for (at, field) in Field::ALL.into_iter().enumerate() {
            check(at, &fields[at]).ok_or_else(|| CronError::Field {
                field,
                text: fields[at].clone(),
            })?;
        }
        let parsed = parse(&fields.join(" ")).ok_or(CronError::Never)?;
        let is_interval = fields[1].starts_with('*');
        let cron = Self {
            text: fields.join(" "),
            fields,
            parsed,
            is_interval,
        };
        //= A27
        // A leap day on a given weekday comes once in 40 years at the latest.
        let from = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
        match cron.next_local(from, true) {
            Some(first) if first.year() < 2050 => Ok(cron),
            _ => Err(CronError::Never),
        }
    }

    /// The expression in capitals, its fields parted by single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) const fn fields(&self) -> &[String; 5] {
        &self.fields
    }

    /// The first run after an instant, that instant excluded; `None` past the year 4999.
    #[must_use]
    pub fn next_after(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        match self.is_interval {
            true => self.next_of_interval(zone, after),
            false => self.next_of_local_times(zone, after),
        }
    }

    /// All runs after an instant, in order.
    #[must_use]
    pub const fn runs_after<'a>(&'a self, zone: &'a TimeZone, after: Timestamp) -> Runs<'a> {
        Runs {
            cron: self,
            zone,
            after,
        }
    }

    /// Local times are resolved to instants in their own order, so the first local time that
    /// lies late enough is the answer; those that the clock shows again resolve too early.
    fn next_of_local_times(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        //= A22
        let mut local = zone.to_datetime(after);
        loop {
            local = self.next_local(local, false)?;
            let at = first_instant(zone, local)?;
            if at > after {
                return Some(at);
            }
        }
    }

    /// Between two changes of the clock the offset is fixed, and the search is arithmetic.
    fn next_of_interval(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let mut from = after;
        let mut is_included = false;
        loop {
            let offset = zone.to_offset(from);
            let local = self.next_local(offset.to_datetime(from), is_included)?;
            let at = offset.to_timestamp(local).ok()?;
            match zone.following(from).next() {
                Some(change) if change.timestamp() <= at => {
                    from = change.timestamp();
                    is_included = true;
                }
                _ => return Some(at),
            }
        }
    }

    /// The next matching time on a clock that is never changed.
    fn next_local(&self, from: DateTime, is_included: bool) -> Option<DateTime> {
        let from = from.with().subsec_nanosecond(0).build().ok()?;
        let from = from.to_zoned(TimeZone::UTC).ok()?;
        let found = self.parsed.find_next_occurrence(&from, is_included).ok()?;
        Some(found.datetime())
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The runs of a [`Cron`], in order.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    cron: &'a Cron,
    zone: &'a TimeZone,
    after: Timestamp,
}

impl Iterator for Runs<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        self.after = self.cron.next_after(self.zone, self.after)?;
        Some(self.after)
    }
}

/// The first instant at which a clock shows a time, or passes over it.
fn first_instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(local).ok()
        }
        AmbiguousOffset::Gap { before, .. } => {
            // The time as it would be without the change lies at the change or behind it.
            let without = before.to_timestamp(local).ok()?;
            let behind = without
                .checked_add(jiff::SignedDuration::from_secs(1))
                .ok()?;
            zone.preceding(behind)
                .next()
                .map(|change| change.timestamp())
        }
    }
}

/// Reads one field with all others open.
fn check(at: usize, text: &str) -> Option<()> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"*,-/#".contains(&byte);
    if !text.bytes().all(is_known) || text.split(',').any(str::is_empty) {
        return None;
    }
    let mut fields = ["*"; 5];
    fields[at] = text;
    parse(&fields.join(" ")).map(drop)
}

fn parse(text: &str) -> Option<croner::Cron> {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser.parse(text).ok()
}

/// The last runs of an interval of time, at most `max`, in order; and whether there were more.
///
/// The window grows backwards from its end, so that a long time does not have to be walked.
pub(crate) fn last_runs(
    cron: &Cron,
    zone: &TimeZone,
    after: Timestamp,
    until: Timestamp,
    max: usize,
) -> (Vec<Timestamp>, bool) {
    let mut window = jiff::SignedDuration::from_hours(1);
    loop {
        let start = until
            .checked_sub(window)
            .map_or(after, |start| start.max(after));
        let runs = cron.runs_after(zone, start).take_while(|at| *at <= until);
        let mut runs: Vec<Timestamp> = runs.collect();
        if start == after || runs.len() > max {
            let more = runs.len().saturating_sub(max);
            runs.drain(..more);
            return (runs, more > 0);
        }
        window = window.saturating_mul(2);
    }
}

/// The next runs as text, each in local time and in UTC.
///
/// `Thu 2026-12-10 10:01 Europe/Stockholm (+01:00) = 2026-12-10T09:01:00Z`
#[must_use]
pub fn next_runs(cron: &Cron, zone: &TimeZone, now: Timestamp, n: usize) -> Vec<String> {
    let line = |at: Timestamp| {
        let local = at.to_zoned(zone.clone());
        let name = zone.iana_name().unwrap_or("local time").to_owned();
        let shown = local.strftime("%a %Y-%m-%d %H:%M").to_string();
        let offset = local.strftime("%:z").to_string();
        format!("{shown} {name} ({offset}) = {at}")
    };
    cron.runs_after(zone, now).take(n).map(line).collect()
}
