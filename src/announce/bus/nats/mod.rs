//! Several servers, and handlers in any language, over NATS.
//!
//! ```text
//!   PREFIX.NAMESPACE.t.TOPIC   what connections and producers publish, for handlers and
//!                              listeners; on the topics that the server listens on, what
//!                              producers publish: one server takes each, and answers a
//!                              request with its acceptance
//!   PREFIX.n.all               between servers: what one has accepted for sockets
//! ```
//!
//! [`subject`] says how a topic is written. A topic without a handler in this process is asked
//! for as a NATS request: the answer is `{"reply": …}`, `{"fail": …}` or nothing, and a topic on
//! which nobody listens counts as acknowledged. The header `framewire-id` holds the id.
//!
//! Who may publish on which subject is for NATS to say, by its permissions: the namespace in the
//! subject is the one that the producer has. `matched` in an acceptance counts the connections of
//! the server that accepted.
//!
//! While NATS is away, requests wait for it until their deadline, and what other servers should
//! be told is dropped and counted. Nothing durable is on the bus, so that is no loss but of time.

mod link;
pub mod subject;

pub use link::{Link, LinkError, Settings};
