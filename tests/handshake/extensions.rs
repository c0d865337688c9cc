//! Agreeing on an extension (RFC 6455 §9.1), with a toy that adds a number to every byte.

use framewire::engine::{
    AcceptError, Acceptance, Answer, Connection, Expanded, Extension, HandshakeFailure, Inbox,
    Incoming, Kind, Offer, Part, Violation,
};
use framewire::wire::list::ExtensionOffer;

use crate::http::Head;
use crate::raw::{Frame, frames};
use crate::{NOW, accept, answer, ask, asked, drain, request_and, upgrade};

const HEADER: &str = "Sec-WebSocket-Extensions";

/// Adds a number to every byte of a message; the agreed parameter `by` says which.
#[derive(Debug)]
struct Shift {
    by: u8,
}

impl Extension for Shift {
    fn expand(
        &mut self,
        input: &[u8],
        _last: bool,
        output: &mut [u8],
    ) -> Result<Expanded, Violation> {
        for (plain, coded) in output.iter_mut().zip(input) {
            *plain = coded.wrapping_sub(self.by);
        }
        let taken = input.len().min(output.len());
        let done = taken == input.len();
        Ok(Expanded {
            taken,
            given: taken,
            done,
        })
    }

    fn reduce(&mut self, part: Part<'_>, output: &mut Vec<u8>) -> bool {
        let message = part.bytes;
        output.extend(message.iter().map(|byte| byte.wrapping_add(self.by)));
        !message.is_empty()
    }
}

fn element(by: &str) -> ExtensionOffer {
    let element = ExtensionOffer::new("x-shift").expect("a token");
    element.with_param("by", Some(by)).expect("a token")
}

fn shift_of(element: &ExtensionOffer) -> Option<Shift> {
    let (name, value) = element.params().next()?;
    let by = value?.parse().ok().filter(|_| name == "by")?;
    (element.name() == "x-shift" && element.params().len() == 1).then_some(Shift { by })
}

/// Offers a shift by each of these, and agrees to those alone.
#[derive(Debug)]
struct Shifts(&'static [&'static str]);

impl Offer for Shifts {
    fn offers(&self) -> Vec<ExtensionOffer> {
        self.0.iter().map(|by| element(by)).collect()
    }

    fn accept(self: Box<Self>, answer: &ExtensionOffer) -> Option<Box<dyn Extension>> {
        let shift = shift_of(answer).filter(|_| self.offers().contains(answer))?;
        Some(Box::new(shift))
    }
}

/// Takes the first shift that can be read; or answers with what nobody offered.
#[derive(Debug)]
enum Chooses {
    FirstShift,
    Something(&'static str),
}

impl Answer for Chooses {
    fn answer(&self, offers: &[ExtensionOffer]) -> Option<(ExtensionOffer, Box<dyn Extension>)> {
        match self {
            Self::FirstShift => offers.iter().find_map(|offer| {
                let shift: Box<dyn Extension> = Box::new(shift_of(offer)?);
                Some((offer.clone(), shift))
            }),
            Self::Something(name) => {
                let element = ExtensionOffer::new(name).expect("a token");
                Some((element, Box::new(Shift { by: 0 })))
            }
        }
    }
}

/// A client and a server that have agreed by way of their own bytes, and the server's answer.
fn agreed(offers: &'static [&'static str]) -> (Connection, Connection, Head) {
    let (client, _) = asked(ask().with_offer(Box::new(Shifts(offers))));
    let request = upgrade(client.request());
    let mut accepted = accept(
        request,
        Acceptance::new().with_extension(&Chooses::FirstShift),
    );
    let bytes = drain(&mut accepted.connection);
    let opened = answer(client, &bytes).expect("an open connection");
    (opened.connection, accepted.connection, Head::read(&bytes))
}

fn receive(connection: &mut Connection, bytes: Vec<u8>) -> Vec<String> {
    let mut inbox = Inbox::with_bytes(bytes);
    let mut found = Vec::new();
    while let Some(incoming) = inbox.next(connection, NOW) {
        found.push(match incoming {
            Incoming::Message(message) => message.text().expect("a text").to_owned(),
            other => format!("{other:?}"),
        });
    }
    found
}

