//! The extensions that a peer names: what is read can be written; each input line is a header line.

#![no_main]

use framewire::wire::list::parse_extensions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let found = parse_extensions(lines.iter().copied());
    let joined = lines.join(&b',');
    assert_eq!(
        parse_extensions([&joined[..]].into_iter()).ok(),
        found.clone().ok()
    );
    if let Ok(offers) = found {
        let text: Vec<String> = offers.iter().map(ToString::to_string).collect();
        let again = parse_extensions([text.join(", ").as_bytes()].into_iter());
        assert_eq!(again, Ok(offers));
    }
});
