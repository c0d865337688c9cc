//! Two engines that have agreed on permessage-deflate, and a peer that writes bytes by hand.

use std::sync::Arc;

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig, DeflateOffer};
use framewire::engine::{
    Answer, Connection, Extension, Inbox, Incoming, Kind, Limits, Message, Offer, Role, Timestamp,
    Violation,
};
use framewire::wire::list::{ExtensionOffer, parse_extensions};

pub(crate) const NOW: Timestamp = Timestamp::ZERO;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) fn offers(text: &str) -> Vec<ExtensionOffer> {
    parse_extensions([text.as_bytes()].into_iter()).unwrap()
}

/// What a server answers to these offers.
pub(crate) fn answer(config: DeflateConfig, offered: &str) -> Option<String> {
    let answered = DeflateAnswer::new(config).answer(&offers(offered));
    answered.map(|(answer, _)| answer.to_string())
}

/// The two sides of an agreement: the client's and the server's.
pub(crate) fn agree(
    client: DeflateConfig,
    server: DeflateConfig,
) -> (Box<dyn Extension>, Box<dyn Extension>) {
    let offer = Box::new(DeflateOffer::new(client));
    let (answer, theirs) = DeflateAnswer::new(server).answer(&offer.offers()).unwrap();
    (offer.accept(&answer).unwrap(), theirs)
}

pub(crate) fn open(role: Role, limits: Limits, extension: Box<dyn Extension>) -> Connection {
    Connection::new(role, Arc::new(limits), NOW, [7; 32]).with_extension(extension)
}

/// A server that has agreed to what `offered` asks.
pub(crate) fn server(limits: Limits, offered: &str) -> Connection {
    let answered = DeflateAnswer::default().answer(&offers(offered)).unwrap();
    open(Role::Server, limits, answered.1)
}

/// A frame as a client sends it.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..=0xffff => {
            frame.push(0xfe);
            frame.extend_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0xff);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// Everything that the bytes mean: the messages, and the violation that ends them.
pub(crate) fn receive(
    connection: &mut Connection,
    inbox: &mut Inbox,
    bytes: &[u8],
    step: usize,
) -> (Vec<Message>, Option<Violation>) {
    let mut messages = Vec::new();
    for piece in bytes.chunks(step) {
        let mut rest = piece;
        while !rest.is_empty() {
            let space = inbox.space(0);
            let n = rest.len().min(space.len());
            space[..n].copy_from_slice(&rest[..n]);
            inbox.filled(n);
            rest = &rest[n..];
            while let Some(incoming) = inbox.next(connection, NOW) {
                match incoming {
                    Incoming::Message(message) => messages.push(message.to_owned()),
                    Incoming::Failed(violation) => return (messages, Some(violation)),
                    _ => {}
                }
            }
        }
    }
    (messages, None)
}

/// Takes everything that waits to be sent.
pub(crate) fn transmit(connection: &mut Connection) -> Vec<u8> {
    let bytes: Vec<u8> = connection.transmit().flatten().copied().collect();
    connection.transmitted(bytes.len());
    bytes
}

/// As [`receive`], taking messages piece by piece and putting them together here.
pub(crate) fn receive_pieces(
    connection: &mut Connection,
    inbox: &mut Inbox,
    bytes: &[u8],
    step: usize,
) -> (Vec<Message>, Option<Violation>) {
    let (mut messages, mut text) = (Vec::new(), Vec::new());
    let mut within = false;
    for piece in bytes.chunks(step) {
        let mut rest = piece;
        while !rest.is_empty() {
            let space = inbox.space(0);
            let n = rest.len().min(space.len());
            space[..n].copy_from_slice(&rest[..n]);
            inbox.filled(n);
            rest = &rest[n..];
            while inbox.advance_piece(connection, NOW) {
                match inbox.incoming() {
                    Some(Incoming::Piece(piece)) => {
                        assert_eq!(piece.first, !within, "one piece is the first");
                        assert!(piece.last || !piece.bytes.is_empty(), "a piece of nothing");
                        within = !piece.last;
                        text.extend_from_slice(piece.bytes);
                        if piece.last {
                            let whole = core::mem::take(&mut text);
                            messages.push(match piece.kind {
                                Kind::Text => Message::text(String::from_utf8(whole).unwrap()),
                                _ => Message::binary(whole),
                            });
                        }
                    }
                    Some(Incoming::Failed(violation)) => return (messages, Some(violation)),
                    _ => {}
                }
            }
        }
    }
    (messages, None)
}
