use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Masks in place, and says whether all bytes have become ASCII.
type InPlace = fn(MaskKey, &mut [u8]) -> bool;
type Copying = fn(MaskKey, &[u8], &mut [u8]);

const IN_PLACE: [(&str, InPlace); 7] = [
    ("apply", apply_ascii),
    ("long", long::apply::<true>),
    ("baseline", lanes::baseline::apply::<true>),
    ("lanes of 8", lanes::apply::<8>),
    ("lanes of 32", lanes::apply::<32>),
    ("lanes of 64", lanes::apply::<64>),
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    ("stream", |key, buffer| {
        stream::apply::<true>(key, buffer, apply_ascii)
    }),
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    ("baseline again", lanes::baseline::apply::<true>),
];

const COPYING: [(&str, Copying); 6] = [
    ("copy", copy),
    ("long", long::copy),
    ("baseline", lanes::baseline::copy),
    ("lanes of 8", lanes::copy::<8>),
    ("lanes of 32", lanes::copy::<32>),
    ("lanes of 64", lanes::copy::<64>),
];

const KEY: MaskKey = MaskKey::new([0x37, 0xfa, 0x21, 0x3d]);

/// Bytes that do not repeat with the key.
fn pattern(length: usize) -> Vec<u8> {
    (0..251).cycle().take(length).collect()
}

/// Every way gives what the scalar gives, inside a buffer whose other bytes stay.
fn check(key: MaskKey, payload: &[u8], before: usize) {
    let mut expected = payload.to_vec();
    apply_scalar(key, &mut expected);
    let end = before + payload.len();
    for (name, mask) in IN_PLACE {
        let mut buffer = vec![0xa5; end + 64];
        buffer[before..end].copy_from_slice(payload);
        let is_ascii = mask(key, &mut buffer[before..end]);
        assert_eq!(
            &buffer[before..end],
            expected,
            "{name}: {} at {before}",
            payload.len()
        );
        assert_eq!(is_ascii, expected.is_ascii(), "{name}: {}", payload.len());
        assert!(
            buffer[..before]
                .iter()
                .chain(&buffer[end..])
                .all(|&byte| byte == 0xa5),
            "{name}"
        );
    }
    let mut unlooked = payload.to_vec();
    apply(key, &mut unlooked);
    assert_eq!(unlooked, expected, "without a look for ASCII");
    for (name, mask) in COPYING {
        let mut buffer = vec![0xa5; end + 64];
        mask(key, payload, &mut buffer[before..end]);
        assert_eq!(
            &buffer[before..end],
            expected,
            "{name}: {} at {before}",
            payload.len()
        );
        assert!(
            buffer[..before]
                .iter()
                .chain(&buffer[end..])
                .all(|&byte| byte == 0xa5),
            "{name}"
        );
    }
}

//= WS-085 type=test
#[test]
fn each_octet_is_xored_with_the_octet_of_the_key_at_its_index_modulo_four() {
    let mut payload = *b"Hello";
    apply_scalar(KEY, &mut payload);
    assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
}

//= WS-085 type=test
#[test]
fn every_length_at_every_phase_gives_what_the_scalar_gives() {
    for length in 0..=300 {
        for phase in 0..4 {
            check(KEY.rotated(phase), &pattern(length), 0);
        }
    }
}

//= WS-085 type=test
#[test]
fn every_alignment_gives_what_the_scalar_gives() {
    for before in 0..64 {
        for length in [
            0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 130, 255, 300, 2047, 2100,
            2600,
        ] {
            check(KEY, &pattern(length), before);
        }
    }
}

#[test]
fn a_payload_in_two_parts_is_unmasked_with_the_rotated_key() {
    let payload = pattern(100);
    let mut whole = payload.clone();
    apply(KEY, &mut whole);
    for cut in 0..=payload.len() {
        let mut parts = payload.clone();
        let (head, tail) = parts.split_at_mut(cut);
        apply(KEY, head);
        apply(KEY.rotated(cut), tail);
        assert_eq!(parts, whole, "cut at {cut}");
    }
}

#[test]
fn one_byte_that_is_not_ascii_is_seen_wherever_it_stands() {
    for length in [1, 7, 8, 15, 20, 31, 32, 50, 255, 256, 300, 2600] {
        let text: Vec<u8> = (0..128).cycle().take(length).collect();
        check(MaskKey::new([0; 4]), &text, 13);
        for at in 0..length {
            for (name, mask) in IN_PLACE {
                let mut text = text.clone();
                text[at] |= 0x80;
                assert!(
                    !mask(MaskKey::new([0; 4]), &mut text),
                    "{name}: {at} of {length}"
                );
            }
        }
    }
}

/// In one pass, where the processor has what it takes.
#[cfg(all(target_arch = "x86_64", feature = "std"))]
#[test]
fn text_that_is_not_ascii_is_judged_in_the_pass_that_unmasks_it() {
    let text = "Grüße, 世界 😀 ".repeat(40).into_bytes();
    let has_avx512 = std::arch::is_x86_feature_detected!("avx512vbmi")
        && std::arch::is_x86_feature_detected!("avx512vbmi2");
    for length in [160, 161, 500, text.len()] {
        let mut masked = text[..length].to_vec();
        apply_scalar(KEY, &mut masked);
        let expected = if has_avx512 {
            Seen::Sound
        } else {
            Seen::Unknown
        };
        assert_eq!(apply_text(KEY, &mut masked), expected, "{length}");
        assert_eq!(masked, &text[..length]);

        let mut wrong = text[..length].to_vec();
        wrong[length / 2] = 0xff;
        apply_scalar(KEY, &mut wrong);
        assert_eq!(apply_text(KEY, &mut wrong), Seen::Unknown, "{length}");

        let mut ascii = vec![b'a'; length];
        apply_scalar(KEY, &mut ascii);
        assert_eq!(apply_text(KEY, &mut ascii), Seen::Ascii, "{length}");
    }
}

#[test]
fn debug_does_not_print_the_key() {
    assert_eq!(alloc::format!("{KEY:?}"), "MaskKey(..)");
}

#[test]
#[should_panic(expected = "slices of one length")]
fn copying_between_slices_that_differ_in_length_panics() {
    copy(KEY, &[0; 4], &mut [0; 5]);
}

proptest! {
    //= WS-085 type=test
    #[test]
    fn prop_every_way_gives_what_the_scalar_gives(
        key: [u8; 4],
        payload in proptest::collection::vec(any::<u8>(), 0..3000),
        before in 0_usize..64,
    ) {
        check(MaskKey::new(key), &payload, before);
    }

    #[test]
    fn prop_masking_twice_gives_the_payload_back(
        key: [u8; 4],
        payload in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut buffer = payload.clone();
        apply(MaskKey::new(key), &mut buffer);
        apply(MaskKey::new(key), &mut buffer);
        prop_assert_eq!(buffer, payload);
    }
}
