//! How many messages have come, told by the number of bytes alone.

use std::cell::RefCell;
use std::rc::Rc;

use crate::floor::decoder::{encode, parse, unmask};

/// At least so many bytes are written at once where so many are due.
const PATTERN_BYTES: usize = 64 << 10;

/// One answer, repeated.
pub struct Pattern {
    pub bytes: Vec<u8>,
    /// How long one answer is.
    pub frame: usize,
}

/// Counts the messages of a connection, all of which have the size of the first.
#[derive(Default)]
pub struct Gauge {
    /// The first message, until it is whole.
    first: Vec<u8>,
    /// How long a message is on its way here, when that is known.
    frame: usize,
    /// How much has come of the next one.
    have: usize,
    pub pattern: Option<Rc<Pattern>>,
}

/// What some bytes have brought.
pub enum Taken {
    /// So many messages are whole.
    Messages(usize),
    /// The client closes.
    Close,
}

impl Gauge {
    pub fn take(&mut self, bytes: &[u8]) -> Taken {
        if self.have == 0 && bytes.first().is_some_and(|byte| byte & 0x0f == 8) {
            return Taken::Close;
        }
        if self.frame == 0 && !self.learn(bytes) {
            self.have = self.first.len();
            return Taken::Messages(0);
        }
        let have = self.have + bytes.len();
        self.have = have % self.frame;
        Taken::Messages(have / self.frame)
    }

    /// Reads the first message: its size, and what is answered. The bytes of it that came before
    /// count as had.
    fn learn(&mut self, bytes: &[u8]) -> bool {
        self.have = self.first.len();
        self.first.extend_from_slice(bytes);
        let Some(header) = parse(&self.first) else {
            return false;
        };
        let Some(masked) = self.first.get(header.header..header.frame()) else {
            return false;
        };
        let mut payload = masked.to_vec();
        unmask(&mut payload, header.key);
        let mut answer = Vec::new();
        encode(header.first, &payload, &mut answer);
        self.frame = header.frame();
        self.pattern = Some(shared(answer));
        self.first = Vec::new();
        true
    }
}

/// The pattern of this answer, which the connections of a thread share.
fn shared(answer: Vec<u8>) -> Rc<Pattern> {
    thread_local! {
        static LAST: RefCell<Option<Rc<Pattern>>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some(last) if last.bytes[..last.frame] == answer => Rc::clone(last),
        _ => {
            let frame = answer.len();
            let bytes = answer.repeat(PATTERN_BYTES.div_ceil(frame));
            Rc::clone(last.insert(Rc::new(Pattern { bytes, frame })))
        }
    })
}
