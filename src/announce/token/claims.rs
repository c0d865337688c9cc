//! What a verified token says.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;

use crate::announce::json::{self, Fields};
use crate::announce::token::error::TokenError;
use crate::announce::token::settings::Settings;

/// The longest name of a user, in bytes of UTF-8.
pub const USER_BYTES_MAX: usize = 256;

/// How far ahead `iat` may lie.
const ISSUED_AHEAD_MAX: Duration = Duration::from_secs(60);

/// The most namespaces, scopes, roles or channels that one token may list.
const LIST_MAX: usize = 256;

/// The longest of them, in bytes of UTF-8.
const ITEM_BYTES_MAX: usize = 1024;

/// The scope that holds one for each channel, and what the names of those begin with.
const EVERY_CHANNEL: &str = "announce:channel";
const ONE_CHANNEL: &str = "announce:channel:";

/// The claims of a token whose signature and times have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    user: String,
    namespaces: Vec<String>,
    scopes: Vec<String>,
    roles: Vec<String>,
    channels: Vec<String>,
    expires_at: SystemTime,
    issued_at: Option<SystemTime>,
    id: Option<String>,
    issuer: Option<String>,
    audience: Vec<String>,
}

impl Claims {
    /// The person: the first claim of [`Settings::user_claim`] that is present.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The namespaces that the person belongs to, never empty; `main` where the token names
    /// none. The first is the one to use when none is asked for.
    #[must_use]
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// Whether the token gives this right.
    ///
    /// A scope gives the right of its own name. `announce:channel` gives that of every
    /// `announce:channel:NAME` besides. Nothing else is implied: no scope is a pattern, and
    /// without a scope nothing is allowed.
    #[must_use]
    pub fn allows(&self, scope: &str) -> bool {
        let of_a_channel = scope
            .strip_prefix(ONE_CHANNEL)
            .is_some_and(|name| !name.is_empty());
        self.scopes
            .iter()
            .any(|held| held == scope || (of_a_channel && held == EVERY_CHANNEL))
    }

    /// The roles of the person.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The channels that the person is a member of.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// The claim `exp`, without the permitted skew.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// The claim `iat`.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.issued_at
    }

    /// The claim `jti`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The claim `iss`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Reads claims and checks them at `now`.
    pub(crate) fn read(
        text: &str,
        settings: &Settings,
        now: SystemTime,
    ) -> Result<Self, TokenError> {
        let fields = json::object(text).map_err(|_| TokenError::Malformed)?;
        let skew = settings.skew;
        //= V-87
        //= A49
        let exp = find(&fields, "exp").ok_or(TokenError::Missing("exp"))?;
        let expires_at = time("exp", exp)?;
        //= V-94
        if now
            .checked_add(settings.lifetime_max)
            .is_none_or(|end| expires_at > end)
        {
            return Err(TokenError::TooFar);
        }
        if expires_at.checked_add(skew).is_none_or(|end| now >= end) {
            return Err(TokenError::Expired);
        }
        not_ahead("nbf", find(&fields, "nbf"), now, skew)?;
        let issued_at = not_ahead("iat", find(&fields, "iat"), now, ISSUED_AHEAD_MAX)?;
        //= A51
        let user = user(&fields, &settings.user_claim)?;
        if let Some(value) = find(&fields, "sub") {
            name("sub", value, USER_BYTES_MAX)?;
        }
        let claims = Self {
            user,
            namespaces: namespaces(&fields, &settings.namespace_claim)?,
            scopes: scopes(&fields, &settings.scope_claim)?,
            roles: first_array(
                &fields,
                core::slice::from_ref(&settings.roles_claim),
                "roles",
            )?,
            channels: first_array(&fields, &settings.channels_claim, "channels")?,
            expires_at,
            issued_at,
            id: find(&fields, "jti")
                .map(|value| name("jti", value, 256))
                .transpose()?,
            issuer: find(&fields, "iss")
                .map(|value| name("iss", value, ITEM_BYTES_MAX))
                .transpose()?,
            audience: find(&fields, "aud").map_or(Ok(Vec::new()), |value| list("aud", value))?,
        };
        claims.check_source(settings)?;
        check_required(&fields, &settings.required)?;
        Ok(claims)
    }

    /// Closes the namespaces at the places where `closed` says so; whether one is left.
    pub(crate) fn close_namespaces(&mut self, closed: &[bool]) -> bool {
        let mut closed = closed.iter();
        self.namespaces
            .retain(|_| !closed.next().copied().unwrap_or(false));
        !self.namespaces.is_empty()
    }

    /// Checks who issued the token and for whom, where that is asked for.
    fn check_source(&self, settings: &Settings) -> Result<(), TokenError> {
        let issuers = &settings.issuers;
        let issued =
            issuers.is_empty() || issuers.iter().any(|it| Some(it) == self.issuer.as_ref());
        let audience = settings.audience.as_ref();
        let meant = audience.is_none_or(|it| self.audience.contains(it));
        if issued && meant {
            Ok(())
        } else {
            Err(TokenError::Source)
        }
    }
}

