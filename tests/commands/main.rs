//! The commands, as processes.
#![cfg(unix)]

mod starved;
