//! The engine, through its public names alone.
//!
//! One file for each action of RFC 6455. A rule that holds for both ends is tested in both roles,
//! in one loop.

extern crate alloc;

mod at_once;
mod control;
mod extension;
mod failing;
mod fragmentation;
mod framing;
mod inbox;
mod limits;
mod masking;
mod properties;
mod support;
mod utf8;
mod vectors;
