//! The rules of feeds, how long they are kept, and what sockets go by.

use alloc::string::String;

use crate::announce::announcement::FeedKey;
use crate::announce::assembly::error::StartError;
use crate::announce::config::{Config, Feed, LateJoiners, Origins, Pace};
use crate::announce::desk::{FeedPolicy, Policy};
use crate::announce::dialect::Dialect;
use crate::announce::service::{Endpoint, Rate, Settings};
use crate::announce::store::{LateJoiner, Retention};
use crate::engine::deflate::{DeflateAnswer, DeflateConfig};
use crate::hub::Bounds;
use crate::server;

/// The most that a rate can be; where the configuration sets no bound, this is it.
const RATE_MAX: u64 = 1_000_000;

/// The rules of the feeds.
pub(crate) fn policy(config: &Config) -> Policy {
    let feeds = config.announcements.feeds.iter();
    feeds
        .filter_map(|(name, feed)| Some((FeedKey::new(name)?, feed)))
        .fold(
            Policy::new().with_usual(rules(&Feed::default())),
            |policy, (key, feed)| policy.with_feed(key, rules(feed)),
        )
}

fn rules(feed: &Feed) -> FeedPolicy {
    FeedPolicy {
        retain: Some(feed.retain),
        late_joiners: match feed.late_joiners {
            LateJoiners::FromJoining => LateJoiner::Nothing,
            LateJoiners::All => LateJoiner::All,
        },
        publish_scopes: feed.publish.clone(),
        require_ack: feed.require_ack,
    }
}

/// How long what the rules are about is kept.
pub(crate) fn retention(policy: &Policy) -> Retention {
    let usual = Retention::new(Some(Feed::default().retain));
    policy.feeds().fold(usual, |retention, (feed, rules)| {
        retention.with_feed(feed.clone(), rules.retain)
    })
}

/// What sockets go by.
pub(crate) fn settings(config: &Config) -> Result<Settings, StartError> {
    let announcements = Endpoint {
        path: config.announcements.path.clone(),
        dialect: Dialect::Intent,
    };
    //= B03
    //= B04
    let gateway = config.gateway.socket.as_ref().map(|socket| Endpoint {
        path: socket.path.clone(),
        dialect: Dialect::Gateway,
    });
    let limits = &config.limits;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let gateway_origins = match &config.gateway.origins {
        Origins::Same => None,
        listed => Some(origins(listed)?),
    };
    // Where any page may connect, none of them may do so by a cookie.
    //= B22
    let open = [&config.origins, &config.gateway.origins];
    let is_open = open.iter().any(|it| matches!(it, Origins::Any));
    Ok(Settings {
        endpoints: [Some(announcements), gateway]
            .into_iter()
            .flatten()
            .collect(),
        hosts: hosts(&config.server.hosts)?,
        origins: origins(&config.origins)?,
        gateway_origins,
        gateway_namespace: Some(config.gateway.namespace_default.clone()),
        gateway_namespace_required: config.gateway.namespace_required,
        cookie: (!is_open).then(|| config.auth.cookie.clone()),
        sign_in_timeout: config.auth.auth_timeout,
        expiry_notice: config.auth.expiry_grace,
        message_bytes_max: limits.message,
        anonymous_bytes_max: size(limits.message_unauthenticated),
        messages: rate(&limits.messages),
        publications: rate(&limits.publish),
        compression: limits.compression.then(|| compression(config)),
        queue: Bounds::new(size(limits.queue_bytes), size(limits.queue_messages)),
        connections_per_user_max: size(limits.connections_per_user),
        ping_interval: config.heartbeat.interval,
        return_slot: config.shutdown.slot,
        ..Settings::default()
    })
}

fn hosts(hosts: &[String]) -> Result<server::Hosts, StartError> {
    server::Hosts::only(hosts.iter().map(String::as_str))
        .map_err(|error| StartError::new("server.hosts", error))
}

/// Without contexts, connections share the memory, and an announcement is compressed once for
/// all of them.
fn compression(config: &Config) -> DeflateAnswer {
    let ratio = u32::try_from(config.limits.compression_ratio).unwrap_or(u32::MAX);
    let deflate = DeflateConfig::default()
        .with_context_kept(false, false)
        .with_ratio_max(ratio);
    DeflateAnswer::new(deflate)
}

fn origins(origins: &Origins) -> Result<server::Origins, StartError> {
    match origins {
        Origins::Same => Ok(server::Origins::same()),
        Origins::Any => Ok(server::Origins::any()),
        Origins::Listed(list) => server::Origins::only(list.iter().map(|origin| origin.as_str()))
            .map_err(|error| StartError::new("origins", error)),
    }
}

fn rate(pace: &Pace) -> Rate {
    let bounded = |number: u64| u32::try_from(number.min(RATE_MAX)).unwrap_or(u32::MAX);
    match pace.rate {
        Some(rate) => Rate::per(rate.period, bounded(rate.count), bounded(pace.burst)),
        None => Rate::new(bounded(RATE_MAX), bounded(RATE_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::announce::config;

    #[test]
    fn a_rate_keeps_its_period() {
        let of = |count, seconds| {
            let period = Duration::from_secs(seconds);
            let pace = Pace {
                rate: Some(config::Rate { count, period }),
                burst: 5,
            };
            (rate(&pace), period)
        };
        for (count, seconds) in [(50, 1), (90, 60), (1, 3600)] {
            let (rate, period) = of(count.into(), seconds);
            assert_eq!(rate, Rate::per(period, count, 5));
        }
        let off = Pace {
            rate: None,
            burst: 5,
        };
        assert_eq!(rate(&off), Rate::new(1_000_000, 1_000_000));
    }
}
