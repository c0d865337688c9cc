//! Each run once, whatever clocks, runners and restarts do.

use std::time::Duration;

use framewire::announce::schedule::{CatchUp, Outcome, PlanError, RunError, Runner, Settings};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::fixtures::{File, ManualClock, at, outgoing, plan, start};

#[tokio::test]
async fn both_reminders_are_announced_on_their_days_under_their_keys() {
    //= A23 type=test
    //= A24 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let clock = ManualClock::new("2026-12-01T00:00:00Z");
    let plans = vec![
        plan("log-schedule-reminder", "1 10 10 * *"),
        plan("log-hours-reminder", "1 10 20 * *"),
    ];
    let runner = start(plans, &ledger, &clock);
    clock.waited(1).await;
    clock.set("2026-12-10T09:00:59Z").await;
    assert!(ledger.said().is_empty());
    clock.set("2026-12-10T09:01:00Z").await;
    assert_eq!(
        ledger.keys(),
        ["log-schedule-reminder/2026-12-10T09:01:00Z"]
    );
    clock.set("2026-12-20T09:01:30Z").await;
    assert_eq!(ledger.keys()[0], "log-hours-reminder/2026-12-20T09:01:00Z");
    assert_eq!(ledger.keys().len(), 2);
    assert!(clock.longest() <= Duration::from_secs(60));
    let listed = runner.list().await.unwrap();
    assert_eq!(listed[1].next_run, Some(at("2027-01-20T09:01:00Z")));
    let last = listed[1].last_run.unwrap();
    assert_eq!(
        (last.due_at, last.outcome),
        (at("2026-12-20T09:01:00Z"), Outcome::Announced)
    );
    runner.stop().await;
}

#[tokio::test]
async fn two_runners_whose_clocks_jump_announce_each_run_once() {
    //= A25 type=test
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.db");
    let ledgers = [File::open(&path), File::open(&path)];
    let mut plan = plan("x", "0 * * * *");
    plan.catch_up = CatchUp::All;
    let clocks = [(); 2].map(|()| ManualClock::new("2026-12-10T00:30:00Z"));
    let runners = [0, 1].map(|n| start(vec![plan.clone()], &ledgers[n], &clocks[n]));
    for clock in &clocks {
        clock.waited(1).await;
    }
    for hour in ["01", "03", "02", "00", "04", "01", "05"] {
        let now = format!("2026-12-10T{hour}:00:10Z");
        tokio::join!(clocks[0].set(&now), clocks[1].set(&now));
        clocks[0].set(&format!("2026-12-10T{hour}:00:20Z")).await;
    }
    let expected: Vec<String> = (1..=5)
        .map(|h| format!("x/2026-12-10T0{h}:00:00Z"))
        .collect();
    let found = ledgers[0].keys();
    // Midnight came when the clock went back before the start: it is a run like any other.
    assert_eq!(found[found.len() - 5..], expected);
    assert!(found.len() <= 6, "{found:?}");
    for runner in runners {
        runner.stop().await;
    }
}

/// Starts, stops for the time of `missed` runs, starts again, and tells what became of them.
async fn after_downtime(
    catch_up: CatchUp,
    back_at: &str,
    runs_max: usize,
) -> (Vec<String>, Vec<String>) {
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let mut plan = plan("x", "0 * * * *");
    plan.catch_up = catch_up;
    let settings = Settings {
        missed_runs_max: runs_max,
        ..Settings::default()
    };
    let begin = |clock: &ManualClock| {
        let plans = vec![plan.clone()];
        Runner::start(plans, ledger.clone(), clock.clone(), outgoing(), settings).unwrap()
    };
    // Never ran before it went down: what it owes is counted from its first start.
    let clock = ManualClock::new("2026-12-10T00:30:00Z");
    let runner = begin(&clock);
    clock.waited(1).await;
    runner.stop().await;
    for _ in 0..2 {
        let clock = ManualClock::new(back_at);
        let runner = begin(&clock);
        clock.waited(1).await;
        runner.stop().await;
    }
    let hours = ledger.keys().into_iter().map(|key| key[13..15].to_owned());
    (hours.collect(), ledger.states("x"))
}

