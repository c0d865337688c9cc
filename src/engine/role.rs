//! The two ends of a connection, and all in which they differ.

/// Which end of the connection an engine plays.
///
/// One engine serves both. What differs is this table and nothing else:
///
/// | | client | server | RFC 6455 |
/// |---|---|---|---|
/// | masks what it sends | yes | no | §5.1, §5.3 |
/// | requires a mask on what it receives | no | yes | §5.1 |
/// | ends the TCP connection first | no | yes | §7.1.1 |
/// | may close with 1010 | yes | no | §7.4.1 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Role {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}

impl Role {
    /// Both, for a loop over them.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The role of the other end.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Whether every frame that this end sends is masked.
    //= WS-069
    //= WS-071
    //= WS-120
    pub const fn masks(self) -> bool {
        matches!(self, Self::Client)
    }

    /// Whether every frame that this end receives must be masked; the others must not be.
    pub const fn requires_mask(self) -> bool {
        matches!(self, Self::Server)
    }

    /// Whether this end ends the TCP connection once both Close frames have passed.
    //= WS-107
    pub const fn ends_tcp_first(self) -> bool {
        matches!(self, Self::Server)
    }

    /// Whether this end may close with 1010, which says that an extension was not agreed to.
    //= WS-151
    pub const fn may_miss_extension(self) -> bool {
        matches!(self, Self::Client)
    }
}
