//! The server as a whole: what its connections share.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Identity;
use crate::announce::desk::Desk;
use crate::announce::dialect::Dialect;
use crate::announce::bus::{Bus, HandleError};
use crate::announce::event::Event;
use crate::announce::gateway;
use crate::announce::outcome::{Outcome, Push, RoomAct, RoomVerb, Welcome};
use crate::announce::page;
use crate::announce::rooms::{Absence, Change, GRACE, Refused, RoomKey, Rooms};
use crate::announce::service::admission::{self, Admission};
use crate::announce::service::announcer::{Announcer, Announcing, announcer, publish, write};
use crate::announce::service::bucket::Buckets;
use crate::announce::service::connection::{Connection, reason};
use crate::announce::service::gateway::{BusSockets, Gateway};
use crate::announce::service::presence::Presence;
use crate::announce::service::settings::Settings;
use crate::announce::service::topics;
use crate::announce::{code::Code, native};
use crate::engine::{Acceptance, Prepared, Refusal};
use crate::hub::{Hub, MemberId};
use crate::server::{Clients, Incoming, Listener, Opening, Plain, Stopping, Upgrade};
use crate::wire::close::CloseReason;
use crate::wire::http;

/// How long answering a request for a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many messages may wait for a client that is still told that somebody types.
const PASSING_MAX: usize = 8;

/// How late a release may be whose time was not known.
const RELEASE_NAP: Duration = Duration::from_secs(1);

/// How often what is not needed any more is forgotten.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);

/// The announcement server. Clones are the same server.
#[derive(Clone, Debug)]
pub struct Service {
    shared: Arc<Shared>,
    announcer: Announcer,
    announcing: Arc<Mutex<Option<Announcing>>>,
}

#[derive(Debug)]
struct Shared {
    desk: Arc<Desk>,
    hub: Hub,
    rooms: Rooms,
    clients: Clients<Presence>,
    settings: RwLock<Arc<Settings>>,
    refusals: Buckets<IpAddr>,
    pages: Router,
    gateway: OnceLock<Gateway>,
    /// How many clients have been told when to come back.
    returns: AtomicU32,
}

impl Service {
    /// Serves by the rules of `desk`.
    pub fn new(desk: impl Into<Arc<Desk>>) -> Self {
        Self::with(desk, Settings::default(), page::router())
    }

    /// Serves by the rules of `desk` and these settings, with `pages` for whatever is not a
    /// WebSocket.
    pub fn with(desk: impl Into<Arc<Desk>>, settings: Settings, pages: Router) -> Self {
        let desk = desk.into();
        let hub = Hub::new();
        // Nothing has been announced before this; whatever is stored from now on comes this way.
        let releases = desk.store().releases();
        let (announcer, announcing) = announcer(hub.clone(), releases);
        let shared = Shared {
            desk,
            hub,
            rooms: Rooms::new(),
            clients: Clients::new(),
            refusals: Buckets::new(settings.refusals),
            settings: RwLock::new(Arc::new(settings)),
            pages,
            gateway: OnceLock::new(),
            returns: AtomicU32::new(0),
        };
        Self {
            shared: Arc::new(shared),
            announcer,
            announcing: Arc::new(Mutex::new(Some(announcing))),
        }
    }

    /// The rules.
    #[must_use]
    pub fn desk(&self) -> &Arc<Desk> {
        &self.shared.desk
    }

    /// Joins the sockets of the gateway dialect to an event bus. The first call counts; later
    /// settings go to [`set_gateway`](Self::set_gateway).
    ///
    /// # Errors
    ///
    /// [`HandleError`] if something else handles the topics by which producers reach sockets.
    pub fn with_gateway(
        &self,
        bus: Bus,
        settings: Arc<gateway::Settings>,
    ) -> Result<(), HandleError> {
        if self.shared.gateway.get().is_some() {
            return self.set_gateway(settings);
        }
        let sockets = BusSockets {
            hub: self.hub().clone(),
            clients: self.clients().clone(),
            desk: Arc::downgrade(self.desk()),
        };
        let gateway = Gateway::attach(bus, settings, sockets)?;
        // Whoever came first has the topics.
        let _ = self.shared.gateway.set(gateway);
        Ok(())
    }

