//! How long a refusal takes, and that it tells nothing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use framewire::announce::token::{TokenError, Verifier};

use crate::forge::{HEADER, NOW, good, now, payload, secret, sign};

/// How many samples of each kind are taken, the kinds by turns.
const SAMPLES: usize = 20_000;

/// How far apart two medians may lie, of the shorter one. To look a person up, or to leave the
/// signature unchecked, is further; the noise of a machine that is shared is less.
const TOLERANCE: f64 = 0.10;

/// How often it is measured anew before it counts.
const TRIES: usize = 5;

/// A token whose signature is changed at one place.
fn forged(token: &str, at: impl Fn(usize) -> usize) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let at = at(signature.len());
    // The last digit holds bits that count for nothing, so it is left alone.
    let digit = if signature.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut signature = signature.to_owned();
    signature.replace_range(at..=at, digit);
    format!("{message}.{signature}")
}

fn median(mut times: Vec<Duration>) -> Duration {
    let middle = times.len() / 2;
    *times.select_nth_unstable(middle).1
}

//= AU-33 type=test
#[test]
fn a_refusal_takes_as_long_whatever_is_wrong_with_the_signature_and_whoever_is_named() {
    let verifier = Verifier::new(&secret());
    let other = sign(
        HEADER,
        &payload(&(NOW + 60).to_string(), "").replace("alice", "nobod"),
    );
    let named = HEADER.replace("HS256\"", "HS256\",\"kid\":\"k\"");
    let unnamed = HEADER.replace("HS256\"", "HS256\",\"dik\":\"k\"");
    let body = payload(&(NOW + 60).to_string(), "");
    // Pairs of which one could be told from the other by whoever has a clock.
    let pairs = [
        // Wrong from the first byte on, and wrong in the last.
        [forged(&good(), |_| 0), forged(&good(), |length| length - 2)],
        // A person who is there, and one who is not.
        [forged(&good(), |_| 9), forged(&other, |_| 9)],
        // The name of a key that nobody has, and no name.
        [
            forged(&sign(&named, &body), |_| 9),
            forged(&sign(&unnamed, &body), |_| 9),
        ],
    ];
    for (number, pair) in pairs.iter().enumerate() {
        let mut apart = Vec::new();
        let is_alike = (0..TRIES).any(|_| {
            let mut times = [const { Vec::new() }; 2];
            for at in 0..2 * SAMPLES {
                let which = at % 2;
                let since = Instant::now();
                let refused = verifier.verify(black_box(&pair[which]), now());
                times[which].push(since.elapsed());
                let refused = refused.unwrap_err();
                assert!(
                    matches!(refused, TokenError::Signature | TokenError::UnknownKey),
                    "{refused:?}"
                );
            }
            let [first, second] = times.map(median).map(|it| it.as_secs_f64());
            apart.push((first - second).abs() / first.min(second));
            apart.last().is_some_and(|apart| *apart < TOLERANCE)
        });
        assert!(is_alike, "pair {number}: {apart:?}");
    }
}
