//! Connections that are open when a person comes into a feed or leaves it.

use alloc::vec;

use crate::announce::announcement::FeedKey;
use crate::announce::service::Service;
use crate::announce::service::closing::reason;
use crate::announce::service::topics;

/// Why a stream ends whose reader has left its feed.
const NO_MEMBER: &str = "no longer a member of this feed";

impl Service {
    /// Has the open connections of a person hear of a feed from now on, or no more.
    pub(crate) async fn follow(&self, namespace: &str, user: &str, feed: &FeedKey, hears: bool) {
        for presence in self.clients().snapshot() {
            if !presence.is_of(namespace, user) {
                continue;
            }
            let (member, dialect) = (presence.member, presence.dialect);
            if let Some(read) = &presence.events_of {
                // A stream is of one feed: it hears of no other, and has nothing left without it.
                if !hears && read == feed {
                    self.hub().close(member, &reason(4403, NO_MEMBER));
                }
            } else if hears {
                let feeds = vec![feed.clone()];
                self.announcer()
                    .enter(member, dialect, namespace, feeds)
                    .await;
            } else {
                let topic = topics::feed(dialect, namespace, feed);
                self.hub().unsubscribe(member, &topic);
            }
        }
    }
}
