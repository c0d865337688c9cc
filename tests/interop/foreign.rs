//! The implementations of others, as commands.

use std::process::Command;

use crate::install;
use crate::ours::Deflate;
use crate::packages;

/// One of the programs in `tests/peers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Ws,
    WebsocketDriver,
    Websockets,
    Aiohttp,
    Wsproto,
    Tornado,
    Tungstenite,
    Yawc,
}

impl Peer {
    pub(crate) const ALL: [Self; 8] = [
        Self::Ws,
        Self::WebsocketDriver,
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
            Self::WebsocketDriver => "websocket-driver",
            Self::Websockets => "websockets",
            Self::Aiohttp => "aiohttp",
            Self::Wsproto => "wsproto",
            Self::Tornado => "tornado",
            Self::Tungstenite => "tungstenite",
            Self::Yawc => "yawc",
        }
    }

    /// Whether it has permessage-deflate at all.
    pub(crate) const fn has_deflate(self) -> bool {
        !matches!(self, Self::Tungstenite)
    }

    /// Why the other end cannot be held to this setting; `None` where it can.
    pub(crate) const fn defect(self, deflate: Deflate) -> Option<&'static str> {
        match (self, deflate) {
            // Its client goes on with a window that it was told to drop, and its server answers
            // with a window that the client has asked it to drop.
            (Self::Tornado, Deflate::NoTakeover) => {
                Some("tornado 6.6 overlooks parameters without a value")
            }
            _ => None,
        }
    }

    /// The command, installed now if it is missing, without its arguments.
    pub(crate) fn command(self) -> Command {
        match self {
            Self::Ws | Self::WebsocketDriver => {
                let script = install::npm_package("node").join("peer.mjs");
                let mut command = Command::new(install::node());
                command.arg(script).arg(self.name());
                command
            }
            Self::Websockets | Self::Aiohttp | Self::Wsproto | Self::Tornado => {
                let (python, script) = packages::python_peer();
                let mut command = Command::new(python);
                command.arg("-B").arg(script.with_file_name("matrix.py"));
                command.arg(self.name());
                command
            }
            Self::Tungstenite | Self::Yawc => {
                let mut command = Command::new(packages::rust_peer());
                command.arg(self.name());
                command
            }
        }
    }
}
