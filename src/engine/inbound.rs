//! Frames into pieces of messages: the receiving half, which knows no state but its own.

use crate::engine::event::{Chunk, Kind};
use crate::engine::limits::Limits;
use crate::engine::observer::{Observed, Watch};
use crate::engine::role::Role;
use crate::engine::violation::Violation;
use crate::wire::header::{Decoded, FrameHeader, Reserved};
use crate::wire::mask::{self, MaskKey};
use crate::wire::opcode::Opcode;
use crate::wire::utf8::{self, InvalidUtf8, Utf8Stream};

/// Where the receiving half stands in the stream of frames.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// Payload bytes of the present data frame that have not arrived.
    remaining: u64,
    /// Bytes of the present message so far, its present frame counted whole.
    message_bytes: u64,
    /// Frames of the present message so far.
    fragments: u32,
    /// The masking key, turned to the next byte of the payload; zeros when there is none.
    key: MaskKey,
    /// What the message is, while there is one.
    message: Option<Kind>,
    /// Whether a data frame has been begun and its end not been delivered.
    in_frame: bool,
    /// Whether the present frame is the last of its message.
    fin: bool,
    /// Whether no piece of the present message has been delivered.
    first: bool,
    /// Whether the message is in the coding of an extension.
    coded: bool,
    /// How far the text has been checked.
    utf8: Utf8Stream,
}

/// What the receiving half found at the front of its input.
pub(crate) enum Found<'b> {
    /// A piece of a message.
    Chunk(Chunk<'b>),
    /// A whole control frame.
    Control(Opcode, &'b mut [u8]),
    /// More bytes are needed.
    Nothing,
}

/// What a connection has agreed to, so far as it decides which frames are allowed.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) role: Role,
    pub(crate) limits: &'a Limits,
    /// The reserved bits that an extension has given a meaning on the first frame of a message.
    pub(crate) reserved: Reserved,
}

impl Inbound {
    pub(crate) const fn new() -> Self {
        Self {
            remaining: 0,
            message_bytes: 0,
            fragments: 0,
            key: MaskKey::new([0; 4]),
            message: None,
            in_frame: false,
            fin: false,
            first: false,
            coded: false,
            utf8: Utf8Stream::new(),
        }
    }

