//! permessage-deflate (RFC 7692), the one extension that everybody has.
//!
//! A message is compressed as a whole and bears RSV1 on its first frame. What the two ends agree
//! on is how large a window each may use and whether it reaches back into the messages before.
//! Either end may send any message as it is.

mod codec;
pub mod config;
mod deflater;
mod distances;
mod history;
mod inflater;
pub mod negotiation;
mod parameters;
mod pool;
mod prefix_code;

pub use crate::engine::deflate::config::DeflateConfig;
pub use crate::engine::deflate::negotiation::{DeflateAnswer, DeflateOffer};
