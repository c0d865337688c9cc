//! The fast mask against the scalar one, at any alignment, phase and length.

#![no_main]

use framewire::wire::mask::{MaskKey, apply, apply_scalar, copy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&[a, b, c, d, start], payload)) = input.split_first_chunk() else {
        return;
    };
    let key = MaskKey::new([a, b, c, d]).rotated(usize::from(start));
    let start = usize::from(start).min(payload.len());
    let (mut fast, mut slow, mut copied) = (payload.to_vec(), payload.to_vec(), payload.to_vec());
    apply(key, &mut fast[start..]);
    apply_scalar(key, &mut slow[start..]);
    copy(key, &payload[start..], &mut copied[start..]);
    assert_eq!(fast, slow);
    assert_eq!(copied, slow);
});
