//! What a client asks, in pieces of the size that the first byte says: the server's answer is HTTP.

#![no_main]

use framewire::engine::{Acceptance, ServerHandshake, ServerProgress, Timestamp};
use framewire::wire::http::{HeadLimits, ResponseHead};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&size, input)) = input.split_first() else {
        return;
    };
    let (mut handshake, mut taken) = (ServerHandshake::default(), 0);
    for piece in input.chunks(usize::from(size).max(1)) {
        taken += piece.len();
        handshake = match handshake.receive(piece) {
            Ok(ServerProgress::More(more)) => more,
            outcome => return check(outcome, &input[..taken]),
        };
    }
});

fn check(outcome: Result<ServerProgress, framewire::engine::Refusal>, taken: &[u8]) {
    let answer = match outcome {
        Ok(ServerProgress::Upgrade(request)) => {
            let first = request.subprotocols().first().cloned();
            let acceptance = first
                .iter()
                .fold(Acceptance::new(), |it, name| it.with_subprotocol(name));
            let accepted = request.accept(acceptance, Default::default(), Timestamp::ZERO);
            let accepted = accepted.expect("what was offered");
            assert!(taken.ends_with(&accepted.leftover));
            accepted.connection.transmit().collect::<Vec<_>>().concat()
        }
        Ok(ServerProgress::Plain(request)) => {
            let answer = request.refusal().encode();
            assert_eq!(request.into_bytes(), taken);
            answer
        }
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => refusal.encode(),
    };
    let head = ResponseHead::parse(&answer, &HeadLimits::default()).expect("an answer of HTTP");
    assert!(head.status() == 101 || (400..600).contains(&head.status()));
}
