//! UTF-8 in pieces, masked and not, against the standard library on the whole; the first byte sets
//! the pieces, and the key.

#![no_main]

use framewire::wire::mask::{MaskKey, apply_scalar};
use framewire::wire::utf8::{Utf8Stream, validate_masked};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&size, text)) = input.split_first() else {
        return;
    };
    let (mut stream, size) = (Utf8Stream::new(), usize::from(size).max(1));
    let pieces = text.chunks(size).enumerate();
    let failed = pieces.map(|(n, piece)| stream.feed(piece).map_err(|e| n * size + e.at()));
    let failed = failed.into_iter().find_map(Result::err);
    let expected = core::str::from_utf8(text).err().and_then(|e| {
        let can_lead = matches!(text[e.valid_up_to()], 0xc2..=0xf4);
        e.error_len()
            .map(|length| e.valid_up_to() + if can_lead { length } else { 0 })
    });
    assert_eq!(failed, expected);
    let is_valid = core::str::from_utf8(text).is_ok();
    assert_eq!(stream.finish().is_ok(), is_valid);

    let key = MaskKey::new([0x5a, size as u8, 0xc3, 0x0f]);
    let mut masked = text.to_vec();
    apply_scalar(key, &mut masked);
    let mut whole = masked.clone();
    assert_eq!(validate_masked(key, &mut whole), is_valid);
    assert_eq!(whole, text);

    let mut stream = Utf8Stream::new();
    let pieces = masked.chunks_mut(size).enumerate();
    let failed = pieces.map(|(n, piece)| {
        let fed = stream.feed_masked(key.rotated(n * size), piece);
        fed.map_err(|e| n * size + e.at())
    });
    let failed: Vec<_> = failed.collect();
    assert_eq!(failed.into_iter().find_map(Result::err), expected);
    assert_eq!(stream.finish().is_ok(), is_valid);
    assert_eq!(masked, text);
});
