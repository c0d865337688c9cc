//! What an extension is to a connection (RFC 6455 §9).
//!
//! One extension may be in use, and it may recode the payload of messages. A message that it has
//! recoded bears RSV1 on its first frame (RFC 7692 §6). Negotiation belongs to the handshakes:
//! a client offers through [`Offer`], a server answers through [`Answer`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::engine::event::Kind;
use crate::engine::violation::Violation;
use crate::wire::list::ExtensionOffer;

/// An extension in use on one connection.
pub trait Extension: fmt::Debug + Send {
    /// Undoes the coding of the next piece of a message that bears RSV1.
    ///
    /// Appends to `output` at most `room` bytes; `last` says that the message ends with `input`.
    /// What is appended may lag behind what was given, until `last`.
    ///
    /// # Errors
    ///
    /// The violation that fails the connection: [`Violation::MessageTooBig`] where `room` does
    /// not suffice, [`Violation::ExtensionData`] where `input` cannot be read.
    fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        room: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), Violation>;

    /// Codes a whole message that is to be sent, and appends it to `output`.
    ///
    /// Returns `false` for a message that is better sent as it is; `output` is then ignored.
    fn reduce(&mut self, kind: Kind, message: &[u8], output: &mut Vec<u8>) -> bool;
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
