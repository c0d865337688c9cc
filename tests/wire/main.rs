//! What stands on the wire, through the public names alone.

mod closing;
mod handshake;
mod masking;
mod text;

/// The bytes that a line of hexadecimal digits stands for; spaces do not count.
fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
        .collect()
}
