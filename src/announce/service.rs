//! Sockets, the rules and the hub joined: what `framewire serve` runs.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::future::pending;
use core::time::Duration;
use std::time::SystemTime;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use crate::announce::caller::{Caller, Identity};
use crate::announce::desk::{Audience, Close, Desk, Outcome, Push, Reply};
use crate::announce::page;
use crate::engine::{Acceptance, Message, Prepared, Refusal};
use crate::hub::{Bounds, Delivery, Hub, Member, SlowPolicy};
use crate::net::{Error, Heard, WebSocket};
use crate::server::{Incoming, Listener, Opening, Plain, Stopping, Stream};
use crate::wire::close::{CloseCode, CloseReason};
use crate::wire::http;
use crate::wire::utf8;

/// The path of the socket.
pub const ENDPOINT: &str = "/websockets";

/// The subprotocol of the intent dialect. A client need not offer one.
pub const SUBPROTOCOL: &str = "announce.intent.v0";

/// The largest message that is taken from a client, in bytes.
pub const MESSAGE_BYTES_MAX: u64 = 64 << 10;

/// What may wait for one client: more than the store commits at once, so that nobody is slow who
/// just had no turn yet. Clients share the bytes of an announcement, so the bound is on how long
/// the slowest of them keeps it, not a cost for each.
const MAILBOX_BYTES_MAX: usize = 64 << 20;
const MAILBOX_MESSAGES_MAX: usize = 4096;

/// How many answers may wait for a client that does not read before it is no longer heard.
const ANSWERS_MAX: usize = 16;

/// How long answering a request for a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// The announcement server. Clones are the same server.
#[derive(Clone, Debug)]
pub struct Service {
    desk: Arc<Desk>,
    hub: Hub,
    pages: Router,
}

impl Service {
    /// Serves by the rules of `desk`.
    pub fn new(desk: Desk) -> Self {
        Self {
            desk: Arc::new(desk),
            hub: Hub::new(),
            pages: page::router(),
        }
    }

    /// Accepts connections until it is time to stop.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it accepts no more; connections that are open go on.
    pub async fn run(self, listener: Listener, mut stopping: Stopping) {
        let announcing = tokio::spawn(self.clone().announce());
        loop {
            let incoming = tokio::select! {
                incoming = listener.accept() => incoming,
                () = stopping.wait() => break,
            };
            tokio::spawn(self.clone().serve(incoming, stopping.clone()));
        }
        announcing.abort();
    }

    /// Sends what is announced to those whom it concerns, in the order in which it was stored.
    ///
    /// One task does this for the whole server, so the order is the same for everybody.
    async fn announce(self) {
        let mut announcements = self.desk.announcements();
        while let Some(push) = announcements.next().await {
            self.push(push, None);
            // Whoever was given something takes it before there is more.
            tokio::task::yield_now().await;
        }
    }

    async fn serve(self, incoming: Incoming, stopping: Stopping) {
        let peer = incoming.peer_addr();
        let upgrade = match incoming.handshake().await {
            Ok(Opening::Upgrade(upgrade)) => upgrade,
            Ok(Opening::Plain(plain)) => return self.show_page(plain).await,
            Err(error) => return tracing::info!(%peer, %error, "no connection"),
        };
        //= A28
        if upgrade.request().path() != ENDPOINT {
            let refused = upgrade.refuse(Refusal::not_found()).await;
            return tracing::info!(%peer, ?refused, "refused: no such path");
        }
        let mut acceptance = Acceptance::new();
        if upgrade
            .request()
            .subprotocols()
            .iter()
            .any(|it| it == SUBPROTOCOL)
        {
            acceptance = acceptance.with_subprotocol(SUBPROTOCOL);
        }
        let ended = match upgrade.accept(acceptance).await {
            Ok(socket) => Connection::new(self, socket).run(stopping).await,
            Err(error) => return tracing::info!(%peer, %error, "no connection"),
        };
        match ended {
            Ok(()) => tracing::info!(%peer, "connection closed"),
            Err(error) => tracing::info!(%peer, %error, "connection ended"),
        }
    }

    /// Answers one request for a page. A connection is not kept for another: an upgrade must be
    /// the first request of its own.
    async fn show_page(self, plain: Plain) {
        if http::split_target(plain.head().target()).is_some_and(|(path, _)| path == ENDPOINT) {
            let refused = plain.refuse().await;
            return tracing::debug!(?refused, "refused: no upgrade");
        }
        let pages = TowerToHyperService::new(self.pages);
        let mut server = hyper::server::conn::http1::Builder::new();
        server.keep_alive(false).timer(TokioTimer::new());
        let answering = server.serve_connection(TokioIo::new(plain.into_stream()), pages);
        match tokio::time::timeout(PAGE_TIMEOUT, answering).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a page was not delivered"),
            Err(_) => tracing::debug!("a page was not taken in time"),
        }
    }

    /// Offers a text to its audience, `sender` excepted where the audience is the others.
    fn push(&self, push: Push, sender: Option<&Member>) {
        let message = Prepared::text(&push.text);
        match push.audience {
            Audience::Namespace(namespace) => drop(self.hub.publish(&namespace, &message)),
            Audience::OthersOf { namespace, user } => {
                for member in self.hub.members_of_user(&user_key(&namespace, &user)) {
                    if sender.is_none_or(|sender| sender.id() != member) {
                        self.hub.send_to(member, &message);
                    }
                }
            }
        }
    }
}

/// A user of one namespace is another person than the user of that name in the next. Neither
/// name holds a control character.
fn user_key(namespace: &str, user: &str) -> String {
    format!("{namespace}\u{1f}{user}")
}

