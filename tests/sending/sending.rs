//! Messages into frames (RFC 6455 §5.2 to §5.6, §6.1).

use std::collections::HashSet;

use framewire::engine::{Kind, Message, Misuse, Prepared, Role, SendError};

use crate::raw::Frame;
use crate::{BINARY, NOW, PING, PONG, TEXT, open, pairs, sent, take};

const UNFINISHED: SendError = SendError::Misuse(Misuse::MessageUnfinished);
const KIND_CHANGED: SendError = SendError::Misuse(Misuse::KindChanged);
const NOT_UTF8: SendError = SendError::Misuse(Misuse::NotUtf8);

//= E21 type=test
//= E22 type=test
//= WS-071 type=test
//= WS-079 type=test
//= WS-117 type=test
#[test]
fn rfc6455_5_7_frames_of_a_server_are_sent_to_the_byte() {
    let mut server = open(Role::Server);
    server.send_text(NOW, "Hello").expect("an open connection");
    assert_eq!(take(&mut server, usize::MAX), b"\x81\x05Hello");
    server
        .send_fragment(NOW, Kind::Text, b"Hel", false)
        .expect("an open connection");
    server
        .send_fragment(NOW, Kind::Text, b"lo", true)
        .expect("an open connection");
    assert_eq!(take(&mut server, usize::MAX), b"\x01\x03Hel\x80\x02lo");
    server.ping(b"Hello").expect("an open connection");
    assert_eq!(take(&mut server, usize::MAX), b"\x89\x05Hello");
    server
        .send_binary(NOW, &[0; 256])
        .expect("an open connection");
    assert_eq!(take(&mut server, 4), b"\x82\x7e\x01\x00");
    take(&mut server, usize::MAX);
    server
        .send_binary(NOW, &[0; 65_536])
        .expect("an open connection");
    assert_eq!(take(&mut server, 10), b"\x82\x7f\0\0\0\0\0\x01\0\0");
}

//= WS-069 type=test
//= WS-071 type=test
//= WS-074 type=test
//= WS-078 type=test
//= WS-081 type=test
//= WS-086 type=test
//= WS-117 type=test
//= WS-118 type=test
//= WS-119 type=test
//= WS-120 type=test
#[test]
fn each_way_to_send_a_message_makes_one_frame_with_the_shortest_length() {
    for role in Role::BOTH {
        // Whether a length is in its shortest form is looked at when the bytes are read.
        for len in [0, 1, 125, 126, 127, 4_095, 4_096, 65_535, 65_536] {
            let text = "t".repeat(len);
            let mut connection = open(role);
            connection
                .send_text(NOW, &text)
                .expect("an open connection");
            connection
                .send_message(NOW, Message::text(&*text))
                .expect("an open connection");
            connection
                .send_prepared(NOW, &Prepared::text(&text))
                .expect("an open connection");
            let text_sent = sent(&mut connection);
            assert_eq!(pairs(&text_sent), [(TEXT, text.as_bytes()); 3]);

            let bytes = vec![0xff; len];
            connection
                .send_binary(NOW, &bytes)
                .expect("an open connection");
            connection
                .send_message(NOW, bytes.clone().into())
                .expect("an open connection");
            connection
                .send_prepared(NOW, &Prepared::binary(&bytes))
                .expect("an open connection");
            let binary_sent = sent(&mut connection);
            assert_eq!(pairs(&binary_sent), [(BINARY, &bytes[..]); 3]);
        }
    }
}

//= WS-089 type=test
//= WS-118 type=test
//= WS-119 type=test
#[test]
fn fragments_of_a_message_are_one_first_frame_and_continuations() {
    for role in Role::BOTH {
        let mut connection = open(role);
        for (kind, first) in [(Kind::Text, 0x01), (Kind::Binary, 0x02)] {
            for fragment in [&b"one"[..], b"", &[b'x'; 200]] {
                connection
                    .send_fragment(NOW, kind, fragment, false)
                    .expect("an open connection");
            }
            connection
                .send_fragment(NOW, kind, b"end", true)
                .expect("an open connection");
            let expected = [
                (first, &b"one"[..]),
                (0, b""),
                (0, &[b'x'; 200]),
                (0x80, b"end"),
            ];
            assert_eq!(pairs(&sent(&mut connection)), expected);
            connection
                .send_fragment(NOW, kind, b"alone", true)
                .expect("an open connection");
            assert_eq!(
                pairs(&sent(&mut connection)),
                [(first | 0x80, &b"alone"[..])]
            );
        }
    }
}

