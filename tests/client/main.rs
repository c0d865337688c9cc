//! The client against servers made by hand: hostile ones, ones with every kind of certificate,
//! ones that redirect, and proxies.

extern crate alloc;

mod answers;
mod dropping;
mod frames;
#[path = "../programs/mod.rs"]
mod programs;
mod proxies;
mod raw;
mod reconnecting;
mod redirects;
mod terminal;
mod tls;
mod tls_server;
mod tunnels;

use core::time::Duration;

/// Longer than anything takes that is not stuck.
const LONG: Duration = Duration::from_secs(30);

/// The result of what must not take for ever.
async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future)
        .await
        .expect("it is stuck")
}
