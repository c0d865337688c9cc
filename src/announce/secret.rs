//! The key that signs and verifies tokens: where it comes from and when it is refused.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::announce::private;
use crate::announce::random::{hex, random};

/// The environment variable that holds the secret; only the command line reads it.
pub const VARIABLE: &str = "API_secret";

/// The name of the file in the data folder that keeps a generated secret.
pub const FILE: &str = "api_secret";

/// The shortest secret that is taken, in bytes: the size of an HS256 digest.
pub const BYTES_MIN: usize = 32;

/// The longest secret file that is read, in bytes.
const BYTES_MAX: u64 = 4096;

/// The HMAC secret. `Debug` does not print it.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Finds the secret, or makes one.
    ///
    /// `environment` is the value of [`VARIABLE`], where it is set: it wins, even when it is
    /// unusable. Else the file [`FILE`] under `data` is read. Else 32 bytes from the operating
    /// system's generator are written there as 64 hexadecimal digits, whole or not at all, in
    /// a file that only its owner can read; `data` is created for its owner alone if missing.
    /// The key is the text itself, so the content of the file may be given as the variable.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the secret is shorter than [`BYTES_MIN`], if others
    /// can read the file, or if the file cannot be read or written.
    pub fn load(data: &Path, environment: Option<String>) -> Result<Self, SecretError> {
        if let Some(value) = environment {
            return Self::admit(value.into_bytes(), Origin::Environment);
        }
        let path = data.join(FILE);
        if let Some(secret) = Self::read(&path)? {
            return Ok(secret);
        }
        private::create_dir(data).map_err(|source| SecretError::io("create", data, source))?;
        generate(&path)?;
        Self::read(&path)?
            .ok_or_else(|| SecretError::io("read", &path, io::Error::from(io::ErrorKind::NotFound)))
    }

    /// A secret that the environment variable `name` gives, such as one of before that still
    /// verifies. It is taken as it stands, and nothing is generated.
    ///
    /// # Errors
    ///
    /// [`SecretError::TooShort`] if it is shorter than [`BYTES_MIN`].
    pub fn from_variable(name: &str, value: String) -> Result<Self, SecretError> {
        Self::admit(value.into_bytes(), Origin::Variable(name.into()))
    }

    /// A secret that a file of its own holds, which only its owner may read. A line feed at its
    /// end does not count.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load), and if there is no file.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        Self::read(path)?
            .ok_or_else(|| SecretError::io("read", path, io::ErrorKind::NotFound.into()))
    }

    /// The bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn read(path: &Path) -> Result<Option<Self>, SecretError> {
        let failed = |source| SecretError::io("read", path, source);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if let Some(mode) = private::exposed_mode(&file).map_err(failed)? {
            return Err(SecretError::Exposed {
                path: path.into(),
                mode,
            });
        }
        let mut bytes = Vec::new();
        file.take(BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        Self::admit(bytes, Origin::File(path.into())).map(Some)
    }

    fn admit(bytes: Vec<u8>, origin: Origin) -> Result<Self, SecretError> {
        //= AU-18
        //= A19
        if bytes.len() < BYTES_MIN {
            return Err(SecretError::TooShort {
                origin,
                bytes: bytes.len(),
            });
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Writes a new secret beside `path` and gives it that name in one step, so that nobody ever
/// reads half a secret. If another process was faster, its secret stands.
fn generate(path: &Path) -> Result<(), SecretError> {
    let failed = |source| SecretError::io("create", path, source);
    let text = hex(&random::<32>().map_err(failed)?);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", hex(&random::<8>().map_err(failed)?)));
    let draft = PathBuf::from(name);
    let written = private::create_new(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    });
    let removed = fs::remove_file(&draft);
    written.and(removed).map_err(failed)
}

/// Where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The environment variable [`VARIABLE`].
    Environment,
    /// Another environment variable.
    Variable(String),
    /// This file.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => write!(f, "the environment variable {VARIABLE}"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// Why there is no usable secret; one line that says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretError {
    /// The secret is shorter than [`BYTES_MIN`].
    TooShort {
        /// Where it was found.
        origin: Origin,
        /// Its length.
        bytes: usize,
    },
    /// Others than the owner can read the file.
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file or its folder could not be used.
    Io {
        /// What was tried: `read` or `create`.
        verb: &'static str,
        /// With which path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl SecretError {
    fn io(verb: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            verb,
            path: path.into(),
            source,
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { origin, bytes } => write!(
                f,
                "{origin} holds {bytes} bytes, a secret needs at least {BYTES_MIN}: set a longer \
                 one (`openssl rand -hex 32` makes one), or remove it to have one generated"
            ),
            Self::Exposed { path, mode } => write!(
                f,
                "others can read the secret in {0} (mode {mode:04o}): run `chmod 600 {0}`, or \
                 delete it to have a new one generated, which ends all tokens",
                path.display()
            ),
            Self::Io { verb, path, source } => {
                write!(f, "cannot {verb} {}: {source}", path.display())
            }
        }
    }
}

impl core::error::Error for SecretError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
