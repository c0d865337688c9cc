//! What a server does wrong is found, and nothing waits for ever.

use serde_json::json;

use crate::liar::{Answer, Deed, Door, back, start, to_all};
use crate::program::faults;

fn echo(deed: Deed) -> String {
    start(Door::Open, deed)
}

/// The same with its last byte, or its first, another.
fn changed(frame: &[u8], at: usize) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[at] ^= 1;
    frame
}

#[test]
fn another_payload_is_found() {
    let last = echo(|number, from, to, frame| match (number, from == to) {
        (50, true) => vec![Some(changed(frame, frame.len() - 1))],
        _ => back(from, to, frame),
    });
    let found = faults(&last, "--messages 200 --verify all --bytes 100");
    assert_eq!(found, json!({"wrong_payload": 1, "all": 1}));

    let first = echo(|number, from, to, frame| match (number, from == to) {
        (50, true) => vec![Some(changed(frame, 2))],
        _ => back(from, to, frame),
    });
    let found = faults(&first, "--messages 200 --bytes 100");
    assert_eq!(
        found,
        json!({"wrong_payload": 1, "all": 1}),
        "without --verify all"
    );
}

#[test]
fn of_a_sample_each_byte_is_compared() {
    let always = echo(|_, from, to, frame| match from == to {
        true => vec![Some(changed(frame, frame.len() - 1))],
        false => vec![],
    });
    let found = faults(&always, "--messages 200 --bytes 100");
    assert_eq!(found, json!({"wrong_payload": 1, "all": 1}));
}

#[test]
fn another_length_and_another_kind_are_found() {
    let longer = echo(|number, from, to, frame| match (number, from == to) {
        (9, true) => vec![Some(
            [&[frame[0], frame[1] + 1], &frame[2..], b"!"].concat(),
        )],
        _ => back(from, to, frame),
    });
    let found = faults(&longer, "--messages 20 --verify off");
    assert_eq!(found, json!({"wrong_length": 1, "all": 1}));

    let shorter = echo(|number, from, to, frame| match (number, from == to) {
        (9, true) => vec![Some([&[frame[0], frame[1] - 1], &frame[2..17]].concat())],
        _ => back(from, to, frame),
    });
    let found = faults(&shorter, "--messages 20 --verify off");
    assert_eq!(found, json!({"wrong_length": 1, "all": 1}));

    let kind = echo(|number, from, to, frame| match (number, from == to) {
        (9, true) => vec![Some([&[0x81], &frame[1..]].concat())],
        _ => back(from, to, frame),
    });
    let found = faults(&kind, "--messages 20 --verify off");
    assert_eq!(found, json!({"wrong_kind": 1, "all": 1}));
}

#[test]
fn a_message_that_is_lost_is_found() {
    let loses: Deed = |number, from, to, frame| match number {
        100 => vec![],
        _ => back(from, to, frame),
    };
    let found = faults(&echo(loses), "--messages 200 --depth 8");
    assert_eq!(found["lost"], 1, "{found}");
    let found = faults(&echo(loses), "--messages 101 --stall 0.3");
    assert_eq!(found, json!({"unanswered": 1, "all": 1}), "the last");
}

#[test]
fn a_message_that_comes_twice_is_found() {
    let doubles: Deed = |number, from, to, frame| match (number, from == to) {
        (50, true) => vec![Some([frame, frame].concat())],
        _ => back(from, to, frame),
    };
    for arguments in ["--messages 100", "--messages 100 --depth 4 --connections 2"] {
        let found = faults(&echo(doubles), arguments);
        assert_eq!(found["doubled"], 1, "{arguments}: {found}");
    }
    let found = faults(&echo(doubles), "--messages 51");
    assert_eq!(
        found["doubled"]
            .as_u64()
            .or_else(|| found["unasked"].as_u64()),
        Some(1),
        "the last"
    );
}

#[test]
fn a_connection_that_ends_is_told_with_its_code() {
    let closes = echo(|number, from, to, frame| match (number, from == to) {
        (20, true) => vec![Some(vec![0x88, 2, 3, 243])],
        _ => back(from, to, frame),
    });
    let found = faults(&closes, "--messages 100");
    assert_eq!(found, json!({"closed_1011": 1, "unanswered": 1, "all": 2}));

    let cuts = echo(|number, from, to, frame| match (number, from == to) {
        (20, true) => vec![None],
        _ => back(from, to, frame),
    });
    let found = faults(&cuts, "--messages 100 --connections 2");
    assert_eq!(
        found,
        json!({"cut": 1, "unanswered": 1, "all": 2}),
        "the other goes on"
    );

    let breaks = echo(|number, from, to, frame| match (number, from == to) {
        (20, true) => vec![Some(vec![0xf2, 0])],
        _ => back(from, to, frame),
    });
    let found = faults(&breaks, "--messages 100 --rate 2000");
    assert_eq!(found["malformed"], 1, "{found}");
}

