//! One connection that speaks the gateway dialect: who it belongs to, what it hears and says.

use alloc::string::String;
use alloc::sync::Arc;
use std::time::SystemTime;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::dialect::Dialect;
use crate::announce::gateway::{Context, Ending, Heard, Outcome, Passed, Session};
use crate::announce::json::Object;
use crate::announce::native::{Ask, Request};
use crate::announce::outcome;
use crate::announce::service::closing::reason;
use crate::announce::service::connection::Connection;
use crate::announce::service::topics;
use crate::engine::{Cause, Closure, Message, Side, Statistics, Traffic};
use crate::wire::close::{CloseCode, CloseReason};
use crate::wire::opcode::Opcode;
use crate::wire::utf8;

/// Gives a connection to its person, and tells the bus of it.
pub(crate) fn enter(connection: &mut Connection, identity: &Identity) -> Option<CloseReason> {
    let service = connection.service.clone();
    let Some(gateway) = service.gateway() else {
        return Some(reason(1011, "this server has no event bus"));
    };
    let remote = connection.socket.stream().peer_addr().ip();
    let namespace = identity.namespace.as_str();
    let context = Context::new(&identity.claims, namespace, &identity.session, remote);
    let Ok(context) = context else {
        return Some(reason(4403, "forbidden"));
    };
    for topic in own_topics(identity) {
        connection.member.subscribe(&topic);
    }
    //= B06
    //= A06
    //= A31
    let session = Session::connected(gateway.bus(), gateway.settings(), context);
    connection.session = Some(session);
    // What is told of its end is counted from here on.
    connection.socket.keep_statistics();
    None
}

fn own_topics(identity: &Identity) -> impl Iterator<Item = String> {
    let namespace = &identity.namespace;
    let own = [Some(FeedKey::public()), FeedKey::user(identity.user())];
    let feeds = own.into_iter().flatten();
    feeds
        .map(|feed| topics::feed(Dialect::Gateway, namespace, &feed))
        .chain([topics::everyone(Dialect::Gateway)])
}

/// Handles a message of a connection that has not signed in: only a token counts.
pub(crate) fn sign(
    connection: &mut Connection,
    message: &Message,
    now: SystemTime,
) -> outcome::Outcome {
    let text = utf8::validate(message.as_bytes()).unwrap_or_default();
    let request = Request::parse(text);
    let (id, ask) = match request {
        Ok(request) => (request.id, request.ask),
        Err(fault) => return refused(fault.code, &fault.message, None),
    };
    let Ok(Ask::Sign {
        token, namespace, ..
    }) = ask
    else {
        let text = "send {\"type\":\"sign\",\"payload\":{\"token\":…}} first, or a cookie";
        return refused(Code::NotSignedIn, text, id.as_deref());
    };
    let desk = connection.service.desk();
    let claims = match desk.verify(token.as_str(), now) {
        Ok(claims) => claims,
        Err(error) => {
            let outcome = refused(Code::Forbidden, "the token does not verify", id.as_deref());
            return outcome::Outcome {
                refused: Some(error),
                ..outcome.closing(4401, "authentication failed; come back with a new token")
            };
        }
    };
    match desk.identify_caller(&connection.caller, claims, namespace.as_deref()) {
        Ok(identity) => {
            connection.caller.sign_in(identity.clone());
            outcome::Outcome {
                signed_in: Some(outcome::Welcome {
                    identity,
                    since: alloc::vec::Vec::new(),
                    reply_to: id,
                }),
                ..outcome::Outcome::default()
            }
        }
        Err(denied) => {
            refused(denied.code, &denied.message, id.as_deref()).closing(4403, "forbidden")
        }
    }
}

fn refused(code: Code, message: &str, id: Option<&str>) -> outcome::Outcome {
    outcome::Outcome::text(error(code, message, id))
}

/// An error as the gateway dialect writes it.
pub(crate) fn error(code: Code, message: &str, id: Option<&str>) -> String {
    let payload = Object::new()
        .text("code", code.as_str())
        .text("message", message)
        .end();
    Object::new()
        .text("type", "error")
        .raw("payload", &payload)
        .raw_if("replyTo", id)
        .end()
}

/// Hands a message to the bus.
pub(crate) fn hear(session: &mut Session, message: &Message, now: SystemTime) -> Outcome {
    match message {
        Message::Text(text) => session.heard(Heard::Text(text.as_str()), now),
        Message::Binary(bytes) => session.heard(Heard::Binary(bytes), now),
    }
}

/// Queues what the bus answers. A reason to close comes back where that is the answer.
pub(crate) fn say(connection: &mut Connection, outcome: Outcome) -> Option<CloseReason> {
    connection.answers.extend(outcome.text);
    outcome.close.map(|close| reason(close.code, close.reason))
}

/// Tells the bus that a connection is over, and how.
//= A08
//= B11
pub(crate) fn end(connection: &mut Connection) {
    let Some(session) = connection.session.take() else {
        return;
    };
    let closure = connection.socket.closure();
    let code = closure.map_or(CloseCode::ABNORMAL_CLOSURE, Closure::code);
    let text = closure.map_or("", Closure::reason);
    let cause = match closure.and_then(Closure::cause) {
        Some(Cause::Handshake) => "closed",
        Some(Cause::NoPong) => "no_pong",
        Some(Cause::Violation(_)) => "violation",
        Some(Cause::CloseTimeout) => "close_timeout",
        _ => "lost",
    };
    let by = closure.and_then(Closure::began).map(|side| match side {
        Side::Local => "server",
        Side::Remote => "client",
    });
    let passed = |of: fn(&Statistics, Opcode) -> Traffic| {
        let counted = connection.socket.statistics();
        let of = |opcode| counted.map_or_else(Traffic::default, |it| of(it, opcode));
        let (text, binary, rest) = (
            of(Opcode::Text),
            of(Opcode::Binary),
            of(Opcode::Continuation),
        );
        Passed {
            messages: text.frames + binary.frames,
            bytes: text.bytes + binary.bytes + rest.bytes,
        }
    };
    session.closed(&Ending {
        code: code.get(),
        reason: text,
        cause,
        by,
        received: passed(Statistics::received),
        sent: passed(Statistics::sent),
    });
}

/// The settings of the gateway, where they have changed since.
pub(crate) fn renew(connection: &mut Connection) {
    if let (Some(session), Some(gateway)) = (&mut connection.session, connection.service.gateway())
    {
        let settings: Arc<_> = gateway.settings();
        session.apply(settings);
    }
}
