//! The log on standard error.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::announce::config::Log;

/// Writes the log from now on, as `RUST_LOG` says how much of it. A second call changes nothing.
pub(crate) fn start(log: Log) {
    let filter = EnvFilter::from_default_env();
    let text = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Escaping);
    // Whoever came first has set it up.
    let _ = match log {
        Log::Json => text.json().try_init(),
        _ => text.try_init(),
    };
}

/// Standard error, with control characters escaped: what somebody sent cannot begin a line.
#[derive(Clone, Copy, Debug)]
struct Escaping;

impl<'w> MakeWriter<'w> for Escaping {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        Line
    }
}

/// One entry of the log, which is written at once.
struct Line;

impl Write for Line {
    //= A07
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(&escaped(entry))?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The entry without control characters, save the line feed that ends it.
fn escaped(entry: &[u8]) -> alloc::vec::Vec<u8> {
    let (line, end) = match entry.strip_suffix(b"\n") {
        Some(line) => (line, "\n"),
        None => (entry, ""),
    };
    let mut text = alloc::string::String::with_capacity(entry.len());
    for character in alloc::string::String::from_utf8_lossy(line).chars() {
        match character.is_control() {
            true => text.extend(character.escape_default()),
            false => text.push(character),
        }
    }
    text.push_str(end);
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_on_its_line() {
        //= A07 type=test
        let forged = "said a\n2026 INFO all is well\r\u{1b}[31m\u{85}é\n";
        let expected = "said a\\n2026 INFO all is well\\r\\u{1b}[31m\\u{85}é\n";
        assert_eq!(escaped(forged.as_bytes()), expected.as_bytes());
        assert_eq!(escaped(b"no end"), b"no end");
    }
}
