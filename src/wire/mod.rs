//! Bytes and values: what stands on the wire, with no connection behind it.

pub mod close;
pub mod http;
pub mod key;
pub mod list;
pub mod mask;
pub mod utf8;
