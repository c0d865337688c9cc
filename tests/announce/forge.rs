//! Secrets, times, and tokens that no honest minter would make.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use framewire::announce::secret::Secret;
use framewire::announce::token;
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

/// A key pair, or the secret, and what signs with it.
pub(crate) struct Signer(Kind);

enum Kind {
    Secret,
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    /// A new key pair; for HS256 the secret that all of these tests use.
    pub(crate) fn new(algorithm: token::Algorithm) -> Self {
        Self(match algorithm {
            token::Algorithm::Hs256 => Kind::Secret,
            token::Algorithm::Rs256 => Kind::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            token::Algorithm::Es256 => {
                Kind::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            _ => Kind::Ed(Ed25519KeyPair::generate().unwrap()),
        })
    }

    pub(crate) fn algorithm(&self) -> token::Algorithm {
        match self.0 {
            Kind::Secret => token::Algorithm::Hs256,
            Kind::Rsa(_) => token::Algorithm::Rs256,
            Kind::Ec(_) => token::Algorithm::Es256,
            Kind::Ed(_) => token::Algorithm::EdDsa,
        }
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match &self.0 {
            Kind::Secret => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Kind::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &rng, message, &mut signature)
                    .unwrap();
                signature
            }
            Kind::Ec(pair) => pair.sign(&rng, message).unwrap().as_ref().to_vec(),
            Kind::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.signature(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The SubjectPublicKeyInfo; none for the secret.
    pub(crate) fn der(&self) -> Vec<u8> {
        let der = match &self.0 {
            Kind::Secret => return Vec::new(),
            Kind::Rsa(pair) => pair.public_key().as_der(),
            Kind::Ec(pair) => pair.public_key().as_der(),
            Kind::Ed(pair) => pair.public_key().as_der(),
        };
        let der: PublicKeyX509Der<'_> = der.unwrap();
        der.as_ref().to_vec()
    }

    pub(crate) fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.der())
    }

    /// Modulus of the RSA key, point of the others.
    pub(crate) fn public(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Secret => Vec::new(),
            Kind::Rsa(pair) => {
                // SEQUENCE, INTEGER with a zero before 256 bytes, INTEGER 65537.
                let der = pair.public_key().as_ref();
                assert_eq!(der.len(), 9 + 256 + 5);
                der[9..9 + 256].to_vec()
            }
            Kind::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Kind::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The public members of its JWK.
    pub(crate) fn jwk(&self, rest: &str) -> String {
        let public = self.public();
        match &self.0 {
            Kind::Secret => format!(r#"{{"kty":"oct","k":"{}"{rest}}}"#, encode(SECRET)),
            Kind::Rsa(_) => {
                format!(
                    r#"{{"kty":"RSA","n":"{}","e":"AQAB"{rest}}}"#,
                    encode(public)
                )
            }
            Kind::Ec(_) => format!(
                r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"{rest}}}"#,
                encode(&public[1..33]),
                encode(&public[33..])
            ),
            Kind::Ed(_) => format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"{rest}}}"#,
                encode(public)
            ),
        }
    }
}

/// A JWK Set of these keys, each with a name.
pub(crate) fn jwks(keys: &[(&Signer, &str)]) -> String {
    let keys: Vec<_> = keys
        .iter()
        .map(|(key, kid)| key.jwk(&format!(r#","kid":"{kid}""#)))
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = vec![0; der.len() * 2 + 4];
    let length = STANDARD.encode_slice(der, &mut text).unwrap();
    let lines: Vec<_> = text[..length]
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