//= WS-090 type=test
//= WS-097 type=test
#[test]
fn nothing_but_its_own_fragments_comes_between_the_fragments_of_a_message() {
    for role in Role::BOTH {
        let mut connection = open(role);
        connection
            .send_fragment(NOW, Kind::Binary, b"one", false)
            .expect("an open connection");
        let prepared = Prepared::text("no");
        let large = Message::binary(vec![0; 9_000]);
        assert_eq!(connection.send_text(NOW, "no"), Err(UNFINISHED));
        assert_eq!(connection.send_binary(NOW, b"no"), Err(UNFINISHED));
        assert_eq!(connection.send_message(NOW, "no".into()), Err(UNFINISHED));
        assert_eq!(connection.send_message(NOW, large), Err(UNFINISHED));
        assert_eq!(connection.send_prepared(NOW, &prepared), Err(UNFINISHED));
        for last in [false, true] {
            let changed = connection.send_fragment(NOW, Kind::Text, b"no", last);
            assert_eq!(changed, Err(KIND_CHANGED));
        }
        connection
            .send_fragment(NOW, Kind::Binary, b"two", true)
            .expect("as if nothing was");
        connection
            .send_text(NOW, "next")
            .expect("as if nothing was");
        let expected = [(0x02, &b"one"[..]), (0x80, b"two"), (TEXT, b"next")];
        assert_eq!(pairs(&sent(&mut connection)), expected);
    }
}

//= WS-114 type=test
#[test]
fn text_in_fragments_may_be_cut_inside_a_character_and_is_utf8_as_a_whole() {
    for role in Role::BOTH {
        let mut connection = open(role);
        let text = "a\u{e9}\u{20ac}\u{1f600}".as_bytes();
        for byte in text {
            let fragment = connection.send_fragment(NOW, Kind::Text, &[*byte], false);
            fragment.expect("part of a character");
        }
        connection
            .send_fragment(NOW, Kind::Text, b"", true)
            .expect("whole characters");
        let frames = sent(&mut connection);
        let joined: Vec<u8> = frames.iter().flat_map(|it| it.payload.clone()).collect();
        assert_eq!((joined, frames.len()), (text.to_vec(), text.len() + 1));

        for (bad, last) in [(&b"\xff"[..], false), (b"\xc3", true), (b"\xed\xa0", false)] {
            let refused = connection.send_fragment(NOW, Kind::Text, bad, last);
            assert_eq!(refused, Err(NOT_UTF8), "{bad:02x?}");
        }
        // Nothing was begun, so any message may follow.
        connection
            .send_fragment(NOW, Kind::Text, b"\xe2\x82", false)
            .expect("two thirds");
        for (bad, last) in [(&b"\x28"[..], false), (b"", true), (b"\xac\xc3", true)] {
            let refused = connection.send_fragment(NOW, Kind::Text, bad, last);
            assert_eq!(refused, Err(NOT_UTF8), "{bad:02x?}");
        }
        connection
            .send_fragment(NOW, Kind::Text, b"\xac", true)
            .expect("as if nothing was");
        let expected = [(0x01, &b"\xe2\x82"[..]), (0x80, b"\xac")];
        assert_eq!(pairs(&sent(&mut connection)), expected);
        // Binary fragments are not looked at.
        connection
            .send_fragment(NOW, Kind::Binary, b"\xff", true)
            .expect("any bytes");
    }
}

//= WS-088 type=test
//= WS-098 type=test
//= WS-099 type=test
#[test]
fn control_frames_carry_at_most_125_bytes() {
    for role in Role::BOTH {
        let mut connection = open(role);
        let (fits, too_long) = ([1; 125], [1; 126]);
        let refused = Err(SendError::Misuse(Misuse::ControlTooLong));
        assert_eq!(connection.ping(&too_long), refused);
        assert_eq!(connection.pong(&too_long), refused);
        connection.ping(&fits).expect("it fits");
        connection.pong(&fits).expect("it fits");
        connection.ping(b"").expect("it fits");
        let expected = [(PING, &fits[..]), (PONG, &fits), (PING, b"")];
        assert_eq!(pairs(&sent(&mut connection)), expected);
    }
}

