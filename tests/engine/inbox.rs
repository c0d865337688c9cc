//! The receive buffer, from which whole messages are lent.

use framewire::engine::{Connection, Inbox, Incoming, Limits, Message, Role, Timestamp, Violation};
use proptest::prelude::*;

use crate::support::chunks::Cut;
use crate::support::hex::Hex;
use crate::support::raw_peer::{BINARY, CONTINUATION, FIN, RawPeer, TEXT};
use crate::support::receiver::{Receiver, Told, open, peer_of};
use crate::support::streams;

const NOW: Timestamp = Timestamp::ZERO;

/// Puts as much of `bytes` into the buffer as there is room for, and says how much.
fn fill(inbox: &mut Inbox, connection: &Connection, bytes: &[u8]) -> usize {
    let space = inbox.space(connection.frame_bytes_to_come());
    let n = bytes.len().min(space.len());
    space[..n].copy_from_slice(&bytes[..n]);
    inbox.filled(n);
    n
}

/// Everything that the buffer has to tell now.
fn drain(inbox: &mut Inbox, connection: &mut Connection) -> Vec<Told> {
    core::iter::from_fn(|| inbox.next(connection, NOW).map(|it| Told::of(&it))).collect()
}

/// `bytes`, read in the pieces of `cut`.
fn read(role: Role, bytes: &[u8], cut: &Cut) -> (Inbox, Connection, Vec<Told>) {
    let (mut inbox, mut connection) = (Inbox::new(), open(role, Limits::default()));
    let mut all = Vec::new();
    for mut piece in cut.pieces(bytes) {
        while !piece.is_empty() {
            let n = fill(&mut inbox, &connection, piece);
            piece = &piece[n..];
            all.extend(drain(&mut inbox, &mut connection));
        }
    }
    (inbox, connection, all)
}

fn conversation(peer: RawPeer) -> (Vec<u8>, Vec<Told>) {
    let long = "long ".repeat(3000);
    let bytes = [
        peer.text("one frame"),
        peer.frame(TEXT, b"in "),
        peer.ping(b"between"),
        peer.frame(CONTINUATION, b""),
        peer.frame(FIN | CONTINUATION, b"fragments"),
        peer.binary(b""),
        peer.text(&long),
        peer.frame(BINARY, &[1; 5000]),
        peer.pong(b"pong"),
        peer.frame(FIN | CONTINUATION, &[2; 5000]),
        peer.close(1000, "bye"),
    ];
    let told = vec![
        Told::text("one frame"),
        Told::ping(b"between"),
        Told::text("in fragments"),
        Told::binary(b""),
        Told::text(&long),
        Told::pong(b"pong"),
        Told::Binary([[1; 5000], [2; 5000]].concat()),
        Told::Close,
    ];
    (bytes.concat(), told)
}

//= WS-087 type=test
//= WS-092 type=test
#[test]
fn a_message_that_is_printed_shows_nothing_else_of_its_buffer() {
    let mut connection = open(Role::Server, Limits::default());
    let mut inbox = Inbox::new();
    inbox.lend_buffer([b'#'; 8192].to_vec());
    let bytes = peer_of(Role::Server).text("mine");
    fill(&mut inbox, &connection, &bytes);
    let lent = inbox.next(&mut connection, NOW);
    assert_eq!(format!("{lent:?}"), r#"Some(Message(Lent("mine")))"#);
    let told = format!("{inbox:?}");
    assert!(!told.contains("35, 35"), "{told}");
}

#[test]
fn messages_are_put_together_however_they_are_read() {
    for role in Role::BOTH {
        let (bytes, expected) = conversation(peer_of(role));
        for cut in [
            Cut::Whole,
            Cut::EachByte,
            Cut::Lengths(vec![1, 4000, 13, 700]),
            Cut::Lengths(vec![8192]),
        ] {
            let (inbox, _, told) = read(role, &bytes, &cut);
            assert_eq!(told, expected, "{cut:?}");
            assert!(inbox.is_empty());
        }
    }
}

#[test]
fn bytes_that_came_with_the_handshake_are_read_first() {
    for role in Role::BOTH {
        let (bytes, expected) = conversation(peer_of(role));
        let mut connection = open(role, Limits::default());
        let mut inbox = Inbox::with_bytes(bytes);
        assert!(!inbox.is_empty());
        assert_eq!(drain(&mut inbox, &mut connection), expected);
        assert!(inbox.is_empty());
    }
}

//= WS-140 type=test
#[test]
fn after_an_offence_the_buffer_has_nothing_more_to_tell() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let bytes = [&peer.text("good")[..], &[FIN | 3], &peer.text("late")].concat();
        let (mut inbox, mut connection, told) = read(role, &bytes, &Cut::Whole);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], Told::text("good"));
        assert!(matches!(told[1], Told::Failed(Violation::Header(_))));
        fill(&mut inbox, &connection, &peer.text("later"));
        assert_eq!(drain(&mut inbox, &mut connection), []);
        assert!(inbox.is_empty());
    }
}

