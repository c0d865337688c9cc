//! What a producer orders: the data of `send` and `broadcast` topics.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::value::RawValue;

use crate::announce::bus::{Credential, Json, Refused};
use crate::announce::gateway::settings::BroadcastScope;
use crate::announce::json;
use crate::announce::token::USER_BYTES_MAX;

/// The most persons that one `send` may name.
pub const USERS_MAX: usize = 1000;

/// The most connections that one order may except.
pub const EXCLUDE_MAX: usize = 100;

/// The longest `type`, `id` or name of a connection, in bytes.
pub const WORD_BYTES_MAX: usize = 256;

/// How long something that is kept may be asked to last.
pub const TTL_MAX: Duration = Duration::from_secs(366 * 86_400);

const SEND_FIELDS: [&str; 9] = [
    "username",
    "namespace",
    "type",
    "payload",
    "id",
    "exclude",
    "store_if_offline",
    "ttl",
    "priority",
];
const BROADCAST_FIELDS: [&str; 7] = [
    "namespace",
    "type",
    "payload",
    "id",
    "exclude",
    "ttl",
    "priority",
];
const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

/// What is ordered, once it has been checked.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// None: every namespace.
    pub(crate) namespace: Option<String>,
    /// None: everybody.
    pub(crate) users: Option<Vec<String>>,
    pub(crate) kind: String,
    pub(crate) payload: Json,
    pub(crate) id: Option<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) is_kept: bool,
    pub(crate) ttl: Option<Duration>,
    pub(crate) priority: Option<String>,
}

/// Reads the data of a `send` topic.
pub(crate) fn send(data: &Json, producer: &Credential, broadcast: &str) -> Result<Order, Refused> {
    let fields = Fields::read(data, &SEND_FIELDS)?;
    //= B42
    //= B48
    let Some(users) = fields.find("username") else {
        return Err(invalid(format!(
            "`username` is missing; to reach everybody publish on `{broadcast}`"
        )));
    };
    let users = users_of(users)?;
    //= B27
    //= B28
    //= B43
    let namespace = match fields.namespace()? {
        Some(namespace) => Some(within(producer, namespace)?),
        None if producer.is_for_any_namespace() => None,
        None => return Err(invalid("`namespace` is missing".into())),
    };
    let is_kept = fields.flag("store_if_offline")?;
    if is_kept && namespace.is_none() {
        return Err(invalid("`store_if_offline` needs a `namespace`".into()));
    }
    fields.order(namespace, Some(users), is_kept)
}

/// Reads the data of a `broadcast` topic.
pub(crate) fn broadcast(
    data: &Json,
    producer: &Credential,
    scope: BroadcastScope,
) -> Result<Order, Refused> {
    let fields = Fields::read(data, &BROADCAST_FIELDS)?;
    //= B44
    let everywhere = scope == BroadcastScope::AllNamespaces && producer.is_for_any_namespace();
    let namespace = match (fields.namespace()?, producer.namespace()) {
        (Some(namespace), _) => Some(within(producer, namespace)?),
        (None, _) if everywhere => None,
        (None, Some(own)) => Some(own.into()),
        (None, None) => return Err(invalid("`namespace` is missing".into())),
    };
    fields.order(namespace, None, false)
}

/// A namespace, if the producer may publish into it.
fn within(producer: &Credential, namespace: String) -> Result<String, Refused> {
    let is_own = producer.namespace() == Some(&*namespace);
    if is_own || producer.is_for_any_namespace() {
        return Ok(namespace);
    }
    Err(Refused::Forbidden(
        "another namespace needs the scope `send:any-namespace`".into(),
    ))
}

fn users_of(value: &RawValue) -> Result<Vec<String>, Refused> {
    let one = json::string(value).map(|user| vec![user]);
    let users = one.or_else(|| json::strings(value)).unwrap_or_default();
    let sound = (1..=USERS_MAX).contains(&users.len())
        && users.iter().all(|user| is_word(user, USER_BYTES_MAX));
    if !sound {
        return Err(invalid(format!(
            "`username` is a name, or a list of 1 to {USERS_MAX} names"
        )));
    }
    Ok(unique(users))
}

