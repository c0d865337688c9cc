//! What a verified token says.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;

use crate::announce::json;
use crate::announce::token::error::TokenError;

/// How far the clock of the issuer and ours may be apart.
pub const SKEW: Duration = Duration::from_secs(30);

/// How far ahead `exp` may lie: ten years. What lies further ahead was meant in milliseconds.
pub const LIFETIME_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// The longest name of a user, in bytes of UTF-8.
pub const USER_BYTES_MAX: usize = 256;

/// How far ahead `iat` may lie.
const ISSUED_AHEAD_MAX: Duration = Duration::from_secs(60);

/// The most namespaces or scopes that one token may list.
const LIST_MAX: usize = 256;

/// The claims of a token whose signature and times have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    user: String,
    namespaces: Vec<String>,
    scopes: Vec<String>,
    expires_at: SystemTime,
    id: Option<String>,
    issuer: Option<String>,
    audience: Vec<String>,
}

impl Claims {
    /// The person: the claim `preferred_username`, else `sub`.
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

    /// Whether the claim `scope` lists this scope.
    #[must_use]
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }

    /// The claim `exp`, without the permitted skew.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// The claim `jti`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Reads claims and checks them at `now`.
    pub(crate) fn read(text: &str, now: SystemTime) -> Result<Self, TokenError> {
        let fields = json::object(text).map_err(|_| TokenError::Malformed)?;
        let find = |name: &'static str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| *value)
        };
        //= V-87
        //= A49
        let expires_at = time("exp", find("exp").ok_or(TokenError::Missing("exp"))?)?;
        if expires_at.checked_add(SKEW).is_none_or(|end| now >= end) {
            return Err(TokenError::Expired);
        }
        //= V-94
        if now
            .checked_add(LIFETIME_MAX)
            .is_none_or(|end| expires_at > end)
        {
            return Err(TokenError::TooFar);
        }
        not_ahead("nbf", find("nbf"), now, SKEW)?;
        not_ahead("iat", find("iat"), now, ISSUED_AHEAD_MAX)?;
        //= A51
        let user = match find("preferred_username") {
            Some(value) => name("preferred_username", value, USER_BYTES_MAX)?,
            None => name(
                "sub",
                find("sub").ok_or(TokenError::Missing("sub"))?,
                USER_BYTES_MAX,
            )?,
        };
        if let Some(value) = find("sub") {
            name("sub", value, USER_BYTES_MAX)?;
        }
        Ok(Self {
            user,
            namespaces: namespaces(find("namespaces"))?,
            scopes: scopes(find("scope"))?,
            expires_at,
            id: find("jti")
                .map(|value| name("jti", value, 256))
                .transpose()?,
            issuer: find("iss")
                .map(|value| name("iss", value, 1024))
                .transpose()?,
            audience: find("aud").map_or(Ok(Vec::new()), |value| list("aud", value))?,
        })
    }

    /// Checks who issued the token and for whom, where that is asked for.
    pub(crate) fn check_source(
        &self,
        issuer: Option<&str>,
        audience: Option<&str>,
    ) -> Result<(), TokenError> {
        let issued = issuer.is_none_or(|issuer| self.issuer.as_deref() == Some(issuer));
        let meant = audience.is_none_or(|audience| self.audience.iter().any(|a| a == audience));
        if issued && meant {
            Ok(())
        } else {
            Err(TokenError::Source)
        }
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
) -> Result<(), TokenError> {
    let Some(value) = value else { return Ok(()) };
    let from = time(claim, value)?;
    match now.checked_add(slack) {
        Some(latest) if from <= latest => Ok(()),
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
    let one = json::string(value).map(|text| vec![text]);
    let list = one
        .or_else(|| json::strings(value))
        .ok_or(TokenError::Claim(claim))?;
    let sound = list.len() <= LIST_MAX && list.iter().all(|text| is_name(text, 1024));
    if sound {
        Ok(list)
    } else {
        Err(TokenError::Claim(claim))
    }
}

fn namespaces(value: Option<&RawValue>) -> Result<Vec<String>, TokenError> {
    let Some(value) = value else {
        return Ok(vec!["main".to_owned()]);
    };
    let list = list("namespaces", value)?;
    let sound = !list.is_empty() && list.iter().all(|text| is_name(text, 128));
    if sound {
        Ok(list)
    } else {
        Err(TokenError::Claim("namespaces"))
    }
}

fn scopes(value: Option<&RawValue>) -> Result<Vec<String>, TokenError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let Some(text) = json::string(value) else {
        return list("scope", value);
    };
    let scopes: Vec<String> = text
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    let sound = scopes.len() <= LIST_MAX && scopes.iter().all(|scope| is_name(scope, 1024));
    if sound {
        Ok(scopes)
    } else {
        Err(TokenError::Claim("scope"))
    }
}
