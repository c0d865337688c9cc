//! Whole messages that arrive at once, which go a shorter way, held to the same bytes in pieces.

use framewire::engine::{Inbox, Limits, Role, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::raw_peer::{BINARY, FIN, LengthForm, RawPeer, TEXT};
use crate::support::receiver::{Receiver, Told, open};

/// The lengths about which the form of a header or the way of a message changes.
const LENGTHS: [usize; 3] = [126, 4_096, 65_536];

/// A message of a client, and how far the server's limit for messages is from its length.
#[derive(Clone, Debug)]
struct Sent {
    len: usize,
    is_text: bool,
    /// Four bytes a character, of which the last may be cut; or one.
    is_wide: bool,
    /// Where a byte stands that is in no text.
    spoilt_at: Option<Index>,
    key: [u8; 4],
    /// How the length is written, if not in its shortest form.
    form: Option<LengthForm>,
    limit: Option<i64>,
}

impl Sent {
    fn frame(&self) -> Vec<u8> {
        let text = if self.is_wide {
            "\u{1f980}"
        } else {
            "announce"
        };
        let mut payload: Vec<u8> = text.bytes().cycle().take(self.len).collect();
        if let Some(at) = self.spoilt_at.filter(|_| self.len > 0) {
            payload[at.index(self.len)] = 0xff;
        }
        let peer = RawPeer {
            key: Some(self.key),
        };
        let first = FIN | if self.is_text { TEXT } else { BINARY };
        let len = self.len as u64;
        let header = match self.form {
            Some(form) => peer.header_as(first, form, len),
            None => peer.header(first, len),
        };
        [header, peer.payload(&payload)].concat()
    }
}

fn lengths() -> impl Strategy<Value = usize> {
    let near = (prop::sample::select(&LENGTHS[..]), 0_usize..4).prop_map(|(at, by)| at - 2 + by);
    prop_oneof![3 => near, 1 => 0_usize..300, 2 => 4_000_usize..66_000]
}

fn sent() -> impl Strategy<Value = Sent> {
    let spoilt_at = prop::option::weighted(0.25, any::<Index>());
    let limit = prop::option::of(-1_i64..=1);
    let text = (any::<bool>(), any::<bool>(), spoilt_at);
    let forms = prop::sample::select(&[LengthForm::Medium, LengthForm::Long][..]);
    let header = (any::<[u8; 4]>(), prop::option::weighted(0.05, forms));
    (lengths(), text, header, limit).prop_map(|(len, text, (key, form), limit)| {
        let (is_text, is_wide, spoilt_at) = text;
        Sent {
            len,
            is_text,
            is_wide,
            spoilt_at,
            key,
            form,
            limit,
        }
    })
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
            bytes.extend(it.frame());
            if let Some(by) = it.limit {
                let limit = (it.len as u64).saturating_add_signed(by);
                limits = limits.with_message_bytes_max(limit);
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
