//! What is published, and how it is answered.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::fmt;

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::announce::bus::topic::Topic;
use crate::announce::bus::value::Json;

/// Something that was published on a topic. Clones share it.
#[derive(Clone, Debug)]
pub struct Publication(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    topic: Topic,
    id: String,
    namespace: Option<String>,
    context: Option<Json>,
    data: Json,
}

impl Publication {
    /// Something to publish, with an id of its own.
    #[must_use]
    pub fn new(topic: Topic, data: Json) -> Self {
        Self(Arc::new(Parts {
            topic,
            id: fresh_id(),
            namespace: None,
            context: None,
            data,
        }))
    }

    /// Something that concerns a connection; `data` is an object.
    pub(crate) fn of_connection(
        topic: Topic,
        id: String,
        namespace: String,
        context: Json,
        data: Json,
    ) -> Self {
        Self(Arc::new(Parts {
            topic,
            id,
            namespace: Some(namespace),
            context: Some(context),
            data,
        }))
    }

    /// Something that a producer of a namespace publishes.
    pub(crate) fn in_namespace(
        topic: Topic,
        id: String,
        space: Option<String>,
        data: Json,
    ) -> Self {
        Self(Arc::new(Parts {
            topic,
            id,
            namespace: space,
            context: None,
            data,
        }))
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &Topic {
        &self.0.topic
    }

    /// The id. One message of a client has one, on however many topics it is published.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The namespace that it belongs to, where it belongs to one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref()
    }

    /// Who is concerned, as a JSON object: `headers.jwt` with the verified claims,
    /// `params.namespace`, `connection` and `remote`. Absent from what a producer publishes.
    #[must_use]
    pub fn context(&self) -> Option<&Json> {
        self.0.context.as_ref()
    }

    /// What was published, without the context.
    #[must_use]
    pub fn data(&self) -> &Json {
        &self.0.data
    }

    /// The whole as others than Rust are given it: the data, with `context` as its first member
    /// where there is one.
    #[must_use]
    pub fn body(&self) -> String {
        let data = self.0.data.as_str();
        let Some(context) = &self.0.context else {
            return data.to_string();
        };
        let members = data.strip_prefix('{').unwrap_or("}");
        let comma = if members.starts_with('}') { "" } else { "," };
        format!("{{\"context\":{}{comma}{members}", context.as_str())
    }
}

/// A new id: a UUID of version 7, which sorts by time.
pub(crate) fn fresh_id() -> String {
    Uuid::now_v7().to_string()
}

/// What became of something that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The handler has replied.
    Reply(Json),
    /// The handler has refused.
    Fail(Json),
    /// Nothing is to be said: there is no handler, or it had nothing to say.
    Ack,
    /// The handler did not answer in time.
    Timeout,
    /// The handler panicked, or its answer could not be understood.
    Broken,
    /// The handler could not be reached.
    Unreachable,
}

/// A publication in the hands of its handler. Dropped unanswered, it counts as [`Message::ack`].
pub struct Message {
    publication: Publication,
    answer: oneshot::Sender<Answer>,
}

impl Message {
    pub(crate) fn new(publication: Publication) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        let message = Self {
            publication,
            answer,
        };
        (message, answered)
    }

    /// What was published.
    #[must_use]
    pub fn publication(&self) -> &Publication {
        &self.publication
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &Topic {
        self.publication.topic()
    }

    /// The id of the message.
    #[must_use]
    pub fn id(&self) -> &str {
        self.publication.id()
    }

    /// Who is concerned; see [`Publication::context`].
    #[must_use]
    pub fn context(&self) -> Option<&Json> {
        self.publication.context()
    }

    /// What was published, without the context.
    #[must_use]
    pub fn data(&self) -> &Json {
        self.publication.data()
    }

    /// Answers with data.
    pub fn reply(self, data: impl Into<Json>) {
        //= B40
        self.answer(Answer::Reply(data.into()));
    }

    /// Refuses, with what the client is told. A connection that is refused in its connection
    /// topic is closed; one that is refused a message stays.
    pub fn fail(self, error: impl Into<Json>) {
        self.answer(Answer::Fail(error.into()));
    }

    /// Has nothing to say.
    pub fn ack(self) {
        self.answer(Answer::Ack);
    }

    pub(crate) fn answer(self, answer: Answer) {
        // Nobody waits any more after the deadline.
        let _ = self.answer.send(answer);
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Message").field(&self.publication).finish()
    }
}
