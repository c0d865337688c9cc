//! The configuration as plain data.
//!
//! What a key means stands in the reference, [`crate::announce::config::reference`]; here are
//! only the types. No secret is in it: there are names of variables and of files.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use crate::announce::config::unit::Rate;
use crate::announce::config::values::Values;

/// Everything that can be set, complete.
///
/// [`Config::default`] is what a server without a file does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The event bus endpoint.
    pub gateway: Gateway,
    /// Announcements.
    pub announcements: Announcements,
    /// Signing in.
    pub auth: Auth,
    /// The origins whose pages may connect.
    pub origins: Origins,
    /// Where the server listens.
    pub server: Server,
    /// What it bears.
    pub limits: Limits,
    /// How connections show that they are alive.
    pub heartbeat: Heartbeat,
    /// How it stops.
    pub shutdown: Shutdown,
    /// Where announcements are kept.
    pub store: Store,
    /// How servers tell each other.
    pub bus: Bus,
    /// What it tells about itself.
    pub observe: Observe,
    /// What all of this was made from, with the places.
    pub(crate) values: Values,
}

/// `gateway`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gateway {
    /// The endpoint, where there is one.
    pub socket: Option<Socket>,
    /// Whether a connection has to name its namespace.
    pub namespace_required: bool,
    /// The namespace of one that names none.
    pub namespace_default: String,
    /// The origins of this endpoint; those of the server where none are listed.
    pub origins: Origins,
    /// Whether what is no JSON object is published.
    pub allow_raw: bool,
    /// Webhooks.
    pub handlers: Vec<Webhook>,
}

/// `gateway.socket`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Socket {
    /// Where sockets are opened.
    pub path: String,
    /// The topic for connections.
    pub onconnect: Option<String>,
    /// The topic for all messages.
    pub onmessage: Option<String>,
    /// The topics for messages of certain types.
    pub types: BTreeMap<String, String>,
    /// The topic for ends of connections.
    pub onclose: Option<String>,
    /// The topic to listen on for messages to certain people.
    pub send: Option<String>,
    /// The topic to listen on for messages to everybody.
    pub broadcast: Option<String>,
    /// Who everybody is.
    pub broadcast_scope: BroadcastScope,
}

/// `gateway.socket.broadcast.scope`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BroadcastScope {
    /// The namespace of the program that sends.
    #[default]
    Namespace,
    /// All namespaces.
    AllNamespaces,
}

/// An entry of `gateway.handlers`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// The topic.
    pub topic: String,
    /// Where to post.
    pub url: String,
    /// The secret that signs each post.
    pub secret: Option<SecretSource>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Where a secret is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretSource {
    /// In this environment variable.
    Variable(String),
    /// In this file.
    File(PathBuf),
    /// In this environment variable, and where it is not set, in the data folder, where it is
    /// generated if need be.
    VariableOrGenerated(String),
}

/// Whose pages may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origins {
    /// Pages of the server's own origin.
    Same,
    /// Pages of these.
    Listed(Vec<String>),
    /// Any page.
    Any,
}

/// `announcements`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Announcements {
    /// Where sockets are opened.
    pub path: String,
    /// What is set for certain feeds, by their names.
    pub feeds: BTreeMap<String, Feed>,
    /// Schedules in the order of the file.
    pub schedules: Vec<Schedule>,
}

/// An entry of `announcements.feeds`; [`Feed::default`] is every feed that is not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feed {
    /// How long an announcement is kept.
    pub retain: Duration,
    /// What is unread for somebody who comes later.
    pub late_joiners: LateJoiners,
    /// The scopes of which one is needed to publish; none: the scope of the feed's kind.
    pub publish: Vec<String>,
    /// Whether an announcement asks for an acknowledgement unless it says otherwise.
    pub require_ack: bool,
}

/// `announcements.feeds.*.late_joiners`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LateJoiners {
    /// What follows is unread.
    FromJoining,
    /// All that is kept is unread.
    #[default]
    All,
}

/// An entry of `announcements.schedules`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// Its name.
    pub id: String,
    /// Minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// A name of the IANA database.
    pub timezone: String,
    /// What becomes of runs that were missed.
    pub catch_up: CatchUp,
    /// The feed to publish in.
    pub feed: String,
    /// The namespace to publish in.
    pub namespace: String,
    /// Asked for whom the announcement is.
    pub audience_hook: Option<String>,
    /// The title of the announcement.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Its fields for programs.
    pub data: Option<serde_json::Value>,
    /// How much it matters.
    pub priority: Priority,
    /// Whether its runs are left out.
    pub paused: bool,
}

/// `announcements.schedules[].catch_up`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatchUp {
    /// One run for all that were missed.
    #[default]
    Once,
    /// None of them.
    None,
    /// Each of them.
    All,
}

/// `announcements.schedules[].priority`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Priority {
    /// Less than usual.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// More than usual.
    High,
    /// At once.
    Urgent,
}

