//! Where a redirect leads (RFC 9110 §15.4).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::client::error::RedirectRefusal;
use crate::client::url::{InvalidUrl, Url};
use crate::wire::http::ResponseHead;

/// The Location of an answer that redirects.
pub(crate) fn location(head: &ResponseHead) -> Option<&str> {
    match head.status() {
        301 | 302 | 303 | 307 | 308 => head.headers().get_str("location"),
        _ => None,
    }
}

/// The URL that `location` means, seen from `from` (RFC 3986 §5.2). `http` and `https` there
/// mean `ws` and `wss`: it is the same server.
//= CS-14
pub(crate) fn target(from: &Url, location: &str) -> Result<Url, RedirectRefusal> {
    let location = location.split('#').next().unwrap_or_default();
    let target = Url::parse(&absolute(from, location)?).map_err(RedirectRefusal::Location)?;
    match from.is_secure() && !target.is_secure() {
        true => Err(RedirectRefusal::Downgrade),
        false => Ok(target),
    }
}

fn absolute(from: &Url, location: &str) -> Result<String, RedirectRefusal> {
    let scheme = if from.is_secure() { "wss" } else { "ws" };
    let authority = from.authority();
    if let Some((given, rest)) = location.split_once(':')
        && !given.contains(['/', '?'])
    {
        let scheme = match given.to_ascii_lowercase().as_str() {
            "ws" | "http" => "ws",
            "wss" | "https" => "wss",
            _ => return Err(RedirectRefusal::Location(InvalidUrl::Scheme)),
        };
        return Ok(format!("{scheme}:{rest}"));
    }
    if location.starts_with("//") {
        return Ok(format!("{scheme}:{location}"));
    }
    let (path, _) = split_query(from.resource());
    let resource = match location.chars().next() {
        None => from.resource().to_owned(),
        Some('?') => format!("{path}{location}"),
        Some('/') => without_dots(location),
        Some(_) => {
            let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
            without_dots(&format!("{folder}{location}"))
        }
    };
    Ok(format!("{scheme}://{authority}{resource}"))
}

fn split_query(resource: &str) -> (&str, &str) {
    let at = resource.find('?').unwrap_or(resource.len());
    resource.split_at(at)
}

/// Resolves `.` and `..` in the path (RFC 3986 §5.2.4).
fn without_dots(resource: &str) -> String {
    let (path, query) = split_query(resource);
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_seen_from_where_the_client_is() {
        let from = Url::parse("ws://a:81/b/c?d=e").unwrap();
        for (location, expected) in [
            ("ws://x/y", "ws://x/y"),
            ("http://x:80/y", "ws://x/y"),
            ("HTTPS://x/y#z", "wss://x/y"),
            ("//x/y", "ws://x/y"),
            ("/y?z", "ws://a:81/y?z"),
            ("y", "ws://a:81/b/y"),
            ("../y/./z/..", "ws://a:81/y/"),
            ("../../../y", "ws://a:81/y"),
            ("?f=g:h", "ws://a:81/b/c?f=g:h"),
            ("y?u=http://x/", "ws://a:81/b/y?u=http://x/"),
            ("", "ws://a:81/b/c?d=e"),
        ] {
            let found = target(&from, location).map(|it| format!("{it}"));
            assert_eq!(found.as_deref(), Ok(expected), "{location}");
        }
    }

    //= CS-14 type=test
    #[test]
    fn what_is_less_safe_or_no_server_of_websockets_is_refused() {
        let from = Url::parse("wss://a/").unwrap();
        let location = RedirectRefusal::Location;
        for (to, refusal) in [
            ("ws://a/", RedirectRefusal::Downgrade),
            ("http://a/", RedirectRefusal::Downgrade),
            ("file:///etc/passwd", location(InvalidUrl::Scheme)),
            ("javascript:alert(1)", location(InvalidUrl::Scheme)),
            ("wss://u:p@a/", location(InvalidUrl::UserInformation)),
            ("wss://a:0/", location(InvalidUrl::Port)),
            ("/a b", location(InvalidUrl::Character)),
        ] {
            assert_eq!(target(&from, to), Err(refusal), "{to}");
        }
    }
}
