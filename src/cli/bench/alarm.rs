//! Being woken at a time: milliseconds, which is what waiting for sockets knows, are too coarse
//! for messages that leave on time.

use core::time::Duration;
use mio::{Registry, Token};
use std::io;

/// Wakes whoever waits for sockets.
#[derive(Debug)]
pub(crate) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: rustix::fd::OwnedFd,
    /// The time that is set, in nanoseconds.
    #[cfg(target_os = "linux")]
    set: Option<u64>,
}

#[cfg(target_os = "linux")]
impl Alarm {
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        use mio::unix::SourceFd;
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        use std::os::fd::AsRawFd as _;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let raw = timer.as_raw_fd();
        registry.register(&mut SourceFd(&raw), token, mio::Interest::READABLE)?;
        Ok(Self { timer, set: None })
    }

    /// Wakes at `at`, and returns how long to wait at most: longer than until then.
    pub(crate) fn set(&mut self, at: u64, now: u64) -> io::Result<Duration> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        const SPARE: Duration = Duration::from_millis(10);
        let left = Duration::from_nanos(at - now);
        if self.set != Some(at) {
            let zero = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let value = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            let setting = Itimerspec {
                it_interval: zero,
                it_value: value,
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &setting)?;
            self.set = Some(at);
        }
        Ok(left + SPARE)
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Self> {
        Ok(Self {})
    }

    /// How long to wait: whole milliseconds, and what is left of one not at all.
    pub(crate) fn set(&mut self, at: u64, now: u64) -> io::Result<Duration> {
        Ok(Duration::from_millis((at - now) / 1_000_000))
    }
}
