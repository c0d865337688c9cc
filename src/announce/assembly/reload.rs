//! A running server, brought to a configuration that has changed.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::announce::assembly::error::{Refused, StartError};
use crate::announce::assembly::events;
use crate::announce::assembly::inputs::Inputs;
use crate::announce::assembly::runs::Schedules;
use crate::announce::assembly::{keys, listening, plans, rules};
use crate::announce::bus::Bus;
use crate::announce::config::{Change, Config, Effect, Tokens};
use crate::announce::gateway;
use crate::announce::service::{Service, Settings};
use crate::announce::token::Jwks;
use crate::server::{Proxies, Tls};

/// What a reload has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// What holds from now on.
    pub applied: Vec<Change>,
    /// What holds when the server is started again.
    pub needs_restart: Vec<Change>,
}

/// Brings a running server to what its file says now. Clones are for the same server.
#[derive(Clone, Debug)]
pub struct Reload(Arc<Live>);

/// What a reload works on.
pub(crate) struct Live {
    inputs: Inputs,
    service: Service,
    schedules: Arc<Schedules>,
    bus: Bus,
    gateway: Option<watch::Sender<Arc<gateway::Settings>>>,
    tls: Option<Tls>,
    proxies: Proxies,
    present: Mutex<Present>,
}

/// What belongs to the configuration that holds now.
struct Present {
    config: Config,
    /// The configuration with which the server was started.
    first: Config,
    /// The topics that have webhooks.
    topics: Vec<String>,
    /// The tasks that keep sets of keys up to date.
    sets: JoinSet<()>,
}

impl Reload {
    pub(crate) const fn new(live: Arc<Live>) -> Self {
        Self(live)
    }

    /// Reads the file, the secrets, keys and certificates again, and applies what has changed
    /// as far as a running server can. No connection is dropped.
    ///
    /// # Errors
    ///
    /// [`Refused`] says what is wrong; then everything stays as it was.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the reload goes on to its end.
    //= B57
    pub async fn reload(&self) -> Result<Reloaded, Refused> {
        let live = Arc::clone(&self.0);
        // Files are read and certificates checked here, beside what serves.
        let done = tokio::task::spawn_blocking(move || live.reload()).await;
        done.unwrap_or_else(|error| Err(StartError::new("server", error).into()))
    }
}

impl Live {
    pub(crate) fn new(
        config: Config,
        inputs: Inputs,
        service: Service,
        schedules: Schedules,
    ) -> Self {
        Self {
            inputs,
            service,
            schedules: Arc::new(schedules),
            bus: Bus::new(),
            gateway: None,
            tls: None,
            proxies: Proxies::default(),
            present: Mutex::new(Present {
                first: config.clone(),
                config,
                topics: Vec::new(),
                sets: JoinSet::new(),
            }),
        }
    }

    pub(crate) fn with_events(
        mut self,
        bus: Bus,
        gateway: Option<watch::Sender<Arc<gateway::Settings>>>,
        topics: Vec<String>,
    ) -> Self {
        (self.bus, self.gateway) = (bus, gateway);
        self.present().topics = topics;
        self
    }

    /// What the listener was given that follows a reload.
    pub(crate) fn with_listening(self, tls: Option<Tls>, proxies: Proxies) -> Self {
        Self {
            tls,
            proxies,
            ..self
        }
    }

    /// Keeps sets of keys up to date, in place of those of before.
    pub(crate) fn watch(&self, sets: Vec<Jwks>) {
        let mut tasks = JoinSet::new();
        for set in sets {
            tasks.spawn(set.run());
        }
        self.present().sets = tasks;
    }

    pub(crate) const fn bus(&self) -> &Bus {
        &self.bus
    }

    pub(crate) fn schedules(&self) -> Arc<Schedules> {
        Arc::clone(&self.schedules)
    }

    /// Whether the server was started with a page of metrics.
    pub(crate) fn has_metrics(&self) -> bool {
        self.present().first.observe.metrics
    }

    /// How long connections have to leave.
    pub(crate) fn drain(&self) -> Duration {
        self.present().config.shutdown.drain
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that can fail is done before anything is changed, save what is taken back.
    fn reload(&self) -> Result<Reloaded, Refused> {
        // One reload at a time, and each reads for itself: so an older file is never applied
        // over a newer one.
        let mut present = self.present();
        let (config, _) = self.inputs.load()?;
        let environment = &self.inputs.environment;
        let tokens = &config.auth.tokens;
        let secret = keys::secret(&config, environment)?;
        let fixed = keys::keys(&config, secret.as_ref(), environment)?;
        let settings = keys::settings(tokens)?;
        let of_sockets = rules::settings(&config)?;
        let proxies = listening::proxies(&config)?;
        let gateway = events::settings(&config)?;
        let webhooks = events::webhooks(&config, environment)?;
        let plans = plans(&config)?;
        let verifier = self.service.desk().verifier();
        let has_other_sets = {
            let before = &present.config.auth.tokens;
            let of = |it: &Tokens| {
                let place = (it.jwks_file.clone(), it.jwks_url.clone());
                (place, it.issuer.clone())
            };
            of(before) != of(tokens)
        };
        let sets = match has_other_sets {
            true => Some(keys::sets(tokens, verifier.ring())?),
            false => None,
        };
        let reloaded = difference(&present, &config);
        if let Some(tls) = &self.tls {
            tls.reload()
                .map_err(|error| StartError::new("server.tls", error))?;
        }

        let topics = webhooks.iter().map(|(topic, _)| topic.clone()).collect();
        events::attach(&self.bus, &present.topics, webhooks)?;
        present.topics = topics;
        let checked = verifier.set_settings(settings);
        checked.map_err(|error| StartError::new("auth.tokens", error))?;
        verifier.ring().replace(fixed);
        self.schedules
            .reload(plans)
            .map_err(|error| StartError::new("announcements.schedules", error))?;
        self.service.desk().set_policy(rules::policy(&config));
        self.service
            .set_settings(self.keeping_what_is_fixed(of_sockets));
        self.proxies.replace(&proxies);
        if let (Some(place), Some(settings)) = (&self.gateway, gateway) {
            place.send_replace(Arc::new(settings));
        }
        present.config = config;
        drop(present);
        if let Some(sets) = sets {
            self.watch(sets);
        }
        Ok(reloaded)
    }

    /// What needs a restart does not change while the server runs: where sockets are opened, and
    /// what the listener was given as well, so that clients are told what is true.
    fn keeping_what_is_fixed(&self, settings: Settings) -> Settings {
        let Settings {
            endpoints,
            message_bytes_max,
            queue,
            compression,
            ping_interval,
            ..
        } = Settings::clone(&self.service.settings());
        Settings {
            endpoints,
            message_bytes_max,
            queue,
            compression,
            ping_interval,
            ..settings
        }
    }
}

/// What waits for a start waits since the last one.
fn difference(present: &Present, new: &Config) -> Reloaded {
    let changes = |old: &Config, effect: Effect| {
        let all = Config::difference(old, new).into_iter();
        all.filter(|change| change.effect == effect).collect()
    };
    Reloaded {
        applied: changes(&present.config, Effect::Reload),
        needs_restart: changes(&present.first, Effect::Restart),
    }
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.applied.iter().chain(&self.needs_restart);
        let lines: Vec<String> = all.map(ToString::to_string).collect();
        match lines.is_empty() {
            true => f.write_str("nothing has changed"),
            false => f.write_str(&lines.join("; ")),
        }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
