//! What one connection does, turn by turn: it listens, answers, delivers, and keeps its deadlines.

use alloc::format;
use alloc::string::String;
use core::future::pending;
use core::time::Duration;
use std::time::{Instant, SystemTime};

use crate::announce::code::Code;
use crate::announce::dialect::Dialect;
use crate::announce::gateway::{self, Session};
use crate::announce::outcome::{Close, Outcome};
use crate::announce::service::bus_talk;
use crate::announce::service::closing::reason;
use crate::announce::service::connection::Connection;
use crate::announce::{intent, native};
use crate::engine::Message;
use crate::hub::{Delivery, Member};
use crate::net::{Error, Heard, WebSocket};
use crate::server::{Stopping, Stream};
use crate::wire::close::{CloseCode, CloseReason};
use crate::wire::utf8;

/// How many answers may wait for a client that does not read before it is no longer heard.
const ANSWERS_MAX: usize = 16;

/// How many messages above the rate are answered before the connection is closed.
const TOO_OFTEN_MAX: u32 = 20;

/// The longest time that is slept at once: a clock that is set is noticed after it.
const NAP: Duration = Duration::from_secs(1);

/// What a connection turns to next.
enum Turn {
    Heard(Heard),
    Deliver(Delivery),
    Answered(gateway::Outcome),
    Alarm(Alarm),
    Stop,
}

/// What time brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alarm {
    Unsigned,
    Expiring,
    Expired,
}

impl Connection {
    /// Listens, delivers and keeps the deadlines, all at the same time: whoever does not read is
    /// still heard, still expires, and is still told to go.
    ///
    /// `first` is what the request has settled already: the person of a token that came with it.
    //= A79
    pub(crate) async fn run(mut self, first: Outcome, mut stopping: Stopping) -> Result<(), Error> {
        let ended = self.go_on(first, &mut stopping).await;
        bus_talk::end(&mut self);
        ended
    }

    async fn go_on(&mut self, first: Outcome, stopping: &mut Stopping) -> Result<(), Error> {
        let mut close = self.begin(first).await;
        loop {
            //= AU-20
            if close.is_none() && self.has_expired() {
                close = self.ring(Alarm::Expired);
            }
            if let Some(reason) = close {
                self.answer();
                return self.close(&reason).await;
            }
            if !self.replays.is_empty() && self.answers.is_empty() {
                self.replay().await;
            }
            self.answer();
            let room = !self.socket.is_full() && self.replays.is_empty();
            let (at, alarm) = self.next_alarm();
            let may_listen = self.may_listen();
            let waits = !self.replays.is_empty() && self.answers.is_empty();
            let turn = tokio::select! {
                heard = listen(&mut self.socket, may_listen) => Turn::Heard(heard?),
                delivery = next(&mut self.member, room) => Turn::Deliver(delivery),
                answer = next_answer(&mut self.session) => Turn::Answered(answer),
                () = until(at) => Turn::Alarm(alarm),
                () = stopping.wait() => Turn::Stop,
                () = tokio::task::yield_now(), if waits => continue,
            };
            close = match turn {
                Turn::Heard(Heard::Message(message)) => self.hear(&message).await,
                Turn::Heard(Heard::End) => return Ok(()),
                Turn::Heard(_) => None,
                Turn::Deliver(delivery) => self.deliver(delivery),
                Turn::Answered(answer) => bus_talk::say(self, answer),
                Turn::Alarm(alarm) => self.ring(alarm),
                Turn::Stop => Some(self.depart()),
            };
        }
    }

    async fn begin(&mut self, first: Outcome) -> Option<CloseReason> {
        let settings = self.service.settings();
        if self.dialect == Dialect::Native {
            self.answers.push_back(native::hello(
                &settings.node,
                settings.ping_interval,
                settings.message_bytes_max.min(native::BYTES_MAX as u64),
                settings.sign_in_timeout,
            ));
        }
        if let Some(welcome) = &first.signed_in {
            self.caller.sign_in(welcome.identity.clone());
        }
        self.carry_out(first).await
    }

