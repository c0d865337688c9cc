//! How a connection that has signed in comes to hear of its feeds.

use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::announcement::Unread;
use crate::announce::dialect::Dialect;
use crate::announce::outcome::{Standing, Welcome};
use crate::announce::service::bus_talk;
use crate::announce::service::closing::reason;
use crate::announce::service::connection::Connection;
use crate::announce::service::replay::Replay;
use crate::announce::service::topics;
use crate::announce::{intent, native};
use crate::wire::close::CloseReason;

/// Adds a connection to those of its person, and queues the answer to its signing in. A reason
/// to close comes back where that is the end of it.
//= A42
//= A48
pub(crate) async fn enter(connection: &mut Connection, welcome: &Welcome) -> Option<CloseReason> {
    let identity = &welcome.identity;
    let namespace = identity.namespace.as_str();
    //= AU-31
    connection.presence.set_identity(identity.clone());
    connection
        .member
        .set_user(&topics::user(namespace, identity.user()));
    connection.service.close_surplus(namespace, identity.user());
    // Whatever was revoked before the connection could be found by its person is seen here.
    let now = SystemTime::now();
    if connection.service.desk().is_revoked(identity, now) {
        return Some(reason(4401, "the token has been revoked"));
    }
    if connection.dialect == Dialect::Gateway {
        if let Some(id) = &welcome.reply_to {
            let signed = native::signed(identity, &[], &Unread::default(), Some(id));
            connection.answers.push_back(signed);
        }
        return bus_talk::enter(connection, identity);
    }
    let entered = match connection.service.desk().enter(identity, now).await {
        Ok(entered) => entered,
        Err(denied) => {
            let reply_to = welcome.reply_to.as_deref();
            connection.answers.push_back(match connection.dialect {
                Dialect::Native => native::error(denied.code, &denied.message, reply_to),
                _ => intent::denied(&denied, reply_to),
            });
            return Some(reason(1011, "signing in failed; try again later"));
        }
    };
    let feeds: Vec<_> = entered.feeds.iter().map(|it| it.feed.clone()).collect();
    let member = connection.member.id();
    let tops = connection
        .service
        .announcer()
        .enter(member, connection.dialect, namespace, feeds)
        .await;
    let Some(tops) = tops else {
        return Some(reason(1001, "the server stops"));
    };
    let heard = entered.feeds.iter().map(|it| it.feed.clone());
    let heard = heard.zip(tops.iter().copied()).collect();
    connection.presence.set_feeds(heard);
    let mut standings = Vec::with_capacity(tops.len());
    for (state, top) in entered.feeds.into_iter().zip(tops) {
        let position = welcome.since.iter().find(|(feed, _)| *feed == state.feed);
        let recovered = position.map(|(_, position)| {
            let same = position.epoch.as_deref().is_none_or(|it| it == state.epoch);
            same && position.offset >= state.floor && position.offset <= top
        });
        if let Some((feed, position)) = position {
            connection
                .replays
                .extend(Replay::new(feed.clone(), position.clone(), top));
        }
        standings.push(Standing {
            feed: state.feed,
            offset: top,
            epoch: state.epoch,
            recovered,
        });
    }
    // Counted now, so that whatever came until then is among it, and whatever comes is delivered.
    let store = connection.service.desk().store();
    let counted = store.counts(namespace, identity.user(), now).await;
    let unread = counted.unwrap_or(entered.unread);
    let reply_to = welcome.reply_to.as_deref();
    connection.answers.push_back(match connection.dialect {
        Dialect::Native => native::signed(identity, &standings, &unread, reply_to),
        _ => intent::signed(identity, &standings, &unread, reply_to),
    });
    connection.was_refreshed();
    None
}
