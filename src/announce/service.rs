//! Sockets, the rules and the hub joined: what `framewire serve` runs.

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
use crate::net::{Error, WebSocket};
use crate::server::{Incoming, Listener, Opening, Plain, Stopping, Stream};
use crate::wire::close::{CloseCode, CloseReason};
use crate::wire::http;

/// The path of the socket.
pub const ENDPOINT: &str = "/websockets";

/// The subprotocol of the intent dialect. A client need not offer one.
pub const SUBPROTOCOL: &str = "announce.intent.v0";

/// The largest message that is taken from a client, in bytes.
pub const MESSAGE_BYTES_MAX: u64 = 64 << 10;

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
}

/// What a connection turns to next.
enum Turn {
    Said(Option<Message>),
    Deliver(Delivery),
    Expired,
    Stop,
}

impl Connection {
    fn new(service: Service, socket: WebSocket<Stream>) -> Self {
        //= A76
        let policy = SlowPolicy::Disconnect(reason(4508, "too slow"));
        let member = service.hub.join(Bounds::default(), policy);
        Self {
            service,
            socket,
            member,
            caller: Caller::new(),
        }
    }

    //= A79
    async fn run(mut self, mut stopping: Stopping) -> Result<(), Error> {
        loop {
            let turn = tokio::select! {
                said = self.socket.recv() => Turn::Said(said?),
                delivery = self.member.next() => Turn::Deliver(delivery),
                () = until(self.caller.expires_at()) => Turn::Expired,
                () = stopping.wait() => Turn::Stop,
            };
            let close = match turn {
                Turn::Said(Some(message)) => self.hear(&message).await?,
                Turn::Said(None) => return Ok(()),
                Turn::Deliver(delivery) => self.deliver(delivery).await?,
                //= A56
                Turn::Expired => Some(reason(4401, "the token has expired")),
                Turn::Stop => Some(reason(1001, "the server stops")),
            };
            if let Some(reason) = close {
                return self.close(&reason).await;
            }
        }
    }

    async fn hear(&mut self, message: &Message) -> Result<Option<CloseReason>, Error> {
        // The old server did not tell text from binary, so its clients may send either.
        let text = String::from_utf8_lossy(message.as_bytes());
        let outcome = self
            .service
            .desk
            .handle(&mut self.caller, &text, SystemTime::now())
            .await;
        self.carry_out(outcome).await
    }

    /// Does what has to be done after a message, in the order of the outcome's fields.
    async fn carry_out(&mut self, outcome: Outcome) -> Result<Option<CloseReason>, Error> {
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
            let text = self.service.desk.welcome(&welcome).await;
            self.socket.feed(text).await?;
        }
        for reply in replies {
            let text = self.finish(reply);
            self.socket.feed(text).await?;
        }
        for push in pushes {
            self.service.push(push, Some(&self.member));
        }
        Ok(close.map(|Close { code, reason: why }| reason(code, why)))
    }

    fn finish(&self, reply: Reply) -> String {
        let online = match self.caller.identity() {
            Some(identity) => self.service.hub.members_of(&identity.namespace),
            None => 0,
        };
        reply.text(online)
    }

    /// Queues what waits in the mailbox and sends it in one go.
    async fn deliver(&mut self, first: Delivery) -> Result<Option<CloseReason>, Error> {
        let mut next = Some(first);
        while let Some(delivery) = next {
            match delivery {
                Delivery::Message(message) => {
                    self.socket.ready().await?;
                    // A connection that is closing takes nothing more, which `recv` will tell.
                    let _ = self.socket.try_feed_prepared(&message);
                }
                Delivery::Close(reason) => return Ok(Some(reason)),
            }
            next = self.member.try_next();
        }
        self.socket.flush().await?;
        Ok(None)
    }

    async fn close(mut self, reason: &CloseReason) -> Result<(), Error> {
        let code = reason.code().unwrap_or(CloseCode::NORMAL_CLOSURE);
        drop(self.member);
        self.socket.close(code, reason.reason()).await.map(drop)
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