//= WS-061 type=test
//= WS-157 type=test
//= WS-161 type=test
//= PD-018 type=test
//= PD-019 type=test
//= PD-020 type=test
//= PD-025 type=test
//= PD-026 type=test
#[test]
fn both_ends_use_what_they_agreed_on() {
    let (mut client, mut server, head) = agreed(&["3", "5"]);
    assert_eq!(head.header(HEADER).as_deref(), Some("x-shift; by=3"));
    client.send_text(NOW, "abc").expect("an open connection");
    client.send_text(NOW, "").expect("an open connection");
    client.ping(b"abc").expect("an open connection");
    let bytes = drain(&mut client);
    let sent: Vec<_> = frames(&bytes)
        .into_iter()
        .map(|it| (it.first, it.payload))
        .collect();
    let expected = [(0x89, &b"abc"[..]), (0xc1, b"def"), (0x81, b"")];
    assert!(
        sent.iter()
            .map(|(first, payload)| (*first, &payload[..]))
            .eq(expected)
    );
    assert_eq!(
        receive(&mut server, bytes),
        ["Ping([97, 98, 99])", "abc", ""]
    );

    server.send_text(NOW, "xyz").expect("an open connection");
    let bytes = drain(&mut server);
    assert_eq!(
        frames(&bytes),
        [Frame::new(0x8a, "abc"), Frame::new(0xc1, "{|}")]
    );
    assert_eq!(receive(&mut client, bytes), ["Pong([97, 98, 99])", "xyz"]);
}

//= PD-021 type=test
//= WS-074 type=test
#[test]
fn messages_that_are_sent_in_fragments_bear_the_bit_on_the_first_alone() {
    let (mut client, _, _) = agreed(&["3"]);
    client
        .send_fragment(NOW, Kind::Text, b"ab", false)
        .expect("an open connection");
    client
        .send_fragment(NOW, Kind::Text, b"c", true)
        .expect("an open connection");
    let sent: Vec<_> = frames(&drain(&mut client))
        .iter()
        .map(|it| (it.first, it.payload.clone()))
        .collect();
    assert_eq!(sent, [(0x41, b"de".to_vec()), (0x80, b"f".to_vec())]);
}

//= PD-022 type=test
//= PD-024 type=test
//= WS-075 type=test
#[test]
fn the_reserved_bit_stands_on_the_first_frame_of_a_message_alone() {
    let fails = |frames: &[Frame]| {
        let (mut client, _, _) = agreed(&["1"]);
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::to_bytes).collect();
        receive(&mut client, bytes)
    };
    assert_eq!(
        fails(&[Frame::new(0x41, "b"), Frame::new(0x80, "c")]),
        ["ab"]
    );
    for bad in [
        &[Frame::new(0x01, "b"), Frame::new(0xc0, "c")][..],
        &[Frame::new(0xc9, "")],
        &[Frame::new(0xc8, "")],
        &[Frame::new(0xa1, "")],
        &[Frame::new(0x91, "")],
    ] {
        assert_eq!(fails(bad), ["Failed(ReservedBits)"], "{bad:?}");
    }
    // The text that counts is the one that comes out.
    assert_eq!(fails(&[Frame::new(0xc1, b"\x80")]), ["\u{7f}"]);
    assert_eq!(fails(&[Frame::new(0xc1, b"\x00")]), ["Failed(NotUtf8)"]);
}

//= WS-159 type=test
//= WS-160 type=test
//= PD-002 type=test
#[test]
fn an_offer_stands_in_the_request_in_its_order() {
    let (client, _) = asked(ask().with_offer(Box::new(Shifts(&["5", "3"]))));
    let lines = Head::read(client.request()).all(HEADER);
    assert_eq!(lines.join(", "), "x-shift; by=5, x-shift; by=3");
    let request = upgrade(client.request());
    assert_eq!(request.extensions(), [element("5"), element("3")]);
}

//= WS-162 type=test
#[test]
fn offers_on_several_lines_are_one_list() {
    let lines = format!(
        "{HEADER}: foo; a, bar\r\n{}: x-shift; by=\"9\"",
        HEADER.to_lowercase()
    );
    let request = upgrade(&request_and(&lines));
    let names: Vec<_> = request
        .extensions()
        .iter()
        .map(ExtensionOffer::name)
        .collect();
    assert_eq!(names, ["foo", "bar", "x-shift"]);
    let mut accepted = accept(
        request,
        Acceptance::new().with_extension(&Chooses::FirstShift),
    );
    let head = Head::read(&drain(&mut accepted.connection));
    assert_eq!(head.header(HEADER).as_deref(), Some("x-shift; by=9"));
}

