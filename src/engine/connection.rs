//! An open connection, from the first frame to the last.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::engine::closure::{Cause, Closure};
use crate::engine::deadlines::{Deadlines, Due};
use crate::engine::entropy::MaskKeys;
use crate::engine::event::{Chunk, Event, Kind, Received};
use crate::engine::extension::Extension;
use crate::engine::inbound::{Found, Inbound, Terms};
use crate::engine::limits::Limits;
use crate::engine::message::{Lent, Message};
use crate::engine::misuse::{Misuse, SendError};
use crate::engine::outbox::{Frame, Outbox, SHARE_BYTES_MIN, opcode_of};
use crate::engine::prepared::Prepared;
use crate::engine::role::Role;
use crate::engine::state::{State, Step};
use crate::engine::time::Timestamp;
use crate::engine::violation::Violation;
use crate::wire::close::{CloseCode, CloseReason};
use crate::wire::header::{CONTROL_PAYLOAD_MAX, FrameHeader, Reserved};
use crate::wire::mask::MaskKey;
use crate::wire::opcode::Opcode;
use crate::wire::utf8::Utf8Stream;

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
#[derive(Debug)]
pub struct Connection {
    role: Role,
    state: State,
    /// Whether the peer's end of the stream has been seen.
    peer_ended: bool,
    limits: Arc<Limits>,
    inbound: Inbound,
    outbox: Outbox,
    deadlines: Deadlines,
    /// Makes a client's masking keys; a server has none.
    keys: Option<Box<MaskKeys>>,
    /// The message that is being sent in fragments.
    sending: Option<Sending>,
    extension: Option<Box<Extended>>,
    closure: Option<Box<Closure>>,
}

/// A message of which not all fragments have been sent.
#[derive(Debug)]
struct Sending {
    kind: Kind,
    begun: bool,
    utf8: Utf8Stream,
}

/// An extension in use, and how far the message that it expands has come.
#[derive(Debug)]
struct Extended {
    extension: Box<dyn Extension>,
    expanded_bytes: u64,
    utf8: Utf8Stream,
    scratch: Vec<u8>,
}

impl Connection {
    /// Begins in the open state, for a handshake that was made elsewhere.
    ///
    /// `seed` must come from a cryptographic source; a client makes its masking keys from it
    /// (RFC 6455 §5.3), a server does not use it.
    pub fn new(role: Role, limits: Arc<Limits>, now: Timestamp, seed: [u8; 32]) -> Self {
        Self::with_keys(role, limits, now, role.masks().then(|| MaskKeys::new(seed)))
    }

    pub(crate) fn with_keys(
        role: Role,
        limits: Arc<Limits>,
        now: Timestamp,
        keys: Option<MaskKeys>,
    ) -> Self {
        Self {
            role,
            state: State::Open,
            peer_ended: false,
            limits,
            inbound: Inbound::new(),
            outbox: Outbox::default(),
            deadlines: Deadlines::new(now),
            keys: keys.map(Box::new),
            sending: None,
            extension: None,
            closure: None,
        }
    }

    /// Puts `extension` to use, before the first frame.
    #[must_use]
    pub fn with_extension(mut self, extension: Box<dyn Extension>) -> Self {
        self.extension = Some(Box::new(Extended {
            extension,
            expanded_bytes: 0,
            utf8: Utf8Stream::new(),
            scratch: Vec::new(),
        }));
        self
    }

    /// Queues bytes that come before the first frame: the server's answer to the handshake.
    pub(crate) fn push_preamble(&mut self, bytes: Vec<u8>) {
        self.outbox.push_preamble(bytes);
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
    /// say, apart from where one message is cut into chunks.
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
            reserved: if self.extension.is_some() {
                Reserved::RSV1
            } else {
                Reserved::NONE
            },
        };
        match self.inbound.read(terms, input) {
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
                self.deadlines.note_pong(now, payload);
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
        let frame = control(Opcode::Pong, mask, payload);
        //= WS-113
        if full {
            self.outbox.replace_pong(frame);
        } else {
            self.outbox.push_control(frame);
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
        let mask = self.next_mask();
        self.outbox.push_frame(control(Opcode::Close, mask, &body));
        self.sending = None;
        self.closure_mut().set_sent(reason);
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

    fn end(&mut self, step: Step, cause: Cause) {
        // The closing handshake is not complete before our Close has left (RFC 6455 §7.1.4).
        //= WS-133
        if self.state == State::Ending && !self.outbox.is_empty() {
            self.closure_mut().forget_handshake();
        }
        self.step(step);
        self.closure_mut().set_cause(cause);
        self.outbox.clear();
    }

    fn step(&mut self, step: Step) {
        self.state = self.state.next(step);
    }

    fn closure_mut(&mut self) -> &mut Closure {
        self.closure.get_or_insert_with(Closure::boxed)
    }

    /// Queues a text message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] when the outbox is at its high mark, and [`Misuse::Closing`] or
    /// [`Misuse::MessageUnfinished`]. The message is not queued then.
    pub fn send_text(&mut self, now: Timestamp, text: &str) -> Result<(), SendError> {
        self.send(now, Kind::Text, text.as_bytes())
    }

    /// Queues a binary message in one frame.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_binary(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), SendError> {
        self.send(now, Kind::Binary, bytes)
    }

    /// Queues a message that was received, here or elsewhere: an echo, a relay.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_lent(&mut self, now: Timestamp, message: &Lent<'_>) -> Result<(), SendError> {
        self.send(now, message.kind(), message.bytes())
    }

