//! When a schedule is due, against a twin that looks at every minute.

use framewire::announce::schedule::{Cron, CronError, Field, next_runs, time_zone};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn runs(cron: &str, zone: &str, after: &str, n: usize) -> Vec<String> {
    let (cron, zone) = (Cron::new(cron).unwrap(), time_zone(zone).unwrap());
    let after: Timestamp = after.parse().unwrap();
    let runs = cron.runs_after(&zone, after).take(n);
    runs.map(|at| at.to_string()).collect()
}

#[test]
fn the_two_strings_of_the_first_server_run_at_ten_past_one() {
    //= A20 type=test
    //= A21 type=test
    let now = "2026-12-01T00:00:00Z";
    let first = |cron| runs(cron, "UTC", now, 1).remove(0);
    assert_eq!(first("10 1 10 * *"), "2026-12-10T01:10:00Z");
    assert_eq!(first("10 1 20 * *"), "2026-12-20T01:10:00Z");
    assert_eq!(first("1 10 10 * *"), "2026-12-10T10:01:00Z");
    assert_eq!(first("1 10 20 * *"), "2026-12-20T10:01:00Z");
}

#[test]
fn next_runs_are_told_in_local_time_and_in_utc() {
    let cron = Cron::new("1 10 10 * *").unwrap();
    let zone = time_zone("Europe/Stockholm").unwrap();
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        next_runs(&cron, &zone, now, 2),
        [
            "Tue 2026-03-10 10:01 Europe/Stockholm (+01:00) = 2026-03-10T09:01:00Z",
            "Fri 2026-04-10 10:01 Europe/Stockholm (+02:00) = 2026-04-10T08:01:00Z",
        ]
    );
}

#[test]
fn a_time_that_does_not_exist_is_run_once_right_after_the_change() {
    //= A22 type=test
    let stockholm = runs(
        "0,15,30 2 * * *",
        "Europe/Stockholm",
        "2026-03-28T12:00:00Z",
        2,
    );
    assert_eq!(stockholm, ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]);
    let new_york = runs("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2);
    assert_eq!(new_york, ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]);
    // Half an hour is missing: 02:00 to 02:30.
    let lord_howe = runs(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T00:00:00Z",
        2,
    );
    assert_eq!(lord_howe, ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]);
    // December 30 does not exist.
    let apia = runs("0 10 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 2);
    assert_eq!(apia, ["2011-12-30T10:00:00Z", "2012-12-29T20:00:00Z"]);
}

#[test]
fn a_time_that_comes_twice_is_run_the_first_time() {
    //= A22 type=test
    let stockholm = runs("30 2 * * *", "Europe/Stockholm", "2026-10-24T12:00:00Z", 2);
    assert_eq!(stockholm, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    // Asked in the second pass, the first is over.
    let late = runs(
        "*/20 2 * * *",
        "Europe/Stockholm",
        "2026-10-25T01:05:00Z",
        1,
    );
    assert_eq!(late, ["2026-10-26T01:00:00Z"]);
    let lord_howe = runs(
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-03T20:00:00Z",
        2,
    );
    assert_eq!(lord_howe, ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]);
}

#[test]
fn intervals_go_on_in_absolute_time() {
    //= A22 type=test
    for (zone, start) in [
        ("Europe/Stockholm", "2026-03-28T23:59:00Z"),
        ("Europe/Stockholm", "2026-10-24T23:59:00Z"),
        ("Pacific/Apia", "2011-12-30T07:59:00Z"),
    ] {
        let (cron, zone) = (Cron::new("*/20 * * * *").unwrap(), time_zone(zone).unwrap());
        let start: Timestamp = start.parse().unwrap();
        let first = start + SignedDuration::from_mins(1);
        for (n, at) in (0..).zip(cron.runs_after(&zone, start).take(20)) {
            assert_eq!(at, first + SignedDuration::from_mins(20 * n));
        }
    }
}

