//! What a connection may be told without having asked. Each dialect writes it in its own way,
//! once for all connections that speak it.

use alloc::string::String;
use alloc::sync::Arc;

use crate::announce::announcement::FeedKey;
use crate::announce::store::{ReadMark, ReadState, Release};

/// What a connection may be told without having asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Something came into a feed: an announcement, an edit, a recall.
    Released(Arc<Release>),
    /// The person has read something on another device.
    Read {
        /// Where it stands.
        feed: FeedKey,
        /// What was named.
        mark: ReadMark,
        /// What is unread now.
        state: Arc<ReadState>,
    },
    /// Something was said in a room.
    Said {
        /// The room.
        room: String,
        /// The person.
        from: String,
        /// The kind of message, as the application calls it.
        event: String,
        /// A JSON value.
        payload: String,
    },
    /// Somebody has come into a room or left it.
    Presence {
        /// The room.
        room: String,
        /// The person.
        user: String,
        /// Whether the person is in the room now.
        present: bool,
        /// Grows with every change of the room's presence.
        version: u64,
    },
    /// Somebody sent this to the person.
    Relayed {
        /// The person who did.
        from: String,
        /// The kind of message, as the application calls it.
        event: String,
        /// A JSON value.
        payload: String,
    },
}
