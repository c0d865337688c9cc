//! Handlers over HTTP.
//!
//! A message is posted once and never again. The body is
//! `{"topic":…,"id":…,"message":…}`, where `message` is what the topic is published with, its
//! `context` included. A status of 200 to 299 is an answer: `{"reply": …}`, `{"fail": …}`, or
//! nothing. Anything else, and no answer in time, fails that message.
//!
//! Three headers tell where it comes from, as Standard Webhooks has them: `webhook-id`,
//! `webhook-timestamp` (seconds) and `webhook-signature`, which is `v1,` and the Base64 of the
//! HMAC-SHA256 over `ID.TIMESTAMP.BODY` with the secret as it is. Whoever receives it compares
//! the signature in constant time and refuses a timestamp that is some minutes off.

mod client;

pub use client::Client;

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::error;
use core::fmt;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::announce::bus::{Answer, BoxFuture, Bus, HandleError, Message, Publication, Topic};
use crate::announce::json::Object;

/// The fewest bytes of a secret.
pub const SECRET_BYTES_MIN: usize = 16;

/// What came back.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: bytes::Bytes,
}

/// A request was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostError {
    /// The URL is none, or of a kind that is not posted to.
    Url,
    /// There was no connection, or it broke.
    Connection,
    /// The answer is too long.
    TooLong,
    /// There was no answer in time.
    Timeout,
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "not an http or https URL",
            Self::Connection => "no connection",
            Self::TooLong => "the answer is too long",
            Self::Timeout => "no answer in time",
        })
    }
}

impl error::Error for PostError {}

/// Posts JSON over HTTP, once.
pub trait Post: Send + Sync {
    /// Posts a body with these headers, and waits for the whole answer.
    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: &'a [(&'static str, String)],
        body: String,
    ) -> BoxFuture<'a, Result<Posted, PostError>>;
}

/// A handler over HTTP.
#[derive(Clone)]
pub struct Webhook {
    topic: Topic,
    url: String,
    secret: hmac::Key,
    timeout: Duration,
}

impl Webhook {
    /// A handler for `topic` at `url`, whose requests are signed with `secret`.
    ///
    /// # Errors
    ///
    /// The secret is shorter than [`SECRET_BYTES_MIN`].
    pub fn new(
        topic: Topic,
        url: &str,
        secret: &[u8],
        timeout: Duration,
    ) -> Result<Self, ShortSecret> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(ShortSecret);
        }
        Ok(Self {
            topic,
            url: url.to_string(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret),
            timeout,
        })
    }

    /// Makes it the handler of its topic.
    ///
    /// # Errors
    ///
    /// The topic has a handler already.
    pub fn attach(self, bus: &Bus, post: Arc<dyn Post>) -> Result<(), HandleError> {
        //= B29
        let topic = self.topic.clone();
        let webhook = Arc::new(self);
        bus.handle(topic.as_str(), move |message: Message| {
            let (webhook, post) = (Arc::clone(&webhook), Arc::clone(&post));
            async move {
                let answer = webhook.ask(&*post, message.publication()).await;
                message.answer(answer);
            }
        })
    }

    async fn ask(&self, post: &dyn Post, publication: &Publication) -> Answer {
        let (topic, id) = (publication.topic(), publication.id());
        let body = Object::new()
            .text("topic", topic.as_str())
            .text("id", id)
            .raw("message", &publication.body())
            .end();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH);
        let headers = self.headers(id, seconds.unwrap_or_default().as_secs(), &body);
        let posting = post.post(&self.url, &headers, body);
        let posted = tokio::time::timeout(self.timeout, posting).await;
        match posted.unwrap_or(Err(PostError::Timeout)) {
            Ok(posted) if (200..300).contains(&posted.status) => {
                tracing::debug!(%topic, id, status = posted.status, "a webhook has answered");
                Answer::read(&posted.body)
            }
            Ok(posted) => {
                tracing::warn!(%topic, id, status = posted.status, "a webhook has refused");
                Answer::Broken
            }
            Err(error) => {
                tracing::warn!(%topic, id, %error, "a webhook has not answered");
                match error {
                    PostError::Timeout => Answer::Timeout,
                    PostError::Connection => Answer::Unreachable,
                    _ => Answer::Broken,
                }
            }
        }
    }

    fn headers(&self, id: &str, seconds: u64, body: &str) -> [(&'static str, String); 4] {
        let signed = format!("{id}.{seconds}.{body}");
        let tag = hmac::sign(&self.secret, signed.as_bytes());
        [
            ("content-type", "application/json".into()),
            ("webhook-id", id.into()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", format!("v1,{}", STANDARD.encode(tag))),
        ]
    }
}

impl fmt::Debug for Webhook {
    /// URLs may hold passwords, so this one is not shown, nor is the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("topic", &self.topic)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The secret of a webhook is too short to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortSecret;

impl fmt::Display for ShortSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the secret of a webhook is at least {SECRET_BYTES_MIN} bytes"
        )
    }
}

impl error::Error for ShortSecret {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures are those that Python's `hmac` and `base64` give for the same text.
    #[test]
    fn the_signature_is_over_id_time_and_body() {
        let topic = Topic::parse("t").unwrap();
        let wait = Duration::from_secs(1);
        let hook = Webhook::new(topic, "http://x/", b"0123456789abcdef", wait).unwrap();
        let [_, id, time, signature] = hook.headers("id1", 1_800_000_000, "{}");
        assert_eq!((id.1.as_str(), time.1.as_str()), ("id1", "1800000000"));
        assert_eq!(
            signature.1,
            "v1,xKrr+he5FK2denK0x2RyrEGQvgaDngF4o1M5m7H/xUg="
        );
        assert!(!format!("{hook:?}").contains("0123"));
    }
}
