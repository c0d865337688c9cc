//! The end of a short message, which is read together with the tail that its sender took away: it
//! means what it means when the tail comes by itself, and whatever its room held before.

use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{Compress, Extension, Kind, Part, Violation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::agree;

/// What happens to a message on its way.
#[derive(Clone, Debug)]
enum Fault {
    None,
    Cut(Index),
    Changed(Index, u8),
    Longer(Vec<u8>),
}

impl Fault {
    fn befall(&self, payload: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Cut(at) => payload.truncate(at.index(payload.len())),
            Self::Changed(at, by) => {
                let at = at.index(payload.len());
                payload[at] ^= by;
            }
            Self::Longer(more) => payload.extend(more),
        }
    }
}

fn faults() -> impl Strategy<Value = Fault> {
    // What is like a tail, or like the beginning of a block.
    let more = prop_oneof![Just(0x00), Just(0xff), Just(0x01), any::<u8>()];
    prop_oneof![
        2 => Just(Fault::None),
        2 => any::<Index>().prop_map(Fault::Cut),
        3 => (any::<Index>(), 1..=255u8).prop_map(|(at, by)| Fault::Changed(at, by)),
        2 => vec(more, 1..12).prop_map(Fault::Longer),
    ]
}

fn messages() -> impl Strategy<Value = Vec<(String, Fault)>> {
    vec(("[a-d é]{1,200}", faults()), 1..6)
}

fn deflated(sender: &mut dyn Extension, text: &str) -> Vec<u8> {
    let mut payload = Vec::new();
    let part = Part::whole(Kind::Text, text.as_bytes(), Compress::Always);
    assert!(sender.reduce(part, &mut payload));
    payload
}

/// Expands all of `input` into room of so many bytes at a time, which held `before` in each.
fn expand(
    receiver: &mut dyn Extension,
    mut input: &[u8],
    last: bool,
    room: usize,
    before: u8,
) -> Result<Vec<u8>, Violation> {
    let mut text = Vec::new();
    loop {
        let so_far = text.len();
        text.resize(so_far + room, before);
        let expanded = receiver.expand(input, last, &mut text[so_far..])?;
        text.truncate(so_far + expanded.given);
        input = &input[expanded.taken..];
        if expanded.done {
            return Ok(text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    //= PD-021 type=test
    //= PD-057 type=test
    #[test]
    fn prop_an_end_means_the_same_with_its_tail_as_without(
        messages in messages(),
        keeps_context in any::<bool>(),
        bits in prop_oneof![3 => Just(15u8), 1 => 9..15u8],
        room in prop_oneof![3 => Just(4096usize), 1 => 1..300usize],
    ) {
        let config = DeflateConfig::default()
            .with_context_kept(keeps_context, keeps_context)
            .with_window_bits(bits, bits);
        let (mut together, mut sender) = agree(config, config);
        let (mut apart, _) = agree(config, config);
        let mut windows_agree = true;
        for (text, fault) in messages {
            let mut payload = deflated(&mut *sender, &text);
            fault.befall(&mut payload);
            let with_tail = expand(&mut *together, &payload, true, room, 0);
            let without = expand(&mut *apart, &payload, false, room, 0xa5).and_then(|mut text| {
                // Of nothing at all, the tail does not say that it is the end of something.
                let end = expand(&mut *apart, &[], true, room, 0xa5)?;
                text.extend(end);
                Ok(text)
            });
            prop_assert_eq!(&with_tail, &without);
            if with_tail.is_err() {
                break;
            }
            windows_agree &= matches!(fault, Fault::None);
            if windows_agree {
                prop_assert_eq!(with_tail, Ok(text.into_bytes()));
            }
        }
    }
}
