//! As much of RFC 6455 as a floor needs: once for a connection, or once for a message that goes
//! to many.

/// The header of a masked frame.
pub struct Header {
    /// The byte with FIN and the opcode.
    pub first: u8,
    pub key: [u8; 4],
    /// How long the header is.
    pub header: usize,
    pub payload: usize,
}

impl Header {
    pub fn frame(&self) -> usize {
        self.header + self.payload
    }
}

/// The header that stands here, when it is whole.
pub fn parse(bytes: &[u8]) -> Option<Header> {
    let (extra, short) = match bytes.get(1)? & 0x7f {
        126 => (2, 0),
        127 => (8, 0),
        short => (0, usize::from(short)),
    };
    let length = bytes.get(2..2 + extra)?.iter();
    let payload = length.fold(short, |all, byte| all << 8 | usize::from(*byte));
    let key = bytes.get(2 + extra..6 + extra)?;
    Some(Header {
        first: bytes[0],
        key: key.try_into().ok()?,
        header: 6 + extra,
        payload,
    })
}

pub fn unmask(payload: &mut [u8], key: [u8; 4]) {
    for four in payload.chunks_mut(4) {
        for (byte, key) in four.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

/// Appends a frame.
pub fn encode(first: u8, payload: &[u8], target: &mut Vec<u8>) {
    target.push(first);
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..126), _) => target.push(short),
        (_, Ok(length)) => {
            target.push(126);
            target.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            target.push(127);
            target.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    target.extend_from_slice(payload);
}

/// Takes whole masked frames, and appends them as a server sends them; whether Close was among
/// them.
pub fn reencode(bytes: &mut Vec<u8>, target: &mut Vec<u8>) -> bool {
    let (mut at, mut is_closed) = (0, false);
    while let Some(header) = parse(&bytes[at..]) {
        let Some(payload) = bytes.get_mut(at + header.header..at + header.frame()) else {
            break;
        };
        unmask(payload, header.key);
        is_closed |= header.first & 0x0f == 8;
        encode(header.first, payload, target);
        at += header.frame();
    }
    bytes.drain(..at);
    is_closed
}