    async fn hear(&mut self, message: &Message) -> Option<CloseReason> {
        self.service.counters().message(self.dialect);
        let settings = self.service.settings();
        //= A32
        //= AU-35
        if self.caller.identity().is_none() {
            self.messages += 1;
            if message.as_bytes().len() > settings.anonymous_bytes_max {
                return Some(reason(1009, "sign in with a shorter message"));
            }
            if self.messages > settings.anonymous_messages_max {
                return Some(reason(4408, "too many messages without signing in"));
            }
        }
        //= A75
        self.bucket.follow(settings.messages);
        if !self.bucket.take() {
            self.too_often += 1;
            self.answers.push_back(self.too_often_text(message));
            let spent = self.too_often > TOO_OFTEN_MAX;
            return spent.then(|| reason(4429, "too many messages; retry_ms=1000"));
        }
        self.too_often = 0;
        // The old server did not tell text from binary, so its clients may send either. What is
        // not UTF-8 is no JSON, and is refused like anything else that is none.
        let text = utf8::validate(message.as_bytes()).unwrap_or_default();
        let now = SystemTime::now();
        let desk = self.service.desk();
        let outcome = match self.dialect {
            Dialect::Native => native::handle(desk, &mut self.caller, text, now).await,
            Dialect::Intent => intent::handle(desk, &mut self.caller, text, now).await,
            Dialect::Gateway => {
                bus_talk::renew(self);
                if let Some(session) = &mut self.session {
                    let outcome = bus_talk::hear(session, message, now);
                    return bus_talk::say(self, outcome);
                }
                bus_talk::sign(self, message, now)
            }
        };
        self.carry_out(outcome).await
    }

    /// A client that lets its answers pile up, or its messages to the bus, is not heard.
    fn may_listen(&self) -> bool {
        let bus_is_full = self.session.as_ref().is_some_and(Session::is_full);
        self.answers.len() < ANSWERS_MAX && !bus_is_full
    }

    /// Does what has to be done after a message, in the order of the outcome's fields.
    async fn carry_out(&mut self, outcome: Outcome) -> Option<CloseReason> {
        let Outcome {
            signed_in,
            replies,
            pushes,
            room,
            close,
            refused,
            refreshed,
        } = outcome;
        if let Some(error) = refused {
            let peer = self.socket.stream().peer_addr();
            tracing::info!(%peer, %error, "token refused");
            self.service.counters().token_refused(error.name());
            //= AU-34
            if !self.service.may_fail(peer.ip()) {
                return Some(reason(4429, "too many failed tokens; retry_ms=1000"));
            }
        }
        if let Some(welcome) = signed_in
            && let Some(reason) = self.enter(&welcome).await
        {
            return Some(reason);
        }
        if refreshed && let Some(reason) = self.refresh().await {
            return Some(reason);
        }
        for reply in replies {
            let online = self
                .caller
                .identity()
                .map_or(0, |identity| self.service.online(&identity.namespace));
            self.answers.push_back(reply.text(online));
        }
        for push in pushes {
            self.service.push(&push, Some(self.member.id()));
        }
        if let Some(act) = room
            && let Some(identity) = self.caller.identity()
        {
            let member = self.member.id();
            let text = self.service.in_room(self.dialect, member, identity, act);
            self.answers.extend(text);
        }
        close.map(|Close { code, reason: why }| reason(code, why))
    }

    /// Queues the answers for which there is room. They are sent when the connection listens.
    fn answer(&mut self) {
        while !self.socket.is_full() {
            let Some(text) = self.answers.pop_front() else {
                return;
            };
            // A connection that is closing takes nothing more, which listening will tell.
            let _ = self.socket.try_feed(text);
        }
    }

    /// Reads one more page of what the client has missed.
    async fn replay(&mut self) {
        let Some(mut replay) = self.replays.pop_front() else {
            return;
        };
        let Some(identity) = self.caller.identity() else {
            return;
        };
        let texts = replay
            .page(self.service.desk().store(), identity, self.dialect)
            .await;
        self.answers.extend(texts);
        if !replay.is_done() {
            self.replays.push_front(replay);
        }
    }

    /// Queues what waits in the mailbox, as far as there is room.
    fn deliver(&mut self, first: Delivery) -> Option<CloseReason> {
        let mut next = Some(first);
        while let Some(delivery) = next {
            match delivery {
                Delivery::Message(message) => {
                    let _ = self.socket.try_feed_prepared(&message);
                }
                Delivery::Close(reason) => return Some(reason),
            }
            next = if self.socket.is_full() {
                None
            } else {
                self.member.try_next()
            };
        }
        None
    }

