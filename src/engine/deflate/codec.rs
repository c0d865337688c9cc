//! permessage-deflate in use on one connection.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use crate::engine::compress::Compress;
use crate::engine::deflate::config::DeflateConfig;
use crate::engine::deflate::deflater::Deflater;
use crate::engine::deflate::inflater::Inflater;
use crate::engine::deflate::parameters::Parameters;
use crate::engine::deflate::pool::Pool;
use crate::engine::extension::{Expanded, Extension};
use crate::engine::part::Part;
use crate::engine::prepared::Prepared;
use crate::engine::violation::Violation;
use crate::wire::list::ExtensionOffer;

/// What was agreed for one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) window_bits: u8,
    pub(crate) keeps_context: bool,
}

/// Both directions of one connection.
#[derive(Debug)]
pub(crate) struct Deflate {
    inflater: Inflater,
    deflater: Deflater,
    threshold_bytes: usize,
    agreed: Parameters,
    pool: Arc<Pool>,
}

impl Deflate {
    pub(crate) fn boxed(
        config: DeflateConfig,
        pool: &Arc<Pool>,
        agreed: Parameters,
        send: Direction,
        receive: Direction,
    ) -> Box<dyn Extension> {
        let (bits, keeps, pool) = (receive.window_bits, receive.keeps_context, Arc::clone(pool));
        let inflater = Inflater::new(bits, keeps, config.ratio_max, Arc::clone(&pool));
        let (bits, keeps) = (send.window_bits, send.keeps_context);
        Box::new(Self {
            inflater,
            deflater: Deflater::new(bits, keeps, config.level, Arc::clone(&pool)),
            threshold_bytes: config.threshold_bytes,
            agreed,
            pool,
        })
    }

    /// Whether the first part of a message should be compressed, so far as is known by then. A
    /// message in several parts is taken for a long one.
    fn wants(&self, part: Part<'_>) -> bool {
        match part.compress {
            Compress::Never => false,
            Compress::Always => true,
            Compress::Auto => !part.last || part.bytes.len() >= self.threshold_bytes,
        }
    }
}

impl Extension for Deflate {
    //= PD-025
    fn expand(
        &mut self,
        input: &[u8],
        last: bool,
        output: &mut [u8],
    ) -> Result<Expanded, Violation> {
        self.inflater.expand(input, last, output)
    }

    //= PD-019
    //= PD-020
    fn reduce(&mut self, part: Part<'_>, output: &mut Vec<u8>) -> bool {
        (!part.first || self.wants(part)) && self.deflater.reduce(part, output)
    }

    /// A message that was compressed from an empty window can be read in any window of the
    /// agreed size. It moves the receiver's window on, so ours begins anew behind it.
    fn reduce_prepared(&mut self, message: &Prepared) -> Option<Bytes> {
        let part = Part::whole(message.kind(), message.payload(), message.compress());
        if !self.wants(part) {
            return None;
        }
        let deflater = &self.deflater;
        let frames = message.coded(deflater.setting(), |output| {
            deflater.reduce_alone(part, output)
        })?;
        self.deflater.forget();
        Some(frames)
    }

    fn rest(&mut self) {
        self.inflater.rest();
        self.deflater.rest();
        self.pool.clear();
    }

    fn agreed(&self) -> Option<ExtensionOffer> {
        self.agreed.to_offer()
    }
}
