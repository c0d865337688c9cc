//! One message for many connections, and what connections share.

use std::sync::Arc;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig};
use framewire::engine::{Compress, Limits, Message, Prepared, Role, Timestamp};

use crate::endpoint::{Endpoint, Opened, open_server, take};
use crate::judge::hear;
use crate::payload;
use crate::raw::{Frame, frames};

const NOW: Timestamp = Timestamp::ZERO;

fn limits() -> Arc<Limits> {
    Arc::new(Limits::default())
}

//= DF-27 type=test
#[test]
fn clients_of_eight_agreements_read_one_message() {
    let shared = "news for everybody, news for everybody. ".repeat(40);
    let prepared = [
        Prepared::text(&shared),
        Prepared::binary(&payload::noise(3_000, 5)),
        Prepared::text(&shared).with_compress(Compress::Always),
        Prepared::text(&shared).with_compress(Compress::Never),
    ];
    let deflate = DeflateAnswer::default();
    let agreements = [
        "",
        "; server_no_context_takeover",
        "; server_max_window_bits=8",
        "; server_max_window_bits=9",
        "; server_max_window_bits=9; server_no_context_takeover",
        "; server_max_window_bits=12",
        "; server_max_window_bits=14; client_no_context_takeover",
        "; server_max_window_bits=15; client_max_window_bits=9",
    ];
    let open = |it: &&str| {
        let lines = [format!("permessage-deflate{it}")];
        open_server(&deflate, &lines, &limits()).unwrap()
    };
    let mut connections: Vec<_> = agreements.iter().map(open).collect();
    let mut sent: Vec<(Vec<u8>, Vec<Vec<u8>>)> = vec![Default::default(); agreements.len()];
    for round in 0..3 {
        for message in &prepared {
            for (at, (connection, _)) in connections.iter_mut().enumerate() {
                // Each has said something else before, so their windows differ.
                let own = format!(
                    "{at} and {round}: {}",
                    "something of its own ".repeat(at + 4)
                );
                connection.send_text(NOW, &own).unwrap();
                connection.send_prepared(NOW, message).unwrap();
                sent[at].0.extend(take(connection));
                sent[at].1.push(own.into_bytes());
                sent[at].1.push(message.payload().to_vec());
            }
        }
    }
    for ((_, opened), (bytes, messages)) in connections.iter().zip(sent) {
        let heard = hear(Role::Server, opened, &frames(&bytes)).unwrap();
        let heard: Vec<_> = heard.messages.into_iter().map(|it| it.data).collect();
        assert!(heard == messages, "{opened:?}");
    }
}

/// The length of what is sent for a message, and whether it is compressed.
fn sent_for(text: &str, wish: Compress) -> (usize, bool) {
    let lines = ["permessage-deflate".to_owned()];
    let opened = open_server(&DeflateAnswer::default(), &lines, &limits());
    let (mut connection, _) = opened.unwrap();
    let message = Message::text(text.to_owned());
    connection.send_message_with(NOW, message, wish).unwrap();
    let bytes = take(&mut connection);
    (bytes.len(), frames(&bytes)[0].first & 0x40 != 0)
}

//= DF-28 type=test
//= PD-065 type=test
#[test]
fn the_size_of_a_message_that_is_never_compressed_tells_no_secret() {
    let with = |guess: usize| {
        format!(
            "token=7316;page={};comment=token={guess:04}",
            "p".repeat(60)
        )
    };
    let mut told = [Vec::new(), Vec::new()];
    for guess in 0..10_000 {
        let (len, is_compressed) = sent_for(&with(guess), Compress::Never);
        assert!(!is_compressed, "{guess}");
        told[0].push(len);
        // What the same sizes tell where it is compressed.
        if guess % 100 == 16 {
            told[1].push(sent_for(&with(guess), Compress::Always).0);
        }
    }
    assert!(
        told[0].iter().all(|len| *len == told[0][0]),
        "one size for every guess"
    );
    let best = told[1].iter().min();
    assert_eq!(told[1].iter().position(|len| Some(len) == best), Some(73));
}

/// What an endpoint sends for these compressed messages of a client.
fn answered(endpoint: &mut Endpoint, payloads: &[Vec<u8>]) -> Vec<Frame> {
    for payload in payloads {
        let frame = Frame::new(0xc2, payload).masked();
        endpoint.receive(&frame.to_bytes(), &[usize::MAX]);
    }
    frames(&core::mem::take(&mut endpoint.sent))
}

//= DF-11 type=test
#[test]
fn no_copy_reaches_into_the_memory_of_another_connection() {
    let config = DeflateConfig::default().with_context_kept(true, false);
    let deflate = DeflateAnswer::new(config);
    let lines = ["permessage-deflate".to_owned()];
    let open = || {
        let (connection, opened) = open_server(&deflate, &lines, &limits()).unwrap();
        assert!(matches!(opened, Opened::Agreed(_)));
        Endpoint::new(connection)
    };
    let secret = payload::bytes("stored [ noise 40_000 1 ] end", 0);
    for distance in [1, 4, 1_000, 32_768] {
        let (mut one, mut other) = (open(), open());
        let echoed = answered(&mut one, core::slice::from_ref(&secret));
        assert_eq!(echoed[0].payload, payload::noise(40_000, 1));
        // The decoder that was given back is lent again.
        let spy = payload::bytes(&format!("fixed [ copy 258 {distance} ] end"), 0);
        let answer = answered(&mut other, &[spy]);
        assert_eq!(answer.len(), 1, "distance {distance}");
        assert_eq!(answer[0].first, 0x88);
        assert_eq!(answer[0].payload[..2], 1007_u16.to_be_bytes());
    }
}
