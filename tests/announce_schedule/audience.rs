//! Who is meant is asked when a run is due.

use framewire::announce::outgoing::Target;
use framewire::announce::schedule::{Audience, Plan};
use tempfile::tempdir;

use crate::fixtures::{File, ManualClock, plan, start};
use crate::hook::{Hook, answer};

fn asking(hook: &Hook) -> Plan {
    let mut plan = plan("hours", "1 10 10 * *");
    plan.audience_hook = Some(Target::new(&hook.url, false).unwrap());
    plan
}

fn users(names: &str) -> String {
    answer("200 OK", &format!("{{\"users\":[{names}]}}"))
}

const BEFORE: &str = "2026-12-10T09:00:00Z";
const DUE: &str = "2026-12-10T09:01:00Z";

#[tokio::test]
async fn each_person_whom_the_hook_names_gets_one_announcement() {
    //= A80 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let hook = Hook::start(vec![users(r#""bob","eva""#)]).await;
    let clock = ManualClock::new(BEFORE);
    let runner = start(vec![asking(&hook)], &ledger, &clock);
    clock.waited(1).await;
    let preview = runner.preview("hours").await.unwrap();
    assert_eq!(
        preview.audience,
        Audience::Users(vec!["bob".into(), "eva".into()])
    );
    assert!(ledger.said().is_empty());
    clock.set(DUE).await;
    let expected = ["bob", "eva"].map(|user| {
        (
            format!("hours/2026-12-10T09:01:00Z/{user}"),
            format!("user:{user}"),
        )
    });
    assert_eq!(ledger.said(), expected);
    assert_eq!(ledger.states("hours"), ["sent 2"]);
    let asked = hook.asked();
    assert!(
        asked[1].starts_with("POST /who?key=secret HTTP/1.1\r\n"),
        "{asked:?}"
    );
    let body = r#"{"schedule":"hours","due_at":"2026-12-10T09:01:00Z","namespace":"main"}"#;
    assert!(asked[1].ends_with(body), "{asked:?}");
    runner.stop().await;
}

#[tokio::test]
async fn a_hook_that_says_everyone_leads_to_the_feed() {
    //= A80 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let hook = Hook::start(vec![answer("200 OK", r#"{"all":true}"#)]).await;
    let clock = ManualClock::new(BEFORE);
    let runner = start(vec![asking(&hook)], &ledger, &clock);
    clock.waited(1).await;
    clock.set(DUE).await;
    assert_eq!(
        ledger.said(),
        [("hours/2026-12-10T09:01:00Z".into(), "Public".into())]
    );
    runner.stop().await;
}

#[tokio::test]
async fn a_hook_that_fails_is_asked_again_and_in_the_end_nobody_is_told() {
    //= A80 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let hook = Hook::start(vec![answer("503 Later", "")]).await;
    let clock = ManualClock::new(BEFORE);
    let runner = start(vec![asking(&hook)], &ledger, &clock);
    clock.waited(1).await;
    clock.set(DUE).await;
    clock.set("2026-12-10T09:01:04Z").await;
    assert_eq!(hook.asked().len(), 1, "the delay is not over");
    clock.set("2026-12-10T09:01:05Z").await;
    assert_eq!(hook.asked().len(), 2);
    clock.set("2026-12-10T09:10:59Z").await;
    assert!(ledger.states("hours").is_empty());
    clock.set("2026-12-10T09:13:00Z").await;
    assert_eq!(ledger.states("hours"), ["no audience"]);
    clock.set("2026-12-10T09:20:00Z").await;
    assert_eq!(hook.asked().len(), 4);
    assert!(ledger.said().is_empty());
    runner.stop().await;
}

#[tokio::test]
async fn a_hook_that_comes_back_late_is_heard_even_where_nothing_is_caught_up() {
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let hook = Hook::start(vec![answer("200 OK", "[]"), users(r#""bob""#)]).await;
    let clock = ManualClock::new(BEFORE);
    let mut plan = asking(&hook);
    plan.catch_up = framewire::announce::schedule::CatchUp::None;
    let runner = start(vec![plan], &ledger, &clock);
    clock.waited(1).await;
    clock.set(DUE).await;
    clock.set("2026-12-10T09:09:00Z").await;
    assert_eq!(ledger.states("hours"), ["sent 1"]);
    runner.stop().await;
}

#[tokio::test]
async fn a_run_that_stopped_half_way_is_finished_for_the_people_named_first() {
    //= A25 type=test
    //= A80 type=test
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let names: Vec<String> = (0..200).map(|n| format!("\"user{n}\"")).collect();
    let hook = Hook::start(vec![users(&names.join(",")), users(r#""late""#)]).await;
    let clock = ManualClock::new(BEFORE);
    let runner = start(vec![asking(&hook)], &ledger, &clock);
    clock.waited(1).await;
    let mut waiting = Box::pin(clock.set(DUE));
    while ledger.said().len() < 20 {
        tokio::select! {
            biased;
            () = &mut waiting => panic!("it was not interrupted"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(waiting);
    runner.stop().await;
    let told = ledger.said().len();
    assert!((20..200).contains(&told), "{told}");
    assert!(ledger.states("hours").contains(&"open".into()));
    let clock = ManualClock::new("2026-12-10T11:00:00Z");
    let runner = start(vec![asking(&hook)], &ledger, &clock);
    clock.waited(1).await;
    assert_eq!(ledger.said().len(), 200);
    assert_eq!(ledger.states("hours"), ["sent 200"]);
    assert_eq!(hook.asked().len(), 1);
    runner.stop().await;
}
