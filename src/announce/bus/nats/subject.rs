//! Topics as NATS subjects, and back.
//!
//! A topic `socket:send` of the namespace `acme` is the subject `PREFIX.acme.t.socket.send`. The
//! parts between the colons are tokens of the subject. What a token cannot hold is written as
//! `%` and two hexadecimal digits for each byte: `.`, `*`, `>`, `%`, white space, and all that is
//! not ASCII. An empty part, and a missing namespace, is the token `%` alone. So two topics never
//! share a subject, and each subject tells its topic.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::announce::bus::topic::Topic;

const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'.').add(b'*').add(b'>').add(b'%');

/// The subject of a topic in a namespace.
#[must_use]
pub fn subject(prefix: &str, namespace: Option<&str>, topic: &Topic) -> String {
    format!(
        "{prefix}.{}.t.{}",
        token(namespace.unwrap_or_default()),
        tokens(topic)
    )
}

/// The subjects of a topic in every namespace.
#[must_use]
pub fn in_any_namespace(prefix: &str, topic: &Topic) -> String {
    format!("{prefix}.*.t.{}", tokens(topic))
}

/// The namespace and the topic of a subject, if it is one that [`subject`] writes.
#[must_use]
pub fn parse(prefix: &str, subject: &str) -> Option<(Option<String>, Topic)> {
    let rest = subject.strip_prefix(prefix)?.strip_prefix('.')?;
    let (namespace, rest) = rest.split_once('.')?;
    let parts: Option<Vec<String>> = rest.strip_prefix("t.")?.split('.').map(plain).collect();
    let topic = Topic::parse(&parts?.join(":")).ok()?;
    let namespace = Some(plain(namespace)?).filter(|name| !name.is_empty());
    Some((namespace, topic))
}

fn tokens(topic: &Topic) -> String {
    let tokens: Vec<_> = topic.as_str().split(':').map(token).collect();
    tokens.join(".")
}

fn token(part: &str) -> String {
    if part.is_empty() {
        return "%".to_owned();
    }
    utf8_percent_encode(part, ESCAPED).collect()
}

/// The text of a token; none where no text is written in that way.
fn plain(written: &str) -> Option<String> {
    if written == "%" {
        return Some(String::new());
    }
    let text = percent_decode_str(written).decode_utf8().ok()?;
    (!written.is_empty() && token(&text) == written).then(|| text.into_owned())
}