#[tokio::test]
async fn runs_missed_while_down_are_caught_up_as_the_plan_says() {
    //= A25 type=test
    let late = "2026-12-10T04:30:00Z";
    let (ran, states) = after_downtime(CatchUp::Once, late, 100).await;
    assert_eq!((ran, states.len()), (vec!["04".to_owned()], 4));
    let (ran, states) = after_downtime(CatchUp::None, late, 100).await;
    assert_eq!((ran.len(), states), (0, vec!["missed".to_owned(); 4]));
    let (ran, _) = after_downtime(CatchUp::All, late, 100).await;
    assert_eq!(ran, ["01", "02", "03", "04"]);
    let (ran, states) = after_downtime(CatchUp::All, late, 2).await;
    assert_eq!(ran, ["03", "04"]);
    assert_eq!(states, ["bounded", "announced", "announced"]);
    // A run that is due now stands for those before it.
    let (ran, _) = after_downtime(CatchUp::Once, "2026-12-10T04:00:30Z", 100).await;
    assert_eq!(ran, ["04"]);
    let (ran, _) = after_downtime(CatchUp::None, "2026-12-10T04:00:30Z", 100).await;
    assert_eq!(ran, ["04"]);
    // Ten years later, and still within bounds.
    let (ran, _) = after_downtime(CatchUp::All, "2036-12-10T04:30:00Z", 3).await;
    assert_eq!(ran.len(), 3);
}

#[tokio::test]
async fn what_falls_into_a_pause_is_neither_run_nor_caught_up() {
    //= A26 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let clock = ManualClock::new("2026-12-10T00:30:00Z");
    let mut hourly = plan("x", "0 * * * *");
    hourly.catch_up = CatchUp::All;
    let runner = start(vec![hourly.clone()], &ledger, &clock);
    clock.waited(1).await;
    ledger.pause("x", None);
    clock.set("2026-12-10T01:30:00Z").await;
    assert!(runner.list().await.unwrap()[0].is_paused);
    // Paused until 03:15, which the runner hears of at 04:30.
    ledger.pause("x", Some("2026-12-10T03:15:00Z"));
    clock.set("2026-12-10T04:30:00Z").await;
    assert_eq!(
        ledger.states("x"),
        ["paused", "paused", "paused", "announced"]
    );
    hourly.paused = true;
    let waits = clock.waits();
    runner.reload(vec![hourly.clone()]).unwrap();
    clock.waited(waits + 1).await;
    clock.set("2026-12-10T05:30:00Z").await;
    assert_eq!(ledger.states("x").last().unwrap(), "paused");
    hourly.paused = false;
    let waits = clock.waits();
    runner.reload(vec![hourly]).unwrap();
    clock.waited(waits + 1).await;
    clock.set("2026-12-10T06:00:00Z").await;
    assert_eq!(
        ledger.keys(),
        ["x/2026-12-10T04:00:00Z", "x/2026-12-10T06:00:00Z"]
    );
    let tallies = runner.tallies();
    let (id, tallied) = tallies.first().unwrap();
    assert_eq!((id.as_str(), tallies.len()), ("x", 1));
    assert_eq!(
        (tallied.announced, tallied.skipped, tallied.failed),
        (2, 4, 0)
    );
    runner.stop().await;
}

