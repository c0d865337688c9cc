//! Bytes and values: what stands on the wire, with no connection behind it.

pub mod close;
pub mod key;
pub mod mask;
pub mod utf8;
