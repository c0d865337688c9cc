//! tokio drives an engine over any stream of bytes.
//!
//! [`WebSocket`] joins a [`Connection`](crate::engine::Connection) with whatever is
//! `AsyncRead + AsyncWrite`. It decides nothing about the protocol: it reads, writes, sleeps and
//! wakes. All state is in the engine, none in a future, so a call that is dropped half way has
//! lost nothing; each `async fn` says what that means for it.

pub mod byte_stream;
mod clock;
mod driver;
pub mod entropy;
pub mod error;
pub mod exchange;
pub(crate) mod line;
pub mod maybe_tls;
mod pool;
mod receiving;
pub mod split;
mod streams;
pub mod websocket;
pub mod write_now;

pub use crate::net::byte_stream::ByteStream;
pub use crate::net::error::{Error, TimedOut};
pub use crate::net::exchange::{Exchange, Heard, PieceExchange, Reply};
pub use crate::net::maybe_tls::MaybeTls;
pub use crate::net::split::{OwnedPiece, Reader, Writer};
pub use crate::net::websocket::WebSocket;
pub use crate::net::write_now::WriteNow;
