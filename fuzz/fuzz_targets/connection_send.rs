//! Two ends that do what pairs of bytes say: what one sends, the other takes whole and in order.

#![no_main]

#[path = "shared/pair.rs"]
mod pair;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut pair = pair::Pair::new();
    for &[what, size] in input.as_chunks().0 {
        pair.act(what, size);
    }
    pair.settle();
});
