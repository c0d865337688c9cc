//! Servers and clients over TCP on the loopback interface, on ports that the system picks.

extern crate alloc;

mod admission;
mod connecting;
mod deferring;
mod draining;
mod dropping;
mod ending;
mod endpoints;
mod leaving;
mod opening;
mod origins;
#[path = "../polling/mod.rs"]
mod polling;
mod raw;
mod refusing;
#[path = "../reserved/mod.rs"]
mod reserved;
#[expect(dead_code, reason = "some of it is for other programs")]
#[path = "../serving/mod.rs"]
mod serving;
mod sharing;
mod stopping;

use crate::serving::{EchoServer, LONG, within};
