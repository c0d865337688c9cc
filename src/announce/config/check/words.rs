//! A cron expression in words.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

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
const DAYS: [&str; 8] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// `1 10 20 * *` is "at 10:01 on day 20 of every month".
pub(super) fn of(cron: &str) -> String {
    let fields: Vec<&str> = cron.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else {
        return "at no time".to_owned();
    };
    let month = match *month {
        "*" => None,
        field => Some(listed(field, &|it| named(it, &MONTHS, 1))),
    };
    let days = match (*day, *weekday) {
        ("*", "*") => match &month {
            None => "every day".to_owned(),
            Some(month) => format!("every day of {month}"),
        },
        (day, "*") => format!(
            "on {} of {}",
            days(day),
            month.as_deref().unwrap_or("every month")
        ),
        ("*", weekday) => format!("every {}{}", weekdays(weekday), in_month(month.as_deref())),
        (day, weekday) => format!(
            "on {} and every {}, {}",
            days(day),
            weekdays(weekday),
            month.as_deref().unwrap_or("every month")
        ),
    };
    format!("{} {days}", time(minute, hour))
}

fn in_month(month: Option<&str>) -> String {
    month.map_or_else(String::new, |month| format!(" in {month}"))
}

fn time(minute: &str, hour: &str) -> String {
    let number = |field: &str| field.parse::<u8>().ok();
    match (number(minute), number(hour)) {
        (Some(minute), Some(hour)) => format!("at {hour:02}:{minute:02}"),
        (Some(minute), None) if hour == "*" => format!("every hour at :{minute:02},"),
        _ if minute == "*" && hour == "*" => "every minute,".to_owned(),
        _ => {
            let minutes = part(minute, "minute");
            let hours = part(hour, "hour");
            format!("{minutes} of {hours},")
        }
    }
}

/// A field that is not simply a number.
fn part(field: &str, unit: &str) -> String {
    match (field, field.strip_prefix("*/")) {
        ("*", _) => format!("every {unit}"),
        (_, Some(step)) => format!("every {step}th {unit}"),
        _ => format!("{unit} {}", listed(field, &ToString::to_string)),
    }
}

fn days(field: &str) -> String {
    match field {
        "L" => "the last day".to_owned(),
        _ => part(field, "day"),
    }
}

fn weekdays(field: &str) -> String {
    listed(field, &|it| named(it, &DAYS, 0))
}

/// `1,3-5` as `1, 3 to 5`.
fn listed(field: &str, name: &dyn Fn(&str) -> String) -> String {
    let parts = field.split(',').map(|part| match part.split_once('-') {
        Some((first, last)) => format!("{} to {}", name(first), name(last)),
        None => name(part),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// A number or the first three letters as a name.
fn named(text: &str, names: &[&str], first: usize) -> String {
    let by_number = text
        .parse::<usize>()
        .ok()
        .and_then(|number| names.get(number.checked_sub(first)?));
    let by_letters = || {
        let lower = text.to_ascii_lowercase();
        names
            .iter()
            .find(|name| lower.len() == 3 && name.to_ascii_lowercase().starts_with(&lower))
    };
    by_number
        .or_else(by_letters)
        .map_or(text, |name| name)
        .to_owned()
}
