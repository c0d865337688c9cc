//! Whatever arrives and however it is cut, the handshakes end the same way and never panic.

use framewire::engine::HandshakeFailure;
use proptest::prelude::*;

use crate::{REQUEST, Served, answer_pieces, ask, asked, serve_pieces};

/// What a server made of its input, in words, with every byte that was not lost.
fn served(input: &[u8], pieces: &[usize]) -> String {
    let (outcome, taken) = serve_pieces(cut(input, pieces));
    let with_rest = |bytes: Vec<u8>| [&bytes[..], &input[taken..]].concat();
    match outcome {
        Served::Upgrade(request) => {
            let said = format!("{:?} {:?}", request.path(), request.subprotocols());
            let accepted = request.accept(Default::default(), Default::default(), crate::NOW);
            let leftover = accepted.expect("nothing is chosen").leftover;
            format!("upgrade {said} {:02x?}", with_rest(leftover))
        }
        Served::Plain(request) => format!("plain {:02x?}", with_rest(request.into_bytes())),
        Served::Refused(refusal) => format!("{refusal}"),
        Served::More => "more".into(),
    }
}

/// What a client made of its input, in words, with every byte that was not lost.
fn answered(input: &[u8], pieces: &[usize]) -> String {
    let (client, _) = asked(ask().with_subprotocol("chat"));
    let (outcome, taken) = answer_pieces(client, cut(input, pieces));
    let with_rest = |bytes: Vec<u8>| [&bytes[..], &input[taken..]].concat();
    match outcome {
        Some(Ok(opened)) => {
            format!(
                "open {:?} {:02x?}",
                opened.subprotocol,
                with_rest(opened.leftover)
            )
        }
        Some(Err(HandshakeFailure::Answered(answered))) => {
            format!("{:?} {:02x?}", answered.head, with_rest(answered.leftover))
        }
        Some(Err(failure)) => format!("{failure:?}"),
        None => "more".into(),
    }
}

/// The input in pieces of these sizes, over and over.
fn cut<'a>(input: &'a [u8], pieces: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = input;
    let mut all = Vec::new();
    for &size in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(size.min(rest.len()));
        all.push(piece);
        rest = after;
    }
    all
}

/// A head that is nearly right: some of its bytes are replaced, left out or doubled.
fn nearly(head: String) -> impl Strategy<Value = Vec<u8>> {
    let odd = prop::sample::select(b"\r\n\t :,;=\"\0\x7f\x80\xffaA1/-".to_vec());
    let edits = prop::collection::vec((any::<prop::sample::Index>(), odd, 0..4_u8), 0..4);
    (edits, prop::collection::vec(any::<u8>(), 0..8)).prop_map(move |(edits, behind)| {
        let mut bytes = head.clone().into_bytes();
        for (index, odd, how) in edits {
            let at = index.index(bytes.len());
            match how {
                0 => bytes[at] = odd,
                1 => bytes.insert(at, odd),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
        }
        bytes.extend(behind);
        bytes
    })
}

fn good_request() -> String {
    REQUEST.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat, b\r\n\r\n")
}

fn good_answer() -> String {
    let (_, good) = asked(ask().with_subprotocol("chat"));
    let good = good.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    format!("HTTP/1.1 100 Continue\r\n\r\n{good}")
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..60_usize, 1..6)
}

#[test]
fn the_heads_that_are_altered_are_taken_unaltered() {
    assert!(served(good_request().as_bytes(), &[7]).starts_with("upgrade \"/chat\""));
    assert!(answered(good_answer().as_bytes(), &[7]).starts_with("open Some(\"chat\")"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    //= WS-164 type=test
    //= WS-174 type=test
    #[test]
    fn prop_any_bytes_have_one_outcome(
        input in prop::collection::vec(any::<u8>(), 0..80), pieces in pieces()
    ) {
        prop_assert_eq!(served(&input, &pieces), served(&input, &[usize::MAX]));
        prop_assert_eq!(answered(&input, &pieces), answered(&input, &[usize::MAX]));
    }

    #[test]
    fn prop_any_split_of_a_request_has_one_outcome(
        input in nearly(good_request()), pieces in pieces()
    ) {
        prop_assert_eq!(served(&input, &pieces), served(&input, &[usize::MAX]));
    }

    #[test]
    fn prop_any_split_of_an_answer_has_one_outcome(
        input in nearly(good_answer()), pieces in pieces()
    ) {
        prop_assert_eq!(answered(&input, &pieces), answered(&input, &[usize::MAX]));
    }
}
