//! What a configuration means in words, and what is unsafe in it.

mod findings;
mod world;

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use crate::announce::config::model::{
    BroadcastScope, Bus, CatchUp, Config, Feed, Gateway, LateJoiners, Origins, Pace, Profile,
    Schedule, SecretSource, Socket,
};
use crate::announce::config::unit::{show_size, show_time};
use crate::announce::schedule::{Cron, cron_words, next_runs, time_zone};

pub use findings::{Finding, Severity};
pub use world::{Strength, World};

/// How many of the next runs of a schedule are told.
pub const RUNS: usize = 3;

/// A configuration in words. `Display` prints it for a terminal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Headings, each with its lines.
    pub sections: Vec<(&'static str, Vec<String>)>,
    /// What is worth a word, the worst first.
    pub findings: Vec<Finding>,
    /// The profile.
    pub profile: Profile,
}

impl Report {
    /// Whether the server must not start: something is unsafe, and the profile is production.
    //= AU-18
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let is_unsafe = |finding: &Finding| finding.severity == Severity::Unsafe;
        self.profile == Profile::Production && self.findings.iter().any(is_unsafe)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (heading, lines) in &self.sections {
            writeln!(f, "{heading}")?;
            for line in lines {
                writeln!(f, "  {line}")?;
            }
            writeln!(f)?;
        }
        match self.findings.is_empty() {
            true => writeln!(f, "nothing to remark")?,
            false => writeln!(f, "remarks")?,
        }
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        match (self.is_refused(), self.profile) {
            (true, _) => writeln!(f, "\nrefused: what is unsafe does not start in production"),
            (false, Profile::Production) => writeln!(f, "\nfine for production"),
            (false, Profile::Development) => writeln!(f, "\nfine for development"),
        }
    }
}

/// Says what a configuration means, and finds what is unsafe in it.
#[must_use]
pub fn check(config: &Config, world: &World<'_>) -> Report {
    let mut sections = Vec::new();
    sections.push(("listens", listener(config)));
    sections.push(("who may connect", admission(config)));
    sections.push(("who may do what", permissions(config)));
    if let Some(socket) = &config.gateway.socket {
        sections.push(("events", events(&config.gateway, socket)));
    }
    if !config.announcements.feeds.is_empty() {
        let feeds = config.announcements.feeds.iter();
        sections.push(("feeds", feeds.map(|(name, it)| feed(name, it)).collect()));
    }
    let mut findings = findings::of(config, world);
    let mut schedules = Vec::new();
    for (at, it) in config.announcements.schedules.iter().enumerate() {
        match schedule(it, world, &mut schedules) {
            Ok(()) => {}
            Err(why) => {
                let path = format!("announcements.schedules[{at}].cron");
                findings.push(Finding::new(config, Severity::Unsafe, &path, why));
            }
        }
    }
    if !schedules.is_empty() {
        sections.push(("schedules", schedules));
    }
    sections.push(("bears", limits(config)));
    sections.push(("keeps", keeps(config)));
    findings.sort_by_key(|finding| core::cmp::Reverse(finding.severity));
    let profile = config.server.profile;
    Report {
        sections,
        findings,
        profile,
    }
}

fn listener(config: &Config) -> Vec<String> {
    let (server, listen) = (&config.server, config.server.listen);
    let scheme = if server.tls.is_some() { "wss" } else { "ws" };
    let reach = match listen.ip() {
        ip if ip.is_loopback() => "for this machine alone",
        ip if ip.is_unspecified() => "for every network that this machine is in",
        _ => "for whoever reaches this address",
    };
    let announcements = &config.announcements.path;
    let mut lines = Vec::from([
        format!("{scheme}://{listen}, {reach}"),
        format!("{scheme}://{listen}{announcements}: announcements"),
    ]);
    if let Some(socket) = &config.gateway.socket {
        let query = match config.gateway.namespace_required {
            true => "?namespace=NAME".to_string(),
            false => format!(
                ", in namespace {} unless one is named",
                config.gateway.namespace_default
            ),
        };
        lines.push(format!(
            "{scheme}://{listen}{}{query}: the event bus",
            socket.path
        ));
    }
    if config.observe.metrics {
        let scheme = if server.tls.is_some() {
            "https"
        } else {
            "http"
        };
        lines.push(format!("{scheme}://{listen}/metrics: metrics"));
    }
    lines
}

fn admission(config: &Config) -> Vec<String> {
    let (auth, tokens) = (&config.auth, &config.auth.tokens);
    let mut lines = Vec::from([
        format!(
            "whoever brings a token signed with {}, within {}",
            tokens.algorithms.join(" or "),
            show_time(auth.auth_timeout)
        ),
        format!(
            "the person is the claim {}, the namespaces are in {}",
            tokens.user_claim.join(" or else "),
            tokens.namespace_claim
        ),
    ]);
    if tokens.need_secret() {
        lines.push(match &tokens.secret {
            SecretSource::Variable(name) => format!("the secret is in the variable {name}"),
            SecretSource::File(path) => format!("the secret is in the file {}", path.display()),
            SecretSource::VariableOrGenerated(name) => format!(
                "the secret is in the variable {name}, or else generated in {}",
                config.server.data.display()
            ),
        });
    }
    if tokens.issuer.is_none() {
        lines.push("tokens of any issuer, as long as the signature is right".to_string());
    }
    lines.push(format!("browsers: {}", origins(&config.origins)));
    if config.gateway.socket.is_some() {
        lines.push(format!(
            "browsers, event bus: {}",
            origins(&config.gateway.origins)
        ));
    }
    lines
}

