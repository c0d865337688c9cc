//! A server on a free port, and people who connect to it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framewire::announce::desk::Desk;
use framewire::announce::page;
use framewire::announce::secret::Secret;
use framewire::announce::service::{MESSAGE_BYTES_MAX, Service, Settings};
use framewire::announce::store::Store;
use framewire::announce::token::{Grant, Minter, Verifier};
use framewire::client;
use framewire::engine::{Limits, Message};
use framewire::net::WebSocket;
use framewire::server::{Config, Listener, Stop};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) service: Service,
    minter: Minter,
    stop: Stop,
    running: JoinHandle<()>,
    pub(crate) folder: tempfile::TempDir,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn open_in(folder: tempfile::TempDir) -> Self {
        Self::open_with(folder, Settings::default()).await
    }

    /// A server whose settings differ from the usual ones.
    pub(crate) async fn set(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        Self::open_with(tempfile::tempdir().unwrap(), settings).await
    }

    /// A server that waits so long for a client to answer its close.
    pub(crate) async fn patient(close_timeout: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open_closing(folder, Settings::default(), close_timeout).await
    }

    async fn open_with(folder: tempfile::TempDir, settings: Settings) -> Self {
        // People here often leave without a word, and are not waited for long.
        Self::open_closing(folder, settings, Duration::from_millis(300)).await
    }

    async fn open_closing(
        folder: tempfile::TempDir,
        settings: Settings,
        close_timeout: Duration,
    ) -> Self {
        let secret = Secret::load(folder.path(), None).unwrap();
        let store = Store::open(&folder.path().join("announce.db")).unwrap();
        let desk = Desk::new(store, Verifier::new(&secret));
        let service = Service::with(desk, settings, page::router());
        let limits = Limits::default()
            .with_message_bytes_max(MESSAGE_BYTES_MAX)
            .with_close_timeout(close_timeout);
        let config = Config::default().with_limits(limits);
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config)
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::new();
        let running = tokio::spawn(service.clone().run(listener, stop.stopping()));
        Self {
            address,
            service,
            minter: Minter::new(&secret),
            stop,
            running,
            folder,
        }
    }

    /// Stops the server and returns its folder.
    pub(crate) async fn close(self) -> tempfile::TempDir {
        assert!(self.stop.stop(PATIENCE).await, "a connection did not close");
        self.running.await.unwrap();
        // What is left of the server ends by itself, and then nobody holds the store.
        let desk = Arc::downgrade(self.service.desk());
        drop(self.service);
        timeout(PATIENCE, async {
            while desk.strong_count() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        self.folder
    }

    /// Drops what accepts connections, without telling anybody.
    pub(crate) async fn stop_accepting(&mut self) {
        self.running.abort();
        assert!((&mut self.running).await.unwrap_err().is_cancelled());
    }

    pub(crate) fn token(&self, user: &str, scopes: &[&str]) -> String {
        let ttl = Duration::from_secs(600);
        self.minter
            .mint(user, &[], scopes, ttl, SystemTime::now())
            .unwrap()
    }

    pub(crate) fn token_minted(&self, user: &str, ttl: Duration, at: SystemTime) -> String {
        self.minter.mint(user, &[], &[], ttl, at).unwrap()
    }

    pub(crate) fn grant(&self, grant: &Grant<'_>) -> String {
        let ttl = Duration::from_secs(600);
        self.minter.issue(grant, ttl, SystemTime::now()).unwrap()
    }

    pub(crate) fn token_lasting(&self, grant: &Grant<'_>, ttl: Duration) -> String {
        self.minter.issue(grant, ttl, SystemTime::now()).unwrap()
    }

    pub(crate) fn token_for(&self, user: &str, ttl: Duration) -> String {
        self.token_minted(user, ttl, SystemTime::now())
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/websockets", self.address)
    }

    /// Connects with this configuration, or is refused with a status.
    pub(crate) async fn try_connect(
        &self,
        query: &str,
        config: &client::Config,
    ) -> Result<WebSocket<client::Stream>, u16> {
        let connected = client::connect_with(&format!("{}{query}", self.url()), config).await;
        match connected {
            Ok((socket, _)) => Ok(socket),
            Err(client::ConnectError::Refused(answer)) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects in the dialect `announce.v1`, and hears its greeting.
    pub(crate) async fn greet(&self) -> Native {
        let config = client::Config::default().with_subprotocol("announce.v1");
        let socket = self.try_connect("", &config).await.unwrap();
        let mut native = Native::new(socket);
        assert_eq!(native.next().await["type"], "hello");
        native
    }

    /// Connects and signs in with a token that gives this.
    pub(crate) async fn native_as(&self, grant: &Grant<'_>) -> Native {
        let mut native = self.greet().await;
        let token = self.grant(grant);
        let signed = native.ask("sign", json!({"token": token})).await;
        assert_eq!(signed["type"], "signed", "{signed}");
        native
    }

    pub(crate) async fn native(&self, user: &str, scopes: &[&str]) -> Native {
        self.native_as(&grant(user, scopes, &[], &[])).await
    }

    /// As [`sign_in`](Self::sign_in), with a token that gives this.
    pub(crate) async fn sign_in_as(&self, grant: &Grant<'_>) -> Person {
        let mut person = self.connect().await;
        person.token = self.grant(grant);
        person.say("Sign", json!({})).await;
        assert_eq!(person.hear().await["auth"], true);
        person
    }

    /// Connects without signing in.
    pub(crate) async fn connect(&self) -> Person {
        let url = format!("ws://{}/websockets", self.address);
        Person {
            socket: client::connect(&url).await.unwrap(),
            token: String::new(),
        }
    }

    /// Connects and signs in.
    pub(crate) async fn sign_in(&self, user: &str, scopes: &[&str]) -> Person {
        let mut person = self.connect().await;
        person.token = self.token(user, scopes);
        person.say("Sign", json!({})).await;
        let signed = person.hear().await;
        assert_eq!(
            (&signed["auth"], &signed["UserID"]),
            (&json!(true), &json!(user))
        );
        person
    }
}

pub(crate) struct Person {
    pub(crate) socket: WebSocket<client::Stream>,
    pub(crate) token: String,
}

impl Person {
    pub(crate) async fn say(&mut self, intent: &str, mut members: Value) {
        members["APIToken"] = json!(self.token);
        members["Intent"] = json!(intent);
        self.socket
            .send(Message::text(members.to_string()))
            .await
            .unwrap();
    }

    pub(crate) async fn hear_text(&mut self) -> String {
        let heard = timeout(PATIENCE, self.socket.recv())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        heard.as_text().unwrap().to_owned()
    }

    pub(crate) async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.hear_text().await).unwrap()
    }

    /// Hears until something has this Intent.
    pub(crate) async fn hear_intent(&mut self, intent: &str) -> Value {
        loop {
            let heard = self.hear().await;
            if heard["Intent"] == intent {
                return heard;
            }
        }
    }

    /// The code with which the server closes, whatever it says before.
    pub(crate) async fn closed_with(&mut self) -> u16 {
        closed(&mut self.socket).await.0
    }
}

/// What a token gives.
pub(crate) fn grant<'a>(
    user: &'a str,
    scopes: &'a [&'a str],
    channels: &'a [&'a str],
    roles: &'a [&'a str],
) -> Grant<'a> {
    let mut grant = Grant::new(user);
    (grant.scopes, grant.channels, grant.roles) = (scopes, channels, roles);
    grant
}

