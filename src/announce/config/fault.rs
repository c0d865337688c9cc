//! What is wrong with a configuration, and where it stands.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The most faults that are reported at once; a file with more is most likely no configuration.
pub const FAULTS_MAX: usize = 100;

/// How many are gathered, of which the first are reported and the rest is counted.
pub(crate) const GATHERED_MAX: usize = 10_000;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Nowhere: the value is a default.
    Default,
    /// In the file of this name.
    File {
        /// Its name, as it was given.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// In the environment variable of this name.
    Environment(String),
    /// In the flag of this name.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::Flag(name) => write!(f, "the flag {name}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub place: Place,
    /// The path of the key, such as `gateway.socket.onconnect`; empty where no key is meant.
    pub path: String,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration, in the order of the file: a line for each.
///
/// There is at least one, and at most [`FAULTS_MAX`] are kept; the rest is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    faults: Vec<Fault>,
    left_out: usize,
}

impl Faults {
    /// No configuration comes of these, if there are any.
    pub(crate) fn unless_empty(mut faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        faults.sort_by_key(|fault| match fault.place {
            Place::File { line, column, .. } => (0, line, column),
            _ => (1, 0, 0),
        });
        let left_out = faults.len().saturating_sub(FAULTS_MAX);
        faults.truncate(FAULTS_MAX);
        Err(Self { faults, left_out })
    }

    /// The faults.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        if self.left_out > 0 {
            write!(f, "\nand {} more", self.left_out)?;
        }
        Ok(())
    }
}

impl core::error::Error for Faults {}
