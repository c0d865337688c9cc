//! The link between the bus and NATS: made in the background, and made again until it holds.

use core::time::Duration;

use crate::announce::assembly::error::StartError;
use crate::announce::bus::Bus;
use crate::announce::bus::nats::{Link, Settings};

/// How long to wait before NATS is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Where NATS is.
#[derive(Clone, Debug)]
pub(crate) struct Far(Settings);

impl Far {
    pub(crate) fn new(url: &str, prefix: &str) -> Result<Self, StartError> {
        let settings = Settings::new(url, prefix);
        settings
            .map(Self)
            .map_err(|error| StartError::new("bus", error))
    }

    /// Links the bus, and keeps the link; never ends. Until NATS is there, this server is alone,
    /// which loses no announcement.
    pub(crate) async fn hold(self, bus: Bus) {
        let _link = loop {
            match Link::connect(&bus, self.0.clone()).await {
                Ok(link) => break link,
                Err(error) => tracing::warn!(%error, "this server is alone for the time being"),
            }
            tokio::time::sleep(PAUSE).await;
        };
        core::future::pending().await
    }
}
