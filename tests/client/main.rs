//! The client against servers made by hand: hostile ones, ones with every kind of certificate,
//! ones that redirect, and proxies.

extern crate alloc;

mod answers;
mod dropping;
mod frames;
mod harmless;
#[path = "../polling/mod.rs"]
mod polling;
#[path = "../programs/mod.rs"]
mod programs;
mod proxies;
mod raw;
mod reconnecting;
mod redirects;
#[path = "../reserved/mod.rs"]
mod reserved;
#[expect(dead_code, reason = "some of it is for other programs")]
#[path = "../serving/mod.rs"]
mod serving;
mod terminal;
mod tls;
mod tls_server;
mod tunnels;

use crate::serving::{LONG, within};
