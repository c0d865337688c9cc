//! Where a configuration comes from, so that it can be read again.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use std::path::{Path, PathBuf};

use crate::announce::assembly::check;
use crate::announce::assembly::error::Refused;
use crate::announce::config::check::Report;
use crate::announce::config::{Config, Flags, Source};

/// The file that is read where none is named, if it is there.
pub const DEFAULT_FILE: &str = "conf/socket.yaml";

/// Where a configuration comes from. The environment is that of the moment when this was made.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The file; `None` for defaults.
    pub file: Option<PathBuf>,
    /// The variables.
    pub environment: BTreeMap<String, String>,
    /// The flags.
    pub flags: Flags,
}

impl Inputs {
    /// The file that is named; or [`DEFAULT_FILE`] below the working directory if it is there;
    /// or none. With this environment and these flags.
    //= B02
    #[must_use]
    pub fn new(
        named: Option<PathBuf>,
        environment: BTreeMap<String, String>,
        flags: Flags,
    ) -> Self {
        let default = || Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists());
        Self {
            file: named.or_else(default),
            environment,
            flags,
        }
    }

    /// Reads the configuration, and looks at it as at the start of a server.
    ///
    /// # Errors
    ///
    /// [`Refused`] if it cannot be read, if anything in it is wrong, or if it is unsafe and its
    /// profile is production.
    pub fn load(&self) -> Result<(Config, Report), Refused> {
        let source = self.file.as_deref().map(read).transpose()?;
        let config = Config::load(source.as_ref(), &self.environment, &self.flags)?;
        let report = check::report(&config, &self.environment);
        //= AU-18
        if report.is_refused() {
            return Err(Refused::Unsafe(report.findings));
        }
        Ok((config, report))
    }
}

fn read(path: &Path) -> Result<Source, Refused> {
    Source::read(path)
        .map_err(|error| Refused::Unreadable(format!("cannot read {}: {error}", path.display())))
}
