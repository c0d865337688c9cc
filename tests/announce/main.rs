//! The announcement floor: tokens, store, dialect, rules and page, without sockets.
#![cfg(feature = "announce")]

mod forge;
mod secret;
mod store;
mod token;
