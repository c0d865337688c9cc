//! One connection that speaks `announce.v1`: from text to what has to be done.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::{Caller, Identity};
use crate::announce::code::Code;
use crate::announce::desk::{Actor, Denied, Desk, Draft, SEND_SCOPE};
use crate::announce::event::Event;
use crate::announce::fields::Fault;
use crate::announce::native::reply;
use crate::announce::native::request::{Ask, Request};
use crate::announce::outcome::{Audience, Outcome, Push, Reply, RoomAct, Welcome};
use crate::announce::store::ReadMark;
use crate::announce::token::Claims;

/// Handles one text message of the connection `caller` at the time `now`.
///
/// An announcement is committed to the disk before its acknowledgement is returned.
///
/// # Cancel safety
///
/// `caller` stays sound; a request that the store has accepted is carried out nevertheless.
pub async fn handle(desk: &Desk, caller: &mut Caller, text: &str, now: SystemTime) -> Outcome {
    let request = match Request::parse(text) {
        Ok(request) => request,
        Err(fault) => return malformed(caller, &fault, None),
    };
    let id = request.id.as_deref();
    let ask = match request.ask {
        Ok(ask) => ask,
        Err(fault) => return malformed(caller, &fault, id),
    };
    caller.was_well_formed();
    let done = match ask {
        Ask::Sign {
            token,
            namespace,
            since,
        } => match desk.verify(token.as_str(), now) {
            Ok(claims) => sign(desk, caller, claims, namespace.as_deref(), since, id),
            Err(error) => {
                let outcome = refuse(caller, id);
                return Outcome {
                    refused: Some(error),
                    ..outcome
                };
            }
        },
        Ask::Refresh { token } => match desk.verify(token.as_str(), now) {
            Ok(claims) => refresh(caller, claims, id),
            Err(error) => {
                let outcome = refuse(caller, id);
                return Outcome {
                    refused: Some(error),
                    ..outcome
                };
            }
        },
        other => match caller.identity() {
            //= A67
            None => Err(Denied::new(Code::NotSignedIn, "sign in first")),
            Some(identity) => carry_out(desk, identity, other, id, now).await,
        },
    };
    done.unwrap_or_else(|denied| Outcome::text(reply::denied(&denied, id)))
}

async fn carry_out(
    desk: &Desk,
    identity: &Identity,
    ask: Ask,
    id: Option<&str>,
    now: SystemTime,
) -> Result<Outcome, Denied> {
    let actor = Actor::from(identity);
    match ask {
        Ask::Publish { draft, dry_run } => publish(desk, actor, draft, dry_run, id, now).await,
        Ask::Edit {
            id: announcement,
            body,
            expected,
            again,
        } => {
            let edited = desk
                .edit(actor, &announcement, &body, expected, again, now)
                .await?;
            Ok(Outcome::text(reply::changed("edited", &edited, id)))
        }
        Ask::Recall { id: announcement } => {
            let recalled = desk.recall(actor, &announcement, now).await?;
            Ok(Outcome::text(reply::changed("recalled", &recalled, id)))
        }
        Ask::Delivered { feed, up_to } => {
            desk.delivered(identity, &feed, up_to, now).await?;
            // Nobody waits for a word on what has arrived, unless it was asked for.
            Ok(id.map_or_else(Outcome::default, |id| {
                Outcome::text(reply::done("delivered", id))
            }))
        }
        Ask::Read { feed, mark } => read(desk, identity, &feed, mark, id, now).await,
        Ask::Acknowledge {
            id: announcement,
            version,
        } => {
            let done = desk
                .acknowledge(identity, &announcement, version, now)
                .await?;
            Ok(Outcome::text(reply::acknowledged(&announcement, &done, id)))
        }
        Ask::Unread { limit, after } => {
            let page = desk.unread(identity, after, limit, now).await?;
            Ok(Outcome::text(reply::page(&page, id)))
        }
        Ask::Room { room, verb } => Ok(Outcome {
            room: Some(RoomAct {
                room,
                what: verb,
                reply_to: id.map(str::to_owned),
            }),
            ..Outcome::default()
        }),
        Ask::Relay { to, event, payload } => relay(identity, &to, &event, &payload, id),
        Ask::Sign { .. } | Ask::Refresh { .. } => Ok(Outcome::default()),
    }
}

async fn publish(
    desk: &Desk,
    actor: Actor<'_>,
    draft: Draft,
    dry_run: bool,
    id: Option<&str>,
    now: SystemTime,
) -> Result<Outcome, Denied> {
    let audience = desk.audience(actor, &draft).await?;
    let id = id.map(str::to_owned);
    if dry_run {
        return Ok(Outcome::text(reply::dry_run(audience, id.as_deref())));
    }
    let published = desk.publish(actor, draft, now).await?;
    let finish =
        Box::new(move |online| reply::published(&published, audience, online, id.as_deref()));
    Ok(Outcome::reply(Reply::Online(finish)))
}

