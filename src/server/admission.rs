//! Who is let in: a count of connections, in all and by address, and how fast they come.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::sync::Arc;
use core::net::IpAddr;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

use crate::server::config::Config;
use crate::server::pace::Meter;

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
    by_address: BTreeMap<IpAddr, usize>,
    /// How fast they may come.
    meter: Option<Meter>,
    turned_away: TurnedAway,
}

/// How many clients were not let in, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TurnedAway {
    /// There were as many connections as may be.
    pub full: u64,
    /// There were as many of that address as may be.
    pub of_address: u64,
    /// They came faster than they may.
    pub too_fast: u64,
}

/// What becomes of a new socket.
#[derive(Debug)]
pub(crate) enum Admitted {
    /// It may become a connection.
    Yes(Permit),
    /// It is to be answered 503.
    Refuse(Permit),
    /// It comes too fast: to be answered 503 if that costs little.
    TooFast(Permit),
    /// There are too many even to answer.
    Drop,
}

/// A place among the connections, or among those who are refused; dropping it makes room.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    place: Place,
}

/// Whose place it is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Somebody's who is refused.
    Refused,
    /// A client's of this address.
    Of(IpAddr),
    /// Somebody's behind a proxy.
    Behind,
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

    pub(crate) fn of(config: &Config) -> Self {
        let (in_all, of_address) = (
            config.connections_max(),
            config.connections_per_address_max(),
        );
        let admission =
            Self::new(in_all, of_address).with_loopback_exempt(config.is_loopback_exempt());
        match config.accept_rate() {
            Some((count, period)) => admission.with_rate(count, period),
            None => admission,
        }
    }

    /// Lets in so many in each `period`, and as many at once; 0 is taken as 1. Default: as fast
    /// as they come.
    #[must_use]
    pub fn with_rate(self, count: u32, period: Duration) -> Self {
        self.lock().meter = Some(Meter::new(count, period));
        self
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

    /// How many clients were not let in until now.
    pub fn turned_away(&self) -> TurnedAway {
        self.lock().turned_away
    }

    /// Decides on a new socket. `address` is `None` behind a proxy, where the client is known
    /// only when it has said what it wants; see [`Permit::settle`].
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Admitted {
        let mut count = self.lock();
        let permit = |place| Permit {
            admission: Arc::clone(self),
            place,
        };
        let meter = count.meter.as_mut();
        let is_too_fast = meter.is_some_and(|it| !it.take(Instant::now()));
        if is_too_fast {
            count.turned_away.too_fast += 1;
        } else if count.in_all >= self.in_all_max {
            count.turned_away.full += 1;
        } else if address.is_some_and(|it| !count.takes(it, self)) {
            count.turned_away.of_address += 1;
        } else {
            count.in_all += 1;
            return Admitted::Yes(permit(address.map_or(Place::Behind, Place::Of)));
        }
        if count.refusing >= REFUSING_MAX {
            return Admitted::Drop;
        }
        count.refusing += 1;
        match is_too_fast {
            true => Admitted::TooFast(permit(Place::Refused)),
            false => Admitted::Refuse(permit(Place::Refused)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    /// Takes a place for this address, if it may have one more.
    fn takes(&mut self, address: IpAddr, admission: &Admission) -> bool {
        let is_exempt = admission.is_loopback_exempt && address.to_canonical().is_loopback();
        let may = |here| is_exempt || here < admission.per_address_max;
        match self.by_address.entry(address) {
            Entry::Occupied(mut here) if may(*here.get()) => *here.get_mut() += 1,
            Entry::Vacant(nobody) if may(0) => *nobody.insert(0) += 1,
            _ => return false,
        }
        true
    }
}

impl Permit {
    /// Whether it is known whose connection it is: none that waits to be told by a proxy.
    pub(crate) const fn is_settled(&self) -> bool {
        !matches!(self.place, Place::Behind)
    }

    /// Makes a place behind a proxy that of this address. Whether the address may have one more.
    pub(crate) fn settle(&mut self, address: IpAddr) -> bool {
        let Place::Behind = self.place else {
            return true;
        };
        let mut count = self.admission.lock();
        let may = count.takes(address, &self.admission);
        if may {
            self.place = Place::Of(address);
        } else {
            count.turned_away.of_address += 1;
        }
        may
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut count = self.admission.lock();
        let address = match self.place {
            Place::Refused => {
                count.refusing -= 1;
                return;
            }
            Place::Of(address) => address,
            Place::Behind => {
                count.in_all -= 1;
                return;
            }
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
        let places = [HERE, HERE].map(|it| admission.admit(Some(it)));
        assert!(places.iter().all(|it| matches!(it, Admitted::Yes(_))));
        assert!(matches!(admission.admit(Some(HERE)), Admitted::Refuse(_)));
        assert!(matches!(admission.admit(Some(THERE)), Admitted::Yes(_)));
    }

    #[test]
    fn this_machine_may_have_every_place_where_it_is_exempt() {
        let admission = Arc::new(Admission::new(3, 1).with_loopback_exempt(true));
        let mapped = IpAddr::V6(core::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        let there = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 1));
        let places = [HERE, mapped].map(|it| admission.admit(Some(it)));
        assert!(places.iter().all(|it| matches!(it, Admitted::Yes(_))));
        let _last = admission.admit(Some(there));
        assert!(matches!(admission.admit(Some(there)), Admitted::Refuse(_)));
        assert!(matches!(admission.admit(Some(HERE)), Admitted::Refuse(_)));
    }

    #[test]
    fn whoever_is_refused_takes_nobodys_place() {
        let admission = Arc::new(Admission::new(2, 1));
        let _first = admission.admit(Some(HERE));
        let refused: alloc::vec::Vec<_> = (0..REFUSING_MAX)
            .map(|_| admission.admit(Some(HERE)))
            .collect();
        assert_eq!(admission.connections(), 1);
        assert!(matches!(admission.admit(Some(THERE)), Admitted::Yes(_)));
        drop(refused);
        assert!(matches!(admission.admit(Some(HERE)), Admitted::Refuse(_)));
    }

    #[test]
    fn a_place_that_is_given_up_can_be_taken_again() {
        let admission = Arc::new(Admission::new(1, 1));
        let first = admission.admit(Some(HERE));
        assert!(matches!(admission.admit(Some(HERE)), Admitted::Refuse(_)));
        drop(first);
        assert_eq!(admission.connections(), 0);
        assert!(matches!(admission.admit(Some(HERE)), Admitted::Yes(_)));
    }

    #[test]
    fn a_flood_is_dropped_without_an_answer() {
        let admission = Arc::new(Admission::new(0, 9));
        let refused: alloc::vec::Vec<_> = (0..REFUSING_MAX)
            .map(|_| admission.admit(Some(HERE)))
            .collect();
        assert!(refused.iter().all(|it| matches!(it, Admitted::Refuse(_))));
        assert!(matches!(admission.admit(Some(HERE)), Admitted::Drop));
    }

    #[test]
    fn whoever_is_behind_a_proxy_counts_once_it_is_known() {
        let admission = Arc::new(Admission::new(3, 1));
        let mut behind: alloc::vec::Vec<_> = (0..3)
            .map(|_| match admission.admit(None) {
                Admitted::Yes(permit) => permit,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(matches!(admission.admit(None), Admitted::Refuse(_)));
        assert!(behind[0].settle(HERE));
        assert!(behind[0].settle(THERE), "it has its place");
        assert!(!behind[1].settle(HERE));
        assert!(behind[2].settle(THERE));
        let turned_away = admission.turned_away();
        assert_eq!((turned_away.full, turned_away.of_address), (1, 1));
        drop(behind);
        assert_eq!(admission.connections(), 0);
        assert!(matches!(admission.admit(Some(HERE)), Admitted::Yes(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_too_fast_is_turned_away_and_takes_no_place() {
        let admission = Arc::new(Admission::new(9, 9).with_rate(2, Duration::from_secs(60)));
        let _places = [HERE, THERE].map(|it| admission.admit(Some(it)));
        let refused = admission.admit(Some(HERE));
        assert!(matches!(refused, Admitted::TooFast(_)));
        assert_eq!(admission.connections(), 2);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(matches!(admission.admit(None), Admitted::Yes(_)));
        assert!(matches!(admission.admit(None), Admitted::TooFast(_)));
        assert_eq!(admission.turned_away().too_fast, 2);
    }
}