    /// Puts other settings of the gateway in their place.
    ///
    /// # Errors
    ///
    /// [`HandleError`] if something else handles the topics; the old settings stay then.
    pub fn set_gateway(&self, settings: Arc<gateway::Settings>) -> Result<(), HandleError> {
        match self.gateway() {
            Some(gateway) => gateway.apply(settings),
            None => Ok(()),
        }
    }

    pub(crate) fn gateway(&self) -> Option<&Gateway> {
        self.shared.gateway.get()
    }

    /// The settings that hold now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        let settings = &self.shared.settings;
        Arc::clone(&settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other settings in their place. Connections that are open go by them from their next
    /// message on, but for the rates, which each keeps.
    pub fn set_settings(&self, settings: Settings) {
        let place = &self.shared.settings;
        *place.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// The connections that are open.
    #[must_use]
    pub fn clients(&self) -> &Clients<Presence> {
        &self.shared.clients
    }

    /// The rooms.
    #[must_use]
    pub fn rooms(&self) -> &Rooms {
        &self.shared.rooms
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    pub(crate) fn announcer(&self) -> &Announcer {
        &self.announcer
    }

    /// Accepts connections until it is time to stop.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it accepts no more; connections that are open go on.
    pub async fn run(self, listener: Listener, mut stopping: Stopping) {
        let announcing = self
            .announcing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut tasks = tokio::task::JoinSet::new();
        if let Some(announcing) = announcing {
            // It outlives the accepting: what is stored while connections close is still sent.
            let desk = Arc::clone(self.desk());
            tokio::spawn(async move { announcing.run(desk.store()).await });
        }
        tasks.spawn(self.clone().release());
        tasks.spawn(self.clone().tidy());
        tasks.spawn(self.clone().watch_revocations());
        loop {
            let incoming = tokio::select! {
                incoming = listener.accept() => incoming,
                () = stopping.wait() => break,
            };
            tokio::spawn(self.clone().serve(incoming, stopping.clone()));
        }
    }

    /// Releases announcements whose time has come.
    async fn release(self) {
        let store = self.desk().store();
        loop {
            let now = SystemTime::now();
            let is_due = match store.next_release().await {
                Ok(next) => next.is_some_and(|at| at <= now),
                Err(_) => false,
            };
            if is_due && let Err(error) = store.release_due(now).await {
                tracing::error!(%error, "what is due cannot be released");
                tokio::time::sleep(RELEASE_NAP).await;
            }
            store.until_due(RELEASE_NAP).await;
        }
    }

    /// Closes what has been revoked.
    //= A56
    //= D14
    //= AU-22
    async fn watch_revocations(self) {
        let mut revoked = self.desk().verifier().revocations().listen();
        loop {
            let now = SystemTime::now();
            let gone = reason(4401, "the token has been revoked");
            let count = self.disconnect(&gone, |presence| {
                let identity = presence.identity();
                identity.is_some_and(|identity| self.desk().is_revoked(&identity, now))
            });
            if count > 0 {
                tracing::info!(count, "connections closed: their tokens were revoked");
            }
            revoked.changed().await;
        }
    }

    async fn tidy(self) {
        loop {
            tokio::time::sleep(TIDY_INTERVAL).await;
            self.shared.refusals.tidy();
        }
    }

    async fn serve(self, incoming: Incoming, stopping: Stopping) {
        let peer = incoming.peer_addr();
        let upgrade = match incoming.handshake().await {
            Ok(Opening::Upgrade(upgrade)) => upgrade,
            Ok(Opening::Plain(plain)) => return self.show_page(plain).await,
            Err(error) => return tracing::info!(%peer, %error, "no connection"),
        };
        let Some((upgrade, admission)) = self.admit(upgrade).await else {
            return;
        };
        let mut acceptance = Acceptance::new();
        if let Some(subprotocol) = admission.subprotocol {
            acceptance = acceptance.with_subprotocol(subprotocol);
        }
        let first = self.first(&admission);
        let ended = match upgrade.accept(acceptance).await {
            Ok(socket) => {
                let connection = Connection::new(self, socket, admission.dialect, admission.namespace);
                connection.run(first, stopping).await
            }
            Err(error) => return tracing::info!(%peer, %error, "no connection"),
        };
        match ended {
            Ok(()) => tracing::info!(%peer, "connection closed"),
            Err(error) => tracing::info!(%peer, %error, "connection ended"),
        }
    }

    /// Looks at a request, and refuses it here if that is the answer.
    async fn admit(&self, upgrade: Upgrade) -> Option<(Upgrade, Admission)> {
        let peer = upgrade.stream().peer_addr();
        let settings = self.settings();
        let is_tls = upgrade.stream().is_tls();
        let now = SystemTime::now();
        let looked = admission::admit(self.desk(), &settings, upgrade.request(), is_tls, now);
        let mut not = match looked {
            Ok(admission) => return Some((upgrade, admission)),
            Err(not) => not,
        };
        if let Some(error) = not.token {
            tracing::info!(%peer, %error, "token refused");
            //= AU-34
            if !self.may_fail(peer.ip()) {
                not.refusal = Refusal::new(429, "too many failed tokens");
            }
        }
        let refused = upgrade.refuse(not.refusal).await;
        tracing::info!(%peer, ?refused, "refused");
        None
    }

    /// What a request has settled: whom the connection belongs to, if a token came with it.
    fn first(&self, admission: &Admission) -> Outcome {
        let Some(claims) = admission.claims.clone() else {
            return Outcome::default();
        };
        match self.desk().identify(claims, admission.namespace.as_deref()) {
            Ok(identity) => Outcome {
                signed_in: Some(Welcome {
                    identity,
                    since: Vec::new(),
                    reply_to: None,
                }),
                ..Outcome::default()
            },
            Err(denied) => {
                tracing::warn!(code = %denied.code, "a token that verified gives no identity");
                Outcome::default()
            }
        }
    }

    /// Answers one request for a page. A connection is not kept for another: an upgrade must be
    /// the first request of its own.
    async fn show_page(self, plain: Plain) {
        let settings = self.settings();
        let target = http::split_target(plain.head().target());
        let is_endpoint = |path: &str| {
            settings
                .endpoints
                .iter()
                .any(|endpoint| endpoint.path == path)
        };
        if target.is_some_and(|(path, _)| is_endpoint(path)) {
            let refused = plain.refuse().await;
            return tracing::debug!(?refused, "refused: no upgrade");
        }
        let pages = TowerToHyperService::new(self.shared.pages.clone());
        let mut server = hyper::server::conn::http1::Builder::new();
        server.keep_alive(false).timer(TokioTimer::new());
        let answering = server.serve_connection(TokioIo::new(plain.into_stream()), pages);
        match tokio::time::timeout(PAGE_TIMEOUT, answering).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a page was not delivered"),
            Err(_) => tracing::debug!("a page was not taken in time"),
        }
    }

    /// Whether an address may fail once more to show a token.
    pub(crate) fn may_fail(&self, address: IpAddr) -> bool {
        self.shared.refusals.take(&address)
    }

    /// How many connections of a namespace are signed in.
    #[must_use]
    pub fn online(&self, namespace: &str) -> usize {
        let public = FeedKey::public();
        let topics = Dialect::ALL.map(|dialect| topics::feed(dialect, namespace, &public));
        topics.iter().map(|it| self.hub().members_of(it)).sum()
    }

    /// Offers something to its audience. Says in how many mailboxes it waits.
    pub(crate) fn push(&self, push: &Push, sender: Option<MemberId>) -> usize {
        let except = sender.filter(|_| push.audience.except_sender);
        publish(
            self.hub(),
            &push.audience.namespace,
            &push.audience.feed,
            except,
            &push.event,
        )
    }

    /// Has the oldest connections of a person close that are more than one person may have.
    pub(crate) fn close_surplus(&self, namespace: &str, user: &str) {
        let members = self.hub().members_of_user(&topics::user(namespace, user));
        let max = self.settings().connections_per_user_max.max(1);
        let surplus = members.len().saturating_sub(max);
        for member in members.into_iter().take(surplus) {
            self.hub()
                .close(member, &reason(4409, "replaced by a newer connection"));
        }
    }

    /// Has connections close. Says how many there were.
    pub fn disconnect(&self, reason: &CloseReason, which: impl Fn(&Presence) -> bool) -> usize {
        let mut closed = 0;
        for presence in self.clients().snapshot() {
            if which(&presence) && self.hub().close(presence.member, reason) {
                closed += 1;
            }
        }
        closed
    }

    /// Has every connection of a person close.
    pub fn disconnect_user(&self, namespace: &str, user: &str, reason: &CloseReason) -> usize {
        self.disconnect(reason, |presence| presence.is_of(namespace, user))
    }

    /// When the next client that has to go may come back: each in its own slot.
    pub(crate) fn next_return(&self) -> Duration {
        let number = self.shared.returns.fetch_add(1, Ordering::Relaxed);
        let settings = self.settings();
        settings.return_after + settings.return_slot * number
    }

    /// Does something in a room, and says what the connection is answered.
    pub(crate) fn in_room(
        &self,
        dialect: Dialect,
        member: MemberId,
        identity: &Identity,
        act: RoomAct,
    ) -> Option<String> {
        let reply_to = act.reply_to.as_deref();
        let key = RoomKey {
            namespace: identity.namespace.clone(),
            room: act.room,
        };
        let topic = topics::room(dialect, &key.namespace, &key.room);
        match act.what {
            RoomVerb::Join => match self.rooms().join(&key, member, identity.user()) {
                Ok((present, change)) => {
                    self.tell(change.as_ref(), Some(member));
                    self.hub().subscribe(member, &topic);
                    Some(native::present(&key.room, &present, reply_to))
                }
                Err(Refused::TooMany) => {
                    let text = "a connection can be in 64 rooms";
                    Some(native::error(Code::TooOften, text, reply_to))
                }
            },
            RoomVerb::Leave => {
                self.hub().unsubscribe(member, &topic);
                let change = self.rooms().leave(&key, member, identity.user());
                self.tell(change.as_ref(), Some(member));
                reply_to.map(|id| native::done("left", id))
            }
            RoomVerb::List => {
                let present = self.rooms().present(&key);
                Some(native::present(&key.room, &present, reply_to))
            }
            RoomVerb::Say {
                event,
                payload,
                passing,
                echo,
            } => {
                if !self.rooms().is_in(&key, member) {
                    let text = "join the room first";
                    return Some(native::error(Code::Forbidden, text, reply_to));
                }
                let said = Event::Said {
                    room: key.room.clone(),
                    from: identity.user().into(),
                    event,
                    payload,
                };
                let except = (!echo).then_some(member);
                self.say(&key, except, &said, passing);
                reply_to.map(|id| native::done("said", id))
            }
        }
    }

    /// Tells a room who has come or gone.
    fn tell(&self, change: Option<&Change>, except: Option<MemberId>) {
        let Some(change) = change else { return };
        let event = Event::Presence {
            room: change.key.room.clone(),
            user: change.user.clone(),
            present: change.present,
            version: change.version,
        };
        self.say(&change.key, except, &event, false);
    }

    fn say(&self, key: &RoomKey, except: Option<MemberId>, event: &Event, passing: bool) {
        for dialect in Dialect::ALL {
            let topic = topics::room(dialect, &key.namespace, &key.room);
            if self.hub().members_of(&topic) == 0 {
                continue;
            }
            let Some(text) = write(dialect, event) else {
                continue;
            };
            let message = Prepared::text(&text);
            if passing {
                self.hub()
                    .publish_passing(&topic, except, &message, PASSING_MAX);
            } else if let Some(member) = except {
                self.hub().publish_except(&topic, member, &message);
            } else {
                self.hub().publish(&topic, &message);
            }
        }
    }

    /// Takes a connection that has ended out of its rooms, and its person a little later, unless
    /// the person comes back.
    //= A71
    pub(crate) fn left(&self, member: MemberId, user: &str) {
        let absences = self.rooms().vanish(member, user);
        if absences.is_empty() {
            return;
        }
        // Without a runtime there is nobody to tell either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.clone().expire(absences));
        }
    }

    async fn expire(self, absences: Vec<Absence>) {
        tokio::time::sleep(GRACE).await;
        for absence in absences {
            self.tell(self.rooms().expire(&absence).as_ref(), None);
        }
    }
}