#[test]
fn who_never_answers_is_not_waited_for() {
    let silent = echo(|_, _, _, _| vec![]);
    for arguments in [
        "--depth 5 --stall 0.3",
        "--rate 10 --seconds 0.5 --stall 0.7",
        "--depth 5 --messages 50 --stall 0.3",
    ] {
        let found = faults(&silent, &format!("{arguments} --warm-up 0"));
        assert_eq!(found, json!({"unanswered": 5, "all": 5}), "{arguments}");
    }
    let found = faults(&silent, "--fan-out --connections 3 --stall 0.3");
    assert_eq!(found, json!({"unanswered": 3, "all": 3}));
}

#[test]
fn who_does_not_open_is_told() {
    let silent = start(Door::Silent, |_, _, _, _| vec![]);
    for arguments in [
        "--connections 200",
        "--idle --connections 200",
        "--handshakes --connections 64",
    ] {
        let found = faults(&silent, &format!("{arguments} --stall 0.3"));
        assert_eq!(
            found,
            json!({"not_opened_in_time": 64, "all": 64}),
            "{arguments}"
        );
    }
    let no = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let refuses = start(Door::Says(no), |_, _, _, _| vec![]);
    let found = faults(&refuses, "--connections 3");
    assert_eq!(found, json!({"not_opened": 3, "all": 3}));
    let found = faults("ws://127.0.0.1:1/", "--connections 3");
    assert_eq!(found, json!({"refused": 3, "all": 3}));
    let found = faults("ws://127.0.0.1:1/", "--handshakes --messages 7");
    assert_eq!(found, json!({"refused": 7, "all": 7}));
}

/// The number of a message behind the first, which only gathers: each of these servers lies
/// when that many have come, to the connection of this number.
fn lie(number: usize, to: usize) -> bool {
    (number, to) == (20, 2)
}

#[test]
fn a_delivery_that_is_lost_doubled_or_late_is_found() {
    fn loses(number: usize, _: usize, to: usize, frame: &[u8]) -> Answer {
        match lie(number, to) {
            true => vec![],
            false => to_all(frame),
        }
    }
    fn doubles(number: usize, _: usize, to: usize, frame: &[u8]) -> Answer {
        match lie(number, to) {
            true => vec![Some(frame.to_vec()), Some(frame.to_vec())],
            false => to_all(frame),
        }
    }
    fn changes(number: usize, _: usize, to: usize, frame: &[u8]) -> Answer {
        match lie(number, to) {
            true => vec![Some(changed(frame, frame.len() - 1))],
            false => to_all(frame),
        }
    }
    let run = |deed: Deed, more: &str| {
        let arguments = "--fan-out --connections 4 --messages 50 --bytes 30 --stall 0.5";
        faults(&echo(deed), &format!("{arguments} {more}"))
    };
    for more in ["--depth 8", "--rate 500"] {
        assert_eq!(run(loses, more), json!({"lost": 1, "all": 1}), "{more}");
        assert_eq!(
            run(doubles, more),
            json!({"doubled": 1, "all": 1}),
            "{more}"
        );
    }
    let found = run(changes, "--verify all --depth 1");
    assert_eq!(found, json!({"wrong_payload": 1, "all": 1}));
}

#[test]
fn deliveries_in_another_order_are_found() {
    use std::sync::Mutex;
    static HELD: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    fn swaps(number: usize, _: usize, to: usize, frame: &[u8]) -> Answer {
        match (number, to) {
            (20, 2) => {
                *HELD.lock().unwrap() = frame.to_vec();
                vec![]
            }
            (21, 2) => vec![Some(frame.to_vec()), Some(HELD.lock().unwrap().clone())],
            _ => to_all(frame),
        }
    }
    let arguments = "--fan-out --connections 4 --messages 50 --depth 8";
    let found = faults(&echo(swaps), arguments);
    assert_eq!(found, json!({"out_of_order": 1, "all": 1}));
}

#[test]
fn a_listener_that_is_cut_off_is_told_and_the_others_go_on() {
    fn cuts(number: usize, _: usize, to: usize, frame: &[u8]) -> Answer {
        match lie(number, to) {
            true => vec![None],
            false => to_all(frame),
        }
    }
    let found = faults(&echo(cuts), "--fan-out --connections 4 --messages 50");
    assert_eq!(found["cut"], 1, "{found}");
}

#[test]
fn idle_connections_that_end_are_missed() {
    let leaves = start(Door::Leaves, |_, _, _, _| vec![]);
    let found = faults(&leaves, "--idle --connections 20 --seconds 0.2");
    assert_eq!(found, json!({"closed_1001": 20, "all": 20}));
}
