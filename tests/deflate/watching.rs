//! What statistics and an observer see of a connection.

use std::sync::{Arc, Mutex};

use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{Inbox, Limits, Message, Observed, Observer, ReadyState, Role, Traffic};
use framewire::wire::close::{CloseCode, CloseReason};
use framewire::wire::opcode::Opcode;

use crate::support::{NOW, agree, open, receive, transmit};

fn traffic(traffic: Traffic) -> (u64, u64) {
    (traffic.frames, traffic.bytes)
}

#[test]
fn statistics_count_both_directions_and_the_compression() {
    let (client, server) = agree(DeflateConfig::default(), DeflateConfig::default());
    let mut client = open(Role::Client, Limits::default(), client);
    let mut server = open(Role::Server, Limits::default(), server);
    assert_eq!(client.statistics(), None, "nobody asked");
    client.keep_statistics();
    server.keep_statistics();
    let text = "abc".repeat(1000);
    client.send_text(NOW, &text).unwrap();
    client.send_binary(NOW, b"short").unwrap();
    client
        .send_prepared(NOW, &Message::text(&*text).prepare())
        .unwrap();
    client.ping(b"ping").unwrap();
    let bytes = transmit(&mut client);
    let (messages, _) = receive(&mut server, &mut Inbox::new(), &bytes, 100);
    assert_eq!(messages.len(), 3);
    server
        .send_prepared(NOW, &Message::text(&*text).prepare())
        .unwrap();
    let bytes = transmit(&mut server);
    receive(&mut client, &mut Inbox::new(), &bytes, 7);

    let (sent, received) = (client.statistics().unwrap(), server.statistics().unwrap());
    for opcode in [Opcode::Text, Opcode::Binary, Opcode::Ping] {
        assert_eq!(sent.sent(opcode), received.received(opcode), "{opcode:?}");
    }
    assert_eq!(traffic(sent.sent(Opcode::Binary)), (1, 5));
    assert_eq!(traffic(sent.sent(Opcode::Ping)), (1, 4));
    assert_eq!(traffic(received.sent(Opcode::Pong)), (1, 4));
    assert_eq!(traffic(sent.received(Opcode::Pong)), (1, 4));
    let text_frames = sent.sent(Opcode::Text);
    assert_eq!(text_frames.frames, 2);
    assert_eq!(sent.reduced(), received.expanded());
    assert_eq!(sent.reduced().plain, 6000);
    assert_eq!(sent.reduced().coded, text_frames.bytes);
    assert!(sent.reduced().ratio().unwrap() > 50.0);
    assert_eq!(received.reduced(), sent.expanded());
    assert_eq!(received.reduced().plain, 3000);
}

/// Writes down what it is told.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Observer for Log {
    fn observe(&mut self, what: &Observed<'_>) {
        let line = match what {
            Observed::Received(header) => format!("<{:?} {}", header.opcode, header.payload_len),
            Observed::Sent(header) => {
                assert_eq!(header.mask, None, "the masking key is nobody's business");
                format!(">{:?} {}", header.opcode, header.payload_len)
            }
            Observed::Closed(closure) => format!("closed {}", closure.code()),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn an_observer_is_told_of_every_frame_and_of_the_end() {
    for role in Role::BOTH {
        let limits = Limits::default().with_frame_bytes_max(125);
        let (ours, theirs) = agree(DeflateConfig::default(), DeflateConfig::default());
        let mut end = open(role, limits.clone(), ours);
        let mut peer = open(role.peer(), limits, theirs);
        let log = Log::default();
        end.observe(Box::new(log.clone()));
        peer.send_text(NOW, "hi").unwrap();
        peer.ping(b"").unwrap();
        receive(&mut end, &mut Inbox::new(), &transmit(&mut peer), 1);
        let message = Message::binary(vec![0x5a; 130]);
        end.send_message_with(NOW, message, framewire::engine::Compress::Never)
            .unwrap();
        end.close(
            NOW,
            CloseReason::new(CloseCode::NORMAL_CLOSURE, "").unwrap(),
        )
        .unwrap();
        receive(&mut peer, &mut Inbox::new(), &transmit(&mut end), 1);
        receive(&mut end, &mut Inbox::new(), &transmit(&mut peer), 1);
        end.receive_eof(NOW);
        let expected = [
            "<Ping 0",
            ">Pong 0",
            "<Text 2",
            ">Binary 125",
            ">Continuation 5",
            ">Close 2",
            "<Close 2",
            "closed 1000",
        ];
        assert_eq!(*log.0.lock().unwrap(), expected, "{role:?}");
    }
}

//= E06 type=test
//= E09 type=test
#[test]
fn what_was_agreed_and_the_state_can_be_asked_for() {
    let config = DeflateConfig::default().with_window_bits(12, 10);
    let (ours, theirs) = agree(config, DeflateConfig::default());
    let mut client = open(Role::Client, Limits::default(), ours);
    let server = open(Role::Server, Limits::default(), theirs);
    let agreed = "permessage-deflate; server_max_window_bits=10; client_max_window_bits=12";
    assert_eq!(client.extension().as_deref(), Some(agreed));
    assert_eq!(server.extension().as_deref(), Some(agreed));
    let states = [
        ReadyState::Connecting,
        ReadyState::Open,
        ReadyState::Closing,
        ReadyState::Closed,
    ];
    assert_eq!(states.map(|it| it as u8), [0, 1, 2, 3]);
    assert_eq!(client.ready_state(), ReadyState::Open);
    client.close(NOW, CloseReason::empty()).unwrap();
    assert_eq!(client.ready_state(), ReadyState::Closing);
    client.terminate();
    assert_eq!(client.ready_state(), ReadyState::Closed);
}