fn find<'a>(fields: &Fields<'a>, claim: &str) -> Option<&'a RawValue> {
    fields
        .iter()
        .find(|(name, _)| name == claim)
        .map(|(_, value)| *value)
}

/// The name of a claim in an error: its own where many use it, else what it is for.
fn label(claim: &str, purpose: &'static str) -> &'static str {
    const KNOWN: [&str; 17] = [
        "iss",
        "sub",
        "aud",
        "nbf",
        "iat",
        "jti",
        "preferred_username",
        "email",
        "upn",
        "name",
        "namespaces",
        "scope",
        "scp",
        "roles",
        "channels",
        "groups",
        "azp",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == claim)
        .unwrap_or(purpose)
}

fn user(fields: &Fields<'_>, claims: &[String]) -> Result<String, TokenError> {
    let mut user = None;
    for claim in claims {
        if let Some(value) = find(fields, claim) {
            let named = name(label(claim, "user"), value, USER_BYTES_MAX)?;
            user.get_or_insert(named);
        }
    }
    let last = claims.last().map_or("user", |claim| label(claim, "user"));
    user.ok_or(TokenError::Missing(last))
}

fn check_required(fields: &Fields<'_>, required: &[String]) -> Result<(), TokenError> {
    match required.iter().find(|claim| find(fields, claim).is_none()) {
        None => Ok(()),
        Some(claim) => Err(match label(claim, "") {
            "" => TokenError::Required,
            known => TokenError::Missing(known),
        }),
    }
}

/// A time claim is a whole number of seconds and nothing else. RFC 7519 would permit a
/// fraction; no issuer needs one, and a number that a float cannot hold is then no question.
fn time(claim: &'static str, value: &RawValue) -> Result<SystemTime, TokenError> {
    json::whole(value)
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .ok_or(TokenError::Claim(claim))
}

fn not_ahead(
    claim: &'static str,
    value: Option<&RawValue>,
    now: SystemTime,
    slack: Duration,
) -> Result<Option<SystemTime>, TokenError> {
    let Some(value) = value else { return Ok(None) };
    let from = time(claim, value)?;
    match now.checked_add(slack) {
        Some(latest) if from <= latest => Ok(Some(from)),
        _ => Err(TokenError::NotYet),
    }
}

fn name(claim: &'static str, value: &RawValue, bytes_max: usize) -> Result<String, TokenError> {
    json::string(value)
        .filter(|text| is_name(text, bytes_max))
        .ok_or(TokenError::Claim(claim))
}

pub(crate) fn is_name(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control)
}

fn list(claim: &'static str, value: &RawValue) -> Result<Vec<String>, TokenError> {
    match json::string(value) {
        Some(text) => sound(claim, vec![text]),
        None => array(claim, value),
    }
}

fn array(claim: &'static str, value: &RawValue) -> Result<Vec<String>, TokenError> {
    sound(claim, json::strings(value).ok_or(TokenError::Claim(claim))?)
}

fn sound(claim: &'static str, list: Vec<String>) -> Result<Vec<String>, TokenError> {
    if list.len() <= LIST_MAX && list.iter().all(|text| is_name(text, ITEM_BYTES_MAX)) {
        Ok(list)
    } else {
        Err(TokenError::Claim(claim))
    }
}

/// The first of these claims that is present; all that are must be arrays of names.
fn first_array(
    fields: &Fields<'_>,
    claims: &[String],
    purpose: &'static str,
) -> Result<Vec<String>, TokenError> {
    let mut first = None;
    for claim in claims {
        if let Some(value) = find(fields, claim) {
            let list = array(label(claim, purpose), value)?;
            first.get_or_insert(list);
        }
    }
    Ok(first.unwrap_or_default())
}

fn namespaces(fields: &Fields<'_>, claim: &str) -> Result<Vec<String>, TokenError> {
    let Some(value) = find(fields, claim) else {
        return Ok(vec!["main".to_owned()]);
    };
    let claim = label(claim, "namespaces");
    let list = list(claim, value)?;
    let sound = !list.is_empty() && list.iter().all(|text| is_name(text, 128));
    if sound {
        Ok(list)
    } else {
        Err(TokenError::Claim(claim))
    }
}

fn scopes(fields: &Fields<'_>, claim: &str) -> Result<Vec<String>, TokenError> {
    let Some(value) = find(fields, claim) else {
        return Ok(Vec::new());
    };
    let claim = label(claim, "scope");
    let Some(text) = json::string(value) else {
        return array(claim, value);
    };
    let scopes = text.split(' ').filter(|scope| !scope.is_empty());
    sound(claim, scopes.map(ToOwned::to_owned).collect())
}
