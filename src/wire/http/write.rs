//! Writes a head, and refuses what would put a line of its own into it.

use alloc::vec::Vec;
use core::fmt;

use crate::wire::list::is_token;

/// Appends the first line of a response, `HTTP/1.1 101 Switching Protocols`.
///
/// # Errors
///
/// [`InvalidHeader::FirstLine`] if the status has not three digits or the reason holds a
/// control character. Nothing is written then.
pub fn write_status_line(
    target: &mut Vec<u8>,
    status: u16,
    reason: &str,
) -> Result<(), InvalidHeader> {
    if !(100..=999).contains(&status) || !is_value(reason.as_bytes()) {
        return Err(InvalidHeader::FirstLine);
    }
    target.extend_from_slice(b"HTTP/1.1 ");
    target.extend([100, 10, 1].map(|unit| b"0123456789"[usize::from(status / unit % 10)]));
    target.push(b' ');
    target.extend_from_slice(reason.as_bytes());
    target.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends the first line of a request, `GET /path HTTP/1.1`.
///
/// # Errors
///
/// [`InvalidHeader::FirstLine`] if the method is not a token, or the target is empty or
/// holds anything but printable ASCII without spaces. Nothing is written then.
pub fn write_request_line(
    target: &mut Vec<u8>,
    method: &str,
    request_target: &str,
) -> Result<(), InvalidHeader> {
    let is_target =
        !request_target.is_empty() && request_target.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token(method.as_bytes()) || !is_target {
        return Err(InvalidHeader::FirstLine);
    }
    for part in [method, " ", request_target, " HTTP/1.1\r\n"] {
        target.extend_from_slice(part.as_bytes());
    }
    Ok(())
}

/// Appends one header line.
///
/// # Errors
///
/// [`InvalidHeader::Name`] if the name is not a token, [`InvalidHeader::Value`] if the value
/// holds CR, LF, NUL or another control character, save the tab. Nothing is written then.
pub fn write_header(
    target: &mut Vec<u8>,
    name: &str,
    value: impl AsRef<[u8]>,
) -> Result<(), InvalidHeader> {
    let value = value.as_ref();
    if !is_token(name.as_bytes()) {
        return Err(InvalidHeader::Name);
    }
    //= H1-06
    if !is_value(value) {
        return Err(InvalidHeader::Value);
    }
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        target.extend_from_slice(part);
    }
    Ok(())
}

/// Appends the empty line that ends a head.
pub fn write_head_end(target: &mut Vec<u8>) {
    target.extend_from_slice(b"\r\n");
}

/// Whether these bytes may stand in the value of a header (RFC 9110 §5.5).
fn is_value(bytes: &[u8]) -> bool {
    !bytes
        .iter()
        .any(|&byte| byte.is_ascii_control() && byte != b'\t')
}

/// Why a line of a head was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// A part of the first line has a byte that may not stand there.
    FirstLine,
    /// The name of the header is not a token (RFC 9110 §5.1).
    Name,
    /// The value of the header has a control character (RFC 9110 §5.5).
    Value,
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstLine => "a part of the first line has a byte that may not stand there",
            Self::Name => "the name of a header is not a token",
            Self::Value => "the value of a header has a control character",
        })
    }
}

impl core::error::Error for InvalidHeader {}
