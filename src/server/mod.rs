//! Accepting connections: admission, the server's handshake, and an orderly end.

#[cfg(feature = "adapters")]
pub mod adapters;
pub mod admission;
mod arrival;
mod bell;
pub mod clients;
pub mod config;
mod deferral;
pub mod drain;
pub mod endpoints;
mod forwarded;
pub mod hook;
pub mod hosts;
pub mod listener;
pub mod opening;
pub mod origins;
mod pace;
pub mod proxies;
mod refusing;
pub mod shutdown;
pub mod stream;
pub mod tls;
pub mod upgrade;
pub mod workers;

pub use crate::server::admission::{Admission, TurnedAway};
pub use crate::server::clients::{Client, Clients};
pub use crate::server::config::Config;
pub use crate::server::drain::{Drain, Drained};
pub use crate::server::endpoints::{Endpoints, Place};
pub use crate::server::hosts::Hosts;
pub use crate::server::listener::{Incoming, Listener};
pub use crate::server::opening::{Opening, Plain, Upgrade};
pub use crate::server::origins::Origins;
pub use crate::server::proxies::Proxies;
pub use crate::server::refusing::HandshakeError;
pub use crate::server::shutdown::{Connected, Stop, Stopping};
pub use crate::server::stream::Stream;
pub use crate::server::tls::{ClientCertificate, Tls, TlsError, TlsFiles};
pub use crate::server::upgrade::{Switching, handle_upgrade, refusal_headers};
