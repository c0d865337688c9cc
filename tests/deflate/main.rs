//! permessage-deflate (RFC 7692), in the engine.
#![cfg(feature = "std")]
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod ends;
mod negotiation;
mod receiving;
mod round_trips;
mod support;
mod watching;
