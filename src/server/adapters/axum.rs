//! Upgrades of requests that axum has read.

use alloc::sync::Arc;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use core::future::{Future, ready};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use crate::engine::{Acceptance, Limits, Refusal, UpgradeRequest};
use crate::net::WebSocket;
use crate::server::adapters::hyper as by_hyper;

/// A WebSocket whose request axum has read.
pub type Socket = WebSocket<TokioIo<Upgraded>>;

/// An extractor: a valid request to open a WebSocket, waiting for the answer. A request that is
/// none is answered with the [`Rejection`].
#[derive(Debug)]
pub struct Upgrade {
    inner: by_hyper::Upgrade,
}

/// A refusal as a response of axum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection(
    /// The refusal.
    pub Refusal,
);

impl Upgrade {
    /// The request.
    pub const fn request(&self) -> &UpgradeRequest {
        self.inner.request()
    }

    /// Accepts the request, and runs `serve` in a task of its own once the answer has been sent.
    ///
    /// An acceptance that does not fit the request is answered 500.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn accept<F, R>(self, acceptance: Acceptance<'_>, limits: Arc<Limits>, serve: F) -> Response
    where
        F: FnOnce(Socket) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (response, pending) = match self.inner.accept(acceptance, limits) {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(%error, "a request could not be accepted");
                let what = "the server could not accept the request";
                return Rejection(Refusal::new(500, what)).into_response();
            }
        };
        tokio::spawn(async move {
            match pending.open().await {
                Ok(socket) => serve(socket).await,
                Err(error) => tracing::debug!(%error, "no connection"),
            }
        });
        response
    }
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Rejection;

    fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> impl Future<Output = Result<Self, Rejection>> + Send {
        let upgraded = parts.extensions.remove::<OnUpgrade>();
        let line = (&parts.method, &parts.uri, parts.version);
        let checked = by_hyper::Upgrade::check(line, &parts.headers, upgraded);
        ready(match checked {
            Ok(inner) => Ok(Self { inner }),
            Err(refusal) => Err(Rejection(refusal)),
        })
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        by_hyper::refused(&self.0)
    }
}
