//! What was accepted: SQLite in one file, one thread that writes, one that reads. Several servers
//! of one machine may share the file; each write is still one transaction after another.
//!
//! A write is answered after the transaction that holds it has been committed and synchronised
//! to the disk. The writing thread takes everything that waits, up to [`BATCH_MAX`] writes, into
//! one transaction with a savepoint for each, so that many writers share one synchronisation
//! and the failure of one write harms no other.
//!
//! Dropping a future of this module does not undo its request: once accepted, a write is carried
//! out. A publisher who did not hear the answer repeats the request with the same key.
//!
//! Who may do something is settled elsewhere; what the store asks itself is whether a person is
//! in a feed, wherever it shows or notes something for that person.
//!
//! ```text
//!   handle     the threads behind one handle       writer, reader, shared
//!   publish, release, edit, entry                  what enters the log of a feed
//!   person, member                                 who may read which feed
//!   unread, page, log, find                        what is read
//!   mark, receipt                                  what people do with it
//!   ledger, explain, audit                         what is told about it later
//!   schedule, revocation, prune                    what else is kept, and for how long
//!   tell, news                                     what servers that share it tell each other
//!   feed, tally, row, schema, tables               the tables
//! ```

mod audit;
mod edit;
mod entry;
mod error;
mod explain;
mod feed;
mod find;
mod handle;
mod ledger;
mod log;
mod mark;
mod member;
mod news;
mod page;
mod person;
mod prune;
mod publish;
mod reader;
mod receipt;
mod release;
mod revocation;
mod row;
mod schedule;
mod schema;
mod shared;
mod tables;
mod tally;
mod tell;
mod unread;
mod writer;

pub use audit::{AUDIT_PAGE_MAX, AuditCheck, AuditEntry, AuditRecord};
pub use edit::Edit;
pub use entry::{Change, Release};
pub use error::StoreError;
pub use explain::{Step, What};
pub use find::{Filter, Listed};
pub use handle::{Metrics, Releases, Store};
pub use ledger::{LEDGER_PAGE_MAX, Ledger, Person, Who};
pub use log::Missed;
pub use mark::{NEWLY_READ_MAX, ReadMark, ReadState};
pub use member::{FeedState, MEMBERS_MAX, Members, Membership, SignedIn, Source};
pub(crate) use news::News;
pub use page::{Cursor, PAGE_BODY_BYTES_MAX, PAGE_MAX, UnreadPage};
pub use person::LateJoiner;
pub use prune::{Pruned, Retention};
pub use publish::Published;
pub use receipt::{Acknowledged, Sent};
pub use release::Due;
pub use writer::BATCH_MAX;

pub use crate::announce::announcement::NewAnnouncement;
