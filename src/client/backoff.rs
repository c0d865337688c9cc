//! How long to wait before the next attempt (RFC 6455 §7.2.3).

use core::time::Duration;

/// The first retry comes within this time.
const FIRST: Duration = Duration::from_secs(5);
/// No retry waits longer, unless the server says so.
const LONGEST: Duration = Duration::from_secs(60);
/// A server that restarts, or has too much to do, is left alone for at least this long.
const RESTART: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));
/// What a server asks for is honoured up to here.
const ASKED_MAX: Duration = Duration::from_secs(3600);

/// What the server has said about coming back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wish {
    /// Nothing.
    #[default]
    None,
    /// It restarts (1012), or has too much to do (1013).
    Later,
    /// Not before this time has passed (Retry-After).
    After(Duration),
}

/// The delays between attempts: the first uniform between 0 and 5 s, so that the clients of a
/// server that is gone do not come back together; then twice as long each time up to 60 s, the
/// second half of each at random.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Before the first delay.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 0 }
    }

    /// The next delay. `random` is any number, each as likely as the others.
    //= WS-145
    //= WS-146
    //= WS-147
    //= CS-17
    pub fn next(&mut self, random: u32, wish: Wish) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        let own = match failures {
            0 => between(Duration::ZERO, FIRST, random),
            n => {
                let longest = FIRST.saturating_mul(1 << n.min(4)).min(LONGEST);
                between(longest / 2, longest, random)
            }
        };
        match wish {
            Wish::None => own,
            Wish::Later => own.max(between(RESTART.0, RESTART.1, random)),
            // All who were told the same time must not come back together either.
            Wish::After(asked) => {
                own.max(asked.min(ASKED_MAX) + between(Duration::ZERO, FIRST, random))
            }
        }
    }

    /// Begins anew, after a connection that has held.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

fn between(low: Duration, high: Duration, random: u32) -> Duration {
    low + (high - low).mul_f64(f64::from(random) / f64::from(u32::MAX))
}
