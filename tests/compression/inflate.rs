//! An inflater that has nothing to do with the engine's, with a window of just the agreed size.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It ends in the four bytes that a sender takes away (RFC 7692 §7.2.1).
    Tail,
    /// A block is marked as the last one. The RFC permits it; this engine never does so.
    LastBlock,
    /// It is not DEFLATE, or reaches back further than the window.
    Data,
}

/// The receiving end of one direction.
pub(crate) struct Inflater {
    state: Box<DecompressorOxide>,
    /// A ring: no distance can be longer than it is.
    window: Vec<u8>,
    at: usize,
    keeps_context: bool,
}

impl Inflater {
    pub(crate) fn new(window_bits: u8, keeps_context: bool) -> Self {
        Self {
            state: Box::default(),
            window: vec![0; 1 << window_bits],
            at: 0,
            keeps_context,
        }
    }

    /// The message that was sent as `payload`.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Result<Vec<u8>, Unreadable> {
        const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
        if payload.ends_with(&TAIL) {
            return Err(Unreadable::Tail);
        }
        let whole = [payload, &TAIL].concat();
        let mut message = Vec::new();
        let mut input = whole.as_slice();
        loop {
            let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
            let (status, taken, given) =
                decompress(&mut self.state, input, &mut self.window, self.at, flags);
            message.extend_from_slice(&self.window[self.at..self.at + given]);
            self.at = (self.at + given) % self.window.len();
            input = &input[taken..];
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => break,
                TINFLStatus::Done => return Err(Unreadable::LastBlock),
                _ => return Err(Unreadable::Data),
            }
        }
        if !self.keeps_context {
            *self = Self::new(self.window.len().ilog2().try_into().unwrap_or(15), false);
        }
        Ok(message)
    }
}

#[test]
fn the_window_is_no_larger_than_agreed() {
    let payload = |distance: u64| {
        let text = format!("fixed [ noise {distance} 1 copy 3 {distance} ] end");
        crate::payload::bytes(&text, 0)
    };
    for bits in 8..=15 {
        let window = 1 << bits;
        assert!(Inflater::new(bits, true).message(&payload(window)).is_ok());
        if bits < 15 {
            for beyond in [window + 1, window + 9, 2 * window] {
                let read = Inflater::new(bits, true).message(&payload(beyond));
                assert_eq!(
                    read,
                    Err(Unreadable::Data),
                    "{bits} bits, distance {beyond}"
                );
            }
        }
    }
}

#[test]
fn a_message_without_context_stands_alone() {
    let hello = crate::payload::bytes("fixed [ \"Hello\" ] end", 0);
    let again = crate::payload::bytes("fixed [ \"H\" copy 4 5 ] end", 0);
    let mut keeps = Inflater::new(15, true);
    assert_eq!(keeps.message(&hello), Ok(b"Hello".to_vec()));
    assert_eq!(keeps.message(&again), Ok(b"Hello".to_vec()));
    let mut forgets = Inflater::new(15, false);
    assert_eq!(forgets.message(&hello), Ok(b"Hello".to_vec()));
    assert_ne!(forgets.message(&again), Ok(b"Hello".to_vec()));
}
