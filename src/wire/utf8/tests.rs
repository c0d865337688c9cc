mod masked;

use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

/// Whether some bytes after `prefix` would make it valid text: tried with one completion
/// from each range that Unicode knows, and judged by the standard library alone.
fn can_go_on(prefix: &[u8]) -> bool {
    let Err(error) = core::str::from_utf8(prefix) else {
        return true;
    };
    let begun = &prefix[error.valid_up_to()..];
    [0x80, 0x90, 0xa0].iter().any(|&next| {
        [&[next][..], &[next, 0x80], &[next, 0x80, 0x80]]
            .iter()
            .any(|more| core::str::from_utf8(&[begun, more].concat()).is_ok())
    })
}

/// The index of the first byte after which nothing can make the text valid.
fn first_impossible(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|&at| {
        // Only the last few bytes matter: before them stand whole characters.
        let start = core::str::from_utf8(&bytes[..at]).map_or_else(|e| e.valid_up_to(), |_| at);
        !can_go_on(&bytes[start..=at])
    })
}

/// Feeds pieces that end at the given indices, and tells where it failed.
fn feed_in_pieces(bytes: &[u8], cuts: &[usize]) -> (Option<usize>, Utf8Stream) {
    let mut stream = Utf8Stream::new();
    let mut start = 0;
    for &end in cuts.iter().chain([&bytes.len()]) {
        if let Err(error) = stream.feed(&bytes[start..end]) {
            return (Some(start + error.at()), stream);
        }
        start = end;
    }
    (None, stream)
}

/// One way of cutting `bytes` agrees with the reference and the standard library.
fn check(bytes: &[u8], cuts: &[usize]) {
    let (failed, mut stream) = feed_in_pieces(bytes, cuts);
    assert_eq!(
        failed,
        first_impossible(bytes),
        "{bytes:02x?} cut at {cuts:?}"
    );
    let valid = core::str::from_utf8(bytes).is_ok();
    assert_eq!(
        failed.is_none() && stream.is_complete(),
        valid,
        "{bytes:02x?} cut at {cuts:?}"
    );
    assert_eq!(
        stream.finish().is_ok(),
        valid,
        "{bytes:02x?} cut at {cuts:?}"
    );
    let expected = if valid {
        None
    } else {
        Some(failed.unwrap_or(bytes.len()))
    };
    assert_eq!(
        validate(bytes).err().map(InvalidUtf8::at),
        expected,
        "{bytes:02x?}"
    );
}

/// Whole, and byte by byte.
fn check_both_ways(bytes: &[u8]) {
    check(bytes, &[]);
    check(bytes, &(1..bytes.len().max(1)).collect::<Vec<_>>());
}

//= WS-114 type=test
//= WS-155 type=test
#[test]
fn every_sequence_of_three_bytes_is_judged_as_the_standard_library_does() {
    let edges = [
        0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
        0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
    ];
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            check_both_ways(&[first, second]);
        }
        for second in edges {
            for third in edges {
                check_both_ways(&[first, second, third]);
            }
        }
    }
}

#[test]
fn every_sequence_of_four_edge_bytes_is_judged_as_the_standard_library_does() {
    let edges = [
        0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4,
    ];
    for first in edges {
        for second in edges {
            for third in edges {
                for fourth in edges {
                    check_both_ways(&[first, second, third, fourth]);
                }
            }
        }
    }
}

//= WS-114 type=test
#[test]
fn an_impossible_byte_is_an_error_as_soon_as_it_arrives() {
    for (before, byte) in [
        (&b""[..], 0xc0),
        (b"", 0xc1),
        (b"", 0xf5),
        (b"", 0x80),
        (b"\xe0", 0x9f),
        (b"\xed", 0xa0),
        (b"\xf0", 0x8f),
        (b"\xf4", 0x90),
        (b"\xe2\x82", 0x28),
        (b"\xf0\x90\x80", 0xc2),
    ] {
        let mut stream = Utf8Stream::new();
        stream.feed(before).unwrap();
        assert_eq!(
            stream.feed(&[byte]).map_err(InvalidUtf8::at),
            Err(0),
            "{before:02x?} {byte:02x}"
        );
    }
}

//= WS-114 type=test
#[test]
fn a_text_may_end_inside_a_character_in_a_piece_but_not_as_a_whole() {
    let mut stream = Utf8Stream::new();
    stream.feed(b"price: \xe2\x82").unwrap();
    assert!(!stream.is_complete());
    stream.feed(b"\xac").unwrap();
    assert!(stream.is_complete());
    stream.finish().unwrap();
    assert_eq!(stream, Utf8Stream::new());

    stream.feed(b"\xe2\x82").unwrap();
    assert!(stream.finish().is_err());
}

#[test]
fn a_stream_that_has_failed_stays_failed() {
    let mut stream = Utf8Stream::new();
    assert_eq!(stream.feed(b"abc\xff").map_err(InvalidUtf8::at), Err(3));
    assert!(stream.feed(b"abc").is_err());
    assert!(stream.finish().is_err());
    assert!(stream.finish().is_err());
}

#[test]
fn long_texts_fail_at_the_byte_that_is_wrong() {
    let text = "Grüße, 世界 😀 ".repeat(40).into_bytes();
    check(&text, &[]);
    for at in 0..text.len() {
        let mut corrupted = text.clone();
        corrupted[at] = 0xff;
        check(&corrupted, &[]);
        check(&text[..at], &[at / 2]);
    }
}

/// Text of all lengths of characters, with some bytes written over.
fn corrupted_text() -> impl Strategy<Value = Vec<u8>> {
    let text = proptest::collection::vec(
        prop_oneof![4 => Just('a'), 1 => any::<char>(), 1 => Just('é'), 1 => Just('€')],
        0..200,
    );
    let faults = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (text, faults).prop_map(|(text, faults)| {
        let mut bytes = text.into_iter().collect::<String>().into_bytes();
        for (index, byte) in faults {
            if !bytes.is_empty() {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    })
}

proptest! {
    //= WS-114 type=test
    //= WS-155 type=test
    #[test]
    fn prop_any_split_gives_the_same_verdict_at_the_same_byte(
        bytes in corrupted_text(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        check(&bytes, &cuts);
    }

    #[test]
    fn prop_random_bytes_are_judged_as_the_standard_library_does(
        bytes in proptest::collection::vec(any::<u8>(), 0..12),
    ) {
        check_both_ways(&bytes);
    }
}
