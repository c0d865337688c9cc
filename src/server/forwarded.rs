//! What proxies write into the requests that they pass on: `X-Forwarded-For`,
//! `X-Forwarded-Proto` and `Forwarded` (RFC 7239).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::wire::http::Headers;

/// Where a request came from to one of the proxies that have passed it on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hop {
    address: Option<SocketAddr>,
    is_tls: Option<bool>,
}

impl Hop {
    /// The address, if it is told and can be read, and whether TLS was spoken, where it is told.
    pub(crate) fn known(&self) -> Option<(SocketAddr, Option<bool>)> {
        Some((self.address?, self.is_tls))
    }
}

/// The way of a request, the proxy that is nearest to us last.
pub(crate) fn hops(headers: Headers<'_>) -> Vec<Hop> {
    if headers.count("x-forwarded-for") > 0 {
        let values = headers.get_all("x-forwarded-for");
        let hop = |text: &str| Hop {
            address: address(text),
            is_tls: None,
        };
        return values.flat_map(|value| elements(value, hop)).collect();
    }
    let values = headers.get_all("forwarded");
    values.flat_map(|value| elements(value, hop)).collect()
}

/// Whether a page was asked for by `https`, as the nearest proxy says; `None` where it says
/// nothing, and no more than that where what it says cannot be read.
pub(crate) fn scheme(headers: Headers<'_>) -> Option<Option<bool>> {
    let value = headers.get_all("x-forwarded-proto").last()?;
    let text = core::str::from_utf8(value).ok()?;
    Some(text.rsplit(',').next().and_then(is_https))
}

fn is_https(text: &str) -> Option<bool> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("https") => Some(true),
        text if text.eq_ignore_ascii_case("http") => Some(false),
        _ => None,
    }
}

/// The elements of a list, without empty ones. Of what is no text nothing is known.
fn elements(value: &[u8], read: impl Fn(&str) -> Hop) -> Vec<Hop> {
    let Ok(text) = core::str::from_utf8(value) else {
        return Vec::from([Hop::default()]);
    };
    let Some(parts) = split(text, ',') else {
        return Vec::from([Hop::default()]);
    };
    let parts = parts.into_iter().map(str::trim);
    parts.filter(|part| !part.is_empty()).map(read).collect()
}

/// The parts between separators that stand outside of quotes; `None` where a quote is not closed.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if character == separator && !is_quoted => {
                parts.push(&text[from..at]);
                from = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    (!is_quoted).then_some(parts)
}

/// One element of `Forwarded` (RFC 7239 §4).
fn hop(text: &str) -> Hop {
    let mut hop = Hop::default();
    let mut named = 0;
    for pair in split(text, ';').unwrap_or_default() {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let value = unquoted(value.trim());
        match name.trim() {
            name if name.eq_ignore_ascii_case("for") => {
                named += 1;
                // An IPv6 address stands within brackets (§6).
                let bare = value.parse::<core::net::Ipv6Addr>().is_ok();
                hop.address = address(&value).filter(|_| !bare);
            }
            name if name.eq_ignore_ascii_case("proto") => hop.is_tls = is_https(&value),
            _ => {}
        }
    }
    // Whoever is named twice is somebody else to each reader.
    if named == 1 { hop } else { Hop::default() }
}

/// A value without its quotes, where it has them.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.into();
    };
    let mut is_escaped = false;
    let kept = inner.chars().filter(|character| {
        is_escaped = *character == '\\' && !is_escaped;
        !is_escaped
    });
    kept.collect()
}

/// An address, perhaps with its port.
fn address(text: &str) -> Option<SocketAddr> {
    let bracketed = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let alone = match bracketed {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    };
    let with_port = || text.parse::<SocketAddr>().ok();
    let address = alone.map(|ip| SocketAddr::new(ip, 0)).or_else(with_port)?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}
