//! Why a token was refused.

use core::fmt;

/// The longest token that is looked at, in bytes.
pub const BYTES_MAX: usize = 8 * 1024;

/// Why a token was refused. For logs: it holds nothing of the token.
///
/// A claim is named as RFC 7519 or its usual issuers do; one that has a name of its own in the
/// settings is named after what it is for: `user`, `namespaces`, `scope`, `roles`, `channels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than [`BYTES_MAX`].
    TooLong,
    /// Not three base64url segments of JSON objects, or a name stands twice in one of them.
    Malformed,
    /// No key of the algorithm and the name verifies the signature.
    Signature,
    /// The header names an algorithm that is not taken, or none.
    Algorithm,
    /// The header names a key that is not known, or one of an algorithm that has no key.
    UnknownKey,
    /// The header demands that an extension be understood.
    Critical,
    /// This claim is required and absent.
    Missing(&'static str),
    /// A claim is absent that the settings require, and that has no well-known name.
    Required,
    /// This claim has the wrong type or a value that is not allowed.
    Claim(&'static str),
    /// `exp` has passed.
    Expired,
    /// `exp` is further ahead than the longest lifetime.
    TooFar,
    /// `nbf` or `iat` is still to come.
    NotYet,
    /// `iss` or `aud` is not the one that is asked for, or the key belongs to another issuer.
    Source,
    /// It was revoked, or every namespace that it opens was.
    Revoked,
    /// Signing or verifying does not work in this build.
    Broken,
}

impl TokenError {
    /// A word for the reason, for counting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Signature => "signature",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Critical => "critical",
            Self::Missing(_) | Self::Required => "missing_claim",
            Self::Claim(_) => "wrong_claim",
            Self::Expired => "expired",
            Self::TooFar => "too_far",
            Self::NotYet => "not_yet",
            Self::Source => "source",
            Self::Revoked => "revoked",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the token is longer than {BYTES_MAX} bytes"),
            Self::Malformed => f.write_str("the token is not three segments of base64url JSON"),
            Self::Signature => f.write_str("the signature does not verify"),
            Self::Algorithm => f.write_str("the algorithm is not one that is taken"),
            Self::UnknownKey => f.write_str("no key is known by that name and algorithm"),
            Self::Critical => f.write_str("the header has critical extensions"),
            Self::Missing(claim) => write!(f, "the claim {claim} is missing"),
            Self::Required => f.write_str("a claim that the settings require is missing"),
            Self::Claim(claim) => write!(f, "the claim {claim} has a wrong type or value"),
            Self::Expired => f.write_str("the token has expired"),
            Self::TooFar => f.write_str("the token expires too far ahead; exp is in seconds"),
            Self::NotYet => f.write_str("the token is not valid yet"),
            Self::Source => f.write_str("the issuer or the audience is not the one expected"),
            Self::Revoked => f.write_str("the token was revoked"),
            Self::Broken => f.write_str("tokens cannot be signed or verified in this build"),
        }
    }
}

impl core::error::Error for TokenError {}
