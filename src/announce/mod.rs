//! The announcement server: what is said, by whom, to whom, and who has read it.
//!
//! Nothing here owns a socket. A connection hands the text that it received to
//! [`desk::Desk::handle`] and carries out the [`desk::Outcome`]; one task for the whole server
//! takes what was released from [`desk::Announcements`] and sends it to everyone concerned.
//!
//! ```text
//!   page
//!   desk       the rules: who may do what, in which order
//!   schedule   announcements at set times: cron with a time zone, and the runner
//!   caller     what is known about one connection
//!   intent     the dialect: JSON text to requests, replies to JSON text
//!   store      what was accepted: SQLite, one writer, one reader
//!   token      who somebody is: keys, claims, revocation     secret   the key of our own
//!   outgoing   requests to other servers, bounded in time and size
//!   announcement, json, private, random               the words and tools of this floor
//! ```

pub mod announcement;
pub mod caller;
pub mod desk;
pub mod intent;
pub mod outgoing;
pub mod page;
pub mod schedule;
pub mod secret;
pub mod service;
pub mod store;
pub mod token;

mod json;
mod private;
mod random;
