//! Schedules of the program: what was missed, and a kill in the middle of a run.

use framewire::announce::announcement::FeedKey;
use framewire::announce::assembly::Runs;
use framewire::announce::schedule::{Claim, Ledger as _, Outcome};
use jiff::{Timestamp, ToSpan as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::person::{Person, SECRET, token_with};
use crate::program::{PATIENCE, Running, framewire, write};
use crate::runs::open;

const PEOPLE: usize = 1000;

fn schedule(more: &str) -> String {
    format!(
        "announcements:\n  schedules:\n  - id: reminder\n    cron: \"0 0 1 1 *\"\n    timezone: \
         UTC\n    feed: Public\n    template: {{title: Hours, body: Enter them}}\n{more}"
    )
}

/// A store whose last run of the schedule is two years ago.
async fn owing(data: &std::path::Path) {
    std::fs::create_dir_all(data).unwrap();
    let runs = Runs::new(open(data));
    let long_ago = Timestamp::now() - (2 * 365 * 24).hours();
    let settled = runs.settle("reminder", long_ago, Outcome::Announced).await;
    assert_eq!(settled, Ok(Claim::Fired));
}

async fn serve(folder: &std::path::Path) -> Running {
    let mut command = framewire(folder);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.env("FRAMEWIRE_LIMITS_MESSAGES_RATE", "off");
    Running::start(command.env("API_secret", SECRET)).await
}

/// Waits until a person has something unread, and says how much.
async fn unread(person: &mut Person) -> usize {
    loop {
        let count = person.unread().await.len();
        if count > 0 {
            return count;
        }
    }
}

async fn sign_in(server: &Running, user: &str) -> Person {
    Person::sign_in(&server.url, token_with(SECRET, user, &[])).await
}

//= A23 type=test
//= A25 type=test
#[tokio::test]
async fn what_was_missed_is_made_up_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "conf/socket.yaml", &schedule(""));
    owing(&folder.path().join("data")).await;
    for _ in 0..2 {
        let server = serve(folder.path()).await;
        assert_eq!(unread(&mut sign_in(&server, "bob").await).await, 1);
        server.stop().await;
    }
}

//= A25 type=test
//= A77 type=test
#[tokio::test]
async fn what_was_missed_is_made_up_once_by_several_that_share_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let shared = "store:\n  shared: true\n";
    write(folder.path(), "conf/socket.yaml", &schedule(shared));
    owing(&folder.path().join("data")).await;
    let path = folder.path();
    let (first, second, third) = tokio::join!(serve(path), serve(path), serve(path));
    let servers = [first, second, third];
    // Each has turned its schedules before it looks for the next run.
    for server in &servers {
        let mut bob = sign_in(server, "bob").await;
        assert_eq!(unread(&mut bob).await, 1);
    }
    for server in servers {
        let mut bob = sign_in(&server, "bob").await;
        server.signal("TERM").await;
        while let Ok(Some(message)) = bob.socket.recv().await {
            let text = message.as_text().unwrap_or_default();
            assert!(!text.contains("Hours"), "a second time: {text}");
        }
        assert_eq!(server.ended().await.code(), Some(0));
    }
    let server = serve(path).await;
    assert_eq!(unread(&mut sign_in(&server, "bob").await).await, 1);
    server.stop().await;
}

/// Reads one request to the end of its body, which is an object.
async fn request(listener: &TcpListener) -> tokio::net::TcpStream {
    let (mut socket, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        let mut buffer = [0; 4096];
        let length = timeout(PATIENCE, socket.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        assert!(length > 0, "the question breaks off");
        text.extend_from_slice(&buffer[..length]);
    }
    socket
}

//= A25 type=test
#[tokio::test]
async fn a_kill_in_the_middle_of_a_run_doubles_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let hook = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/who", hook.local_addr().unwrap());
    let more = format!("    audience_hook: \"{url}\"\n");
    write(folder.path(), "conf/socket.yaml", &schedule(&more));
    owing(&data).await;
    let server = serve(folder.path()).await;
    let mut asked = request(&hook).await;
    // Some are told before the one who is watched, and many after.
    let watched = format!("user{}", PEOPLE / 10);
    let mut person = sign_in(&server, &watched).await;
    let names: Vec<String> = (0..PEOPLE).map(|at| format!("user{at}")).collect();
    let body = serde_json::json!({"users": names}).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    asked.write_all(answer.as_bytes()).await.unwrap();
    assert_eq!(unread(&mut person).await, 1);
    server.signal("KILL").await;
    assert_eq!(server.ended().await.code(), None);
    let desk = open(&data);
    let told = desk
        .store()
        .list("main", Default::default(), None, 200)
        .await;
    let told = told.unwrap().announcements.len();
    drop(desk);

    // The hook is not asked again: what it said stands in the store.
    drop(hook);
    let server = serve(folder.path()).await;
    let last = format!("user{}", PEOPLE - 1);
    assert_eq!(unread(&mut sign_in(&server, &last).await).await, 1);
    server.stop().await;
    let desk = open(&data);
    for user in &names {
        let feed = FeedKey::user(user).unwrap();
        let missed = desk.store().since("main", user, &feed, 0, None, 10).await;
        let missed = missed.unwrap();
        assert_eq!(missed.entries.len(), 1, "{user}, {told} before the kill");
    }
    let runs = Runs::new(desk);
    let last = runs.last_run("reminder").await.unwrap().unwrap();
    assert_eq!(last.outcome, Outcome::Sent { users: 1000 });
}
