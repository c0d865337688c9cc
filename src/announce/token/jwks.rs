//! Keys that somebody else keeps: a JWK Set in a file or at a URL, read again and again.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use core::fmt;
use core::time::Duration;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::time::Instant;

use crate::announce::token::fetch::{FetchError, Fetcher};
use crate::announce::token::jwk::{InvalidJwks, JWKS_BYTES_MAX};
use crate::announce::token::keys::Keys;
use crate::announce::token::ring::{KeyRing, Slot};

/// Where a JWK Set is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwksLocation {
    /// This file.
    File(PathBuf),
    /// This address: `https`, or `http` where the host is this machine. Redirects are not
    /// followed.
    Url(String),
}

/// Where a JWK Set is and how often it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwksSettings {
    /// Where it is.
    pub location: JwksLocation,
    /// The issuer whose keys these are: they verify tokens with exactly this claim `iss`.
    pub issuer: Option<String>,
    /// Certificates (PEM) to trust at a URL, instead of those of the system.
    pub roots: Option<String>,
    /// How long after it was read it is read again.
    pub interval: Duration,
    /// A token with an unknown key has it read at once, but not twice within this time; after a
    /// failure it is tried again in this time, or in the interval if that is shorter.
    pub pause: Duration,
    /// How long one reading at a URL may take.
    pub timeout: Duration,
    /// How long a key that is not listed any more goes on to verify. Nothing by default: a key
    /// may have been taken away because it was stolen.
    pub grace: Duration,
}

impl JwksSettings {
    /// Read every five minutes, within ten seconds, and at most once in thirty seconds for
    /// unknown keys.
    #[must_use]
    pub fn new(location: JwksLocation) -> Self {
        Self {
            location,
            issuer: None,
            roots: None,
            interval: Duration::from_secs(300),
            pause: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            grace: Duration::ZERO,
        }
    }
}

/// Keeps the keys of one JWK Set in a [`KeyRing`]. Dropped, it takes them out again.
pub struct Jwks {
    settings: JwksSettings,
    source: Source,
    slot: Slot,
}

enum Source {
    File(PathBuf),
    Url(Box<Fetcher>),
}

impl Jwks {
    /// Keeps keys in `ring`, which has none of them until [`refresh`](Self::refresh) has
    /// succeeded once. For a URL this may read the certificates of the system, and block.
    ///
    /// # Errors
    ///
    /// [`JwksError::Fetch`] if the address is not one that may be fetched, or if there are no
    /// certificates to trust.
    pub fn new(ring: &KeyRing, settings: JwksSettings) -> Result<Self, JwksError> {
        let source = match &settings.location {
            JwksLocation::File(path) => Source::File(path.clone()),
            JwksLocation::Url(address) => {
                let roots = settings.roots.as_ref().map(String::as_bytes);
                Source::Url(Box::new(Fetcher::new(address, roots)?))
            }
        };
        Ok(Self {
            settings,
            source,
            slot: ring.slot(),
        })
    }

    /// Reads the document once. Its keys take the place of those of before, which stay in
    /// force for [`JwksSettings::grace`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has changed the keys or it has not; it may be called again.
    ///
    /// # Errors
    ///
    /// [`JwksError`]. The keys of the last good document then stay in force.
    pub async fn refresh(&self) -> Result<(), JwksError> {
        let text = match &self.source {
            Source::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_file(&path)).await;
                read.unwrap_or_else(|error| Err(JwksError::File(error.to_string())))?
            }
            Source::Url(fetcher) => {
                let body = fetcher.get(self.settings.timeout, JWKS_BYTES_MAX).await?;
                let text = core::str::from_utf8(&body).map_err(|_| InvalidJwks::Malformed)?;
                text.into()
            }
        };
        let keys = Keys::new().with_jwks(&text, self.settings.issuer.as_deref())?;
        self.slot
            .publish(keys, self.settings.grace, SystemTime::now());
        Ok(())
    }

    /// Reads the document whenever it is due, for ever. Failures are logged and change nothing.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the keys leave the ring.
    pub async fn run(mut self) {
        let mut unknown_from = Instant::now();
        loop {
            let next = match self.refresh().await {
                Ok(()) => {
                    self.slot.settle();
                    self.settings.interval
                }
                Err(error) => {
                    let location = &self.settings.location;
                    tracing::warn!(%error, ?location, "no new keys; the last ones stay");
                    self.settings.interval.min(self.settings.pause)
                }
            };
            let due = Instant::now() + next.clamp(SHORTEST, LONGEST);
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due) => {}
                () = wanted(&mut self.slot, unknown_from) => {
                    unknown_from = Instant::now() + self.settings.pause.clamp(SHORTEST, LONGEST);
                }
            }
        }
    }
}

/// No interval and no pause is shorter, whatever is set.
const SHORTEST: Duration = Duration::from_millis(100);

/// None is longer either: thirty days.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

async fn wanted(slot: &mut Slot, from: Instant) {
    tokio::time::sleep_until(from).await;
    slot.wanted().await;
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn read_file(path: &Path) -> Result<String, JwksError> {
    let failed = |error: io::Error| JwksError::File(error.to_string());
    let mut text = String::new();
    let most = JWKS_BYTES_MAX as u64 + 1;
    File::open(path)
        .map_err(failed)?
        .take(most)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// Why a JWK Set was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwksError {
    /// The file could not be read.
    File(String),
    /// The address could not be fetched.
    Fetch(FetchError),
    /// The document was refused.
    Document(InvalidJwks),
}

impl From<FetchError> for JwksError {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

impl From<InvalidJwks> for JwksError {
    fn from(error: InvalidJwks) -> Self {
        Self::Document(error)
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(what) => write!(f, "cannot read the JWK Set: {what}"),
            Self::Fetch(error) => write!(f, "cannot fetch the JWK Set: {error}"),
            Self::Document(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for JwksError {}
