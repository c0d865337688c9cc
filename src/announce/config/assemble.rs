//! From values to the plain data.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::path::PathBuf;

use crate::announce::config::model::{
    Announcements, Auth, BroadcastScope, Bus, CatchUp, Config, Feed, Gateway, Heartbeat,
    LateJoiners, Limits, Log, Observe, Origins, Pace, Priority, Profile, PublicKey, Schedule,
    SecretSource, Server, Shutdown, Socket, Store, TlsFiles, Tokens, Webhook,
};
use crate::announce::config::unit::Rate;
use crate::announce::config::value::Value;
use crate::announce::config::values::{Values, join, named};

/// The variable whose secret is generated where it is not set.
const GENERATED: &str = "API_secret";
/// The name of the store in the data folder.
const STORE_FILE: &str = "announce.db";
/// How long announcements are kept in feeds that the file does not list.
const RETAIN: Duration = Duration::from_secs(400 * 86_400);

/// Makes the plain data. The values have been checked against the table; what is missing all the
/// same, because its map was refused, becomes the empty value of its type.
pub(crate) fn config(values: Values) -> Config {
    let from = Section {
        values: &values,
        path: String::new(),
    };
    let server = server(&from.below("server"));
    let store = Store {
        path: from
            .file("store.path")
            .unwrap_or_else(|| server.data.join(STORE_FILE)),
        shared: from.flag("store.shared"),
    };
    Config {
        gateway: gateway(&from.below("gateway")),
        announcements: announcements(&from.below("announcements")),
        auth: auth(&from.below("auth")),
        origins: origins(from.texts("origins")),
        limits: limits(&from.below("limits")),
        heartbeat: Heartbeat {
            interval: from.time("heartbeat.interval"),
            jitter: from.time("heartbeat.jitter"),
            timeout: from.time("heartbeat.timeout"),
        },
        shutdown: Shutdown {
            drain: from.time("shutdown.drain"),
            slot: from.time("shutdown.slot"),
        },
        bus: match (from.text("bus.driver").as_str(), from.optional("bus.url")) {
            ("nats", Some(url)) => Bus::Nats {
                url,
                prefix: from.text("bus.prefix"),
            },
            _ => Bus::Local,
        },
        observe: Observe {
            metrics: from.flag("observe.metrics"),
            log: match from.text("observe.log").as_str() {
                "json" => Log::Json,
                _ => Log::Text,
            },
        },
        server,
        store,
        values,
    }
}

/// The values below a path.
struct Section<'v> {
    values: &'v Values,
    path: String,
}

impl Section<'_> {
    fn below(&self, key: &str) -> Self {
        Self {
            values: self.values,
            path: join(&self.path, key),
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(&join(&self.path, key))
    }

    /// The section of a map, where the map is there.
    fn map(&self, key: &str) -> Option<Self> {
        self.get(key).map(|_| self.below(key))
    }

    /// A section for each map of a list.
    fn maps(&self, key: &str) -> Vec<Self> {
        match self.get(key) {
            Some(Value::Maps(count)) => (0..*count)
                .map(|at| self.below(&format!("{key}[{at}]")))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn optional(&self, key: &str) -> Option<String> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> String {
        self.optional(key).unwrap_or_default()
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        self.optional(key).map(PathBuf::from)
    }

    fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Flag(true)))
    }

    fn whole(&self, key: &str) -> u64 {
        match self.get(key) {
            Some(Value::Whole(number) | Value::Size(number)) => *number,
            _ => 0,
        }
    }

    fn time(&self, key: &str) -> Duration {
        match self.get(key) {
            Some(Value::Time(time)) => *time,
            _ => Duration::ZERO,
        }
    }

    fn rate(&self, key: &str) -> Option<Rate> {
        match self.get(key) {
            Some(Value::Rate(rate)) => *rate,
            _ => None,
        }
    }

    fn texts(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Value::Texts(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    fn secret(&self) -> Option<SecretSource> {
        let file = self.file("secret_file").map(SecretSource::File);
        file.or_else(|| self.optional("secret_env").map(SecretSource::Variable))
    }
}

fn origins(listed: Vec<String>) -> Origins {
    match listed.as_slice() {
        [] => Origins::Same,
        some if some.iter().any(|origin| origin == "*") => Origins::Any,
        _ => Origins::Listed(listed),
    }
}

fn gateway(from: &Section<'_>) -> Gateway {
    let handler = |from: Section<'_>| Webhook {
        topic: from.text("topic"),
        url: from.text("url"),
        secret: from.secret(),
        timeout: from.time("timeout"),
    };
    Gateway {
        socket: from.map("socket").map(|from| socket(&from)),
        namespace_required: from.flag("namespace.required"),
        namespace_default: from.text("namespace.default"),
        origins: match origins(from.texts("origins")) {
            Origins::Same => origins(match from.values.get("origins") {
                Some(Value::Texts(texts)) => texts.clone(),
                _ => Vec::new(),
            }),
            own => own,
        },
        allow_raw: from.flag("allow_raw"),
        handlers: from.maps("handlers").into_iter().map(handler).collect(),
    }
}

