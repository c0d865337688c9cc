//! base64url as tokens and keys use it: no padding, no blanks, no other spelling.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes that `text` spells.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len()];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// The UTF-8 that `text` spells.
pub(crate) fn text(text: &str) -> Option<String> {
    bytes(text).and_then(|bytes| String::from_utf8(bytes).ok())
}
