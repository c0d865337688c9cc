//! Every route, and what each answer carries.

use alloc::vec::Vec;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;

use crate::announce::code::Code;
use crate::announce::http::api::Api;
use crate::announce::http::problem::Problem;
use crate::announce::http::route::Route;
use crate::announce::http::{
    announcements, audit, bus, connections, events, feeds, health, metrics, reload, revocations,
    rooms, schedules, statistics, users,
};
use crate::announce::page;

/// What every answer of the API carries.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

fn table() -> Vec<Route> {
    let mut table = Vec::new();
    table.extend(announcements::routes());
    table.extend(users::routes());
    table.extend(feeds::routes());
    table.extend(connections::routes());
    table.extend(revocations::routes());
    table.extend(rooms::routes());
    table.extend(schedules::routes());
    table.extend(bus::routes());
    table.extend(audit::routes());
    table.extend(statistics::routes());
    table.extend(events::routes());
    table.extend(reload::routes());
    table.extend(metrics::routes());
    table.extend(health::routes());
    table
}

/// The methods and paths of the API, with names in braces for parts that vary.
#[must_use]
pub fn routes() -> Vec<(Method, &'static str)> {
    let table = table().into_iter();
    table.map(|route| (route.method, route.path)).collect()
}

impl Api {
    /// The API, and the pages beside it.
    //= A30
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        let is_there = |route: &Route| self.has_metrics || route.path != metrics::PATH;
        for route in table().into_iter().filter(is_there) {
            router = router.route(route.path, route.handler);
        }
        let nothing = any(async || Problem::not_found());
        router
            .route("/api/{*rest}", nothing.clone())
            .route("/admin/{*rest}", nothing)
            .layer(middleware::from_fn(finish))
            .layer(middleware::from_fn_with_state(self.clone(), metrics::count))
            .with_state(self.clone())
            .merge(page::router())
    }
}

/// Gives an answer its headers, and a wrong method its words.
async fn finish(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = response.headers().get(header::ALLOW).cloned();
        let message = "this cannot be done here; see Allow";
        response = Problem::new(Code::WrongMethod, message).into_response();
        if let Some(allowed) = allowed {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
    }
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
