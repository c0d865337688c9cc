//! Compressors and decompressors that belong to no connection.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zlib_rs::{Deflate, Inflate};

/// How many of each kind are kept for the next message.
const KEPT_MAX: usize = 8;
/// The window of the decompressors that are kept: the one size that they can be reset to.
const INFLATE_BITS: u8 = 15;

/// Lends what a message is compressed and decompressed with, where no context is kept: to all
/// connections that have agreed with one [`DeflateAnswer`](super::DeflateAnswer) or
/// [`DeflateOffer`](super::DeflateOffer) and its clones.
#[derive(Default)]
pub(crate) struct Pool {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// With their window bits and level.
    deflates: Vec<(u8, u8, Box<Deflate>)>,
    #[expect(clippy::vec_box, reason = "a connection holds it in its box")]
    inflates: Vec<Box<Inflate>>,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A compressor with an empty window.
    pub(crate) fn take_deflate(&self, bits: u8, level: u8) -> Box<Deflate> {
        let mut kept = self.lock();
        let found = kept
            .deflates
            .iter()
            .position(|it| (it.0, it.1) == (bits, level));
        if let Some(at) = found {
            return kept.deflates.swap_remove(at).2;
        }
        drop(kept);
        Box::new(Deflate::new(i32::from(level), false, bits))
    }

    /// Takes a compressor back, whatever state it is in.
    pub(crate) fn give_deflate(&self, bits: u8, level: u8, mut deflate: Box<Deflate>) {
        deflate.reset();
        let mut kept = self.lock();
        if kept.deflates.len() < KEPT_MAX {
            kept.deflates.push((bits, level, deflate));
        }
    }

    /// A decompressor with an empty window.
    pub(crate) fn take_inflate(&self, bits: u8) -> Box<Inflate> {
        let kept = match bits {
            INFLATE_BITS => self.lock().inflates.pop(),
            _ => None,
        };
        kept.unwrap_or_else(|| Box::new(Inflate::new(false, bits)))
    }

    /// Takes a decompressor back, whatever state it is in.
    pub(crate) fn give_inflate(&self, bits: u8, mut inflate: Box<Inflate>) {
        if bits != INFLATE_BITS {
            return;
        }
        inflate.reset(false);
        let mut kept = self.lock();
        if kept.inflates.len() < KEPT_MAX {
            kept.inflates.push(inflate);
        }
    }

    /// Gives up what is kept.
    pub(crate) fn clear(&self) {
        let kept = core::mem::take(&mut *self.lock());
        drop(kept);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
