//! One connection that speaks the intent dialect: from text to what has to be done.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use std::time::SystemTime;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::{Caller, Identity};
use crate::announce::code::Code;
use crate::announce::desk::{Actor, Denied, Desk, Draft};
use crate::announce::fields::Fault;
use crate::announce::intent::reply::{
    self, Acknowledgement, BAD_TOKEN, NO_TOKEN, USER_MISMATCH, acknowledged, read_state,
    unread_page,
};
use crate::announce::intent::request::{Context, INTENTS, Intent, Reject, Request, RequestId};
use crate::announce::outcome::{Outcome, Push, Reply, Welcome};
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
        Err(Reject::NoToken) => {
            caller.was_well_formed();
            return refuse(caller, NO_TOKEN);
        }
        Err(Reject::Fault(fault)) => return malformed(caller, &fault, &Context::default()),
    };
    //= A46
    //= A50
    let claims = match desk.verify(request.credential.as_str(), now) {
        Ok(claims) => claims,
        Err(error) => {
            caller.was_well_formed();
            let outcome = refuse(caller, BAD_TOKEN);
            return Outcome {
                refused: Some(error),
                ..outcome
            };
        }
    };
    match &request.intent {
        Err(fault) => malformed(caller, fault, &request.context),
        Ok(wanted) => {
            caller.was_well_formed();
            let wanted = wanted.clone();
            carry_out(desk, caller, &request, wanted, claims, now).await
        }
    }
}

async fn carry_out(
    desk: &Desk,
    caller: &mut Caller,
    request: &Request,
    wanted: Intent,
    claims: Claims,
    now: SystemTime,
) -> Outcome {
    let wanted = match wanted {
        Intent::Sign { user, since } => {
            let outcome = sign(desk, caller, request, user.as_deref(), claims);
            let signed_in = outcome.signed_in.map(|it| Welcome { since, ..it });
            return Outcome {
                signed_in,
                ..outcome
            };
        }
        Intent::Unknown(_) => {
            //= A69
            let known = INTENTS.join(", ");
            let message = alloc::format!("known intents: {known}");
            return error(Code::UnknownIntent, &message, request);
        }
        other => other,
    };
    let identity = match admit(caller, request, &claims) {
        Ok(identity) => identity,
        Err(denied) => return refused(&denied, request),
    };
    // Each message acts by the token that it carries.
    let actor = Actor {
        namespace: &identity.namespace,
        claims: &claims,
    };
    let done = match wanted {
        Intent::Announce(draft) => publish(desk, actor, request, draft, now).await,
        Intent::MarkAsRead { group, mark } => {
            mark_read(desk, identity, request, &group, mark, now).await
        }
        Intent::GetUnread { limit, after } => {
            let page = desk.unread(identity, after, limit, now).await;
            page.map(|page| Outcome::text(unread_page(&page, request.context.id.as_ref())))
        }
        Intent::Acknowledge { id, version } => {
            let done = desk.acknowledge(identity, &id, version, now).await;
            done.map(|done| Outcome::text(acknowledged(&id, &done, &request.context)))
        }
        Intent::Sign { .. } | Intent::Unknown(_) => Ok(Outcome::default()),
    };
    done.unwrap_or_else(|denied| refused(&denied, request))
}

async fn publish(
    desk: &Desk,
    actor: Actor<'_>,
    request: &Request,
    draft: Draft,
    now: SystemTime,
) -> Result<Outcome, Denied> {
    let published = desk.publish(actor, draft, now).await?;
    let acknowledgement = Acknowledgement::new(published, request.context.id.clone());
    let finish = Box::new(move |online| acknowledgement.text(online));
    Ok(Outcome::reply(Reply::Online(finish)))
}

