//! Time, as the caller tells it.

use core::time::Duration;

/// A moment, in microseconds since an origin that the caller chooses.
///
/// The engine has no clock: each call that depends on time takes the present as an argument, and
/// what it should be called for next is asked with
/// [`Connection::poll_timeout`](crate::engine::Connection::poll_timeout). All timestamps given
/// to one connection count from the same origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// The moment so many microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The moment `later` than this one; the last one that can be expressed, if that is beyond.
    #[must_use]
    pub fn after(self, later: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(later.as_micros()).unwrap_or(u64::MAX)),
        )
    }

    /// How long after `earlier` this moment is; zero when it is before.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}
