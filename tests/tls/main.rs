//! TLS in front of the server: what a client may try, and what becomes of it.

#![expect(
    clippy::unwrap_used,
    reason = "the message of an error says enough in a test"
)]

extern crate alloc;

#[expect(dead_code, reason = "the peak is not asked for")]
#[path = "../compression/allocator.rs"]
mod allocator;
mod authority;
mod certificates;
mod clients;
mod echo;
mod flooding;
mod hello;
mod peer;
mod records;
#[expect(dead_code, reason = "some of it is for other programs")]
#[path = "../serving/mod.rs"]
mod serving;

use framewire::server::Config;

use crate::authority::Authority;
use crate::serving::{EchoServer, within};

impl EchoServer {
    /// A server that shows a certificate of `authority` for localhost.
    async fn secure(authority: &Authority, config: Config) -> Self {
        let files = authority.issue("localhost").files();
        let tls = files.load().expect("they are in order");
        Self::start(config.with_tls(tls)).await
    }
}
