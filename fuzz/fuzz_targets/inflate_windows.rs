//! Compressed messages in a small window: read where, and only where, the largest one reads them
//! and no copy reaches further back than the small one, and as a plain inflater reads them.

#![no_main]

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::engine::{Answer, Extension, Violation};
use framewire::wire::list::ExtensionOffer;
use libfuzzer_sys::fuzz_target;

#[path = "shared/plain_inflate.rs"]
mod plain_inflate;

/// The largest message, and how much of one is made room for at once.
const LIMIT: usize = 1 << 20;

fn agreed(bits: u8, keeps_context: bool) -> Box<dyn Extension> {
    let bits = bits.to_string();
    let mut offer = ExtensionOffer::new("permessage-deflate")
        .and_then(|it| it.with_param("client_max_window_bits", Some(&bits)))
        .unwrap();
    if !keeps_context {
        offer = offer
            .with_param("client_no_context_takeover", None)
            .unwrap();
    }
    let answer = DeflateAnswer::new(DeflateConfig::default().with_ratio_max(u32::MAX));
    answer.answer(&[offer]).unwrap().1
}

/// Expands a message that arrives in pieces of one size, into room of another. That it ends comes
/// with the last piece, or behind it.
fn expand(
    extension: &mut dyn Extension,
    payload: &[u8],
    size: usize,
    room: usize,
    ends_apart: bool,
) -> Result<Vec<u8>, Violation> {
    let (mut text, mut at) = (Vec::new(), 0);
    loop {
        let end = payload.len().min(at + size);
        let last = end == payload.len() && !(ends_apart && at < end);
        let mut taken = at;
        loop {
            let room = room.min(LIMIT - text.len());
            if room == 0 {
                return Err(Violation::MessageTooBig);
            }
            let before = text.len();
            text.resize(before + room, 0);
            let expanded = extension.expand(&payload[taken..end], last, &mut text[before..])?;
            text.truncate(before + expanded.given);
            taken += expanded.taken;
            if expanded.done {
                break;
            }
        }
        assert_eq!(taken, end, "done, and something is left");
        if last {
            return Ok(text);
        }
        at = end;
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&[setting, size, count], rest)) = input.split_first_chunk() else {
        return;
    };
    let (bits, keeps_context) = (8 + setting % 7, setting & 0x80 == 0);
    let (size, room) = (usize::from(size).max(1), 1 + usize::from(size) * 64);
    let (mut small, mut large) = (agreed(bits, keeps_context), agreed(15, keeps_context));
    let mut apart = agreed(15, keeps_context);
    let messages = rest.chunks(rest.len().div_ceil(usize::from(count % 4) + 1).max(1));
    let mut before = Vec::new();
    for payload in messages {
        let wide = expand(&mut *large, payload, size, room, false);
        let narrow = expand(&mut *small, payload, size, room, false);
        let ended_apart = expand(&mut *apart, payload, size, room, true);
        assert_eq!(wide, ended_apart, "the end by itself");
        let Ok(wide) = wide else {
            assert!(narrow.is_err(), "what no window reads");
            return;
        };
        let start = before.len();
        let plain = plain_inflate::message(payload, before);
        assert_eq!(plain.text[start..], wide, "as a plain inflater reads it");
        match narrow {
            Ok(narrow) => {
                assert!(plain.farthest <= 1 << bits, "beyond the window");
                assert_eq!(narrow, wide);
            }
            Err(violation) => {
                assert_eq!(violation, Violation::ExtensionData);
                assert!(plain.farthest > 1 << bits, "within the window");
                return;
            }
        }
        before = if keeps_context {
            plain.text
        } else {
            Vec::new()
        };
    }
});
