//! Histories of many clients against the real server, and the checker that judges them.
//!
//! Clients act by chance while the server is killed and started again. Each writes down what it
//! sent and what it received, and the checker tells from that whether a promise was broken.
//! `run` beside this file is the long one.
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

extern crate alloc;

mod check;
mod client;
mod planted;
mod record;
#[path = "../reserved/mod.rs"]
mod reserved;
mod run;
mod serving;
mod words;

use std::env;
use std::time::Instant;

use run::{Plan, Report};

/// Runs, says what was seen, and stops at what was broken.
async fn judge(plan: Plan) -> record::History {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    println!("{plan:?}");
    let Report {
        history,
        broken,
        figures,
    } = run::run(plan, &folder.path().join("data")).await;
    let ran = began.elapsed();
    let faults = check::check(&history);
    let lines: usize = history.iter().map(|story| story.lines.len()).sum();
    println!("{}", census(&history));
    println!("{figures}");
    let overtaken = check::overtaken(&history);
    println!("{overtaken} times told of counts older than those of an answer");
    println!(
        "{lines} lines in {ran:.1?}, checked in {:.1?}",
        began.elapsed() - ran
    );
    assert!(
        broken.is_empty() && faults.is_empty(),
        "{plan:?}\n{}\n{}",
        broken.join("\n"),
        check::excerpt(&faults)
    );
    history
}

/// How much of everything there was: a run in which nothing happens proves nothing.
fn census(history: &record::History) -> String {
    use record::What;
    let count = |which: fn(&What) -> bool| {
        let lines = history.iter().flat_map(|story| &story.lines);
        lines.filter(|line| which(&line.what)).count()
    };
    let [published, changed, noted, heard, gone, refused] = [
        count(|it| matches!(it, What::Published { .. })),
        count(|it| matches!(it, What::Changed { .. })),
        count(|it| matches!(it, What::Noted { .. })),
        count(|it| matches!(it, What::Heard(_))),
        count(|it| matches!(it, What::Gone { .. })),
        count(|it| matches!(it, What::Refused { .. })),
    ];
    assert!(published > 0 && changed > 0 && noted > 0 && heard > published);
    format!(
        "{published} published, {changed} changed, {noted} marked, {heard} heard, \
         {gone} connections lost, {refused} refusals"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_promise_is_broken_while_the_server_is_killed() {
    //= A01 type=test
    //= A79 type=test
    //= ST-01 type=test
    let plan = Plan {
        clients: 100,
        kills: 3,
        seconds: 10,
        seed: setting("SEED", words::clock()),
    };
    planted::expect_found_in(&judge(plan).await);
}

/// The long run; `run` beside this file sets what it is to be like.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn no_promise_is_broken_in_the_long_run() {
    let plan = Plan {
        clients: usize::try_from(setting("CLIENTS", 2000)).unwrap(),
        kills: usize::try_from(setting("KILLS", 20)).unwrap(),
        seconds: setting("SECONDS", 120),
        seed: setting("SEED", words::clock()),
    };
    judge(plan).await;
}

fn setting(name: &str, usual: u64) -> u64 {
    let given = env::var(format!("HISTORY_{name}"));
    given.map_or(usual, |given| given.parse().unwrap())
}