#[test]
fn short_months_are_skipped_and_the_last_day_is_named() {
    //= A27 type=test
    let from = "2027-12-31T23:00:00Z";
    let days = |cron: &str, n| {
        let runs = runs(cron, "UTC", from, n).into_iter();
        runs.map(|at| at[5..10].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(days("0 9 31 * *", 4), ["01-31", "03-31", "05-31", "07-31"]);
    assert_eq!(days("0 9 29 2 *", 2), ["02-29", "02-29"]);
    let ends = days("0 9 L * *", 12);
    assert_eq!(ends[1], "02-29");
    assert_eq!(ends[3], "04-30");
    assert_eq!(ends[11], "12-31");
    assert_eq!(days("0 9 LW * *", 4), ["01-31", "02-29", "03-31", "04-28"]);
    assert_eq!(days("0 9 15W * *", 4), ["01-14", "02-15", "03-15", "04-14"]);
    assert_eq!(days("0 9 * * FRI#3", 2), ["01-21", "02-18"]);
    assert_eq!(days("0 9 * 12 5L", 1), ["12-29"]);
    // Either of the two, where both are restricted.
    assert_eq!(days("0 9 13 1 FRI", 3), ["01-07", "01-13", "01-14"]);
}

#[test]
fn an_expression_that_cannot_be_read_says_which_field() {
    for (text, field) in [
        ("60 * * * *", Field::Minute),
        ("@ * * * *", Field::Minute),
        ("0 24 * * *", Field::Hour),
        ("0 0 32 * *", Field::Day),
        ("0 0 0 * *", Field::Day),
        ("0 0 1 13 *", Field::Month),
        ("0 0 1 FOO *", Field::Month),
        ("0 0 * * 8", Field::Weekday),
        ("0 0 * * +FRI", Field::Weekday),
        ("*/0 * * * *", Field::Minute),
        ("5-1 * * * *", Field::Minute),
        ("1,,2 * * * *", Field::Minute),
    ] {
        match Cron::new(text) {
            Err(CronError::Field { field: found, .. }) => assert_eq!(found, field, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(Cron::new("@daily"), Err(CronError::Fields { found: 1 }));
    assert_eq!(
        Cron::new("0 0 1 1 * 2027"),
        Err(CronError::Fields { found: 6 })
    );
    assert_eq!(Cron::new("0 0 30 2 *"), Err(CronError::Never));
    assert_eq!(Cron::new(&"1,".repeat(200)), Err(CronError::Long));
    assert!(time_zone("Europe/Atlantis").is_err());
}

/// A field of the twin: what is written, and what it lets through.
#[derive(Clone, Debug)]
struct Spelt(String, Vec<i8>);

fn spelt(min: i8, max: i8) -> impl Strategy<Value = Spelt> {
    let all: Vec<i8> = (min..=max).collect();
    let value = min..=max;
    prop_oneof![
        2 => Just(Spelt("*".into(), all)),
        3 => value.clone().prop_map(|v| Spelt(v.to_string(), vec![v])),
        1 => (1..=max).prop_map(move |step| {
            let values = (min..=max).step_by(usize::try_from(step).unwrap());
            Spelt(format!("*/{step}"), values.collect())
        }),
        1 => (value.clone(), value.clone()).prop_map(|(a, b)| {
            let (a, b) = (a.min(b), a.max(b));
            Spelt(format!("{a}-{b}"), (a..=b).collect())
        }),
        1 => (value.clone(), value).prop_map(|(a, b)| Spelt(format!("{a},{b}"), vec![a, b])),
    ]
}

/// The twin: walks all minutes of a time, and looks at what the clock shows.
fn walked(
    zone: &TimeZone,
    from: Timestamp,
    minutes: i64,
    is_interval: bool,
    matches: impl Fn(DateTime) -> bool,
) -> Vec<Timestamp> {
    let minute = SignedDuration::from_mins(1);
    // A day before, so that it is known which times were shown already.
    let mut at = from - SignedDuration::from_hours(24);
    let until = from + SignedDuration::from_mins(minutes);
    let mut seen = zone.to_datetime(at);
    let mut runs = Vec::new();
    while at < until {
        at += minute;
        let local = zone.to_datetime(at);
        let is_due = if is_interval {
            matches(local)
        } else {
            // All times from the last one shown up to this one; none, if they were shown before.
            let mut due = false;
            while seen < local {
                seen += minute;
                due |= matches(seen);
            }
            due
        };
        if is_due && at > from {
            runs.push(at);
        }
    }
    runs
}

const CHANGES: [(&str, &str); 9] = [
    ("Europe/Stockholm", "2026-03-29T01:00:00Z"),
    ("Europe/Stockholm", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Asia/Kathmandu", "2026-01-01T00:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("UTC", "2028-02-29T00:00:00Z"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn prop_runs_are_those_of_a_walk_over_all_minutes(
        minute in spelt(0, 59),
        hour in prop_oneof![
            spelt(0, 23),
            (0..4_i8).prop_map(|hour| Spelt(hour.to_string(), vec![hour])),
        ],
        day in spelt(1, 31),
        weekday in prop_oneof![3 => Just(None), 1 => spelt(0, 6).prop_map(Some)],
        change in 0..CHANGES.len(),
        before in 0..2880_i64,
    ) {
        let (zone, at) = CHANGES[change];
        let zone = time_zone(zone).unwrap();
        let from = at.parse::<Timestamp>().unwrap() - SignedDuration::from_mins(before);
        let weekday = weekday.unwrap_or_else(|| Spelt("*".into(), (0..=6).collect()));
        let text = format!("{} {} {} * {}", minute.0, hour.0, day.0, weekday.0);
        let cron = Cron::new(&text).unwrap();
        let matches = |local: DateTime| {
            let by_day = day.1.contains(&local.day());
            let by_weekday = weekday.1.contains(&local.weekday().to_sunday_zero_offset());
            let is_day = match (day.0.as_str(), weekday.0.as_str()) {
                ("*", _) => by_weekday,
                (_, "*") => by_day,
                _ => by_day || by_weekday,
            };
            minute.1.contains(&local.minute()) && hour.1.contains(&local.hour()) && is_day
        };
        let minutes = 2 * 2880;
        let expected = walked(&zone, from, minutes, hour.0.starts_with('*'), matches);
        let until = from + SignedDuration::from_mins(minutes);
        let found: Vec<_> = cron.runs_after(&zone, from).take_while(|at| *at <= until).collect();
        prop_assert_eq!(found, expected, "{} from {}", text, from);
    }
}