/// Each name once, so that nobody receives something twice.
fn unique(mut names: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn is_word(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control)
}

fn invalid(why: String) -> Refused {
    Refused::Invalid(why)
}

struct Fields<'a>(json::Fields<'a>);

impl<'a> Fields<'a> {
    fn read(data: &'a Json, known: &[&str]) -> Result<Self, Refused> {
        let fields = json::object(data.as_str()).map_err(|fault| invalid(format!("{fault}")))?;
        //= C24
        if let Some((name, _)) = fields
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            let name: String = name.chars().take(64).collect();
            return Err(invalid(format!(
                "unknown field {name:?}; known are {}",
                known.join(", ")
            )));
        }
        Ok(Self(fields))
    }

    /// A field that is there, and not `null`.
    fn find(&self, name: &str) -> Option<&'a RawValue> {
        self.raw(name).filter(|value| value.get() != "null")
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, v)| *v)
    }

    fn word(&self, name: &str) -> Result<Option<String>, Refused> {
        let Some(value) = self.find(name) else {
            return Ok(None);
        };
        json::string(value)
            .filter(|text| is_word(text, WORD_BYTES_MAX))
            .map(Some)
            .ok_or_else(|| {
                invalid(format!(
                    "`{name}` is a string of 1 to {WORD_BYTES_MAX} bytes"
                ))
            })
    }

    fn namespace(&self) -> Result<Option<String>, Refused> {
        self.word("namespace")
    }

    fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.find(name).map(RawValue::get) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(invalid(format!("`{name}` is true or false"))),
        }
    }

    fn ttl(&self) -> Result<Option<Duration>, Refused> {
        let Some(value) = self.find("ttl") else {
            return Ok(None);
        };
        let ttl = json::whole(value).map(Duration::from_secs);
        match ttl.filter(|ttl| !ttl.is_zero() && *ttl <= TTL_MAX) {
            Some(ttl) => Ok(Some(ttl)),
            None => Err(invalid(format!(
                "`ttl` is a whole number of seconds, 1 to {}",
                TTL_MAX.as_secs()
            ))),
        }
    }

    fn priority(&self) -> Result<Option<String>, Refused> {
        let priority = self.word("priority")?;
        match &priority {
            Some(name) if !PRIORITIES.contains(&name.as_str()) => Err(invalid(format!(
                "`priority` is one of {}",
                PRIORITIES.join(", ")
            ))),
            _ => Ok(priority),
        }
    }

    fn exclude(&self) -> Result<Vec<String>, Refused> {
        let Some(value) = self.find("exclude") else {
            return Ok(Vec::new());
        };
        let one = json::string(value).map(|connection| vec![connection]);
        one.or_else(|| json::strings(value))
            .filter(|list| {
                list.len() <= EXCLUDE_MAX && list.iter().all(|it| is_word(it, WORD_BYTES_MAX))
            })
            .ok_or_else(|| {
                invalid(format!(
                    "`exclude` is a connection, or a list of at most {EXCLUDE_MAX}"
                ))
            })
    }

    fn order(
        &self,
        namespace: Option<String>,
        users: Option<Vec<String>>,
        is_kept: bool,
    ) -> Result<Order, Refused> {
        let Some(kind) = self.word("type")? else {
            return Err(invalid("`type` is missing".into()));
        };
        let Some(payload) = self.raw("payload") else {
            return Err(invalid("`payload` is missing".into()));
        };
        Ok(Order {
            namespace,
            users,
            kind,
            payload: Json::raw(payload),
            id: self.word("id")?,
            exclude: self.exclude()?,
            is_kept,
            ttl: self.ttl()?,
            priority: self.priority()?,
        })
    }
}
