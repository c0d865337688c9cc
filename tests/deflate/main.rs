//! permessage-deflate (RFC 7692), in the engine.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod negotiation;
mod receiving;
mod round_trips;
mod support;
