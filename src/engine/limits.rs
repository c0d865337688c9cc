//! Every bound of a connection, with its unit, its default and what happens there.

use core::time::Duration;

/// The default of [`Limits::frame_bytes_max`].
pub(crate) const FRAME_BYTES_MAX: usize = 64 << 10;

/// The bounds of one connection.
///
/// None can be switched off. A value outside the permitted range is taken as the nearest bound
/// of that range.
///
/// | bound | default | at the bound |
/// |---|---|---|
/// | [`message_bytes_max`](Self::message_bytes_max) | 1 MiB | the connection fails with 1009 |
/// | [`fragments_max`](Self::fragments_max) | 131,072 | the connection fails with 1008 |
/// | [`frame_bytes_max`](Self::frame_bytes_max) | 64 KiB | a message is sent in fragments |
/// | [`outbox_bytes_high`](Self::outbox_bytes_high) | 256 KiB | sending is refused as full |
/// | [`outbox_bytes_low`](Self::outbox_bytes_low) | 64 KiB | sending is worth trying again |
/// | [`control_bytes_max`](Self::control_bytes_max) | 64 KiB | a Pong replaces the one before it |
/// | [`close_timeout`](Self::close_timeout) | 5 s | the connection is given up |
/// | [`ping_interval`](Self::ping_interval) | never | a Ping is sent |
/// | [`pong_timeout`](Self::pong_timeout) | 10 s | the connection is given up |
/// | [`idle_timeout`](Self::idle_timeout) | never | a Close with 1001 is sent |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    message_bytes_max: u64,
    fragments_max: u32,
    frame_bytes_max: usize,
    outbox_bytes_high: usize,
    outbox_bytes_low: usize,
    control_bytes_max: usize,
    close_timeout: Duration,
    ping_interval: Option<Duration>,
    pong_timeout: Duration,
    idle_timeout: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 1 << 20,
            fragments_max: 131_072,
            frame_bytes_max: FRAME_BYTES_MAX,
            outbox_bytes_high: 256 << 10,
            outbox_bytes_low: 64 << 10,
            control_bytes_max: 64 << 10,
            close_timeout: Duration::from_secs(5),
            ping_interval: None,
            pong_timeout: Duration::from_secs(10),
            idle_timeout: None,
        }
    }
}

const DURATION_MIN: Duration = Duration::from_millis(1);
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

impl Limits {
    /// The largest message, in bytes, that is accepted from the peer.
    ///
    /// Counted over all fragments, as they arrive and again after an extension has expanded them
    /// (RFC 6455 §10.4). A message of exactly this size is accepted. A larger one fails the
    /// connection with 1009 at the header of the fragment that would cross the bound, before its
    /// payload is read.
    pub const fn message_bytes_max(&self) -> u64 {
        self.message_bytes_max
    }

    /// Sets [`message_bytes_max`](Self::message_bytes_max): 125 bytes to 2⁶³ − 1.
    ///
    /// Whoever takes messages whole should keep it near what a connection may cost in memory;
    /// whoever takes them chunk by chunk may set it as high as it goes.
    #[must_use]
    pub fn with_message_bytes_max(mut self, bytes: u64) -> Self {
        self.message_bytes_max = bytes.clamp(125, i64::MAX as u64);
        self
    }

    /// The most frames, empty ones counted, in which one message may arrive.
    ///
    /// One more fails the connection with 1008.
    pub const fn fragments_max(&self) -> u32 {
        self.fragments_max
    }

    /// Sets [`fragments_max`](Self::fragments_max): 1 to 2³² − 1.
    #[must_use]
    pub fn with_fragments_max(mut self, fragments: u32) -> Self {
        self.fragments_max = fragments.max(1);
        self
    }

    /// The most payload, in bytes, of a data frame that is sent.
    ///
    /// A longer message leaves in fragments, so that a Pong, or any control frame, never waits
    /// behind more than one of them (RFC 6455 §5.4). Messages themselves keep their order.
    pub const fn frame_bytes_max(&self) -> usize {
        self.frame_bytes_max
    }

