//! Somebody who is connected.

use std::path::Path;
use std::time::{Duration, SystemTime};

use framewire::announce::secret::Secret;
use framewire::announce::token::Minter;
use framewire::client::{self, Config};
use framewire::engine::Message;
use framewire::net::WebSocket;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::program::PATIENCE;

pub(crate) const SECRET: &str = "83b1f0c47d92e6a5b04f1c7e2d9a6835";

/// A token that is signed with this secret.
pub(crate) fn token_with(secret: &str, user: &str, scopes: &[&str]) -> String {
    let secret = Secret::from_variable("S", secret.into()).unwrap();
    let hour = Duration::from_secs(3600);
    let minter = Minter::new(&secret);
    let minted = minter.mint(user, &["main"], scopes, hour, SystemTime::now());
    minted.unwrap()
}

/// A token that is signed with the secret in a data folder.
pub(crate) fn token(data: &Path, user: &str) -> String {
    let secret = std::fs::read_to_string(data.join("api_secret")).unwrap();
    token_with(secret.trim_end(), user, &["announce:public"])
}

pub(crate) struct Person {
    pub(crate) socket: WebSocket<client::Stream>,
    token: String,
}

impl Person {
    pub(crate) async fn sign_in(url: &str, token: String) -> Self {
        Self::sign_in_with(url, &Config::default(), token).await
    }

    pub(crate) async fn sign_in_with(url: &str, config: &Config, token: String) -> Self {
        let opened = client::open(&format!("{url}/websockets"), config).await;
        let socket = opened.unwrap().socket;
        let mut person = Self { socket, token };
        let signed = person.ask("Sign", json!({})).await;
        assert_eq!(signed["auth"], true, "{signed}");
        person
    }

    /// The answer to a request, whatever is announced before it.
    pub(crate) async fn ask(&mut self, intent: &str, mut members: Value) -> Value {
        members["APIToken"] = json!(self.token);
        members["Intent"] = json!(intent);
        members["RequestID"] = json!(1);
        let text = Message::text(members.to_string());
        self.socket.send(text).await.unwrap();
        loop {
            let heard = self.hear().await;
            if heard["RequestID"] == 1 || heard["payload"]["RequestID"] == 1 {
                return heard;
            }
        }
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Value {
        let heard = timeout(PATIENCE, self.socket.recv()).await.unwrap();
        serde_json::from_str(heard.unwrap().unwrap().as_text().unwrap()).unwrap()
    }

    pub(crate) async fn publish(&mut self, body: &str) -> Value {
        let members = json!({"Group": "Public", "Body": body});
        self.ask("Public announcement", members).await
    }

    /// The bodies of what is unread.
    pub(crate) async fn unread(&mut self) -> Vec<String> {
        let page = self.ask("Get unread messages", json!({})).await;
        let messages = page["messages"].as_array().unwrap().iter();
        messages
            .map(|message| message["Body"].as_str().unwrap().to_owned())
            .collect()
    }
}
