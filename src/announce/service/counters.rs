//! What the server has counted since it began.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::announce::announcement::FeedKind;
use crate::announce::dialect::Dialect;
use crate::announce::token::TokenError;
use crate::server::Admission;

/// How long it is not told again that clocks disagree, in seconds.
const TELL_INTERVAL_S: u64 = 60;

/// How many minutes back is told minute by minute.
pub const MINUTES: usize = 60;

/// The upper ends of the classes of [`Snapshot::latency`], in microseconds.
pub const LATENCY_BOUNDS: [u64; 12] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000,
];

const KINDS: [FeedKind; 4] = [
    FeedKind::Public,
    FeedKind::Channel,
    FeedKind::Role,
    FeedKind::User,
];

/// What the server has counted since it began. Clones count together.
#[derive(Clone, Debug)]
pub struct Counters(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    messages: [AtomicU64; Dialect::ALL.len()],
    announcements: [AtomicU64; KINDS.len()],
    queued: AtomicU64,
    dropped: AtomicU64,
    /// Of each class, and of what is above the last.
    latency: [AtomicU64; LATENCY_BOUNDS.len() + 1],
    latency_sum: AtomicU64,
    /// By status: it is one of the server's own.
    refused: Mutex<BTreeMap<u16, u64>>,
    /// Clients that came to no request that could be answered.
    failed: Mutex<BTreeMap<&'static str, u64>>,
    /// Who counts those that were not let in.
    admission: OnceLock<Arc<Admission>>,
    tokens: Mutex<BTreeMap<&'static str, u64>>,
    clocks: AtomicU64,
    /// When that was last told in the log, in seconds since the beginning, and one more.
    clocks_told: AtomicU64,
    minutes: Mutex<Minutes>,
}

#[derive(Debug)]
struct Minutes {
    latest: u64,
    announcements: [u64; MINUTES],
    deliveries: [u64; MINUTES],
}

