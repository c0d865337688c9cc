//! The whole program is killed while people publish: what it had acknowledged is there afterwards.
//!
//! This is a process of its own. A child holds what its parent has open from its fork to its
//! exec, the locks of stores too, so tests beside this one could not open a store again.
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use framewire::announce::secret;
use framewire::client;
use framewire::engine::Message;
use framewire::net::{self, WebSocket};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);
const PUBLISHERS: usize = 6;
const SIGKILL: i32 = 9;

/// The program with the data folder, and without the settings of whoever runs the tests.
fn framewire(command: &str, data: &Path) -> Command {
    let mut framewire = Command::new(env!("CARGO_BIN_EXE_framewire"));
    framewire
        .arg(command)
        .arg("--data")
        .arg(data)
        .env_remove(secret::VARIABLE)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    framewire
}

async fn token(data: &Path, user: &str) -> String {
    let mut minting = framewire("token", data);
    minting.args(["--user", user, "--scope", "announce:public"]);
    let output = timeout(PATIENCE, minting.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A server that is ready, and the URL of its socket.
async fn serve(data: &Path) -> (Child, String) {
    let mut serving = framewire("serve", data);
    let mut child = serving.args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    let Some(address) = first
        .as_deref()
        .and_then(|l| l.strip_prefix("listening on "))
    else {
        panic!("{first:?}, {:?}", child.wait_with_output().await);
    };
    (child, format!("{address}/websockets"))
}

struct Person {
    socket: WebSocket<client::Stream>,
    token: String,
}

impl Person {
    async fn sign_in(url: &str, data: &Path, user: &str) -> Self {
        let token = token(data, user).await;
        let socket = client::connect(url).await.unwrap();
        let mut person = Self { socket, token };
        let signed = person.ask("Sign", json!({})).await.unwrap();
        assert_eq!(signed["auth"], true, "{signed}");
        person
    }

    /// The answer to a request, whatever is announced before it; `None` if the server vanished.
    async fn ask(&mut self, intent: &str, mut members: Value) -> Option<Value> {
        members["APIToken"] = json!(self.token);
        members["Intent"] = json!(intent);
        members["RequestID"] = json!(1);
        self.socket
            .send(Message::text(members.to_string()))
            .await
            .ok()?;
        loop {
            let heard: Result<_, net::Error> = timeout(PATIENCE, self.socket.recv()).await.unwrap();
            let heard: Value = serde_json::from_str(heard.ok()??.as_text().unwrap()).unwrap();
            if heard["RequestID"] == 1 {
                return Some(heard);
            }
        }
    }

    /// Publishes without pause until the server vanishes; tells each body that it acknowledged.
    async fn publish(
        mut self,
        name: String,
        acknowledged: mpsc::UnboundedSender<(String, String)>,
    ) {
        for number in 1.. {
            let body = format!("{name}, {number}");
            let members = json!({"Group": "Public", "Body": body});
            let Some(answer) = self.ask("Public announcement", members).await else {
                return;
            };
            assert_eq!(answer["type"], "published", "{answer}");
            let id = answer["NotificationID"].as_str().unwrap().to_owned();
            acknowledged.send((id, body)).unwrap();
        }
    }

    /// The body of everything that is unread, by its identifier.
    async fn unread(mut self) -> BTreeMap<String, String> {
        let (mut found, mut offset, mut members) = (BTreeMap::new(), 0, json!({"Limit": 200}));
        loop {
            let page = self
                .ask("Get unread messages", members.clone())
                .await
                .unwrap();
            for message in page["messages"].as_array().unwrap() {
                offset += 1;
                assert_eq!(message["offset"], offset, "a hole");
                let text = |name: &str| message[name].as_str().unwrap().to_owned();
                assert_eq!(found.insert(text("NotificationID"), text("Body")), None);
            }
            if page["complete"] == true {
                assert_eq!(page["unread"]["Public"], found.len());
                return found;
            }
            members["Cursor"] = page["Cursor"].clone();
        }
    }
}

/// Publishes until `enough` are acknowledged, and kills the server on that very moment.
async fn publish_and_kill(data: &Path, round: usize, enough: usize) -> Vec<(String, String)> {
    let (mut server, url) = serve(data).await;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut publishers = Vec::new();
    for number in 0..PUBLISHERS {
        let name = format!("publisher {number} in round {round}");
        publishers.push((Person::sign_in(&url, data, &name).await, name));
    }
    let publishing: Vec<_> = publishers
        .into_iter()
        .map(|(person, name)| tokio::spawn(person.publish(name, sender.clone())))
        .collect();
    drop(sender);
    let mut acknowledged = Vec::new();
    while let Some(one) = timeout(PATIENCE, receiver.recv()).await.unwrap() {
        acknowledged.push(one);
        if acknowledged.len() == enough {
            server.start_kill().unwrap();
        }
    }
    assert!(
        acknowledged.len() >= enough,
        "the server vanished by itself"
    );
    for publisher in publishing {
        publisher.await.unwrap();
    }
    let status = timeout(PATIENCE, server.wait()).await.unwrap().unwrap();
    assert_eq!(status.signal(), Some(SIGKILL));
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_announcement_survives_a_kill() {
    //= A01 type=test
    //= ST-01 type=test
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut acknowledged = Vec::new();
    for round in 0..12 {
        let enough = 1 + round * round;
        acknowledged.extend(publish_and_kill(&data, round, enough).await);
        let (mut server, url) = serve(&data).await;
        let unread = Person::sign_in(&url, &data, "bob").await.unread().await;
        for (id, body) in &acknowledged {
            assert_eq!(unread.get(id), Some(body), "round {round}: lost or altered");
        }
        // What may be there besides: one of each publisher that the kill left without an answer.
        let unanswered = unread.len() - acknowledged.len();
        assert!(unanswered <= PUBLISHERS * (round + 1), "{unanswered}");
        server.kill().await.unwrap();
    }
}
