//! The manual: how things are done, one chapter a module.
//!
//! What an item does is said where the item stands. A chapter says which of them belong
//! together, in which order they are called, and what happens at the edges. Every example is
//! compiled with the tests, and run unless it needs what is not there: a port of its own, the
//! network, files.
//!
//! | chapter | what it answers |
//! |---|---|
//! | [`getting_started`] | an echo server, a client, a page in a browser |
//! | [`server`] | admission, requests, refusals, TLS, an orderly end |
//! | `beside_http` | a WebSocket at one path of hyper, axum or another HTTP server |
//! | [`client`] | URLs, what is offered, what can go wrong and when |
//! | [`compression`] | who agrees to what, what must not be compressed, memory |
//! | [`limits`] | every bound with unit, default, and what happens there |
//! | [`large_messages`] | messages that are larger than memory |
//! | [`closing`] | who closes first, which code, how it ended |
//! | [`cancel_safety`] | what is lost when a call is dropped half way |
//! | [`keep_alive`] | peers that are gone without a word |
//! | [`halves`] | reading and writing in two tasks; when to stop writing |
//! | [`fan_out`] | one message for many connections |
//! | [`performance`] | how to be fast, what changes hands, what was measured |
//! | [`watching`] | statistics, a hook for every frame, states |
//! | [`embedding`] | the protocol without tokio |
//! | [`from_tungstenite`] | what tungstenite's names are here |
//! | [`from_ws`] | what the names of the Node package `ws` are here |

#[doc = include_str!("getting_started.md")]
pub mod getting_started {}
#[doc = include_str!("server.md")]
pub mod server {}
#[cfg(feature = "adapters")]
#[doc = include_str!("beside_http.md")]
pub mod beside_http {}
#[doc = include_str!("client.md")]
pub mod client {}
#[doc = include_str!("compression.md")]
pub mod compression {}
#[doc = include_str!("limits.md")]
pub mod limits {}
#[doc = include_str!("large_messages.md")]
pub mod large_messages {}
#[doc = include_str!("closing.md")]
pub mod closing {}
#[doc = include_str!("cancel_safety.md")]
pub mod cancel_safety {}
#[doc = include_str!("keep_alive.md")]
pub mod keep_alive {}
#[doc = include_str!("halves.md")]
pub mod halves {}
#[doc = include_str!("fan_out.md")]
pub mod fan_out {}
#[doc = include_str!("performance.md")]
pub mod performance {}
#[doc = include_str!("watching.md")]
pub mod watching {}
#[doc = include_str!("embedding.md")]
pub mod embedding {}
#[doc = include_str!("from_tungstenite.md")]
pub mod from_tungstenite {}
#[doc = include_str!("from_ws.md")]
pub mod from_ws {}
