//! Frame headers: what is read is written as it was, and a beginning asks for what it lacks.

#![no_main]

use framewire::wire::header::{Decoded, FrameHeader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let whole = FrameHeader::decode(input);
    let mut prefixes = (0..=input.len()).map(|end| FrameHeader::decode(&input[..end]));
    let first = prefixes.find(|it| !matches!(it, Ok(Decoded::NeedMore(_))));
    match whole {
        Ok(Decoded::Header(header, taken)) => {
            assert_eq!(header.encode().as_bytes(), &input[..taken]);
            assert_eq!(first, Some(whole));
        }
        Ok(Decoded::NeedMore(lacks)) => assert!(first.is_none() && lacks > 0),
        Err(_) => assert!(matches!(first, Some(Err(_)))),
    }
});
