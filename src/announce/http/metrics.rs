//! Figures for Prometheus. No label holds what a user has written.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::announce::code::Code;
use crate::announce::desk::ADMIN_SCOPE;
use crate::announce::http::api::Api;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::problem::Problem;
use crate::announce::http::requests::Labels;
use crate::announce::http::route::{Route, get};
use crate::announce::schedule::Tallied;
use crate::announce::service::{LATENCY_BOUNDS, Service, Snapshot, ways};

/// The scope of reading figures and nothing else.
const METRICS_SCOPE: &str = "metrics";

/// What the format calls itself.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where they are read.
pub(crate) const PATH: &str = "/metrics";

pub(crate) fn routes() -> [Route; 1] {
    [get(PATH, all)]
}

/// Counts a request by the route that it matched, never by its path.
pub(crate) async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_string();
    let response = next.run(request).await;
    let status = response.status().as_str().to_string();
    api.inner.requests.count(route, status);
    response
}

//= A78
//= AU-37
async fn all(call: Call) -> Answer {
    call.only(&[])?;
    let claims = &call.identity.claims;
    if !claims.allows(ADMIN_SCOPE) && !claims.allows(METRICS_SCOPE) {
        let message = "that needs the scope metrics or admin";
        return Err(Problem::new(Code::Forbidden, message));
    }
    let text = call.api.metrics();
    Ok(([(header::CONTENT_TYPE, KIND)], text).into_response())
}

impl Api {
    /// The figures as Prometheus reads them, for a listener of their own.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut registry = Registry::with_prefix("framewire");
        let counted = self.service().counters().snapshot();
        let requests = self.inner.requests.figures();
        registry.register("http_requests", "HTTP requests", requests);
        connections(&mut registry, self.service());
        counters(&mut registry, self.service(), &counted);
        if let Some(schedules) = &self.inner.schedules {
            runs(&mut registry, &schedules.tallies());
        }
        registry.register_collector(Box::new(Latency(counted)));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

fn connections(registry: &mut Registry, service: &Service) {
    let gauges = Family::<Labels, Gauge>::default();
    for way in ways() {
        drop(gauges.get_or_create(&label("dialect", way)));
    }
    for presence in service.clients().snapshot() {
        let labels = label("dialect", presence.way());
        gauges.get_or_create(&labels).inc();
    }
    registry.register("connections", "Connections that are open", gauges);
    let rooms = Gauge::<i64>::default();
    rooms.set(i64::try_from(service.rooms().len()).unwrap_or(i64::MAX));
    registry.register("rooms", "Rooms in which somebody is", rooms);
}

fn counters(registry: &mut Registry, service: &Service, counted: &Snapshot) {
    let messages = counted.messages.iter();
    let messages = family("dialect", messages.map(|(it, count)| (it.name(), *count)));
    registry.register("messages", "Messages that came", messages);
    let kinds = counted.announcements.iter();
    let kinds = family("feed", kinds.map(|(it, count)| (it.as_str(), *count)));
    registry.register("announcements", "Announcements made visible", kinds);
    let outcomes = [("queued", counted.queued), ("dropped", counted.dropped)];
    let deliveries = family("outcome", outcomes.into_iter());
    registry.register("deliveries", "Offered to a connection", deliveries);
    let tokens = family("reason", counted.tokens.iter().copied());
    registry.register("tokens_refused", "Tokens that were refused", tokens);
    let what = "Tokens of a time that this clock has not reached: it or the issuer's is wrong";
    registry.register("clock_disagreements", what, counter(counted.clocks));
    let refused = Family::<Labels, Counter>::default();
    for (status, count) in &counted.refused {
        let labels = label("status", &status.to_string());
        refused.get_or_create(&labels).inc_by(*count);
    }
    registry.register("handshakes_refused", "Handshakes refused", refused);
    let failed = family("reason", counted.failed.iter().copied());
    registry.register("handshakes_failed", "Clients without a request", failed);
    let store = service.desk().store().metrics();
    registry.register("store_commits", "Transactions", counter(store.commits));
    registry.register("store_writes", "Writes", counter(store.writes));
}

/// A schedule is named by whoever runs the server, and only so many of them are told apart.
fn runs(registry: &mut Registry, tallies: &[(String, Tallied)]) {
    let runs = Family::<Labels, Counter>::default();
    for (schedule, tallied) in tallies {
        for (outcome, count) in [
            ("announced", tallied.announced),
            ("skipped", tallied.skipped),
            ("failed", tallied.failed),
        ] {
            let schedule = ("schedule", schedule.clone());
            let labels = Vec::from([schedule, ("outcome", outcome.to_string())]);
            runs.get_or_create(&labels).inc_by(count);
        }
    }
    registry.register("schedule_runs", "Runs of schedules", runs);
}

fn label(name: &'static str, value: &str) -> Labels {
    Vec::from([(name, value.to_string())])
}

fn family<'n>(
    name: &'static str,
    counts: impl Iterator<Item = (&'n str, u64)>,
) -> Family<Labels, Counter> {
    let family = Family::<Labels, Counter>::default();
    for (value, count) in counts {
        family.get_or_create(&label(name, value)).inc_by(count);
    }
    family
}

fn counter(count: u64) -> Counter {
    let counter = Counter::default();
    counter.inc_by(count);
    counter
}

/// How long announcements took to the mailboxes.
//= D03
#[derive(Debug)]
struct Latency(Snapshot);

impl Collector for Latency {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let bounds = LATENCY_BOUNDS.iter().map(|it| seconds(*it));
        let bounds = bounds.chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> = bounds.zip(self.0.latency.iter().copied()).collect();
        let count = self.0.latency.iter().sum();
        let sum = self.0.latency_sum.as_secs_f64();
        let mut encoder = encoder.encode_descriptor(
            "publish_to_queue_seconds",
            "From visible to the mailboxes",
            None,
            MetricType::Histogram,
        )?;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }
}

fn seconds(micros: u64) -> f64 {
    core::time::Duration::from_micros(micros).as_secs_f64()
}
