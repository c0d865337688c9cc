//! Two connections and the bytes between them.

use framewire::engine::{Connection, Inbox, Incoming, Kind, Limits, Role, Timestamp};
use framewire::wire::close::{CloseCode, CloseReason};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::ZERO;

/// One end: its connection, what it has put on the wire, and its messages both ways.
struct End {
    connection: Connection,
    inbox: Inbox,
    wire: Vec<u8>,
    sent: Vec<Vec<u8>>,
    unfinished: Vec<u8>,
    received: Vec<Vec<u8>>,
}

/// A client and a server that are open.
pub struct Pair([End; 2]);

impl Pair {
    pub fn new() -> Self {
        let limits = Limits::default()
            .with_outbox_marks(1, 20_000)
            .with_control_bytes_max(300);
        let limits = Arc::new(limits);
        Self(Role::BOTH.map(|role| End {
            connection: Connection::new(role, Arc::clone(&limits), NOW, [9; 32]),
            inbox: Inbox::new(),
            wire: Vec::new(),
            sent: Vec::new(),
            unfinished: Vec::new(),
            received: Vec::new(),
        }))
    }

    /// Does what two bytes say, at the end that the first one names.
    pub fn act(&mut self, what: u8, size: u8) {
        let [client, server] = &mut self.0;
        let (end, peer) = if what & 1 == 0 {
            (client, server)
        } else {
            (server, client)
        };
        let n = usize::from(size);
        match what >> 1 & 7 {
            0 => end.send(&vec![size; n]),
            // Beyond 4 KiB a server shares the payload instead of copying it.
            1 => end.give(vec![size; n * 20]),
            2 | 3 => end.send_fragment(&vec![size; n], what & 2 == 0),
            4 => drop(end.connection.ping(&vec![size; n])),
            5 if size > 200 => end.close(u16::from(size) + 800),
            5 => end.transmit(n * 80),
            6 => end.transmit(n),
            _ => end.receive(peer, n),
        }
    }

    /// Lets everything arrive, and checks that it is what was sent.
    pub fn settle(&mut self) {
        let [client, server] = &mut self.0;
        for _ in 0..3 {
            client.transmit(usize::MAX);
            server.receive(client, usize::MAX);
            server.transmit(usize::MAX);
            client.receive(server, usize::MAX);
        }
        assert!(client.wire.is_empty() && server.wire.is_empty());
        assert!(client.received == server.sent && server.received == client.sent);
        let clean = |end: &End| end.connection.closure().is_some_and(|it| it.is_clean());
        assert_eq!(client.connection.is_open(), server.connection.is_open());
        assert!(client.connection.is_open() || (clean(client) && clean(server)));
    }
}

impl End {
    fn send(&mut self, payload: &[u8]) {
        if self.connection.send_binary(NOW, payload).is_ok() {
            self.sent.push(payload.to_vec());
        }
    }

    fn give(&mut self, payload: Vec<u8>) {
        if self
            .connection
            .send_message(NOW, payload.clone().into())
            .is_ok()
        {
            self.sent.push(payload);
        }
    }

    fn send_fragment(&mut self, fragment: &[u8], last: bool) {
        if self
            .connection
            .send_fragment(NOW, Kind::Binary, fragment, last)
            .is_ok()
        {
            self.unfinished.extend_from_slice(fragment);
            if last {
                self.sent.push(core::mem::take(&mut self.unfinished));
            }
        }
    }

    fn close(&mut self, code: u16) {
        if let Ok(reason) = CloseReason::new(CloseCode::new(code), "") {
            let _ = self.connection.close(NOW, reason);
        }
    }

    fn transmit(&mut self, n: usize) {
        let before = self.wire.len();
        for slice in self.connection.transmit() {
            let room = n - (self.wire.len() - before);
            self.wire.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        self.connection.transmitted(self.wire.len() - before);
    }

    fn receive(&mut self, peer: &mut Self, n: usize) {
        let taken = peer.wire.len().min(n);
        for chunk in peer.wire.drain(..taken).collect::<Vec<_>>().chunks(4_096) {
            self.inbox.space(0)[..chunk.len()].copy_from_slice(chunk);
            self.inbox.filled(chunk.len());
            while let Some(incoming) = self.inbox.next(&mut self.connection, NOW) {
                match incoming {
                    Incoming::Message(message) => self.received.push(message.bytes().to_vec()),
                    Incoming::Failed(violation) => panic!("{violation}"),
                    _ => {}
                }
            }
        }
    }
}
