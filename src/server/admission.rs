//! Who is let in: a count of connections, in all and by address.

use alloc::sync::Arc;
use core::net::IpAddr;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many sockets beyond the bound are kept open just to be answered 503.
const REFUSING_MAX: usize = 64;

/// Counts connections and says how many may be there.
#[derive(Debug)]
pub struct Admission {
    in_all_max: usize,
    per_address_max: usize,
    count: Mutex<Count>,
}

#[derive(Debug, Default)]
struct Count {
    in_all: usize,
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

/// A place among the connections; dropping it makes room.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    address: IpAddr,
}

impl Admission {
    /// Lets in so many connections in all, and so many from one address.
    pub fn new(in_all_max: usize, per_address_max: usize) -> Self {
        Self {
            in_all_max,
            per_address_max,
            count: Mutex::default(),
        }
    }

    /// How many connections are there now, handshakes included.
    pub fn connections(&self) -> usize {
        self.lock().in_all
    }

    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Admitted {
        let mut count = self.lock();
        if count.in_all >= self.in_all_max.saturating_add(REFUSING_MAX) {
            return Admitted::Drop;
        }
        count.in_all += 1;
        let here = count.by_address.entry(address).or_default();
        *here += 1;
        let fits = *here <= self.per_address_max && count.in_all <= self.in_all_max;
        let permit = Permit {
            admission: Arc::clone(self),
            address,
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
        count.in_all -= 1;
        if let Some(here) = count.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                count.by_address.remove(&self.address);
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