async fn mark_read(
    desk: &Desk,
    identity: &Identity,
    request: &Request,
    feed: &FeedKey,
    mark: ReadMark,
    now: SystemTime,
) -> Result<Outcome, Denied> {
    let state = desk.mark_read(identity, feed, mark.clone(), now).await?;
    let id = request.context.id.as_ref();
    let mut outcome = Outcome::text(read_state(feed, &mark, &state, id));
    outcome.pushes = Push::read(identity, feed, mark, state)
        .into_iter()
        .collect();
    Ok(outcome)
}

/// Gives the connection to the person of the token, or prolongs that person's stay.
fn sign(
    desk: &Desk,
    caller: &mut Caller,
    request: &Request,
    believed: Option<&str>,
    claims: Claims,
) -> Outcome {
    //= A52
    if believed.is_some_and(|user| user != claims.user()) {
        let reply = Outcome::text(USER_MISMATCH.to_owned());
        return reply.closing(4403, "UserID does not match token");
    }
    if let Some(identity) = caller.identity() {
        if claims.user() != identity.user() || !fits(&identity.namespace, request, &claims) {
            let message = "the connection keeps whom and where it has signed in";
            return error(Code::Forbidden, message, request).closing(4403, "forbidden");
        }
        caller.refresh(claims);
    } else {
        match desk.identify_caller(caller, claims, request.namespace.as_deref()) {
            Ok(identity) => caller.sign_in(identity),
            Err(denied) if denied.code == Code::Forbidden => {
                return refused(&denied, request).closing(4403, "forbidden");
            }
            Err(denied) => return refused(&denied, request),
        }
    }
    let identity = caller.identity().cloned();
    let reply_to = request.context.id.as_ref().map(RequestId::as_json);
    let welcome = identity.map(|identity| Welcome {
        identity,
        since: alloc::vec::Vec::new(),
        reply_to: reply_to.map(str::to_owned),
    });
    Outcome {
        signed_in: welcome,
        ..Outcome::default()
    }
}

/// Lets a message pass whose connection is signed in and whose token is the same person's.
fn admit<'c>(
    caller: &'c Caller,
    request: &Request,
    claims: &Claims,
) -> Result<&'c Identity, Denied> {
    //= A67
    let Some(identity) = caller.identity() else {
        return Err(Denied::new(Code::NotSignedIn, "send the intent Sign first"));
    };
    //= A46
    if claims.user() != identity.user() {
        let message = "the token is not that of the person who has signed in";
        return Err(Denied::new(Code::Forbidden, message));
    }
    if !fits(&identity.namespace, request, claims) {
        let message = "the token or the message is for another namespace";
        return Err(Denied::new(Code::Forbidden, message));
    }
    Ok(identity)
}

/// Whether a message and its token are for this namespace.
fn fits(namespace: &str, request: &Request, claims: &Claims) -> bool {
    let asked = request
        .namespace
        .as_deref()
        .is_none_or(|asked| asked == namespace);
    asked && claims.namespaces().iter().any(|name| name == namespace)
}

fn refuse(caller: &mut Caller, answer: &str) -> Outcome {
    let outcome = Outcome::text(answer.to_owned());
    //= A82
    if caller.is_refused_too_often() {
        return outcome.closing(4401, "authentication failed; come back with a new token");
    }
    outcome
}

fn malformed(caller: &mut Caller, fault: &Fault, context: &Context) -> Outcome {
    let outcome = Outcome::text(reply::error(fault.code, &fault.message, context));
    //= A43
    if caller.is_malformed_too_often() {
        return outcome.closing(4400, "too many malformed messages");
    }
    outcome
}

/// The text for what may not be done.
pub(crate) fn denied(denied: &Denied, request_id: Option<&str>) -> String {
    reply::denied(
        denied,
        &Context {
            name: None,
            id: request_id.map(RequestId::echo),
        },
    )
}

fn refused(denied: &Denied, request: &Request) -> Outcome {
    Outcome::text(reply::denied(denied, &request.context))
}

fn error(code: Code, message: &str, request: &Request) -> Outcome {
    Outcome::text(reply::error(code, message, &request.context))
}
