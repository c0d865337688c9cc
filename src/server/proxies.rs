//! Proxies in front of the server, and who connects through them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use ipnet::IpNet;
use std::sync::{PoisonError, RwLock};

use crate::server::forwarded::{self, Hop};
use crate::wire::http::Headers;

/// The proxies that are believed about who connects through them. Clones are the same list.
///
/// A proxy adds the address that it was called from at the end of `X-Forwarded-For`, and a client
/// can have written anything before it. So the list is read from its end: the last address that
/// is no proxy of ours is the client. What anybody else says in these headers counts for nothing.
///
/// `Forwarded` (RFC 7239) is read where there is no `X-Forwarded-For`: a proxy that writes only
/// the one has to remove the other.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<RwLock<Vec<IpNet>>>);

/// Who is behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address; port 0 where the proxy does not tell.
    pub(crate) address: SocketAddr,
    /// Whether it speaks TLS with the proxy, where that is told.
    pub(crate) is_tls: Option<bool>,
    /// Whether that is a proxy itself, for nobody else was named.
    pub(crate) is_proxy: bool,
}

impl Proxies {
    /// These addresses and networks, such as `10.0.0.0/8`.
    ///
    /// # Errors
    ///
    /// [`InvalidNetwork`] for what is neither.
    pub fn new<'n>(networks: impl IntoIterator<Item = &'n str>) -> Result<Self, InvalidNetwork> {
        let parse = |text: &str| {
            let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
            let network = text.parse().ok().or_else(address);
            network.ok_or_else(|| InvalidNetwork(text.to_owned()))
        };
        let networks: Result<Vec<_>, _> = networks.into_iter().map(parse).collect();
        Ok(Self(Arc::new(RwLock::new(networks?))))
    }

    /// Puts the list of `others` in place of this one, for whoever comes from now on.
    pub fn replace(&self, others: &Self) {
        let networks = others.0.read().unwrap_or_else(PoisonError::into_inner);
        let networks = networks.clone();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    /// Whether this is the address of one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let networks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        networks.iter().any(|network| network.contains(&address))
    }

    /// Who a request comes from that `peer` has passed on; `None` where that is no proxy.
    ///
    /// Where the list ends, or cannot be read on, before anybody is named who is no proxy, it is
    /// the last proxy that could be told.
    pub(crate) fn client(&self, peer: SocketAddr, headers: Headers<'_>) -> Option<Client> {
        if !self.contains(peer.ip()) {
            return None;
        }
        let mut client = Client {
            address: peer,
            is_tls: None,
            is_proxy: true,
        };
        let hops = forwarded::hops(headers);
        for hop in hops.iter().rev().map_while(Hop::known) {
            client.address = hop.0;
            client.is_tls = hop.1;
            client.is_proxy = self.contains(hop.0.ip());
            if !client.is_proxy {
                break;
            }
        }
        if let Some(is_tls) = forwarded::scheme(headers) {
            client.is_tls = is_tls;
        }
        Some(client)
    }
}

/// What was given as an address or a network and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidNetwork(String);

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no address and no network", self.0)
    }
}

