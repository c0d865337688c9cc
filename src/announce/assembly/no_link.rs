//! A build without NATS.

use core::convert::Infallible;

use crate::announce::assembly::error::StartError;
use crate::announce::bus::Bus;

/// There is nothing that it could be.
#[derive(Clone, Debug)]
pub(crate) struct Far(Infallible);

impl Far {
    pub(crate) fn new(_url: &str, _prefix: &str) -> Result<Self, StartError> {
        Err(StartError::new(
            "bus.driver",
            "this build has no NATS: build with the feature `nats`",
        ))
    }

    pub(crate) async fn hold(self, _bus: Bus) {
        match self.0 {}
    }
}
