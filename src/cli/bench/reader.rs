//! A server's frames, taken apart as far as a load generator needs it: nothing is kept or copied.

use alloc::vec::Vec;

use crate::cli::bench::fault::Fault;
use crate::net::entropy;
use crate::wire::close::CloseReason;
use crate::wire::header::{Decoded, FrameHeader, HEADER_BYTES_MAX, Reserved};
use crate::wire::mask::{self, MaskKey};
use crate::wire::opcode::Opcode;

/// Who is told of messages.
pub(crate) trait Hearer {
    /// Bytes have come just now.
    fn arrived(&mut self) {}

    /// A piece of a message, `at` bytes from its beginning; never empty.
    fn piece(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault>;

    /// A message of so many bytes is whole.
    fn whole(&mut self, opcode: Opcode, bytes: u64) -> Result<(), Fault>;
}

/// Where one connection is in its stream.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// The beginning of a header whose rest has not come.
    partial: [u8; HEADER_BYTES_MAX],
    partial_bytes: usize,
    /// The frame whose payload is coming, and how much of it is still to come.
    frame: Option<(FrameHeader, u64)>,
    /// What the message is whose fragments are coming, and how much of it has come.
    message: Option<Opcode>,
    at: u64,
    /// The payload of a control frame, as far as it has come.
    control: Vec<u8>,
}