    /// Sets [`frame_bytes_max`](Self::frame_bytes_max): 125 bytes or more. A message that is
    /// [`Prepared`](crate::engine::Prepared) for many connections keeps to the default.
    #[must_use]
    pub fn with_frame_bytes_max(mut self, bytes: usize) -> Self {
        self.frame_bytes_max = bytes.max(125);
        self
    }

    /// The mark of waiting bytes from which on messages are refused as full.
    ///
    /// A message that is begun below the mark is taken whole, so at most this much and one
    /// message wait, besides [`control_bytes_max`](Self::control_bytes_max) of control frames.
    pub const fn outbox_bytes_high(&self) -> usize {
        self.outbox_bytes_high
    }

    /// The mark of waiting bytes down to which a full outbox should drain before more is sent.
    pub const fn outbox_bytes_low(&self) -> usize {
        self.outbox_bytes_low
    }

    /// Sets the marks of the outbox in bytes: 1 ≤ `low` ≤ `high`.
    #[must_use]
    pub fn with_outbox_marks(mut self, low: usize, high: usize) -> Self {
        self.outbox_bytes_high = high.max(1);
        self.outbox_bytes_low = low.clamp(1, self.outbox_bytes_high);
        self
    }

    /// The most bytes of control frames that wait to be sent.
    ///
    /// Beyond it a Pong takes the place of the Pong that was queued before it, as RFC 6455
    /// §5.5.3 permits, and a Ping of ours is refused as full. The frame that crosses the bound is
    /// still taken, and so is the Pong behind a Ping of ours: two frames at most.
    pub const fn control_bytes_max(&self) -> usize {
        self.control_bytes_max
    }

    /// Sets [`control_bytes_max`](Self::control_bytes_max): 256 bytes or more.
    #[must_use]
    pub fn with_control_bytes_max(mut self, bytes: usize) -> Self {
        self.control_bytes_max = bytes.max(256);
        self
    }

    /// How long the closing handshake may take, and the peer's end of TCP after it.
    ///
    /// When it has passed, the connection is given up without waiting further.
    pub const fn close_timeout(&self) -> Duration {
        self.close_timeout
    }

    /// Sets [`close_timeout`](Self::close_timeout): 1 ms to 366 days.
    #[must_use]
    pub fn with_close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout.clamp(DURATION_MIN, DURATION_MAX);
        self
    }

    /// After how long without a byte from the peer a Ping is sent.
    pub const fn ping_interval(&self) -> Option<Duration> {
        self.ping_interval
    }

    /// How long after such a Ping a byte from the peer must arrive.
    ///
    /// When it has passed, the peer is taken for dead and the connection is given up at once.
    pub const fn pong_timeout(&self) -> Duration {
        self.pong_timeout
    }

    /// Sets the keep-alive: `interval` and `timeout` of 1 ms to 366 days each, or no Pings.
    #[must_use]
    pub fn with_keep_alive(mut self, interval: Option<Duration>, timeout: Duration) -> Self {
        self.ping_interval = interval.map(|it| it.clamp(DURATION_MIN, DURATION_MAX));
        self.pong_timeout = timeout.clamp(DURATION_MIN, DURATION_MAX);
        self
    }

    /// How long neither end may send a message before the connection is closed with 1001.
    ///
    /// Control frames do not count.
    pub const fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// Whether there is a deadline that messages move.
    pub(crate) const fn keep_time(&self) -> bool {
        self.ping_interval.is_some() || self.idle_timeout.is_some()
    }

    /// Sets [`idle_timeout`](Self::idle_timeout): 1 ms to 366 days, or none.
    #[must_use]
    pub fn with_idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.idle_timeout = timeout.map(|it| it.clamp(DURATION_MIN, DURATION_MAX));
        self
    }
}