fn origins(origins: &Origins) -> String {
    match origins {
        Origins::Same => "pages of the server's own origin; no token from a cookie".to_string(),
        Origins::Listed(list) => format!("pages of {}", list.join(", ")),
        Origins::Any => "pages of all origins".to_string(),
    }
}

/// Each thing that is open, and to whom.
fn permissions(config: &Config) -> Vec<String> {
    let mut lines = Vec::from([
        "read Public: everybody of the namespace".to_string(),
        "read a channel, role:NAME or user:NAME: whom the token counts to it".to_string(),
    ]);
    let feeds = &config.announcements.feeds;
    let own = |feed: &Feed| !feed.publish.is_empty();
    if !feeds.get("Public").is_some_and(own) {
        lines.push("announce in Public: scope announce:public".to_string());
    }
    for (name, feed) in feeds.iter().filter(|(_, feed)| own(feed)) {
        lines.push(format!(
            "announce in {name}: scope {}",
            feed.publish.join(" or ")
        ));
    }
    lines.push(
        "announce in others: scope announce:channel:NAME, announce:role:NAME or announce:user"
            .to_string(),
    );
    if let Some(socket) = &config.gateway.socket {
        if let Some(topic) = &socket.send {
            lines.push(format!("send to certain people by {topic}: scope send"));
        }
        if let Some(topic) = &socket.broadcast {
            let whom = match socket.broadcast_scope {
                BroadcastScope::Namespace => "everybody of the sender's namespace",
                BroadcastScope::AllNamespaces => "everybody in all namespaces",
            };
            lines.push(format!("send to {whom} by {topic}: scope broadcast"));
        }
    }
    lines.push("operate the server: scope admin".to_string());
    lines
}

fn events(gateway: &Gateway, socket: &Socket) -> Vec<String> {
    let mut lines = Vec::new();
    let published = [
        ("somebody connects", &socket.onconnect),
        ("a message arrives", &socket.onmessage),
        ("a connection ends", &socket.onclose),
    ];
    for (when, topic) in published {
        if let Some(topic) = topic {
            lines.push(format!("when {when}: {topic} is published"));
        }
    }
    for (label, topic) in &socket.types {
        lines.push(format!(
            "when its type is {label}: {topic} is published as well"
        ));
    }
    for handler in &gateway.handlers {
        lines.push(format!(
            "{} is posted to {}, which has {} to answer",
            handler.topic,
            handler.url,
            show_time(handler.timeout)
        ));
    }
    lines
}

fn feed(name: &str, feed: &Feed) -> String {
    let late = match feed.late_joiners {
        LateJoiners::FromJoining => "; who comes later finds what follows",
        LateJoiners::All => "; who comes later finds all of it",
    };
    let acknowledgement = match feed.require_ack {
        true => "; asks for acknowledgement",
        false => "",
    };
    format!(
        "{name}: kept for {}{late}{acknowledgement}",
        show_time(feed.retain)
    )
}

//= A20
//= A21
fn schedule(it: &Schedule, world: &World<'_>, lines: &mut Vec<String>) -> Result<(), String> {
    let cron = Cron::new(&it.cron).map_err(|error| error.to_string())?;
    let zone = time_zone(&it.timezone).map_err(|error| error.to_string())?;
    let paused = if it.paused { ", paused" } else { "" };
    lines.push(format!(
        "{}: {} ({}, {}){paused}",
        it.id,
        cron_words(&cron),
        it.cron,
        it.timezone
    ));
    let whom = match &it.audience_hook {
        Some(url) => format!("those that {url} names"),
        None => "everybody of the feed".to_string(),
    };
    let missed = match it.catch_up {
        CatchUp::Once => "missed runs are made up by one",
        CatchUp::None => "missed runs are left out",
        CatchUp::All => "missed runs are all made up",
    };
    lines.push(format!(
        "  \"{}\" in {} of {}, to {whom}; {missed}",
        it.title, it.feed, it.namespace
    ));
    let runs = next_runs(&cron, &zone, world.now, RUNS);
    lines.extend(runs.iter().map(|run| format!("  next: {run}")));
    Ok(())
}

fn limits(config: &Config) -> Vec<String> {
    let limits = &config.limits;
    let pace = |pace: &Pace| match pace.rate {
        Some(rate) => format!("{rate}, {} at once", pace.burst),
        None => "as many as come".to_string(),
    };
    Vec::from([
        format!(
            "{} connections, {} of one address, {} of one person",
            limits.connections, limits.connections_per_ip, limits.connections_per_user
        ),
        format!(
            "messages of {}, before signing in {}",
            show_size(limits.message),
            show_size(limits.message_unauthenticated)
        ),
        format!("messages of one connection: {}", pace(&limits.messages)),
        format!("announcements of one person: {}", pace(&limits.publish)),
        format!(
            "a connection that lags behind by {} or {} messages is closed",
            show_size(limits.queue_bytes),
            limits.queue_messages
        ),
    ])
}

fn keeps(config: &Config) -> Vec<String> {
    let bus = match &config.bus {
        Bus::Local if config.store.shared => "servers: those that share the store; rooms, \
            presence, connections and the event bus stay those of each"
            .to_string(),
        Bus::Local => "servers: this one alone".to_string(),
        Bus::Nats { url, prefix } => {
            format!("servers: those that meet at {url}, subjects under {prefix}")
        }
    };
    let shared = match config.store.shared {
        true => ", shared by several servers of this machine",
        false => "",
    };
    Vec::from([
        format!(
            "announcements: SQLite in {}{shared}",
            config.store.path.display()
        ),
        bus,
    ])
}