    /// Reads from the front of `input`, and says how many bytes it is done with.
    pub(crate) fn read<'b>(
        &mut self,
        terms: Terms<'_>,
        watch: &mut Watch,
        input: &'b mut [u8],
    ) -> Result<(usize, Found<'b>), Violation> {
        let mut at = 0;
        loop {
            if self.in_frame {
                if self.remaining > 0 && at == input.len() {
                    return Ok((at, Found::Nothing));
                }
                let left = usize::try_from(self.remaining).unwrap_or(usize::MAX);
                let end = at + left.min(input.len() - at);
                // An empty fragment that is not the last one tells the application nothing.
                if end == at && !self.fin {
                    self.in_frame = false;
                    continue;
                }
                let chunk = self.take_payload(&mut input[at..end])?;
                return Ok((end, Found::Chunk(chunk)));
            }
            let Some((header, header_bytes)) = self.admit_next(terms, &input[at..])? else {
                return Ok((at, Found::Nothing));
            };
            if header.opcode.is_control() {
                let Some((end, payload)) = control_payload(header, header_bytes, at, input) else {
                    return Ok((at, Found::Nothing));
                };
                watch.tell(&Observed::Received(&header));
                return Ok((end, Found::Control(header.opcode, payload)));
            }
            watch.tell(&Observed::Received(&header));
            self.begin_frame(header);
            at += header_bytes;
        }
    }

    /// Decodes the next header and decides whether its frame is allowed here.
    ///
    /// Of several faults the one that is visible first counts, however the header was cut.
    fn admit_next(
        &self,
        terms: Terms<'_>,
        input: &[u8],
    ) -> Result<Option<(FrameHeader, usize)>, Violation> {
        match FrameHeader::decode(input) {
            Ok(Decoded::Header(header, taken)) => {
                self.admit_first_byte(terms, header.opcode, header.reserved)?;
                admit_mask(terms.role, header.mask.is_some())?;
                self.admit_length(terms, header)?;
                Ok(Some((header, taken)))
            }
            Ok(Decoded::NeedMore(_)) => {
                self.admit_beginning(terms, input)?;
                Ok(None)
            }
            Err(malformed) => {
                self.admit_beginning(terms, input)?;
                Err(Violation::Header(malformed))
            }
        }
    }

    /// Decides on the first two bytes of a header that is not complete, or that is malformed.
    fn admit_beginning(&self, terms: Terms<'_>, input: &[u8]) -> Result<(), Violation> {
        let Some((first, rest)) = input.split_first() else {
            return Ok(());
        };
        FrameHeader::decode(&[*first]).map_err(Violation::Header)?;
        if let Some(opcode) = Opcode::from_low_bits(*first) {
            self.admit_first_byte(terms, opcode, Reserved::from_first_byte(*first))?;
        }
        if let Some(second) = rest.first() {
            admit_mask(terms.role, second & 0x80 != 0)?;
        }
        Ok(())
    }

    fn admit_first_byte(
        &self,
        terms: Terms<'_>,
        opcode: Opcode,
        reserved: Reserved,
    ) -> Result<(), Violation> {
        let allowed = match opcode {
            Opcode::Text | Opcode::Binary => terms.reserved,
            Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => Reserved::NONE,
        };
        //= WS-075
        //= PD-022
        if !reserved.is_within(allowed) {
            return Err(Violation::ReservedBits);
        }
        match (opcode, self.message) {
            //= WS-125
            (Opcode::Continuation, None) => Err(Violation::UnexpectedContinuation),
            //= WS-090
            //= WS-097
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(Violation::InterleavedMessage),
            //= WS-091
            _ => Ok(()),
        }
    }

    /// Holds a data frame to the limits by what it declares, before its payload is read.
    //= WS-169
    //= WS-170
    fn admit_length(&self, terms: Terms<'_>, header: FrameHeader) -> Result<(), Violation> {
        if header.opcode.is_control() {
            return Ok(());
        }
        let (so_far, fragments) = match header.opcode {
            Opcode::Continuation => (self.message_bytes, self.fragments),
            _ => (0, 0),
        };
        if header.payload_len > terms.limits.message_bytes_max().saturating_sub(so_far) {
            return Err(Violation::MessageTooBig);
        }
        //= PX-06
        if fragments >= terms.limits.fragments_max() {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }

    //= WS-092
    //= WS-124
    fn begin_frame(&mut self, header: FrameHeader) {
        let kind = match header.opcode {
            Opcode::Text => Some(Kind::Text),
            Opcode::Binary => Some(Kind::Binary),
            _ => None,
        };
        if kind.is_some() {
            self.message = kind;
            self.message_bytes = 0;
            self.fragments = 0;
            self.first = true;
            self.coded = !header.reserved.is_none();
        }
        self.message_bytes += header.payload_len;
        self.fragments += 1;
        self.in_frame = true;
        self.fin = header.fin;
        self.remaining = header.payload_len;
        self.key = header.mask.unwrap_or(MaskKey::new([0; 4]));
    }

    /// Takes `bytes` as the next of the present frame's payload.
    //= WS-087
    //= WS-126
    fn take_payload<'b>(&mut self, bytes: &'b mut [u8]) -> Result<Chunk<'b>, Violation> {
        let kind = self.message.unwrap_or(Kind::Binary);
        let is_checked = kind == Kind::Text && !self.coded;
        let is_masked = self.key.bytes() != [0; 4];
        self.remaining -= bytes.len() as u64;
        let frame_ends = self.remaining == 0;
        let last = frame_ends && self.fin;
        //= PX-07
        match (is_checked, is_masked) {
            (true, true) => {
                let fed = self.utf8.feed_masked(self.key, bytes);
                check_end(&mut self.utf8, fed, last)?;
            }
            (true, false) => check_text(&mut self.utf8, bytes, self.first, last)?,
            (false, true) => mask::apply(self.key, bytes),
            (false, false) => {}
        }
        self.key = self.key.rotated(bytes.len());
        let chunk = Chunk {
            kind,
            bytes,
            first: self.first,
            last,
            coded: self.coded,
        };
        self.first = false;
        self.in_frame = !frame_ends;
        if last {
            self.message = None;
        }
        Ok(chunk)
    }

    /// Whether a message has begun whose end has not arrived.
    pub(crate) const fn is_within_message(&self) -> bool {
        self.message.is_some()
    }

    /// What the message is of which a part has arrived.
    pub(crate) const fn message_kind(&self) -> Option<Kind> {
        self.message
    }

    /// Bytes of payload that the present frame has declared and not yet brought.
    pub(crate) const fn frame_bytes_to_come(&self) -> u64 {
        self.remaining
    }
}

/// Checks a piece of text as it arrives; whole messages go the short way.
//= WS-114
//= WS-155
pub(crate) fn check_text(
    stream: &mut Utf8Stream,
    bytes: &[u8],
    first: bool,
    last: bool,
) -> Result<(), Violation> {
    if first && last {
        return utf8::validate(bytes)
            .map(drop)
            .map_err(|_| Violation::NotUtf8);
    }
    let fed = stream.feed(bytes);
    check_end(stream, fed, last)
}

/// Ends a text with its last piece.
fn check_end(
    stream: &mut Utf8Stream,
    fed: Result<(), InvalidUtf8>,
    last: bool,
) -> Result<(), Violation> {
    let ended = match last {
        true => fed.and_then(|()| stream.finish()),
        false => fed,
    };
    ended.map_err(|_| Violation::NotUtf8)
}

fn admit_mask(role: Role, masked: bool) -> Result<(), Violation> {
    match (role.requires_mask(), masked) {
        //= WS-070
        (true, false) => Err(Violation::Unmasked),
        //= WS-072
        (false, true) => Err(Violation::Masked),
        _ => Ok(()),
    }
}

/// The payload of a control frame and where it ends, once all of it is there.
fn control_payload(
    header: FrameHeader,
    header_bytes: usize,
    at: usize,
    input: &mut [u8],
) -> Option<(usize, &mut [u8])> {
    let start = at + header_bytes;
    // At most 125: the header would not have been decoded otherwise.
    let end = start + usize::try_from(header.payload_len).ok()?;
    let payload = input.get_mut(start..end)?;
    if let Some(key) = header.mask {
        mask::apply(key, payload);
    }
    Some((end, payload))
}
