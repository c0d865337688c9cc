//! UTF-8 in pieces against the standard library on the whole; the first byte sets the pieces.

#![no_main]

use framewire::wire::utf8::Utf8Stream;
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
    assert_eq!(stream.finish().is_ok(), core::str::from_utf8(text).is_ok());
});
