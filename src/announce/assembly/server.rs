//! Everything put together, and its run.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::time::SystemTime;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::announce::assembly::error::{Refused, StartError};
use crate::announce::assembly::events::{self, Events};
use crate::announce::assembly::inputs::Inputs;
use crate::announce::assembly::link::Far;
use crate::announce::assembly::reload::{Live, Reload, Reloaded};
use crate::announce::assembly::runs::{Runs, Schedules};
use crate::announce::assembly::{keys, listening, plans, rules};
use crate::announce::bus::Bus;
use crate::announce::config::{Change, Config};
use crate::announce::desk::Desk;
use crate::announce::http::{self, Api};
use crate::announce::outgoing::{self, Outgoing};
use crate::announce::schedule::{self, Runner, SystemClock};
use crate::announce::service::Service;
use crate::announce::store::Store;
use crate::announce::token::{self, KeyRing, Verifier};
use crate::announce::{page, private};
use crate::server::{Listener, Stop};

/// How often what is older than its feed keeps it is removed.
const PRUNE_INTERVAL: Duration = Duration::from_secs(3600);

//= A35
/// Everything that a configuration describes, put together and listening, before it runs.
pub struct Server {
    service: Service,
    events: Option<Events>,
    live: Arc<Live>,
    listener: Listener,
    far: Option<Far>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Everybody was told, and has left.
    Drained,
    /// Somebody was still there at the deadline.
    Forced,
}

impl Server {
    /// Puts a server together and listens, with `page` and whatever else is served over HTTP.
    /// Clients that come from now on are served when it runs.
    ///
    /// # Errors
    ///
    /// [`StartError`] if a secret, a key, the store or the address cannot be used.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing listens and nothing runs.
    pub async fn new(config: Config, inputs: Inputs) -> Result<Self, StartError> {
        Self::with_pages(config, inputs, page::router()).await
    }

    /// As [`new`](Self::new), with these routes for whatever is no WebSocket.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Cancel safety
    ///
    /// As [`new`](Self::new).
    pub async fn with_pages(
        config: Config,
        inputs: Inputs,
        pages: Router,
    ) -> Result<Self, StartError> {
        let environment = &inputs.environment;
        private::create_dir(&config.server.data).map_err(|error| {
            let data = config.server.data.display();
            let what = format!("cannot create the data folder {data}: {error}; choose another");
            StartError::new("server.data", what)
        })?;
        let secret = keys::secret(&config, environment)?;
        if let Some(secret) = &secret {
            token::self_test(secret, SystemTime::now())
                .map_err(|error| StartError::new("auth.tokens", error))?;
        }
        let ring = KeyRing::new(keys::keys(&config, secret.as_ref(), environment)?);
        let sets = keys::sets(&config.auth.tokens, &ring)?;
        let verifier = Verifier::with_keys(ring, keys::settings(&config.auth.tokens)?)
            .map_err(|error| StartError::new("auth.tokens", error))?;
        let plans = plans(&config)?;
        let settings = rules::settings(&config)?;
        let far = events::far(&config)?;
        let gateway = events::settings(&config)?;
        let webhooks = events::webhooks(&config, environment)?;
        let topics: Vec<String> = webhooks.iter().map(|(topic, _)| topic.clone()).collect();
        let bus = Bus::new();
        events::attach(&bus, &[], webhooks)?;
        let tls = listening::tls(&config)?;
        let proxies = listening::proxies(&config)?;
        let listener = listening::listener(&config, tls.clone(), proxies.clone());
        let listener = bind(config.server.listen, listener).await?;

        let store = match config.store.shared {
            true => Store::open_shared(&config.store.path),
            false => Store::open(&config.store.path),
        };
        let store = store.map_err(|error| StartError::new("store.path", error))?;
        let desk = Arc::new(Desk::new(store, verifier));
        desk.set_policy(rules::policy(&config));
        remember(&desk).await?;
        let gateway = gateway.map(|settings| watch::Sender::new(Arc::new(settings)));
        let events = gateway.as_ref().map(|settings| Events {
            bus: bus.clone(),
            settings: settings.subscribe(),
        });
        let service = Service::with(Arc::clone(&desk), settings, pages);
        if let Some(events) = &events {
            let settings = Arc::clone(&events.settings.borrow());
            let joined = service.with_gateway(events.bus.clone(), settings);
            joined.map_err(|error| StartError::new("gateway.socket", error))?;
        }
        let schedules = schedules(&desk, plans)?;
        let live = Live::new(config, inputs, service.clone(), schedules)
            .with_events(bus, gateway, topics)
            .with_listening(tls, proxies);
        for set in &sets {
            // It is read again and again; until then its tokens are refused.
            if let Err(error) = set.refresh().await {
                tracing::warn!(%error, "a set of keys is not there yet");
            }
        }
        live.watch(sets);
        Ok(Self {
            service,
            events,
            live: Arc::new(live),
            listener,
            far,
        })
    }

