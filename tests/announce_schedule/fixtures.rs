//! A plan, a clock that is moved by hand, and a ledger in a file of SQLite.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use framewire::announce::announcement::FeedKey;
use framewire::announce::outgoing::{Outgoing, Settings as Bounds};
use framewire::announce::schedule::{
    Audience, CatchUp, Claim, Clock, Cron, Draft, LastRun, Ledger, LedgerError, Outcome, Pause,
    Plan, Record, Runner, Settings, Skipped, Template, time_zone,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use tokio::sync::watch;

pub(crate) fn plan(id: &str, cron: &str) -> Plan {
    Plan {
        id: id.into(),
        namespace: "main".into(),
        cron: Cron::new(cron).unwrap(),
        timezone: time_zone("Europe/Stockholm").unwrap(),
        catch_up: CatchUp::Once,
        feed: FeedKey::public(),
        template: Template {
            title: "Log your hours".into(),
            body: "Until the 20th.".into(),
            data: Some(r#"{"link":"hours"}"#.into()),
        },
        priority: 3,
        audience_hook: None,
        paused: false,
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn outgoing() -> Outgoing {
    Outgoing::new(Bounds::default()).unwrap()
}

pub(crate) fn start(
    plans: Vec<Plan>,
    ledger: &File,
    clock: &ManualClock,
) -> Runner<File, ManualClock> {
    Runner::start(
        plans,
        ledger.clone(),
        clock.clone(),
        outgoing(),
        Settings::default(),
    )
    .unwrap()
}

/// Time stands still until it is set. A runner that waits has done all it had to.
#[derive(Clone)]
pub(crate) struct ManualClock {
    now: watch::Sender<Timestamp>,
    waits: watch::Sender<u64>,
    longest: Arc<Mutex<Duration>>,
}

impl ManualClock {
    pub(crate) fn new(now: &str) -> Self {
        Self {
            now: watch::Sender::new(at(now)),
            waits: watch::Sender::new(0),
            longest: Arc::default(),
        }
    }

    /// Until the runner has gone to wait so many times.
    pub(crate) async fn waited(&self, times: u64) {
        let mut waits = self.waits.subscribe();
        waits.wait_for(|waits| *waits >= times).await.unwrap();
    }

    /// Sets the time, and waits for what the runner does about it.
    pub(crate) async fn set(&self, now: &str) {
        let before = *self.waits.borrow();
        self.now.send_replace(at(now));
        self.waited(before + 1).await;
    }

    pub(crate) fn waits(&self) -> u64 {
        *self.waits.borrow()
    }

    pub(crate) fn longest(&self) -> Duration {
        *self.longest.lock().unwrap()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send {
        let mut longest = self.longest.lock().unwrap();
        *longest = time.max(*longest);
        drop(longest);
        let mut now = self.now.subscribe();
        self.waits.send_modify(|waits| *waits += 1);
        async move {
            now.changed().await.unwrap();
        }
    }
}

/// A ledger. Every clone of an opened one shares its connection; open another for a second
/// runner.
#[derive(Clone)]
pub(crate) struct File(Arc<Mutex<Connection>>);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS run (schedule TEXT, due INTEGER, state TEXT, users TEXT,
  PRIMARY KEY (schedule, due)) STRICT;
CREATE TABLE IF NOT EXISTS said (publisher TEXT, key TEXT, feed TEXT, body TEXT,
  PRIMARY KEY (publisher, key)) STRICT;
CREATE TABLE IF NOT EXISTS pause (schedule TEXT PRIMARY KEY, until INTEGER) STRICT;
";

fn failed(error: rusqlite::Error) -> LedgerError {
    LedgerError {
        reason: error.to_string(),
    }
}

impl File {
    pub(crate) fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection
            .pragma_update(None, "journal_mode", "wal")
            .unwrap();
        connection
            .pragma_update(None, "synchronous", "off")
            .unwrap();
        connection.execute_batch(TABLES).unwrap();
        Self(Arc::new(Mutex::new(connection)))
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let mut connection = self.0.lock().unwrap();
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(failed)?;
        let done = work(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    /// `None` for an end of the pause means that it lasts.
    pub(crate) fn pause(&self, schedule: &str, until: Option<&str>) {
        let until = until.map(|until| at(until).as_millisecond());
        let sql = "INSERT OR REPLACE INTO pause VALUES (?1, ?2)";
        self.write(|t| t.execute(sql, (schedule, until))).unwrap();
    }

    /// Key and feed of all that was announced.
    pub(crate) fn said(&self) -> Vec<(String, String)> {
        let connection = self.0.lock().unwrap();
        let mut read = connection
            .prepare("SELECT key, feed FROM said ORDER BY key")
            .unwrap();
        let rows = read
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.said().into_iter().map(|(key, _)| key).collect()
    }

    /// The states of all runs of a schedule, the record of its first sight left out.
    pub(crate) fn states(&self, schedule: &str) -> Vec<String> {
        let connection = self.0.lock().unwrap();
        let sql = "SELECT state FROM run WHERE schedule = ?1 AND state <> 'new' ORDER BY due";
        let mut read = connection.prepare(sql).unwrap();
        let rows = read.query_map([schedule], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn spelt(outcome: Outcome) -> String {
    match outcome {
        Outcome::Announced => "announced".into(),
        Outcome::Sent { users } => format!("sent {users}"),
        Outcome::Skipped(Skipped::New) => "new".into(),
        Outcome::Skipped(Skipped::Paused) => "paused".into(),
        Outcome::Skipped(Skipped::Missed) => "missed".into(),
        Outcome::Skipped(Skipped::Bounded) => "bounded".into(),
        _ => "no audience".into(),
    }
}

fn outcome(state: &str) -> Outcome {
    let skipped = match state {
        "announced" => return Outcome::Announced,
        "new" => Skipped::New,
        "paused" => Skipped::Paused,
        "missed" => Skipped::Missed,
        "bounded" => Skipped::Bounded,
        "no audience" => Skipped::NoAudience,
        sent => {
            let users = sent.strip_prefix("sent ").unwrap().parse().unwrap();
            return Outcome::Sent { users };
        }
    };
    Outcome::Skipped(skipped)
}

fn record(t: &Transaction<'_>, schedule: &str, due: i64) -> rusqlite::Result<Option<Record>> {
    let sql = "SELECT state, users FROM run WHERE schedule = ?1 AND due = ?2";
    let read = |row: &rusqlite::Row<'_>| {
        let state: String = row.get(0)?;
        let users: Option<String> = row.get(1)?;
        Ok(match (state.as_str(), users) {
            ("open", Some(users)) => {
                Record::Open(Audience::Users(serde_json::from_str(&users).unwrap()))
            }
            ("open", None) => Record::Open(Audience::Everyone),
            ("open nobody", _) => Record::Open(Audience::Unknown),
            (state, _) => Record::Settled(outcome(state)),
        })
    };
    t.query_row(sql, (schedule, due), read).optional()
}

fn settle(t: &Transaction<'_>, schedule: &str, due: i64, state: &str) -> rusqlite::Result<Claim> {
    if matches!(record(t, schedule, due)?, Some(Record::Settled(_))) {
        return Ok(Claim::Taken);
    }
    let sql = "INSERT OR REPLACE INTO run VALUES (?1, ?2, ?3, NULL)";
    t.execute(sql, (schedule, due, state))?;
    Ok(Claim::Fired)
}

fn say(t: &Transaction<'_>, draft: &Draft) -> rusqlite::Result<Claim> {
    let sql = "INSERT INTO said VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    let values = (
        &draft.publisher,
        &draft.key,
        draft.feed.as_str(),
        &draft.body,
    );
    match t.execute(sql, values)? {
        1 => Ok(Claim::Fired),
        _ => Ok(Claim::Taken),
    }
}

impl Ledger for File {
    async fn last_run(&self, schedule: &str) -> Result<Option<LastRun>, LedgerError> {
        let sql = "SELECT due, state FROM run WHERE schedule = ?1 AND state NOT LIKE 'open%'
                   ORDER BY due DESC LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(LastRun {
                due_at: Timestamp::from_millisecond(row.get(0)?).unwrap(),
                outcome: outcome(&row.get::<_, String>(1)?),
            })
        };
        self.write(|t| t.query_row(sql, [schedule], read).optional())
    }

    async fn record(
        &self,
        schedule: &str,
        due_at: Timestamp,
    ) -> Result<Option<Record>, LedgerError> {
        self.write(|t| record(t, schedule, due_at.as_millisecond()))
    }

    async fn paused(&self, schedule: &str) -> Result<Pause, LedgerError> {
        let sql = "SELECT until FROM pause WHERE schedule = ?1";
        let read = |row: &rusqlite::Row<'_>| row.get::<_, Option<i64>>(0);
        let until = self.write(|t| t.query_row(sql, [schedule], read).optional())?;
        Ok(match until {
            None => Pause::Never,
            Some(None) => Pause::Paused,
            Some(Some(until)) => Pause::Ended(Timestamp::from_millisecond(until).unwrap()),
        })
    }

    async fn decide(
        &self,
        schedule: &str,
        due_at: Timestamp,
        audience: &Audience,
    ) -> Result<Record, LedgerError> {
        let due = due_at.as_millisecond();
        let (state, users) = match audience {
            Audience::Users(users) => ("open", Some(serde_json::to_string(users).unwrap())),
            Audience::Everyone => ("open", None),
            _ => ("open nobody", None),
        };
        let sql = "INSERT INTO run VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        self.write(|t| {
            t.execute(sql, (schedule, due, state, users))?;
            Ok(record(t, schedule, due)?.unwrap())
        })
    }

    async fn fire(
        &self,
        schedule: &str,
        due_at: Timestamp,
        draft: Draft,
    ) -> Result<Claim, LedgerError> {
        self.write(|t| {
            let claim = settle(t, schedule, due_at.as_millisecond(), "announced")?;
            if claim == Claim::Fired {
                // Without `ON CONFLICT`: a second announcement of one run is an error.
                let sql = "INSERT INTO said VALUES (?1, ?2, ?3, ?4)";
                let feed = draft.feed.as_str();
                t.execute(sql, (&draft.publisher, &draft.key, feed, &draft.body))?;
            }
            Ok(claim)
        })
    }

    async fn publish(&self, draft: Draft) -> Result<Claim, LedgerError> {
        // A pause between two people, in which a runner can be stopped.
        tokio::task::yield_now().await;
        self.write(|t| say(t, &draft))
    }

    async fn settle(
        &self,
        schedule: &str,
        due_at: Timestamp,
        outcome: Outcome,
    ) -> Result<Claim, LedgerError> {
        let state = spelt(outcome);
        self.write(|t| settle(t, schedule, due_at.as_millisecond(), &state))
    }
}
