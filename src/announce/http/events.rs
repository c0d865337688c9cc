//! A feed as server-sent events, for networks that let no socket through.
//!
//! It is the stream of a socket: a member of the hub that enters by the announcing task, reads
//! from the store what it has missed, and then hears what comes, in the order of the offsets. It
//! ends with its token, with a revocation, with the reader's membership of the feed, and with the
//! server; the client comes back with the identifier of the last event that it has.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::IntoResponse as _;
use futures_core::Stream;
use tokio::sync::mpsc;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::dialect::Dialect;
use crate::announce::fields::{Fault, Given};
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::problem::Problem;
use crate::announce::http::route::{Route, get};
use crate::announce::json;
use crate::announce::outcome::Position;
use crate::announce::service::{Presence, Replay, Service, Stay, Visit, reason, user_topic};
use crate::hub::{Bounds, Delivery, Member, SlowPolicy};
use crate::server::Client;
use crate::wire::close::CloseReason;

/// What may wait for one reader.
const WAITING_BYTES_MAX: usize = 8 << 20;
const WAITING_MAX: usize = 1024;

/// How many events may be on the way to the connection.
const CHANNEL_MAX: usize = 16;

/// How often something is said, so that nothing in between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The longest time that is slept at once: a clock that is set is noticed after it.
const NAP: Duration = Duration::from_secs(1);

pub(crate) fn routes() -> [Route; 1] {
    [get("/feeds/{feed}/events", stream)]
}

//= C02
async fn stream(call: Call) -> Answer {
    call.only(&["since"])?;
    let feed = call.feed()?;
    let from = position(&call)?;
    let visit = call.visit.clone();
    let visit = visit.ok_or_else(|| Problem::new(Code::Unavailable, "no stream here"))?;
    let service = call.api.service().clone();
    let namespace = call.identity.namespace.as_str();
    let policy = SlowPolicy::Disconnect(reason(4508, "too slow"));
    let bounds = Bounds::new(WAITING_BYTES_MAX, WAITING_MAX);
    let member = service.hub().join(bounds, policy);
    let presence = Presence::new(member.id(), Dialect::Native, visit.peer, call.now);
    let presence = presence.with_events_of(feed.clone());
    presence.set_identity(call.identity.clone());
    let presence = service.clients().join(presence);
    // From here on a revocation finds it; one from before is seen by asking.
    if service.desk().is_revoked(&call.identity, SystemTime::now()) {
        return Err(Problem::new(Code::BadToken, "a valid token is needed"));
    }
    let entered = service.desk().enter(&call.identity, call.now).await?;
    //= AU-27
    let state = entered.feeds.iter().find(|state| state.feed == feed);
    let epoch = state.ok_or_else(Problem::not_found)?.epoch.clone();
    member.set_user(&user_topic(namespace, call.identity.user()));
    service.close_surplus(namespace, call.identity.user());
    let tops = service
        .announcer()
        .enter(member.id(), Dialect::Native, namespace, vec![feed.clone()])
        .await;
    let top = tops.and_then(|tops| tops.first().copied());
    let top = top.ok_or_else(|| Problem::new(Code::Unavailable, "the server stops"))?;
    let replay = from.and_then(|from| Replay::new(feed.clone(), from, top, &epoch));
    let (sender, receiver) = mpsc::channel(CHANNEL_MAX);
    let reading = Reading {
        service,
        member,
        identity: call.identity.clone(),
        feed,
        sender,
        _presence: presence,
        _stay: visit.stay(),
    };
    tokio::spawn(reading.run(replay, visit));
    let head = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((head, Body::from_stream(Events(receiver))).into_response())
}

/// Up to where the reader has the feed: `epoch:offset`, or the offset alone.
fn position(call: &Call) -> Result<Option<Position>, Problem> {
    let last = call.headers.get("last-event-id");
    let (name, text) = match (last, call.asked("since")) {
        (Some(last), _) => ("Last-Event-ID", last.to_str().unwrap_or("")),
        (None, Some(since)) => ("since", since),
        (None, None) => return Ok(None),
    };
    let (epoch, offset) = match text.rsplit_once(':') {
        Some((epoch, offset)) => (Some(epoch.to_owned()), offset),
        None => (None, text),
    };
    let offset = offset
        .parse()
        .map_err(|_| Fault::wrong(name, "the identifier of an event, epoch:offset"))?;
    Ok(Some(Position { offset, epoch }))
}

