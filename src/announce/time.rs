//! Times as they are written: RFC 3339, in UTC.

use alloc::string::String;
use std::time::SystemTime;

use jiff::Timestamp;

/// A time with milliseconds, or the last representable one.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    alloc::format!("{time:.3}")
}

/// Reads a time with its offset, such as `2026-11-20T10:01:00+01:00`. One without an offset is
/// nobody's time and is refused.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let time: Timestamp = text.parse().ok()?;
    Some(time.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_needs_its_offset() {
        let time = parse("2026-11-20T10:01:00+01:00").unwrap();
        assert_eq!(rfc3339(time), "2026-11-20T09:01:00.000Z");
        for wrong in ["2026-11-20T10:01:00", "2026-11-20", "soon", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
