//! What the subjects share.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::collections::HashMap;
use std::sync::Mutex;

use crate::announce::bus::{BoxFuture, Bus, Producer};
use crate::announce::http::requests::Requests;
use crate::announce::schedule::{
    Clock, Ledger, Listed, Preview, RunError, Runner, Started, Tallied,
};
use crate::announce::service::Service;

/// What reading the settings anew has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// The settings that hold now.
    pub applied: Vec<String>,
    /// The settings that hold after a restart.
    pub needs_restart: Vec<String>,
}

/// Reads the settings anew. The faults are sentences for the operator; with any, nothing has
/// changed.
pub type Reload = Arc<dyn Fn() -> BoxFuture<'static, Result<Reloaded, Vec<String>>> + Send + Sync>;

/// What can be asked of whatever runs schedules.
pub trait Schedules: Send + Sync {
    /// As [`Runner::list`].
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, RunError>>;
    /// As [`Runner::run_now`].
    fn run_now<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Started, RunError>>;
    /// As [`Runner::run_once`].
    fn run_once<'a>(
        &'a self,
        id: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Started, RunError>>;
    /// As [`Runner::tallies`].
    fn tallies(&self) -> Vec<(String, Tallied)>;
    /// As [`Runner::preview`].
    fn preview<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Preview, RunError>>;
    /// As [`Runner::wake`].
    fn wake(&self);
}

impl<L: Ledger, C: Clock> Schedules for Runner<L, C> {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, RunError>> {
        alloc::boxed::Box::pin(Self::list(self))
    }

    fn run_now<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Started, RunError>> {
        alloc::boxed::Box::pin(Self::run_now(self, id))
    }

    fn run_once<'a>(
        &'a self,
        id: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Started, RunError>> {
        alloc::boxed::Box::pin(Self::run_once(self, id, key))
    }

    fn tallies(&self) -> Vec<(String, Tallied)> {
        Self::tallies(self)
    }

    fn preview<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Preview, RunError>> {
        alloc::boxed::Box::pin(Self::preview(self, id))
    }

    fn wake(&self) {
        Self::wake(self);
    }
}

/// The HTTP API of a server. Clones are the same one.
#[derive(Clone)]
pub struct Api {
    pub(crate) inner: Arc<Inner>,
    pub(crate) has_metrics: bool,
}

pub(crate) struct Inner {
    pub(crate) service: Service,
    pub(crate) schedules: Option<Arc<dyn Schedules>>,
    pub(crate) bus: Option<Bus>,
    pub(crate) reload: Option<Reload>,
    pub(crate) requests: Requests,
    /// By namespace and person.
    /// One for each namespace, person and set of scopes, so that what one producer publishes is
    /// handled in order.
    pub(crate) producers: Mutex<HashMap<String, Producer>>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    /// The API of a server without schedules, bus and reload.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self::with(service, None, None, None)
    }

    /// The API of a server, with what it has besides.
    #[must_use]
    pub fn with(
        service: Service,
        schedules: Option<Arc<dyn Schedules>>,
        bus: Option<Bus>,
        reload: Option<Reload>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                service,
                schedules,
                bus,
                reload,
                requests: Requests::default(),
                producers: Mutex::default(),
            }),
            has_metrics: true,
        }
    }

    /// The same without `/metrics`, which is then a path like any that is not there.
    #[must_use]
    pub fn without_metrics(self) -> Self {
        Self {
            has_metrics: false,
            ..self
        }
    }

    pub(crate) fn service(&self) -> &Service {
        &self.inner.service
    }
}
