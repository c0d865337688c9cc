//! Who is concerned, as handlers are told.

use alloc::string::{String, ToString as _};
use core::error;
use core::fmt;
use core::net::IpAddr;
use std::time::UNIX_EPOCH;

use crate::announce::bus::Json;
use crate::announce::json::{self, Object};
use crate::announce::token::Claims;

/// One connection, from verified claims alone.
#[derive(Clone, Debug)]
pub struct Context {
    namespace: String,
    json: Json,
}

impl Context {
    /// The context of a connection with the id `connection`, from `remote`, in `namespace`.
    ///
    /// # Errors
    ///
    /// The claims do not allow the namespace.
    pub fn new(
        claims: &Claims,
        namespace: &str,
        connection: &str,
        remote: IpAddr,
    ) -> Result<Self, OtherNamespace> {
        //= B05
        if !claims.namespaces().iter().any(|name| name == namespace) {
            return Err(OtherNamespace);
        }
        let since = claims.expires_at().duration_since(UNIX_EPOCH);
        //= B31
        let id = claims.id().map(json::quoted);
        let jwt = Object::new()
            .text("preferred_username", claims.user())
            .raw(
                "namespaces",
                &json::list(claims.namespaces().iter().map(String::as_str)),
            )
            .number("exp", since.unwrap_or_default().as_secs())
            .raw_if("jti", id.as_deref())
            .end();
        //= B32
        let json = Object::new()
            .raw("headers", &Object::new().raw("jwt", &jwt).end())
            .raw("params", &Object::new().text("namespace", namespace).end())
            .text("connection", connection)
            .text("remote", &remote.to_string())
            .end();
        Ok(Self {
            namespace: namespace.to_string(),
            json: Json::written(json),
        })
    }

    /// The namespace of the connection.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn json(&self) -> &Json {
        &self.json
    }
}

/// The token does not allow the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherNamespace;

impl fmt::Display for OtherNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token does not allow this namespace")
    }
}

impl error::Error for OtherNamespace {}
