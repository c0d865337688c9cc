//! A server on a free port, and people who connect to it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use framewire::announce::desk::Desk;
use framewire::announce::secret::Secret;
use framewire::announce::service::{MESSAGE_BYTES_MAX, Service};
use framewire::announce::store::Store;
use framewire::announce::token::{Minter, Verifier};
use framewire::client;
use framewire::engine::{Limits, Message};
use framewire::net::WebSocket;
use framewire::server::{Config, Listener, Stop};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct House {
    pub(crate) address: SocketAddr,
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
        let secret = Secret::load(folder.path(), None).unwrap();
        let store = Store::open(&folder.path().join("announce.db")).unwrap();
        let service = Service::new(Desk::new(store, Verifier::new(&secret)));
        // People here often leave without a word, and are not waited for long.
        let limits = Limits::default()
            .with_message_bytes_max(MESSAGE_BYTES_MAX)
            .with_close_timeout(Duration::from_millis(300));
        let config = Config::default().with_limits(limits);
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config)
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::new();
        let running = tokio::spawn(service.run(listener, stop.stopping()));
        Self {
            address,
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
        while timeout(PATIENCE, self.socket.recv())
            .await
            .unwrap()
            .unwrap()
            .is_some()
        {}
        self.socket.closure().unwrap().code().get()
    }
}