fn socket(from: &Section<'_>) -> Socket {
    let types = from.maps("onmessage.types");
    Socket {
        path: from.text("path"),
        onconnect: from.optional("onconnect.publish"),
        onmessage: from.optional("onmessage.publish"),
        types: types
            .iter()
            .map(|from| (from.text("type"), from.text("publish")))
            .collect(),
        onclose: from.optional("onclose.publish"),
        send: from.optional("send.subscribe"),
        broadcast: from.optional("broadcast.subscribe"),
        broadcast_scope: match from.text("broadcast.scope").as_str() {
            "all-namespaces" => BroadcastScope::AllNamespaces,
            _ => BroadcastScope::Namespace,
        },
    }
}

fn announcements(from: &Section<'_>) -> Announcements {
    let feeds = match from.get("feeds") {
        Some(Value::Named(names)) => names.as_slice(),
        _ => &[],
    };
    let feed = |name: &String| {
        let from = from.below(&format!("feeds.{}", named(name)));
        (name.to_owned(), feed(&from))
    };
    Announcements {
        path: from.text("path"),
        feeds: feeds.iter().map(feed).collect::<BTreeMap<_, _>>(),
        schedules: from.maps("schedules").iter().map(schedule).collect(),
    }
}

fn feed(from: &Section<'_>) -> Feed {
    Feed {
        retain: from.time("retain"),
        late_joiners: match from.text("late_joiners").as_str() {
            "from-joining" => LateJoiners::FromJoining,
            _ => LateJoiners::All,
        },
        publish: from.texts("publish"),
        require_ack: from.flag("require_ack"),
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            retain: RETAIN,
            late_joiners: LateJoiners::All,
            publish: Vec::new(),
            require_ack: false,
        }
    }
}

//= A23
//= A24
fn schedule(from: &Section<'_>) -> Schedule {
    Schedule {
        id: from.text("id"),
        cron: from.text("cron"),
        timezone: from.text("timezone"),
        catch_up: match from.text("catch_up").as_str() {
            "none" => CatchUp::None,
            "all" => CatchUp::All,
            _ => CatchUp::Once,
        },
        feed: from.text("feed"),
        namespace: from.text("namespace"),
        audience_hook: from.optional("audience_hook"),
        title: from.text("template.title"),
        body: from.text("template.body"),
        data: match from.get("template.data") {
            Some(Value::Data(data)) => Some(data.clone()),
            _ => None,
        },
        priority: match from.text("priority").as_str() {
            "low" => Priority::Low,
            "high" => Priority::High,
            "urgent" => Priority::Urgent,
            _ => Priority::Normal,
        },
        paused: from.flag("paused"),
    }
}

fn auth(from: &Section<'_>) -> Auth {
    Auth {
        tokens: tokens(&from.below("tokens")),
        cookie: from.text("cookie"),
        auth_timeout: from.time("auth_timeout"),
        expiry_grace: from.time("expiry_grace"),
    }
}

fn tokens(from: &Section<'_>) -> Tokens {
    let key = |from: Section<'_>| PublicKey {
        pem_file: from.file("pem_file").unwrap_or_default(),
        algorithm: from.text("algorithm"),
        kid: from.optional("kid"),
        issuer: from.optional("issuer"),
    };
    let secret = match from.secret() {
        Some(SecretSource::Variable(name)) if name == GENERATED => None,
        other => other,
    };
    Tokens {
        algorithms: from.texts("algorithms"),
        secret: secret.unwrap_or_else(|| SecretSource::VariableOrGenerated(GENERATED.to_owned())),
        previous_secret_env: from.optional("previous_secret_env"),
        keys: from.maps("keys").into_iter().map(key).collect(),
        jwks_file: from.file("jwks_file"),
        jwks_url: from.optional("jwks_url"),
        issuer: from.optional("issuer"),
        audience: from.optional("audience"),
        user_claim: from.texts("user_claim"),
        namespace_claim: from.text("namespace_claim"),
        scope_claim: from.text("scope_claim"),
        roles_claim: from.text("roles_claim"),
        channels_claim: from.texts("channels_claim"),
        skew: from.time("skew"),
    }
}

fn server(from: &Section<'_>) -> Server {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Server {
        listen: from.text("listen").parse().unwrap_or(loopback),
        data: from.file("data").unwrap_or_default(),
        tls: from
            .file("tls.cert")
            .zip(from.file("tls.key"))
            .map(|(cert, key)| TlsFiles { cert, key }),
        trusted_proxies: from.texts("trusted_proxies"),
        allow_cleartext: from.flag("allow_cleartext"),
        hosts: from.texts("hosts"),
        profile: match from.text("profile").as_str() {
            "production" => Profile::Production,
            _ => Profile::Development,
        },
    }
}

fn limits(from: &Section<'_>) -> Limits {
    let pace = |key: &str| Pace {
        rate: from.below(key).rate("rate"),
        burst: from.below(key).whole("burst"),
    };
    Limits {
        connections: from.whole("connections"),
        connections_per_ip: from.whole("connections_per_ip"),
        connections_per_user: from.whole("connections_per_user"),
        accept_rate: from.rate("accept_rate"),
        message: from.whole("message"),
        message_unauthenticated: from.whole("message_unauthenticated"),
        messages: pace("messages"),
        publish: pace("publish"),
        queue_bytes: from.whole("queue.bytes"),
        queue_messages: from.whole("queue.messages"),
        handshake_time: from.time("handshake.time"),
        handshake_bytes: from.whole("handshake.bytes"),
        handshake_headers: from.whole("handshake.headers"),
        compression: from.flag("compression.enabled"),
        compression_ratio: from.whole("compression.max_ratio"),
    }
}
