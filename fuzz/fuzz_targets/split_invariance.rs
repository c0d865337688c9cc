//! The same bytes in pieces of three sizes: the same messages, the same answers.

#![no_main]

use framewire::engine::{Connection, Inbox, Limits, Role, Timestamp};
use libfuzzer_sys::fuzz_target;

fn told(role: Role, stream: &[u8], size: usize) -> (String, Vec<u8>) {
    let (now, limits) = (Timestamp::ZERO, Limits::default().with_fragments_max(9));
    let mut connection = Connection::new(role, limits.into(), now, [0; 32]);
    let (mut inbox, mut told) = (Inbox::new(), String::new());
    for piece in stream.chunks(size) {
        inbox.space(connection.frame_bytes_to_come())[..piece.len()].copy_from_slice(piece);
        inbox.filled(piece.len());
        while let Some(incoming) = inbox.next(&mut connection, now) {
            told += &format!("{incoming:?} ");
        }
    }
    (told, connection.transmit().flatten().copied().collect())
}

fuzz_target!(|input: &[u8]| {
    let Some((&[role, size], stream)) = input.split_first_chunk() else {
        return;
    };
    let role = Role::BOTH[usize::from(role % 2)];
    let whole = told(role, stream, 4096);
    assert_eq!(whole, told(role, stream, usize::from(size).max(1)));
    assert_eq!(whole, told(role, stream, 1));
});
