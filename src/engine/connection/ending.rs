//! The end of a connection, and what brings it about: Close, silence, the transport.

use crate::engine::closure::Cause;
use crate::engine::connection::Connection;
use crate::engine::deadlines::Due;
use crate::engine::misuse::Misuse;
use crate::engine::observer::Observed;
use crate::engine::state::{State, Step};
use crate::engine::time::Timestamp;
use crate::wire::close::{CloseCode, CloseReason};

impl Connection {
    /// Begins the closing handshake (RFC 6455 §7.1.2).
    ///
    /// The Close frame leaves behind the messages that were queued before it; no data can be
    /// queued after it. Messages that are still on their way from the peer are delivered. A
    /// second call, or one after the peer's Close, changes nothing.
    ///
    /// # Errors
    ///
    /// [`Misuse::ClientCode`] when a server uses 1010.
    //= WS-141 type=exception reason=it closes as told, or as the protocol demands
    pub fn close(&mut self, now: Timestamp, reason: CloseReason) -> Result<(), Misuse> {
        if !self.role.may_miss_extension() && reason.code() == Some(CloseCode::MANDATORY_EXTENSION)
        {
            return Err(Misuse::ClientCode);
        }
        if self.state == State::Open {
            self.queue_close(reason);
            self.step(Step::CloseSent);
            self.deadlines
                .note_closing(now, self.limits.close_timeout());
        }
        Ok(())
    }

    /// Takes note that the peer has ended its side of the stream, or that the transport failed.
    ///
    /// Before both ends have said Close this is an abnormal closure (RFC 6455 §7.1.5, code
    /// 1006), and an unfinished message is lost. The stream may be half open, so what waits to
    /// be sent still has until the close timeout to leave.
    //= WS-143
    pub fn receive_eof(&mut self, now: Timestamp) {
        self.peer_ended = true;
        if self.outbox.is_empty() {
            self.end(Step::EndOfStream, Cause::EndOfStream);
        } else {
            self.step(Step::Violation);
            self.closure_mut().set_cause(Cause::EndOfStream);
            self.deadlines
                .note_closing(now, self.limits.close_timeout());
        }
    }

    /// Takes note that the transport failed: nothing can be sent or received any more.
    pub fn give_up_transport(&mut self) {
        self.end(Step::EndOfStream, Cause::EndOfStream);
    }

    /// Ends the connection at once, without a handshake. The transport should be closed.
    pub fn terminate(&mut self) {
        self.end(Step::GivenUp, Cause::Terminated);
    }

    pub(super) fn end(&mut self, step: Step, cause: Cause) {
        if self.state == State::Closed {
            return;
        }
        // The closing handshake is not complete before our Close has left (RFC 6455 §7.1.4).
        //= WS-133
        if self.state == State::Ending && !self.outbox.is_empty() {
            self.closure_mut().forget_handshake();
        }
        self.step(step);
        self.closure_mut().set_cause(cause);
        self.outbox.clear();
        if let Some(closure) = &self.closure {
            self.watch.tell(&Observed::Closed(closure));
        }
    }

    /// Whether the write side of the transport is to be shut down now.
    ///
    /// A server ends TCP as soon as both ends have said Close and everything is sent (RFC 6455
    /// §7.1.1); so does either end that fails the connection (§7.1.7). Afterwards read and
    /// discard until the end of the stream, so that the last bytes are not destroyed by a reset.
    //= WS-106
    //= WS-107
    //= WS-127
    //= WS-128
    //= WS-129
    //= WS-132
    pub fn should_end_stream(&self) -> bool {
        self.outbox.is_empty()
            && match self.state {
                //= WS-108
                //= WS-130
                State::Ending => self.role.ends_tcp_first() || self.peer_ended,
                State::Failing | State::Closed => true,
                State::Open | State::Closing => false,
            }
    }

    /// When [`timeout`](Self::timeout) should be called, if nothing else happens.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if !self.keeps_time() && self.deadlines.is_idle() {
            return None;
        }
        match self.state {
            State::Closed => None,
            _ => self.deadlines.next(&self.limits).map(|(at, _)| at),
        }
    }

    /// Acts on the deadlines that have passed at `now`; before the next deadline it does nothing.
    pub fn timeout(&mut self, now: Timestamp) {
        if self.state == State::Closed {
            return;
        }
        match self.deadlines.next(&self.limits) {
            Some((at, due)) if at <= now => match due {
                Due::CloseTimeout => self.end(Step::GivenUp, Cause::CloseTimeout),
                Due::NoPong => self.end(Step::GivenUp, Cause::NoPong),
                Due::Idle => {
                    if let Ok(reason) = CloseReason::new(CloseCode::GOING_AWAY, "idle") {
                        // 1001 is nobody's privilege, so this cannot be refused.
                        let _ = self.close(now, reason);
                    }
                }
                Due::Rest => {
                    self.deadlines.note_rest();
                    if let Some(coding) = &mut self.coding {
                        coding.rest();
                    }
                }
                Due::Ping => {
                    let payload = self.deadlines.note_ping(now);
                    // Where Pings are refused as full, bytes wait that will show life or death.
                    let _ = self.ping(&payload);
                }
            },
            _ => {}
        }
    }
}
