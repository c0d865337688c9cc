//! Bytes and values: what stands on the wire, with no connection behind it.
//!
//! A frame (RFC 6455 §5.2) is a header of 2 to 14 bytes and its payload:
//!
//! ```text
//!  byte 0            byte 1            then
//! +---+---+---+---+  +---+-----------+ +------------------+-------------+---------+
//! |FIN|RSV|opcode |  |MSK| length    | | 0, 2 or 8 bytes  | 0 or 4      | payload |
//! |   |1-3|4 bits |  |   | 7 bits    | | of more length   | masking key |         |
//! +---+---+---+---+  +---+-----------+ +------------------+-------------+---------+
//! ```
//!
//! Nothing here reads or writes a socket, looks at a clock, draws a random number or remembers
//! an earlier frame. Lengths are `u64` until they have been compared with a limit.

mod case;
pub mod close;
pub mod header;
pub mod http;
pub mod key;
pub mod list;
pub mod mask;
pub mod opcode;
pub mod utf8;
