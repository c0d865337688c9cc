//! Why there is no server, or no other configuration.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use crate::announce::config::Faults;
use crate::announce::config::check::Finding;

/// Something outside the configuration that it names and that cannot be used: a file, a secret,
/// an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// What it is for: the path of the key, such as `server.tls`.
    path: &'static str,
    what: String,
}

impl StartError {
    pub(crate) fn new(path: &'static str, what: impl fmt::Display) -> Self {
        let what = what.to_string();
        Self { path, what }
    }

    /// The path of the key that named it.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

impl core::error::Error for StartError {}

/// Why a configuration is not used. `Display` takes a line for each thing that is wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The file cannot be read.
    Unreadable(String),
    /// What is wrong in it, with lines.
    Faults(Faults),
    /// It is unsafe, and its profile is production.
    Unsafe(Vec<Finding>),
    /// What it names cannot be used.
    Start(StartError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(what) => f.write_str(what),
            Self::Faults(faults) => faults.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::Unsafe(findings) => {
                for (at, finding) in findings.iter().enumerate() {
                    if at > 0 {
                        f.write_str("\n")?;
                    }
                    finding.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl core::error::Error for Refused {}

impl From<Faults> for Refused {
    fn from(faults: Faults) -> Self {
        Self::Faults(faults)
    }
}

impl From<StartError> for Refused {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}