    /// The address that is listened on.
    ///
    /// # Errors
    ///
    /// When the operating system does not tell.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Sockets and rules.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The bus and what the gateway dialect is set to, where the configuration has an endpoint
    /// of it.
    #[must_use]
    pub const fn events(&self) -> Option<&Events> {
        self.events.as_ref()
    }

    /// What brings the server to another configuration.
    #[must_use]
    pub fn reload(&self) -> Reload {
        Reload::new(Arc::clone(&self.live))
    }

    /// The schedules, to be listed, previewed and run by hand.
    #[must_use]
    pub fn schedules(&self) -> Arc<Schedules> {
        self.live.schedules()
    }

    /// Serves until `told` ends, and then has everybody leave within the time of
    /// `shutdown.drain`. What was acknowledged is stored by the time this returns.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it accepts no more, and whoever is connected is told to go.
    pub async fn run(self, told: impl Future<Output = ()>) -> Ended {
        let Self {
            service,
            live,
            listener,
            far,
            events,
        } = self;
        let stop = Stop::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(prune(Arc::clone(service.desk())));
        if let Some(events) = events {
            tasks.spawn(renew(service.clone(), events));
        }
        if let Some(far) = far {
            tasks.spawn(far.hold(live.bus().clone()));
        }
        let api = api(&service, &live);
        let api = match live.has_metrics() {
            true => api,
            false => api.without_metrics(),
        };
        let router = api.router();
        let running = tokio::spawn(service.run_with(listener, stop.stopping(), router));
        told.await;
        let drain = live.drain();
        //= A26
        live.schedules().end();
        let since = tokio::time::Instant::now();
        let is_drained = stop.stop(drain).await;
        // What connections have published last is handled in what is left of the time.
        let left = drain.saturating_sub(since.elapsed());
        let is_handled = live.bus().drain(left).await;
        if let Err(error) = running.await {
            tracing::error!(%error, "accepting has failed");
        }
        match is_drained && is_handled {
            true => Ended::Drained,
            false => Ended::Forced,
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

async fn bind(listen: SocketAddr, config: crate::server::Config) -> Result<Listener, StartError> {
    Listener::bind(listen, config).await.map_err(|error| {
        let what = format!("cannot listen on {listen}: {error}");
        StartError::new("server.listen", what)
    })
}

async fn remember(desk: &Desk) -> Result<(), StartError> {
    let remembered = desk.remember_revocations(SystemTime::now()).await;
    remembered.map_err(|denied| StartError::new("store.path", &denied.message))
}

fn schedules(desk: &Arc<Desk>, plans: Vec<schedule::Plan>) -> Result<Schedules, StartError> {
    let failed = |error: &dyn fmt::Display| StartError::new("announcements.schedules", error);
    let outgoing = Outgoing::new(outgoing::Settings::default());
    let outgoing = outgoing.map_err(|error| failed(&error))?;
    let (runs, settings) = (Runs::new(Arc::clone(desk)), schedule::Settings::default());
    Runner::start(plans, runs, SystemClock, outgoing, settings).map_err(|error| failed(&error))
}

/// Has connections of the gateway go by what was read again.
//= B57
async fn renew(service: Service, mut events: Events) {
    while events.settings.changed().await.is_ok() {
        let settings = Arc::clone(&events.settings.borrow_and_update());
        if let Err(error) = service.set_gateway(settings) {
            tracing::error!(%error, "the gateway goes on as it was");
        }
    }
}

/// The HTTP side of a server.
fn api(service: &Service, live: &Arc<Live>) -> Api {
    let reload = Reload::new(Arc::clone(live));
    let hook: http::Reload = Arc::new(move || {
        let reload = reload.clone();
        Box::pin(async move { reload.reload().await.map_or_else(refused, reloaded) })
    });
    let bus = live.bus().clone();
    Api::with(
        service.clone(),
        Some(live.schedules()),
        Some(bus),
        Some(hook),
    )
}

fn reloaded(done: Reloaded) -> Result<http::Reloaded, Vec<String>> {
    let paths = |changes: Vec<Change>| changes.into_iter().map(|it| it.path).collect();
    Ok(http::Reloaded {
        applied: paths(done.applied),
        needs_restart: paths(done.needs_restart),
    })
}

fn refused(refused: Refused) -> Result<http::Reloaded, Vec<String>> {
    Err(refused.to_string().lines().map(String::from).collect())
}

/// Removes what is older than its feed keeps it.
async fn prune(desk: Arc<Desk>) {
    loop {
        let retention = rules::retention(&desk.policy());
        match desk.store().prune(&retention, SystemTime::now()).await {
            Ok(pruned) if pruned.entries > 0 => {
                tracing::info!(entries = pruned.entries, "what was old has been removed");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "what is old cannot be removed"),
        }
        tokio::time::sleep(PRUNE_INTERVAL).await;
    }
}
