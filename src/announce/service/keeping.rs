//! What the server does by itself, in its own time.

use alloc::vec::Vec;
use core::time::Duration;
use std::time::SystemTime;

use crate::announce::service::closing::reason;
use crate::announce::service::house::Service;

/// How late a release may be whose time was not known.
const RELEASE_NAP: Duration = Duration::from_secs(1);

/// How often what is not needed any more is forgotten.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);

/// How often what was sent is noted.
const SENT_INTERVAL: Duration = Duration::from_secs(1);

impl Service {
    /// Releases announcements whose time has come.
    pub(crate) async fn release(self) {
        let store = self.desk().store();
        loop {
            let now = SystemTime::now();
            let is_due = match store.next_release().await {
                Ok(next) => next.is_some_and(|at| at <= now),
                Err(_) => false,
            };
            if is_due && let Err(error) = store.release_due(now).await {
                tracing::error!(%error, "what is due cannot be released");
                tokio::time::sleep(RELEASE_NAP).await;
            }
            store.until_due(RELEASE_NAP).await;
        }
    }

    /// Notes what has been written to sockets, for the ledger: everything that was released
    /// before a connection had nothing left to send.
    pub(crate) async fn note_sent(self) {
        loop {
            tokio::time::sleep(SENT_INTERVAL).await;
            let mut news = Vec::new();
            for presence in self.clients().snapshot() {
                // The order counts: what is released after the tops were read may still wait.
                let sent = presence.newly_sent(|namespace, feed| {
                    let top = self.announcer().top(namespace, feed);
                    if self.hub().waiting(presence.member) == 0 {
                        top
                    } else {
                        0
                    }
                });
                news.extend(sent);
            }
            if !news.is_empty()
                && let Err(error) = self
                    .desk()
                    .store()
                    .note_all_sent(news, SystemTime::now())
                    .await
            {
                tracing::error!(%error, "what was sent cannot be noted");
            }
        }
    }

    /// Closes what has been revoked.
    //= A56
    //= D14
    //= AU-22
    pub(crate) async fn watch_revocations(self) {
        let mut revoked = self.desk().verifier().revocations().listen();
        loop {
            let now = SystemTime::now();
            let gone = reason(4401, "the token has been revoked");
            let count = self.disconnect(&gone, |presence| {
                let identity = presence.identity();
                identity.is_some_and(|identity| self.desk().is_revoked(&identity, now))
            });
            if count > 0 {
                tracing::info!(count, "connections closed: their tokens were revoked");
            }
            revoked.changed().await;
        }
    }

    pub(crate) async fn tidy(self) {
        loop {
            tokio::time::sleep(TIDY_INTERVAL).await;
            self.tidy_refusals();
            self.desk().tidy();
        }
    }
}
