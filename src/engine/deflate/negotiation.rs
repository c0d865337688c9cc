//! Agreeing on permessage-deflate (RFC 7692 §5, §7.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::deflate::config::DeflateConfig;
use crate::engine::deflate::deflater::Deflater;
use crate::engine::deflate::inflater::Inflater;
use crate::engine::deflate::parameters::{NAME, Parameters, WindowBits};
use crate::engine::event::Kind;
use crate::engine::extension::{Answer, Extension, Offer};
use crate::engine::violation::Violation;
use crate::wire::list::ExtensionOffer;

/// A server that agrees to permessage-deflate.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeflateAnswer(DeflateConfig);

impl DeflateAnswer {
    /// Agrees within what `config` wants.
    pub const fn new(config: DeflateConfig) -> Self {
        Self(config)
    }

    /// What to answer to one offer.
    //= PD-006
    //= PD-036
    //= PD-043
    //= PD-046
    //= PD-047
    fn agree(&self, offered: Parameters) -> Parameters {
        let config = &self.0;
        let send_bits = offered
            .server_max_window_bits
            .unwrap_or(15)
            .min(config.send_window_bits);
        let receive_bits = match offered.client_max_window_bits {
            // A client that does not say the parameter cannot be told a size.
            None => None,
            Some(WindowBits::Any) => Some(config.receive_window_bits),
            Some(WindowBits::Bits(bits)) => Some(bits.min(config.receive_window_bits)),
        };
        let says_send = offered.server_max_window_bits.is_some() || send_bits < 15;
        Parameters {
            server_no_context_takeover: offered.server_no_context_takeover
                || !config.send_keeps_context,
            client_no_context_takeover: offered.client_no_context_takeover
                || !config.receive_keeps_context,
            server_max_window_bits: says_send.then_some(send_bits),
            client_max_window_bits: receive_bits.filter(|bits| *bits < 15).map(WindowBits::Bits),
        }
    }
}

impl Answer for DeflateAnswer {
    //= PD-003
    //= PD-005
    //= PD-012
    fn answer(&self, offers: &[ExtensionOffer]) -> Option<(ExtensionOffer, Box<dyn Extension>)> {
        let mut ours = offers.iter().filter(|offer| offer.name() == NAME);
        let agreed = self.agree(ours.find_map(Parameters::parse)?);
        let send = Direction {
            window_bits: agreed.server_max_window_bits.unwrap_or(15),
            keeps_context: !agreed.server_no_context_takeover,
        };
        let receive = Direction {
            window_bits: told(agreed.client_max_window_bits),
            keeps_context: !agreed.client_no_context_takeover,
        };
        Some((agreed.to_offer()?, Deflate::boxed(self.0, send, receive)))
    }
}

/// A client that asks for permessage-deflate.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeflateOffer(DeflateConfig);

impl DeflateOffer {
    /// Asks for what `config` wants.
    pub const fn new(config: DeflateConfig) -> Self {
        Self(config)
    }

    //= PD-004
    fn wanted(&self) -> Parameters {
        let config = &self.0;
        Parameters {
            server_no_context_takeover: !config.receive_keeps_context,
            client_no_context_takeover: !config.send_keeps_context,
            server_max_window_bits: Some(config.receive_window_bits).filter(|bits| *bits < 15),
            client_max_window_bits: Some(match config.send_window_bits {
                15 => WindowBits::Any,
                bits => WindowBits::Bits(bits),
            }),
        }
    }
}

impl Offer for DeflateOffer {
    //= PD-002
    fn offers(&self) -> Vec<ExtensionOffer> {
        self.wanted().to_offer().into_iter().collect()
    }

    //= PD-014
    //= PD-031
    //= PD-032
    //= PD-033
    //= PD-034
    //= PD-038
    //= PD-040
    fn accept(self: Box<Self>, answer: &ExtensionOffer) -> Option<Box<dyn Extension>> {
        let wanted = self.wanted();
        let agreed = Parameters::parse(answer)?;
        let fits_ours = match agreed.client_max_window_bits {
            None => true,
            Some(WindowBits::Any) => false,
            Some(WindowBits::Bits(_)) => true,
        };
        let fits_theirs = match (wanted.server_max_window_bits, agreed.server_max_window_bits) {
            (Some(wanted), Some(agreed)) => agreed <= wanted,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if !fits_ours
            || !fits_theirs
            || (wanted.server_no_context_takeover && !agreed.server_no_context_takeover)
        {
            return None;
        }
        let send = Direction {
            window_bits: told(agreed.client_max_window_bits).min(self.0.send_window_bits),
            keeps_context: !agreed.client_no_context_takeover && self.0.send_keeps_context,
        };
        let receive = Direction {
            window_bits: agreed.server_max_window_bits.unwrap_or(15),
            keeps_context: !agreed.server_no_context_takeover,
        };
        Some(Deflate::boxed(self.0, send, receive))
    }
}

/// The size that the client is told to keep to: the largest, where it is told none.
fn told(bits: Option<WindowBits>) -> u8 {
    match bits {
        Some(WindowBits::Bits(bits)) => bits,
        Some(WindowBits::Any) | None => 15,
    }
}

/// What was agreed for one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) window_bits: u8,
    pub(crate) keeps_context: bool,
}

/// permessage-deflate in use.
#[derive(Debug)]
struct Deflate {
    inflater: Inflater,
    deflater: Deflater,
    threshold_bytes: usize,
}

impl Deflate {
    fn boxed(config: DeflateConfig, send: Direction, receive: Direction) -> Box<dyn Extension> {
        Box::new(Self {
            inflater: Inflater::new(receive.window_bits, receive.keeps_context, config.ratio_max),
            deflater: Deflater::new(send.window_bits, send.keeps_context, config.level),
            threshold_bytes: config.threshold_bytes,
        })
    }
}

impl Extension for Deflate {
    //= PD-025
    fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        room: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        self.inflater.expand(input, last, room, output)
    }

    //= PD-019
    //= PD-020
    fn reduce(&mut self, _: Kind, message: &[u8], output: &mut Vec<u8>) -> bool {
        message.len() >= self.threshold_bytes && self.deflater.reduce(message, output)
    }
}
