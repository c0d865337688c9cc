//! A server that makes everybody wait once, and a load that is late itself: under a rate both
//! must show.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::liar::{Answer, Door, back, start};
use crate::program::good;

const STALL: Duration = Duration::from_millis(300);

/// An echo that does nothing at all for a while, some time after the first message.
fn stalls(number: usize, from: usize, to: usize, frame: &[u8]) -> Answer {
    static WHEN: Mutex<Option<Instant>> = Mutex::new(None);
    let mut when = WHEN.lock().unwrap();
    match (number, *when) {
        (0, _) => *when = Some(Instant::now() + STALL),
        (_, Some(at)) if Instant::now() >= at => {
            *when = None;
            // What is shown is what a thread that is held up does to everybody.
            thread::sleep(STALL);
        }
        _ => {}
    }
    back(from, to, frame)
}

#[test]
fn whoever_should_have_been_served_meanwhile_is_counted() {
    let url = start(Door::Open, stalls);
    let rate = "--connections 4 --rate 1000 --seconds 1 --warm-up 0";
    let figures = good(&url, rate);
    assert_eq!(figures["messages"], 1000, "each is sent, be it late");
    let micros = |figures: &Value, name: &str| figures["latency"][name].as_f64().unwrap();
    assert!(micros(&figures, "max_us") >= 290_000.0, "{figures}");
    // A third of all messages wait, on average half as long as the first of them.
    assert!(micros(&figures, "p99_us") >= 250_000.0, "{figures}");
    assert!(micros(&figures, "p90_us") >= 100_000.0, "{figures}");
}

/// Whom the server below holds up; then none.
#[cfg(unix)]
static LATE: Mutex<Option<u32>> = Mutex::new(None);

/// An echo that holds up the load, after so many messages.
#[cfg(unix)]
fn holds_up(number: usize, from: usize, to: usize, frame: &[u8]) -> Answer {
    if number >= 300
        && let Some(pid) = LATE.lock().unwrap().take()
    {
        let signal = |name: &str| {
            let arguments = ["-s", name, &pid.to_string()];
            let sent = std::process::Command::new("kill").args(arguments).status();
            assert!(sent.unwrap().success());
        };
        signal("STOP");
        thread::sleep(STALL);
        signal("CONT");
    }
    back(from, to, frame)
}

#[test]
#[cfg(unix)]
fn time_is_counted_from_when_a_message_was_meant_to_leave() {
    let url = start(Door::Open, holds_up);
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_framewire"))
        .args(["bench", &url, "--connections", "4", "--json"])
        .args(["--rate", "1000", "--seconds", "1", "--warm-up", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    *LATE.lock().unwrap() = Some(child.id());
    let output = child.wait_with_output().unwrap();
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["messages"], 1000, "{figures}");
    // What left late was answered at once; for whoever waited it was late all the same.
    let p90 = figures["latency"]["p90_us"].as_f64().unwrap();
    assert!(p90 >= 100_000.0, "{figures}");
    assert!(LATE.lock().unwrap().is_none(), "it was held up");
}