#[tokio::test]
async fn plans_are_replaced_without_losing_or_doubling_a_run() {
    //= A26 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let clock = ManualClock::new("2026-12-10T00:30:00Z");
    let runner = start(
        vec![plan("stays", "0 * * * *"), plan("ends", "0 * * * *")],
        &ledger,
        &clock,
    );
    clock.waited(1).await;
    assert_eq!(
        runner.reload(vec![plan("a", "* * * * *"); 2]),
        Err(PlanError::Twice("a".into()))
    );
    // The reload and 01:00 are seen in one turn: the old plans still owe 01:00.
    runner
        .reload(vec![plan("stays", "0 * * * *"), plan("new", "0 * * * *")])
        .unwrap();
    clock.set("2026-12-10T01:00:00Z").await;
    clock.set("2026-12-10T02:00:00Z").await;
    // Another expression owes nothing of the time before.
    let waits = clock.waits();
    runner.reload(vec![plan("stays", "30 * * * *")]).unwrap();
    clock.waited(waits + 1).await;
    clock.set("2026-12-10T02:31:00Z").await;
    let keys = ledger.keys();
    for (id, hours) in [
        ("stays", &["01:00", "02:00", "02:30"][..]),
        ("new", &["02:00"]),
    ] {
        let runs = keys.iter().filter(|key| key.starts_with(id));
        let runs: Vec<_> = runs.map(|key| &key[key.len() - 9..key.len() - 4]).collect();
        let runs: Vec<_> = runs
            .into_iter()
            .filter(|at| id != "new" || *at != "01:00")
            .collect();
        assert_eq!(runs, hours, "{id}");
    }
    assert!(
        keys.iter()
            .all(|key| !key.starts_with("ends/2026-12-10T02")),
        "{keys:?}"
    );
    runner.stop().await;
}

#[tokio::test]
async fn a_run_by_hand_has_a_key_of_its_own_and_a_preview_stores_nothing() {
    //= A26 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let clock = ManualClock::new("2026-12-10T00:30:00Z");
    let runner = start(vec![plan("x", "1 10 10 * *")], &ledger, &clock);
    clock.waited(1).await;
    let preview = runner.preview("x").await.unwrap();
    assert_eq!(preview.due_at, Some(at("2026-12-10T09:01:00Z")));
    let body = r#"{"Title":"Log your hours","Body":"Until the 20th.","link":"hours"}"#;
    assert_eq!(preview.draft.body, body);
    assert!(ledger.said().is_empty());
    let first = runner.run_now("x").await.unwrap();
    let second = runner.run_now("x").await.unwrap();
    assert_ne!(first.key, second.key);
    assert_eq!(runner.run_now("y").await, Err(RunError::Unknown));
    clock.set("2026-12-10T09:01:00Z").await;
    assert_eq!(ledger.keys().len(), 3);
    runner.stop().await;
}

#[test]
fn a_plan_that_cannot_be_used_is_refused_before_anything_starts() {
    let mut bad = plan("a/b", "* * * * *");
    assert_eq!(bad.check(), Err(PlanError::Id));
    bad.id = "a".into();
    bad.template.data = Some("[]".into());
    assert!(matches!(bad.check(), Err(PlanError::Template { .. })));
    bad.template.data = None;
    bad.priority = 6;
    assert!(matches!(bad.check(), Err(PlanError::Priority(_))));
    bad.priority = 5;
    assert_eq!(bad.check(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Minutes to which the clock jumps, and whether the runner is started anew there.
    #[test]
    fn prop_every_run_up_to_the_latest_time_seen_is_announced_once(
        jumps in proptest::collection::vec((31..600_u32, any::<bool>()), 1..12),
    ) {
        //= A25 type=test
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (found, latest) = runtime.block_on(async {
            let folder = tempdir().unwrap();
            let ledger = File::open(&folder.path().join("a.db"));
            let mut plan = plan("x", "0 * * * *");
            plan.catch_up = CatchUp::All;
            let mut clock = ManualClock::new("2026-12-10T00:30:00Z");
            let mut runner = start(vec![plan.clone()], &ledger, &clock);
            clock.waited(1).await;
            let mut latest = 0;
            for (minute, is_restarted) in jumps {
                let now = format!("2026-12-10T{:02}:{:02}:00Z", minute / 60, minute % 60);
                latest = latest.max(minute / 60);
                if is_restarted {
                    runner.stop().await;
                    clock = ManualClock::new(&now);
                    runner = start(vec![plan.clone()], &ledger, &clock);
                    clock.waited(1).await;
                } else {
                    clock.set(&now).await;
                }
            }
            runner.stop().await;
            (ledger.keys(), latest)
        });
        let key = |hour| format!("x/2026-12-10T{hour:02}:00:00Z");
        let expected: Vec<_> = (1..=latest).map(key).collect();
        prop_assert_eq!(found, expected);
    }
}
