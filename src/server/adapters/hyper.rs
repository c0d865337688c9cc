//! Upgrades of requests that hyper has read.

use alloc::sync::Arc;
use core::fmt;
use hyper::header::{HeaderName, HeaderValue};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;

use crate::engine::{AcceptError, Acceptance, Limits, Refusal, UpgradeRequest};
use crate::net::WebSocket;
use crate::server::upgrade::{Switching, handle_upgrade, refusal_headers};

/// A valid request to open a WebSocket that hyper has read, waiting for the answer.
pub struct Upgrade {
    request: UpgradeRequest,
    upgraded: OnUpgrade,
}

/// An accepted request, until hyper has sent the answer and given up the stream.
#[derive(Debug)]
pub struct Pending {
    switching: Switching,
    upgraded: OnUpgrade,
}

impl Upgrade {
    /// Checks a request. Its connection must be served with upgrades
    /// ([`with_upgrades`](hyper::server::conn::http1::Connection::with_upgrades)).
    ///
    /// # Errors
    ///
    /// The [`Refusal`] with which to answer; [`refused`] makes a response of it.
    pub fn new<B>(request: &mut Request<B>) -> Result<Self, Refusal> {
        let upgraded = request.extensions_mut().remove::<OnUpgrade>();
        Self::check(
            (request.method(), request.uri(), request.version()),
            request.headers(),
            upgraded,
        )
    }

    pub(crate) fn check(
        (method, uri, version): (&Method, &Uri, Version),
        headers: &HeaderMap,
        upgraded: Option<OnUpgrade>,
    ) -> Result<Self, Refusal> {
        let version = match version {
            Version::HTTP_11 => (1, 1),
            Version::HTTP_10 => (1, 0),
            _ => (2, 0),
        };
        let target = alloc::format!("{uri}");
        let request = handle_upgrade(method.as_str(), &target, version, headers)?;
        // Without it the connection was served without upgrades, or somebody took it before.
        let cannot = || Refusal::new(500, "this connection cannot be upgraded");
        let upgraded = upgraded.ok_or_else(cannot)?;
        Ok(Self { request, upgraded })
    }

    /// The request.
    pub const fn request(&self) -> &UpgradeRequest {
        &self.request
    }

    /// Accepts the request: the response is to be returned to hyper, and [`Pending::open`] to be
    /// awaited in another task, for it ends only when the response has been sent.
    ///
    /// # Errors
    ///
    /// [`AcceptError`] when the acceptance does not fit the request.
    pub fn accept<B: Default>(
        self,
        acceptance: Acceptance<'_>,
        limits: Arc<Limits>,
    ) -> Result<(Response<B>, Pending), AcceptError> {
        let switching = Switching::new(self.request, acceptance, limits)?;
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        copy(switching.headers(), response.headers_mut());
        let pending = Pending {
            switching,
            upgraded: self.upgraded,
        };
        Ok((response, pending))
    }
}

impl Pending {
    /// Waits until the answer has been sent, and opens the WebSocket. Frames that arrived with
    /// the request are received first.
    ///
    /// # Errors
    ///
    /// What hyper says when the stream ended before.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it closes the stream.
    pub async fn open(self) -> Result<WebSocket<TokioIo<Upgraded>>, hyper::Error> {
        let stream = TokioIo::new(self.upgraded.await?);
        // What hyper has read behind the request is read from its stream again.
        Ok(self.switching.join(stream, alloc::vec::Vec::new()))
    }
}

/// The response with which hyper refuses a request.
pub fn refused<B: From<alloc::string::String>>(refusal: &Refusal) -> Response<B> {
    let mut response = Response::new(B::from(alloc::format!("{}\n", refusal.body())));
    let status = StatusCode::from_u16(refusal.status());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = refusal_headers(refusal);
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()));
    copy(headers, response.headers_mut());
    response
}

fn copy<'h>(headers: impl Iterator<Item = (&'h str, &'h [u8])>, to: &mut HeaderMap) {
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        // They have been checked by the same rules already.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            to.append(name, value);
        }
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
