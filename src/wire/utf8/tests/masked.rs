//! Text that is unmasked and judged in one go, held to unmasking it first.

use super::*;

const KEY: MaskKey = MaskKey::new([0x37, 0xfa, 0x21, 0x3d]);

/// How a block is cut: around each place something may be seen too late or not at all.
const BLOCK_BYTES: usize = 64;

fn masked(bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    mask::apply_scalar(KEY, &mut masked);
    masked
}

/// As a whole it is judged as the standard library does, unmasked, and nothing beside it touched.
fn check_whole(bytes: &[u8], before: usize) {
    let mut around = alloc::vec![0xa5; before + bytes.len() + 70];
    let (start, end) = (before, before + bytes.len());
    around[start..end].copy_from_slice(&masked(bytes));
    let valid = validate_masked(KEY, &mut around[start..end]);
    assert_eq!(valid, core::str::from_utf8(bytes).is_ok(), "{bytes:02x?}");
    assert_eq!(&around[start..end], bytes);
    let beside = around[..start].iter().chain(&around[end..]);
    assert!(beside.copied().all(|byte| byte == 0xa5), "{bytes:02x?}");
}

/// In pieces it is judged as unmasked pieces are.
fn check_pieces(bytes: &[u8], cuts: &[usize]) {
    let (mut plain, mut stream) = (Utf8Stream::new(), Utf8Stream::new());
    let mut start = 0;
    for &end in cuts.iter().chain([&bytes.len()]) {
        let mut piece = masked(bytes)[start..end].to_vec();
        let fed = stream.feed_masked(KEY.rotated(start), &mut piece);
        assert_eq!(piece, &bytes[start..end]);
        assert_eq!(fed, plain.feed(&piece), "{piece:02x?} from {start}");
        assert_eq!(stream, plain, "{piece:02x?} from {start}");
        start = end;
    }
    assert_eq!(stream.finish(), plain.finish(), "{bytes:02x?} at {cuts:?}");
}

/// Characters of each length in turn, so that one lies across every place where a block may end.
fn text(length: usize) -> Vec<u8> {
    let text = "é€😀aß世𐍈".repeat(length / 16 + 2).into_bytes();
    text[..length].to_vec()
}

//= WS-155 type=test
#[test]
fn every_length_is_judged_as_the_standard_library_does() {
    for length in 0..500 {
        check_whole(&text(length), length % BLOCK_BYTES);
        check_pieces(&text(length), &[]);
        check_pieces(&text(length), &[length / 3, length / 2]);
    }
}

//= WS-155 type=test
#[test]
fn every_sequence_of_edge_bytes_is_judged_alike_across_blocks() {
    let edges = [
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
        0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ];
    let mut around = "é".repeat(2 * BLOCK_BYTES).into_bytes();
    let before = 2 * BLOCK_BYTES - 2;
    for first in edges {
        for second in edges {
            for third in edges {
                around[before..before + 3].copy_from_slice(&[first, second, third]);
                around[before + 3] = b'a';
                check_whole(&around, 0);
                // At the end of a text, and in the last block of one.
                check_whole(&around[..before + 3], 0);
                check_pieces(&around[..before + 3], &[]);
            }
        }
    }
}

//= WS-155 type=test
#[test]
fn a_wrong_byte_is_found_wherever_it_stands() {
    let text = text(3 * BLOCK_BYTES + 7);
    for at in 0..text.len() {
        for wrong in [0x00, 0x80, 0xc0, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff] {
            let mut text = text.clone();
            text[at] = wrong;
            check_whole(&text, 13);
            check_pieces(&text, &[at]);
        }
    }
}

/// Long enough to begin at a line of the cache: ASCII up to one character, wherever that stands,
/// and wherever the text does.
//= WS-155 type=test
#[test]
fn what_is_not_ascii_is_seen_wherever_it_stands_in_a_long_text() {
    let length = 40 * BLOCK_BYTES + 9;
    for (at, before) in (0..length - 4).step_by(7).zip((0..BLOCK_BYTES).cycle()) {
        for put in ["é", "世", "😀", "\u{7ff}\u{800}"].map(str::as_bytes) {
            let mut text = alloc::vec![b'a'; length];
            let end = length.min(at + put.len());
            text[at..end].copy_from_slice(&put[..end - at]);
            check_whole(&text, before);
            check_pieces(&text, &[]);
            text[at + 1] = b'a';
            check_whole(&text, before);
        }
    }
    for before in 0..BLOCK_BYTES {
        check_whole(&text(length), before);
        check_whole(&alloc::vec![b'a'; length], before);
    }
}

proptest! {
    //= WS-114 type=test
    //= WS-155 type=test
    #[test]
    fn prop_masked_text_is_judged_as_unmasked_text_is(
        parts in proptest::collection::vec(corrupted_text(), 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        before in 0..BLOCK_BYTES,
    ) {
        let bytes = parts.concat();
        check_whole(&bytes, before);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        check_pieces(&bytes, &cuts);
    }
}
