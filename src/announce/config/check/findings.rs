//! What is worth a word: notes, warnings, and what is unsafe.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::announce::config::check::world::{Strength, World};
use crate::announce::config::fault::Place;
use crate::announce::config::model::{BroadcastScope, Bus, Config, Origins, SecretSource};
use crate::announce::secret;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know.
    Note,
    /// Most likely not what is meant.
    Warning,
    /// A danger to the people who use the server; it does not start so in production.
    Unsafe,
}

/// One remark on a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Where the value was given.
    pub place: Place,
    /// The path of the key.
    pub path: String,
    /// What there is to say.
    pub text: String,
}

impl Finding {
    pub(crate) fn new(
        config: &Config,
        severity: Severity,
        path: &str,
        text: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            place: config.values.place(path),
            path: path.to_owned(),
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Unsafe => "unsafe",
        };
        write!(
            f,
            "{severity}: {}: {}: {}",
            self.place, self.path, self.text
        )
    }
}

pub(super) fn of(config: &Config, world: &World<'_>) -> Vec<Finding> {
    let mut all = Search {
        config,
        found: Vec::new(),
    };
    all.cleartext();
    all.origins();
    all.gateway();
    all.rates();
    all.secrets(world);
    all.tokens();
    all.bus();
    all.schedules();
    all.found
}

struct Search<'c> {
    config: &'c Config,
    found: Vec<Finding>,
}

