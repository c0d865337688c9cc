//! Two engines in memory, one of each role, and a clock that is moved by hand.

use core::time::Duration;

use framewire::engine::{Limits, Role};

use crate::support::chunks::Cut;
use crate::support::receiver::{Receiver, open};

/// A client and a server with nothing but a wire between them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: Receiver,
    pub(crate) server: Receiver,
}

impl Pair {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            client: Receiver::of(open(Role::Client, limits.clone())),
            server: Receiver::of(open(Role::Server, limits.clone())),
        }
    }

    /// The end in `role`, and the other one.
    pub(crate) fn ends(&mut self, role: Role) -> (&mut Receiver, &mut Receiver) {
        match role {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        }
    }

    /// Carries bytes both ways, in pieces of the lengths of `cut`, until neither end has any.
    pub(crate) fn pump(&mut self, cut: &Cut) {
        loop {
            let mut moved = false;
            for role in Role::BOTH {
                let (from, to) = self.ends(role);
                moved |= carry(from, to, cut);
            }
            if !moved {
                return;
            }
        }
    }

    /// Lets time pass for both.
    pub(crate) fn pass(&mut self, time: Duration) {
        for end in [&mut self.client, &mut self.server] {
            end.now = end.now.after(time);
            end.connection.timeout(end.now);
        }
    }
}

/// Takes what one end lends, a piece at a time, as a transport does that is often full.
fn carry(from: &mut Receiver, to: &mut Receiver, cut: &Cut) -> bool {
    let lent: Vec<u8> = from.connection.transmit().flatten().copied().collect();
    for piece in cut.pieces(&lent) {
        // What is lent next begins where the last piece ended, whatever was queued meanwhile.
        let mut wanted = piece.len();
        while wanted > 0 {
            let slice = from.connection.transmit().next().unwrap_or_default();
            let bytes = slice[..wanted.min(slice.len())].to_vec();
            from.connection.transmitted(bytes.len());
            to.receive(&bytes);
            wanted -= bytes.len();
        }
    }
    !lent.is_empty()
}
