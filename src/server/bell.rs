//! A bell that many tasks wait for and that rings once.
//!
//! Each of them is there for as long as its connection, so that what counts is how little one
//! that waits holds, and that it costs next to nothing to be polled for another reason.

use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, RawWakerVTable, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Bell {
    has_rung: AtomicBool,
    seats: Mutex<Seats>,
}

/// Who is to be woken, each in a seat that another takes when it is left.
#[derive(Debug, Default)]
struct Seats {
    taken: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Bell {
    /// Wakes everybody who waits; whoever comes later does not wait.
    pub(crate) fn ring(&self) {
        self.has_rung.store(true, Ordering::Release);
        let taken = core::mem::take(&mut self.lock().taken);
        for waker in taken.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Waits until the bell has rung.
    pub(crate) const fn heard(&self) -> Heard<'_> {
        Heard {
            bell: self,
            seat: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ready when the bell has rung; dropping it leaves the seat.
#[derive(Debug)]
pub(crate) struct Heard<'b> {
    bell: &'b Bell,
    /// Where its waker sits, and which one that is. No other becomes the same while it sits there.
    seat: Option<(usize, Identity)>,
}

/// What tells one waker from another: where its data and its functions are.
type Identity = [usize; 2];

fn identity(waker: &Waker) -> Identity {
    let functions: *const RawWakerVTable = waker.vtable();
    [waker.data().addr(), functions.addr()]
}

impl Future for Heard<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let bell = self.bell;
        if bell.has_rung.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let waker = cx.waker();
        let identity = identity(waker);
        if self.seat.is_some_and(|it| it.1 == identity) {
            return Poll::Pending;
        }
        let mut seats = bell.lock();
        // It rings before it takes the lock: who sits down afterwards would never be woken.
        if bell.has_rung.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let at = match self.seat {
            Some((at, _)) => at,
            None => seats.free.pop().unwrap_or(seats.taken.len()),
        };
        match seats.taken.get_mut(at) {
            Some(seat) => *seat = Some(waker.clone()),
            None => seats.taken.push(Some(waker.clone())),
        }
        drop(seats);
        self.seat = Some((at, identity));
        Poll::Pending
    }
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        let Some((at, _)) = self.seat.take() else {
            return;
        };
        let mut seats = self.bell.lock();
        // When the bell has rung there are no seats any more.
        if let Some(seat) = seats.taken.get_mut(at) {
            *seat = None;
            seats.free.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::sync::Arc;
    use alloc::task::Wake;
    use core::pin::pin;
    use core::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Counts(AtomicUsize);

    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(counts: &Counts) -> usize {
        counts.0.load(Ordering::Relaxed)
    }

    #[test]
    fn whoever_waits_is_woken_once_and_whoever_comes_later_does_not_wait() {
        let bell = Bell::default();
        let counts: [Arc<Counts>; 2] = Default::default();
        let wakers = counts.clone().map(Waker::from);
        let (mut first, mut second) = (pin!(bell.heard()), pin!(bell.heard()));
        for _ in 0..3 {
            let mut cx = Context::from_waker(&wakers[0]);
            assert!(first.as_mut().poll(&mut cx).is_pending());
        }
        let mut cx = Context::from_waker(&wakers[1]);
        assert!(second.as_mut().poll(&mut cx).is_pending());
        bell.ring();
        assert_eq!(counts.each_ref().map(|it| count(it)), [1, 1]);
        assert!(first.as_mut().poll(&mut cx).is_ready());
        assert!(second.as_mut().poll(&mut cx).is_ready());
        assert!(pin!(bell.heard()).as_mut().poll(&mut cx).is_ready());
    }

    #[test]
    fn the_waker_that_was_there_last_is_woken() {
        let bell = Bell::default();
        let counts: [Arc<Counts>; 2] = Default::default();
        let mut heard = pin!(bell.heard());
        for counts in &counts {
            let waker = Waker::from(Arc::clone(counts));
            let polled = heard.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        bell.ring();
        assert_eq!(counts.each_ref().map(|it| count(it)), [0, 1]);
    }

    #[test]
    fn a_seat_that_is_left_is_taken_again() {
        let bell = Bell::default();
        let counts = Arc::new(Counts::default());
        let waker = Waker::from(Arc::clone(&counts));
        let mut cx = Context::from_waker(&waker);
        for _ in 0..100 {
            assert!(pin!(bell.heard()).as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(bell.lock().taken.len(), 1);
        bell.ring();
        assert_eq!(count(&counts), 0, "nobody was there");
    }
}
