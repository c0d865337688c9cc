//! One key: what it verifies, for whom, and until when.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::time::SystemTime;

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

use crate::announce::secret::Secret;
use crate::announce::token::algorithm::Algorithm;
use crate::announce::token::header::KID_BYTES_MAX;

/// The longest PEM text of a key, in bytes.
const PEM_BYTES_MAX: usize = 64 << 10;

/// The sizes of an RSA modulus that are taken, in bits.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

/// What a key is tied to. Each of these narrows what it verifies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// Its name. A key with a name serves tokens that name it or no key; a key without one
    /// serves all of its algorithm.
    pub kid: Option<String>,
    /// The issuer that it belongs to: it serves tokens whose claim `iss` is exactly this.
    pub issuer: Option<String>,
    /// From this moment on it verifies nothing.
    pub until: Option<SystemTime>,
}

/// A key that verifies by one algorithm. `Debug` prints no part of it.
#[derive(Clone)]
pub(crate) struct Key {
    algorithm: Algorithm,
    pin: Pin,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Shared(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Key {
    pub(crate) fn shared(secret: &Secret, pin: Pin) -> Result<Self, KeyError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Self::new(Algorithm::Hs256, pin, Material::Shared(Box::new(key)))
    }

    /// The one block `PUBLIC KEY` of a PEM text.
    pub(crate) fn from_pem(algorithm: Algorithm, pem: &[u8], pin: Pin) -> Result<Self, KeyError> {
        let by = verification(algorithm).ok_or(KeyError::Kind)?;
        if pem.len() > PEM_BYTES_MAX {
            return Err(KeyError::Pem);
        }
        let mut blocks = SubjectPublicKeyInfoDer::pem_slice_iter(pem);
        let (Some(Ok(der)), None) = (blocks.next(), blocks.next()) else {
            return Err(KeyError::Pem);
        };
        let key = ParsedPublicKey::new(by, &der).map_err(|_| KeyError::Kind)?;
        if algorithm == Algorithm::Rs256 {
            let measured = PublicEncryptingKey::from_der(&der).map(|key| key.key_size_bits());
            if !measured.is_ok_and(|bits| RSA_BITS.contains(&bits)) {
                return Err(KeyError::Weak);
            }
        }
        Self::new(algorithm, pin, Material::Public(key))
    }

    /// An RSA key from the big-endian bytes of its modulus and its exponent.
    pub(crate) fn from_rsa(n: &[u8], e: &[u8], pin: Pin) -> Result<Self, KeyError> {
        let (n, e) = (without_zeros(n), without_zeros(e));
        let spare = n.first().map_or(0, |first| first.leading_zeros() as usize);
        let is_exponent = matches!(e, [.., last] if last % 2 == 1 && e.len() <= 8) && e != [1];
        //= AU-18
        if !RSA_BITS.contains(&(n.len() * 8 - spare)) || !is_exponent {
            return Err(KeyError::Weak);
        }
        let key = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| KeyError::Kind)?;
        Self::new(Algorithm::Rs256, pin, Material::Public(key))
    }

    /// A key from the bytes in which its curve spells a point.
    pub(crate) fn from_point(
        algorithm: Algorithm,
        point: &[u8],
        pin: Pin,
    ) -> Result<Self, KeyError> {
        let by = verification(algorithm).ok_or(KeyError::Kind)?;
        let key = ParsedPublicKey::new(by, point).map_err(|_| KeyError::Kind)?;
        Self::new(algorithm, pin, Material::Public(key))
    }

    fn new(algorithm: Algorithm, pin: Pin, material: Material) -> Result<Self, KeyError> {
        let is_name = |name: &String| !name.is_empty() && name.len() <= KID_BYTES_MAX;
        if !pin.kid.iter().all(is_name) {
            return Err(KeyError::Name);
        }
        Ok(Self {
            algorithm,
            pin,
            material,
        })
    }

    pub(crate) fn pin(&self) -> &Pin {
        &self.pin
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether it still verifies at `now`.
    pub(crate) fn is_valid(&self, now: SystemTime) -> bool {
        self.pin.until.is_none_or(|until| now < until)
    }

    /// The same key, which ends at `until` if not before.
    pub(crate) fn ending(&self, until: SystemTime) -> Self {
        let mut key = self.clone();
        key.pin.until = Some(key.pin.until.map_or(until, |before| before.min(until)));
        key
    }

    /// Whether both have one name at one issuer, for one algorithm.
    pub(crate) fn is_namesake(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
            && self.pin.kid.is_some()
            && self.pin.kid == other.pin.kid
            && self.pin.issuer == other.pin.issuer
    }

    /// Whether both are one public key under one name.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.material, &other.material) {
            (Material::Public(one), Material::Public(two)) => {
                self.algorithm == other.algorithm
                    && self.pin.kid == other.pin.kid
                    && one.as_ref() == two.as_ref()
            }
            _ => false,
        }
    }

    /// Whether `signature` is this key's of `message`. A shared secret is compared in a time
    /// that does not depend on how much is right.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Shared(key) => hmac::verify(key, message, signature).is_ok(),
            Material::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

fn verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::Hs256 => None,
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::EdDsa => Some(&ED25519),
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// The point of P-256 with these coordinates, uncompressed.
pub(crate) fn p256_point(x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    (x.len() == 32 && y.len() == 32).then(|| [&[4], x, y].concat())
}

/// Why a key cannot be used. It holds nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM text with one block `PUBLIC KEY`.
    Pem,
    /// Not a public key for its algorithm.
    Kind,
    /// An RSA key of fewer than 2048 bits, of more than 8192, or with an exponent that protects
    /// nothing.
    Weak,
    /// A name that is empty or longer than 256 bytes.
    Name,
    /// Two keys of one algorithm and one issuer have one name.
    Twice,
    /// More keys than a set holds.
    TooMany,
    /// A private key, or a secret, in a place that is for public keys.
    Private,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pem => "a key is one PEM block PUBLIC KEY: `openssl pkey -pubout` makes one",
            Self::Kind => "this is not a public key for its algorithm",
            Self::Weak => "an RSA key needs from 2048 to 8192 bits and an odd exponent above 1",
            Self::Name => "the name of a key is empty or longer than 256 bytes",
            Self::Twice => "two keys of one algorithm and issuer have the same name",
            Self::TooMany => "there are more than 64 keys",
            Self::Private => "only public keys belong here, and this holds a private one",
        })
    }
}

impl core::error::Error for KeyError {}