/// What was counted until some moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// How long the server has run.
    pub uptime: Duration,
    /// Messages that came, by dialect.
    pub messages: Vec<(Dialect, u64)>,
    /// Announcements that became visible, by the kind of their feed.
    pub announcements: Vec<(FeedKind, u64)>,
    /// Deliveries that were put into a mailbox.
    pub queued: u64,
    /// Deliveries for which a mailbox had no room.
    pub dropped: u64,
    /// How long announcements took from being visible to the mailboxes: how many there were in
    /// each class of [`LATENCY_BOUNDS`], and above the last.
    pub latency: Vec<u64>,
    /// The sum of those times.
    pub latency_sum: Duration,
    /// Handshakes that were refused, by status.
    pub refused: Vec<(u16, u64)>,
    /// Clients that were not let in, or that sent no request that could be looked at, by reason.
    pub failed: Vec<(&'static str, u64)>,
    /// Tokens that were refused, by reason.
    pub tokens: Vec<(&'static str, u64)>,
    /// Tokens, with signatures that verify, of a time that this clock has not reached.
    pub clocks: u64,
    /// Announcements of each of the last [`MINUTES`] minutes, the present one last.
    pub announcements_per_minute: [u64; MINUTES],
    /// Deliveries of each of them.
    pub deliveries_per_minute: [u64; MINUTES],
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            began: Instant::now(),
            messages: Default::default(),
            announcements: Default::default(),
            queued: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            latency: Default::default(),
            latency_sum: AtomicU64::new(0),
            refused: Mutex::default(),
            failed: Mutex::default(),
            admission: OnceLock::new(),
            tokens: Mutex::default(),
            clocks: AtomicU64::new(0),
            clocks_told: AtomicU64::new(0),
            minutes: Mutex::new(Minutes {
                latest: 0,
                announcements: [0; MINUTES],
                deliveries: [0; MINUTES],
            }),
        }))
    }

    pub(crate) fn message(&self, dialect: Dialect) {
        if let Some(at) = Dialect::ALL.iter().position(|it| *it == dialect) {
            self.0.messages[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts an announcement that has become visible; `since` is how long ago.
    pub(crate) fn announced(&self, kind: FeedKind, since: Duration) {
        if let Some(at) = KINDS.iter().position(|it| *it == kind) {
            self.0.announcements[at].fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        let class = LATENCY_BOUNDS.iter().position(|bound| micros <= *bound);
        let class = class.unwrap_or(LATENCY_BOUNDS.len());
        self.0.latency[class].fetch_add(1, Ordering::Relaxed);
        self.0.latency_sum.fetch_add(micros, Ordering::Relaxed);
        self.minutes(|minutes| minutes.announcements[MINUTES - 1] += 1);
    }

    pub(crate) fn delivered(&self, queued: usize, dropped: usize) {
        let (queued, dropped) = (queued as u64, dropped as u64);
        self.0.queued.fetch_add(queued, Ordering::Relaxed);
        self.0.dropped.fetch_add(dropped, Ordering::Relaxed);
        self.minutes(|minutes| minutes.deliveries[MINUTES - 1] += queued);
    }

    pub(crate) fn refused(&self, status: u16) {
        let mut refused = self
            .0
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *refused.entry(status).or_default() += 1;
    }

    /// Counts a client that came to no request.
    //= A34
    pub(crate) fn failed(&self, reason: &'static str) {
        let mut failed = self.0.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed.entry(reason).or_default() += 1;
    }

    /// Has those counted who are not let in here. The first call counts.
    pub(crate) fn watch(&self, admission: &Arc<Admission>) {
        let _ = self.0.admission.set(Arc::clone(admission));
    }

    fn all_failed(&self) -> Vec<(&'static str, u64)> {
        let failed = self.0.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let admission = self.0.admission.get();
        let away = admission.map(|it| it.turned_away()).unwrap_or_default();
        let away = [
            ("full", away.full),
            ("of_address", away.of_address),
            ("too_fast", away.too_fast),
        ];
        let away = away.into_iter().filter(|(_, count)| *count > 0);
        failed
            .iter()
            .map(|(key, count)| (*key, *count))
            .chain(away)
            .collect()
    }

    pub(crate) fn token_refused(&self, reason: &'static str) {
        let mut tokens = self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens.entry(reason).or_default() += 1;
        drop(tokens);
        if reason == TokenError::NotYet.name() {
            self.clocks_disagree();
        }
    }

    /// Counts that an issuer's clock is ahead of this one, and says so now and then.
    //= AU-38
    fn clocks_disagree(&self) {
        self.0.clocks.fetch_add(1, Ordering::Relaxed);
        let now = self.0.began.elapsed().as_secs() + 1;
        let due = |told| (told == 0 || now >= told + TELL_INTERVAL_S).then_some(now);
        let told = &self.0.clocks_told;
        let is_due = told.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due);
        if is_due.is_ok() {
            tracing::warn!(
                "a token is of a time to come: set the clock of this machine, or of the issuer"
            );
        }
    }

    /// What was counted until now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let inner = &self.0;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let refused = inner.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = inner.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = inner.messages.iter().map(read);
        let announcements = inner.announcements.iter().map(read);
        let (announced, delivered) =
            self.minutes(|minutes| (minutes.announcements, minutes.deliveries));
        Snapshot {
            uptime: inner.began.elapsed(),
            messages: Dialect::ALL.into_iter().zip(messages).collect(),
            announcements: KINDS.into_iter().zip(announcements).collect(),
            queued: read(&inner.queued),
            dropped: read(&inner.dropped),
            latency: inner.latency.iter().map(read).collect(),
            latency_sum: Duration::from_micros(read(&inner.latency_sum)),
            refused: refused.iter().map(|(key, count)| (*key, *count)).collect(),
            failed: self.all_failed(),
            clocks: read(&inner.clocks),
            tokens: tokens.iter().map(|(key, count)| (*key, *count)).collect(),
            announcements_per_minute: announced,
            deliveries_per_minute: delivered,
        }
    }

    /// Moves the minutes on to the present one, which is the last, and does something with them.
    fn minutes<T>(&self, work: impl FnOnce(&mut Minutes) -> T) -> T {
        let mut minutes = self
            .0
            .minutes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.0.began.elapsed().as_secs() / 60;
        let passed = usize::try_from(now - minutes.latest).unwrap_or(MINUTES);
        let passed = passed.min(MINUTES);
        let Minutes {
            announcements,
            deliveries,
            ..
        } = &mut *minutes;
        for ring in [announcements, deliveries] {
            ring.rotate_left(passed % MINUTES);
            ring[MINUTES - passed..].fill(0);
        }
        minutes.latest = now;
        work(&mut minutes)
    }
}
