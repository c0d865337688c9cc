//! How many announcements of a feed count, in all and up to an offset.
//!
//! A feed's offsets are counted in blocks of 64, of 64 times 64, and of 64 times 64 times 64.
//! The number up to an offset is the sum of the whole blocks before it, large ones first, and
//! of what stands in its own block: never more than 63 rows of each size below the largest.

use rusqlite::Connection;
use uuid::Uuid;

use crate::announce::store::error::StoreError;

/// The sizes of blocks, as the shift that turns an offset into the number of its block.
const LEVELS: [(i64, u32); 3] = [(1, 6), (2, 12), (3, 18)];

/// Lets an announcement count, at a place where nothing counts yet.
pub(crate) fn revive(
    connection: &Connection,
    feed_id: i64,
    id: &Uuid,
    place: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE announcement SET live = 1, place = ?2 WHERE id = ?1")?
        .execute((id.as_bytes(), place))?;
    add(connection, feed_id, place, 1)
}

/// Lets an announcement that counts count no more. Those who have read it out of turn have one
/// less above their cursor.
pub(crate) fn bury(
    connection: &Connection,
    feed_id: i64,
    id: &Uuid,
    place: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE announcement SET live = 0 WHERE id = ?1")?
        .execute((id.as_bytes(),))?;
    connection
        .prepare_cached(
            "UPDATE cursor SET above = above - 1
             WHERE feed_id = ?1 AND read_upto < ?2 AND (namespace, username) IN
               (SELECT namespace, username FROM reading WHERE feed_id = ?1 AND \"offset\" = ?2)",
        )?
        .execute((feed_id, place))?;
    add(connection, feed_id, place, -1)
}

fn add(connection: &Connection, feed_id: i64, place: i64, change: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO tally (feed_id, level, block, live) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (feed_id, level, block) DO UPDATE SET live = live + excluded.live",
    )?;
    for (level, shift) in LEVELS {
        statement.execute((feed_id, level, place >> shift, change))?;
    }
    connection
        .prepare_cached("UPDATE feed SET live = live + ?2 WHERE feed_id = ?1")?
        .execute((feed_id, change))?;
    Ok(())
}

/// How many announcements with this offset or a smaller one count.
pub(crate) fn live_upto(
    connection: &Connection,
    feed_id: i64,
    offset: i64,
) -> Result<i64, StoreError> {
    if offset == 0 {
        return Ok(0);
    }
    let mut statement = connection.prepare_cached(
        "SELECT
           coalesce((SELECT sum(live) FROM tally WHERE feed_id = ?1 AND level = 3
                     AND block < (?2 >> 18)), 0)
         + coalesce((SELECT sum(live) FROM tally WHERE feed_id = ?1 AND level = 2
                     AND block >= ((?2 >> 18) << 6) AND block < (?2 >> 12)), 0)
         + coalesce((SELECT sum(live) FROM tally WHERE feed_id = ?1 AND level = 1
                     AND block >= ((?2 >> 12) << 6) AND block < (?2 >> 6)), 0)
         + (SELECT count(*) FROM announcement WHERE feed_id = ?1 AND live = 1
              AND place >= ((?2 >> 6) << 6) AND place <= ?2)",
    )?;
    Ok(statement.query_row((feed_id, offset), |row| row.get(0))?)
}
