//! The implementations of others, as commands.

use std::process::Command;

use crate::install;

/// One of the programs in `tests/peers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Ws,
    Websockets,
    Aiohttp,
    Wsproto,
    Tornado,
    Tungstenite,
    Yawc,
}

impl Peer {
    pub(crate) const ALL: [Self; 7] = [
        Self::Ws,
        Self::Websockets,
        Self::Aiohttp,
        Self::Wsproto,
        Self::Tornado,
        Self::Tungstenite,
        Self::Yawc,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Websockets => "websockets",
            Self::Aiohttp => "aiohttp",
            Self::Wsproto => "wsproto",
            Self::Tornado => "tornado",
            Self::Tungstenite => "tungstenite",
            Self::Yawc => "yawc",
        }
    }

    /// The command, installed now if it is missing, without its arguments.
    pub(crate) fn command(self) -> Command {
        match self {
            Self::Ws => {
                let script = install::npm_package("node").join("peer.mjs");
                let mut command = Command::new(install::node());
                command.arg(script);
                command
            }
            Self::Websockets | Self::Aiohttp | Self::Wsproto | Self::Tornado => {
                let (python, script) = install::python_peer();
                let mut command = Command::new(python);
                command.arg("-B").arg(script.with_file_name("matrix.py"));
                command.arg(self.name());
                command
            }
            Self::Tungstenite | Self::Yawc => {
                let mut command = Command::new(install::rust_peer());
                command.arg(self.name());
                command
            }
        }
    }
}
