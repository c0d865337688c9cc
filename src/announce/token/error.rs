//! Why a token was refused.

use core::fmt;

/// The longest token that is looked at, in bytes.
pub const BYTES_MAX: usize = 8 * 1024;

/// Why a token was refused. For logs: it holds nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than [`BYTES_MAX`].
    TooLong,
    /// Not three base64url segments of JSON objects, or a name stands twice in one of them.
    Malformed,
    /// The signature is not HS256 with this secret.
    Signature,
    /// The header names another algorithm, or none.
    Algorithm,
    /// The header demands that an extension be understood.
    Critical,
    /// This claim is required and absent.
    Missing(&'static str),
    /// This claim has the wrong type or a value that is not allowed.
    Claim(&'static str),
    /// `exp` has passed.
    Expired,
    /// `exp` is further ahead than `LIFETIME_MAX`.
    TooFar,
    /// `nbf` or `iat` is still to come.
    NotYet,
    /// `iss` or `aud` is not the one that is asked for.
    Source,
    /// Signing or verifying does not work in this build.
    Broken,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the token is longer than {BYTES_MAX} bytes"),
            Self::Malformed => f.write_str("the token is not three segments of base64url JSON"),
            Self::Signature => f.write_str("the signature does not verify"),
            Self::Algorithm => f.write_str("the algorithm is not HS256"),
            Self::Critical => f.write_str("the header has critical extensions"),
            Self::Missing(claim) => write!(f, "the claim {claim} is missing"),
            Self::Claim(claim) => write!(f, "the claim {claim} has a wrong type or value"),
            Self::Expired => f.write_str("the token has expired"),
            Self::TooFar => f.write_str("the token expires too far ahead; exp is in seconds"),
            Self::NotYet => f.write_str("the token is not valid yet"),
            Self::Source => f.write_str("the issuer or the audience is not the one expected"),
            Self::Broken => f.write_str("tokens cannot be signed or verified in this build"),
        }
    }
}

impl core::error::Error for TokenError {}
