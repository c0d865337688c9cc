//! What other servers of the same store have done, carried out for the connections of this one.
//!
//! What they have released comes by way of the announcing task.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::{Instant, SystemTime};

use crate::announce::desk::{Denied, failed};
use crate::announce::outcome::Push;
use crate::announce::service::closing::reason;
use crate::announce::service::house::Service;
use crate::announce::service::topics;
use crate::announce::store::{News, ReadState};

/// How long it may take until what others have done is looked for: nothing tells a process of
/// the commits of another, so time has to.
const NAP: Duration = Duration::from_millis(100);

/// How long what was told is kept for servers that are slow to hear of it.
const KEPT: Duration = Duration::from_secs(300);

/// How often what was told is forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

impl Service {
    /// Heeds what other servers of the store do; ends at once where it is not shared.
    //= A77
    //= AU-22
    pub(crate) async fn heed_neighbours(self) {
        let desk = Arc::clone(self.desk());
        let store = desk.store();
        let mut heard = store.shared_from();
        let mut forgotten = Instant::now();
        while let Some(after) = heard {
            match store.news_since(after).await {
                Ok(told) => {
                    let heeded = match told.is_torn {
                        true => self.start_over().await,
                        false => Ok(()),
                    };
                    let heeded = match heeded {
                        Ok(()) => self.heed(told.news).await,
                        failed => failed,
                    };
                    // What failed is tried again with the next look.
                    if heeded.is_ok() {
                        heard = Some(told.upto);
                        if !told.is_all {
                            continue;
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "what other servers did cannot be read"),
            }
            if forgotten.elapsed() >= FORGET_INTERVAL {
                forgotten = Instant::now();
                if let Err(error) = store.forget_news(KEPT).await {
                    tracing::error!(%error, "what was told cannot be forgotten");
                }
            }
            tokio::time::sleep(NAP).await;
        }
    }

    async fn heed(&self, news: Vec<News>) -> Result<(), Denied> {
        let now = SystemTime::now();
        // All that are in force are read at once.
        if news.contains(&News::Revoked) {
            self.desk().remember_revocations(now).await?;
        }
        for one in news {
            match one {
                News::Revoked => {}
                News::Member {
                    namespace,
                    user,
                    feed,
                    hears,
                } => self.follow(&namespace, &user, &feed, hears).await,
                News::Read {
                    namespace,
                    user,
                    feed,
                    mark,
                    newly_read,
                } => {
                    let key = topics::user(&namespace, &user);
                    if self.hub().members_of_user(&key).is_empty() {
                        continue;
                    }
                    let counted = self.desk().store().counts(&namespace, &user, now).await;
                    let unread = counted.map_err(|error| failed(&error))?;
                    let state = ReadState { unread, newly_read };
                    if let Some(push) = Push::read_by(&namespace, &user, &feed, mark, state) {
                        self.push(&push, None);
                    }
                }
            }
        }
        Ok(())
    }

    /// For a server that was stopped for so long that what it was told is gone: it learns what
    /// is in force, and has its clients come again, who find out what else they have missed.
    async fn start_over(&self) -> Result<(), Denied> {
        self.desk().remember_revocations(SystemTime::now()).await?;
        let millis = self.next_return().as_millis();
        let gone = reason(1012, &format!("restart; retry_ms={millis}"));
        let count = self.disconnect(&gone, |_| true);
        tracing::warn!(
            count,
            "connections closed: this server had stopped for too long"
        );
        Ok(())
    }
}
