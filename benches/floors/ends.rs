//! An end of a connection, and a transport that takes all it is given.

extern crate alloc;

use alloc::sync::Arc;
use core::hint::black_box;

use framewire::engine::{Connection, Limits, Role, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp::ZERO;

/// An end of an open connection.
pub(crate) fn open(role: Role) -> Connection {
    let limits = Limits::default().with_message_bytes_max(1 << 24);
    Connection::new(role, Arc::new(limits), NOW, [7; 32])
}

/// Takes what waits, as a transport does that has room for all of it.
pub(crate) fn drain(connection: &mut Connection) {
    while connection.buffered_bytes() > 0 {
        let bytes = connection.transmit().map(|it| black_box(it).len()).sum();
        connection.transmitted(bytes);
    }
}
