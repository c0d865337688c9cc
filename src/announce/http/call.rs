//! Who calls, and what is asked for.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::time::SystemTime;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, header, request::Parts};
use axum::response::Response;
use http_body_util::LengthLimitError;
use percent_encoding::percent_decode_str;

use crate::announce::announcement::FeedKey;
use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::desk::{Actor, Desk};
use crate::announce::fields::{Fault, Given, UNREAD_DEFAULT};
use crate::announce::http::api::Api;
use crate::announce::http::problem::Problem;
use crate::announce::json::{self, Fields};
use crate::announce::service::Visit;

/// The longest body, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The longest name that an error repeats, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What a handler returns.
pub(crate) type Answer = Result<Response, Problem>;

/// A request of somebody who is known.
pub(crate) struct Call {
    pub(crate) api: Api,
    pub(crate) identity: Identity,
    pub(crate) visit: Option<Visit>,
    pub(crate) headers: HeaderMap,
    pub(crate) now: SystemTime,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: String,
}

impl FromRequest<Api> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let now = SystemTime::now();
        let (mut parts, body) = request.into_parts();
        let visit = parts.extensions.get::<Visit>().cloned();
        let query = query(parts.uri.query())?;
        let identity = identify(api, &parts, visit.as_ref(), &query, now)?;
        let path = RawPathParams::from_request_parts(&mut parts, api).await;
        let path = path.map_err(|_| Problem::not_found())?;
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let path = path.iter().map(own).collect();
        Ok(Self {
            api: api.clone(),
            identity,
            visit,
            path,
            query,
            body: text(body).await?,
            headers: parts.headers,
            now,
        })
    }
}

impl Call {
    pub(crate) fn desk(&self) -> &Desk {
        self.api.service().desk()
    }

    pub(crate) fn actor(&self) -> Actor<'_> {
        Actor::from(&self.identity)
    }

    /// A part of the path.
    pub(crate) fn part(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(it, _)| it == name);
        found.map_or("", |(_, value)| value)
    }

    /// The part of the path that names a feed. What cannot be a feed is none that is here.
    pub(crate) fn feed(&self) -> Result<FeedKey, Problem> {
        FeedKey::new(self.part("feed")).ok_or_else(Problem::not_found)
    }

    /// The part of the path that names a person.
    pub(crate) fn user(&self) -> Result<&str, Problem> {
        let user = self.part("user");
        let is_name = FeedKey::user(user).is_some();
        is_name.then_some(user).ok_or_else(Problem::not_found)
    }

    /// Refuses a query that has any name besides `namespace` and these, and a body.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Problem> {
        if !self.body.is_empty() {
            let message = "this request has no body";
            return Err(Problem::new(Code::UnknownField, message));
        }
        self.only_query(names)
    }

    fn only_query(&self, names: &[&str]) -> Result<(), Problem> {
        let is_known = |name: &String| name == "namespace" || names.contains(&name.as_str());
        unknown(
            self.query
                .iter()
                .map(|(name, _)| name)
                .filter(|name| !is_known(name)),
        )
    }

    /// A value of the query.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }

    /// How many are asked for.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        match self.asked("limit") {
            None => Ok(UNREAD_DEFAULT),
            Some(text) => match text.parse() {
                Ok(limit) if limit > 0 => Ok(limit),
                _ => Err(Fault::wrong("limit", "a whole number from 1").into()),
            },
        }
    }

    /// The members of the body, of which none has another name than these.
    //= C24
    pub(crate) fn fields(&self, names: &[&str]) -> Result<Fields<'_>, Problem> {
        self.only_query(&[])?;
        let fields = json::object(&self.body).map_err(|fault| {
            let code = match fault {
                json::Fault::NotAnObject => Code::NotAnObject,
                _ => Code::MalformedJson,
            };
            Problem::new(code, format!("{fault}"))
        })?;
        let given = fields.iter().map(|(name, _)| name);
        unknown(given.filter(|name| !names.contains(&name.as_str())))?;
        Ok(fields)
    }

    /// The body as it came.
    pub(crate) fn body(&self) -> Result<&str, Problem> {
        self.only_query(&[])?;
        Ok(&self.body)
    }

    /// What makes a repetition recognisable: the header, or the field of that meaning.
    pub(crate) fn key(&self, given: Option<&Given<'_>>) -> Result<Option<String>, Problem> {
        let wrong = || Fault::wrong("Idempotency-Key", "one value of 1 to 256 bytes");
        let mut values = self.headers.get_all("idempotency-key").iter();
        let header = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => {
                let text = value.to_str().map_err(|_| wrong())?;
                let fits = (1..=256).contains(&text.len());
                Some(fits.then(|| text.to_owned()).ok_or_else(wrong)?)
            }
            _ => return Err(wrong().into()),
        };
        let field = given.map(|given| given.key("key")).transpose()?.flatten();
        match (header, field) {
            (Some(header), Some(field)) if header != field => {
                Err(Fault::wrong("key", "the same as the Idempotency-Key").into())
            }
            (header, field) => Ok(header.or(field)),
        }
    }
}

