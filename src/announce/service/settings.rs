//! What whoever runs the server may settle.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::announce::dialect::Dialect;
use crate::announce::rate::Rate;
use crate::engine::deflate::DeflateAnswer;
use crate::hub::Bounds;
use crate::server::{Hosts, Origins};

/// The path of the socket where nothing else is settled.
pub const ENDPOINT: &str = "/websockets";

/// The largest message that is taken from a client where nothing else is settled, in bytes.
pub const MESSAGE_BYTES_MAX: u64 = 64 << 10;

/// What may wait for one client: more than the store commits at once, so that nobody is slow who
/// just had no turn yet. Clients share the bytes of an announcement, so the bound is on how long
/// the slowest of them keeps it, not a cost for each.
const QUEUE_BYTES_MAX: usize = 64 << 20;
const QUEUE_MESSAGES_MAX: usize = 4096;

/// A path, and how connections speak there that do not ask for a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The path, without the query.
    pub path: String,
    /// The dialect.
    pub dialect: Dialect,
}

/// What whoever runs the server may settle about its sockets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The name of this server, which clients are told.
    pub node: String,
    /// Where connections are accepted.
    pub endpoints: Vec<Endpoint>,
    /// What requests may be addressed to.
    pub hosts: Hosts,
    /// The pages that may connect.
    pub origins: Origins,
    /// The pages that may connect to the gateway, where they are others.
    pub gateway_origins: Option<Origins>,
    /// The namespace of a request to the gateway that names none, where it need not; `None` for
    /// the token's first.
    pub gateway_namespace: Option<String>,
    /// Whether a request to the gateway has to name its namespace.
    pub gateway_namespace_required: bool,
    /// The cookie that may hold a token; `None` for no cookie.
    pub cookie: Option<String>,
    /// How long a connection may be nobody's.
    pub sign_in_timeout: Duration,
    /// How long before its token ends a connection is told.
    pub expiry_notice: Duration,
    /// The largest message that is taken from a client, in bytes; what clients are told. It is
    /// the [`Limits`](crate::engine::Limits) of the listener that hold them to it.
    pub message_bytes_max: u64,
    /// The largest message of a connection that is nobody's yet, in bytes.
    pub anonymous_bytes_max: usize,
    /// How many messages a connection may send before it is somebody's.
    pub anonymous_messages_max: u32,
    /// Messages of one connection.
    pub messages: Rate,
    /// Announcements of one person.
    pub publications: Rate,
    /// Tokens of one address that do not verify.
    pub refusals: Rate,
    /// What agrees on compression with clients that offer it and whose request carries a token;
    /// `None` for no compression. Who has not signed in yet has nothing expanded.
    pub compression: Option<DeflateAnswer>,
    /// What may wait for one connection; one that lags behind more is closed.
    pub queue: Bounds,
    /// Connections of one person; one more closes the oldest.
    pub connections_per_user_max: usize,
    /// How often the server pings; what it tells clients, not what it does.
    pub ping_interval: Duration,
    /// How far apart clients come back after a restart.
    pub return_slot: Duration,
    /// How long a restart takes: nobody is asked back sooner.
    pub return_after: Duration,
}

impl Default for Settings {
    /// The intent dialect at [`ENDPOINT`]; any host; no compression; pages of the same origin; the
    /// cookie `ID_TOKEN`; ten seconds to sign in; a notice 25 seconds before a token ends; 16 KiB
    /// and 10 messages for whoever is nobody yet, 64 KiB for everybody else; 1,000 messages a
    /// second, 2,000 at once; 100 announcements a second, 500 at once; 10 refused tokens a second,
    /// 100 at once; 64 MiB and 4,096 messages that wait; 20 connections for one person; a ping
    /// every 25 seconds; back after a second, 20 milliseconds apart.
    fn default() -> Self {
        Self {
            node: "framewire".to_owned(),
            endpoints: vec![Endpoint {
                path: ENDPOINT.to_owned(),
                dialect: Dialect::Intent,
            }],
            hosts: Hosts::any(),
            origins: Origins::same(),
            gateway_origins: None,
            gateway_namespace: None,
            gateway_namespace_required: false,
            cookie: Some("ID_TOKEN".to_owned()),
            sign_in_timeout: Duration::from_secs(10),
            expiry_notice: Duration::from_secs(25),
            message_bytes_max: MESSAGE_BYTES_MAX,
            anonymous_bytes_max: 16 << 10,
            anonymous_messages_max: 10,
            messages: Rate::new(1000, 2000),
            publications: Rate::new(100, 500),
            refusals: Rate::new(10, 100),
            compression: None,
            queue: Bounds::new(QUEUE_BYTES_MAX, QUEUE_MESSAGES_MAX),
            connections_per_user_max: 20,
            ping_interval: Duration::from_secs(25),
            return_slot: Duration::from_millis(20),
            return_after: Duration::from_secs(1),
        }
    }
}
