//! How a connection that has signed in comes to hear of its feeds, and goes on with a newer token.

use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::announcement::{FeedKey, Unread};
use crate::announce::caller::Identity;
use crate::announce::desk::Denied;
use crate::announce::dialect::Dialect;
use crate::announce::outcome::{Standing, Welcome};
use crate::announce::service::bus_talk;
use crate::announce::service::closing::reason;
use crate::announce::service::connection::Connection;
use crate::announce::service::replay::Replay;
use crate::announce::service::topics;
use crate::announce::store::{FeedState, SignedIn};
use crate::announce::{intent, native};
use crate::wire::close::CloseReason;

impl Connection {
    /// Adds the connection to those of its person, and queues the answer to its signing in. A
    /// reason to close comes back where that is the end of it.
    //= A42
    //= A48
    pub(crate) async fn enter(&mut self, welcome: &Welcome) -> Option<CloseReason> {
        let identity = &welcome.identity;
        let namespace = identity.namespace.as_str();
        if self.dialect == Dialect::Gateway {
            return self.enter_bus(welcome);
        }
        let (entered, tops) = match self.subscribe(identity, welcome.reply_to.as_deref()).await {
            Ok(entered) => entered,
            Err(reason) => return Some(reason),
        };
        let mut standings = Vec::with_capacity(tops.len());
        for (state, top) in entered.feeds.into_iter().zip(tops) {
            standings.push(self.stand(welcome, state, top));
        }
        // Counted now, so that whatever came until then is among it, and whatever comes is
        // delivered.
        let store = self.service.desk().store();
        let counted = store.counts(namespace, identity.user(), SystemTime::now());
        let unread = counted.await.unwrap_or(entered.unread);
        let reply_to = welcome.reply_to.as_deref();
        self.answers.push_back(match self.dialect {
            Dialect::Native => native::signed(identity, &standings, &unread, reply_to),
            _ => intent::signed(identity, &standings, &unread, reply_to),
        });
        self.was_refreshed();
        None
    }

    /// Goes by the newer token of the same person: what it gives is heard from now on, and what
    /// it does not give any more is not.
    //= AU-23
    pub(crate) async fn refresh(&mut self) -> Option<CloseReason> {
        let identity = self.caller.identity()?.clone();
        self.was_refreshed();
        self.subscribe(&identity, None).await.err()
    }

    /// Adds the connection to those of its person, and tells the event bus of it.
    fn enter_bus(&mut self, welcome: &Welcome) -> Option<CloseReason> {
        let identity = &welcome.identity;
        if let Err(reason) = self.belong(identity, SystemTime::now()) {
            return Some(reason);
        }
        if let Some(id) = &welcome.reply_to {
            let signed = native::signed(identity, &[], &Unread::default(), Some(id));
            self.answers.push_back(signed);
        }
        bus_talk::enter(self, identity)
    }

    /// Where the connection stands in a feed; what it has missed there is put in line.
    fn stand(&mut self, welcome: &Welcome, state: FeedState, top: u64) -> Standing {
        let position = welcome.since.iter().find(|(feed, _)| *feed == state.feed);
        let recovered = position.map(|(_, position)| {
            let same = position.epoch.as_deref().is_none_or(|it| it == state.epoch);
            same && position.offset >= state.floor && position.offset <= top
        });
        if let Some((feed, position)) = position {
            let replay = Replay::new(feed.clone(), position.clone(), top, &state.epoch);
            self.replays.extend(replay);
        }
        Standing {
            feed: state.feed,
            offset: top,
            epoch: state.epoch,
            recovered,
        }
    }

    /// Has the connection hear of the feeds of its person, and of no others. Says up to where
    /// each had been released by then.
    async fn subscribe(
        &mut self,
        identity: &Identity,
        reply_to: Option<&str>,
    ) -> Result<(SignedIn, Vec<u64>), CloseReason> {
        let namespace = identity.namespace.as_str();
        let now = SystemTime::now();
        self.belong(identity, now)?;
        let entered = self.service.desk().enter(identity, now).await;
        let mut entered = entered.map_err(|denied| self.not_entered(&denied, reply_to))?;
        let mut feeds: Vec<_> = entered.feeds.iter().map(|it| it.feed.clone()).collect();
        // The feed of the person may come into being only with its first announcement.
        let own = FeedKey::user(identity.user()).filter(|own| !feeds.contains(own));
        feeds.extend(own.clone());
        let before = core::mem::replace(&mut self.feeds, feeds.clone());
        for feed in before.iter().filter(|feed| !feeds.contains(feed)) {
            self.member
                .unsubscribe(&topics::feed(self.dialect, namespace, feed));
        }
        let member = self.member.id();
        let entering =
            self.service
                .announcer()
                .enter(member, self.dialect, namespace, feeds.clone());
        let Some(tops) = entering.await else {
            return Err(reason(1001, "the server stops"));
        };
        // It came into being just now, before it could be heard of: what it holds is missed like
        // anything else.
        if let (Some(own), Some(1..)) = (own, tops.get(entered.feeds.len()))
            && let Ok(again) = self.service.desk().enter(identity, now).await
        {
            let state = again.feeds.into_iter().find(|state| state.feed == own);
            entered.feeds.extend(state);
        }
        let heard = feeds.into_iter().zip(tops.iter().copied());
        self.presence.set_feeds(heard.collect());
        Ok((entered, tops))
    }

    /// Makes the connection one of its person's.
    //= AU-31
    fn belong(&mut self, identity: &Identity, now: SystemTime) -> Result<(), CloseReason> {
        let namespace = identity.namespace.as_str();
        self.presence.set_identity(identity.clone());
        let user = topics::user(namespace, identity.user());
        self.member.set_user(&user);
        self.service.close_surplus(namespace, identity.user());
        // Whatever was revoked before the connection could be found by its person is seen here.
        if self.service.desk().is_revoked(identity, now) {
            return Err(reason(4401, "the token has been revoked"));
        }
        Ok(())
    }

    fn not_entered(&mut self, denied: &Denied, reply_to: Option<&str>) -> CloseReason {
        self.answers.push_back(match self.dialect {
            Dialect::Native => native::error(denied.code, &denied.message, reply_to),
            _ => intent::denied(denied, reply_to),
        });
        reason(1011, "signing in failed; try again later")
    }
}
