//! The server as a whole: what its connections share.

use alloc::sync::Arc;
use core::net::IpAddr;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use axum::Router;

use crate::announce::announcement::FeedKey;
use crate::announce::bus::{Bus, HandleError};
use crate::announce::desk::Desk;
use crate::announce::dialect::Dialect;
use crate::announce::gateway;
use crate::announce::outcome::Push;
use crate::announce::page;
use crate::announce::rate::Buckets;
use crate::announce::rooms::Rooms;
use crate::announce::service::announcer::{Announcer, Announcing, announcer, publish};
use crate::announce::service::closing::reason;
use crate::announce::service::counters::Counters;
use crate::announce::service::gateway::{BusSockets, Gateway};
use crate::announce::service::presence::Presence;
use crate::announce::service::settings::Settings;
use crate::announce::service::topics;
use crate::hub::{Hub, MemberId};
use crate::server::Clients;
use crate::wire::close::CloseReason;

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
    counters: Counters,
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
        desk.set_publications(settings.publications);
        // Nothing has been announced before this; whatever is stored from now on comes this way.
        let releases = desk.store().releases();
        let counters = Counters::new();
        let (announcer, announcing) = announcer(hub.clone(), releases, counters.clone());
        let shared = Shared {
            desk,
            hub,
            rooms: Rooms::new(),
            clients: Clients::new(),
            refusals: Buckets::new(settings.refusals),
            settings: RwLock::new(Arc::new(settings)),
            pages,
            counters,
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
    /// message on, but for what may wait for them, which each keeps. Tokens that do not verify
    /// are counted as before.
    pub fn set_settings(&self, settings: Settings) {
        if self.settings().publications != settings.publications {
            self.desk().set_publications(settings.publications);
        }
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

    pub(crate) fn pages(&self) -> Router {
        self.shared.pages.clone()
    }

    /// The task that announces; it is there once.
    pub(crate) fn take_announcing(&self) -> Option<Announcing> {
        let mut announcing = self
            .announcing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        announcing.take()
    }

    pub(crate) fn tidy_refusals(&self) {
        self.shared.refusals.tidy();
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(crate) fn announcer(&self) -> &Announcer {
        &self.announcer
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
        .queued
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
}
