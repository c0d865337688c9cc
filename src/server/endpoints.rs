//! Several endpoints behind one listener, by path.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::{Refusal, UpgradeRequest};
use crate::wire::http;

/// What is served at which path. `T` is whatever the application needs to serve an endpoint.
///
/// A path is compared byte for byte, without the query.
#[derive(Debug)]
pub struct Endpoints<T> {
    by_path: BTreeMap<String, Arc<Endpoint<T>>>,
}

#[derive(Debug)]
struct Endpoint<T> {
    value: T,
    connections: AtomicUsize,
}

/// A connection's place at an endpoint: counted until it is dropped, it lends the value of the
/// endpoint.
#[derive(Debug)]
pub struct Place<T> {
    endpoint: Arc<Endpoint<T>>,
}

impl<T> Default for Endpoints<T> {
    fn default() -> Self {
        Self {
            by_path: BTreeMap::new(),
        }
    }
}

impl<T> Endpoints<T> {
    /// Serves nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `value` at `path`.
    ///
    /// # Errors
    ///
    /// [`InvalidEndpoint`] for a path that does not begin with `/`, has a query, a fragment or a
    /// character that stands in no path, or is served already.
    pub fn with(mut self, path: &str, value: T) -> Result<Self, InvalidEndpoint> {
        if !path.starts_with('/') || http::split_target(path) != Some((path, None)) {
            return Err(InvalidEndpoint::Path);
        }
        let endpoint = Endpoint {
            value,
            connections: AtomicUsize::new(0),
        };
        match self.by_path.insert(path.to_owned(), Arc::new(endpoint)) {
            Some(_) => Err(InvalidEndpoint::Taken),
            None => Ok(self),
        }
    }

    /// Finds what a request asks for, and counts the connection there.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] with which to answer, 404, when nothing is served at the path.
    //= E37
    //= E58
    //= E59
    //= E60
    pub fn enter(&self, request: &UpgradeRequest) -> Result<Place<T>, Refusal> {
        let endpoint = self.by_path.get(request.path());
        let endpoint = Arc::clone(endpoint.ok_or_else(Refusal::not_found)?);
        endpoint.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Place { endpoint })
    }

    /// How many connections each endpoint has, in the order of their paths.
    //= E61
    pub fn connections(&self) -> impl Iterator<Item = (&str, usize)> {
        let count = |it: &Endpoint<T>| it.connections.load(Ordering::Relaxed);
        let counted = self.by_path.iter();
        counted.map(move |(path, endpoint)| (path.as_str(), count(endpoint)))
    }
}

impl<T> Deref for Place<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.endpoint.value
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        self.endpoint.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why nothing can be served at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidEndpoint {
    /// It is no path.
    Path,
    /// Something else is served there.
    Taken,
}

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "an endpoint is a path that begins with / and has no query",
            Self::Taken => "two endpoints cannot have one path",
        })
    }
}

impl core::error::Error for InvalidEndpoint {}