#[test]
fn a_message_that_was_found_stays_found_when_the_buffer_is_changed() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        let changes: [fn(&mut Inbox); 4] = [
            |inbox| inbox.lend_buffer(vec![0xee; 1 << 20]),
            |inbox| drop(inbox.take_buffer()),
            |inbox| assert!(!inbox.space(1 << 40).is_empty()),
            |inbox| inbox.lend_buffer_with(|| vec![0xee; 1 << 16]),
        ];
        for change in changes {
            let mut connection = open(role, Limits::default());
            let mut inbox = Inbox::new();
            inbox.lend_buffer(vec![0xdd; 4100]);
            let bytes = [peer.ping(b"ping"), peer.text("found"), peer.text("behind")].concat();
            fill(&mut inbox, &connection, &bytes);
            assert!(inbox.advance(&mut connection, NOW));
            change(&mut inbox);
            // A control frame is gone then, and never other bytes in its place.
            assert!(matches!(
                inbox.incoming(),
                None | Some(Incoming::Ping(b"ping"))
            ));
            assert!(inbox.advance(&mut connection, NOW) && inbox.is_message());
            change(&mut inbox);
            assert_eq!(inbox.lent().expect("a message").text(), Some("found"));
            assert_eq!(inbox.take_message(), Some(Message::text("found")));
            assert_eq!(inbox.take_message(), None);
            assert_eq!(drain(&mut inbox, &mut connection), [Told::text("behind")]);
        }
    }
}

#[test]
fn an_owned_message_is_what_was_lent_and_what_follows_is_not_lost() {
    for role in Role::BOTH {
        let peer = peer_of(role);
        for len in [0, 1, 5000, 65_535, 65_536, 200_000] {
            let payload = vec![b'o'; len];
            let bytes = [peer.binary(&payload), peer.text("behind")].concat();
            let mut connection = open(role, Limits::default());
            let mut inbox = Inbox::new();
            let (mut rest, mut owned) = (&bytes[..], None);
            while !rest.is_empty() {
                let n = fill(&mut inbox, &connection, rest);
                rest = &rest[n..];
                if owned.is_none() && inbox.advance(&mut connection, NOW) {
                    owned = inbox.take_message();
                }
            }
            assert_eq!(owned, Some(Message::binary(payload)));
            assert_eq!(drain(&mut inbox, &mut connection), [Told::text("behind")]);
        }
    }
}

#[test]
fn an_idle_buffer_is_given_back_and_few_waiting_bytes_are_kept() {
    for role in Role::BOTH {
        let text = peer_of(role).text("waits for its end");
        let mut connection = open(role, Limits::default());
        let mut inbox = Inbox::new();
        assert_eq!(inbox.take_buffer(), None);
        for waiting in [0, 1, 5, text.len() - 1] {
            inbox.lend_buffer(vec![0; 16 << 10]);
            fill(&mut inbox, &connection, &text[..waiting]);
            assert_eq!(drain(&mut inbox, &mut connection), []);
            let buffer = inbox.take_buffer().expect("the buffer that was lent");
            assert_eq!(buffer.len(), 16 << 10);
            assert_eq!(
                inbox.take_buffer(),
                None,
                "{waiting} bytes need no more than themselves"
            );
            fill(&mut inbox, &connection, &text[waiting..]);
            assert_eq!(
                drain(&mut inbox, &mut connection),
                [Told::text("waits for its end")]
            );
        }
    }
}

#[test]
fn a_buffer_in_which_much_waits_is_kept() {
    for role in Role::BOTH {
        let mut connection = open(role, Limits::default());
        let mut inbox = Inbox::new();
        inbox.lend_buffer(vec![0; 16 << 10]);
        fill(
            &mut inbox,
            &connection,
            &peer_of(role).frame(BINARY, &[5; 8 << 10]),
        );
        assert_eq!(drain(&mut inbox, &mut connection), []);
        assert_eq!(inbox.take_buffer(), None);
        // Nor does a buffer take its place that could not hold what waits.
        inbox.lend_buffer(vec![0; 8 << 10]);
        fill(
            &mut inbox,
            &connection,
            &peer_of(role).frame(FIN | CONTINUATION, b""),
        );
        assert_eq!(
            drain(&mut inbox, &mut connection),
            [Told::binary(&[5; 8 << 10])]
        );
    }
}

