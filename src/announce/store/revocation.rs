//! Tokens that are not to be believed any more.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::time::SystemTime;

use rusqlite::{Connection, Row};

use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::row::{milliseconds, time};

/// Which tokens are revoked.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// The token with this identifier.
    Token {
        /// The identifier: the claim `jti`.
        id: String,
    },
    /// The tokens of a person that were issued before some time.
    User {
        /// The namespace; `None` for all.
        namespace: Option<String>,
        /// The person.
        user: String,
        /// The time.
        issued_before: SystemTime,
    },
    /// The tokens for a namespace that were issued before some time.
    Namespace {
        /// The namespace.
        namespace: String,
        /// The time.
        issued_before: SystemTime,
    },
}

/// Names the kind alone: an identifier of a token is no matter for a log.
impl fmt::Debug for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token { .. } => "Token",
            Self::User { .. } => "User",
            Self::Namespace { .. } => "Namespace",
        })
    }
}

/// A revocation, and when it may be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Which tokens are revoked.
    pub what: Revoked,
    /// When the last of them has expired.
    pub until: SystemTime,
}

impl Store {
    /// Keeps a revocation. One of the same token, person or namespace that is kept already is
    /// extended, never shortened.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is kept or not; asking again changes nothing more.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), StoreError> {
        self.write(move |connection| keep(connection, &revocation))
            .await
    }

    /// The revocations that may not be forgotten yet.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn revocations(&self, now: SystemTime) -> Result<Vec<Revocation>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT kind, namespace, value, issued_before, until FROM revocation
                 WHERE until > ?1 ORDER BY kind, namespace, value",
            )?;
            let found = statement.query_map((milliseconds(now),), read)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn keep(connection: &Connection, revocation: &Revocation) -> Result<(), StoreError> {
    let (kind, namespace, value, issued_before) = match &revocation.what {
        Revoked::Token { id } => ("token", "", id.as_str(), 0),
        Revoked::User {
            namespace,
            user,
            issued_before,
        } => {
            let kind = if namespace.is_some() {
                "user"
            } else {
                "user everywhere"
            };
            let namespace = namespace.as_deref().unwrap_or_default();
            (kind, namespace, user.as_str(), milliseconds(*issued_before))
        }
        Revoked::Namespace {
            namespace,
            issued_before,
        } => (
            "namespace",
            namespace.as_str(),
            "",
            milliseconds(*issued_before),
        ),
    };
    connection
        .prepare_cached(
            "INSERT INTO revocation (kind, namespace, value, issued_before, until)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (kind, namespace, value) DO UPDATE SET
               issued_before = max(issued_before, excluded.issued_before),
               until = max(until, excluded.until)",
        )?
        .execute((
            kind,
            namespace,
            value,
            issued_before,
            milliseconds(revocation.until),
        ))?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Revocation, rusqlite::Error> {
    let kind: String = row.get(0)?;
    let (namespace, value): (String, String) = (row.get(1)?, row.get(2)?);
    let issued_before = time(row.get(3)?);
    let what = match kind.as_str() {
        "token" => Revoked::Token { id: value },
        "namespace" => Revoked::Namespace {
            namespace,
            issued_before,
        },
        kind => Revoked::User {
            namespace: (kind == "user").then_some(namespace),
            user: value,
            issued_before,
        },
    };
    Ok(Revocation {
        what,
        until: time(row.get(4)?),
    })
}
