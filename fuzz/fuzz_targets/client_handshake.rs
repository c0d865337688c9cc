//! What a server answers, whole and in pieces of the size that the first byte says: one outcome.
//! The accept value of RFC 6455 §1.3 stands for the right one.

#![no_main]

use framewire::engine::{ClientHandshake, ClientProgress, ClientRequest, Timestamp};
use framewire::wire::{
    http::{HeadLimits, RequestHead},
    key,
};
use libfuzzer_sys::fuzz_target;

const SAMPLE: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fuzz_target!(|input: &[u8]| {
    let Some((&size, answer)) = input.split_first() else {
        return;
    };
    let pieces = outcome(answer, usize::from(size).max(1));
    assert_eq!(pieces, outcome(answer, usize::MAX));
});

/// What became of the answer, in words.
fn outcome(answer: &[u8], size: usize) -> String {
    let request = ClientRequest::new("a", "/").with_subprotocol("chat");
    let mut handshake = ClientHandshake::new(request, [3; 32]).expect("a request");
    let asked = RequestHead::parse(handshake.request(), &HeadLimits::default()).expect("a head");
    let accept = key::accept(asked.headers().get_str("sec-websocket-key").expect("a key"));
    let mut answer = answer.to_vec();
    if let Some(at) = answer.windows(SAMPLE.len()).position(|it| it == SAMPLE) {
        answer[at..at + SAMPLE.len()].copy_from_slice(accept.as_str().as_bytes());
    }
    let mut taken = 0;
    for piece in answer.chunks(size) {
        taken += piece.len();
        handshake = match handshake.receive(piece, &Default::default(), Timestamp::ZERO) {
            Ok(ClientProgress::More(more)) => more,
            Ok(ClientProgress::Open(mut opened)) => {
                opened.leftover.extend(&answer[taken..]);
                let event = opened
                    .connection
                    .receive(Timestamp::ZERO, &mut opened.leftover);
                return format!("{:?} {event:?}", opened.subprotocol);
            }
            Ok(other) => panic!("{other:?}"),
            Err(failure) => return failure.to_string(),
        };
    }
    "more".into()
}