impl core::error::Error for InvalidNetwork {}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::wire::http::{HeadLimits, RequestHead};

    const PROXY: &str = "10.1.2.3:5000";

    fn client(peer: &str, lines: &[&str]) -> Option<Client> {
        let proxies = Proxies::new(["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"]).unwrap();
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let head = RequestHead::parse(head.as_bytes(), &HeadLimits::default()).unwrap();
        proxies.client(peer.parse().unwrap(), head.headers())
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        for (lines, expected) in [
            (&["X-Forwarded-For: 203.0.113.9"][..], "203.0.113.9:0"),
            // A client can say what it likes before what the proxy adds.
            (&["X-Forwarded-For: 1.1.1.1, 203.0.113.9"], "203.0.113.9:0"),
            (
                &["X-Forwarded-For: x, 10.9.9.9, 203.0.113.9"],
                "203.0.113.9:0",
            ),
            // Through two proxies, in one line or in two.
            (
                &["X-Forwarded-For: 9.9.9.9,203.0.113.9 ,10.0.0.1"],
                "203.0.113.9:0",
            ),
            (
                &["X-Forwarded-For: 203.0.113.9", "x-forwarded-for: 192.0.2.7"],
                "203.0.113.9:0",
            ),
            // Ports, IPv6, and IPv4 that is written as IPv6.
            (&["X-Forwarded-For: 203.0.113.9:4711"], "203.0.113.9:4711"),
            (&["X-Forwarded-For: 2001:db8::9"], "[2001:db8::9]:0"),
            (&["X-Forwarded-For: [2001:db8::9]"], "[2001:db8::9]:0"),
            (
                &["X-Forwarded-For: [2001:db8::9]:4711"],
                "[2001:db8::9]:4711",
            ),
            (&["X-Forwarded-For: ::ffff:203.0.113.9"], "203.0.113.9:0"),
            (
                &["X-Forwarded-For: 203.0.113.9, 2001:db8:1::5"],
                "203.0.113.9:0",
            ),
            (
                &["Forwarded: for=1.1.1.1, For=\"[2001:db8::9]:4711\";proto=https;by=x"],
                "[2001:db8::9]:4711",
            ),
            (
                &["Forwarded: for=203.0.113.9;host=\"a,b;for=1.1.1.1\""],
                "203.0.113.9:0",
            ),
            (
                &[
                    "Forwarded: proto=http;for=203.0.113.9",
                    "Forwarded: for=10.0.0.1",
                ],
                "203.0.113.9:0",
            ),
            // What the proxy may have left as it came does not count beside what it wrote.
            (
                &["Forwarded: for=1.1.1.1", "X-Forwarded-For: 203.0.113.9"],
                "203.0.113.9:0",
            ),
        ] {
            let found = client(PROXY, lines).unwrap();
            assert_eq!(format!("{}", found.address), expected, "{lines:?}");
            assert!(!found.is_proxy, "{lines:?}");
        }
    }

    #[test]
    fn where_nobody_else_can_be_told_it_is_the_last_proxy() {
        for (lines, expected) in [
            (&[][..], PROXY),
            (&["X-Forwarded-For:"], PROXY),
            (&["X-Forwarded-For: unknown"], PROXY),
            (&["X-Forwarded-For: 203.0.113.9, 1.2.3"], PROXY),
            (&["X-Forwarded-For: 203.0.113.9, 300.1.1.1:x"], PROXY),
            (&["X-Forwarded-For: 203.0.113.9, \u{e9}"], PROXY),
            (
                &["X-Forwarded-For: 203.0.113.9, bad, 10.0.0.1"],
                "10.0.0.1:0",
            ),
            (&["X-Forwarded-For: 10.0.0.2, 10.0.0.1"], "10.0.0.2:0"),
            (&["Forwarded: for=_hidden"], PROXY),
            (&["Forwarded: for=unknown"], PROXY),
            (&["Forwarded: proto=https"], PROXY),
            (&["Forwarded: for=203.0.113.9;for=203.0.113.8"], PROXY),
            (&["Forwarded: for=\"203.0.113.9"], PROXY),
            (&["Forwarded: for=2001:db8::9"], PROXY),
        ] {
            let found = client(PROXY, lines).unwrap();
            assert_eq!(format!("{}", found.address), expected, "{lines:?}");
            assert!(found.is_proxy, "{lines:?}");
        }
    }

    #[test]
    fn from_anybody_else_the_headers_count_for_nothing() {
        let lines = &["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"];
        for peer in ["11.0.0.1:1", "127.0.0.1:1", "[2001:db8:2::1]:1"] {
            assert_eq!(client(peer, lines), None, "{peer}");
        }
        for peer in ["10.0.0.1:1", "[::ffff:10.0.0.1]:1", "[2001:db8:1::1]:1"] {
            assert!(client(peer, lines).is_some(), "{peer}");
        }
    }

    #[test]
    fn the_scheme_is_what_the_nearest_proxy_says() {
        for (lines, expected) in [
            (&["X-Forwarded-Proto: https"][..], Some(true)),
            (&["X-Forwarded-Proto: HTTP"], Some(false)),
            (&["X-Forwarded-Proto: https, http"], Some(false)),
            (
                &["X-Forwarded-Proto: http", "X-Forwarded-Proto: https"],
                Some(true),
            ),
            (&["X-Forwarded-Proto: wss"], None),
            (&["X-Forwarded-For: 203.0.113.9"], None),
            (&["Forwarded: for=203.0.113.9;proto=https"], Some(true)),
            (
                &["Forwarded: for=203.0.113.9;proto=https, for=10.0.0.1;proto=http"],
                Some(true),
            ),
            (
                &["Forwarded: for=1.1.1.1;proto=https, for=203.0.113.9;proto=http"],
                Some(false),
            ),
        ] {
            assert_eq!(client(PROXY, lines).unwrap().is_tls, expected, "{lines:?}");
        }
    }

    #[test]
    fn another_list_holds_for_every_clone() {
        let proxies = Proxies::default();
        let clone = proxies.clone();
        assert!(!clone.contains(IpAddr::from([10, 0, 0, 1])));
        proxies.replace(&Proxies::new(["10.0.0.0/8"]).unwrap());
        assert!(clone.contains(IpAddr::from([10, 0, 0, 1])));
        for wrong in ["", "10.0.0.0/33", "proxy.example", "10.0.0.1:80"] {
            assert!(Proxies::new([wrong]).is_err(), "{wrong}");
        }
    }
}
