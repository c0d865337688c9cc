//! What the header of a token says: which key is meant, and nothing that is believed.

use alloc::string::String;

use crate::announce::json;
use crate::announce::token::algorithm::Algorithm;
use crate::announce::token::error::TokenError;

/// The longest name of a key, in bytes of UTF-8.
pub(crate) const KID_BYTES_MAX: usize = 256;

/// The two things that a header may choose, among the keys that are there.
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
}

impl Header {
    //= AU-13
    //= V-89
    /// Reads a header. Keys and addresses of keys in it (`jwk`, `jku`, `x5c`, `x5u`) are
    /// members like any that nobody asked for.
    pub(crate) fn read(text: &str, taken: &[Algorithm]) -> Result<Self, TokenError> {
        let fields = json::object(text).map_err(|_| TokenError::Malformed)?;
        let (mut algorithm, mut kid) = (None, None);
        for (name, value) in &fields {
            match name.as_str() {
                "alg" => algorithm = json::string(value).and_then(|it| Algorithm::from_name(&it)),
                // No extension is understood, so none may be critical.
                //= AU-17
                "crit" => return Err(TokenError::Critical),
                //= AU-12
                "kid" => {
                    let id = json::string(value).filter(|id| id.len() <= KID_BYTES_MAX);
                    kid = Some(id.ok_or(TokenError::Claim("kid"))?);
                }
                _ => {}
            }
        }
        //= AU-02
        match algorithm.filter(|it| taken.contains(it)) {
            Some(algorithm) => Ok(Self { algorithm, kid }),
            None => Err(TokenError::Algorithm),
        }
    }
}
