//! From a file, the environment and flags to a configuration.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::SocketAddr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::announce::config::agree;
use crate::announce::config::assemble;
use crate::announce::config::fault::{Faults, Place};
use crate::announce::config::model::Config;
use crate::announce::config::table::rows;
use crate::announce::config::values::{Values, add_environment, add_file, add_text};
use crate::announce::config::yaml::BYTES_MAX;

/// The text of a file, and the name that faults call it by.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name.
    pub name: String,
    /// What it holds, whatever that is.
    pub bytes: Vec<u8>,
}

impl Source {
    /// Reads a file, and no more of it than is too much for a configuration.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let most = u64::try_from(BYTES_MAX)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
        let name = path.display().to_string();
        Ok(Self { name, bytes })
    }
}

/// What the command line sets.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--listen`: `server.listen`.
    pub listen: Option<SocketAddr>,
    /// `--data`: `server.data`.
    pub data: Option<PathBuf>,
}

impl Config {
    /// Makes a configuration from what is given, in this order, of which the later wins:
    ///
    /// 1. the defaults,
    /// 2. the file,
    /// 3. the environment: `FRAMEWIRE_` and the path of a key in capitals with `_` for each dot,
    ///    such as `FRAMEWIRE_LIMITS_CONNECTIONS`, for keys with a single value; then `PORT`, which
    ///    replaces the port of `server.listen`,
    /// 4. the flags.
    ///
    /// Nothing else is looked at but the time zones that the system knows, so that equal inputs
    /// make equal configurations. Secrets are not read here: the configuration says where they are.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each with its place.
    //= A18
    pub fn load(
        file: Option<&Source>,
        environment: &BTreeMap<String, String>,
        flags: &Flags,
    ) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut values = Values::defaults();
        if let Some(source) = file {
            add_file(&mut values, &source.name, &source.bytes, &mut faults);
        }
        add_environment(&mut values, environment, &mut faults);
        let listen = flags.listen.map(|listen| listen.to_string());
        let data = flags.data.as_ref().map(|data| data.display().to_string());
        let given = [
            ("server.listen", "--listen", listen),
            ("server.data", "--data", data),
        ];
        for (path, flag, text) in given {
            let row = rows().find(|row| row.path == path);
            if let (Some(row), Some(text)) = (row, text) {
                let place = Place::Flag(flag.to_owned());
                add_text(&mut values, row, &text, place, &mut faults);
            }
        }
        let config = assemble::config(values);
        if faults.is_empty() {
            faults = agree::check(&config);
        }
        Faults::unless_empty(faults).map(|()| config)
    }

    /// Where a value was given, such as that of `server.listen`, for those who tell about it.
    #[must_use]
    pub fn place(&self, path: &str) -> String {
        format!("{}", self.values.place(path))
    }
}

impl Default for Config {
    fn default() -> Self {
        assemble::config(Values::defaults())
    }
}
