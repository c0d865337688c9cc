//! The pages: at `/` the inbox for everybody, at `/console` what those need who run the server.
//!
//! Their files are built into the program. Nothing comes from another host, and the policy that
//! is sent along forbids that anything could: scripts and styles come from here or not at all,
//! and the pages can be shown in no frame.

use alloc::format;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// A file, as it stands in the program.
#[derive(Clone, Copy, Debug)]
struct File {
    path: &'static str,
    kind: &'static str,
    content: &'static str,
}

macro_rules! file {
    ($path:expr, $kind:expr, $name:literal) => {
        File {
            path: $path,
            kind: $kind,
            content: include_str!(concat!("page/", $name)),
        }
    };
    ($name:literal, $kind:expr) => {
        file!(concat!("/", $name), $kind, $name)
    };
}

const FILES: &[File] = &[
    file!("/", HTML, "index.html"),
    file!("/console", HTML, "console.html"),
    file!("access.js", SCRIPT),
    file!("announcements.js", SCRIPT),
    file!("api.js", SCRIPT),
    file!("base.css", STYLE),
    file!("compose.js", SCRIPT),
    file!("connection.js", SCRIPT),
    file!("console.css", STYLE),
    file!("console.js", SCRIPT),
    file!("details.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("entry.js", SCRIPT),
    file!("icon.svg", IMAGE),
    file!("inbox.css", STYLE),
    file!("inbox.js", SCRIPT),
    file!("lists.js", SCRIPT),
    file!("mail.js", SCRIPT),
    file!("overview.js", SCRIPT),
    file!("panel.js", SCRIPT),
    file!("plots.js", SCRIPT),
    file!("publish.js", SCRIPT),
    file!("schedules.js", SCRIPT),
    file!("theme.js", SCRIPT),
    file!("token.js", SCRIPT),
    file!("words.js", SCRIPT),
];

/// `connect-src 'self'` covers a WebSocket to the same host and port.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";

/// What every answer carries, whatever its status.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-cache"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// The routes of the pages. Any other path is answered with 404 in plain text, any method but
/// GET and HEAD with 405.
pub fn router() -> Router {
    let routes = FILES.iter().fold(Router::new(), |router, file| {
        let tag = tag(file.content);
        let answer = move |headers: HeaderMap| {
            let tag = tag.clone();
            async move { answer(file, tag, &headers) }
        };
        router.route(file.path, get(answer))
    });
    routes
        .fallback(not_found)
        .layer(middleware::map_response(with_headers))
}

/// The strong validator of a content: what is other has another.
fn tag(content: &str) -> HeaderValue {
    let digest = Sha256::digest(content.as_bytes());
    let text = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

fn answer(file: &File, tag: HeaderValue, request: &HeaderMap) -> Response {
    let is_known = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| names(known.trim(), &tag));
    let tag = [(header::ETAG, tag)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    (tag, [(header::CONTENT_TYPE, file.kind)], file.content).into_response()
}

/// Whether an entry of `If-None-Match` names this content (RFC 9110 §13.1.2).
fn names(known: &str, tag: &HeaderValue) -> bool {
    known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes()
}

async fn not_found(request: Request) -> Response {
    let body = if request.method() == Method::HEAD {
        ""
    } else {
        "not found\n"
    };
    (StatusCode::NOT_FOUND, body).into_response()
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
