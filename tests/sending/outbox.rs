//! How much may wait to be sent.

use framewire::engine::{Kind, Limits, Message, Prepared, Role, SendError};
use framewire::wire::close::{CloseCode, CloseReason};

use crate::{CLOSE, NOW, PING, PONG, TEXT, hear, open, open_with, pairs, sent, take};

//= E08 type=test
#[test]
fn sending_is_full_at_the_high_mark_and_worth_trying_again_at_the_low_one() {
    for role in Role::BOTH {
        let mut connection = open_with(role, Limits::default().with_outbox_marks(100, 1_000));
        let overhead = if role == Role::Client { 8 } else { 4 };
        connection
            .send_binary(NOW, &vec![0; 999 - overhead])
            .expect("nothing waits");
        assert_eq!(connection.buffered_bytes(), 999);
        assert!(!connection.is_full() && !connection.is_drained());
        // A message that is begun below the mark is taken whole.
        connection
            .send_binary(NOW, &[0; 5_000])
            .expect("below the mark");
        let waiting = connection.buffered_bytes();
        assert!(connection.is_full() && waiting > 5_999);

        let full = Err(SendError::Full);
        assert_eq!(connection.send_text(NOW, ""), full);
        assert_eq!(connection.send_binary(NOW, b""), full);
        assert_eq!(
            connection.send_message(NOW, Message::binary(vec![0; 9_000])),
            full
        );
        assert_eq!(connection.send_prepared(NOW, &Prepared::text("")), full);
        assert_eq!(connection.send_fragment(NOW, Kind::Text, b"", true), full);
        assert_eq!(connection.buffered_bytes(), waiting);

        take(&mut connection, waiting - 1_000);
        assert!(connection.is_full());
        take(&mut connection, 1);
        assert!(!connection.is_full() && !connection.is_drained());
        take(&mut connection, 898);
        assert!(!connection.is_drained());
        take(&mut connection, 1);
        assert!(connection.is_drained());
        connection.send_text(NOW, "").expect("below the mark");
    }
}

/// What keeps a connection alive or ends it does not wait for room.
#[test]
fn a_full_outbox_takes_control_frames_and_the_close() {
    for role in Role::BOTH {
        let mut connection = open_with(role, Limits::default().with_outbox_marks(1, 1));
        connection
            .send_text(NOW, "fills it")
            .expect("nothing waits");
        connection.ping(b"ours").expect("room for control frames");
        hear(&mut connection, PING, "theirs");
        let reason = CloseReason::new(CloseCode::GOING_AWAY, "").expect("a code");
        connection.close(NOW, reason).expect("a code for both ends");
        let expected = [
            (PING, &b"ours"[..]),
            (PONG, b"theirs"),
            (TEXT, b"fills it"),
            (CLOSE, b"\x03\xe9"),
        ];
        assert_eq!(pairs(&sent(&mut connection)), expected);
    }
}

/// A fragment that finds no room can be sent again later: the message is as it was.
#[test]
fn a_fragment_that_is_refused_as_full_leaves_its_message_as_it_was() {
    for role in Role::BOTH {
        let mut connection = open_with(role, Limits::default().with_outbox_marks(1, 1));
        connection
            .send_fragment(NOW, Kind::Text, b"\xc3", false)
            .expect("nothing waits");
        let again = |it: &mut _| {
            framewire::engine::Connection::send_fragment(it, NOW, Kind::Text, b"\xa9", true)
        };
        assert_eq!(again(&mut connection), Err(SendError::Full));
        let first = sent(&mut connection);
        again(&mut connection).expect("nothing waits");
        let rest = sent(&mut connection);
        assert_eq!(
            pairs(&[first, rest].concat()),
            [(0x01, &b"\xc3"[..]), (0x80, b"\xa9")]
        );
    }
}

