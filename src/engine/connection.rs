//! An open connection, from the first frame to the last.

mod ending;
mod returning;
mod sending;
mod small;
mod watching;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::engine::buffer::Buffer;
use crate::engine::closure::{Cause, Closure};
use crate::engine::coding::Coding;
use crate::engine::deadlines::Deadlines;
use crate::engine::entropy::MaskKeys;
use crate::engine::event::{Chunk, Event, Kind, Received};
use crate::engine::extension::Extension;
use crate::engine::frame::Frame;
use crate::engine::inbound::{Found, Inbound, Terms};
use crate::engine::limits::Limits;
use crate::engine::observer::{Observed, Watch};
use crate::engine::outbox::{Outbox, SendBuffer};
use crate::engine::ready_state::ReadyState;
use crate::engine::role::Role;
use crate::engine::state::{State, Step};
use crate::engine::streamed::Streamed;
use crate::engine::time::Timestamp;
use crate::engine::violation::Violation;
use crate::wire::close::CloseReason;
use crate::wire::header::Reserved;
use crate::wire::mask::MaskKey;
use crate::wire::opcode::Opcode;

/// An open WebSocket connection without a socket.
///
/// Bytes go in through [`receive`](Self::receive), and commands through
/// [`send_text`](Self::send_text) and its siblings. What comes out is asked for: events are
/// returned by `receive`, bytes to send are lent by [`transmit`](Self::transmit), the next
/// deadline is told by [`poll_timeout`](Self::poll_timeout). The contract in full is at the top
/// of [`engine`](crate::engine).
///
/// A connection comes from a handshake: [`ServerHandshake`](crate::engine::ServerHandshake) or
/// [`ClientHandshake`](crate::engine::ClientHandshake) consume themselves into one.
// In this order: what is looked at for a message to many stands together, at the front.
#[derive(Debug)]
#[repr(C)]
pub struct Connection {
    role: Role,
    state: State,
    /// Whether the peer's end of the stream has been seen.
    peer_ended: bool,
    /// Whether small messages may go the short way.
    plain: bool,
    /// Whether what comes next may: they may, and no message has begun.
    awaits_small: bool,
    /// Whether what is sent next may: they may, and no message is being sent in fragments.
    takes_small: bool,
    /// Whether it matters at what time a message comes or goes.
    timed: bool,
    outbox: Outbox,
    limits: Arc<Limits>,
    inbound: Inbound,
    deadlines: Deadlines,
    /// Makes a client's masking keys; a server has none.
    keys: Option<Box<MaskKeys>>,
    /// The message that is being sent in fragments.
    streamed: Option<Streamed>,
    coding: Option<Box<Coding>>,
    closure: Option<Box<Closure>>,
    watch: Watch,
}

impl Connection {
    /// Begins in the open state, for a handshake that was made elsewhere.
    ///
    /// `seed` must come from a cryptographic source; a client makes its masking keys from it
    /// (RFC 6455 §5.3), a server does not use it.
    pub fn new(role: Role, limits: Arc<Limits>, now: Timestamp, seed: [u8; 32]) -> Self {
        Self::with_keys(
            role,
            limits,
            now,
            role.masks().then(|| Box::new(MaskKeys::new(seed))),
        )
    }

    pub(crate) fn with_keys(
        role: Role,
        limits: Arc<Limits>,
        now: Timestamp,
        keys: Option<Box<MaskKeys>>,
    ) -> Self {
        let plain = Self::is_plain(role, &limits);
        Self {
            role,
            state: State::Open,
            peer_ended: false,
            plain,
            awaits_small: plain,
            takes_small: plain,
            timed: limits.keep_time() || !plain,
            limits,
            inbound: Inbound::new(),
            outbox: Outbox::default(),
            deadlines: Deadlines::new(now),
            keys,
            streamed: None,
            coding: None,
            closure: None,
            watch: Watch::default(),
        }
    }

