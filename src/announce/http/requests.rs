//! Requests by the route that they matched and the status of their answer.

use alloc::string::String;
use alloc::vec::Vec;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// The labels of a figure.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// Requests by route and status.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(Family<Labels, Counter>);

impl Requests {
    pub(crate) fn count(&self, route: String, status: String) {
        let labels = Vec::from([("route", route), ("status", status)]);
        self.0.get_or_create(&labels).inc();
    }

    /// The figures, to be read.
    pub(crate) fn figures(&self) -> Family<Labels, Counter> {
        self.0.clone()
    }
}
