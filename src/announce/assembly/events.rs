//! The event bus: its endpoint, its webhooks, and the link to other servers.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use tokio::sync::watch;

use crate::announce::assembly::error::StartError;
use crate::announce::assembly::link::Far;
use crate::announce::bus::{BadTopic, Bus, Topic};
use crate::announce::config::{self, BroadcastScope, Config, SecretSource, Socket};
use crate::announce::gateway::webhook::{Client, Webhook};
use crate::announce::gateway::{self, Settings, SettingsError, Types};
use crate::announce::outgoing;
use crate::announce::random::random;
use crate::announce::secret::Secret;

/// The path of the keys of the endpoint.
const SOCKET: &str = "gateway.socket";
/// The path of the webhooks.
const HANDLERS: &str = "gateway.handlers";

/// What the gateway dialect needs: the bus, and the settings of its endpoint. They change with a
/// reload.
#[derive(Clone, Debug)]
pub struct Events {
    /// The bus.
    pub bus: Bus,
    /// The settings of the endpoint.
    pub settings: watch::Receiver<Arc<Settings>>,
}

/// Webhooks that are ready to be attached.
pub(crate) type Webhooks = Vec<(String, Webhook)>;

/// What an endpoint is set to, where there is one.
pub(crate) fn settings(config: &Config) -> Result<Option<Settings>, StartError> {
    let Some(socket) = &config.gateway.socket else {
        return Ok(None);
    };
    let settings = of_socket(socket, config.gateway.allow_raw);
    settings
        .and_then(|settings| settings.check().map(|()| Some(settings)))
        .map_err(|error| StartError::new(SOCKET, error))
}

fn of_socket(socket: &Socket, allow_raw: bool) -> Result<Settings, SettingsError> {
    let topic = |name: &Option<String>| name.as_deref().map(Topic::parse).transpose();
    let mut types = Types::new();
    for (label, name) in &socket.types {
        types.insert(label, Topic::parse(name)?)?;
    }
    let mut settings = Settings::default();
    settings.path.clone_from(&socket.path);
    settings.onconnect = topic(&socket.onconnect)?;
    settings.onmessage = topic(&socket.onmessage)?;
    settings.types = types;
    settings.onclose = topic(&socket.onclose)?;
    settings.send = topic(&socket.send)?;
    settings.broadcast = topic(&socket.broadcast)?;
    settings.broadcast_scope = match socket.broadcast_scope {
        BroadcastScope::Namespace => gateway::BroadcastScope::Namespace,
        BroadcastScope::AllNamespaces => gateway::BroadcastScope::AllNamespaces,
    };
    settings.allow_raw = allow_raw;
    Ok(settings)
}

/// The webhooks, with their secrets.
pub(crate) fn webhooks(
    config: &Config,
    environment: &BTreeMap<String, String>,
) -> Result<Webhooks, StartError> {
    let handlers = config.gateway.handlers.iter();
    handlers
        .map(|from| Ok((from.topic.clone(), webhook(from, environment)?)))
        .collect()
}

fn webhook(
    from: &config::Webhook,
    environment: &BTreeMap<String, String>,
) -> Result<Webhook, StartError> {
    let failed = |error: &dyn core::fmt::Display| {
        StartError::new(HANDLERS, format!("handler of {}: {error}", from.topic))
    };
    let secret = match &from.secret {
        Some(SecretSource::File(path)) => {
            let secret = Secret::from_file(path).map_err(|error| failed(&error))?;
            secret.as_bytes().to_vec()
        }
        Some(SecretSource::Variable(name) | SecretSource::VariableOrGenerated(name)) => {
            let missing = || failed(&format!("the variable {name} is not set"));
            let value = environment.get(name).ok_or_else(missing)?;
            value.clone().into_bytes()
        }
        // Whoever shares no secret cannot check the signature; nobody else can make one either.
        None => random::<32>().map_err(|error| failed(&error))?.to_vec(),
    };
    let topic = Topic::parse(&from.topic).map_err(|error: BadTopic| failed(&error))?;
    Webhook::new(topic, &from.url, &secret, from.timeout).map_err(|error| failed(&error))
}

/// Attaches webhooks to the bus, in place of those of before.
pub(crate) fn attach(bus: &Bus, before: &[String], webhooks: Webhooks) -> Result<(), StartError> {
    if webhooks.is_empty() && before.is_empty() {
        return Ok(());
    }
    let tls = outgoing::trust().map_err(|error| StartError::new(HANDLERS, error))?;
    let post = Arc::new(Client::new(tls));
    for topic in before {
        bus.release(topic);
    }
    for (topic, webhook) in webhooks {
        webhook
            .attach(bus, Arc::clone(&post) as _)
            .map_err(|error| StartError::new(HANDLERS, format!("handler of {topic}: {error}")))?;
    }
    Ok(())
}

/// The other servers, where there are any.
pub(crate) fn far(config: &Config) -> Result<Option<Far>, StartError> {
    match &config.bus {
        config::Bus::Local => Ok(None),
        config::Bus::Nats { url, prefix } => Far::new(url, prefix).map(Some),
    }
}
