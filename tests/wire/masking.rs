//! Masked payloads.

use framewire::wire::mask::{self, MaskKey};

use crate::hex;

const KEY: MaskKey = MaskKey::new([0x37, 0xfa, 0x21, 0x3d]);

//= WS-085 type=test
#[test]
fn rfc6455_5_7_masked_text_hello() {
    let masked = hex("7f 9f 4d 51 58");
    let mut payload = masked.clone();
    mask::apply(KEY, &mut payload);
    assert_eq!(payload, b"Hello");
    let mut again = [0; 5];
    mask::copy(KEY, &payload, &mut again);
    assert_eq!(again, masked[..]);
}

//= WS-085 type=test
#[test]
fn a_large_payload_is_unmasked_as_byte_by_byte() {
    let payload: Vec<u8> = (0_u32..70_001)
        .map(|index| (index * 31 % 253) as u8)
        .collect();
    let expected: Vec<u8> = payload
        .iter()
        .zip(KEY.bytes().iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect();
    let mut in_place = payload.clone();
    mask::apply(KEY, &mut in_place);
    assert!(in_place == expected);
    let mut copied = vec![0; payload.len()];
    mask::copy(KEY, &payload, &mut copied);
    assert!(copied == expected);
}

//= WS-085 type=test
#[test]
fn the_key_turns_with_the_octets_before_a_part() {
    for octets in 0..12 {
        let turned: Vec<u8> = KEY
            .bytes()
            .iter()
            .cycle()
            .skip(octets)
            .take(4)
            .copied()
            .collect();
        assert_eq!(KEY.rotated(octets).bytes(), turned[..]);
    }
    assert_eq!(KEY.rotated(usize::MAX), KEY.rotated(3));
}
