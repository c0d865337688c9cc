//! The HTTP API, beside the sockets: what scripts, operators and monitoring use.
//!
//! ```text
//!   router     every route, and what each answer carries
//!   announcements, users, feeds, connections, revocations, rooms, schedules, bus, audit,
//!   statistics, events, metrics, health
//!              one file for each subject: from a call to an answer
//!   call       who calls, from a verified token alone, and what is asked for
//!   answer, problem, words
//!              from values to JSON
//!   api        what the subjects share
//! ```
//!
//! The rules are the desk's. A body is read strictly: a name that the request does not have is
//! refused, so that nobody takes a field for set that was only misspelt.

mod announcements;
mod answer;
mod api;
mod audit;
mod bus;
mod call;
mod connections;
mod events;
mod feeds;
mod health;
mod metrics;
mod problem;
mod reload;
mod requests;
mod revocations;
mod rooms;
mod route;
mod router;
mod schedules;
mod statistics;
mod users;
mod words;

pub use api::{Api, Reload, Reloaded, Schedules};
pub use router::routes;
