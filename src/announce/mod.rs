//! The announcement server: what is said, by whom, to whom, and who has read it.
//!
//! The rules own no socket. A connection hands the text that it received to its dialect, which
//! asks the desk and returns an [`outcome::Outcome`] for the connection to carry out; one task
//! for the whole server takes what was stored and sends it to everyone concerned.
//!
//! ```text
//!   assembly   from a configuration to a running server
//!   http       the HTTP API, events for those without sockets, figures, health
//!   service    sockets, rules and hub joined
//!   config     a file, the environment and flags as settings, and what they mean in words
//!   page       what people see in a browser
//!   intent     the dialect of the first server     native   the dialect that can do everything
//!   outcome    what is to be done after a message   event    what a connection may be told
//!   desk       the rules: who may do what
//!   caller     what is known about one connection   rooms    who is in them
//!   gateway    the dialect of the event bus     bus      topics, handlers, producers
//!   store      what was accepted: SQLite, one writer, one reader
//!   schedule   what is announced at its time: cron with a time zone, catching up
//!   token      who somebody is: keys, claims, revocation     secret   the key of our own
//!   outgoing   requests to other servers, bounded in time and size
//!   announcement, code, dialect, fields, json, private, random, rate, time
//!              the words and tools of this floor
//! ```

pub mod announcement;
pub mod assembly;
pub mod bus;
pub mod caller;
pub mod code;
pub mod config;
pub mod desk;
pub mod dialect;
pub mod event;
pub mod gateway;
pub mod http;
pub mod intent;
pub mod native;
pub mod outcome;
pub mod outgoing;
pub mod page;
pub mod rooms;
pub mod schedule;
pub mod secret;
pub mod service;
pub mod store;
pub mod token;

mod fields;
mod json;
mod private;
mod random;
mod rate;
mod time;
