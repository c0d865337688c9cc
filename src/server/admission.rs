//! Who is let in: a count of connections, in all and by address.

use alloc::sync::Arc;
use core::net::IpAddr;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many sockets beyond the bounds are kept open just to be answered 503.
const REFUSING_MAX: usize = 64;

/// Counts connections and says how many may be there.
#[derive(Debug)]
pub struct Admission {
    in_all_max: usize,
    per_address_max: usize,
    is_loopback_exempt: bool,
    count: Mutex<Count>,
}

#[derive(Debug, Default)]
struct Count {
    in_all: usize,
    /// Sockets that are only there to be answered 503. They take nobody's place.
    refusing: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// What becomes of a new socket.
#[derive(Debug)]
pub(crate) enum Admitted {
    /// It may become a connection.
    Yes(Permit),
    /// It is to be answered 503.
    Refuse(Permit),
    /// There are too many even to answer.
    Drop,
}

/// A place among the connections, or among those who are refused; dropping it makes room.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    /// The address whose place it is; `None` among those who are refused.
    place: Option<IpAddr>,
}

impl Admission {
    /// Lets in so many connections in all, and so many from one address.
    pub fn new(in_all_max: usize, per_address_max: usize) -> Self {
        Self {
            in_all_max,
            per_address_max,
            is_loopback_exempt: false,
            count: Mutex::default(),
        }
    }

    /// Lets in as many as there is room for from this machine itself, where a proxy may be that
    /// stands for everybody. Default: it is an address like any other.
    #[must_use]
    pub const fn with_loopback_exempt(mut self, is_exempt: bool) -> Self {
        self.is_loopback_exempt = is_exempt;
        self
    }

    /// How many connections are there now, handshakes included.
    pub fn connections(&self) -> usize {
        self.lock().in_all
    }

    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Admitted {
        let mut count = self.lock();
        let here = count.by_address.get(&address).copied().unwrap_or_default();
        let is_exempt = self.is_loopback_exempt && address.to_canonical().is_loopback();
        let fits = (is_exempt || here < self.per_address_max) && count.in_all < self.in_all_max;
        if fits {
            count.in_all += 1;
            count.by_address.insert(address, here + 1);
        } else if count.refusing < REFUSING_MAX {
            count.refusing += 1;
        } else {
            return Admitted::Drop;
        }
        let permit = Permit {
            admission: Arc::clone(self),
            place: fits.then_some(address),
        };
        if fits {
            Admitted::Yes(permit)
        } else {
            Admitted::Refuse(permit)
        }
    }

    fn lock(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut count = self.admission.lock();
        let Some(address) = self.place else {
            count.refusing -= 1;
            return;
        };
        count.in_all -= 1;
        if let Some(here) = count.by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                count.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(core::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(core::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn one_address_cannot_take_every_place() {
        let admission = Arc::new(Admission::new(3, 2));
        let places = [HERE, HERE].map(|it| admission.admit(it));
        assert!(places.iter().all(|it| matches!(it, Admitted::Yes(_))));
        assert!(matches!(admission.admit(HERE), Admitted::Refuse(_)));
        assert!(matches!(admission.admit(THERE), Admitted::Yes(_)));
    }

    #[test]
    fn this_machine_may_have_every_place_where_it_is_exempt() {
        let admission = Arc::new(Admission::new(3, 1).with_loopback_exempt(true));
        let mapped = IpAddr::V6(core::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        let there = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 1));
        let places = [HERE, mapped].map(|it| admission.admit(it));
        assert!(places.iter().all(|it| matches!(it, Admitted::Yes(_))));
        let _last = admission.admit(there);
        assert!(matches!(admission.admit(there), Admitted::Refuse(_)));
        assert!(matches!(admission.admit(HERE), Admitted::Refuse(_)));
    }

    #[test]
    fn whoever_is_refused_takes_nobodys_place() {
        let admission = Arc::new(Admission::new(2, 1));
        let _first = admission.admit(HERE);
        let refused: alloc::vec::Vec<_> =
            (0..REFUSING_MAX).map(|_| admission.admit(HERE)).collect();
        assert_eq!(admission.connections(), 1);
        assert!(matches!(admission.admit(THERE), Admitted::Yes(_)));
        drop(refused);
        assert!(matches!(admission.admit(HERE), Admitted::Refuse(_)));
    }

    #[test]
    fn a_place_that_is_given_up_can_be_taken_again() {
        let admission = Arc::new(Admission::new(1, 1));
        let first = admission.admit(HERE);
        assert!(matches!(admission.admit(HERE), Admitted::Refuse(_)));
        drop(first);
        assert_eq!(admission.connections(), 0);
        assert!(matches!(admission.admit(HERE), Admitted::Yes(_)));
    }

    #[test]
    fn a_flood_is_dropped_without_an_answer() {
        let admission = Arc::new(Admission::new(0, 9));
        let refused: alloc::vec::Vec<_> =
            (0..REFUSING_MAX).map(|_| admission.admit(HERE)).collect();
        assert!(refused.iter().all(|it| matches!(it, Admitted::Refuse(_))));
        assert!(matches!(admission.admit(HERE), Admitted::Drop));
    }
}
