//! Whole messages that arrive at once, which go a shorter way, held to the same bytes in pieces.

use framewire::engine::{Inbox, Limits, Role, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::raw_peer::{BINARY, FIN, RawPeer, TEXT};
use crate::support::receiver::{Receiver, Told, open};

/// The least limit with which the shorter way is gone, and the lengths at which it changes.
const LENGTHS: [usize; 3] = [126, 4_096, 65_536];

/// A message of a client, and how far the server's limit for messages is from its length.
#[derive(Clone, Debug)]
struct Sent {
    first: u8,
    payload: Vec<u8>,
    key: [u8; 4],
    limit: Option<i64>,
}

fn lengths() -> impl Strategy<Value = usize> {
    let near = (prop::sample::select(&LENGTHS[..]), 0_usize..4).prop_map(|(at, by)| at - 2 + by);
    prop_oneof![3 => near, 1 => 0_usize..300, 2 => 4_000_usize..66_000]
}

fn sent() -> impl Strategy<Value = Sent> {
    let text = (any::<bool>(), any::<bool>(), any::<bool>());
    let limit = prop::option::of(-1_i64..=1);
    (lengths(), text, any::<Index>(), any::<[u8; 4]>(), limit).prop_map(
        |(len, (is_text, is_wide, is_spoilt), at, key, limit)| {
            let mut payload: Vec<u8> = (b'a'..=b'w').cycle().take(len).collect();
            if is_wide {
                // Four bytes a character, of which the last may be cut.
                for (n, byte) in payload.iter_mut().enumerate() {
                    *byte = "\u{1f980}".as_bytes()[n % 4];
                }
            }
            if is_spoilt && len > 0 {
                payload[at.index(len)] = 0xff;
            }
            let first = FIN | if is_text { TEXT } else { BINARY };
            Sent {
                first,
                payload,
                key,
                limit,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prop_what_arrives_at_once_is_what_arrives_in_pieces(
        all in prop::collection::vec(sent(), 1..4),
        cut in any::<Index>(),
    ) {
        let mut bytes = Vec::new();
        let mut limits = Limits::default();
        for it in &all {
            bytes.extend(RawPeer { key: Some(it.key) }.frame(it.first, &it.payload));
            if let Some(by) = it.limit {
                let len = it.payload.len() as u64;
                limits = limits.with_message_bytes_max(len.saturating_add_signed(by));
            }
        }
        let mut in_pieces = Receiver::of(open(Role::Server, limits.clone()));
        let (before, behind) = bytes.split_at(cut.index(bytes.len()));
        for piece in [before, behind] {
            in_pieces.receive(piece);
        }

        let (mut connection, mut inbox) = (open(Role::Server, limits), Inbox::new());
        inbox.lend_buffer(vec![0xee; bytes.len() + (64 << 10)]);
        inbox.space(0)[..bytes.len()].copy_from_slice(&bytes);
        inbox.filled(bytes.len());
        let next = || inbox.next(&mut connection, Timestamp::ZERO).map(|it| Told::of(&it));
        let at_once: Vec<Told> = core::iter::from_fn(next).collect();

        prop_assert!(at_once == in_pieces.told, "{} messages differ", all.len());
        let sent: Vec<u8> = connection.transmit().flatten().copied().collect();
        prop_assert_eq!(sent, in_pieces.sent());
        prop_assert_eq!(connection.closure(), in_pieces.connection.closure());
    }
}