async fn read(
    desk: &Desk,
    identity: &Identity,
    feed: &FeedKey,
    mark: ReadMark,
    id: Option<&str>,
    now: SystemTime,
) -> Result<Outcome, Denied> {
    let state = desk.mark_read(identity, feed, mark.clone(), now).await?;
    let mut outcome = Outcome::text(reply::read_state(feed, &mark, &state, id));
    outcome.pushes = Push::read(identity, feed, mark, state)
        .into_iter()
        .collect();
    Ok(outcome)
}

fn relay(
    identity: &Identity,
    to: &[String],
    event: &str,
    payload: &str,
    id: Option<&str>,
) -> Result<Outcome, Denied> {
    let mut outcome = Outcome {
        pushes: relayed(identity, to, event, payload)?,
        ..Outcome::default()
    };
    if let Some(id) = id {
        outcome
            .replies
            .push(Reply::Text(reply::done("relayed", id)));
    }
    Ok(outcome)
}

/// What has to be pushed so that something reaches all connections of some people.
pub(crate) fn relayed(
    identity: &Identity,
    to: &[String],
    event: &str,
    payload: &str,
) -> Result<Vec<Push>, Denied> {
    //= C22
    //= C25
    if !identity.claims.allows(SEND_SCOPE) {
        return Err(Denied::scope(SEND_SCOPE));
    }
    let feeds: Option<Vec<_>> = to.iter().map(|user| FeedKey::user(user)).collect();
    let feeds =
        feeds.ok_or_else(|| Denied::new(Code::WrongType, "a name in `to` is no person's"))?;
    let push = |feed| Push {
        audience: Audience {
            namespace: identity.namespace.clone(),
            feed,
            except_sender: false,
        },
        event: Event::Relayed {
            from: identity.user().to_owned(),
            event: event.to_owned(),
            payload: payload.to_owned(),
        },
    };
    Ok(feeds.into_iter().map(push).collect())
}

/// Gives the connection to the person of the token.
fn sign(
    desk: &Desk,
    caller: &mut Caller,
    claims: Claims,
    namespace: Option<&str>,
    since: Vec<(FeedKey, crate::announce::outcome::Position)>,
    id: Option<&str>,
) -> Result<Outcome, Denied> {
    if caller.identity().is_some() {
        let message = "the connection is signed in; refresh its token instead";
        return Err(Denied::new(Code::Conflict, message));
    }
    match desk.identify_caller(caller, claims, namespace) {
        Ok(identity) => caller.sign_in(identity),
        Err(denied) if denied.code == Code::Forbidden => {
            let text = reply::error(denied.code, &denied.message, id);
            return Ok(Outcome::text(text).closing(4403, "forbidden"));
        }
        Err(denied) => return Err(denied),
    }
    let identity = caller.identity().cloned();
    Ok(Outcome {
        signed_in: identity.map(|identity| Welcome {
            identity,
            since,
            reply_to: id.map(str::to_owned),
        }),
        ..Outcome::default()
    })
}

/// Prolongs the stay of the person of the token, and no other's.
fn refresh(caller: &mut Caller, claims: Claims, id: Option<&str>) -> Result<Outcome, Denied> {
    let Some(identity) = caller.identity() else {
        return Err(Denied::new(Code::NotSignedIn, "sign in first"));
    };
    //= AU-21
    let same =
        claims.user() == identity.user() && claims.namespaces().contains(&identity.namespace);
    if !same {
        let message = "the token is not that of the person who has signed in";
        let text = reply::error(Code::Forbidden, message, id);
        return Ok(Outcome::text(text).closing(4403, "forbidden"));
    }
    caller.refresh(claims);
    let until = caller.expires_at();
    Ok(Outcome {
        refreshed: true,
        ..Outcome::text(reply::refreshed(until, id))
    })
}

fn refuse(caller: &mut Caller, id: Option<&str>) -> Outcome {
    let outcome = Outcome::text(reply::token_refused(id));
    if caller.is_refused_too_often() {
        return outcome.closing(4401, "authentication failed; come back with a new token");
    }
    outcome
}

fn malformed(caller: &mut Caller, fault: &Fault, id: Option<&str>) -> Outcome {
    let outcome = Outcome::text(reply::error(fault.code, &fault.message, id));
    if caller.is_malformed_too_often() {
        return outcome.closing(4400, "too many malformed messages");
    }
    outcome
}
