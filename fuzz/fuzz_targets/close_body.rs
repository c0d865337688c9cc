//! The body of a Close frame: what is accepted reads back as the same bytes.

#![no_main]

use framewire::wire::close::CloseReason;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(reason) = CloseReason::decode(body) {
        let mut again = Vec::new();
        reason.encode_into(&mut again);
        assert_eq!(again, body);
        assert!(reason.code().is_none_or(|code| code.may_be_sent()));
    }
});
