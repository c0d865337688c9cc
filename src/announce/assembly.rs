//! From a configuration to a running server.
//!
//! Each part of the server has settings of its own and knows no configuration. Here they are
//! made from one, the parts are put together, and a [`Reload`] brings a running server to a
//! configuration that has changed.
//!
//! ```text
//!   server     everything put together, and its run       reload   another configuration
//!   inputs     where the configuration comes from         error    why there is no server
//!   check      what is unsafe, with the secrets looked at
//!   keys  rules  listening  plans  events                 settings of the parts
//!   runs       what the store holds for schedules         link     the bus of several servers
//! ```

pub mod check;
mod error;
mod events;
mod inputs;
mod keys;
#[cfg(feature = "nats")]
mod link;
#[cfg(not(feature = "nats"))]
#[path = "assembly/no_link.rs"]
mod link;
mod listening;
mod plans;
mod reload;
mod rules;
mod runs;
mod server;

pub use error::{Refused, StartError};
pub use events::Events;
pub use inputs::{DEFAULT_FILE, Inputs};
pub use plans::plans;
pub use reload::{Reload, Reloaded};
pub use runs::{Runs, Schedules};
pub use server::{Ended, Server};
