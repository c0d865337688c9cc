//! One route: a method, a path, and who answers.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::announce::http::api::Api;

pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: MethodRouter<Api>,
}

fn route<T: 'static>(
    method: Method,
    filter: MethodFilter,
    path: &'static str,
    handler: impl Handler<T, Api>,
) -> Route {
    Route {
        method,
        path,
        handler: on(filter, handler),
    }
}

pub(crate) fn get<T: 'static>(path: &'static str, handler: impl Handler<T, Api>) -> Route {
    route(Method::GET, MethodFilter::GET, path, handler)
}

pub(crate) fn post<T: 'static>(path: &'static str, handler: impl Handler<T, Api>) -> Route {
    route(Method::POST, MethodFilter::POST, path, handler)
}

pub(crate) fn put<T: 'static>(path: &'static str, handler: impl Handler<T, Api>) -> Route {
    route(Method::PUT, MethodFilter::PUT, path, handler)
}

pub(crate) fn patch<T: 'static>(path: &'static str, handler: impl Handler<T, Api>) -> Route {
    route(Method::PATCH, MethodFilter::PATCH, path, handler)
}

pub(crate) fn delete<T: 'static>(path: &'static str, handler: impl Handler<T, Api>) -> Route {
    route(Method::DELETE, MethodFilter::DELETE, path, handler)
}