//= WS-062 type=test
//= WS-115 type=test
//= WS-156 type=test
//= PD-012 type=test
//= PD-013 type=test
#[test]
fn offers_that_the_server_declines_are_not_in_use() {
    let declining = Acceptance::new();
    let unreadable = Acceptance::new().with_extension(&Chooses::FirstShift);
    for (offer, acceptance) in [("x-shift; by=3", declining), ("x-shift; by=no", unreadable)] {
        let request = upgrade(&request_and(&format!("{HEADER}: {offer}")));
        let mut accepted = accept(request, acceptance);
        assert_eq!(
            Head::read(&drain(&mut accepted.connection)).all(HEADER),
            [""; 0]
        );
        let coded = Frame::new(0xc1, "def").masked().to_bytes();
        assert_eq!(
            receive(&mut accepted.connection, coded),
            ["Failed(ReservedBits)"]
        );
    }

    // A client whose offer was declined goes on without.
    let (client, good) = asked(ask().with_offer(Box::new(Shifts(&["3"]))));
    let mut opened = answer(client, good.as_bytes()).expect("an open connection");
    opened
        .connection
        .send_text(NOW, "abc")
        .expect("an open connection");
    assert_eq!(frames(&drain(&mut opened.connection))[0].first, 0x81);
}

//= WS-061 type=test
//= WS-062 type=test
//= WS-156 type=test
#[test]
fn a_server_cannot_answer_with_what_was_not_offered() {
    for (lines, name) in [
        ("A: b", "x-shift"),
        ("Sec-WebSocket-Extensions: x-shift", "x-other"),
    ] {
        let something = Chooses::Something(name);
        let acceptance = Acceptance::new().with_extension(&something);
        let outcome = upgrade(&request_and(lines)).accept(acceptance, Default::default(), NOW);
        assert_eq!(outcome.unwrap_err(), AcceptError::ExtensionNotOffered);
    }
}

//= WS-041 type=test
//= WS-158 type=test
//= WS-177 type=test
//= PD-014 type=test
#[test]
fn a_client_takes_only_what_it_offered_and_agrees_to() {
    let answered = |offers: Option<&'static [&'static str]>, lines: &str| {
        let request = match offers {
            Some(offers) => ask().with_offer(Box::new(Shifts(offers))),
            None => ask(),
        };
        let (client, good) = asked(request);
        let end = format!("\r\n{lines}\r\n\r\n");
        answer(client, good.replace("\r\n\r\n", &end).as_bytes()).map(|_| ())
    };
    let ours: Option<&[&str]> = Some(&["3", "5"]);
    let line = |value: &str| format!("{HEADER}: {value}");
    for good in ["x-shift; by=3", "x-shift;by=\"5\"", ",x-shift ; by = 5 ,"] {
        answered(ours, &line(good)).expect(good);
    }
    // Erratum 3433: the header may stand on two lines.
    answered(ours, &format!("{}\r\n{}", line(""), line("x-shift; by=5"))).expect("two lines");

    let twice = format!("{}\r\n{}", line("x-shift; by=3"), line("x-shift; by=5"));
    for bad in [
        &line("x-other"),
        &line("X-SHIFT; by=3"),
        &line("x-shift"),
        &line("x-shift; by=4"),
        &line("x-shift; by=3; by=3"),
        &line("x-shift; by=3, x-other"),
        &line("x-shift; by="),
        &line(""),
        &line("x-shift by=3"),
        &twice,
    ] {
        let failure = answered(ours, bad).expect_err(bad);
        assert!(
            matches!(failure, HandshakeFailure::WrongExtension),
            "{bad}: {failure:?}"
        );
    }
    for bad in [
        &line("x-shift; by=3"),
        &line("permessage-deflate"),
        &line(""),
    ] {
        let failure = answered(None, bad).expect_err(bad);
        assert!(
            matches!(failure, HandshakeFailure::WrongExtension),
            "{bad}: {failure:?}"
        );
    }
}