/// `auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Auth {
    /// Which tokens are believed.
    pub tokens: Tokens,
    /// The cookie that may hold the token.
    pub cookie: String,
    /// How long a connection may take to sign in.
    pub auth_timeout: Duration,
    /// How long before its token ends a connection is told.
    pub expiry_grace: Duration,
}

/// `auth.tokens`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tokens {
    /// The algorithms that are taken, such as `HS256`; `none` is never among them.
    pub algorithms: Vec<String>,
    /// The secret of the HS algorithms.
    pub secret: SecretSource,
    /// The environment variable with the secret before.
    pub previous_secret_env: Option<String>,
    /// Public keys.
    pub keys: Vec<PublicKey>,
    /// A file with a set of keys.
    pub jwks_file: Option<PathBuf>,
    /// Where a set of keys is fetched.
    pub jwks_url: Option<String>,
    /// What `iss` has to be.
    pub issuer: Option<String>,
    /// What `aud` has to be or to contain.
    pub audience: Option<String>,
    /// The claims that name the person, the most wanted first.
    pub user_claim: Vec<String>,
    /// The claim of namespaces.
    pub namespace_claim: String,
    /// The claim of scopes.
    pub scope_claim: String,
    /// The claim of roles.
    pub roles_claim: String,
    /// The claims of channels, the most wanted first.
    pub channels_claim: Vec<String>,
    /// How far the clocks may be apart.
    pub skew: Duration,
}

impl Tokens {
    /// Whether any algorithm needs the secret.
    #[must_use]
    pub fn need_secret(&self) -> bool {
        self.algorithms.iter().any(|name| name.starts_with("HS"))
    }
}

/// An entry of `auth.tokens.keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKey {
    /// The file with the key.
    pub pem_file: PathBuf,
    /// The one algorithm that it is for.
    pub algorithm: String,
    /// The `kid` of its tokens.
    pub kid: Option<String>,
    /// The `iss` of its tokens.
    pub issuer: Option<String>,
}

/// `server`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// The address and port.
    pub listen: SocketAddr,
    /// The folder for what the server keeps.
    pub data: PathBuf,
    /// The certificate, where there is one.
    pub tls: Option<TlsFiles>,
    /// Addresses and networks of proxies.
    pub trusted_proxies: Vec<String>,
    /// Whether to listen beyond this machine without a certificate.
    pub allow_cleartext: bool,
    /// What a request may be addressed to; empty: whatever it is.
    pub hosts: Vec<String>,
    /// How what is unsafe is met.
    pub profile: Profile,
}

/// `server.tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFiles {
    /// The chain of certificates.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// `server.profile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// What is unsafe is warned of.
    #[default]
    Development,
    /// With what is unsafe, the server does not start.
    Production,
}

/// `limits`; a rate of `None` is no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once.
    pub connections: u64,
    /// Of one address.
    pub connections_per_ip: u64,
    /// Of one person.
    pub connections_per_user: u64,
    /// New connections.
    pub accept_rate: Option<Rate>,
    /// The largest message, in bytes.
    pub message: u64,
    /// The largest before signing in, in bytes.
    pub message_unauthenticated: u64,
    /// Messages of one connection.
    pub messages: Pace,
    /// Announcements of one person.
    pub publish: Pace,
    /// What waits for one connection, in bytes.
    pub queue_bytes: u64,
    /// What waits for one connection, in messages.
    pub queue_messages: u64,
    /// How long the opening request may take.
    pub handshake_time: Duration,
    /// How large it may be, in bytes.
    pub handshake_bytes: u64,
    /// How many headers it may have.
    pub handshake_headers: u64,
    /// Whether compression is agreed on.
    pub compression: bool,
    /// How many times its size a message may grow.
    pub compression_ratio: u64,
}

/// A rate in the long run and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// In the long run; `None` is no bound.
    pub rate: Option<Rate>,
    /// At once.
    pub burst: u64,
}

/// `heartbeat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heartbeat {
    /// How long a connection may be silent before it is pinged.
    pub interval: Duration,
    /// How far pings are spread.
    pub jitter: Duration,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// `shutdown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// How long connections have to leave.
    pub drain: Duration,
    /// How far apart clients are told to come back.
    pub slot: Duration,
}

/// `store`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Store {
    /// The file; SQLite is the one driver.
    pub path: PathBuf,
    /// Whether several servers of this machine share it.
    pub shared: bool,
}

/// `bus`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bus {
    /// Within this process.
    Local,
    /// By NATS.
    Nats {
        /// The NATS server.
        url: String,
        /// What all subjects begin with.
        prefix: String,
    },
}

/// `observe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observe {
    /// Whether there is a page of metrics.
    pub metrics: bool,
    /// How the log is written.
    pub log: Log,
}

/// `observe.log`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Log {
    /// Lines for people.
    #[default]
    Text,
    /// Lines of JSON.
    Json,
}
