//! Tokens that are not to be believed any more.

use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::Connection;

use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::row::{milliseconds, time};
use crate::announce::store::tell::tell_revoked;
use crate::announce::token::{Revocation, RevocationKind};

impl Store {
    /// Keeps a revocation. One of the same thing is widened: the later times count.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be stored.
    ///
    /// # Cancel safety
    ///
    /// It is stored or not; asking again changes nothing more.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), StoreError> {
        self.write(move |connection| keep(connection, &revocation))
            .await
    }

    /// The revocations that still count at `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn revocations(&self, now: SystemTime) -> Result<Vec<Revocation>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT kind, value, issued_before, until FROM revocation
                 WHERE until > ?1 ORDER BY kind, value",
            )?;
            let mut rows = statement.query((milliseconds(now),))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let kind = RevocationKind::from_name(&row.get::<_, String>(0)?);
                // A kind of a later version is none that this one could apply.
                let Some(kind) = kind else { continue };
                let value = row.get(1)?;
                let (issued_before, until) = (time(row.get(2)?), time(row.get(3)?));
                found.push(Revocation::new(kind, value, issued_before, until));
            }
            Ok(found)
        })
        .await
    }
}

fn keep(connection: &Connection, revocation: &Revocation) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO revocation (kind, namespace, value, issued_before, until)
             VALUES (?1, '', ?2, ?3, ?4) ON CONFLICT (kind, namespace, value) DO UPDATE SET
               issued_before = max(issued_before, excluded.issued_before),
               until = max(until, excluded.until)",
        )?
        .execute((
            revocation.kind.name(),
            &revocation.value,
            milliseconds(revocation.issued_before),
            milliseconds(revocation.until),
        ))?;
    tell_revoked(connection)
}
