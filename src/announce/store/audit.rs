//! A record of who did what, in which nothing can be changed unseen.
//!
//! Each record holds the SHA-256 of its own fields and of the hash before it. The tables refuse
//! to change or remove one; whoever does it behind their back breaks the chain from there on.
//! Removing the latest records is only seen by somebody who knows a later
//! [`AuditCheck::head`].

use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, Row};
use sha2::{Digest as _, Sha256};

use crate::announce::random::hex;
use crate::announce::store::error::StoreError;
use crate::announce::store::handle::Store;
use crate::announce::store::row::{limit, milliseconds, signed, time, unsigned};

/// The most records on one page.
pub const AUDIT_PAGE_MAX: usize = 1000;

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The namespace that it happened in; empty for the whole server.
    pub namespace: String,
    /// When.
    pub at: SystemTime,
    /// The verified name of who did it.
    pub actor: String,
    /// What was done, such as `announcement.recall`.
    pub action: String,
    /// To what or whom: an identifier or a name.
    pub subject: String,
    /// More about it: the text of one JSON object.
    pub detail: String,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number, from 1, over all namespaces.
    pub seq: u64,
    /// What it says.
    pub entry: AuditEntry,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// Whether the record is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// How many records there are.
    pub records: u64,
    /// The number of the first one that is not as it was written, or is missing.
    pub broken_at: Option<u64>,
    /// The hash of the last one that is sound, in hexadecimal digits; empty if there is none.
    pub head: String,
}

impl Store {
    /// Records what somebody did. Returns the number of the record.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// It is recorded whole or not at all; asking again records it a second time.
    pub async fn audit(&self, entry: AuditEntry) -> Result<u64, StoreError> {
        self.write(move |connection| append_audit(connection, &entry))
            .await
    }

    /// The records of a namespace, or of all, with a number above `after`, the oldest first. At
    /// least one and at most [`AUDIT_PAGE_MAX`] are asked for with `most`.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn audit_log(
        &self,
        namespace: Option<&str>,
        after: u64,
        most: usize,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let namespace = namespace.map(String::from);
        self.read(move |connection| {
            let most = limit(most.clamp(1, AUDIT_PAGE_MAX));
            let mut statement = connection.prepare_cached(match namespace {
                Some(_) => {
                    "SELECT seq, namespace, at, actor, action, subject, detail, hash FROM audit
                     WHERE namespace = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
                }
                None => {
                    "SELECT seq, namespace, at, actor, action, subject, detail, hash FROM audit
                     WHERE ?1 IS NULL AND seq > ?2 ORDER BY seq LIMIT ?3"
                }
            })?;
            let found = statement.query_map((namespace, signed(after), most), |row| {
                Ok(AuditRecord {
                    seq: unsigned(row.get(0)?),
                    entry: read(row)?,
                    hash: hex(&row.get::<_, Vec<u8>>(7)?),
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Computes every hash again. It reads the whole record, and other questions wait for it.
    ///
    /// # Errors
    ///
    /// As for [`counts`](Self::counts). A broken chain is no error but an answer.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn verify_audit(&self) -> Result<AuditCheck, StoreError> {
        self.read(verify).await
    }
}

/// Adds a record at the end of the chain; returns its number.
pub(crate) fn append_audit(connection: &Connection, entry: &AuditEntry) -> Result<u64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?;
    let last = statement.query_row((), |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    let (last, before): (i64, Vec<u8>) = last.optional()?.unwrap_or_default();
    let seq = last + 1;
    let at = milliseconds(entry.at);
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, namespace, at, actor, action, subject, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            seq,
            &entry.namespace,
            at,
            &entry.actor,
            &entry.action,
            &entry.subject,
            &entry.detail,
            digest(&before, seq, at, entry),
        ))?;
    Ok(unsigned(seq))
}

fn verify(connection: &Connection) -> Result<AuditCheck, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, namespace, at, actor, action, subject, detail, hash FROM audit ORDER BY seq",
    )?;
    let mut rows = statement.query(())?;
    let (mut records, mut expected, mut head) = (0, 1, Vec::new());
    let mut broken_at = None;
    while let Some(row) = rows.next()? {
        records += 1;
        let seq: i64 = row.get(0)?;
        let hash: Vec<u8> = row.get(7)?;
        let entry = read(row)?;
        let is_sound = seq == expected && digest(&head, seq, row.get(2)?, &entry) == hash[..];
        if broken_at.is_none() && !is_sound {
            broken_at = Some(unsigned(expected));
        }
        if broken_at.is_none() {
            head = hash;
            expected += 1;
        }
    }
    Ok(AuditCheck {
        records,
        broken_at,
        head: hex(&head),
    })
}

/// Every field goes in with its length, so that no two records read alike.
fn digest(before: &[u8], seq: i64, at: i64, entry: &AuditEntry) -> [u8; 32] {
    let mut hash = Sha256::new();
    let fields = [
        before,
        &seq.to_be_bytes(),
        entry.namespace.as_bytes(),
        &at.to_be_bytes(),
        entry.actor.as_bytes(),
        entry.action.as_bytes(),
        entry.subject.as_bytes(),
        entry.detail.as_bytes(),
    ];
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

fn read(row: &Row<'_>) -> Result<AuditEntry, rusqlite::Error> {
    Ok(AuditEntry {
        namespace: row.get(1)?,
        at: time(row.get(2)?),
        actor: row.get(3)?,
        action: row.get(4)?,
        subject: row.get(5)?,
        detail: row.get(6)?,
    })
}
