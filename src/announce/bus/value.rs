//! JSON that is carried and not looked at.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::error;
use core::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

/// One JSON value, kept as the text that it was written in. Clones share it.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    /// Checks that a text is one JSON value. White space around it is dropped, the rest stays
    /// byte for byte.
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        //= B46
        let value: &RawValue = serde_json::from_str(text).map_err(|_| NotJson)?;
        Ok(Self::raw(value))
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    ///
    /// The value has no form in JSON: a map whose keys are no strings, for one.
    pub fn of(value: &impl Serialize) -> Result<Self, NotJson> {
        let text = serde_json::to_string(value).map_err(|_| NotJson)?;
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn raw(value: &RawValue) -> Self {
        Self(value.get().into())
    }

    /// Takes a text that is JSON because this crate has written it.
    pub(crate) fn written(text: String) -> Self {
        Self(text.into())
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string().into())
    }
}

impl fmt::Debug for Json {
    /// What is carried may be confidential, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.0.len())
    }
}

/// The text is not JSON, or the value has no form in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not JSON")
    }
}

impl error::Error for NotJson {}
