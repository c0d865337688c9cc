//! Secrets, times, and tokens that no honest minter would make.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use framewire::announce::secret::Secret;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn secret() -> Secret {
    Secret::load(std::path::Path::new("unused"), Some(SECRET.into())).unwrap()
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn now() -> SystemTime {
    at(NOW)
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    let mut text = vec![0; bytes.as_ref().len() * 2 + 4];
    let length = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text).unwrap();
    text.truncate(length);
    String::from_utf8(text).unwrap()
}

/// Signs any two texts with the right secret.
pub(crate) fn sign(header: &str, payload: &str) -> String {
    sign_with(header, payload, SECRET.as_bytes(), Algorithm::HS256)
}

pub(crate) fn sign_with(
    header: &str,
    payload: &str,
    secret: &[u8],
    algorithm: Algorithm,
) -> String {
    sign_segments(&encode(header), &encode(payload), secret, algorithm)
}

pub(crate) fn sign_segments(
    header: &str,
    payload: &str,
    secret: &[u8],
    algorithm: Algorithm,
) -> String {
    let message = format!("{header}.{payload}");
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// A payload that is valid but for what is put into it.
pub(crate) fn payload(exp: &str, rest: &str) -> String {
    format!(r#"{{"sub":"alice","exp":{exp}{rest}}}"#)
}

pub(crate) fn good() -> String {
    sign(HEADER, &payload(&(NOW + 60).to_string(), ""))
}
