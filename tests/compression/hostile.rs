//! Input that is made to break an inflater, on a small stack.

use std::sync::Arc;
use std::thread;

use framewire::engine::Limits;
use framewire::engine::deflate::DeflateAnswer;

use crate::endpoint::{Endpoint, open_server};
use crate::payload;
use crate::raw::{Frame, frames};
use crate::sequences::Dice;

const STACK_BYTES: usize = 64 << 10;

/// Plays one compressed message, and says with what the endpoint closed, if it did.
fn close_code(
    limits: &Arc<Limits>,
    deflate: &DeflateAnswer,
    bits: usize,
    payload: &[u8],
) -> Option<u16> {
    let lines = [format!("permessage-deflate; client_max_window_bits={bits}")];
    let (connection, _) = open_server(deflate, &lines, limits).unwrap();
    let mut endpoint = Endpoint::new(connection);
    let frame = Frame::new(0xc2, payload).masked();
    endpoint.receive(&frame.to_bytes(), &[usize::MAX]);
    let last = frames(&endpoint.sent).pop()?;
    let code = last.payload.first_chunk().copied();
    (last.first == 0x88).then(|| code.map_or(1005, u16::from_be_bytes))
}

/// Messages that make a decoder change its state as often as their bytes allow.
pub(crate) fn deep() -> Vec<Vec<u8>> {
    let texts = [
        "repeat 150_000 [ 00 00 00 ff ff ] 00",
        "repeat 100_000 [ fixed [ ] ] end",
        "repeat 50_000 [ dynamic [ ] ] end",
        "repeat 40_000 [ fixed [ ] stored [ 00 ] dynamic [ ] ] end",
        "repeat 60_000 [ fixed-last [ 41 ] ] 00",
        "repeat 60_000 [ stored-last [ 41 ] ] 00",
        "fixed [ 41 repeat 100_000 [ copy 3 1 42 ] ] end",
        "fixed [ noise 32_768 1 repeat 3_000 [ copy 258 32_768 copy 3 1 ] ] end",
        "dynamic [ run 00 1_000_000_000 ] end",
        "repeat 300_000 [ 04 ]",
        "repeat 300_000 [ 05 ]",
        "repeat 300_000 [ 24 ]",
        "repeat 300_000 [ ff ]",
    ];
    texts.iter().map(|it| payload::bytes(it, 0)).collect()
}

/// Good messages with a few bytes or bits changed, and bytes that never were one.
fn broken(dice: &mut Dice) -> Vec<u8> {
    let text = [
        "fixed [ noise 200 1 copy 258 200 copy 100 7 ] end",
        "stored [ noise 100 2 ] fixed [ copy 50 100 ] dynamic [ run 00 5_000 ] end",
        "dynamic [ run 00 70_000 ] fixed [ 41 copy 10 32_768 ] end",
        "fixed-last [ noise 50 3 ] fixed [ copy 20 50 ] end",
        "noise 200 4",
    ][dice.roll(5)];
    let mut bytes = payload::bytes(text, 0);
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len());
        match dice.roll(3) {
            0 => bytes[at] = dice.byte(),
            1 => bytes[at] ^= 1 << dice.roll(8),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

//= DF-32 type=test
#[test]
fn no_input_takes_more_than_a_small_stack() {
    // The connection is opened on the small stack as well.
    let small = thread::Builder::new().stack_size(STACK_BYTES);
    let all = small.spawn(|| {
        let limits = Arc::new(Limits::default());
        let deflate = DeflateAnswer::default();
        for (at, payload) in deep().iter().enumerate() {
            for bits in [9, 15] {
                let code = close_code(&limits, &deflate, bits, payload);
                assert!(matches!(code, None | Some(1007 | 1009)), "{at}: {code:?}");
            }
        }
        let mut dice = Dice::new(32);
        let (mut read, mut refused) = (0, 0);
        for at in 0..5_000 {
            match close_code(&limits, &deflate, 8 + at % 8, &broken(&mut dice)) {
                None => read += 1,
                Some(1007) => refused += 1,
                code => panic!("{at}: {code:?}"),
            }
        }
        (read, refused)
    });
    let (read, refused) = all
        .unwrap()
        .join()
        .expect("neither a panic nor a full stack");
    assert!(
        read > 100 && refused > 2_000,
        "{read} read, {refused} refused"
    );
}
