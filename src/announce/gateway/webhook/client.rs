//! Posting over hyper.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use axum::body::Body;
use http_body_util::{BodyExt as _, Limited};
use hyper::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

use crate::announce::bus::{ANSWER_BYTES_MAX, BoxFuture};
use crate::announce::gateway::webhook::{Post, PostError, Posted};

/// Posts over HTTP/1.1, with TLS for `https`. Redirects are answers, and are not followed.
#[derive(Clone)]
pub struct Client(Http<HttpsConnector<HttpConnector>, Body>);

impl Client {
    /// Posts with this configuration of TLS.
    #[must_use]
    pub fn new(tls: ClientConfig) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        // Not even a request that was surely not read is sent again.
        let mut http = Http::builder(TokioExecutor::new());
        Self(http.retry_canceled_requests(false).build(connector))
    }
}

impl Post for Client {
    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: &'a [(&'static str, String)],
        body: String,
    ) -> BoxFuture<'a, Result<Posted, PostError>> {
        Box::pin(async move {
            let mut request = Request::post(url);
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            let request = request.body(Body::from(body)).map_err(|_| PostError::Url)?;
            let answer = self.0.request(request).await;
            let (head, body) = answer.map_err(|_| PostError::Connection)?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            Ok(Posted {
                status: head.status.as_u16(),
                body: body.map_err(|_| PostError::TooLong)?.to_bytes(),
            })
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}
