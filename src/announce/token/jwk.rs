//! JWK Sets (RFC 7517): JSON text to public keys.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::value::RawValue;

use crate::announce::json::{self, Fields};
use crate::announce::token::algorithm::Algorithm;
use crate::announce::token::base64url;
use crate::announce::token::key::{Key, KeyError, Pin, p256_point};

/// The longest JWK Set that is looked at, in bytes.
pub const JWKS_BYTES_MAX: usize = 256 << 10;

/// The most entries of a document, those for other uses included.
const ENTRIES_MAX: usize = 256;

/// Members that only private or shared keys have.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a JWK Set was refused, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidJwks {
    /// Longer than [`JWKS_BYTES_MAX`].
    TooLong,
    /// No JSON object with an array of objects as `keys`, or a name stands twice in one.
    Malformed,
    /// None of its keys is for tokens.
    Empty,
    /// This entry, counted from 0, is meant for tokens and cannot be used.
    Key {
        /// Its place.
        index: usize,
        /// Why.
        error: KeyError,
    },
}

impl fmt::Display for InvalidJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the JWK Set is longer than {JWKS_BYTES_MAX} bytes"),
            Self::Malformed => f.write_str("the JWK Set is no JSON object with an array `keys`"),
            Self::Empty => f.write_str("the JWK Set has no key for RS256, ES256 or EdDSA"),
            Self::Key { index, error } => write!(f, "entry {index} of the JWK Set: {error}"),
        }
    }
}

impl core::error::Error for InvalidJwks {}

/// The keys of a document that are for tokens, and their places in it.
pub(crate) fn read(text: &str, issuer: Option<&str>) -> Result<Vec<(usize, Key)>, InvalidJwks> {
    if text.len() > JWKS_BYTES_MAX {
        return Err(InvalidJwks::TooLong);
    }
    let document = json::object(text).map_err(|_| InvalidJwks::Malformed)?;
    let entries: Vec<&RawValue> = document
        .iter()
        .find(|(name, _)| name == "keys")
        .and_then(|(_, value)| serde_json::from_str(value.get()).ok())
        .ok_or(InvalidJwks::Malformed)?;
    if entries.len() > ENTRIES_MAX {
        return Err(InvalidJwks::Key {
            index: ENTRIES_MAX,
            error: KeyError::TooMany,
        });
    }
    let mut keys = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let entry = json::object(entry.get()).map_err(|_| InvalidJwks::Malformed)?;
        let found = key(&entry, issuer).map_err(|error| InvalidJwks::Key { index, error })?;
        keys.extend(found.map(|key| (index, key)));
    }
    match keys.is_empty() {
        true => Err(InvalidJwks::Empty),
        false => Ok(keys),
    }
}

/// The key of one entry, if it is one for tokens.
fn key(entry: &Fields<'_>, issuer: Option<&str>) -> Result<Option<Key>, KeyError> {
    if entry
        .iter()
        .any(|(name, _)| PRIVATE.contains(&name.as_str()))
    {
        return Err(KeyError::Private);
    }
    let Some(algorithm) = purpose(entry)? else {
        return Ok(None);
    };
    let pin = Pin {
        kid: find(entry, "kid")
            .map(|value| json::string(value).ok_or(KeyError::Name))
            .transpose()?,
        issuer: issuer.map(ToOwned::to_owned),
        until: None,
    };
    let key = match algorithm {
        Algorithm::Rs256 => Key::from_rsa(&number(entry, "n")?, &number(entry, "e")?, pin),
        Algorithm::Es256 => {
            let point = p256_point(&number(entry, "x")?, &number(entry, "y")?);
            Key::from_point(algorithm, &point.ok_or(KeyError::Kind)?, pin)
        }
        _ => {
            let point = number(entry, "x")?;
            match point.len() {
                32 => Key::from_point(algorithm, &point, pin),
                _ => Err(KeyError::Kind),
            }
        }
    };
    key.map(Some)
}

/// The algorithm that an entry is for: by its type and curve, unless it says that it is for
/// something else.
fn purpose(entry: &Fields<'_>) -> Result<Option<Algorithm>, KeyError> {
    let (use_, operations) = (text(entry, "use")?, find(entry, "key_ops"));
    let operations = operations.map(|value| json::strings(value).ok_or(KeyError::Kind));
    let operations = operations.transpose()?;
    let verifies = operations.is_none_or(|list| list.iter().any(|it| it == "verify"));
    if use_.is_some_and(|it| it != "sig") || !verifies {
        return Ok(None);
    }
    let kind = text(entry, "kty")?.ok_or(KeyError::Kind)?;
    let by_kind = match kind.as_str() {
        "RSA" => Algorithm::Rs256,
        "EC" if text(entry, "crv")?.as_deref() == Some("P-256") => Algorithm::Es256,
        "OKP" if text(entry, "crv")?.as_deref() == Some("Ed25519") => Algorithm::EdDsa,
        _ => return Ok(None),
    };
    let said = match text(entry, "alg")?.as_deref() {
        None => return Ok(Some(by_kind)),
        // The name that RFC 9864 gives it.
        Some("Ed25519") => Some(Algorithm::EdDsa),
        Some(name) => Algorithm::from_name(name),
    };
    match said {
        Some(said) if said != by_kind => Err(KeyError::Kind),
        said => Ok(said),
    }
}

fn find<'a>(entry: &Fields<'a>, name: &str) -> Option<&'a RawValue> {
    let found = entry.iter().find(|(member, _)| member == name);
    found.map(|(_, value)| *value)
}

/// A member that must be text where it is present.
fn text(entry: &Fields<'_>, name: &str) -> Result<Option<String>, KeyError> {
    let found = find(entry, name).map(|value| json::string(value).ok_or(KeyError::Kind));
    found.transpose()
}

/// A member that must be present and spell bytes.
fn number(entry: &Fields<'_>, name: &str) -> Result<Vec<u8>, KeyError> {
    let spelt = text(entry, name)?.ok_or(KeyError::Kind)?;
    base64url::bytes(&spelt).ok_or(KeyError::Kind)
}
