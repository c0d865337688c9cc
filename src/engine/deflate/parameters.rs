//! The four parameters (RFC 7692 §7.1), as they stand in a header.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::wire::list::ExtensionOffer;

/// The extension's registered name.
pub(crate) const NAME: &str = "permessage-deflate";

/// What one offer or answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) server_no_context_takeover: bool,
    pub(crate) client_no_context_takeover: bool,
    pub(crate) server_max_window_bits: Option<u8>,
    pub(crate) client_max_window_bits: Option<WindowBits>,
}

/// What `client_max_window_bits` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowBits {
    /// Nothing: the client can be told a size. Only an offer may say so.
    Any,
    /// A size from 8 to 15.
    Bits(u8),
}

impl Parameters {
    /// Reads an offer or answer; `None` for one that is not as RFC 7692 §7.1 says.
    //= PD-027
    //= PD-028
    //= PD-029
    //= PD-035
    //= PD-039
    pub(crate) fn parse(offer: &ExtensionOffer) -> Option<Self> {
        let mut found = Self::default();
        for (name, value) in offer.params() {
            let known = match (name, value) {
                ("server_no_context_takeover", None) => {
                    !core::mem::replace(&mut found.server_no_context_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    !core::mem::replace(&mut found.client_no_context_takeover, true)
                }
                //= PD-041
                ("server_max_window_bits", Some(value)) => {
                    found.server_max_window_bits.replace(bits(value)?).is_none()
                }
                //= PD-045
                ("client_max_window_bits", None) => found
                    .client_max_window_bits
                    .replace(WindowBits::Any)
                    .is_none(),
                ("client_max_window_bits", Some(value)) => {
                    let said = WindowBits::Bits(bits(value)?);
                    found.client_max_window_bits.replace(said).is_none()
                }
                _ => false,
            };
            if !known {
                return None;
            }
        }
        Some(found)
    }

    /// The parameters as an offer or answer.
    pub(crate) fn to_offer(self) -> Option<ExtensionOffer> {
        let mut offer = ExtensionOffer::new(NAME).ok()?;
        if self.server_no_context_takeover {
            offer = offer.with_param("server_no_context_takeover", None).ok()?;
        }
        if self.client_no_context_takeover {
            offer = offer.with_param("client_no_context_takeover", None).ok()?;
        }
        if let Some(bits) = self.server_max_window_bits {
            offer = offer
                .with_param("server_max_window_bits", Some(&number(bits)))
                .ok()?;
        }
        match self.client_max_window_bits {
            None => Some(offer),
            Some(WindowBits::Any) => offer.with_param("client_max_window_bits", None).ok(),
            Some(WindowBits::Bits(bits)) => offer
                .with_param("client_max_window_bits", Some(&number(bits)))
                .ok(),
        }
    }
}

/// A decimal number from 8 to 15 without a leading zero.
//= PD-044
fn bits(value: &str) -> Option<u8> {
    ["8", "9", "10", "11", "12", "13", "14", "15"]
        .iter()
        .zip(8..)
        .find_map(|(text, bits)| (*text == value).then_some(bits))
}

fn number(bits: u8) -> String {
    match bits {
        0..=9 => char::from(b'0' + bits).into(),
        _ => {
            let mut text = "1".to_owned();
            text.push(char::from(b'0' + bits % 10));
            text
        }
    }
}
