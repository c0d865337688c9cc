//! What an extension is to a connection (RFC 6455 §9).
//!
//! One extension may be in use, and it may recode the payload of messages. A message that it has
//! recoded bears RSV1 on its first frame (RFC 7692 §6). Negotiation belongs to the handshakes:
//! a client offers through [`Offer`], a server answers through [`Answer`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

use crate::engine::part::Part;
use crate::engine::prepared::Prepared;
use crate::engine::violation::Violation;
use crate::wire::list::ExtensionOffer;

/// An extension in use on one connection.
//= WS-163 type=exception reason=one extension is in use at most, so there is no order
pub trait Extension: fmt::Debug + Send {
    /// Undoes the coding of the next piece of a message that bears RSV1.
    ///
    /// Takes from the front of `input` and writes to the front of `output`, which has room for a
    /// byte at least. What that holds before may be what other connections received: it is not to
    /// be read, nor to be counted as [`given`](Expanded::given). It is called again, with the rest
    /// of `input` and other room, until it says that it is [`done`](Expanded::done). `last` says
    /// that the message ends with `input`.
    ///
    /// # Errors
    ///
    /// The violation that fails the connection: [`Violation::ExtensionData`] where `input` cannot
    /// be read, [`Violation::MessageTooBig`] where it grows beyond all proportion.
    fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        output: &mut [u8],
    ) -> Result<Expanded, Violation>;

    /// Codes a message, or the next part of one, that is to be sent, and appends it to `output`.
    ///
    /// Returns `false` for a message that is better sent as it is; `output` is then ignored. It
    /// is asked so for the first part only: the parts that follow are coded as the first was, and
    /// `false` means for them that the coding has failed and the message cannot go on.
    fn reduce(&mut self, part: Part<'_>, output: &mut Vec<u8>) -> bool;

    /// The frames of a prepared message in this coding, unmasked and the same for every
    /// connection that codes alike; `None` for a message that is better sent as it is.
    ///
    /// When it returns frames, they will be sent.
    fn reduce_prepared(&mut self, message: &Prepared) -> Option<Bytes> {
        let _ = message;
        None
    }

    /// Gives up the memory that can be had again: nothing has passed for a while.
    fn rest(&mut self) {}

    /// What the two ends have agreed on, as it stands in the header of the handshake.
    fn agreed(&self) -> Option<ExtensionOffer> {
        None
    }
}

/// How far [`Extension::expand`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "whoever writes an extension makes it"
)]
pub struct Expanded {
    /// How many bytes from the front of the input are done with.
    pub taken: usize,
    /// How many bytes at the front of the output have been written.
    pub given: usize,
    /// Whether everything that the input means has been written.
    pub done: bool,
}

/// A client's side of agreeing on an extension.
pub trait Offer: fmt::Debug + Send {
    /// What to ask for, the most wanted first.
    fn offers(&self) -> Vec<ExtensionOffer>;

    /// Takes the server's answer, which names an extension that was offered.
    ///
    /// `None` means that the answer does not agree with the offer: the handshake fails.
    fn accept(self: Box<Self>, answer: &ExtensionOffer) -> Option<Box<dyn Extension>>;
}

/// A server's side of agreeing on an extension.
pub trait Answer: fmt::Debug + Send + Sync {
    /// Chooses from the client's offers, in the client's order.
    ///
    /// Returns what to answer and the extension itself, or `None` to decline them all.
    fn answer(&self, offers: &[ExtensionOffer]) -> Option<(ExtensionOffer, Box<dyn Extension>)>;
}
