//! The two ends of a connection that have agreed on compression.

use framewire::engine::deflate::{DeflateAnswer, DeflateConfig, DeflateOffer};
use framewire::engine::{Answer, Connection, Offer, Role};

use crate::ends::open;

/// A client's and a server's end.
pub(crate) fn agreed(config: DeflateConfig) -> (Connection, Connection) {
    let offer = Box::new(DeflateOffer::new(config));
    let answer = DeflateAnswer::new(config);
    let (agreed, theirs) = answer.answer(&offer.offers()).expect("what is offered");
    let ours = offer.accept(&agreed).expect("what was answered");
    let client = open(Role::Client).with_extension(ours);
    (client, open(Role::Server).with_extension(theirs))
}
