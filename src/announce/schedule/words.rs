//! A plan in English.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::announce::schedule::cron::Cron;
use crate::announce::schedule::plan::Plan;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// More times of a day than this are told by their fields.
const TIMES_MAX: usize = 6;

/// When a plan runs, in English: `at 10:01 on day 10 of every month, Europe/Stockholm`.
#[must_use]
pub fn words(plan: &Plan) -> String {
    //= A20
    //= A21
    let zone = plan.timezone.iana_name().unwrap_or("local time");
    format!("{}, {zone}", cron_words(&plan.cron))
}

/// When an expression is due, in English: `at 10:01 on day 10 of every month`.
#[must_use]
pub fn cron_words(cron: &Cron) -> String {
    format!("{} {}", times(cron), days(cron))
}

/// The part about minute and hour.
fn times(cron: &Cron) -> String {
    let [minute, hour, ..] = cron.fields();
    if let (Some(minutes), Some(hours)) = (numbers(minute), numbers(hour))
        && minutes.len() * hours.len() <= TIMES_MAX
    {
        let clock = |h: u8| minutes.iter().map(move |m| format!("{h:02}:{m:02}"));
        let times: Vec<String> = hours.into_iter().flat_map(clock).collect();
        return format!("at {}", listed(&times, "and"));
    }
    match (minute.as_str(), hour.as_str()) {
        ("*", "*") => "every minute".to_owned(),
        (_, "*") => match minute.strip_prefix("*/").and_then(number) {
            Some(step) if step > 0 && 60 % step == 0 => format!("every {step} minutes"),
            _ => format!("at {} of every hour", items(minute, "minute", plain)),
        },
        ("*", _) => format!("every minute of {}", items(hour, "hour", plain)),
        _ => {
            let minutes = items(minute, "minute", plain);
            format!("at {minutes} of {}", items(hour, "hour", plain))
        }
    }
}

/// The part about day, month and weekday.
fn days(cron: &Cron) -> String {
    let [_, _, day, month, weekday] = cron.fields();
    let months = match month.as_str() {
        "*" => "every month".to_owned(),
        _ => items(month, "month", name_of_month),
    };
    let in_months = match month.as_str() {
        "*" => String::new(),
        _ => format!(" in {months}"),
    };
    let by_day = format!("on {} of {months}", items(day, "day", plain));
    let by_weekday = items(weekday, "weekday", name_of_weekday);
    match (day.as_str(), weekday.as_str()) {
        ("*", "*") => format!("every day{in_months}"),
        (_, "*") => by_day,
        ("*", _) => format!("on {by_weekday}{in_months}"),
        _ => format!("{by_day} and also on {by_weekday}{in_months}"),
    }
}

/// A list of single numbers.
fn numbers(field: &str) -> Option<Vec<u8>> {
    field.split(',').map(number).collect()
}

fn number(text: &str) -> Option<u8> {
    text.parse().ok()
}

/// A field, item by item. `unit` is what one value is called, unless its name says so.
fn items(field: &str, unit: &str, name: fn(&str) -> Option<String>) -> String {
    let says_itself = matches!(unit, "month" | "weekday");
    let value = |text: &str| {
        let named = name(text).unwrap_or_else(|| text.to_owned());
        match says_itself {
            true => named,
            false => format!("{unit} {named}"),
        }
    };
    let item = |text: &str| {
        if let Some((range, step)) = text.split_once('/') {
            let every = format!("every {} {unit}", ordinal(step));
            return match range.split_once('-') {
                Some((from, to)) => format!("{every} from {} to {}", value(from), value(to)),
                None if range == "*" => every,
                None => format!("{every} from {}", value(range)),
            };
        }
        if text == "*" {
            return format!("every {unit}");
        }
        if let Some((from, to)) = text.split_once('-') {
            return match says_itself {
                true => format!("{} to {}", value(from), value(to)),
                false => format!("{unit}s {from} to {to}"),
            };
        }
        special(text, unit, name).unwrap_or_else(|| value(text))
    };
    let told: Vec<String> = field.split(',').map(item).collect();
    listed(&told, "and")
}

/// `L`, `LW`, `15W`, `5L` and `5#3`.
fn special(text: &str, unit: &str, name: fn(&str) -> Option<String>) -> Option<String> {
    match (unit, text) {
        ("day", "L") => return Some("the last day".to_owned()),
        ("day", "LW") => return Some("the last day from Monday to Friday".to_owned()),
        _ => {}
    }
    if let ("day", Some(day)) = (unit, text.strip_suffix('W')) {
        return Some(format!(
            "the day from Monday to Friday nearest to day {day}"
        ));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let which = match nth {
            "L" => "last".to_owned(),
            _ => ordinal(nth),
        };
        return Some(format!("the {which} {} of the month", name(day)?));
    }
    let day = text.strip_suffix('L')?;
    Some(format!("the last {} of the month", name(day)?))
}

fn plain(text: &str) -> Option<String> {
    number(text).map(|number| number.to_string())
}

fn name_of_month(text: &str) -> Option<String> {
    let starts = |month: &&&str| month.get(..3).is_some_and(|m| m.eq_ignore_ascii_case(text));
    let by_number = number(text)
        .and_then(|number| number.checked_sub(1))
        .and_then(|at| MONTHS.get(usize::from(at)));
    let found = by_number.or_else(|| MONTHS.iter().find(starts));
    found.map(|&name| name.to_owned())
}

fn name_of_weekday(text: &str) -> Option<String> {
    let starts = |day: &&&str| day.get(..3).is_some_and(|d| d.eq_ignore_ascii_case(text));
    let by_number = number(text).and_then(|number| WEEKDAYS.get(usize::from(number % 7)));
    let found = by_number.or_else(|| WEEKDAYS.iter().find(starts));
    found.map(|&name| name.to_owned())
}

/// `2` is `2nd`.
fn ordinal(text: &str) -> String {
    let ending = match text {
        _ if text.len() == 2 && text.starts_with('1') => "th",
        _ if text.ends_with('1') => "st",
        _ if text.ends_with('2') => "nd",
        _ if text.ends_with('3') => "rd",
        _ => "th",
    };
    format!("{text}{ending}")
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}
