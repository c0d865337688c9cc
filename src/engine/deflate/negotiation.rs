//! Agreeing on permessage-deflate (RFC 7692 §5, §7.1).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::engine::deflate::codec::{Deflate, Direction};
use crate::engine::deflate::config::DeflateConfig;
use crate::engine::deflate::parameters::{NAME, Parameters, WindowBits};
use crate::engine::deflate::pool::Pool;
use crate::engine::extension::{Answer, Extension, Offer};
use crate::wire::list::ExtensionOffer;

/// A server that agrees to permessage-deflate.
///
/// Connections that have agreed with one of these, or a clone of it, share the memory that they
/// compress with where no context is kept.
#[derive(Clone, Debug, Default)]
pub struct DeflateAnswer {
    config: DeflateConfig,
    pool: Arc<Pool>,
}

impl DeflateAnswer {
    /// Agrees within what `config` wants.
    pub fn new(config: DeflateConfig) -> Self {
        Self {
            config,
            pool: Arc::default(),
        }
    }

    /// What to answer to one offer.
    //= PD-006
    //= PD-036
    //= PD-043
    //= PD-046
    //= PD-047
    fn agree(&self, offered: Parameters) -> Parameters {
        let config = &self.config;
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
        let extension = Deflate::boxed(self.config, &self.pool, agreed, send, receive);
        Some((agreed.to_offer()?, extension))
    }
}

/// A client that asks for permessage-deflate.
///
/// Clones share memory as those of a [`DeflateAnswer`] do.
#[derive(Clone, Debug, Default)]
pub struct DeflateOffer {
    config: DeflateConfig,
    pool: Arc<Pool>,
}

impl DeflateOffer {
    /// Asks for what `config` wants.
    pub fn new(config: DeflateConfig) -> Self {
        Self {
            config,
            pool: Arc::default(),
        }
    }

    //= PD-004
    fn wanted(&self) -> Parameters {
        let config = &self.config;
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
    //= PD-016 type=exception reason=such an answer fails the handshake: no Close yet
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
            window_bits: told(agreed.client_max_window_bits).min(self.config.send_window_bits),
            keeps_context: !agreed.client_no_context_takeover && self.config.send_keeps_context,
        };
        let receive = Direction {
            window_bits: agreed.server_max_window_bits.unwrap_or(15),
            keeps_context: !agreed.server_no_context_takeover,
        };
        Some(Deflate::boxed(
            self.config,
            &self.pool,
            agreed,
            send,
            receive,
        ))
    }
}

/// The size that the client is told to keep to: the largest, where it is told none.
fn told(bits: Option<WindowBits>) -> u8 {
    match bits {
        Some(WindowBits::Bits(bits)) => bits,
        Some(WindowBits::Any) | None => 15,
    }
}
