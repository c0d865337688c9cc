//! Finds the end of a head that arrives in pieces.

use crate::wire::http::error::{HeadError, MalformedHead};
use crate::wire::list::is_token_byte;

/// How large a head may be. All bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// The longest first line, in bytes without its CRLF. Default: 8 KiB.
    pub line_bytes_max: usize,
    /// The longest head, in bytes with its final CRLF CRLF. Default: 16 KiB.
    pub head_bytes_max: usize,
    /// The most header lines. Default: 64; above 128 it counts as 128.
    pub headers_max: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            line_bytes_max: 8 * 1024,
            head_bytes_max: 16 * 1024,
            headers_max: 64,
        }
    }
}

/// Looks for the end of a head in a buffer that grows.
///
/// Each byte is looked at once over all calls, so a head that arrives byte by byte costs
/// no more than one that arrives whole, and the verdict is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadScanner {
    /// The bytes that need not be looked at again.
    seen: usize,
    /// Where the current line begins; 0 in the first one.
    line_start: usize,
}

impl HeadScanner {
    /// Continues the search; `buffer` is the one of the last call with bytes appended.
    ///
    /// Gives the length of the head, with the empty line that ends it, or `None` when more
    /// bytes are needed. Bytes after the head are not looked at.
    ///
    /// # Errors
    ///
    /// [`HeadError::LineTooLong`] and [`HeadError::HeadTooLarge`] as soon as the bound
    /// must be passed, and [`HeadError::Malformed`] at the first byte that cannot begin a
    /// head, at a control character, and at a CR or LF that stands alone.
    pub fn scan(&mut self, buffer: &[u8], limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
        //= WS-045
        if self.seen == 0 && buffer.first().is_some_and(|&first| !is_token_byte(first)) {
            return Err(HeadError::Malformed(MalformedHead::FirstByte));
        }
        loop {
            self.skip_text(buffer, limits);
            if self.seen >= limits.head_bytes_max {
                return Err(HeadError::HeadTooLarge);
            }
            let Some(&byte) = buffer.get(self.seen) else {
                return Ok(None);
            };
            if self.line_start == 0 && self.seen >= limits.line_bytes_max && byte != b'\r' {
                return Err(HeadError::LineTooLong);
            }
            match byte {
                b'\t' => self.seen += 1,
                b'\r' => {
                    let Some(&next) = buffer.get(self.seen + 1) else {
                        return Ok(None);
                    };
                    if let Some(length) = self.end_line(next, limits)? {
                        return Ok(Some(length));
                    }
                }
                //= H1-02
                b'\n' => return Err(HeadError::Malformed(MalformedHead::BareLf)),
                //= H1-06
                _ => return Err(HeadError::Malformed(MalformedHead::ControlByte)),
            }
        }
    }

    /// Passes over bytes that are not control characters, up to the bound of the line.
    fn skip_text(&mut self, buffer: &[u8], limits: &HeadLimits) {
        let bound = match self.line_start {
            0 => limits.line_bytes_max.min(limits.head_bytes_max),
            _ => limits.head_bytes_max,
        };
        let text = buffer
            .get(self.seen..bound.min(buffer.len()))
            .unwrap_or_default();
        self.seen += text_bytes(text);
    }

    /// Ends the line at the CR that comes next, if `next` is its LF.
    fn end_line(&mut self, next: u8, limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
        let end = self.seen + 2;
        if end > limits.head_bytes_max {
            return Err(HeadError::HeadTooLarge);
        }
        //= H1-02
        if next != b'\n' {
            return Err(HeadError::Malformed(MalformedHead::BareCr));
        }
        if self.line_start == self.seen {
            return Ok(Some(end));
        }
        self.seen = end;
        self.line_start = end;
        Ok(None)
    }
}

/// How many bytes there are before the first control character.
fn text_bytes(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        if let Some(before) = control_in(*word) {
            return at * 8 + before;
        }
    }
    let bytes = rest.iter().take_while(|byte| !byte.is_ascii_control());
    words.len() * 8 + bytes.count()
}

/// Where the first of eight bytes is that is below 0x20 or is 0x7F.
///
/// By the usual borrow trick: a byte that is less than another sets the top bit in the
/// difference, unless it had that bit itself. A borrow reaches later bytes alone, so the first is
/// exact.
const fn control_in(bytes: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let word = u64::from_le_bytes(bytes);
    let is_delete = word ^ (ONES * 0x7f);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let below_one = is_delete.wrapping_sub(ONES) & !is_delete;
    match (below_space | below_one) & TOPS {
        0 => None,
        found => Some(found.trailing_zeros() as usize / 8),
    }
}
