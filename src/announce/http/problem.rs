//! What is answered to what is not done.

use alloc::borrow::Cow;
use alloc::string::ToString as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::announce::code::Code;
use crate::announce::desk::Denied;
use crate::announce::fields::Fault;
use crate::announce::http::answer;
use crate::announce::json::Object;

/// Why something is not done.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { code, message }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "there is nothing here")
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self.code {
            Code::MalformedJson
            | Code::NotAnObject
            | Code::MissingField
            | Code::WrongType
            | Code::UnknownIntent
            | Code::UnknownField => StatusCode::BAD_REQUEST,
            Code::BadToken | Code::NotSignedIn => StatusCode::UNAUTHORIZED,
            Code::Forbidden => StatusCode::FORBIDDEN,
            Code::UnknownGroup | Code::UnknownNotification | Code::NotFound => {
                StatusCode::NOT_FOUND
            }
            Code::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Code::Conflict => StatusCode::CONFLICT,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Code::NotAvailable => StatusCode::NOT_IMPLEMENTED,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::new(denied.code, denied.message)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::new(fault.code, fault.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let error = Object::new()
            .text("code", self.code.as_str())
            .text("message", &self.message);
        let mut response = answer::json(status, Object::new().raw("error", &error.end()));
        let headers = response.headers_mut();
        match status {
            //= H1-10
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// The text of something that has one.
pub(crate) fn invalid(error: &impl core::fmt::Display) -> Problem {
    Problem::new(Code::WrongType, error.to_string())
}
