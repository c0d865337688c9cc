//! HTTP/1.1 heads: finding where one ends, reading it, and writing one.
//!
//! `httparse` splits a head into its parts. Around it stands what a handshake needs to be
//! strict: lines end in CRLF and nothing else, every byte is looked at once however the
//! head arrives, and sizes are bounded before they are reached.

mod error;
mod head;
mod headers;
mod scan;
mod target;
mod write;

#[cfg(test)]
mod tests;

pub use crate::wire::http::error::{HeadError, MalformedHead};
pub use crate::wire::http::head::{RequestHead, ResponseHead};
pub use crate::wire::http::headers::Headers;
pub use crate::wire::http::scan::{HeadLimits, HeadScanner};
pub use crate::wire::http::target::split_target;
pub use crate::wire::http::write::{
    InvalidHeader, write_head_end, write_header, write_request_line, write_status_line,
};
