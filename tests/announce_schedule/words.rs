//! Schedules in English.

use framewire::announce::schedule::words;

use crate::fixtures::plan;

fn check(cron: &str, expected: &str) {
    assert_eq!(
        words(&plan("x", cron)),
        format!("{expected}, Europe/Stockholm"),
        "{cron}"
    );
}

#[test]
fn the_strings_of_the_first_server_are_told_as_they_run() {
    //= A20 type=test
    //= A21 type=test
    check("10 1 10 * *", "at 01:10 on day 10 of every month");
    check("10 1 20 * *", "at 01:10 on day 20 of every month");
    check("1 10 10 * *", "at 10:01 on day 10 of every month");
    check("1 10 20 * *", "at 10:01 on day 20 of every month");
}

#[test]
fn every_kind_of_field_has_its_words() {
    check("* * * * *", "every minute every day");
    check("*/15 * * * *", "every 15 minutes every day");
    check("5 * * * *", "at minute 5 of every hour every day");
    check("0 9,17 * * *", "at 09:00 and 17:00 every day");
    check("0 9 * * mon-fri", "at 09:00 on Monday to Friday");
    check("0 9 * jan,7 0", "at 09:00 on Sunday in January and July");
    check("0 9 L * *", "at 09:00 on the last day of every month");
    check(
        "0 9 LW 3 *",
        "at 09:00 on the last day from Monday to Friday of March",
    );
    check(
        "0 9 15W * *",
        "at 09:00 on the day from Monday to Friday nearest to day 15 of every month",
    );
    check("0 9 * * 5#3", "at 09:00 on the 3rd Friday of the month");
    check("0 9 * * 5L", "at 09:00 on the last Friday of the month");
    check("0 9 1-5 * *", "at 09:00 on days 1 to 5 of every month");
    check("0 9 */2 * *", "at 09:00 on every 2nd day of every month");
    check(
        "0 9 13 * 5",
        "at 09:00 on day 13 of every month and also on Friday",
    );
    check(
        "*/20 8-17 * * *",
        "at every 20th minute of hours 8 to 17 every day",
    );
}
