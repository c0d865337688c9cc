//! What several keys have to agree on.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::announce::config::fault::{Fault, Place};
use crate::announce::config::model::{Config, SecretSource};
use crate::announce::config::value::Value;

/// Where the server itself answers; nothing else may begin so.
const OWN_PATHS: [&str; 6] = [
    "/api", "/metrics", "/health", "/admin", "/feeds", "/openapi",
];

/// Every disagreement.
pub(crate) fn check(config: &Config) -> Vec<Fault> {
    let mut all = Agreement {
        config,
        faults: Vec::new(),
    };
    all.paths();
    all.topics();
    all.secrets();
    all.keys();
    all.pairs();
    all.sizes();
    all.repeated("gateway.socket.onmessage.types", "type");
    all.repeated("gateway.handlers", "topic");
    all.repeated("announcements.schedules", "id");
    all.repeated("auth.tokens.keys", "kid");
    all.faults
}

struct Agreement<'c> {
    config: &'c Config,
    faults: Vec<Fault>,
}

impl Agreement<'_> {
    fn fault(&mut self, path: &str, message: impl Into<String>) {
        let place = self.config.values.place(path);
        let (path, message) = (path.to_owned(), message.into());
        self.faults.push(Fault {
            place,
            path,
            message,
        });
    }

    fn is_set(&self, path: &str) -> bool {
        self.config.values.place(path) != Place::Default
    }

    fn paths(&mut self) {
        let announcements = self.config.announcements.path.clone();
        let gateway = self
            .config
            .gateway
            .socket
            .as_ref()
            .map(|it| it.path.clone());
        let of_gateway = gateway.map(|path| ("gateway.socket.path", path));
        let all = [
            Some(("announcements.path", announcements.clone())),
            of_gateway,
        ];
        for (key, path) in all.into_iter().flatten() {
            let is_own = OWN_PATHS.iter().any(|own| {
                path.strip_prefix(own)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            if is_own || path == "/" {
                self.fault(key, "the server's own pages are there; choose another path");
            }
            if key == "gateway.socket.path" && path == announcements {
                self.fault(key, "announcements.path is the same; choose another path");
            }
        }
    }

    fn topics(&mut self) {
        let Some(socket) = &self.config.gateway.socket else {
            return;
        };
        let heard = [
            ("gateway.socket.send.subscribe", socket.send.clone()),
            (
                "gateway.socket.broadcast.subscribe",
                socket.broadcast.clone(),
            ),
        ];
        let published = [&socket.onconnect, &socket.onmessage, &socket.onclose];
        let published: Vec<String> = published
            .into_iter()
            .flatten()
            .chain(socket.types.values())
            .cloned()
            .collect();
        let [(_, send), (_, broadcast)] = &heard;
        if send.is_some() && send == broadcast {
            let message = "send.subscribe is the same topic; choose another";
            self.fault("gateway.socket.broadcast.subscribe", message);
        }
        for at in 0..self.config.gateway.handlers.len() {
            let topic = Some(&self.config.gateway.handlers[at].topic);
            if heard.iter().any(|(_, heard)| heard.as_ref() == topic) {
                let path = format!("gateway.handlers[{at}].topic");
                self.fault(
                    &path,
                    "the server listens on this topic itself; choose another",
                );
            }
        }
        for (path, topic) in heard {
            if topic.is_some_and(|topic| published.contains(&topic)) {
                let message = "the server publishes on this topic, so clients could send in the \
                    name of programs; choose another";
                self.fault(path, message);
            }
        }
    }

    fn secrets(&mut self) {
        let both = "secret_env is set as well; give one of the two";
        if self.is_set("auth.tokens.secret_env") && self.is_set("auth.tokens.secret_file") {
            self.fault("auth.tokens.secret_file", both);
        }
        for at in 0..self.config.gateway.handlers.len() {
            let path = format!("gateway.handlers[{at}].secret_file");
            if self.is_set(&path) && self.is_set(&format!("gateway.handlers[{at}].secret_env")) {
                self.fault(&path, both);
            }
        }
        let tokens = &self.config.auth.tokens;
        let (SecretSource::Variable(name) | SecretSource::VariableOrGenerated(name)) =
            &tokens.secret
        else {
            return;
        };
        if tokens.previous_secret_env.as_ref() == Some(name) {
            let message = "secret_env names the same variable; name another";
            self.fault("auth.tokens.previous_secret_env", message);
        }
    }

    /// Each algorithm that is taken has a key, and each key an algorithm that is taken.
    fn keys(&mut self) {
        let tokens = &self.config.auth.tokens;
        let has_set = tokens.jwks_file.is_some() || tokens.jwks_url.is_some();
        let public = tokens
            .algorithms
            .iter()
            .find(|name| !name.starts_with("HS"));
        let mut faults = Vec::new();
        if let Some(name) = public.filter(|_| tokens.keys.is_empty() && !has_set) {
            let message = format!("{name} needs a public key: set keys, jwks_file or jwks_url");
            faults.push(("auth.tokens.algorithms".to_owned(), message));
        }
        for (at, key) in tokens.keys.iter().enumerate() {
            let path = format!("auth.tokens.keys[{at}].algorithm");
            if key.algorithm.starts_with("HS") {
                let message = "an HS algorithm has a secret, not a public key".to_owned();
                faults.push((path, message));
            } else if !key.algorithm.is_empty() && !tokens.algorithms.contains(&key.algorithm) {
                let message = format!("auth.tokens.algorithms does not list {}", key.algorithm);
                faults.push((path, message));
            }
        }
        if tokens
            .jwks_url
            .as_ref()
            .is_some_and(|url| !url.starts_with("https://"))
            && !is_loopback_url(tokens.jwks_url.as_deref())
        {
            let message = "keys that arrive in the clear can be exchanged; expected https";
            faults.push(("auth.tokens.jwks_url".to_owned(), message.to_owned()));
        }
        for (path, message) in faults {
            self.fault(&path, message);
        }
    }

    /// Keys of which one needs the other.
    fn pairs(&mut self) {
        for (one, other) in [("cert", "key"), ("key", "cert")] {
            let path = format!("server.tls.{one}");
            if self.is_set(&path) && !self.is_set(&format!("server.tls.{other}")) {
                self.fault(&path, format!("server.tls.{other} is missing"));
            }
        }
        let is_nats = matches!(self.config.values.get("bus.driver"),
            Some(Value::Text(driver)) if driver == "nats");
        if is_nats && !self.is_set("bus.url") {
            self.fault("bus.driver", "nats needs bus.url");
        }
        for path in ["origins", "gateway.origins"] {
            let mixed = match self.config.values.get(path) {
                Some(Value::Texts(texts)) => texts.len() > 1 && texts.iter().any(|it| it == "*"),
                _ => false,
            };
            if mixed {
                self.fault(
                    path,
                    "\"*\" lets all origins in; list it alone or leave it out",
                );
            }
        }
    }

    fn sizes(&mut self) {
        let limits = &self.config.limits;
        let heartbeat = &self.config.heartbeat;
        let wrong = [
            (
                limits.message_unauthenticated > limits.message,
                "limits.message_unauthenticated",
                "larger than limits.message",
            ),
            (
                limits.queue_bytes < limits.message,
                "limits.queue.bytes",
                "smaller than limits.message, so that a message would not fit",
            ),
            (
                heartbeat.jitter > heartbeat.interval,
                "heartbeat.jitter",
                "longer than heartbeat.interval",
            ),
        ];
        for (path, message) in wrong
            .into_iter()
            .filter_map(|(is, path, m)| is.then_some((path, m)))
        {
            self.fault(path, message);
        }
    }

    /// What names an entry of a list names one.
    fn repeated(&mut self, list: &str, key: &str) {
        let Some(Value::Maps(count)) = self.config.values.get(list) else {
            return;
        };
        let mut first = BTreeMap::new();
        for at in 0..*count {
            let path = format!("{list}[{at}].{key}");
            let Some(Value::Text(text)) = self.config.values.get(&path) else {
                continue;
            };
            match first.get(text.as_str()) {
                None => {
                    first.insert(text.as_str(), at);
                }
                Some(first) => {
                    let message = format!("{list}[{first}] has the same {key}");
                    self.fault(&path, message);
                }
            }
        }
    }
}

fn is_loopback_url(url: Option<&str>) -> bool {
    const LOOPBACK: [&str; 3] = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    url.is_some_and(|url| {
        LOOPBACK.iter().any(|host| {
            url.strip_prefix(host)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        })
    })
}
