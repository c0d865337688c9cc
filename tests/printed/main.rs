//! What the documentation prints is run as it stands there, but for the port.
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    reason = "tests stand on std and stop at the first surprise"
)]

mod blocks;
#[path = "../programs/install.rs"]
#[expect(dead_code, reason = "some of it is for other programs")]
mod install;
mod notifications;
#[path = "../programs/mod.rs"]
mod programs;
mod readme;
#[path = "../programs/run.rs"]
mod run;
