//! What the store holds for schedules.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use framewire::announce::announcement::FeedKey;
use framewire::announce::assembly::Runs;
use framewire::announce::desk::{Desk, FeedPolicy, Policy};
use framewire::announce::schedule::{
    Audience, Claim, Draft, LastRun, Ledger as _, Outcome, Pause, Record, Skipped,
};
use framewire::announce::secret::Secret;
use framewire::announce::store::{Store, StoreError};
use framewire::announce::token::Verifier;
use jiff::Timestamp;

use crate::person::SECRET;
use crate::program::PATIENCE;

/// Opens the store in a folder. A child of another test holds its lock from its fork to its
/// exec, so that it may be taken for a moment.
pub(crate) fn open(data: &std::path::Path) -> Arc<Desk> {
    let since = Instant::now();
    let store = loop {
        match Store::open(&data.join("announce.db")) {
            Err(StoreError::Locked { .. }) if since.elapsed() < PATIENCE => {
                std::thread::yield_now();
            }
            opened => break opened.unwrap(),
        }
    };
    let secret = Secret::from_variable("S", SECRET.into()).unwrap();
    Arc::new(Desk::new(store, Verifier::new(&secret)))
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn draft(key: &str) -> Draft {
    Draft {
        namespace: "main".into(),
        feed: FeedKey::public(),
        publisher: "schedule:s".into(),
        key: key.into(),
        body: r#"{"Title":"t"}"#.into(),
        priority: 4,
        at: at("2026-11-20T12:00:00Z"),
    }
}

async fn bodies(desk: &Desk) -> Vec<(String, bool)> {
    let listed = desk.store().list("main", Default::default(), None, 9).await;
    let announcements = listed.unwrap().announcements.into_iter();
    announcements.map(|it| (it.body, it.require_ack)).collect()
}

//= A25 type=test
#[tokio::test]
async fn a_run_comes_to_its_end_once() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (at("2026-11-20T10:00:00Z"), at("2026-11-20T11:00:00Z"));
    let desk = open(folder.path());
    let mut rules = FeedPolicy::default();
    rules.require_ack = true;
    desk.set_policy(Policy::new().with_feed(FeedKey::public(), rules));
    let runs = Runs::new(Arc::clone(&desk));
    assert_eq!(runs.last_run("s").await, Ok(None));
    assert_eq!(runs.record("s", first).await, Ok(None));
    assert_eq!(runs.fire("s", first, draft("a")).await, Ok(Claim::Fired));
    assert_eq!(runs.fire("s", first, draft("b")).await, Ok(Claim::Taken));
    assert_eq!(bodies(&desk).await, [(r#"{"Title":"t"}"#.to_owned(), true)]);

    let users = Audience::Users(vec!["bob".into(), "a \"b\"".into()]);
    let open_run = Record::Open(users.clone());
    assert_eq!(runs.decide("s", second, &users).await, Ok(open_run.clone()));
    let other = Audience::Unknown;
    assert_eq!(runs.decide("s", second, &other).await, Ok(open_run.clone()));
    // Not ended, so it is not the last run.
    let last = LastRun {
        due_at: first,
        outcome: Outcome::Announced,
    };
    assert_eq!(runs.last_run("s").await, Ok(Some(last)));
    drop((runs, desk));

    let runs = Runs::new(open(folder.path()));
    assert_eq!(runs.record("s", second).await, Ok(Some(open_run)));
    assert_eq!(runs.publish(draft("c")).await, Ok(Claim::Fired));
    assert_eq!(runs.publish(draft("c")).await, Ok(Claim::Taken));
    let sent = Outcome::Sent { users: 2 };
    assert_eq!(runs.settle("s", second, sent).await, Ok(Claim::Fired));
    let skipped = Outcome::Skipped(Skipped::Missed);
    assert_eq!(runs.settle("s", second, skipped).await, Ok(Claim::Taken));
    let settled = Record::Settled(sent);
    assert_eq!(runs.decide("s", second, &other).await, Ok(settled));
    assert_eq!(runs.last_run("s").await.unwrap().unwrap().outcome, sent);
}

//= A25 type=test
//= A77 type=test
#[tokio::test]
async fn a_run_that_two_servers_bring_to_its_end_is_announced_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("announce.db");
    let [one, two] = [(), ()].map(|()| {
        let secret = Secret::from_variable("S", SECRET.into()).unwrap();
        let store = Store::open_shared(&path).unwrap();
        Arc::new(Desk::new(store, Verifier::new(&secret)))
    });
    let runs = [&one, &two].map(|desk| Runs::new(Arc::clone(desk)));
    for second in 0..20 {
        let due_at = Timestamp::from_second(second).unwrap();
        // The keys differ, so that the record of the runs alone holds the second one back.
        let (first, other) = (format!("a{second}"), format!("b{second}"));
        let (first, other) = tokio::join!(
            runs[0].fire("s", due_at, draft(&first)),
            runs[1].fire("s", due_at, draft(&other))
        );
        let claims = [first.unwrap(), other.unwrap()];
        assert!(claims.contains(&Claim::Fired) && claims.contains(&Claim::Taken));
    }
    assert_eq!(two.store().tops().await.unwrap()[0].2, 20);
}

#[tokio::test]
async fn every_outcome_and_audience_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::new(open(folder.path()));
    let outcomes = [
        Outcome::Announced,
        Outcome::Sent { users: 50_000 },
        Outcome::Skipped(Skipped::New),
        Outcome::Skipped(Skipped::Paused),
        Outcome::Skipped(Skipped::Missed),
        Outcome::Skipped(Skipped::Bounded),
        Outcome::Skipped(Skipped::NoAudience),
    ];
    for (second, outcome) in (0..).zip(outcomes) {
        let due_at = Timestamp::from_second(second).unwrap();
        assert_eq!(runs.settle("s", due_at, outcome).await, Ok(Claim::Fired));
        let last = LastRun { due_at, outcome };
        assert_eq!(runs.last_run("s").await, Ok(Some(last)));
    }
    let audiences = [
        Audience::Everyone,
        Audience::Unknown,
        Audience::Users(vec![]),
    ];
    for (second, audience) in (100..).zip(audiences) {
        let due_at = Timestamp::from_second(second).unwrap();
        let decided = runs.decide("s", due_at, &audience).await;
        assert_eq!(decided, Ok(Record::Open(audience)));
    }
}

//= A26 type=test
#[tokio::test]
async fn a_pause_is_kept_with_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    let runs = Runs::new(Arc::clone(&desk));
    let now = at("2026-11-20T12:00:00Z");
    assert_eq!(runs.paused("s").await, Ok(Pause::Never));
    for (paused, expected) in [(true, Pause::Paused), (false, Pause::Ended(now))] {
        let set = desk.store().set_paused("s", paused, SystemTime::from(now));
        set.await.unwrap();
        assert_eq!(runs.paused("s").await, Ok(expected));
    }
    assert_eq!(runs.paused("other").await, Ok(Pause::Never));
}

#[tokio::test]
async fn a_file_of_the_second_version_keeps_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let file = rusqlite::Connection::open(folder.path().join("announce.db")).unwrap();
    file.execute_batch(
        "ALTER TABLE schedule_run DROP COLUMN outcome;
         ALTER TABLE schedule_run DROP COLUMN users;
         ALTER TABLE schedule_run DROP COLUMN audience;
         ALTER TABLE schedule DROP COLUMN ended_at;
         INSERT INTO schedule_run VALUES ('s', 1000, x'01'), ('s', 2000, NULL);
         INSERT INTO schedule VALUES ('s', 1);
         PRAGMA user_version = 2;",
    )
    .unwrap();
    drop(file);
    for _ in 0..2 {
        let runs = Runs::new(open(folder.path()));
        let record = async |second| {
            let due_at = Timestamp::from_second(second).unwrap();
            runs.record("s", due_at).await.unwrap().unwrap()
        };
        assert_eq!(record(1).await, Record::Settled(Outcome::Announced));
        let missed = Record::Settled(Outcome::Skipped(Skipped::Missed));
        assert_eq!(record(2).await, missed);
        assert_eq!(runs.paused("s").await, Ok(Pause::Paused));
    }
}
