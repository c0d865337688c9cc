//! WebSocket URLs (RFC 6455 §3).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// A `ws` or `wss` URL.
///
/// Parsed strictly: no user information, no fragment, no space or control character. Characters
/// beyond ASCII are percent-encoded in path and query (RFC 6455 §11.1.1) and refused in the
/// host, where the name must be given in its ASCII form (`xn--…`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    host: String,
    port: u16,
    resource: String,
}

/// Why a text is not a WebSocket URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// The scheme is neither `ws` nor `wss`.
    Scheme,
    /// The host is missing, or holds what a host cannot.
    Host,
    /// The port is not a number from 1 to 65,535.
    Port,
    /// User information before the host: send an Authorization header instead.
    UserInformation,
    /// A fragment; a `#` that is data is written `%23`.
    Fragment,
    /// A space or control character.
    Character,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the scheme of the URL is neither ws nor wss",
            Self::Host => "the host of the URL is missing or malformed",
            Self::Port => "the port of the URL is not from 1 to 65535",
            Self::UserInformation => "the URL holds user information; send a header instead",
            Self::Fragment => "the URL has a fragment; write # as %23",
            Self::Character => "the URL holds a space or a control character",
        })
    }
}

impl core::error::Error for InvalidUrl {}

impl Url {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] for the first thing that is wrong.
    //= WS-002
    //= WS-003
    //= WS-006
    //= WS-008
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        if text.chars().any(|it| it.is_whitespace() || it.is_control()) {
            return Err(InvalidUrl::Character);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUrl::Scheme)?;
        let secure = match scheme {
            it if it.eq_ignore_ascii_case("ws") => false,
            it if it.eq_ignore_ascii_case("wss") => true,
            _ => return Err(InvalidUrl::Scheme),
        };
        if rest.contains('#') {
            return Err(InvalidUrl::Fragment);
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at(at);
        if authority.contains('@') {
            return Err(InvalidUrl::UserInformation);
        }
        let (host, port) = split_port(authority, secure)?;
        Ok(Self {
            secure,
            host,
            port,
            resource: resource_name(resource),
        })
    }

    /// Whether the scheme is `wss`.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port: the one that is given, else 80, or 443 for `wss`.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as they stand in the request (RFC 6455 §3).
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether scheme, host and port are the same: where credentials meant for one may go.
    pub(crate) fn is_same_origin(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }

    /// Host and port, the port always among them.
    pub(crate) fn host_and_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The value of the Host header: with the port unless it is the default one.
    //= WS-026
    pub fn authority(&self) -> String {
        if self.port == default_port(self.secure) {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl core::str::FromStr for Url {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        Self::parse(text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority(), self.resource)
    }
}

//= WS-004
const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn split_port(authority: &str, secure: bool) -> Result<(String, u16), InvalidUrl> {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(InvalidUrl::Host)? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(host_end);
    let port = match rest.strip_prefix(':') {
        Some("") => default_port(secure),
        Some(digits) if digits.bytes().all(|it| it.is_ascii_digit()) => digits
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or(InvalidUrl::Port)?,
        Some(_) => return Err(InvalidUrl::Port),
        None if rest.is_empty() => default_port(secure),
        None => return Err(InvalidUrl::Host),
    };
    if !is_host(host) {
        return Err(InvalidUrl::Host);
    }
    Ok((host.to_ascii_lowercase(), port))
}

//= WS-182
pub(crate) fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.len() <= 253
                && host
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || b"-._~".contains(&it))
        }
    }
}

//= WS-005
//= WS-183
fn resource_name(given: &str) -> String {
    let mut resource = if given.starts_with('/') {
        String::new()
    } else {
        "/".to_owned()
    };
    for byte in given.trim_end_matches('?').bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                resource.push_str(&format!("%{byte:02X}"));
            }
            _ => resource.push(char::from(byte)),
        }
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    //= WS-004 type=test
    //= WS-005 type=test
    //= WS-006 type=test
    #[test]
    fn urls_are_taken_apart() {
        for (text, secure, host, port, resource, authority) in [
            (
                "ws://example.com",
                false,
                "example.com",
                80,
                "/",
                "example.com",
            ),
            (
                "WS://Example.COM/",
                false,
                "example.com",
                80,
                "/",
                "example.com",
            ),
            (
                "wss://example.com/chat?x=1",
                true,
                "example.com",
                443,
                "/chat?x=1",
                "example.com",
            ),
            ("ws://h:8080?q", false, "h", 8080, "/?q", "h:8080"),
            ("ws://h:80/a%23b", false, "h", 80, "/a%23b", "h"),
            ("ws://h/a?", false, "h", 80, "/a", "h"),
            ("ws://h:/a", false, "h", 80, "/a", "h"),
            ("wss://[::1]:9001/p", true, "::1", 9001, "/p", "[::1]:9001"),
            (
                "ws://127.0.0.1:1/",
                false,
                "127.0.0.1",
                1,
                "/",
                "127.0.0.1:1",
            ),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(
                (url.is_secure(), url.host(), url.port(), url.resource()),
                (secure, host, port, resource),
                "{text}"
            );
            assert_eq!(url.authority(), authority, "{text}");
        }
    }

    //= WS-183 type=test
    #[test]
    fn what_is_not_ascii_is_encoded_in_the_path() {
        assert_eq!(
            Url::parse("ws://h/é?ü={}").unwrap().resource(),
            "/%C3%A9?%C3%BC=%7B%7D"
        );
    }

    //= WS-002 type=test
    //= WS-003 type=test
    //= WS-008 type=test
    //= WS-182 type=test
    #[test]
    fn malformed_urls_are_refused_before_anything_is_opened() {
        for (text, error) in [
            ("http://h/", InvalidUrl::Scheme),
            ("h/p", InvalidUrl::Scheme),
            ("ws://h/p#x", InvalidUrl::Fragment),
            ("ws://h#", InvalidUrl::Fragment),
            ("ws://", InvalidUrl::Host),
            ("ws:///p", InvalidUrl::Host),
            ("ws://bücher.example/", InvalidUrl::Host),
            ("ws://a_b!/", InvalidUrl::Host),
            ("ws://[::1/", InvalidUrl::Host),
            ("ws://[::g]/", InvalidUrl::Host),
            ("ws://[::1]x/", InvalidUrl::Host),
            ("ws://h:0/", InvalidUrl::Port),
            ("ws://h:65536/", InvalidUrl::Port),
            ("ws://h:+1/", InvalidUrl::Port),
            ("ws://h:a/", InvalidUrl::Port),
            ("ws://u:p@h/", InvalidUrl::UserInformation),
            ("ws://h/a b", InvalidUrl::Character),
            ("ws://h/a\r\nX: y", InvalidUrl::Character),
            ("ws://h/\u{0}", InvalidUrl::Character),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text:?}");
        }
    }
}
