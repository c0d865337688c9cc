//! Every case, whole, byte by byte, and cut at points that look random.

use std::sync::Arc;

use framewire::engine::Limits;

use crate::cases::{self, Case};
use crate::endpoint::play;
use crate::judge::faults;

/// The largest message of the endpoint, in bytes.
const LIMIT: u64 = 1 << 20;

/// Plays the cases of one file and fails with every fault of every case.
fn check(file: &str) {
    let limits = Arc::new(Limits::default().with_message_bytes_max(LIMIT));
    let mut found = Vec::new();
    for case in cases::read(file) {
        let (frames, expected) = (case.frames(LIMIT), case.echoes(LIMIT));
        for role in &case.roles {
            // The same fault, however the bytes are cut, is told once.
            let mut told: Vec<(String, Vec<String>)> = Vec::new();
            for cut in cuts(&case) {
                let played = play(&case, *role, &frames, &limits, &cut);
                for fault in faults(&case, *role, &frames, &expected, &played) {
                    match told.iter_mut().find(|it| it.0 == fault) {
                        Some((_, ways)) => ways.push(shown(&cut)),
                        None => told.push((fault, vec![shown(&cut)])),
                    }
                }
            }
            let line = |(fault, ways): (String, Vec<String>)| {
                format!("{} as {role:?} ({}): {fault}", case.name, ways.join(", "))
            };
            found.extend(told.into_iter().map(line));
        }
    }
    assert!(found.is_empty(), "{}\n{}", found.len(), found.join("\n"));
}

/// How the tester's bytes are cut: not at all, after each byte, and twice somewhere.
fn cuts(case: &Case) -> [Vec<usize>; 4] {
    let seed = case
        .name
        .bytes()
        .fold(1_u64, |sum, byte| sum * 31 % 65_537 + u64::from(byte));
    let noise = crate::payload::noise(2, seed);
    let (one, two) = (usize::from(noise[0]), usize::from(noise[1]));
    [
        vec![usize::MAX],
        vec![1],
        vec![one % 16 + 1, usize::MAX],
        vec![two + 1, one + 2],
    ]
}

fn shown(cut: &[usize]) -> String {
    match cut {
        [usize::MAX] => "whole".into(),
        [1] => "byte by byte".into(),
        _ => format!("in pieces of {cut:?}").replace("18446744073709551615", "all"),
    }
}

//= DF-01 type=test
//= DF-07 type=test
//= PD-056 type=test
//= PD-063 type=test
#[test]
fn the_forms_of_the_rfc_are_read() {
    check("vectors");
}

//= DF-02 type=test
//= DF-03 type=test
//= DF-07 type=test
//= DF-11 type=test
//= DF-18 type=test
//= PD-026 type=test
//= PD-052 type=test
//= PD-053 type=test
//= PD-057 type=test
//= PD-058 type=test
//= PD-059 type=test
//= PD-060 type=test
//= PD-062 type=test
#[test]
fn the_window_is_kept_or_given_up_as_agreed() {
    check("takeover");
}

//= DF-04 type=test
//= DF-05 type=test
//= DF-06 type=test
//= DF-08 type=test
//= DF-09 type=test
//= DF-10 type=test
//= PD-049 type=test
//= PD-058 type=test
//= PX-04 type=test
#[test]
fn blocks_of_every_kind_are_read_and_broken_ones_refused() {
    check("blocks");
}

//= DF-11 type=test
//= DF-20 type=test
//= PD-059 type=test
//= PD-060 type=test
#[test]
fn no_copy_reaches_further_than_the_agreed_window() {
    check("windows");
}

//= DF-17 type=test
//= DF-19 type=test
//= PD-013 type=test
//= PD-022 type=test
//= PD-025 type=test
#[test]
fn rsv1_stands_on_first_frames_only() {
    check("framing");
}

//= DF-24 type=test
//= PD-024 type=test
//= PX-01 type=test
#[test]
fn text_is_checked_once_it_is_inflated() {
    check("text");
}

//= DF-12 type=test
//= DF-13 type=test
//= DF-14 type=test
//= DF-15 type=test
//= DF-16 type=test
//= PX-03 type=test
#[test]
fn what_is_inflated_is_held_to_the_limit() {
    check("limits");
}

//= DF-20 type=test
//= DF-21 type=test
//= DF-22 type=test
//= DF-23 type=test
//= PD-003 type=test
//= PD-005 type=test
//= PD-008 type=test
//= PD-012 type=test
//= PD-013 type=test
//= PD-027 type=test
//= PD-028 type=test
//= PD-029 type=test
//= PD-035 type=test
//= PD-036 type=test
//= PD-037 type=test
//= PD-039 type=test
//= PD-041 type=test
//= PD-043 type=test
//= PD-045 type=test
//= PD-046 type=test
//= PD-047 type=test
#[test]
fn a_server_agrees_to_what_is_well_formed() {
    check("offers");
}

//= PD-009 type=test
//= PD-013 type=test
//= PD-014 type=test
//= PD-015 type=test
//= PD-031 type=test
//= PD-032 type=test
//= PD-033 type=test
//= PD-034 type=test
//= PD-036 type=test
//= PD-038 type=test
//= PD-040 type=test
//= PD-043 type=test
//= PD-044 type=test
#[test]
fn a_client_accepts_what_answers_its_offer() {
    check("answers");
}

//= DF-20 type=test
//= DF-25 type=test
//= PD-019 type=test
//= PD-020 type=test
//= PD-021 type=test
//= PD-048 type=test
//= PD-050 type=test
//= PD-051 type=test
//= PD-052 type=test
//= PD-053 type=test
//= PD-054 type=test
//= PD-055 type=test
//= PX-02 type=test
#[test]
fn what_is_sent_can_be_inflated_under_every_agreement() {
    check("sending");
}