/// The keys of many frames, in the order in which they were sent.
fn keys(count: usize) -> Vec<[u8; 4]> {
    let mut client = open(Role::Client);
    let mut keys = Vec::new();
    while keys.len() < count {
        for n in 0..50 {
            match n % 5 {
                0 => client.ping(b"a").expect("room for it"),
                1 => client
                    .send_message(NOW, vec![0; 5_000].into())
                    .expect("room for it"),
                2 => client
                    .send_prepared(NOW, &Prepared::text("a"))
                    .expect("room for it"),
                3 => client
                    .send_fragment(NOW, Kind::Text, b"a", true)
                    .expect("room for it"),
                _ => client.send_text(NOW, "a").expect("room for it"),
            }
        }
        keys.extend(
            sent(&mut client)
                .iter()
                .map(|frame| frame.mask.expect("a key")),
        );
    }
    keys
}

//= E53 type=test
//= WS-082 type=test
//= WS-083 type=test
//= WS-084 type=test
//= WS-167 type=test
#[test]
fn ten_thousand_masking_keys_are_fresh_and_even() {
    let keys = keys(10_000);
    let different: HashSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len(), "a key came twice");
    for place in 0..4 {
        let mut counts = [0_u32; 256];
        for key in &keys {
            counts[usize::from(key[place])] += 1;
        }
        let mean = keys.len() as f64 / 256.0;
        let chi_squared: f64 = counts
            .iter()
            .map(|&n| (f64::from(n) - mean).powi(2) / mean)
            .sum();
        // 255 degrees of freedom: beyond these once in a hundred thousand times.
        assert!(
            (165.0..365.0).contains(&chi_squared),
            "byte {place}: {chi_squared}"
        );
    }
    // The difference of two keys in a row is no constant either.
    let steps = keys
        .windows(2)
        .map(|two| u32::from_be_bytes(two[1]).wrapping_sub(u32::from_be_bytes(two[0])));
    assert!(steps.collect::<HashSet<_>>().len() > keys.len() - 10);
}

//= WS-083 type=test
#[test]
fn the_keys_come_from_the_seed_alone() {
    let first_key = |seed: [u8; 32]| {
        let mut client =
            framewire::engine::Connection::new(Role::Client, Default::default(), NOW, seed);
        client.send_text(NOW, "").expect("an open connection");
        sent(&mut client)[0].mask
    };
    let mut other = [5; 32];
    other[31] ^= 1;
    assert_eq!(first_key([5; 32]), first_key([5; 32]));
    assert_ne!(first_key([5; 32]), first_key(other));
}

/// What the caller changes after a send changes nothing that is sent.
//= WS-168 type=test
#[test]
fn a_frame_is_made_when_it_is_sent() {
    for role in Role::BOTH {
        let mut connection = open(role);
        let mut bytes = *b"as it was";
        connection
            .send_binary(NOW, &bytes)
            .expect("an open connection");
        connection
            .send_fragment(NOW, Kind::Binary, &bytes, true)
            .expect("an open connection");
        connection.ping(&bytes).expect("an open connection");
        bytes.fill(0);
        let payloads: Vec<Frame> = sent(&mut connection);
        assert!(payloads.iter().all(|frame| frame.payload == b"as it was"));
    }
}

/// Keys are 32 bits, so that some repeat is certain: of a million, 116 by chance.
//= CS-21 type=test
//= WS-167 type=test
#[test]
fn a_million_masking_keys_are_even_and_repeat_no_more_than_by_chance() {
    const KEYS: u32 = 1_000_000;
    let mut client = open(Role::Client);
    let mut keys = Vec::new();
    let mut bytes = [[0u32; 256]; 4];
    for _ in 0..KEYS / 1000 {
        for _ in 0..1000 {
            client.ping(b"").expect("room");
        }
        for frame in sent(&mut client) {
            let key = frame.mask.expect("a client masks");
            for (at, byte) in key.into_iter().enumerate() {
                bytes[at][usize::from(byte)] += 1;
            }
            keys.push(u32::from_be_bytes(key));
        }
    }
    assert_eq!(keys.len(), 1_000_000);
    assert!(
        keys.windows(2).all(|pair| pair[0] != pair[1]),
        "twice the same"
    );
    let expected = f64::from(KEYS) / 256.0;
    for counts in bytes {
        let chi_square: f64 = counts
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        // Of 255 degrees of freedom: one time in ten million beyond these bounds.
        assert!((150.0..390.0).contains(&chi_square), "{chi_square}");
    }
    keys.sort_unstable();
    let repeats = keys.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!((50..200).contains(&repeats), "{repeats} repeats");
}
