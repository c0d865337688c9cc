//! Streams of frames for properties: mostly right, often with something wrong.

use framewire::engine::{Limits, Role};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::hex::Hex;
use crate::support::oracle::Terms;
use crate::support::raw_peer::{BINARY, CLOSE, CONTINUATION, FIN, LengthForm, PING, PONG};
use crate::support::raw_peer::{RawPeer, TEXT};

/// What a peer sends next.
#[derive(Clone, Debug)]
enum Part {
    /// A message in fragments of these lengths, with a control frame behind some of them.
    Message {
        opcode: u8,
        payload: Vec<u8>,
        fragments: Vec<usize>,
        control: Option<(u8, Vec<u8>)>,
    },
    Control(u8, Vec<u8>),
    /// Anything, in any form of the length.
    Odd {
        first: u8,
        form: LengthForm,
        declared: u64,
        payload: Vec<u8>,
    },
}

/// What happens to the bytes on their way.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Flip(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    End(Index),
}

pub(crate) fn roles() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// Limits that small streams reach.
pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    (125_u64..300, 1_u32..7, 256_usize..500).prop_map(|(message, fragments, control)| {
        Limits::default()
            .with_message_bytes_max(message)
            .with_fragments_max(fragments)
            .with_control_bytes_max(control)
    })
}

/// The same terms, for the oracle.
pub(crate) fn terms(role: Role, limits: &Limits) -> Terms {
    Terms {
        masked: role.requires_mask(),
        message_bytes_max: limits.message_bytes_max(),
        fragments_max: limits.fragments_max(),
    }
}

/// Pieces of text, some of which end inside a character or are no text at all.
pub(crate) fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        6 => prop_oneof![
            Just("a".as_bytes().to_vec()), Just("κόσμε".into()), Just("😀".into()),
            Just("\0".into()), Just("Straße".into()), Just(vec![b'x'; 60]),
        ],
        1 => prop_oneof![
            Just(vec![0xe2, 0x82]), Just(vec![0xed, 0xa0, 0x80]), Just(vec![0xc0]),
            Just(vec![0xf4, 0x90]), Just(vec![0x80]),
        ],
    ];
    proptest::collection::vec(word, 0..5).prop_map(|words| words.concat())
}

fn controls() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let payload = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 0..5),
        1 => Just(vec![b'p'; 125]),
    ];
    let close = (980_u16..1020, payloads()).prop_map(|(code, mut reason)| {
        reason.truncate(123);
        (CLOSE, [&code.to_be_bytes()[..], &reason].concat())
    });
    prop_oneof![
        5 => (prop_oneof![Just(PING), Just(PONG)], payload),
        1 => close,
    ]
}

fn parts() -> impl Strategy<Value = Part> {
    let fragments = proptest::collection::vec(0_usize..40, 0..5);
    let message = (
        prop_oneof![Just(TEXT), Just(BINARY)],
        payloads(),
        fragments,
        proptest::option::of(controls()),
    );
    let form = prop_oneof![
        Just(LengthForm::Short),
        Just(LengthForm::Medium),
        Just(LengthForm::Long)
    ];
    let declared = prop_oneof![0_u64..140, 65_530_u64..65_540, any::<u64>()];
    let odd = (any::<u8>(), form, declared, payloads());
    prop_oneof![
        6 => message.prop_map(|(opcode, payload, fragments, control)| {
            Part::Message { opcode, payload, fragments, control }
        }),
        3 => controls().prop_map(|(opcode, payload)| Part::Control(opcode, payload)),
        1 => odd.prop_map(|(first, form, declared, payload)| {
            Part::Odd { first, form, declared, payload }
        }),
    ]
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (any::<Index>(), 0_u8..8).prop_map(|(at, bit)| Fault::Flip(at, 1 << bit)),
        any::<Index>().prop_map(Fault::Remove),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Fault::Insert(at, byte)),
        any::<Index>().prop_map(Fault::End),
    ]
}

impl Part {
    fn bytes(&self, peer: RawPeer) -> Vec<u8> {
        match self {
            Self::Control(opcode, payload) => peer.frame(FIN | opcode, payload),
            Self::Odd {
                first,
                form,
                declared,
                payload,
            } => [
                peer.header_as(*first, *form, *declared),
                peer.payload(payload),
            ]
            .concat(),
            Self::Message {
                opcode,
                payload,
                fragments,
                control,
            } => {
                let (mut bytes, mut rest, mut first) = (Vec::new(), &payload[..], *opcode);
                for length in fragments {
                    let (fragment, behind) = rest.split_at((*length).min(rest.len()));
                    bytes.extend(peer.frame(first, fragment));
                    if let Some((opcode, payload)) = control {
                        bytes.extend(peer.frame(FIN | opcode, payload));
                    }
                    (rest, first) = (behind, CONTINUATION);
                }
                bytes.extend(peer.frame(FIN | first, rest));
                bytes
            }
        }
    }
}

impl Fault {
    fn apply(self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        match self {
            Self::Flip(at, bits) => bytes[at.index(len)] ^= bits,
            Self::Remove(at) => drop(bytes.remove(at.index(len))),
            Self::Insert(at, byte) => bytes.insert(at.index(len), byte),
            Self::End(at) => bytes.truncate(at.index(len)),
        }
    }
}

/// A role, and bytes that a peer might send to it, right or wrong.
pub(crate) fn any_stream() -> impl Strategy<Value = (Role, Hex)> {
    let faults = prop_oneof![
        2 => Just(Vec::new()),
        1 => proptest::collection::vec(faults(), 1..3),
    ];
    let parts = proptest::collection::vec(parts(), 1..6);
    (roles(), any::<[u8; 4]>(), parts, faults).prop_map(|(role, key, parts, faults)| {
        let peer = RawPeer {
            key: role.requires_mask().then_some(key),
        };
        let mut bytes = parts.iter().flat_map(|part| part.bytes(peer)).collect();
        for fault in faults {
            fault.apply(&mut bytes);
        }
        (role, Hex(bytes))
    })
}
