//! Frame headers (RFC 6455 §5.2): 2 to 14 bytes.

use core::fmt;

use crate::wire::mask::MaskKey;
use crate::wire::opcode::Opcode;

/// The longest header: two bytes, eight of length, four of masking key.
pub const HEADER_BYTES_MAX: usize = 14;

/// The most payload that a control frame may carry, in bytes (RFC 6455 §5.5).
pub const CONTROL_PAYLOAD_MAX: usize = 125;

/// The three reserved bits of a frame, as they stand in its first byte (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reserved(u8);

impl Reserved {
    /// No reserved bit: what a frame bears when no extension is in use.
    pub const NONE: Self = Self(0);
    /// RSV1, which RFC 7692 gives to permessage-deflate.
    pub const RSV1: Self = Self(0x40);

    /// Takes the reserved bits out of the first byte of a frame.
    pub const fn from_first_byte(byte: u8) -> Self {
        Self(byte & 0x70)
    }

    /// The bits in their places: 0x40 for RSV1, 0x20 for RSV2, 0x10 for RSV3.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether no bit is set.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether every bit that is set here is set in `other` as well.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

/// The header of one frame, before its payload.
///
/// The length is the payload's alone, without header and masking key (RFC 6455 §5.2). It is what
/// the peer declared: compare it with a limit before anything is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are those of RFC 6455 §5.2"
)]
pub struct FrameHeader {
    /// Whether this is the last fragment of its message.
    pub fin: bool,
    /// The reserved bits.
    pub reserved: Reserved,
    /// What the frame carries.
    pub opcode: Opcode,
    /// The masking key, when the frame is masked (§5.3).
    pub mask: Option<MaskKey>,
    /// Bytes of payload that follow the header.
    pub payload_len: u64,
}

/// What [`FrameHeader::decode`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a header is there or it is not")]
pub enum Decoded {
    /// A whole header, and how many bytes it took.
    Header(FrameHeader, usize),
    /// The header is not complete: at least so many more bytes are needed.
    NeedMore(usize),
}

/// Why bytes cannot be the beginning of a frame (RFC 6455 §5.2, §5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MalformedHeader {
    /// An opcode that is reserved: 3 to 7, 11 to 15.
    ReservedOpcode(u8),
    /// A control frame without the FIN bit.
    FragmentedControl,
    /// A control frame that declares more than 125 bytes.
    LongControl,
    /// A length that would have fitted a shorter form.
    LengthNotMinimal,
    /// A 64-bit length with its most significant bit set.
    LengthTopBit,
}

impl fmt::Display for MalformedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedOpcode(opcode) => write!(f, "opcode {opcode:#x} is reserved"),
            Self::FragmentedControl => f.write_str("a control frame is fragmented"),
            Self::LongControl => f.write_str("a control frame declares more than 125 bytes"),
            Self::LengthNotMinimal => f.write_str("the length is not in its shortest form"),
            Self::LengthTopBit => f.write_str("the top bit of a 64-bit length is set"),
        }
    }
}

impl core::error::Error for MalformedHeader {}

