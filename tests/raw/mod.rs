//! Frames (RFC 6455 §5.2) written and read by hand: this is the other side of every test, so it
//! uses nothing of the library.

/// A frame; the payload is kept unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// FIN, the reserved bits and the opcode.
    pub(crate) first: u8,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(first: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            first,
            mask: None,
            payload: payload.as_ref().to_vec(),
        }
    }

    /// The same frame under the masking key of the examples in RFC 6455 §5.7.
    pub(crate) fn masked(self) -> Self {
        Self {
            mask: Some([0x37, 0xfa, 0x21, 0x3d]),
            ..self
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mask_bit = if self.mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![self.first];
        match self.payload.len() {
            len @ 0..=125 => bytes.push(mask_bit | u8::try_from(len).expect("7 bits")),
            len @ 126..=65_535 => {
                bytes.push(mask_bit | 126);
                bytes.extend(u16::try_from(len).expect("16 bits").to_be_bytes());
            }
            len => {
                bytes.push(mask_bit | 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        bytes.extend(self.mask.iter().flatten());
        bytes.extend(unmasked(self.mask, &self.payload));
        bytes
    }
}

/// All frames of a stream that must end where a frame ends, with lengths in their shortest form.
pub(crate) fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (frame, taken) = frame(rest).unwrap_or_else(|| panic!("no whole frame: {rest:02x?}"));
        assert_eq!(
            frame.to_bytes(),
            &rest[..taken],
            "a length not in its shortest form"
        );
        frames.push(frame);
        rest = &rest[taken..];
    }
    frames
}

/// The frame that stands at the front of `bytes`, and how many of them it takes.
fn frame(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (len, rest) = match second & 0x7f {
        126 => rest
            .split_first_chunk()
            .map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest))?,
        127 => rest
            .split_first_chunk()
            .map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
        len => (u64::from(len), rest),
    };
    let (mask, rest) = if second & 0x80 == 0 {
        (None, rest)
    } else {
        rest.split_first_chunk()
            .map(|(key, rest)| (Some(*key), rest))?
    };
    let len = usize::try_from(len).ok()?;
    let payload = rest.get(..len)?;
    let frame = Frame {
        first,
        mask,
        payload: unmasked(mask, payload),
    };
    Some((frame, bytes.len() - rest.len() + len))
}

/// Masking and unmasking are the same.
fn unmasked(mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    for four in bytes.chunks_mut(4).filter(|_| mask.is_some()) {
        for (byte, key) in four.iter_mut().zip(mask.unwrap_or_default()) {
            *byte ^= key;
        }
    }
    bytes
}