/// One socket, its place in the hub and what is known about its client.
struct Connection {
    service: Service,
    socket: WebSocket<Stream>,
    member: Member,
    caller: Caller,
    /// Answers for which the outbox had no room.
    answers: VecDeque<String>,
}

/// What a connection turns to next.
enum Turn {
    Heard(Heard),
    Deliver(Delivery),
    Expired,
    Stop,
}

impl Connection {
    fn new(service: Service, socket: WebSocket<Stream>) -> Self {
        //= A76
        let policy = SlowPolicy::Disconnect(reason(4508, "too slow"));
        let bounds = Bounds::new(MAILBOX_BYTES_MAX, MAILBOX_MESSAGES_MAX);
        let member = service.hub.join(bounds, policy);
        Self {
            service,
            socket,
            member,
            caller: Caller::new(),
            answers: VecDeque::new(),
        }
    }

    /// Listens, delivers and keeps the deadlines, all at the same time: whoever does not read is
    /// still heard, still expires, and is still told to go.
    //= A79
    async fn run(mut self, mut stopping: Stopping) -> Result<(), Error> {
        loop {
            self.answer();
            let room = !self.socket.is_full();
            let turn = tokio::select! {
                heard = listen(&mut self.socket, self.answers.len()) => Turn::Heard(heard?),
                delivery = next(&mut self.member, room) => Turn::Deliver(delivery),
                () = until(self.caller.expires_at()) => Turn::Expired,
                () = stopping.wait() => Turn::Stop,
            };
            let close = match turn {
                Turn::Heard(Heard::Message(message)) => self.hear(&message).await,
                Turn::Heard(Heard::End) => return Ok(()),
                Turn::Heard(_) => None,
                Turn::Deliver(delivery) => self.deliver(delivery),
                //= A56
                Turn::Expired => Some(reason(4401, "the token has expired")),
                Turn::Stop => Some(reason(1001, "the server stops")),
            };
            if let Some(reason) = close {
                self.answer();
                return self.close(&reason).await;
            }
        }
    }

    async fn hear(&mut self, message: &Message) -> Option<CloseReason> {
        // The old server did not tell text from binary, so its clients may send either. What is
        // not UTF-8 is no JSON, and is refused like anything else that is none.
        let text = utf8::validate(message.as_bytes()).unwrap_or_default();
        let outcome = self
            .service
            .desk
            .handle(&mut self.caller, text, SystemTime::now())
            .await;
        self.carry_out(outcome).await
    }

    /// Does what has to be done after a message, in the order of the outcome's fields.
    async fn carry_out(&mut self, outcome: Outcome) -> Option<CloseReason> {
        let Outcome {
            signed_in,
            replies,
            pushes,
            close,
            refused,
        } = outcome;
        if let Some(error) = refused {
            tracing::info!(peer = %self.socket.stream().peer_addr(), %error, "token refused");
        }
        if let Some(welcome) = signed_in {
            let Identity {
                namespace, user, ..
            } = welcome.identity();
            //= A42
            //= A48
            self.member.set_user(&user_key(namespace, user));
            self.member.subscribe(namespace);
            self.answers
                .push_back(self.service.desk.welcome(&welcome).await);
        }
        for reply in replies {
            let text = self.finish(reply);
            self.answers.push_back(text);
        }
        for push in pushes {
            self.service.push(push, Some(&self.member));
        }
        close.map(|Close { code, reason: why }| reason(code, why))
    }

    fn finish(&self, reply: Reply) -> String {
        let online = match self.caller.identity() {
            Some(identity) => self.service.hub.members_of(&identity.namespace),
            None => 0,
        };
        reply.text(online)
    }

    /// Queues the answers for which there is room. They are sent when the connection listens.
    fn answer(&mut self) {
        while !self.socket.is_full() {
            let Some(text) = self.answers.pop_front() else {
                return;
            };
            // A connection that is closing takes nothing more, which listening will tell.
            let _ = self.socket.try_feed(text);
        }
    }

    /// Queues what waits in the mailbox, as far as there is room.
    fn deliver(&mut self, first: Delivery) -> Option<CloseReason> {
        let mut next = Some(first);
        while let Some(delivery) = next {
            match delivery {
                Delivery::Message(message) => {
                    let _ = self.socket.try_feed_prepared(&message);
                }
                Delivery::Close(reason) => return Some(reason),
            }
            next = if self.socket.is_full() {
                None
            } else {
                self.member.try_next()
            };
        }
        None
    }

    async fn close(mut self, reason: &CloseReason) -> Result<(), Error> {
        let code = reason.code().unwrap_or(CloseCode::NORMAL_CLOSURE);
        drop(self.member);
        self.socket.close(code, reason.reason()).await.map(drop)
    }
}

/// Waits for the next message. A client that lets its answers pile up is not heard until it has
/// taken some, but the connection goes on.
async fn listen(socket: &mut WebSocket<Stream>, answers: usize) -> Result<Heard, Error> {
    if answers < ANSWERS_MAX {
        return socket.recv_or_room().await;
    }
    socket.ready().await.map(|()| Heard::Room)
}

/// Waits for the next delivery, or, while there is no room for one, for the end of the membership.
async fn next(member: &mut Member, room: bool) -> Delivery {
    if room {
        member.next().await
    } else {
        Delivery::Close(member.closed().await)
    }
}

fn reason(code: u16, text: &str) -> CloseReason {
    CloseReason::truncated(CloseCode::new(code), text).unwrap_or_else(|_| CloseReason::empty())
}

/// Waits until `moment`; for ever where there is none.
async fn until(moment: Option<SystemTime>) {
    match moment {
        Some(moment) => {
            let left = moment.duration_since(SystemTime::now()).unwrap_or_default();
            tokio::time::sleep(left).await;
        }
        None => pending().await,
    }
}
