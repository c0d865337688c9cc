//! Opening a connection: a URL, TCP or a proxy, TLS, the client's handshake.

pub mod backoff;
mod body;
pub mod config;
pub mod connect;
mod dial;
pub mod error;
mod pending;
pub mod proxy;
pub mod reconnect;
mod redirect;
pub mod tls;
mod tunnel;
pub mod url;

pub use crate::client::backoff::{Backoff, Wish};
pub use crate::client::config::Config;
pub use crate::client::connect::{Connected, Stream, connect, connect_with, handshake, open};
pub use crate::client::error::{ConnectError, Phase, ProxyRefusal, RedirectRefusal, Refused};
pub use crate::client::proxy::{InvalidProxy, Proxies, Proxy, ProxyKind};
pub use crate::client::reconnect::{Disconnected, Ended, Happening, Reconnecting};
pub use crate::client::tls::{InvalidTls, Tls, TlsBuilder};
pub use crate::client::url::{InvalidUrl, Url};
