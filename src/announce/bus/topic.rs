//! Names of topics.

use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::error;
use core::fmt;

/// The longest name of a topic, in bytes of UTF-8.
pub const TOPIC_BYTES_MAX: usize = 255;

/// The name of a topic: any text of 1 to [`TOPIC_BYTES_MAX`] bytes without control characters.
/// Names are compared byte for byte. Clones share the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// It is empty, too long, or holds a control character.
    pub fn parse(name: &str) -> Result<Self, BadTopic> {
        //= B15
        let sound = !name.is_empty()
            && name.len() <= TOPIC_BYTES_MAX
            && !name.chars().any(char::is_control);
        if sound {
            Ok(Self(name.into()))
        } else {
            Err(BadTopic)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Topic {
    type Error = BadTopic;

    fn try_from(name: &str) -> Result<Self, BadTopic> {
        Self::parse(name)
    }
}

impl TryFrom<String> for Topic {
    type Error = BadTopic;

    fn try_from(name: String) -> Result<Self, BadTopic> {
        Self::parse(&name)
    }
}

impl Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// The text is no name of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTopic;

impl fmt::Display for BadTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a topic is 1 to {TOPIC_BYTES_MAX} bytes of text without control characters"
        )
    }
}

impl error::Error for BadTopic {}
