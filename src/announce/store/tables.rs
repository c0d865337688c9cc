//! The tables, version by version. A new file goes through all of them, so that it cannot
//! differ from one that has grown.
//!
//! Times are milliseconds since 1970.

/// The first version: feeds, announcements, entries, and what was read.
pub(crate) const FIRST: &str = r#"
CREATE TABLE meta (
  k TEXT PRIMARY KEY, v TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE feed (
  feed_id INTEGER PRIMARY KEY, namespace TEXT NOT NULL,
  kind TEXT NOT NULL, key TEXT NOT NULL,
  epoch TEXT NOT NULL, top INTEGER NOT NULL DEFAULT 0,
  UNIQUE (namespace, kind, key)
) STRICT;
CREATE TABLE announcement (
  id BLOB PRIMARY KEY, namespace TEXT NOT NULL, intent TEXT NOT NULL,
  publisher TEXT NOT NULL, idem_key TEXT, body TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  UNIQUE (namespace, publisher, idem_key)
) STRICT;
CREATE TABLE entry (
  feed_id INTEGER NOT NULL REFERENCES feed, "offset" INTEGER NOT NULL,
  announcement BLOB NOT NULL REFERENCES announcement, kind TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  PRIMARY KEY (feed_id, "offset")
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_announcement ON entry (announcement);
CREATE TABLE cursor (
  namespace TEXT NOT NULL, username TEXT NOT NULL,
  feed_id INTEGER NOT NULL REFERENCES feed,
  read_upto INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, username, feed_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt (
  namespace TEXT NOT NULL, username TEXT NOT NULL,
  feed_id INTEGER NOT NULL, "offset" INTEGER NOT NULL, read_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, username, feed_id, "offset"),
  FOREIGN KEY (feed_id, "offset") REFERENCES entry
) STRICT, WITHOUT ROWID;
"#;

/// The second version.
///
/// - `announcement.place` is the offset by which it is read or unread, and `live` whether it
///   counts. Within a feed `visible_at` never falls as `place` rises.
/// - `feed.live` and `tally` hold how many are live: in all, and in blocks of 64, 4096 and
///   262144 offsets. So a count touches a bounded number of rows.
/// - `cursor.above` is the number of live ones above `read_upto` that have been read.
/// - `reading` holds for good what was read and when, in runs of offsets. A run that begins
///   above the cursor is one offset long.
/// - `namespace.changes` and `person.changes` grow with everything that can change a count.
pub(crate) const SECOND: &str = r#"
ALTER TABLE feed ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN live INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN shown_at INTEGER NOT NULL DEFAULT 0;
UPDATE feed SET kind = 'role', key = substr(key, 6)
  WHERE kind = 'channel' AND substr(key, 1, 5) = 'role:';
UPDATE feed SET kind = 'user', key = substr(key, 6)
  WHERE kind = 'channel' AND substr(key, 1, 5) = 'user:';

ALTER TABLE announcement ADD COLUMN feed_id INTEGER REFERENCES feed;
ALTER TABLE announcement ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE announcement ADD COLUMN live INTEGER NOT NULL DEFAULT 0;
ALTER TABLE announcement ADD COLUMN priority INTEGER NOT NULL DEFAULT 1;
ALTER TABLE announcement ADD COLUMN require_ack INTEGER NOT NULL DEFAULT 0;
ALTER TABLE announcement ADD COLUMN ack_by INTEGER;
ALTER TABLE announcement ADD COLUMN ack_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE announcement ADD COLUMN visible_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE announcement ADD COLUMN expires_at INTEGER;
ALTER TABLE entry ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
UPDATE announcement SET feed_id = e.feed_id, place = e."offset", visible_at = e.shown_at,
    live = (state = 'released')
  FROM (SELECT feed_id, "offset", announcement,
          max(released_at) OVER (PARTITION BY feed_id ORDER BY "offset") AS shown_at
        FROM entry WHERE kind = 'post') AS e
  WHERE e.announcement = announcement.id;
UPDATE feed SET
  live = (SELECT count(*) FROM announcement a WHERE a.feed_id = feed.feed_id AND a.live = 1),
  shown_at = coalesce(
    (SELECT max(visible_at) FROM announcement a WHERE a.feed_id = feed.feed_id), 0);
CREATE INDEX announcement_order ON announcement (feed_id, priority, visible_at, place)
  WHERE live = 1;
CREATE INDEX announcement_place ON announcement (feed_id, place) WHERE live = 1;
CREATE INDEX announcement_expiry ON announcement (expires_at)
  WHERE live = 1 AND expires_at IS NOT NULL;
CREATE INDEX announcement_expiry_of ON announcement (namespace, expires_at)
  WHERE live = 1 AND expires_at IS NOT NULL;
CREATE INDEX announcement_due ON announcement (visible_at, id) WHERE state = 'pending';
CREATE INDEX announcement_listed ON announcement (namespace, id);

CREATE TABLE tally (
  feed_id INTEGER NOT NULL REFERENCES feed, level INTEGER NOT NULL,
  block INTEGER NOT NULL, live INTEGER NOT NULL,
  PRIMARY KEY (feed_id, level, block)
) STRICT, WITHOUT ROWID;
INSERT INTO tally SELECT feed_id, 1, place >> 6, count(*) FROM announcement
  WHERE live = 1 GROUP BY feed_id, place >> 6;
INSERT INTO tally SELECT feed_id, 2, place >> 12, count(*) FROM announcement
  WHERE live = 1 GROUP BY feed_id, place >> 12;
INSERT INTO tally SELECT feed_id, 3, place >> 18, count(*) FROM announcement
  WHERE live = 1 GROUP BY feed_id, place >> 18;

CREATE TABLE namespace (
  namespace TEXT PRIMARY KEY, changes INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO namespace SELECT namespace, sum(top) FROM feed GROUP BY namespace;
CREATE TABLE person (
  namespace TEXT NOT NULL, username TEXT NOT NULL,
  first_seen INTEGER, last_seen INTEGER, changes INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, username)
) STRICT, WITHOUT ROWID;
INSERT INTO person (namespace, username, changes)
  SELECT namespace, username, sum(version) FROM cursor GROUP BY namespace, username;
CREATE TABLE member (
  member_id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, username TEXT NOT NULL,
  feed_id INTEGER NOT NULL REFERENCES feed,
  since_offset INTEGER NOT NULL, until_offset INTEGER,
  source TEXT NOT NULL, joined_at INTEGER, left_at INTEGER
) STRICT;
CREATE UNIQUE INDEX member_open ON member (namespace, username, feed_id)
  WHERE until_offset IS NULL;
CREATE INDEX member_person ON member (namespace, username, feed_id);
CREATE INDEX member_feed ON member (feed_id, username);
INSERT INTO member (namespace, username, feed_id, since_offset, source)
  SELECT p.namespace, p.username, f.feed_id, 0, 'everyone'
  FROM person p JOIN feed f ON f.namespace = p.namespace AND f.kind = 'public';

ALTER TABLE cursor ADD COLUMN above INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN sent_upto INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN sent_at INTEGER;
ALTER TABLE cursor ADD COLUMN delivered_upto INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursor ADD COLUMN delivered_at INTEGER;
UPDATE cursor SET above = (SELECT count(*) FROM receipt r
  WHERE r.namespace = cursor.namespace AND r.username = cursor.username
    AND r.feed_id = cursor.feed_id AND r."offset" > cursor.read_upto);
CREATE TABLE reading (
  namespace TEXT NOT NULL, username TEXT NOT NULL, feed_id INTEGER NOT NULL REFERENCES feed,
  "offset" INTEGER NOT NULL, upto INTEGER NOT NULL, read_at INTEGER,
  PRIMARY KEY (namespace, username, feed_id, "offset")
) STRICT, WITHOUT ROWID;
CREATE INDEX reading_place ON reading (feed_id, "offset");
INSERT INTO reading SELECT namespace, username, feed_id, 1, read_upto, NULL
  FROM cursor WHERE read_upto > 0;
INSERT INTO reading SELECT namespace, username, feed_id, "offset", "offset", read_at
  FROM receipt WHERE true ON CONFLICT DO NOTHING;
DROP TABLE receipt;
ALTER TABLE cursor DROP COLUMN version;

CREATE TABLE revision (
  announcement BLOB NOT NULL REFERENCES announcement, version INTEGER NOT NULL,
  body TEXT NOT NULL, changed_at INTEGER NOT NULL, changed_by TEXT NOT NULL,
  PRIMARY KEY (announcement, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE acknowledgement (
  announcement BLOB NOT NULL REFERENCES announcement, username TEXT NOT NULL,
  version INTEGER NOT NULL, acked_at INTEGER NOT NULL,
  PRIMARY KEY (announcement, username)
) STRICT, WITHOUT ROWID;
CREATE TABLE schedule (
  id TEXT PRIMARY KEY, paused INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE schedule_run (
  schedule_id TEXT NOT NULL, due_at INTEGER NOT NULL, announcement BLOB,
  PRIMARY KEY (schedule_id, due_at)
) STRICT, WITHOUT ROWID;
CREATE TABLE revocation (
  kind TEXT NOT NULL, namespace TEXT NOT NULL, value TEXT NOT NULL,
  issued_before INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (kind, namespace, value)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, namespace TEXT NOT NULL, at INTEGER NOT NULL,
  actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_namespace ON audit (namespace, seq);
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
  BEGIN SELECT raise(ABORT, 'the audit is kept'); END;
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
  BEGIN SELECT raise(ABORT, 'the audit is kept'); END;
"#;

/// The third version.
///
/// - `schedule_run.outcome` is how a run came to its end, and null while it is open; `users` is
///   the number of those to whom it was sent, `audience` who is meant by an open one.
/// - `schedule.ended_at` is when the last pause was over.
pub(crate) const THIRD: &str = r#"
ALTER TABLE schedule_run ADD COLUMN outcome TEXT;
ALTER TABLE schedule_run ADD COLUMN users INTEGER;
ALTER TABLE schedule_run ADD COLUMN audience TEXT;
UPDATE schedule_run SET outcome = iif(announcement IS NULL, 'missed', 'announced');
ALTER TABLE schedule ADD COLUMN ended_at INTEGER;
"#;

/// The fourth version: `news` is what servers that share the store tell each other.
pub(crate) const FOURTH: &str = r#"
CREATE TABLE IF NOT EXISTS news (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, origin INTEGER NOT NULL, told_at INTEGER NOT NULL,
  kind TEXT NOT NULL, namespace TEXT, username TEXT, feed_id INTEGER, "offset" INTEGER,
  detail TEXT
) STRICT;
"#;
