#![no_std]
#![cfg_attr(feature = "cli", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "cli"),
    doc = "An RFC 6455 WebSocket engine without I/O."
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod engine;
pub mod wire;

#[cfg(feature = "net")]
pub mod client;
#[cfg(feature = "net")]
pub mod hub;
#[cfg(feature = "net")]
pub mod manual;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "net")]
pub mod server;

#[cfg(feature = "announce")]
pub mod announce;

#[cfg(feature = "cli")]
pub mod cli;
