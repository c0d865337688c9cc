//! A peer that writes and reads frames by hand.
//!
//! It uses nothing of the library, so that a mistake there cannot hide behind the same mistake
//! here. Nothing keeps it from breaking the protocol.

/// The key of the examples in RFC 6455 §5.7.
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const RSV2: u8 = 0x20;
pub(crate) const RSV3: u8 = 0x10;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// The form in which a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LengthForm {
    /// In seven bits.
    Short,
    /// In sixteen bits.
    Medium,
    /// In sixty-four bits.
    Long,
}

/// One end of a connection, as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawPeer {
    /// The key with which this end masks, if it does.
    pub(crate) key: Option<[u8; 4]>,
}

impl RawPeer {
    /// A client.
    pub(crate) const MASKING: Self = Self { key: Some(KEY) };
    /// A server.
    pub(crate) const PLAIN: Self = Self { key: None };

    /// A header with any first byte that declares `len` in any form, whatever fits.
    pub(crate) fn header_as(self, first: u8, form: LengthForm, len: u64) -> Vec<u8> {
        let mask_bit = if self.key.is_some() { 0x80 } else { 0 };
        let eight = len.to_be_bytes();
        let mut bytes = vec![first];
        match form {
            LengthForm::Short => bytes.push(mask_bit | eight[7]),
            LengthForm::Medium => bytes.extend([mask_bit | 126, eight[6], eight[7]]),
            LengthForm::Long => {
                bytes.push(mask_bit | 127);
                bytes.extend(eight);
            }
        }
        bytes.extend(self.key.iter().flatten());
        bytes
    }

    /// A header that declares `len` in its shortest form.
    pub(crate) fn header(self, first: u8, len: u64) -> Vec<u8> {
        let form = match len {
            0..=125 => LengthForm::Short,
            126..=0xffff => LengthForm::Medium,
            _ => LengthForm::Long,
        };
        self.header_as(first, form, len)
    }

    /// A payload as this end puts it on the wire.
    pub(crate) fn payload(self, payload: &[u8]) -> Vec<u8> {
        let key = self.key.unwrap_or_default();
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect()
    }

    /// A whole frame with any first byte.
    pub(crate) fn frame(self, first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = self.header(first, payload.len() as u64);
        bytes.extend(self.payload(payload));
        bytes
    }

    pub(crate) fn text(self, text: &str) -> Vec<u8> {
        self.frame(FIN | TEXT, text.as_bytes())
    }

    pub(crate) fn binary(self, payload: &[u8]) -> Vec<u8> {
        self.frame(FIN | BINARY, payload)
    }

    pub(crate) fn ping(self, payload: &[u8]) -> Vec<u8> {
        self.frame(FIN | PING, payload)
    }

    pub(crate) fn pong(self, payload: &[u8]) -> Vec<u8> {
        self.frame(FIN | PONG, payload)
    }

    pub(crate) fn close(self, code: u16, reason: &str) -> Vec<u8> {
        self.frame(
            FIN | CLOSE,
            &[&code.to_be_bytes()[..], reason.as_bytes()].concat(),
        )
    }
}

/// A frame as it was read from the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawFrame {
    /// FIN, the reserved bits and the opcode.
    pub(crate) first: u8,
    pub(crate) key: Option<[u8; 4]>,
    /// Without its mask.
    pub(crate) payload: Vec<u8>,
}

/// Reads whole frames in their shortest form, and nothing behind the last one.
pub(crate) fn read_frames(mut bytes: &[u8]) -> Vec<RawFrame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (first, second) = (bytes[0], bytes[1]);
        let (len, mut at) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes([bytes[2], bytes[3]])), 4),
            127 => (
                u64::from_be_bytes(bytes[2..10].try_into().expect("eight bytes")),
                10,
            ),
            short => (u64::from(short), 2),
        };
        let shortest = [2, 4, 10][usize::from(len > 125) + usize::from(len > 0xffff)];
        assert_eq!(
            at, shortest,
            "a length of {len} is not in its shortest form"
        );
        let key = (second & 0x80 != 0).then(|| bytes[at..at + 4].try_into().expect("a key"));
        at += if key.is_some() { 4 } else { 0 };
        let end = at + usize::try_from(len).expect("a length that fits");
        let payload = RawPeer { key }.payload(&bytes[at..end]);
        frames.push(RawFrame {
            first,
            key,
            payload,
        });
        bytes = &bytes[end..];
    }
    frames
}