    /// Queues a message whose text is known to be UTF-8.
    //= WS-117
    //= WS-118
    //= WS-119
    fn send(&mut self, now: Timestamp, kind: Kind, payload: &[u8]) -> Result<(), SendError> {
        self.admit_message()?;
        self.deadlines.note_message(now);
        let mask = self.next_mask();
        let (reserved, opcode) = (Reserved::NONE, opcode_of(kind));
        if let Some(extended) = self.extension.as_deref_mut() {
            extended.scratch.clear();
            if extended
                .extension
                .reduce(kind, payload, &mut extended.scratch)
            {
                let (reserved, payload) = (Reserved::RSV1, extended.scratch.as_slice());
                self.outbox.push_frame(Frame {
                    fin: true,
                    reserved,
                    opcode,
                    mask,
                    payload,
                });
                return Ok(());
            }
        }
        self.outbox.push_frame(Frame {
            fin: true,
            reserved,
            opcode,
            mask,
            payload,
        });
        Ok(())
    }

    /// Queues a message that the caller gives away.
    ///
    /// A server queues a large payload without copying it.
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_message(&mut self, now: Timestamp, message: Message) -> Result<(), SendError> {
        let (kind, payload) = (message.kind(), message.into_bytes());
        if self.role.masks() || self.extension.is_some() || payload.len() < SHARE_BYTES_MIN {
            return self.send(now, kind, &payload);
        }
        self.admit_message()?;
        self.deadlines.note_message(now);
        let header = FrameHeader {
            fin: true,
            reserved: Reserved::NONE,
            opcode: opcode_of(kind),
            mask: None,
            payload_len: payload.len() as u64,
        };
        self.outbox.push_shared_payload(header, payload);
        Ok(())
    }

    /// Queues a message that was encoded once for many connections.
    ///
    /// A server queues its bytes without copying them; a client masks a copy (RFC 6455 §5.3).
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    pub fn send_prepared(&mut self, now: Timestamp, message: &Prepared) -> Result<(), SendError> {
        if self.role.masks() || self.extension.is_some() {
            return self.send(now, message.kind(), message.payload());
        }
        self.admit_message()?;
        self.deadlines.note_message(now);
        self.outbox.push_shared_frame(message.frame().clone());
        Ok(())
    }

