//! A receive buffer and its connection; the first bytes choose the role and the limits.

#![no_main]

use framewire::engine::{Connection, Inbox, Incoming, Limits, Role, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&[role, bytes, fragments], stream)) = input.split_first_chunk() else {
        return;
    };
    let limits = Limits::default().with_message_bytes_max(125 + u64::from(bytes));
    let limits = limits
        .with_fragments_max(fragments.into())
        .with_control_bytes_max(256);
    let (role, now) = (Role::BOTH[usize::from(role % 2)], Timestamp::ZERO);
    let mut connection = Connection::new(role, limits.into(), now, [0; 32]);
    let mut inbox = Inbox::with_bytes(stream.to_vec());
    while let Some(incoming) = inbox.next(&mut connection, now) {
        if let Incoming::Message(message) = incoming {
            assert!(message.bytes().len() <= 125 + usize::from(bytes));
        }
    }
    assert!(connection.buffered_bytes() < 256 + 3 * 131);
});
