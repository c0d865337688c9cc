//! Connections that are open when a person comes into a feed or leaves it.

use alloc::vec;

use crate::announce::announcement::FeedKey;
use crate::announce::service::Service;
use crate::announce::service::topics;

impl Service {
    /// Has the open connections of a person hear of a feed from now on, or no more.
    pub(crate) async fn follow(&self, namespace: &str, user: &str, feed: &FeedKey, hears: bool) {
        for presence in self.clients().snapshot() {
            if !presence.is_of(namespace, user) {
                continue;
            }
            let (member, dialect) = (presence.member, presence.dialect);
            if hears {
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
