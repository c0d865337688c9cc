//! What a text has to look like, each rule with the words that explain it.

use core::net::{IpAddr, SocketAddr};

use crate::announce::schedule::{Cron, time_zone};

/// A rule on a text.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// What is expected, as it reads behind "expected".
    pub(crate) expected: &'static str,
    /// Whether a text is that.
    pub(crate) accepts: fn(&str) -> bool,
}

impl core::fmt::Debug for Rule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Rule({})", self.expected)
    }
}

//= B04
pub(crate) const PATH: Rule = Rule {
    expected: "a path such as /connect: it begins with `/` and has no query",
    accepts: |text| {
        text.starts_with('/')
            && text.len() <= 255
            && !text.contains("//")
            && text.split('/').all(|part| part != "." && part != "..")
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#%\\".contains(&b))
    },
};

//= B15
pub(crate) const TOPIC: Rule = Rule {
    expected: "a topic: 1 to 255 bytes without control characters",
    accepts: line::<255>,
};

pub(crate) const LABEL: Rule = Rule {
    expected: "a type: 1 to 255 bytes without control characters",
    accepts: line::<255>,
};

pub(crate) const NAMESPACE: Rule = Rule {
    expected: "a namespace: 1 to 64 letters, digits, `_`, `.` or `-`",
    accepts: name,
};

pub(crate) const ID: Rule = Rule {
    expected: "an id: 1 to 64 letters, digits, `_`, `.` or `-`",
    accepts: name,
};

pub(crate) const ORIGIN: Rule = Rule {
    expected: "an origin such as https://app.example.com, without a path, or \"*\" for all",
    accepts: |text| text == "*" || is_origin(text),
};

pub(crate) const HTTP_URL: Rule = Rule {
    expected: "an http or https URL without a user or password in it",
    accepts: |text| is_url(text, &["http://", "https://"]),
};

pub(crate) const NATS_URL: Rule = Rule {
    expected: "a nats or tls URL without a user or password in it",
    accepts: |text| is_url(text, &["nats://", "tls://"]),
};

pub(crate) const FILE: Rule = Rule {
    expected: "the path of a file",
    accepts: line::<4096>,
};

pub(crate) const FOLDER: Rule = Rule {
    expected: "the path of a folder",
    accepts: line::<4096>,
};

pub(crate) const VARIABLE: Rule = Rule {
    expected: "the name of an environment variable, never the secret itself",
    accepts: |text| {
        text.len() <= 48
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    },
};

pub(crate) const SCOPE: Rule = Rule {
    expected: "a scope such as announce:public, without spaces",
    accepts: |text| {
        (1..=255).contains(&text.len()) && !text.contains(|c: char| c.is_control() || c == ' ')
    },
};

pub(crate) const FEED: Rule = Rule {
    expected: "a feed: Public, the name of a channel, role:NAME or user:NAME",
    accepts: |text| {
        let name = text
            .strip_prefix("role:")
            .or_else(|| text.strip_prefix("user:"))
            .unwrap_or(text);
        line::<128>(text) && !name.is_empty() && !text.contains('\'')
    },
};

pub(crate) const CRON: Rule = Rule {
    expected: "five fields in quotes, minute hour day month weekday, with a day that comes, \
        such as \"1 10 20 * *\"",
    accepts: |text| Cron::new(text).is_ok(),
};

pub(crate) const ZONE: Rule = Rule {
    expected: "a time zone of the IANA database, such as Europe/Stockholm",
    accepts: |text| text.len() <= 64 && time_zone(text).is_ok(),
};

pub(crate) const LISTEN: Rule = Rule {
    expected: "an address and a port from 0 to 65535, such as 127.0.0.1:4000",
    accepts: |text| text.parse::<SocketAddr>().is_ok(),
};

pub(crate) const NETWORK: Rule = Rule {
    expected: "an address or a network, such as 10.0.0.0/8",
    accepts: |text| text.parse::<IpAddr>().is_ok() || text.parse::<ipnet::IpNet>().is_ok(),
};

pub(crate) const HOST: Rule = Rule {
    expected: "a host such as app.example.com, with a port if only that one counts",
    accepts: is_authority,
};

pub(crate) const CLAIM: Rule = Rule {
    expected: "the name of a claim: 1 to 255 bytes without control characters",
    accepts: line::<255>,
};

pub(crate) const COOKIE: Rule = Rule {
    expected: "the name of a cookie: letters, digits and `_`, `-` or `.`",
    accepts: name,
};

pub(crate) const SUBJECT: Rule = Rule {
    expected: "the first part of a NATS subject: letters, digits, `_` or `-`",
    accepts: |text| name(text) && !text.contains('.'),
};

pub(crate) const WORDS: Rule = Rule {
    expected: "text of at most 255 bytes on one line",
    accepts: line::<255>,
};

pub(crate) const BODY: Rule = Rule {
    expected: "text of 1 byte to 32 KiB",
    accepts: |text| (1..=32 << 10).contains(&text.len()),
};

fn line<const BYTES_MAX: usize>(text: &str) -> bool {
    (1..=BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control)
}

fn name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn is_origin(text: &str) -> bool {
    text.strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .is_some_and(is_authority)
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    text.len() <= 2048
        && text.bytes().all(|b| b.is_ascii_graphic())
        && rest.is_some_and(|rest| {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            is_authority(&rest[..end])
        })
}

/// A host and perhaps a port, without a user.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    let is_host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => {
            (1..=253).contains(&host.len())
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        }
    };
    is_host && port.is_none_or(is_port)
}