//= WS-110 type=test
//= WS-112 type=test
//= WS-113 type=test
#[test]
fn pongs_that_find_the_control_lane_full_replace_the_one_before() {
    for role in Role::BOTH {
        let mut connection = open_with(role, Limits::default().with_control_bytes_max(256));
        for n in 0..200 {
            hear(&mut connection, PING, [n; 100]);
            assert!(connection.buffered_bytes() < 256 + 2 * 106, "{n}");
        }
        let pongs = sent(&mut connection);
        let payloads: Vec<u8> = pongs.iter().map(|pong| pong.payload[0]).collect();
        assert_eq!(payloads, [0, 1, 199]);
        assert!(
            pongs
                .iter()
                .all(|pong| pong.first == PONG && pong.payload.len() == 100)
        );
    }
}

#[test]
fn a_ping_of_ours_finds_the_control_lane_full() {
    for role in Role::BOTH {
        let mut connection = open_with(role, Limits::default().with_control_bytes_max(256));
        let mut taken = 0;
        while connection.ping(&[7; 100]).is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 3);
        assert_eq!(connection.ping(b""), Err(SendError::Full));
        assert_eq!(connection.pong(b""), Err(SendError::Full));
        // The last that waits is no Pong, so one more joins it, and is replaced from then on.
        for n in 0..200 {
            hear(&mut connection, PING, [n; 100]);
        }
        let frames = sent(&mut connection);
        let firsts: Vec<(u8, u8)> = frames.iter().map(|it| (it.first, it.payload[0])).collect();
        assert_eq!(firsts, [(PING, 7), (PING, 7), (PING, 7), (PONG, 199)]);
        connection.ping(b"").expect("nothing waits");
    }
}

/// A Pong of which a part has left must leave whole, whatever comes to replace it.
#[test]
fn a_pong_on_its_way_is_never_replaced() {
    for role in Role::BOTH {
        for cut in 1..300 {
            let mut connection = open_with(role, Limits::default().with_control_bytes_max(256));
            let mut output = Vec::new();
            for n in 0..4 {
                hear(&mut connection, PING, [n; 125]);
            }
            output.extend(take(&mut connection, cut));
            for n in 4..9 {
                hear(&mut connection, PING, [n; 125]);
            }
            output.extend(take(&mut connection, usize::MAX));
            let payloads: Vec<u8> = crate::frames(&output)
                .iter()
                .map(|frame| frame.payload[0])
                .collect();
            assert_eq!(payloads.last(), Some(&8), "cut at {cut}");
            assert!(
                payloads.is_sorted_by(|a, b| a < b),
                "cut at {cut}: {payloads:?}"
            );
        }
    }
}

/// An idle connection need hold no buffer: it can be taken, and lent again.
#[test]
fn the_buffer_for_frames_can_be_taken_and_lent() {
    for role in Role::BOTH {
        let mut connection = open(role);
        assert!(connection.take_send_buffer().is_none());
        connection
            .send_text(NOW, "one")
            .expect("an open connection");
        assert!(connection.take_send_buffer().is_none(), "it is in use");
        sent(&mut connection);
        let buffer = connection
            .take_send_buffer()
            .expect("the buffer that was used");
        let capacity = buffer.capacity();
        assert!(capacity > 0 && connection.take_send_buffer().is_none());

        connection.lend_send_buffer_with(|| buffer);
        connection.lend_send_buffer_with(|| panic!("there is one"));
        connection
            .send_text(NOW, "two")
            .expect("an open connection");
        assert_eq!(sent(&mut connection).len(), 1);
        let again = connection.take_send_buffer().map(|it| it.capacity());
        assert_eq!(again, Some(capacity), "it is the one that was lent");
    }
}

#[test]
fn marks_are_held_to_their_range() {
    let marks = |low, high| {
        let limits = Limits::default().with_outbox_marks(low, high);
        (limits.outbox_bytes_low(), limits.outbox_bytes_high())
    };
    assert_eq!(marks(0, 0), (1, 1));
    assert_eq!(marks(50, 10), (10, 10));
    assert_eq!(marks(10, 50), (10, 50));
    assert_eq!(
        Limits::default()
            .with_control_bytes_max(0)
            .control_bytes_max(),
        256
    );
}
