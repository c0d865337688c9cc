//! One socket, its place in the hub and what is known about its client.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use std::time::{Instant, SystemTime};

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Caller;
use crate::announce::dialect::Dialect;
use crate::announce::gateway::Session;
use crate::announce::rate::Bucket;
use crate::announce::service::closing::reason;
use crate::announce::service::house::Service;
use crate::announce::service::presence::Presence;
use crate::announce::service::replay::Replay;
use crate::hub::{Member, SlowPolicy};
use crate::net::WebSocket;
use crate::server::{Client, Stream};

/// One socket, its place in the hub and what is known about its client.
pub(crate) struct Connection {
    pub(crate) service: Service,
    pub(crate) socket: WebSocket<Stream>,
    pub(crate) member: Member,
    pub(crate) caller: Caller,
    pub(crate) dialect: Dialect,
    pub(crate) presence: Client<Presence>,
    /// Answers for which the outbox had no room.
    pub(crate) answers: VecDeque<String>,
    /// What is to be read from the store before what comes is delivered.
    pub(crate) replays: VecDeque<Replay>,
    /// What it hears of.
    pub(crate) feeds: Vec<FeedKey>,
    /// The conversation with the event bus, of a connection of the gateway that has signed in.
    pub(crate) session: Option<Session>,
    pub(crate) bucket: Bucket,
    pub(crate) too_often: u32,
    pub(crate) messages: u32,
    pub(crate) opened: Instant,
    pub(crate) is_notified: bool,
}

impl Connection {
    pub(crate) fn new(
        service: Service,
        socket: WebSocket<Stream>,
        dialect: Dialect,
        caller: Caller,
    ) -> Self {
        //= A76
        let policy = SlowPolicy::Disconnect(reason(4508, "too slow"));
        let settings = service.settings();
        let member = service.hub().join(settings.queue, policy);
        let peer = socket.stream().peer_addr();
        let presence = Presence::new(member.id(), dialect, peer, SystemTime::now());
        let presence = service.clients().join(presence);
        let bucket = Bucket::new(settings.messages);
        Self {
            service,
            socket,
            member,
            caller,
            dialect,
            presence,
            answers: VecDeque::new(),
            replays: VecDeque::new(),
            feeds: Vec::new(),
            session: None,
            bucket,
            too_often: 0,
            messages: 0,
            opened: Instant::now(),
            is_notified: false,
        }
    }

    /// Notes that a newer token has been given, whose end is to be announced anew.
    pub(crate) fn was_refreshed(&mut self) {
        self.is_notified = false;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(identity) = self.caller.identity() {
            self.service.left(self.member.id(), identity.user());
        }
    }
}