impl Reader {
    /// Takes what has come. What is to be answered, a ping, is appended to `answers`.
    #[inline]
    pub(crate) fn feed<H: Hearer>(
        &mut self,
        mut bytes: &[u8],
        hearer: &mut H,
        answers: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let (header, left) = match self.frame.take() {
                Some(frame) => frame,
                None => match self.header(&mut bytes)? {
                    Some(header) => (header, header.payload_len),
                    None => return Ok(()),
                },
            };
            let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
            let (piece, rest) = bytes.split_at(here);
            bytes = rest;
            let left = left - here as u64;
            if header.opcode.is_control() {
                self.control.extend_from_slice(piece);
                if left == 0 {
                    self.controlled(header.opcode, answers)?;
                }
            } else {
                if !piece.is_empty() {
                    hearer.piece(self.at, piece)?;
                    self.at += here as u64;
                }
                if left == 0 && header.fin {
                    let opcode = self.message.take().unwrap_or(header.opcode);
                    hearer.whole(opcode, core::mem::take(&mut self.at))?;
                }
            }
            if left > 0 {
                self.frame = Some((header, left));
            }
        }
        Ok(())
    }

    /// Reads a header, or keeps what there is of it.
    #[inline]
    fn header(&mut self, bytes: &mut &[u8]) -> Result<Option<FrameHeader>, Fault> {
        if self.partial_bytes > 0 {
            return self.rest_of_header(bytes);
        }
        match FrameHeader::decode(bytes).map_err(|_| Fault::Malformed)? {
            Decoded::Header(header, taken) => {
                *bytes = &bytes[taken..];
                self.begun(header).map(Some)
            }
            Decoded::NeedMore(_) => {
                self.partial[..bytes.len()].copy_from_slice(bytes);
                self.partial_bytes = bytes.len();
                *bytes = &[];
                Ok(None)
            }
        }
    }

    #[cold]
    fn rest_of_header(&mut self, bytes: &mut &[u8]) -> Result<Option<FrameHeader>, Fault> {
        while let Some((first, rest)) = bytes.split_first() {
            self.partial[self.partial_bytes] = *first;
            self.partial_bytes += 1;
            *bytes = rest;
            let partial = &self.partial[..self.partial_bytes];
            match FrameHeader::decode(partial).map_err(|_| Fault::Malformed)? {
                Decoded::Header(header, _) => {
                    self.partial_bytes = 0;
                    return self.begun(header).map(Some);
                }
                Decoded::NeedMore(_) => {}
            }
        }
        Ok(None)
    }

    /// Checks that the frame may stand here.
    #[inline]
    fn begun(&mut self, header: FrameHeader) -> Result<FrameHeader, Fault> {
        if header.mask.is_some() || !header.reserved.is_none() {
            return Err(Fault::Malformed);
        }
        match (header.opcode, self.message) {
            (Opcode::Continuation, None) | (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(Fault::Malformed);
            }
            (Opcode::Text | Opcode::Binary, None) if !header.fin => {
                self.message = Some(header.opcode);
            }
            _ => {}
        }
        Ok(header)
    }

    #[cold]
    fn controlled(&mut self, opcode: Opcode, answers: &mut Vec<u8>) -> Result<(), Fault> {
        let payload = core::mem::take(&mut self.control);
        match opcode {
            Opcode::Ping => control(Opcode::Pong, &payload, answers),
            Opcode::Close => {
                let reason = CloseReason::decode(&payload).map_err(|_| Fault::Malformed)?;
                return Err(Fault::Closed(reason.code().map(|code| code.get())));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Appends a control frame.
pub(crate) fn control(opcode: Opcode, payload: &[u8], target: &mut Vec<u8>) {
    // A key that could not be drawn is no reason to leave a ping without an answer.
    let [a, b, c, d, ..] = entropy::seed().unwrap_or_default();
    let key = MaskKey::new([a, b, c, d]);
    let header = FrameHeader {
        fin: true,
        reserved: Reserved::NONE,
        opcode,
        mask: Some(key),
        payload_len: payload.len() as u64,
    };
    target.extend_from_slice(header.encode().as_bytes());
    let at = target.len();
    target.extend_from_slice(payload);
    mask::apply(key, &mut target[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;

    #[derive(Default)]
    struct Heard {
        now: Vec<u8>,
        messages: Vec<(Opcode, String)>,
    }

    impl Hearer for Heard {
        fn piece(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
            assert_eq!(at, self.now.len() as u64);
            assert!(!bytes.is_empty());
            self.now.extend_from_slice(bytes);
            Ok(())
        }

        fn whole(&mut self, opcode: Opcode, bytes: u64) -> Result<(), Fault> {
            assert_eq!(bytes, self.now.len() as u64);
            let text = String::from_utf8(core::mem::take(&mut self.now)).unwrap();
            self.messages.push((opcode, text));
            Ok(())
        }
    }

    /// What is heard of a stream that comes in pieces of `step` bytes.
    fn heard(stream: &[u8], step: usize) -> (Heard, Vec<u8>, Result<(), Fault>) {
        let (mut heard, mut answers, mut reader) =
            (Heard::default(), Vec::new(), Reader::default());
        let mut pieces = stream.chunks(step);
        let ended = pieces.try_for_each(|piece| reader.feed(piece, &mut heard, &mut answers));
        (heard, answers, ended)
    }

    #[test]
    fn messages_are_heard_however_their_bytes_come() {
        let long = "x".repeat(300);
        let mut stream = vec![0x81, 2, b'h', b'i', 0x82, 0, 0x01, 1, b'a', 0x89, 1, b'?'];
        stream.extend([0x00, 0, 0x80, 2, b'b', b'c', 0x82, 126, 1, 44]);
        stream.extend(long.as_bytes());
        for step in 1..stream.len() {
            let (heard, answers, ended) = heard(&stream, step);
            assert_eq!(ended, Ok(()));
            let expected = [
                (Opcode::Text, "hi".into()),
                (Opcode::Binary, "".into()),
                (Opcode::Text, "abc".into()),
                (Opcode::Binary, long.clone()),
            ];
            assert_eq!(heard.messages, expected, "in steps of {step}");
            assert_eq!(answers[..2], [0x8a, 0x81], "a pong, masked");
            assert_eq!(answers[6] ^ answers[2], b'?');
        }
    }

    #[test]
    fn what_a_server_may_not_send_is_malformed() {
        for stream in [
            &[0x82, 0x80, 1, 2, 3, 4][..],
            &[0xc2, 0],
            &[0x80, 0],
            &[0x02, 0, 0x82, 0],
            &[0x83, 0],
            &[0x88, 1, 3],
        ] {
            assert_eq!(heard(stream, 2).2, Err(Fault::Malformed), "{stream:?}");
        }
    }

    #[test]
    fn a_close_is_told_with_its_code() {
        let closed = |stream| heard(stream, 1).2;
        assert_eq!(closed(&[0x88, 2, 3, 233]), Err(Fault::Closed(Some(1001))));
        assert_eq!(closed(&[0x88, 0]), Err(Fault::Closed(None)));
    }
}
