//! A server in this process, from a configuration, and what is said to it by hand.

use std::net::SocketAddr;
use std::path::Path;

use framewire::announce::assembly::{Ended, Inputs, Reload, Server};
use framewire::announce::config::Flags;
use framewire::announce::service::Service;
use framewire::client::{self, Config};
use framewire::engine::Message;
use framewire::net::WebSocket;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::person::{SECRET, token_with};
use crate::program::{PATIENCE, write};

const FILE: &str = "c.yaml";

pub(crate) struct Home {
    pub(crate) address: SocketAddr,
    pub(crate) service: Service,
    reload: Reload,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Ended>,
    folder: tempfile::TempDir,
}

fn inputs(folder: &Path) -> Inputs {
    Inputs {
        file: Some(folder.join(FILE)),
        environment: [("API_secret".to_owned(), SECRET.to_owned())].into(),
        flags: Flags {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            data: Some(folder.join("data")),
        },
    }
}

impl Home {
    /// Serves by this configuration.
    pub(crate) async fn open(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), FILE, text);
        let inputs = inputs(folder.path());
        let (config, _) = inputs.load().unwrap();
        let server = Server::new(config, inputs).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        Self {
            address: server.local_addr().unwrap(),
            service: server.service().clone(),
            reload: server.reload(),
            stop,
            running: tokio::spawn(server.run(async move { drop(stopped.await) })),
            folder,
        }
    }

    /// Puts another configuration in place of the one that was.
    pub(crate) async fn reload(&self, text: &str) {
        write(self.folder.path(), FILE, text);
        self.reload.reload().await.unwrap();
    }

    /// Has everybody leave.
    pub(crate) async fn close(self) {
        self.stop.send(()).unwrap();
        assert_eq!(self.running.await.unwrap(), Ended::Drained);
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/websockets", self.address)
    }

    /// How many clients came to no request, for this reason.
    pub(crate) fn failed(&self, reason: &str) -> u64 {
        let failed = self.service.counters().snapshot().failed;
        let found = failed.iter().find(|(name, _)| *name == reason);
        found.map_or(0, |(_, count)| *count)
    }

    /// The answer to a request of a socket with these header lines, and the connection.
    pub(crate) async fn upgrade(&self, lines: &str) -> (String, TcpStream) {
        let head = format!(
            "GET /websockets HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {lines}\r\n"
        );
        let mut tcp = TcpStream::connect(self.address).await.unwrap();
        tcp.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(PATIENCE, tcp.read_u8()).await.unwrap().unwrap());
        }
        (String::from_utf8(answer).unwrap(), tcp)
    }

    /// The status of the answer to a request of a socket with these header lines.
    pub(crate) async fn upgraded(&self, lines: &str) -> u16 {
        status(&self.upgrade(lines).await.0)
    }

    /// The answer to a request of a page with these header lines.
    pub(crate) async fn get(&self, path: &str, lines: &str) -> String {
        let mut tcp = TcpStream::connect(self.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\n{lines}\r\n");
        tcp.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tcp.read_to_string(&mut answer);
        timeout(PATIENCE, read).await.unwrap().unwrap();
        answer
    }

    /// The figures, as Prometheus reads them.
    pub(crate) async fn figures(&self) -> String {
        let token = token_with(SECRET, "prometheus", &["metrics"]);
        let lines = format!("Host: a\r\nAuthorization: Bearer {token}\r\n");
        self.get("/metrics", &lines).await
    }

    /// Somebody who speaks `announce.v1` and has signed in with the request.
    pub(crate) async fn native(&self, user: &str, scopes: &[&str]) -> Native {
        self.native_with(Config::default(), user, scopes).await
    }

    pub(crate) async fn native_with(&self, config: Config, user: &str, scopes: &[&str]) -> Native {
        let token = token_with(SECRET, user, scopes);
        let config = config
            .with_subprotocol("announce.v1")
            .with_subprotocol(format!("token.{token}"));
        let opened = client::open(&self.url(), &config).await;
        let mut native = Native {
            socket: opened.unwrap().socket,
            hello: Value::Null,
        };
        native.hello = native.hear("hello").await;
        native.hear("signed").await;
        native
    }
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1);
    status.and_then(|it| it.parse().ok()).expect("an answer")
}

/// A connection that speaks `announce.v1`.
pub(crate) struct Native {
    pub(crate) socket: WebSocket<client::Stream>,
    pub(crate) hello: Value,
}

impl Native {
    pub(crate) async fn say(&mut self, kind: &str, payload: Value) {
        let message = json!({"type": kind, "id": 1, "payload": payload});
        let text = Message::text(message.to_string());
        self.socket.send(text).await.unwrap();
    }

    /// The payload of the next message of this type, whatever is said before it.
    pub(crate) async fn hear(&mut self, kind: &str) -> Value {
        loop {
            let heard = timeout(PATIENCE, self.socket.recv()).await.unwrap();
            let heard = heard.unwrap().expect("the connection is open");
            let mut heard: Value = serde_json::from_str(heard.as_text().unwrap()).unwrap();
            if heard["type"] == kind {
                return heard["payload"].take();
            }
        }
    }

    /// The code and the reason with which the server closes, whatever it says before.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let end = async { while self.socket.recv().await.unwrap().is_some() {} };
        timeout(PATIENCE, end).await.unwrap();
        let closure = self.socket.closure().unwrap();
        (closure.code().get(), closure.reason().to_owned())
    }
}
