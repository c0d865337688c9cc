//! The languages in which a connection can be spoken to.

use core::fmt;

/// How a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dialect {
    /// That of the first announcement server: `Intent` and its five names.
    Intent,
    /// `announce.v1`: everything that this server can do.
    Native,
    /// That of the event gateway: messages with a `type`, which go to a bus.
    Gateway,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Intent, Self::Native, Self::Gateway];

    /// The subprotocol by which a client can ask for the dialect.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Intent => "announce.intent.v0",
            Self::Native => "announce.v1",
            Self::Gateway => "announce.gateway.v0",
        }
    }

    /// A short name, for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Native => "native",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
