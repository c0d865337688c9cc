//! framewire against implementations that have nothing to do with it, in both roles, and the
//! announcement server's page in a real browser.
//!
//! The programs that play the other side stand in `tests/peers`; what they need is installed
//! into the target directory by the tests themselves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod certificate;
mod client_role;
mod foreign;
#[path = "../programs/install.rs"]
mod install;
mod matrix;
mod messages;
mod ours;
mod packages;
mod process;
#[path = "../programs/mod.rs"]
mod programs;
#[path = "../programs/run.rs"]
mod run;
mod server_role;