fn unknown<'n>(names: impl Iterator<Item = &'n String>) -> Result<(), Problem> {
    let names: Vec<&str> = names
        .take(8)
        .map(|name| {
            if name.len() > NAME_BYTES_MAX {
                "one that is too long"
            } else {
                name
            }
        })
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!("this request has no such field: {}", names.join(", "));
    Err(Problem::new(Code::UnknownField, message))
}

/// Finds out who calls, from the token alone.
//= AU-01
fn identify(
    api: &Api,
    parts: &Parts,
    visit: Option<&Visit>,
    query: &[(String, String)],
    now: SystemTime,
) -> Result<Identity, Problem> {
    let desk = api.service().desk();
    let refused = || Problem::new(Code::BadToken, "a valid token is needed");
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(refused());
    };
    let value = value.to_str().map_err(|_| refused())?;
    let (scheme, token) = value.split_once(' ').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused());
    }
    let claims = match desk.verify(token, now) {
        Ok(claims) => claims,
        Err(error) => {
            tracing::info!(%error, "token refused");
            api.service().counters().token_refused(error.name());
            //= AU-34
            let peer = visit.map(|visit| visit.peer.ip());
            return match peer {
                Some(peer) if !api.service().may_fail(peer) => {
                    Err(Problem::new(Code::TooOften, "too many failed tokens"))
                }
                _ => Err(refused()),
            };
        }
    };
    let namespace = query.iter().find(|(name, _)| name == "namespace");
    let namespace = namespace.map(|(_, value)| value.as_str());
    Ok(desk.identify(claims, namespace)?)
}

/// Reads a query: each name once.
fn query(query: Option<&str>) -> Result<Vec<(String, String)>, Problem> {
    let mut read: Vec<(String, String)> = Vec::new();
    let wrong = || Problem::new(Code::WrongType, "the query cannot be read");
    for pair in query.unwrap_or("").split('&').filter(|it| !it.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (
            decoded(name).ok_or_else(wrong)?,
            decoded(value).ok_or_else(wrong)?,
        );
        //= AU-19
        if ["token", "access_token", "APIToken"].contains(&name.as_str()) {
            let message = "a token in the query would end in logs: use the Authorization header";
            return Err(Problem::new(Code::UnknownField, message));
        }
        if read.iter().any(|(it, _)| *it == name) {
            return Err(Problem::new(
                Code::WrongType,
                "a name stands twice in the query",
            ));
        }
        read.push((name, value));
    }
    Ok(read)
}

fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().ok();
    decoded.map(Cow::into_owned)
}

async fn text(body: Body) -> Result<String, Problem> {
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        let source = core::error::Error::source(&error);
        if source.is_some_and(<dyn core::error::Error>::is::<LengthLimitError>) {
            let message = format!("a body may have {BODY_BYTES_MAX} bytes");
            return Problem::new(Code::TooLarge, message);
        }
        Problem::new(Code::MalformedJson, "the body did not come whole")
    })?;
    String::from_utf8(bytes.into())
        .map_err(|_| Problem::new(Code::MalformedJson, "the body is not UTF-8"))
}