    /// Puts `extension` to use, before the first frame.
    #[must_use]
    pub fn with_extension(mut self, extension: Box<dyn Extension>) -> Self {
        self.coding = Some(Box::new(Coding::new(extension)));
        self.leave_short_way();
        self
    }

    /// Queues bytes that come before the first frame: the server's answer to the handshake.
    pub(crate) fn push_preamble(&mut self, bytes: Vec<u8>) {
        self.outbox.queue().push_preamble(bytes);
    }

    /// Which end this is.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes bytes that arrived from the peer at `now`, up to the first event in them.
    ///
    /// Payloads are unmasked where they stand, and the event borrows them from `input`. Call it
    /// again with the rest for as long as there is an event; when there is none, what was not
    /// consumed (never more than an unfinished header or control frame) must stand in front of
    /// the bytes that arrive next. How the stream was cut makes no difference to what the events
    /// say, apart from where one message is cut into chunks: of the chunk in which text goes
    /// wrong nothing is delivered.
    ///
    /// A peer that breaks the protocol does not make this call fail. The connection is failed as
    /// RFC 6455 §7.1.7 asks: one Close frame with [`Violation::close_code`] is queued,
    /// [`Event::Failed`] tells which rule was broken, and everything that follows is discarded
    /// unread. Events that came before are delivered before it.
    pub fn receive<'b>(&mut self, now: Timestamp, input: &'b mut [u8]) -> Received<'b> {
        let given = input.len();
        //= WS-140
        if given == 0 || !self.state.reads() {
            return Received {
                consumed: given,
                event: None,
            };
        }
        self.deadlines.note_received(now);
        let terms = Terms {
            role: self.role,
            limits: &self.limits,
            //= WS-074
            //= WS-115
            reserved: if self.coding.is_some() {
                Reserved::RSV1
            } else {
                Reserved::NONE
            },
        };
        let read = self.inbound.read(terms, &mut self.watch, input);
        self.awaits_small = self.plain && !self.inbound.is_within_message();
        match read {
            Ok((consumed, Found::Chunk(chunk))) => {
                if chunk.last {
                    self.deadlines.note_message(now);
                }
                Received {
                    consumed,
                    event: Some(Event::Data(chunk)),
                }
            }
            Ok((consumed, Found::Control(opcode, payload))) => {
                let event = self.receive_control(now, opcode, payload);
                let consumed = if self.state.reads() { consumed } else { given };
                Received {
                    consumed,
                    event: Some(event),
                }
            }
            Ok((consumed, Found::Nothing)) => Received {
                consumed,
                event: None,
            },
            Err(violation) => {
                self.fail(now, violation);
                Received {
                    consumed: given,
                    event: Some(Event::Failed(violation)),
                }
            }
        }
    }

    //= WS-123
    fn receive_control<'b>(
        &mut self,
        now: Timestamp,
        opcode: Opcode,
        payload: &'b [u8],
    ) -> Event<'b> {
        match opcode {
            Opcode::Ping => {
                self.answer_ping(payload);
                Event::Ping(payload)
            }
            Opcode::Pong => {
                if let Some(took) = self.deadlines.note_pong(now, payload) {
                    self.watch.tell(&Observed::RoundTrip(took));
                }
                Event::Pong(payload)
            }
            _ => match CloseReason::decode(payload) {
                Ok(reason) => {
                    self.receive_close(now, reason);
                    Event::Close
                }
                Err(malformed) => {
                    self.fail(now, Violation::Close(malformed));
                    Event::Failed(Violation::Close(malformed))
                }
            },
        }
    }

    //= WS-110
    //= WS-111
    //= WS-112
    fn answer_ping(&mut self, payload: &[u8]) {
        let full = self.outbox.control_len() >= self.limits.control_bytes_max();
        let mask = self.next_mask();
        let frame = Frame::control(Opcode::Pong, mask, payload);
        self.watch.tell_sent(frame.header());
        //= WS-113
        if full {
            self.outbox.queue().replace_pong(frame);
        } else {
            self.outbox.queue().push_pong(frame);
        }
    }

    /// The peer said Close: answer it with the same code, unless we said so first.
    //= WS-104
    //= WS-105
    fn receive_close(&mut self, now: Timestamp, reason: CloseReason) {
        let answer = answer_to(&reason);
        self.closure_mut().set_received(reason);
        //= WS-109
        if self.state == State::Open {
            self.queue_close(answer);
        }
        self.step(Step::CloseReceived);
        self.closure_mut().set_cause(Cause::Handshake);
        self.deadlines
            .note_closing(now, self.limits.close_timeout());
    }

    /// Fails the connection: tells the peer once, and reads nothing more.
    //= WS-136
    //= WS-137
    //= PX-07
    fn fail(&mut self, now: Timestamp, violation: Violation) {
        if self.state == State::Open {
            self.queue_close(violation.close_reason());
        }
        self.step(Step::Violation);
        self.closure_mut().set_cause(Cause::Violation(violation));
        self.deadlines
            .note_closing(now, self.limits.close_timeout());
    }

    /// Queues our Close frame behind the data that was sent before it.
    //= WS-131
    //= WS-102
    fn queue_close(&mut self, reason: CloseReason) {
        let mut body = Vec::new();
        reason.encode_into(&mut body);
        let frame = Frame::control(Opcode::Close, self.next_mask(), &body);
        self.watch.tell_sent(frame.header());
        self.outbox.queue().push_frame(frame);
        self.streamed = None;
        self.closure_mut().set_sent(reason);
    }

    fn step(&mut self, step: Step) {
        self.state = self.state.next(step);
        self.leave_short_way();
    }

    fn closure_mut(&mut self) -> &mut Closure {
        self.closure.get_or_insert_with(Closure::boxed)
    }

    fn next_mask(&mut self) -> Option<MaskKey> {
        self.keys.as_deref_mut().map(MaskKeys::next_key)
    }

    /// Undoes the coding of a chunk that is [`coded`](Chunk::coded), appending to `output`.
    ///
    /// # Errors
    ///
    /// The violation with which the connection has been failed.
    pub fn expand(
        &mut self,
        now: Timestamp,
        chunk: &Chunk<'_>,
        output: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let mut taken = 0;
        while !self.expand_some(now, chunk, &mut taken, usize::MAX, output)? {}
        Ok(())
    }

    /// Undoes the coding of a chunk step by step, so that a message larger than memory can be
    /// passed on: appends at most `room` bytes to `output`, and says whether the chunk is done
    /// with.
    ///
    /// `taken` is how far the chunk has been read; begin with 0, and call again with the same
    /// chunk until it is done with.
    ///
    /// # Errors
    ///
    /// As [`expand`](Self::expand).
    pub fn expand_some(
        &mut self,
        now: Timestamp,
        chunk: &Chunk<'_>,
        taken: &mut usize,
        room: usize,
        output: &mut Vec<u8>,
    ) -> Result<bool, Violation> {
        let mut buffer = Buffer::holding(core::mem::take(output));
        let done = self.expand_into(now, chunk, taken, room, &mut buffer);
        *output = buffer.into_held();
        done
    }

    /// As [`expand_some`](Self::expand_some), behind what `output` holds.
    pub(crate) fn expand_into(
        &mut self,
        now: Timestamp,
        chunk: &Chunk<'_>,
        taken: &mut usize,
        room: usize,
        output: &mut Buffer,
    ) -> Result<bool, Violation> {
        self.note_coding(now);
        let Some(coding) = self.coding.as_deref_mut() else {
            let rest = &chunk.bytes[*taken..];
            output.room(rest.len(), rest.len()).copy_from_slice(rest);
            output.held += rest.len();
            *taken = chunk.bytes.len();
            return Ok(true);
        };
        let message_bytes_max = self.limits.message_bytes_max();
        let before = (*taken, output.held);
        let expanded = coding.expand(message_bytes_max, chunk, taken, room.max(1), output);
        self.watch.tell(&Observed::Expanded {
            coded: (*taken - before.0) as u64,
            plain: (output.held - before.1) as u64,
        });
        expanded
            //= PX-01
            .inspect_err(|violation| {
                self.fail(now, *violation);
            })
    }

    /// Takes note that the extension has something to do, after which it may rest.
    fn note_coding(&mut self, now: Timestamp) {
        if self.coding.is_some() {
            self.deadlines.note_coding(now);
        }
    }

    /// The extension that was negotiated with its parameters, as in the header of the handshake.
    pub fn extension(&self) -> Option<String> {
        self.coding.as_deref().and_then(Coding::agreed)
    }

    /// The state in the terms of the WebSocket interface of browsers. A connection that exists
    /// has been opened, so it is never [`ReadyState::Connecting`].
    pub const fn ready_state(&self) -> ReadyState {
        match self.state {
            State::Open => ReadyState::Open,
            State::Closing | State::Ending | State::Failing => ReadyState::Closing,
            State::Closed => ReadyState::Closed,
        }
    }

    /// The bytes to send next, in order.
    ///
    /// Send as many of them as the transport takes, and tell with
    /// [`transmitted`](Self::transmitted) how many that were before anything else is done.
    //= WS-121
    #[inline]
    pub fn transmit(&self) -> impl Iterator<Item = &[u8]> {
        self.outbox.slices()
    }

    /// Takes note that the first `n` bytes that [`transmit`](Self::transmit) lent have been sent.
    #[inline]
    pub fn transmitted(&mut self, n: usize) {
        self.outbox.advance(n);
        if self.peer_ended && self.outbox.is_empty() && self.state.ends_when_sent() {
            self.end(Step::EndOfStream, Cause::EndOfStream);
        }
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub fn buffered_bytes(&self) -> usize {
        self.outbox.len()
    }

    /// Whether more messages are refused as full until the outbox drains.
    pub fn is_full(&self) -> bool {
        self.outbox.len() >= self.limits.outbox_bytes_high()
    }

    /// Whether the outbox has drained to its low mark.
    pub fn is_drained(&self) -> bool {
        self.outbox.len() <= self.limits.outbox_bytes_low()
    }

    /// Whether messages can still be sent.
    pub const fn is_open(&self) -> bool {
        self.state.may_send()
    }

    /// Whether nothing passes any more, and the transport can be dropped.
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether everything that still arrives is discarded unread.
    pub const fn is_discarding(&self) -> bool {
        !self.state.reads()
    }

    /// How the connection is closing or has closed; `None` while it is open.
    pub fn closure(&self) -> Option<&Closure> {
        self.closure.as_deref()
    }

    /// How long the peer took to answer the last keep-alive Ping.
    pub fn round_trip(&self) -> Option<Duration> {
        self.deadlines.round_trip()
    }

    /// Bytes of the present frame's payload that were declared and have not arrived: a hint of
    /// how much to read, never how much to allocate.
    pub const fn frame_bytes_to_come(&self) -> u64 {
        self.inbound.frame_bytes_to_come()
    }

    /// Whether a message has begun to arrive and not ended.
    pub const fn is_within_message(&self) -> bool {
        self.inbound.is_within_message()
    }

    /// What the message is of which a part has arrived.
    pub(crate) const fn message_kind(&self) -> Option<Kind> {
        self.inbound.message_kind()
    }

    /// Takes what the connection sends from, if nothing waits in it: an idle connection needs
    /// none.
    pub fn take_send_buffer(&mut self) -> Option<SendBuffer> {
        self.outbox.take_spare()
    }

    /// Lends what `make` gives to send from, if the connection has none.
    pub fn lend_send_buffer_with(&mut self, make: impl FnOnce() -> SendBuffer) {
        self.outbox.lend_with(make);
    }
}

/// The Close that answers `received`: with its code, if it has one (RFC 6455 §5.5.1).
fn answer_to(received: &CloseReason) -> CloseReason {
    received.code().map_or_else(CloseReason::empty, |code| {
        CloseReason::new(code, "").unwrap_or_else(|_| CloseReason::empty())
    })
}