    /// When time brings what next.
    fn next_alarm(&self) -> (Option<Deadline>, Alarm) {
        let settings = self.service.settings();
        let Some(expires_at) = self.caller.expires_at() else {
            let by = self.opened + settings.sign_in_timeout;
            return (Some(Deadline::By(by)), Alarm::Unsigned);
        };
        let notice = expires_at.checked_sub(settings.expiry_notice);
        match notice {
            Some(notice) if !self.is_notified && self.dialect == Dialect::Native => {
                (Some(Deadline::At(notice)), Alarm::Expiring)
            }
            _ => (Some(Deadline::At(expires_at)), Alarm::Expired),
        }
    }

    fn has_expired(&self) -> bool {
        let end = self.caller.expires_at();
        end.is_some_and(|end| end <= SystemTime::now())
    }

    fn ring(&mut self, alarm: Alarm) -> Option<CloseReason> {
        match alarm {
            Alarm::Unsigned => Some(reason(4408, "not signed in in time")),
            //= A56
            Alarm::Expired => Some(reason(4401, "the token has expired")),
            Alarm::Expiring => {
                self.is_notified = true;
                let left = self.caller.expires_at().map_or(Duration::ZERO, |end| {
                    end.duration_since(SystemTime::now()).unwrap_or_default()
                });
                self.answers.push_back(native::expiring(left));
                None
            }
        }
    }

    /// What a client is told when the server goes: when to come back, each at its own time.
    fn depart(&mut self) -> CloseReason {
        let retry = self.service.next_return();
        if self.dialect == Dialect::Native {
            self.answers.push_back(native::draining(retry, "restart"));
        }
        reason(1012, &format!("restart; retry_ms={}", retry.as_millis()))
    }

    /// The answer to a message that was not looked at, but for what the answer has to name:
    /// whoever sent it may wait for just that.
    fn too_often_text(&self, message: &Message) -> String {
        let (code, why) = (Code::TooOften, "too many messages in too short a time");
        let text = utf8::validate(message.as_bytes()).unwrap_or_default();
        match self.dialect {
            Dialect::Intent => {
                let request = intent::Request::parse(text);
                let context = request.map_or_else(|_| Default::default(), |it| it.context);
                intent::error(code, why, &context)
            }
            dialect => {
                let id = native::Request::parse(text).ok().and_then(|it| it.id);
                match dialect {
                    Dialect::Gateway => bus_talk::error(code, why, id.as_deref()),
                    _ => native::error(code, why, id.as_deref()),
                }
            }
        }
    }

    async fn close(&mut self, reason: &CloseReason) -> Result<(), Error> {
        let code = reason.code().unwrap_or(CloseCode::NORMAL_CLOSURE);
        // Whoever is on the way out is nobody's audience any more.
        self.service.hub().leave(self.member.id());
        self.socket.close(code, reason.reason()).await.map(drop)
    }
}

/// Waits for the next message. A client that lets its answers pile up is not heard until it has
/// taken some, but the connection goes on.
async fn listen(socket: &mut WebSocket<Stream>, may_listen: bool) -> Result<Heard, Error> {
    if may_listen {
        return socket.recv_or_room().await;
    }
    socket.ready().await.map(|()| Heard::Room)
}

/// Waits for the next delivery, or, while there is no room for one, for the end of the membership.
async fn next(member: &mut Member, room: bool) -> Delivery {
    if room {
        member.next().await
    } else {
        Delivery::Close(member.closed().await)
    }
}

/// Waits for what the bus answers; for ever where there is none.
async fn next_answer(session: &mut Option<Session>) -> gateway::Outcome {
    match session {
        Some(session) => session.next().await,
        None => pending().await,
    }
}

/// A moment of one of the two clocks.
#[derive(Clone, Copy, Debug)]
enum Deadline {
    /// On the clock that only goes forward.
    By(Instant),
    /// On the clock that people read, and that may be set.
    At(SystemTime),
}

/// Waits until `moment`; for ever where there is none.
async fn until(moment: Option<Deadline>) {
    match moment {
        Some(Deadline::By(moment)) => tokio::time::sleep_until(moment.into()).await,
        Some(Deadline::At(moment)) => {
            while let Ok(left) = moment.duration_since(SystemTime::now()) {
                tokio::time::sleep(left.min(NAP)).await;
            }
        }
        None => pending().await,
    }
}
