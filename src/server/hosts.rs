//! What requests may be addressed to (RFC 9110 §7.2).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;

use crate::engine::Refusal;
use crate::wire::http::RequestHead;

/// The hosts that a server answers for.
///
/// A page can have its own name resolved to the address of a server that only its visitors can
/// reach, and is then of the same origin as what it asks there. The Host header gives it away,
/// for it holds that name.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// None, for any.
    listed: Vec<Host>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    /// In lower case; an IPv6 address in its shortest form.
    name: String,
    port: Option<u16>,
}

impl Hosts {
    /// Whatever a request is addressed to.
    pub const fn any() -> Self {
        Self { listed: Vec::new() }
    }

    /// These and no others, such as `app.example.com`; whatever the port, unless one is given,
    /// as in `localhost:4000`. With none, it is [`any`](Self::any).
    ///
    /// # Errors
    ///
    /// [`InvalidHost`] for what is no host.
    pub fn only<'h>(hosts: impl IntoIterator<Item = &'h str>) -> Result<Self, InvalidHost> {
        let parse = |it: &str| Host::parse(it).ok_or_else(|| InvalidHost(it.to_owned()));
        let listed: Result<_, _> = hosts.into_iter().map(parse).collect();
        Ok(Self { listed: listed? })
    }

    /// Looks at what a request is addressed to, in the Host header and in its target if that
    /// names a host as well.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] with which to answer, 421.
    pub fn check(&self, head: &RequestHead, is_tls: bool) -> Result<(), Refusal> {
        if self.listed.is_empty() {
            return Ok(());
        }
        let allows = |authority: &str| self.allows(authority, is_tls);
        let target = head.target().split_once("://").map(|(_, rest)| rest);
        let target = target.and_then(|it| it.split(['/', '?']).next());
        let is_allowed = match head.headers().count("host") {
            1 => head.headers().get_str("host").is_some_and(allows),
            _ => false,
        };
        if is_allowed && (head.target().starts_with('/') || target.is_none_or(allows)) {
            return Ok(());
        }
        let refusal = Refusal::new(421, "this server does not answer for this host");
        Err(match head.method() {
            "HEAD" => refusal.without_body(),
            _ => refusal,
        })
    }

    fn allows(&self, authority: &str, is_tls: bool) -> bool {
        let Some(asked) = Host::parse(authority) else {
            return false;
        };
        let usual = if is_tls { 443 } else { 80 };
        let fits = |listed: &Host| {
            let port = asked.port.unwrap_or(usual);
            listed.name == asked.name && listed.port.is_none_or(|it| it == port)
        };
        self.listed.iter().any(fits)
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        // The colons of an IPv6 address stand within brackets.
        let host_end = text.rfind(']').map_or(0, |at| at + 1);
        let (name, port) = match text[host_end..].find(':') {
            None => (text, None),
            Some(at) => {
                let (name, port) = text.split_at(host_end + at);
                (name, Some(port[1..].parse().ok()?))
            }
        };
        let bracketed = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let name = match bracketed {
            Some(address) => alloc::format!("[{}]", address.parse::<Ipv6Addr>().ok()?),
            None => name.to_ascii_lowercase(),
        };
        let sound = |it: u8| it.is_ascii_alphanumeric() || b"-._~[]:".contains(&it);
        (!name.is_empty() && name.bytes().all(sound)).then_some(Self { name, port })
    }
}

/// What was given as a host and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidHost(String);

impl fmt::Display for InvalidHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no host", self.0)
    }
}

impl core::error::Error for InvalidHost {}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::wire::http::HeadLimits;

    fn status(hosts: &Hosts, target: &str, lines: &str, is_tls: bool) -> u16 {
        let head = format!("GET {target} HTTP/1.1\r\n{lines}\r\n");
        let head = RequestHead::parse(head.as_bytes(), &HeadLimits::default()).unwrap();
        let checked = hosts.check(&head, is_tls);
        checked.map_or_else(|refusal| refusal.status(), |()| 200)
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        let hosts = Hosts::only(["App.example", "localhost:4000", "[2001:db8:0::1]", "p:443"]);
        let hosts = hosts.unwrap();
        for (host, is_tls, expected) in [
            ("app.example", false, 200),
            ("APP.EXAMPLE", false, 200),
            ("app.example:4000", false, 200),
            ("app.example:", false, 421),
            ("localhost:4000", false, 200),
            ("localhost:4001", false, 421),
            ("localhost", false, 421),
            ("[2001:db8::1]:80", false, 200),
            ("[2001:DB8::0:1]", false, 200),
            ("[2001:db8::2]", false, 421),
            ("p", true, 200),
            ("p", false, 421),
            ("evil.example", false, 421),
            ("evil.app.example", false, 421),
            ("app.example.evil", false, 421),
            ("app.example:4000:1", false, 421),
            ("127.0.0.1:4000", false, 421),
            ("", false, 421),
        ] {
            let line = format!("Host: {host}\r\n");
            assert_eq!(status(&hosts, "/", &line, is_tls), expected, "{host}");
        }
        assert_eq!(status(&hosts, "/", "", false), 421);
        let twice = "Host: app.example\r\nHost: app.example\r\n";
        assert_eq!(status(&hosts, "/", twice, false), 421);
    }

    #[test]
    fn a_target_that_names_a_host_names_a_listed_one() {
        let hosts = Hosts::only(["app.example"]).unwrap();
        let line = "Host: app.example\r\n";
        for (target, expected) in [
            ("http://app.example/x", 200),
            ("http://app.example:4000?x", 200),
            ("http://evil.example/x", 421),
            ("/x?u=http://evil.example/x", 200),
        ] {
            assert_eq!(status(&hosts, target, line, false), expected, "{target}");
        }
        let line = "Host: evil.example\r\n";
        assert_eq!(status(&hosts, "http://app.example/x", line, false), 421);
        assert_eq!(status(&Hosts::any(), "/", line, false), 200);
        for wrong in ["a b", "[::g]", "a:99999", ""] {
            assert!(Hosts::only([wrong]).is_err(), "{wrong}");
        }
    }
}
