//! The other end, by hand: frames as bytes, without the engine.

use framewire::engine::Role;

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A frame as it was found on the wire, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn whole(opcode: u8, payload: &[u8]) -> Self {
        Self {
            fin: true,
            opcode,
            payload: payload.to_vec(),
        }
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        Self::whole(CLOSE, &close_body(code, reason))
    }

    /// The code of a Close frame.
    pub(crate) fn code(&self) -> Option<u16> {
        let body = self
            .payload
            .first_chunk::<2>()
            .filter(|_| self.opcode == CLOSE);
        body.map(|code| u16::from_be_bytes(*code))
    }
}

pub(crate) fn close_body(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// The bytes of a whole frame to an end in `role`.
pub(crate) fn frame_to(role: Role, opcode: u8, payload: &[u8]) -> Vec<u8> {
    raw_frame_to(role, 0x80 | opcode, payload)
}

/// The bytes of a frame to an end in `role`, with every bit of its first byte given.
pub(crate) fn raw_frame_to(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = role.requires_mask().then_some([0x1F, 0x2E, 0x3D, 0x4C]);
    let flag = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    let len = (payload.len() as u64).to_be_bytes();
    match payload.len() {
        0..=125 => bytes.push(flag | len[7]),
        126..=0xFFFF => bytes.extend_from_slice(&[flag | 126, len[6], len[7]]),
        _ => {
            bytes.push(flag | 127);
            bytes.extend_from_slice(&len);
        }
    }
    bytes.extend_from_slice(mask.as_ref().map_or(&[], |key| &key[..]));
    let key = mask.unwrap_or([0; 4]);
    bytes.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}

/// The whole frames at the front of `bytes`, which an end in `role` sent, and how long they are.
pub(crate) fn parse_from(role: Role, bytes: &[u8]) -> (Vec<Frame>, usize) {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some((frame, len)) = parse_one(role, &bytes[at..]) {
        frames.push(frame);
        at += len;
    }
    (frames, at)
}

/// The frames that `bytes` are, with nothing left over.
pub(crate) fn frames_from(role: Role, bytes: &[u8]) -> Vec<Frame> {
    let (frames, len) = parse_from(role, bytes);
    assert_eq!(len, bytes.len(), "half a frame behind {frames:?}");
    frames
}

fn parse_one(role: Role, bytes: &[u8]) -> Option<(Frame, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    assert_eq!(first & 0x70, 0, "reserved bits in {first:#x}");
    assert_eq!(second & 0x80 != 0, role.masks(), "masked as {role:?} does");
    let (len, mut at) = match second & 0x7F {
        126 => (u64::from(u16::from_be_bytes(*bytes[2..].first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes[2..].first_chunk()?), 10),
        len => (u64::from(len), 2),
    };
    let key = if role.masks() {
        let key = *bytes.get(at..)?.first_chunk::<4>()?;
        at += 4;
        key
    } else {
        [0; 4]
    };
    let end = at + usize::try_from(len).expect("a length that fits memory");
    let payload = bytes.get(at..end)?;
    let payload = payload
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect();
    let frame = Frame {
        fin: first & 0x80 != 0,
        opcode: first & 0x0F,
        payload,
    };
    Some((frame, end))
}