/// A connection that speaks `announce.v1`.
pub(crate) struct Native {
    pub(crate) socket: WebSocket<client::Stream>,
    heard: VecDeque<Value>,
    asked: u64,
}

impl Native {
    pub(crate) fn new(socket: WebSocket<client::Stream>) -> Self {
        Self {
            socket,
            heard: VecDeque::new(),
            asked: 0,
        }
    }

    /// Sends a message, and returns what answers it.
    pub(crate) async fn ask(&mut self, kind: &str, payload: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let message = json!({"type": kind, "id": id, "payload": payload});
        self.send(&message).await;
        loop {
            let heard = self.receive().await;
            if heard["replyTo"] == id {
                return heard;
            }
            self.heard.push_back(heard);
        }
    }

    /// Sends a message, and returns the code of the error that answers it.
    pub(crate) async fn refused(&mut self, kind: &str, payload: Value) -> String {
        let answer = self.ask(kind, payload).await;
        assert_eq!(answer["type"], "error", "{answer}");
        answer["payload"]["code"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        let text = Message::text(message.to_string());
        self.socket.send(text).await.unwrap();
    }

    /// What was heard next, answers aside.
    pub(crate) async fn next(&mut self) -> Value {
        match self.heard.pop_front() {
            Some(heard) => heard,
            None => self.receive().await,
        }
    }

    /// The payload of what was heard next, which has to be of this type.
    pub(crate) async fn hear(&mut self, kind: &str) -> Value {
        let mut heard = self.next().await;
        assert_eq!(heard["type"], kind, "{heard}");
        heard["payload"].take()
    }

    /// Has the server answer something, and returns all that came before the answer.
    pub(crate) async fn all(&mut self) -> Vec<Value> {
        self.ask("unread", json!({"limit": 1})).await;
        self.heard.drain(..).collect()
    }

    async fn receive(&mut self) -> Value {
        let heard = timeout(PATIENCE, self.socket.recv()).await.unwrap();
        let heard = heard.unwrap().expect("the connection is open");
        serde_json::from_str(heard.as_text().unwrap()).unwrap()
    }

    /// The code and the reason with which the server closes, whatever it says before.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        closed(&mut self.socket).await
    }
}

/// The code and the reason with which the server closes, whatever it says before.
pub(crate) async fn closed(socket: &mut WebSocket<client::Stream>) -> (u16, String) {
    while timeout(PATIENCE, socket.recv())
        .await
        .unwrap()
        .unwrap()
        .is_some()
    {}
    let closure = socket.closure().unwrap();
    (closure.code().get(), closure.reason().to_owned())
}
