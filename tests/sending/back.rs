//! Messages that go back in the buffer in which they arrived, held to those that are copied.

use framewire::engine::{Connection, Inbox, Kind, Limits, Role, Timestamp};
use framewire::wire::header::{FrameHeader, Reserved};
use framewire::wire::opcode::Opcode;
use proptest::prelude::*;

use crate::raw::{Frame, frames};
use crate::{NOW, open_with, take};

/// A masked message in one frame, as a client sends it; its key is zero.
fn message(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        fin: true,
        reserved: Reserved::NONE,
        opcode: match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        },
        mask: Some(framewire::wire::mask::MaskKey::new([0; 4])),
        payload_len: payload.len() as u64,
    };
    [header.encode().as_bytes(), payload].concat()
}

/// What is done with a connection.
#[derive(Clone, Debug)]
enum Turn {
    /// A message of so many bytes arrives, with the next one right behind it or not, and goes
    /// back.
    Echo { bytes: usize, crowded: bool },
    /// A Ping is queued.
    Ping,
    /// The transport takes so many bytes.
    Take(usize),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let sizes = prop_oneof![
        0..200_usize,
        4000..4200_usize,
        4096..20_000_usize,
        65_500..65_600_usize,
        100_000..140_000_usize,
    ];
    let turn = prop_oneof![
        3 => (sizes, any::<bool>()).prop_map(|(bytes, crowded)| Turn::Echo { bytes, crowded }),
        1 => Just(Turn::Ping),
        4 => (0..90_000_usize).prop_map(Turn::Take),
        2 => (0..40_usize).prop_map(Turn::Take),
    ];
    prop::collection::vec(turn, 1..20)
}

/// Who sends back: in the buffer, or a copy.
type SendBack = fn(&mut Connection, &mut Inbox);

fn in_its_buffer(connection: &mut Connection, inbox: &mut Inbox) {
    let message = inbox.lent().expect("a message");
    connection.send_back(NOW, message).expect("room");
}

fn as_a_copy(connection: &mut Connection, inbox: &mut Inbox) {
    let message = inbox.lent().expect("a message");
    connection.send_lent(NOW, &message).expect("room");
}

/// All that leaves, and how many buffers came back.
fn run(turns: &[Turn], frame_bytes_max: usize, send_back: SendBack) -> (Vec<Frame>, usize) {
    let limits = Limits::default()
        .with_frame_bytes_max(frame_bytes_max)
        .with_outbox_marks(1 << 28, 1 << 28);
    let (mut connection, mut inbox) = (open_with(Role::Server, limits), Inbox::new());
    let (mut left, mut returned) = (Vec::new(), 0);
    for (turn, at) in turns.iter().zip(0_u8..) {
        match turn {
            Turn::Echo { bytes, crowded } => {
                let payload: Vec<u8> = (0..251).cycle().map(|n: u8| at ^ n).take(*bytes).collect();
                let mut arrived = message(Kind::Binary, &payload);
                if *crowded {
                    arrived.extend(message(Kind::Text, b"behind"));
                }
                let mut rest = arrived.as_slice();
                let mut expected = 1 + usize::from(*crowded);
                while expected > 0 {
                    let space = inbox.space(connection.frame_bytes_to_come());
                    let n = space.len().min(rest.len());
                    space[..n].copy_from_slice(&rest[..n]);
                    inbox.filled(n);
                    rest = &rest[n..];
                    while inbox.advance(&mut connection, NOW) {
                        send_back(&mut connection, &mut inbox);
                        expected -= 1;
                    }
                }
            }
            Turn::Ping => connection.ping(&[at]).expect("room"),
            Turn::Take(n) => left.extend(take(&mut connection, *n)),
        }
        returned += usize::from(connection.take_returned_buffer().is_some());
    }
    while connection.buffered_bytes() > 0 {
        left.extend(take(&mut connection, 10_000));
        returned += usize::from(connection.take_returned_buffer().is_some());
    }
    (frames(&left), returned)
}

fn of_data(frames: &[Frame], is_data: bool) -> Vec<&Frame> {
    let is_control = |frame: &&Frame| (frame.first & 0x08 == 0) == is_data;
    frames.iter().filter(is_control).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn prop_what_goes_back_in_its_buffer_is_what_a_copy_is(
        turns in turns(),
        frame_bytes_max in prop_oneof![Just(64 << 10), 1000..70_000_usize],
    ) {
        let (given, _) = run(&turns, frame_bytes_max, in_its_buffer);
        let (copied, _) = run(&turns, frame_bytes_max, as_a_copy);
        // Where a control frame stands depends on how the bytes were taken; that it stands
        // between two frames shows in that they can be read.
        prop_assert_eq!(of_data(&given, true), of_data(&copied, true));
        prop_assert_eq!(of_data(&given, false), of_data(&copied, false));
    }
}

#[test]
fn a_large_message_alone_in_its_buffer_goes_back_in_it() {
    let echo = |bytes, crowded| run(&[Turn::Echo { bytes, crowded }], 64 << 10, in_its_buffer).1;
    assert_eq!(echo(4095, false), 0, "a small one is copied");
    assert_eq!(echo(4096, false), 1);
    assert_eq!(echo(1 << 20, false), 1);
    assert_eq!(echo(1 << 14, true), 0, "what stands behind it stays");
}

#[test]
fn a_message_that_was_given_back_is_not_lent_again() {
    let (mut connection, mut inbox) = (
        open_with(Role::Server, Limits::default()),
        Inbox::with_bytes(message(Kind::Binary, &[7; 5000])),
    );
    assert!(inbox.advance(&mut connection, Timestamp::ZERO));
    in_its_buffer(&mut connection, &mut inbox);
    assert!(inbox.lent().is_none() && inbox.incoming().is_none());
    assert!(inbox.take_message().is_none());
    assert!(inbox.is_empty() && !inbox.advance(&mut connection, NOW));
    assert!(!inbox.space(0).is_empty());
}
