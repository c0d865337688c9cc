//! `Sec-WebSocket-Key` and the `Sec-WebSocket-Accept` that answers it.

use core::fmt;
use core::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

#[cfg(test)]
mod tests;

/// What is hashed behind the key, fixed by RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The characters of a key: 16 bytes in base64.
const KEY_CHARS: usize = 24;

/// The characters of an accept value: the 20 bytes of a SHA-1 in base64.
const ACCEPT_CHARS: usize = 28;

/// What a server answers to a key, to show that it speaks the protocol.
///
/// The text is base64(SHA-1(key, GUID)), 28 characters (RFC 6455 §4.2.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Accept([u8; ACCEPT_CHARS]);

impl Accept {
    /// The value of the `Sec-WebSocket-Accept` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// The same in bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The answer to the key that was received with this text, outer whitespace removed.
///
/// The text is hashed as it came, and whether it is a key is not looked at: see
/// [`is_valid_key`].
#[must_use]
pub fn accept(key: impl AsRef<[u8]>) -> Accept {
    //= WS-064
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    Accept(encoded(&digest))
}

/// The nonce of one client handshake, as `Sec-WebSocket-Key` carries it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; KEY_CHARS]);

impl Key {
    /// The key for 16 bytes, which must be random and new for each connection
    /// (RFC 6455 §4.1).
    #[must_use]
    pub fn from_nonce(nonce: [u8; 16]) -> Self {
        //= WS-029
        Self(encoded(&nonce))
    }

    /// The value of the `Sec-WebSocket-Key` header: 24 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// The answer that a server must give to this key.
    #[must_use]
    pub fn accept(&self) -> Accept {
        accept(self.as_str())
    }
}

/// Whether a text is base64 of 16 bytes, as a `Sec-WebSocket-Key` must be
/// (RFC 6455 §4.2.1).
///
/// 22 characters carry 132 bits. The four beyond the 16 bytes should be zero, and the
/// sample key of RFC 6455 §4.1 shows (erratum 3150) that they may not be: any are taken.
#[must_use]
pub fn is_valid_key(text: &[u8]) -> bool {
    //= WS-050
    //= WS-067
    //= WS-181
    let Some((digits, b"==")) = text.split_last_chunk::<2>() else {
        return false;
    };
    // All are looked up, for what would end early goes astray on what nobody can foretell.
    let and_is_digit = |are, byte: &u8| are & IS_DIGIT[usize::from(*byte)];
    digits.len() == KEY_CHARS - 2 && digits.iter().fold(true, and_is_digit)
}

/// Which bytes are digits of base64 (RFC 4648 §4).
static IS_DIGIT: [bool; 256] = {
    let mut is_digit = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        is_digit[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        byte += 1;
    }
    is_digit
};

/// Base64 of `source`, which must fill `N` characters.
fn encoded<const N: usize>(source: &[u8]) -> [u8; N] {
    let mut target = [b'='; N];
    let written = STANDARD.encode_slice(source, &mut target);
    debug_assert_eq!(written.ok(), Some(N), "the lengths fit");
    target
}

/// Base64 as the text that it is.
fn text(base64: &[u8]) -> &str {
    core::str::from_utf8(base64).unwrap_or_default()
}

impl Deref for Accept {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Accept").field(&self.as_str()).finish()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
