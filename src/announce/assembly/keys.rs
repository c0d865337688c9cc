//! Which tokens are believed: settings, keys and secrets.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::announce::assembly::error::StartError;
use crate::announce::config::{Config, SecretSource, Tokens};
use crate::announce::secret::Secret;
use crate::announce::token::{
    Algorithm, Jwks, JwksLocation, JwksSettings, KeyRing, Keys, Pin, Settings,
};

/// The most that is read of a file with a key, in bytes.
const KEY_BYTES_MAX: u64 = 64 << 10;

/// What is asked of a token.
pub(crate) fn settings(tokens: &Tokens) -> Result<Settings, StartError> {
    let settings = Settings {
        algorithms: tokens
            .algorithms
            .iter()
            .filter_map(|name| Algorithm::from_name(name))
            .collect(),
        issuers: tokens.issuer.iter().cloned().collect(),
        audience: tokens.audience.clone(),
        user_claim: tokens.user_claim.clone(),
        namespace_claim: tokens.namespace_claim.clone(),
        scope_claim: tokens.scope_claim.clone(),
        roles_claim: tokens.roles_claim.clone(),
        channels_claim: tokens.channels_claim.clone(),
        skew: tokens.skew,
        ..Settings::default()
    };
    let checked = settings.check();
    checked.map_err(|error| StartError::new("auth.tokens", error))?;
    Ok(settings)
}

/// The secret of the HS algorithms, where one of them is taken.
pub(crate) fn secret(
    config: &Config,
    environment: &BTreeMap<String, String>,
) -> Result<Option<Secret>, StartError> {
    let tokens = &config.auth.tokens;
    if !tokens.need_secret() {
        return Ok(None);
    }
    //= A18
    //= A19
    let secret = match &tokens.secret {
        SecretSource::VariableOrGenerated(name) => {
            Secret::load(&config.server.data, environment.get(name).cloned())
                .map_err(|error| StartError::new("auth.tokens.secret_env", error))?
        }
        SecretSource::Variable(name) => variable(name, environment, "auth.tokens.secret_env")?,
        SecretSource::File(path) => Secret::from_file(path)
            .map_err(|error| StartError::new("auth.tokens.secret_file", error))?,
    };
    Ok(Some(secret))
}

fn variable(
    name: &str,
    environment: &BTreeMap<String, String>,
    path: &'static str,
) -> Result<Secret, StartError> {
    let value = environment.get(name).ok_or_else(|| {
        let what = alloc::format!("the variable {name} is not set; it has to hold the secret");
        StartError::new(path, what)
    })?;
    Secret::from_variable(name, value.to_owned()).map_err(|error| StartError::new(path, error))
}

/// The keys that are set by hand.
pub(crate) fn keys(
    config: &Config,
    secret: Option<&Secret>,
    environment: &BTreeMap<String, String>,
) -> Result<Keys, StartError> {
    let tokens = &config.auth.tokens;
    let failed = |error| StartError::new("auth.tokens.keys", error);
    let mut keys = Keys::new();
    if let Some(secret) = secret {
        keys = keys.with_secret(secret, Pin::default()).map_err(failed)?;
        if let Some(name) = &tokens.previous_secret_env
            && environment.contains_key(name)
        {
            let previous = variable(name, environment, "auth.tokens.previous_secret_env")?;
            let pin = Pin::default();
            keys = keys.with_secret(&previous, pin).map_err(failed)?;
        }
    }
    for key in &tokens.keys {
        let pem = read(&key.pem_file).map_err(|error| {
            let file = key.pem_file.display();
            StartError::new(
                "auth.tokens.keys",
                alloc::format!("cannot read {file}: {error}"),
            )
        })?;
        let pin = Pin {
            kid: key.kid.clone(),
            issuer: key.issuer.clone(),
            until: None,
        };
        let Some(algorithm) = Algorithm::from_name(&key.algorithm) else {
            continue;
        };
        keys = keys.with_pem(algorithm, &pem, pin).map_err(|error| {
            let file = key.pem_file.display();
            StartError::new("auth.tokens.keys", alloc::format!("{file}: {error}"))
        })?;
    }
    Ok(keys)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(KEY_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The sets of keys that others keep.
pub(crate) fn sets(tokens: &Tokens, ring: &KeyRing) -> Result<Vec<Jwks>, StartError> {
    let file = tokens.jwks_file.clone().map(JwksLocation::File);
    let url = tokens.jwks_url.clone().map(JwksLocation::Url);
    let located = [
        ("auth.tokens.jwks_file", file),
        ("auth.tokens.jwks_url", url),
    ];
    let mut sets = Vec::new();
    for (path, location) in located {
        let Some(location) = location else { continue };
        let mut settings = JwksSettings::new(location);
        settings.issuer.clone_from(&tokens.issuer);
        let set = Jwks::new(ring, settings).map_err(|error| StartError::new(path, error))?;
        sets.push(set);
    }
    Ok(sets)
}
