//! What a client has missed in one feed, read from the store page by page.

use alloc::string::String;
use alloc::vec::Vec;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Identity;
use crate::announce::dialect::Dialect;
use crate::announce::event::Event;
use crate::announce::native;
use crate::announce::outcome::Position;
use crate::announce::service::announcer::write;
use crate::announce::store::Store;

/// How many entries are read at once.
const PAGE: usize = 64;

/// What a client has missed in one feed: everything after its position, up to where deliveries
/// begin.
#[derive(Debug)]
pub(crate) struct Replay {
    feed: FeedKey,
    from: Position,
    up_to: u64,
    is_done: bool,
}

impl Replay {
    /// Everything after `from`, up to and with `up_to`, of a feed whose life is `epoch`; `None`
    /// if there is nothing. A position in another life, or beyond what there is, stands for the
    /// beginning.
    pub(crate) fn new(feed: FeedKey, from: Position, up_to: u64, epoch: &str) -> Option<Self> {
        let is_foreign = from.epoch.as_deref().is_some_and(|it| it != epoch);
        let replay = Self {
            is_done: from.offset == up_to && !is_foreign,
            feed,
            from,
            up_to,
        };
        (!replay.is_done).then_some(replay)
    }

    /// Reads the next entries, as the dialect writes them.
    pub(crate) async fn page(
        &mut self,
        store: &Store,
        identity: &Identity,
        dialect: Dialect,
    ) -> Vec<String> {
        let Identity { namespace, .. } = identity;
        let epoch = self.from.epoch.take();
        let read = store
            .since(
                namespace,
                identity.user(),
                &self.feed,
                self.from.offset,
                epoch.as_deref(),
                PAGE,
            )
            .await;
        let since = match read {
            Ok(since) => since,
            Err(error) => {
                // What is missing is still unread, and the client sees the hole in the offsets.
                tracing::error!(%error, "what a client has missed cannot be read");
                self.is_done = true;
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        if since.gap && dialect == Dialect::Native {
            texts.push(native::gap(&self.feed, self.from.offset, &since.epoch));
        }
        for entry in since.entries {
            // What lies beyond is delivered.
            if entry.offset > self.up_to {
                self.is_done = true;
                break;
            }
            self.from.offset = entry.offset;
            texts.extend(write(dialect, &Event::Released(entry.into())));
        }
        self.is_done |= since.complete || self.from.offset == self.up_to;
        texts
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.is_done
    }
}
