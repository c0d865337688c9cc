//! Calls that are dropped after every number of polls.

use framewire::announce::outgoing::Target;
use tempfile::tempdir;

use crate::fixtures::{File, ManualClock, outgoing, plan, start};
use crate::hook::{Hook, answer};
use crate::polling::poll_times;

// drops: announce::schedule::runner::run_now
// drops: announce::schedule::runner::run_once
// drops: announce::schedule::runner::preview
// drops: announce::schedule::runner::list
// drops: announce::schedule::runner::stop
// drops: announce::outgoing::post_json
// drops: announce::outgoing::get
#[tokio::test]
async fn a_dropped_call_harms_no_later_one() {
    let folder = tempdir().unwrap();
    let ledger = File::open(&folder.path().join("a.db"));
    let hook = Hook::start(vec![answer("200 OK", r#"{"users":["bob","eva"]}"#)]).await;
    let target = Target::new(&hook.url, false).unwrap();
    let mut plan = plan("hours", "1 10 10 * *");
    plan.audience_hook = Some(target.clone());
    let outgoing = outgoing();
    for polls in 0..8 {
        let clock = ManualClock::new("2026-12-10T08:00:00Z");
        let runner = start(vec![plan.clone()], &ledger, &clock);
        clock.waited(1).await;
        drop(poll_times(runner.run_now("hours"), polls).await);
        drop(poll_times(runner.run_once("hours", "k"), polls).await);
        drop(poll_times(runner.preview("hours"), polls).await);
        drop(poll_times(runner.list(), polls).await);
        drop(poll_times(outgoing.post_json(&target, &[], "{}".into()), polls).await);
        drop(poll_times(outgoing.get(&target), polls).await);
        let key = runner.run_now("hours").await.unwrap().key;
        let mine = |said: &String| said.starts_with(&key);
        assert_eq!(ledger.keys().into_iter().filter(mine).count(), 2);
        // Whoever asks by the key that was dropped goes on with its run, and it is the only one.
        let key = runner.run_once("hours", "k").await.unwrap().key;
        let mine = |said: &String| said.starts_with(&key);
        assert_eq!(ledger.keys().into_iter().filter(mine).count(), 2);
        let all = ledger.keys();
        let once = all.iter().filter(|said| said.contains("/once/"));
        assert_eq!(once.count(), 2);
        assert_eq!(runner.list().await.unwrap().len(), 1);
        assert_eq!(outgoing.get(&target).await.unwrap().status, 200);
        let _ = poll_times(runner.stop(), polls).await;
    }
}
