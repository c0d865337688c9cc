//! The rules: who may do what, and in which order things happen.
//!
//! A connection hands each text to [`Desk::handle`] and carries out the [`Outcome`] before the
//! next one. What is announced does not travel in outcomes: it comes from [`Announcements`],
//! which one task takes in the order in which it was stored and sends to everyone concerned.
//! So the order of a feed is the same for everybody, and an announcement whose publisher
//! vanished between the commit and the answer is delivered like any other.

mod outcome;

pub use outcome::{Audience, Close, Outcome, Push, Reply, Welcome};

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use std::time::SystemTime;

use crate::announce::announcement::{FeedKey, NewAnnouncement};
use crate::announce::caller::{Caller, Identity};
use crate::announce::intent::{
    self, Acknowledgement, Code, Context, Fault, Intent, Reject, Request,
};
use crate::announce::random::{hex, random};
use crate::announce::store::{Change, Cursor, ReadMark, Releases, Store, StoreError};
use crate::announce::token::{Claims, Verifier};

/// The scope that publishing to everyone needs.
pub const PUBLISH_SCOPE: &str = "announce:public";

/// The store and the verifier behind one set of rules.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    verifier: Verifier,
}

impl Desk {
    /// Joins a store and a verifier.
    #[must_use]
    pub fn new(store: Store, verifier: Verifier) -> Self {
        Self { store, verifier }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Everything that is announced from now on, ready to be sent. There is one receiver: a
    /// later call takes over from an earlier one. Once this has been called the announcements
    /// have to be taken, or publishing comes to a halt after a few thousand.
    #[must_use]
    pub fn announcements(&self) -> Announcements {
        Announcements(self.store.releases())
    }

    /// Handles one text message of the connection `caller` at the time `now`.
    ///
    /// An announcement is committed to the disk before its acknowledgement is returned.
    ///
    /// # Cancel safety
    ///
    /// `caller` stays sound; a request that the store has accepted is carried out nevertheless.
    pub async fn handle(&self, caller: &mut Caller, text: &str, now: SystemTime) -> Outcome {
        let request = match Request::parse(text) {
            Ok(request) => request,
            Err(Reject::NoToken) => {
                caller.was_well_formed();
                return refuse(caller, intent::NO_TOKEN);
            }
            Err(Reject::Fault(fault)) => {
                return malformed(caller, &fault, &Context::default());
            }
        };
        //= A46
        //= A50
        let claims = match self.verifier.verify(request.credential.as_str(), now) {
            Ok(claims) => claims,
            Err(error) => {
                caller.was_well_formed();
                let outcome = refuse(caller, intent::BAD_TOKEN);
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
                self.carry_out(caller, &request, wanted.clone(), &claims, now)
                    .await
            }
        }
    }

    /// The answer to a `Sign` that succeeded. To be called after the connection has been added
    /// to those who receive announcements: what is announced meanwhile is then either among
    /// the counted or delivered, and perhaps both.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it only reads.
    pub async fn welcome(&self, welcome: &Welcome) -> String {
        let Identity {
            user,
            namespace,
            session,
            expires_at,
        } = &welcome.identity;
        match self.store.counts(namespace, user, SystemTime::now()).await {
            Ok(unread) => intent::signed(
                user,
                session,
                *expires_at,
                &unread,
                welcome.context.id.as_ref(),
            ),
            Err(error) => failed(&error, &welcome.context),
        }
    }

    async fn carry_out(
        &self,
        caller: &mut Caller,
        request: &Request,
        wanted: Intent,
        claims: &Claims,
        now: SystemTime,
    ) -> Outcome {
        match &wanted {
            Intent::Sign { user } => return sign(caller, request, user.as_deref(), claims),
            Intent::Unknown(_) => {
                //= A69
                let known = intent::INTENTS.join(", ");
                return error(
                    Code::UnknownIntent,
                    &format!("known intents: {known}"),
                    request,
                );
            }
            _ => {}
        }
        let identity = match admit(caller, request, claims) {
            Ok(identity) => identity,
            Err((code, message)) => return error(code, message, request),
        };
        match wanted {
            Intent::PublicAnnouncement { group, key, fields } => {
                let new =
                    NewAnnouncement::new(&identity.namespace, group, &identity.user, &fields, now)
                        .with_key(key.as_deref());
                self.publish(request, claims, new).await
            }
            Intent::MarkAsRead { group, mark } => {
                self.mark_read(identity, request, &group, mark, now).await
            }
            Intent::GetUnread { limit, after } => {
                self.list_unread(identity, request, (limit, after), now)
                    .await
            }
            _ => error(
                Code::NotAvailable,
                "this server does not offer that",
                request,
            ),
        }
    }

    async fn publish(&self, request: &Request, claims: &Claims, new: NewAnnouncement) -> Outcome {
        //= A64
        if !claims.allows(PUBLISH_SCOPE) {
            let message = format!("publishing needs the scope {PUBLISH_SCOPE}");
            return error(Code::Forbidden, &message, request);
        }
        if !new.feed.is_public() {
            return error(Code::UnknownGroup, "there is no such group", request);
        }
        match self.store.publish(new).await {
            Ok(published) => {
                let acknowledgement = Acknowledgement::new(published, request.context.id.clone());
                Outcome::reply(Reply::Published(Box::new(acknowledgement)))
            }
            Err(error) => Outcome::reply(Reply::Text(failed(&error, &request.context))),
        }
    }

    async fn mark_read(
        &self,
        identity: &Identity,
        request: &Request,
        group: &FeedKey,
        mark: ReadMark,
        now: SystemTime,
    ) -> Outcome {
        if !group.is_public() {
            return error(Code::UnknownGroup, "there is no such group", request);
        }
        let Identity {
            user, namespace, ..
        } = identity;
        let state = match self
            .store
            .mark_read(namespace, user, group, mark.clone(), now)
            .await
        {
            Ok(state) => state,
            Err(error) => return Outcome::reply(Reply::Text(failed(&error, &request.context))),
        };
        let reply = intent::read_state(group, &mark, &state, request.context.id.as_ref());
        let mut outcome = Outcome::reply(Reply::Text(reply));
        //= A72
        if !state.newly_read.is_empty() {
            outcome.pushes.push(Push {
                audience: Audience::OthersOf {
                    namespace: namespace.clone(),
                    user: user.clone(),
                },
                text: intent::read_state(group, &mark, &state, None),
            });
        }
        outcome
    }

    async fn list_unread(
        &self,
        identity: &Identity,
        request: &Request,
        (limit, after): (usize, Option<Cursor>),
        now: SystemTime,
    ) -> Outcome {
        let page = self
            .store
            .unread(&identity.namespace, &identity.user, after, limit, now)
            .await;
        let text = match page {
            Ok(page) => intent::unread_page(&page, request.context.id.as_ref()),
            Err(error) => failed(&error, &request.context),
        };
        Outcome::reply(Reply::Text(text))
    }
}

/// What is announced, in the order in which it was stored; see [`Desk::announcements`].
#[derive(Debug)]
pub struct Announcements(Releases);

impl Announcements {
    /// Waits for the next announcement; `None` once the store has ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: what has not been returned is returned next.
    pub async fn next(&mut self) -> Option<Push> {
        //= A42
        // What is not for everyone is not for everyone's connections.
        let announcement = loop {
            let release = self.0.next().await?;
            if release.change == Change::Posted && release.announcement.feed.is_public() {
                break release.announcement;
            }
        };
        let text = intent::announcement(&announcement);
        Some(Push {
            audience: Audience::Namespace(announcement.namespace),
            text,
        })
    }
}

/// Gives the connection to the person of the token, or prolongs that person's stay.
fn sign(
    caller: &mut Caller,
    request: &Request,
    believed: Option<&str>,
    claims: &Claims,
) -> Outcome {
    //= A52
    if believed.is_some_and(|user| user != claims.user()) {
        let reply = Outcome::reply(Reply::Text(intent::USER_MISMATCH.to_owned()));
        return reply.closing(4403, "UserID does not match token");
    }
    if let Some(identity) = caller.identity() {
        if claims.user() != identity.user || !fits(&identity.namespace, request, claims) {
            let message = "the connection keeps whom and where it has signed in";
            return error(Code::Forbidden, message, request).closing(4403, "forbidden");
        }
        caller.refresh(claims);
    } else {
        let asked = request.namespace.as_deref();
        let found = claims
            .namespaces()
            .iter()
            .find(|name| asked.is_none_or(|a| a == *name));
        //= AU-40
        let Some(namespace) = found else {
            let message = "the token does not give access to this namespace";
            return error(Code::Forbidden, message, request).closing(4403, "forbidden");
        };
        let Ok(session) = random::<16>() else {
            return error(Code::Unavailable, "no random numbers at present", request);
        };
        //= A51
        //= A54
        caller.sign_in(Identity {
            user: claims.user().to_owned(),
            namespace: namespace.clone(),
            session: hex(&session),
            expires_at: claims.expires_at(),
        });
    }
    let welcome = caller.identity().cloned();
    let welcome = welcome.map(|identity| Welcome {
        identity,
        context: request.context.clone(),
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
) -> Result<&'c Identity, (Code, &'static str)> {
    //= A67
    let Some(identity) = caller.identity() else {
        return Err((Code::NotSignedIn, "send the intent Sign first"));
    };
    //= A46
    if claims.user() != identity.user {
        return Err((
            Code::Forbidden,
            "the token is not that of the person who has signed in",
        ));
    }
    if !fits(&identity.namespace, request, claims) {
        return Err((
            Code::Forbidden,
            "the token or the message is for another namespace",
        ));
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
    let outcome = Outcome::reply(Reply::Text(answer.to_owned()));
    //= A82
    if caller.is_refused_too_often() {
        return outcome.closing(4401, "authentication failed; come back with a new token");
    }
    outcome
}

fn malformed(caller: &mut Caller, fault: &Fault, context: &Context) -> Outcome {
    let outcome = Outcome::reply(Reply::Text(intent::error(
        fault.code,
        &fault.message,
        context,
    )));
    //= A43
    if caller.is_malformed_too_often() {
        return outcome.closing(4400, "too many malformed messages");
    }
    outcome
}

fn error(code: Code, message: &str, request: &Request) -> Outcome {
    Outcome::reply(Reply::Text(intent::error(code, message, &request.context)))
}

/// What the person is told of a failure of the store; the reasons are for the log.
fn failed(error: &StoreError, context: &Context) -> String {
    let (code, message) = match error {
        StoreError::UnknownNotification => (
            Code::UnknownNotification,
            "there is no such notification in this group",
        ),
        _ => {
            tracing::error!(%error, "the store failed");
            (
                Code::Unavailable,
                "the server cannot do that at present; try again later",
            )
        }
    };
    intent::error(code, message, context)
}
