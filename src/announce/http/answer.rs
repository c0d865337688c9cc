//! Answers of JSON.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::announce::json::Object;

/// An object with a status.
pub(crate) fn json(status: StatusCode, object: Object) -> Response {
    text(status, object.end())
}

/// Text that is JSON already.
pub(crate) fn text(status: StatusCode, json: alloc::string::String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
}

pub(crate) fn ok(object: Object) -> Response {
    json(StatusCode::OK, object)
}
