//! The configuration: a file, the environment and flags, read into plain data.
//!
//! The file is YAML. Each key stands in one table, by which files are read and from which
//! [`reference()`] is printed; what is not in it is refused. All faults are told at once, each with
//! its line, its column, the path of the key and what was expected. Secrets never stand in the
//! file, which names the environment variable or the file that holds one.
//!
//! ```
//! use framewire::announce::config::{Config, Flags, Source};
//!
//! let source = Source {
//!     name: "socket.yaml".into(),
//!     bytes: b"gateway:\n  socket:\n    connect: /connect\n".to_vec(),
//! };
//! let faults = Config::load(Some(&source), &Default::default(), &Flags::default()).unwrap_err();
//! assert_eq!(
//!     faults.as_slice()[0].to_string(),
//!     "socket.yaml:3:5: gateway.socket.connect: no such key; did you mean `path`?"
//! );
//! ```
//!
//! ```text
//!   check                 what it means in words, and what is unsafe
//!   load  difference  reference
//!   agree                 what several keys have to agree on
//!   assemble              values to plain data
//!   model                 the plain data
//!   values                one value for each key, from all sources
//!   value                 one value, by the kind of its key
//!   table                 the keys
//!   rule  unit  yaml  fault
//! ```

mod agree;
mod assemble;
pub mod check;
mod difference;
mod fault;
mod load;
mod model;
mod reference;
mod rule;
mod table;
mod unit;
mod value;
mod values;
mod yaml;

pub use difference::Change;
pub use fault::{FAULTS_MAX, Fault, Faults, Place};
pub use load::{Flags, Source};
pub use model::{
    Announcements, Auth, BroadcastScope, Bus, CatchUp, Config, Feed, Gateway, Heartbeat,
    LateJoiners, Limits, Log, Observe, Origins, Pace, Priority, Profile, PublicKey, Schedule,
    SecretSource, Server, Shutdown, Socket, Store, TlsFiles, Tokens, Webhook,
};
pub use reference::reference;
pub use table::Effect;
pub use unit::Rate;
pub use yaml::{BYTES_MAX, DEPTH_MAX, NODES_MAX};
