//! Clients that were written for the first server of announcements and for the first gateway,
//! against this one.
//!
//! They know a plain `WebSocket`, the URL and the fields of the messages. Each part of a story is
//! told in Node, on `ws`, and in Chromium, by the programs in `clients`; the server is the binary
//! with the configuration file of the first gateway, byte for byte.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod announcements;
mod gateway;
mod hostile;
#[path = "../programs/install.rs"]
mod install;
#[path = "../programs/mod.rs"]
mod programs;
#[path = "../programs/run.rs"]
mod run;
mod story;
