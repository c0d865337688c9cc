//! The file: lock, settings, tables and their version.

use alloc::string::ToString as _;
use core::time::Duration;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::announce::private;
use crate::announce::random::random;
use crate::announce::store::error::StoreError;
use crate::announce::store::shared::Sharing;
use crate::announce::store::{tables, tell};

/// The first SQLite whose write-ahead log cannot drop frames at a reset.
const SQLITE_MIN: i32 = 3_051_003;

/// Marks the file as ours: `frmw` in ASCII.
const APPLICATION: i64 = 0x6672_6d77;

/// The version of the tables.
const VERSION: i64 = 4;

/// Locks the file that stands for the store at `path`.
///
/// The lock is on a file of its own, because SQLite takes and drops locks on the database
/// itself, and POSIX drops all of a process's locks on a file when it closes any of them.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let (file, name) = beside(path, ".lock")?;
    held(file.try_lock(), name)?;
    Ok(file)
}

/// What a server holds that comes into a shared store.
pub(crate) struct Door {
    lock: File,
    opening: File,
    is_alone: bool,
}

impl Door {
    /// Comes to the store at `path`, unless a server has it open that does not share it.
    ///
    /// The servers come in one by one, because SQLite refuses one of two connections that turn
    /// on the write-ahead log of a new file at the same time.
    pub(crate) fn come(path: &Path) -> Result<Self, StoreError> {
        let (opening, name) = beside(path, ".opening")?;
        opening
            .lock()
            .map_err(|error| StoreError::open(&name, &error))?;
        let (lock, name) = beside(path, ".lock")?;
        let is_alone = match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                held(lock.try_lock_shared(), name)?;
                false
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::open(&name, &error)),
        };
        Ok(Self {
            lock,
            opening,
            is_alone,
        })
    }

    /// Opens the connection that writes.
    pub(crate) fn open(&self, path: &Path) -> Result<(Connection, Sharing), StoreError> {
        let failed = |error: rusqlite::Error| StoreError::open(path, &error);
        if !self.is_alone {
            let connection = Connection::open(path).map_err(failed)?;
            connection
                .busy_timeout(Duration::from_secs(10))
                .map_err(failed)?;
            let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
            let version: i64 = version.map_err(failed)?;
            if version < VERSION {
                // The others know nothing of what would become of their tables.
                return Err(StoreError::Locked { path: path.into() });
            }
        }
        let connection = open(path)?;
        let origin = random::<8>().map_err(|error| StoreError::open(path, &error))?;
        let origin = i64::from_le_bytes(origin);
        connection
            .execute("INSERT INTO temp.sharing (id) VALUES (?1)", (origin,))
            .map_err(failed)?;
        let from = tell::latest(&connection).map_err(failed)?;
        Ok((connection, Sharing { origin, from }))
    }

    /// Lets the next one in. Returns the lock to hold for as long as the store is open.
    pub(crate) fn close(self, path: &Path) -> Result<File, StoreError> {
        let failed = |error| StoreError::open(path, &error);
        if self.is_alone {
            // One that does not share the store may be quicker here; then it is that one's.
            self.lock.unlock().map_err(failed)?;
            held(self.lock.try_lock_shared(), path.into())?;
        }
        self.opening.unlock().map_err(failed)?;
        Ok(self.lock)
    }
}

fn beside(path: &Path, end: &str) -> Result<(File, PathBuf), StoreError> {
    let mut name = path.as_os_str().to_os_string();
    name.push(end);
    let name = PathBuf::from(name);
    let file = private::open_or_create(&name).map_err(|error| StoreError::open(&name, &error))?;
    Ok((file, name))
}

fn held(tried: Result<(), TryLockError>, path: PathBuf) -> Result<(), StoreError> {
    tried.map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::Locked { path },
        TryLockError::Error(error) => StoreError::open(&path, &error),
    })
}

/// Opens the connection that writes, and brings the tables to this version.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    check_version(rusqlite::version_number())?;
    private::open_or_create(path).map_err(|error| StoreError::open(path, &error))?;
    let failed = |error: rusqlite::Error| StoreError::open(path, &error);
    let mut connection = Connection::open(path).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    migrate(&mut connection, path)?;
    connection.execute_batch(tell::SHARING).map_err(failed)?;
    Ok(connection)
}

/// Opens the connection that reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::open(path, &error);
    let connection = Connection::open(path).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(failed)?;
    Ok(connection)
}

fn check_version(number: i32) -> Result<(), StoreError> {
    //= V-104
    if number < SQLITE_MIN {
        return Err(StoreError::Sqlite { version: number });
    }
    Ok(())
}

fn settle(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // An answered write has to survive a power cut, so every commit is synchronised.
    //= V-107
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    //= V-105
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::open(path, &error);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let number = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let objects = "SELECT count(*) FROM sqlite_schema";
    let objects: i64 = transaction
        .query_row(objects, (), |row| row.get(0))
        .map_err(failed)?;
    let version = number("user_version").map_err(failed)?;
    if objects > 0 && number("application_id").map_err(failed)? != APPLICATION {
        return Err(StoreError::Foreign { path: path.into() });
    }
    if version > VERSION {
        return Err(StoreError::Newer {
            path: path.into(),
            version,
        });
    }
    grow(&transaction, version).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Brings the tables from `version` to this one; 0 is an empty file.
fn grow(transaction: &Connection, version: i64) -> Result<(), rusqlite::Error> {
    if version < 1 {
        transaction.execute_batch(tables::FIRST)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.execute(
            "INSERT INTO meta (k, v) VALUES ('created_with_schema', ?1)",
            (VERSION.to_string(),),
        )?;
    }
    if version < 2 {
        transaction.execute_batch(tables::SECOND)?;
    }
    if version < 3 {
        transaction.execute_batch(tables::THIRD)?;
    }
    if version < 4 {
        transaction.execute_batch(tables::FOURTH)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_that_can_lose_frames_is_refused() {
        //= V-104 type=test
        assert_eq!(
            check_version(3_051_002),
            Err(StoreError::Sqlite { version: 3_051_002 })
        );
        assert_eq!(check_version(3_051_003), Ok(()));
        assert_eq!(check_version(rusqlite::version_number()), Ok(()));
    }

    #[test]
    fn both_connections_are_settled() {
        //= V-105 type=test
        //= V-107 type=test
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("announce.db");
        for connection in [open(&path).unwrap(), open_reader(&path).unwrap()] {
            let value = |name| {
                connection
                    .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
            };
            assert_eq!(value("journal_mode").unwrap(), "wal".to_string().into());
            assert_eq!(value("synchronous").unwrap(), 2.into());
            assert_eq!(value("foreign_keys").unwrap(), 1.into());
            assert_eq!(value("mmap_size").unwrap(), 0.into());
        }
    }
}
