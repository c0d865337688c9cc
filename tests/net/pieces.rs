//! Messages piece by piece, in both directions.

use framewire::engine::{Kind, Limits, Role};
use framewire::net::WebSocket;
use tokio::io::DuplexStream;

use crate::open;
use crate::peer::{BINARY, CONTINUATION, Frame, PING, PONG, TEXT, frame_to, raw_frame_to};
use crate::scripted::{Give, stream};

/// Two ends over a pipe that holds so many bytes.
fn ends(pipe_bytes: usize, limits: &Limits) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (client, server) = tokio::io::duplex(pipe_bytes);
    (
        open(Role::Client, limits.clone(), client),
        open(Role::Server, limits.clone(), server),
    )
}

/// What a piece says: kind, bytes, first, last.
type Said = (Kind, Vec<u8>, bool, bool);

async fn piece(
    socket: &mut WebSocket<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>,
) -> Option<Said> {
    let piece = socket.recv_piece().await.expect("no failure")?;
    Some((piece.kind, piece.bytes.to_vec(), piece.first, piece.last))
}

#[tokio::test(start_paused = true)]
async fn pieces_come_as_they_arrive_and_pings_are_answered_between_them() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        script.give([
            Give::Bytes(raw_frame_to(role, TEXT, b"one ")),
            Give::Pending,
            Give::Bytes(frame_to(role, PING, b"p")),
            Give::Pending,
            Give::Bytes(raw_frame_to(role, 0x80 | CONTINUATION, b"message")),
            Give::Bytes(frame_to(role, BINARY, b"")),
        ]);
        let text = |bytes: &[u8], first, last| Some((Kind::Text, bytes.to_vec(), first, last));
        assert_eq!(piece(&mut socket).await, text(b"one ", true, false));
        assert_eq!(piece(&mut socket).await, text(b"message", false, true));
        assert_eq!(script.frames(role), [Frame::whole(PONG, b"p")]);
        let nothing = Some((Kind::Binary, vec![], true, true));
        assert_eq!(piece(&mut socket).await, nothing);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_recv_had_begun_comes_as_a_first_piece_and_the_rest() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        script.give([
            Give::Bytes(raw_frame_to(role, BINARY, b"begun, ")),
            Give::Pending,
        ]);
        assert!(crate::poll_times(socket.recv(), 2).await.is_none());
        script.give([Give::Bytes(raw_frame_to(
            role,
            0x80 | CONTINUATION,
            b"ended",
        ))]);
        let binary = |bytes: &[u8], first, last| Some((Kind::Binary, bytes.to_vec(), first, last));
        assert_eq!(piece(&mut socket).await, binary(b"begun, ", true, false));
        assert_eq!(piece(&mut socket).await, binary(b"ended", false, true));
    }
}

#[tokio::test(start_paused = true)]
async fn text_is_checked_as_its_pieces_come() {
    for role in Role::BOTH {
        let (end, script) = stream();
        let mut socket = open(role, Limits::default(), end);
        script.give([Give::Bytes(raw_frame_to(role, TEXT, b"good \xce"))]);
        assert!(piece(&mut socket).await.is_some());
        script.give([Give::Bytes(raw_frame_to(role, 0x80 | CONTINUATION, b"x"))]);
        script.give([Give::End]);
        let failed = socket.recv_piece().await.expect_err("not UTF-8");
        assert!(failed.to_string().contains("UTF-8"), "{failed}");
    }
}

//= D12 type=test
/// The memory that either end holds is bounded by the outbox and a piece, however long the
/// message: neither end could hold this one, and its length is twice the bound on what is put
/// together.
#[tokio::test(start_paused = true)]
async fn a_message_flows_through_two_ends_that_could_not_hold_it() {
    const PIECES: usize = 500;
    let limits = Limits::default()
        .with_message_bytes_max(1 << 40)
        .with_outbox_marks(16 << 10, 64 << 10);
    let (mut client, mut server) = ends(8 << 10, &limits);
    let sending = tokio::spawn(async move {
        for at in 0..PIECES {
            let fragment = vec![u8::try_from(at % 251).expect("a byte"); 10_000];
            let last = at == PIECES - 1;
            client
                .send_fragment(Kind::Binary, &fragment, last)
                .await
                .expect("no failure");
            assert!(client.buffered_bytes() < 100_000);
        }
        client
    });
    let (mut received, mut ended) = (0, false);
    while !ended {
        let (_, bytes, first, last) = piece(&mut server).await.expect("open");
        assert_eq!(first, received == 0);
        for byte in bytes {
            assert_eq!(usize::from(byte), received / 10_000 % 251);
            received += 1;
        }
        ended = last;
    }
    assert_eq!(received, PIECES * 10_000);
    sending.await.expect("no panic");
}
