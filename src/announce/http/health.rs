//! Whether the server lives, and whether it can work.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::announce::announcement::FeedKey;
use crate::announce::http::answer;
use crate::announce::http::api::Api;
use crate::announce::http::route::{Route, get};
use crate::announce::json::Object;

const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) fn routes() -> [Route; 3] {
    [
        get("/health/live", live),
        get("/health/ready", ready),
        get("/openapi.json", document),
    ]
}

async fn live() -> Response {
    answer::ok(Object::new().text("status", "ok"))
}

/// The store is asked, since nothing works without it.
async fn ready(State(api): State<Api>) -> Response {
    let store = api.service().desk().store();
    match store.feed_exists("main", &FeedKey::public()).await {
        Ok(_) => answer::ok(Object::new().text("status", "ok")),
        Err(error) => {
            tracing::error!(%error, "not ready");
            let object = Object::new().text("status", "unavailable");
            answer::json(StatusCode::SERVICE_UNAVAILABLE, object)
        }
    }
}

async fn document() -> Response {
    answer::text(StatusCode::OK, DOCUMENT.into())
}