    /// Queues a fragment of a message; the first call begins it, `last` ends it.
    ///
    /// Fragments of text may end inside a character; the message as a whole must be UTF-8.
    /// Control frames may leave between two fragments, other messages may not (RFC 6455 §5.4).
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text), and [`Misuse::KindChanged`] or [`Misuse::NotUtf8`].
    /// The fragment is not queued then, and the message is as it was.
    pub fn send_fragment(
        &mut self,
        now: Timestamp,
        kind: Kind,
        fragment: &[u8],
        last: bool,
    ) -> Result<(), SendError> {
        self.admit_data()?;
        let sending = self.sending.take().unwrap_or(Sending {
            kind,
            begun: false,
            utf8: Utf8Stream::new(),
        });
        let mut utf8 = sending.utf8;
        if let Err(misuse) = check_fragment(&sending, &mut utf8, kind, fragment, last) {
            self.sending = sending.begun.then_some(sending);
            return Err(misuse.into());
        }
        self.deadlines.note_message(now);
        let opcode = if sending.begun {
            Opcode::Continuation
        } else {
            opcode_of(kind)
        };
        let mask = self.next_mask();
        let reserved = Reserved::NONE;
        self.outbox.push_frame(Frame {
            fin: last,
            reserved,
            opcode,
            mask,
            payload: fragment,
        });
        self.sending = (!last).then_some(Sending {
            kind,
            begun: true,
            utf8,
        });
        Ok(())
    }

    /// Queues a Ping; it overtakes the data that waits.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`] when too many control frames wait, [`Misuse::ControlTooLong`] for
    /// more than 125 bytes, [`Misuse::Closing`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(Opcode::Ping, payload)
    }

    /// Queues a Pong that nobody asked for (RFC 6455 §5.5.3). Pings are answered without it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(Opcode::Pong, payload)
    }

    //= WS-098
    fn send_control(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), SendError> {
        if !self.state.may_send() {
            return Err(Misuse::Closing.into());
        }
        if payload.len() > CONTROL_PAYLOAD_MAX {
            return Err(Misuse::ControlTooLong.into());
        }
        if self.outbox.control_len() >= self.limits.control_bytes_max() {
            return Err(SendError::Full);
        }
        let mask = self.next_mask();
        self.outbox.push_control(control(opcode, mask, payload));
        Ok(())
    }

    /// Begins the closing handshake (RFC 6455 §7.1.2).
    ///
    /// The Close frame leaves behind the messages that were queued before it; no data can be
    /// queued after it. Messages that are still on their way from the peer are delivered. A
    /// second call, or one after the peer's Close, changes nothing.
    ///
    /// # Errors
    ///
    /// [`Misuse::ClientCode`] when a server uses 1010.
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

    //= WS-073
    //= WS-103
    //= WS-116
    fn admit_data(&self) -> Result<(), SendError> {
        if !self.state.may_send() {
            return Err(Misuse::Closing.into());
        }
        if self.outbox.len() >= self.limits.outbox_bytes_high() {
            return Err(SendError::Full);
        }
        Ok(())
    }

    fn admit_message(&self) -> Result<(), SendError> {
        self.admit_data()?;
        match self.sending {
            Some(_) => Err(Misuse::MessageUnfinished.into()),
            None => Ok(()),
        }
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
        let Some(extended) = self.extension.as_deref_mut() else {
            output.extend_from_slice(chunk.bytes);
            return Ok(());
        };
        extended
            .expand(self.limits.message_bytes_max(), chunk, output)
            .inspect_err(|violation| {
                self.fail(now, *violation);
            })
    }

    /// The bytes to send next, in order.
    ///
    /// Send as many of them as the transport takes, and tell with
    /// [`transmitted`](Self::transmitted) how many that were before anything else is done.
    //= WS-121
    pub fn transmit(&self) -> impl Iterator<Item = &[u8]> {
        self.outbox.slices()
    }

    /// Takes note that the first `n` bytes that [`transmit`](Self::transmit) lent have been sent.
    pub fn transmitted(&mut self, n: usize) {
        self.outbox.advance(n);
        if self.peer_ended && self.outbox.is_empty() && self.state.ends_when_sent() {
            self.end(Step::EndOfStream, Cause::EndOfStream);
        }
    }

    /// Bytes that wait to be sent.
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
    pub fn poll_timeout(&self) -> Option<Timestamp> {
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
                Due::Ping => {
                    let payload = self.deadlines.note_ping(now);
                    // Where Pings are refused as full, bytes wait that will show life or death.
                    let _ = self.ping(&payload);
                }
            },
            _ => {}
        }
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
    pub const fn round_trip(&self) -> Option<Duration> {
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

    /// Takes the empty buffer that is kept for the next frame, so that an idle connection holds
    /// none.
    pub fn take_spare_buffer(&mut self) -> Option<Vec<u8>> {
        self.outbox.take_spare()
    }

    /// Lends an empty buffer for the next frames.
    pub fn lend_spare_buffer(&mut self, buffer: Vec<u8>) {
        self.outbox.give_spare(buffer);
    }

    /// Lends the buffer that `make` gives, if there is none.
    pub fn lend_spare_buffer_with(&mut self, make: impl FnOnce() -> Vec<u8>) {
        if !self.outbox.has_spare() {
            self.outbox.give_spare(make());
        }
    }
}

impl Extended {
    fn expand(
        &mut self,
        message_bytes_max: u64,
        chunk: &Chunk<'_>,
        output: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        if chunk.first {
            self.expanded_bytes = 0;
            self.utf8 = Utf8Stream::new();
        }
        let before = output.len();
        let room = message_bytes_max - self.expanded_bytes;
        self.extension
            .expand(chunk.bytes, chunk.last, room, output)?;
        let added = &output[before..];
        self.expanded_bytes += added.len() as u64;
        if self.expanded_bytes > message_bytes_max {
            return Err(Violation::MessageTooBig);
        }
        //= PD-024
        if chunk.kind == Kind::Text {
            self.utf8.feed(added).map_err(|_| Violation::NotUtf8)?;
            if chunk.last {
                self.utf8.finish().map_err(|_| Violation::NotUtf8)?;
            }
        }
        Ok(())
    }
}

/// A control frame: never fragmented, never with a reserved bit.
//= WS-088
//= PD-017
//= PD-021
const fn control(opcode: Opcode, mask: Option<MaskKey>, payload: &[u8]) -> Frame<'_> {
    Frame {
        fin: true,
        reserved: Reserved::NONE,
        opcode,
        mask,
        payload,
    }
}

/// The Close that answers `received`: with its code, if it has one (RFC 6455 §5.5.1).
fn answer_to(received: &CloseReason) -> CloseReason {
    received.code().map_or_else(CloseReason::empty, |code| {
        CloseReason::new(code, "").unwrap_or_else(|_| CloseReason::empty())
    })
}

fn check_fragment(
    sending: &Sending,
    utf8: &mut Utf8Stream,
    kind: Kind,
    fragment: &[u8],
    last: bool,
) -> Result<(), Misuse> {
    if sending.kind != kind {
        return Err(Misuse::KindChanged);
    }
    if kind == Kind::Text {
        utf8.feed(fragment).map_err(|_| Misuse::NotUtf8)?;
        if last {
            utf8.finish().map_err(|_| Misuse::NotUtf8)?;
        }
    }
    Ok(())
}