impl Search<'_> {
    fn say(&mut self, severity: Severity, path: &str, text: impl Into<String>) {
        self.found
            .push(Finding::new(self.config, severity, path, text));
    }

    //= A09
    //= WS-172
    fn cleartext(&mut self) {
        let server = &self.config.server;
        if server.tls.is_some() || server.listen.ip().is_loopback() {
            return;
        }
        match server.allow_cleartext {
            false => self.say(
                Severity::Unsafe,
                "server.listen",
                "tokens would cross the network in the clear: set server.tls, or listen on \
                 127.0.0.1; behind a proxy that ends TLS, set server.allow_cleartext",
            ),
            true => self.say(
                Severity::Warning,
                "server.allow_cleartext",
                "tokens cross the network in the clear unless a proxy before this server ends TLS",
            ),
        }
    }

    //= C15
    fn origins(&mut self) {
        let any = "any page that a person visits can connect with that person's cookie";
        if self.config.origins == Origins::Any {
            self.say(Severity::Unsafe, "origins", any);
        }
        if self.config.gateway.origins == Origins::Any && self.config.origins != Origins::Any {
            self.say(Severity::Unsafe, "gateway.origins", any);
        }
        let is_listed = |origins: &Origins| matches!(origins, Origins::Listed(_));
        let same = !is_listed(&self.config.origins) && !is_listed(&self.config.gateway.origins);
        if same && self.config.values.place("auth.cookie") != Place::Default {
            let text = "the cookie is not looked at, since no origins are listed: set origins";
            self.say(Severity::Warning, "auth.cookie", text);
        }
        let clear: Vec<&str> = [&self.config.origins, &self.config.gateway.origins]
            .into_iter()
            .filter_map(|origins| match origins {
                Origins::Listed(list) => Some(list),
                _ => None,
            })
            .flatten()
            .filter(|origin| origin.starts_with("http://") && !is_local(origin))
            .map(String::as_str)
            .collect();
        if !clear.is_empty() {
            let path = match is_listed(&self.config.origins) {
                true => "origins",
                false => "gateway.origins",
            };
            self.say(
                Severity::Warning,
                path,
                "a page that is read over http can be exchanged on its way",
            );
        }
    }

    fn gateway(&mut self) {
        let gateway = &self.config.gateway;
        let Some(socket) = &gateway.socket else {
            return;
        };
        if !gateway.namespace_required {
            let text = format!(
                "who names no namespace is in {}, together with everybody else who names none",
                gateway.namespace_default
            );
            self.say(Severity::Unsafe, "gateway.namespace.required", text);
        }
        if socket.broadcast_scope == BroadcastScope::AllNamespaces {
            self.say(
                Severity::Unsafe,
                "gateway.socket.broadcast.scope",
                "one program can send to the people of all namespaces",
            );
        }
        if gateway.allow_raw {
            self.say(
                Severity::Warning,
                "gateway.allow_raw",
                "handlers get whatever clients send, JSON or not",
            );
        }
        for (at, handler) in self.config.gateway.handlers.iter().enumerate() {
            if handler.secret.is_none() {
                self.say(
                    Severity::Warning,
                    &format!("gateway.handlers[{at}].url"),
                    "without a secret, the handler cannot know who posts",
                );
            }
            if handler.url.starts_with("http://") && !is_local(&handler.url) {
                self.say(
                    Severity::Warning,
                    &format!("gateway.handlers[{at}].url"),
                    "what clients say crosses the network in the clear",
                );
            }
        }
    }

    fn rates(&mut self) {
        let limits = &self.config.limits;
        let rates = [
            (limits.accept_rate, "limits.accept_rate", "connections"),
            (limits.messages.rate, "limits.messages.rate", "messages"),
            (limits.publish.rate, "limits.publish.rate", "announcements"),
        ];
        for (rate, path, what) in rates {
            if rate.is_none() {
                let text = format!("nothing bounds how many {what} arrive");
                self.say(Severity::Unsafe, path, text);
            }
        }
    }

    //= A19
    //= AU-18
    fn secrets(&mut self, world: &World<'_>) {
        let tokens = &self.config.auth.tokens;
        if tokens.need_secret() {
            let path = match tokens.secret {
                SecretSource::File(_) => "auth.tokens.secret_file",
                _ => "auth.tokens.secret_env",
            };
            self.secret(&tokens.secret, path, world);
        }
        if let Some(name) = &tokens.previous_secret_env {
            let source = SecretSource::Variable(name.clone());
            self.secret(&source, "auth.tokens.previous_secret_env", world);
        }
        for (at, handler) in self.config.gateway.handlers.iter().enumerate() {
            if let Some(source) = &handler.secret {
                let key = match source {
                    SecretSource::File(_) => "secret_file",
                    _ => "secret_env",
                };
                self.secret(source, &format!("gateway.handlers[{at}].{key}"), world);
            }
        }
    }

    fn secret(&mut self, source: &SecretSource, path: &str, world: &World<'_>) {
        let name = match source {
            SecretSource::Variable(name) | SecretSource::VariableOrGenerated(name) => {
                format!("the variable {name}")
            }
            SecretSource::File(file) => format!("the file {}", file.display()),
        };
        let least = secret::BYTES_MIN;
        match ((world.secret)(source), source) {
            (None, SecretSource::VariableOrGenerated(_)) => {
                let text = format!("{name} is not set: a secret is generated in server.data");
                self.say(Severity::Note, path, text);
            }
            (None, _) => {
                let text = format!("{name} is not there, so there is no secret");
                self.say(Severity::Unsafe, path, text);
            }
            (Some(Strength { bytes, .. }), _) if bytes < least => {
                let text = format!("{name} holds {bytes} bytes, a secret needs at least {least}");
                self.say(Severity::Unsafe, path, text);
            }
            (
                Some(Strength {
                    is_sample: true, ..
                }),
                _,
            ) => {
                let text = format!(
                    "{name} holds what looks like an example; `openssl rand -hex 32` makes a secret"
                );
                self.say(Severity::Unsafe, path, text);
            }
            (Some(_), _) => {}
        }
    }

    fn tokens(&mut self) {
        let tokens = &self.config.auth.tokens;
        let has_set = tokens.jwks_url.is_some() || tokens.jwks_file.is_some();
        if has_set && (tokens.issuer.is_none() || tokens.audience.is_none()) {
            self.say(
                Severity::Warning,
                "auth.tokens.issuer",
                "keys of a set sign tokens for other programs too: set issuer and audience",
            );
        }
    }

    fn bus(&mut self) {
        if self.config.bus == Bus::Local && self.config.values.get("bus.url").is_some() {
            let text = "the bus is local, so this is not used; bus.driver makes it nats";
            self.say(Severity::Warning, "bus.url", text);
        }
    }

    //= A20
    //= A21
    fn schedules(&mut self) {
        for (at, schedule) in self.config.announcements.schedules.iter().enumerate() {
            let fields: Vec<&str> = schedule.cron.split_ascii_whitespace().collect();
            let numbers = match fields.as_slice() {
                [first, second, day, "*", "*"] => first
                    .parse::<u8>()
                    .ok()
                    .zip(second.parse().ok())
                    .map(|it| (it, *day)),
                _ => None,
            };
            // Somebody who writes the hour first means an hour of the working day.
            let Some(((minute, hour), day)) = numbers else {
                continue;
            };
            let hour: u8 = hour;
            if (7..=20).contains(&minute) && hour < 6 {
                let text = format!(
                    "the minute stands first: this is {hour:02}:{minute:02}, not \
                     {minute:02}:{hour:02}, which is \"{hour} {minute} {day} * *\""
                );
                let path = format!("announcements.schedules[{at}].cron");
                self.say(Severity::Warning, &path, text);
            }
        }
    }
}

/// Whether a URL or an origin is of this machine.
fn is_local(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or(url);
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| {
        host.strip_prefix(local)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    })
}
