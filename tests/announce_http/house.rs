//! A server on a free port, and requests to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use framewire::announce::assembly::Runs;
use framewire::announce::bus::Bus;
use framewire::announce::desk::Desk;
use framewire::announce::http::{Api, Reload, Reloaded, Schedules};
use framewire::announce::outgoing::{self, Outgoing};
use framewire::announce::schedule::{self, Plan, Runner, SystemClock};
use framewire::announce::secret::Secret;
use framewire::announce::service::Service;
use framewire::announce::store::Store;
use framewire::announce::token::{Grant, Minter, Verifier};
use framewire::client;
use framewire::engine::Message;
use framewire::net::WebSocket;
use framewire::server::{Config, Listener, Stop};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::document;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) service: Service,
    pub(crate) bus: Bus,
    minter: Minter,
    stop: Stop,
    running: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with_plans(None).await
    }

    pub(crate) async fn with_plans(plans: Option<Vec<Plan>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::load(folder.path(), None).unwrap();
        let store = Store::open(&folder.path().join("announce.db")).unwrap();
        let service = Service::new(Desk::new(store, Verifier::new(&secret)));
        let bus = Bus::new();
        let reload: Reload = Arc::new(|| {
            Box::pin(async {
                let mut reloaded = Reloaded::default();
                reloaded.applied.push("auth.keys".to_owned());
                Ok(reloaded)
            })
        });
        let schedules = plans.map(|plans| {
            let runs = Runs::new(Arc::clone(service.desk()));
            let outgoing = Outgoing::new(outgoing::Settings::default()).unwrap();
            let settings = schedule::Settings::default();
            let runner = Runner::start(plans, runs, SystemClock, outgoing, settings);
            Arc::new(runner.unwrap()) as Arc<dyn Schedules>
        });
        let api = Api::with(service.clone(), schedules, Some(bus.clone()), Some(reload));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Config::default())
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::new();
        let running = service
            .clone()
            .run_with(listener, stop.stopping(), api.router());
        Self {
            address,
            service,
            bus,
            minter: Minter::new(&secret),
            running: tokio::spawn(running),
            stop,
            _folder: folder,
        }
    }

    pub(crate) async fn close(self) {
        assert!(self.stop.stop(PATIENCE).await, "a connection did not close");
        self.running.await.unwrap();
    }

    pub(crate) fn token(&self, user: &str, scopes: &[&str]) -> String {
        self.issue(user, scopes, &[], &["main"], Duration::from_secs(600))
    }

    pub(crate) fn issue(
        &self,
        user: &str,
        scopes: &[&str],
        channels: &[&str],
        namespaces: &[&str],
        ttl: Duration,
    ) -> String {
        let mut grant = Grant::new(user);
        grant.scopes = scopes;
        grant.channels = channels;
        grant.namespaces = namespaces;
        self.minter.issue(&grant, ttl, SystemTime::now()).unwrap()
    }

    /// A token as a clock that shows `at` gives it, for an hour.
    pub(crate) fn issue_at(&self, user: &str, at: SystemTime) -> String {
        let ttl = Duration::from_secs(3600);
        self.minter.mint(user, &["main"], &[], ttl, at).unwrap()
    }

    /// Sends a request as it is, and reads until the connection ends.
    pub(crate) async fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        let read = timeout(PATIENCE, stream.read_to_string(&mut text)).await;
        read.unwrap().unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    /// Asks with a token. What comes back is held against the document of the API.
    pub(crate) async fn ask(
        &self,
        token: &str,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> Answer {
        self.ask_with(token, method, target, body, "").await
    }

    pub(crate) async fn ask_with(
        &self,
        token: &str,
        method: &str,
        target: &str,
        body: Option<Value>,
        headers: &str,
    ) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = self
            .raw(&format!(
                "{method} {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\
                 {headers}Content-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        assert!(
            answer.head.contains("cache-control: no-store"),
            "{}",
            answer.head
        );
        assert!(answer.head.contains("x-content-type-options: nosniff"));
        document::check(method, target, &answer);
        answer
    }

    pub(crate) async fn publish(&self, token: &str, body: Value) -> Value {
        let answer = self
            .ask(token, "POST", "/api/v1/announcements", Some(body))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    /// Connects by the native dialect and signs in.
    pub(crate) async fn connect(&self, token: &str) -> WebSocket<client::Stream> {
        let url = format!("ws://{}/websockets", self.address);
        let config = client::Config::default().with_subprotocol("announce.v1");
        let connecting = client::connect_with(&url, &config);
        let (mut socket, _) = connecting.await.unwrap();
        let sign = json!({"type": "sign", "id": 1, "payload": {"token": token}});
        socket.send(Message::text(sign.to_string())).await.unwrap();
        hear(&mut socket, "signed").await;
        socket
    }
}

/// The payload of the next message of a type.
pub(crate) async fn hear(socket: &mut WebSocket<client::Stream>, kind: &str) -> Value {
    loop {
        let heard = timeout(PATIENCE, socket.recv()).await.unwrap().unwrap();
        let heard: Value = serde_json::from_str(heard.unwrap().as_text().unwrap()).unwrap();
        if heard["type"] == kind {
            return heard["payload"].clone();
        }
    }
}