//= PX-08 type=test
#[test]
fn the_buffer_grows_with_what_arrived_to_at_most_twice_that() {
    let limits = Limits::default().with_message_bytes_max(1 << 30);
    for role in Role::BOTH {
        for declared in [1 << 20, 1 << 30] {
            let mut connection = open(role, limits.clone());
            let mut inbox = Inbox::new();
            let mut arrived = fill(
                &mut inbox,
                &connection,
                &peer_of(role).header(BINARY, declared),
            );
            for n in (1..2000).cycle().step_by(97).take(1000) {
                arrived += fill(&mut inbox, &connection, &vec![0; n]);
                assert!(inbox.next(&mut connection, NOW).is_none());
                let room = inbox.space(connection.frame_bytes_to_come()).len();
                assert!(
                    arrived + room <= 2 * arrived + (10 << 10),
                    "{room} for {arrived}"
                );
            }
        }
    }
}

/// What happens to a buffer between two reads.
#[derive(Clone, Debug)]
enum Turn {
    Read(usize),
    Lend(usize),
    LendIfFull(usize),
    Take,
    /// Say what comes, up to so many times.
    Tell(usize),
    /// Find what comes, and change the buffer before it is looked at.
    TellLate(usize),
    /// Own what comes.
    Own,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        6 => (1_usize..40).prop_map(Turn::Read),
        1 => (0_usize..9000).prop_map(Turn::Lend),
        1 => (0_usize..9000).prop_map(Turn::LendIfFull),
        2 => Just(Turn::Take),
        3 => (1_usize..4).prop_map(Turn::Tell),
        1 => (0_usize..9000).prop_map(Turn::TellLate),
        2 => Just(Turn::Own),
    ];
    proptest::collection::vec(turn, 1..12)
}

fn own(inbox: &mut Inbox, connection: &mut Connection) -> Option<Told> {
    if !inbox.advance(connection, NOW) {
        return None;
    }
    if !inbox.is_message() {
        return inbox.incoming().map(|it| Told::of(&it));
    }
    let message = inbox.take_message().expect("a message");
    assert!(inbox.take_message().is_none());
    Some(Told::message(message.kind(), message.into_bytes().to_vec()))
}

/// Reads all of `bytes` and does the `turns` over and over meanwhile. Pings and Pongs, which may
/// go when the buffer is changed, are left out.
fn read_in_turns(
    connection: &mut Connection,
    bytes: &[u8],
    turns: &[Turn],
    inbox: &mut Inbox,
) -> Vec<Told> {
    let (mut rest, mut all) = (bytes, Vec::new());
    // Where no turn reads, one does.
    for turn in turns.iter().chain([&Turn::Read(11)]).cycle() {
        match turn {
            Turn::Read(n) if rest.is_empty() => {
                all.extend(drain(inbox, connection));
                let _ = n;
                break;
            }
            Turn::Read(n) => rest = &rest[fill(inbox, connection, &rest[..*n.min(&rest.len())])..],
            Turn::Lend(len) => inbox.lend_buffer(vec![0xee; *len]),
            Turn::LendIfFull(len) => inbox.lend_buffer_with(|| vec![0xee; *len]),
            Turn::Take => drop(inbox.take_buffer()),
            Turn::Tell(times) => {
                let told =
                    (0..*times).map_while(|_| inbox.next(connection, NOW).map(|it| Told::of(&it)));
                all.extend(told);
            }
            Turn::TellLate(len) => {
                inbox.advance(connection, NOW);
                drop(inbox.take_buffer());
                inbox.lend_buffer(vec![0xee; *len]);
                all.extend(inbox.incoming().map(|it| Told::of(&it)));
            }
            Turn::Own => all.extend(own(inbox, connection)),
        }
    }
    all
}

fn without_pings(told: Vec<Told>) -> Vec<Told> {
    let is_kept = |it: &Told| !matches!(it, Told::Ping(_) | Told::Pong(_));
    told.into_iter().filter(is_kept).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn prop_a_buffer_lent_and_taken_at_any_moment_tells_what_the_pieces_tell(
        (role, Hex(bytes)) in streams::any_stream(),
        limits in streams::limits(),
        turns in turns(),
    ) {
        let mut by_piece = Receiver::of(open(role, limits.clone()));
        by_piece.receive(&bytes);
        let (mut connection, mut inbox) = (open(role, limits), Inbox::new());
        let told = read_in_turns(&mut connection, &bytes, &turns, &mut inbox);
        prop_assert_eq!(without_pings(told), without_pings(by_piece.told.clone()));
        let sent: Vec<u8> = connection.transmit().flatten().copied().collect();
        prop_assert_eq!(sent, by_piece.sent());
        prop_assert_eq!(connection.closure(), by_piece.connection.closure());
        // A stream of some hundred bytes needs no more than the buffers that were lent.
        let room = inbox.space(u64::MAX).len();
        prop_assert!(room <= 9000 + 2 * bytes.len() + (8 << 10), "{} bytes", room);
    }
}