/// One reader of a feed.
struct Reading {
    service: Service,
    member: Member,
    identity: Identity,
    feed: FeedKey,
    sender: mpsc::Sender<String>,
    _presence: Client<Presence>,
    _stay: Stay,
}

impl Reading {
    async fn run(mut self, replay: Option<Replay>, visit: Visit) {
        let mut stopping = visit.stopping.clone();
        drop(visit);
        let ends_at = self.identity.claims.expires_at();
        let gone = self.sender.clone();
        let why = tokio::select! {
            why = self.tell(replay) => why,
            //= AU-20
            () = until(ends_at) => "the token has expired",
            () = stopping.wait() => "the server stops",
            () = gone.closed() => return,
        };
        // Whoever has no room for it sees the end as well.
        let end = json::Object::new().text("reason", why).end();
        let _ = gone.try_send(format!("event: end\ndata: {end}\n\n"));
    }

    async fn tell(&mut self, replay: Option<Replay>) -> &'static str {
        if let Some(why) = self.send("retry: 1000\n\n".to_owned()).await {
            return why;
        }
        let mut replay = replay;
        while let Some(missed) = &mut replay {
            let store = self.service.desk().store();
            for text in missed.page(store, &self.identity, Dialect::Native).await {
                if let Some(why) = self.pass_on(&text).await {
                    return why;
                }
            }
            if missed.is_done() {
                replay = None;
            }
        }
        loop {
            let why = tokio::select! {
                delivery = self.member.next() => match delivery {
                    Delivery::Message(message) => {
                        let text = core::str::from_utf8(message.payload()).unwrap_or_default();
                        self.pass_on(text).await
                    }
                    Delivery::Close(reason) => Some(ended(&reason)),
                },
                () = tokio::time::sleep(KEEP_ALIVE) => self.send(":\n\n".to_owned()).await,
            };
            if let Some(why) = why {
                return why;
            }
        }
    }

    /// Sends what is an event of this feed.
    async fn pass_on(&mut self, text: &str) -> Option<&'static str> {
        match event(text, &self.feed) {
            Some(event) => self.send(event).await,
            None => None,
        }
    }

    /// Sends, unless the stream is to end first. A reason comes back where that is so.
    async fn send(&mut self, text: String) -> Option<&'static str> {
        tokio::select! {
            sent = self.sender.send(text) => sent.err().map(|_| CLOSED),
            reason = self.member.closed() => Some(ended(&reason)),
        }
    }
}

/// Why the server has had the stream closed. Whether it was slow, revoked or one too many is not
/// told apart.
fn ended(reason: &CloseReason) -> &'static str {
    match reason.code() {
        Some(code) if code.get() == 4403 => "no longer a member of this feed",
        _ => CLOSED,
    }
}

const CLOSED: &str = "closed by the server";

/// What a socket would be told, as an event; `None` if it is none of this feed.
fn event(text: &str, feed: &FeedKey) -> Option<String> {
    let fields = json::fields(text).ok()?;
    let message = Given(&fields);
    let kind = message.string("type").ok()??;
    let payload = message.find("payload")?.get();
    let members = json::fields(payload).ok()?;
    let members = Given(&members);
    if members.string("feed").ok()?? != feed.as_str() {
        return None;
    }
    let id = match kind.as_str() {
        "announcement" | "edited" | "recalled" => {
            let epoch = members.string("epoch").ok()??;
            let offset = members.number("offset").ok()??;
            format!("id: {epoch}:{offset}\n")
        }
        "gap" => String::new(),
        _ => return None,
    };
    // Line breaks in JSON stand between its tokens, and end a line of the stream.
    let data = payload.replace(['\r', '\n'], " ");
    Some(format!("{id}event: {kind}\ndata: {data}\n\n"))
}

async fn until(moment: SystemTime) {
    while let Ok(left) = moment.duration_since(SystemTime::now()) {
        tokio::time::sleep(left.min(NAP)).await;
    }
}

/// The events as a body.
struct Events(mpsc::Receiver<String>);

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = self.0.poll_recv(cx);
        received.map(|text| text.map(|text| Ok(Bytes::from(text))))
    }
}