impl FrameHeader {
    /// Decodes the header at the beginning of `input`.
    ///
    /// A header that can no longer become valid is refused at the first byte that shows it, so
    /// an incomplete `input` may already be an error.
    ///
    /// # Errors
    ///
    /// [`MalformedHeader`], each of which fails a connection with 1002.
    //= WS-122
    pub fn decode(input: &[u8]) -> Result<Decoded, MalformedHeader> {
        let [first, rest @ ..] = input else {
            return Ok(Decoded::NeedMore(2));
        };
        let fin = first & 0x80 != 0;
        let opcode = Opcode::from_low_bits(*first)
            .ok_or_else(|| MalformedHeader::ReservedOpcode(first & 0x0f))?;
        //= WS-088
        //= WS-099
        if opcode.is_control() && !fin {
            return Err(MalformedHeader::FragmentedControl);
        }
        let [second, rest @ ..] = rest else {
            return Ok(Decoded::NeedMore(1));
        };
        let len7 = second & 0x7f;
        //= WS-098
        if opcode.is_control() && usize::from(len7) > CONTROL_PAYLOAD_MAX {
            return Err(MalformedHeader::LongControl);
        }
        let Length::Is(payload_len, length_bytes) = decode_length(len7, rest)? else {
            return Ok(Decoded::NeedMore(missing(input, len7, *second)));
        };
        let rest = &rest[length_bytes..];
        let (mask, mask_bytes) = match (second & 0x80 != 0, rest) {
            (false, _) => (None, 0),
            (true, [a, b, c, d, ..]) => (Some(MaskKey::new([*a, *b, *c, *d])), 4),
            (true, _) => return Ok(Decoded::NeedMore(4 - rest.len())),
        };
        let header = Self {
            fin,
            reserved: Reserved::from_first_byte(*first),
            opcode,
            mask,
            payload_len,
        };
        Ok(Decoded::Header(header, 2 + length_bytes + mask_bytes))
    }

    /// Encodes the header in its shortest form (RFC 6455 §5.2).
    //= WS-078
    //= WS-079
    //= WS-086
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each arm bounds the length it writes"
    )]
    pub fn encode(&self) -> EncodedHeader {
        let mut bytes = [0; HEADER_BYTES_MAX];
        bytes[0] = u8::from(self.fin) << 7 | self.reserved.bits() | self.opcode as u8;
        let mask_bit = u8::from(self.mask.is_some()) << 7;
        let mut len = match self.payload_len {
            short @ 0..=125 => {
                bytes[1] = mask_bit | short as u8;
                2
            }
            medium @ 126..=0xffff => {
                bytes[1] = mask_bit | 126;
                bytes[2..4].copy_from_slice(&(medium as u16).to_be_bytes());
                4
            }
            long => {
                bytes[1] = mask_bit | 127;
                bytes[2..10].copy_from_slice(&long.to_be_bytes());
                10
            }
        };
        //= WS-081
        if let Some(key) = self.mask {
            bytes[len..len + 4].copy_from_slice(&key.bytes());
            len += 4;
        }
        EncodedHeader {
            bytes,
            len: len as u8,
        }
    }
}

/// A header in its bytes; see [`FrameHeader::encode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedHeader {
    bytes: [u8; HEADER_BYTES_MAX],
    len: u8,
}

impl EncodedHeader {
    /// The 2 to 14 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

enum Length {
    Is(u64, usize),
    Incomplete,
}

/// Reads the length that `len7` announces from the bytes behind it.
//= WS-077
fn decode_length(len7: u8, rest: &[u8]) -> Result<Length, MalformedHeader> {
    match (len7, rest) {
        (0..=125, _) => Ok(Length::Is(u64::from(len7), 0)),
        (126, [a, b, ..]) => match u16::from_be_bytes([*a, *b]) {
            //= WS-078
            0..=125 => Err(MalformedHeader::LengthNotMinimal),
            len => Ok(Length::Is(u64::from(len), 2)),
        },
        (126, _) => Ok(Length::Incomplete),
        (_, [top, ..]) if top & 0x80 != 0 => Err(MalformedHeader::LengthTopBit),
        (_, [a, b, c, d, e, f, g, h, ..]) => {
            match u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) {
                0..=0xffff => Err(MalformedHeader::LengthNotMinimal),
                len => Ok(Length::Is(len, 8)),
            }
        }
        // Six leading zero bytes leave at most 65,535: too small for this form, whatever follows.
        (_, [0, 0, 0, 0, 0, 0, ..]) => Err(MalformedHeader::LengthNotMinimal),
        (_, _) => Ok(Length::Incomplete),
    }
}

/// How many bytes an incomplete header still lacks.
fn missing(input: &[u8], len7: u8, second: u8) -> usize {
    let length_bytes = if len7 == 126 { 2 } else { 8 };
    let mask_bytes = if second & 0x80 != 0 { 4 } else { 0 };
    2 + length_bytes + mask_bytes - input.len()
}
