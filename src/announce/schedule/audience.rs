//! Who is meant by a run.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::collections::HashSet;

use jiff::Timestamp;

use crate::announce::announcement::FeedKey;
use crate::announce::json;
use crate::announce::outgoing::{Failure, Outgoing, Target};

/// How many people a hook may name.
pub const AUDIENCE_USERS_MAX: usize = 50_000;

/// Who is meant by a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Audience {
    /// Everyone whom the plan's feed reaches.
    Everyone,
    /// These people, each named once.
    Users(Vec<String>),
    /// Nobody could say, so nobody.
    Unknown,
}

/// Why a hook did not say who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HookError {
    /// There is no answer.
    Failed(Failure),
    /// The answer has another status than 200.
    Status(u16),
    /// The answer cannot be understood.
    Malformed(&'static str),
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => write!(f, "audience hook: {failure}"),
            Self::Status(status) => write!(f, "audience hook: status {status}"),
            Self::Malformed(what) => write!(f, "audience hook: {what}"),
        }
    }
}

impl core::error::Error for HookError {}

/// Asks once.
pub(crate) async fn ask(
    outgoing: &Outgoing,
    hook: &Target,
    schedule: &str,
    due_at: Timestamp,
    namespace: &str,
) -> Result<Audience, HookError> {
    //= A80
    let question = json::Object::new()
        .text("schedule", schedule)
        .text("due_at", &alloc::format!("{due_at}"))
        .text("namespace", namespace)
        .end();
    let answer = outgoing.post_json(hook, &[], question).await;
    let answer = answer.map_err(HookError::Failed)?;
    if answer.status != 200 {
        return Err(HookError::Status(answer.status));
    }
    read(&answer.body).map_err(HookError::Malformed)
}

/// `{"users": [...]}` or `{"all": true}`.
fn read(body: &[u8]) -> Result<Audience, &'static str> {
    let text = core::str::from_utf8(body).map_err(|_| "the answer is not UTF-8")?;
    let fields = json::object(text).map_err(|_| "the answer is not one JSON object")?;
    let find = |name| fields.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    match (find("users"), find("all")) {
        (Some(users), None) => {
            let users = json::strings(users).ok_or("`users` is not a list of strings")?;
            named(users)
        }
        (None, Some(all)) if all.get() == "true" => Ok(Audience::Everyone),
        _ => Err("neither `users` nor `\"all\": true`"),
    }
}

fn named(users: Vec<String>) -> Result<Audience, &'static str> {
    if users.len() > AUDIENCE_USERS_MAX {
        return Err("`users` names more than 50,000 people");
    }
    let mut seen = HashSet::new();
    let mut once = Vec::with_capacity(users.len());
    for user in users {
        if user.is_empty() || feed_of(&user).is_none() {
            return Err("`users` holds a name that cannot be one");
        }
        if seen.insert(user.clone()) {
            once.push(user);
        }
    }
    Ok(Audience::Users(once))
}

/// The feed of one person.
pub(crate) fn feed_of(user: &str) -> Option<FeedKey> {
    FeedKey::new(&alloc::format!("user:{user}"))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn an_answer_names_people_or_everyone_and_nothing_else_passes() {
        let users = |names: &[&str]| Audience::Users(names.iter().map(|&n| n.into()).collect());
        assert_eq!(
            read(br#"{"users":["bob","eva","bob"]}"#),
            Ok(users(&["bob", "eva"]))
        );
        assert_eq!(read(br#"{"users":[]}"#), Ok(users(&[])));
        assert_eq!(read(br#"{"all":true}"#), Ok(Audience::Everyone));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"all":false}"#,
            r#"{"all":"true"}"#,
            r#"{"all":true,"users":[]}"#,
            r#"{"users":"bob"}"#,
            r#"{"users":[1]}"#,
            r#"{"users":[""]}"#,
            r#"{"users":["a\nb"]}"#,
            r#"{"users":["a"],"users":["b"]}"#,
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(&[b'{', 0xff]).is_err());
        let many = vec!["\"a\""; AUDIENCE_USERS_MAX + 1].join(",");
        assert!(read(alloc::format!("{{\"users\":[{many}]}}").as_bytes()).is_err());
    }
}
