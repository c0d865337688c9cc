//! What a hostile peer must not leave behind: tasks, sockets, connections that are counted, and
//! somebody else's connection that is not as it was.

use core::time::Duration;
use std::fs;

use framewire::net::{Error, WebSocket};
use framewire::server::HandshakeError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;

use super::{EchoServer, within};

/// What there is before a case: the tasks of this runtime, and the sockets of any process at one
/// port of this machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Before {
    port: u16,
    tasks: usize,
    sockets: usize,
}

impl Before {
    pub(crate) fn note(port: u16) -> Self {
        Self {
            port,
            tasks: tasks(),
            sockets: sockets(port),
        }
    }

    /// So many tasks, and nothing at a port that is not in use any more.
    pub(crate) const fn nothing_at(port: u16, tasks: usize) -> Self {
        Self {
            port,
            tasks,
            sockets: 0,
        }
    }

    /// Waits until there is no more of anything than there was, and expects no less.
    pub(crate) async fn holds_again(&self, case: &str) {
        let again = async {
            settled(self.tasks).await;
            // The table is long where many connections have been of late: it is not asked often.
            while sockets(self.port) != self.sockets {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), again)
            .await
            .is_err()
        {
            panic!(
                "{case}: {:?} is left, and was {self:?}",
                Self::note(self.port)
            );
        }
    }
}

/// How many tasks this runtime has.
pub(crate) fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until there are so many tasks.
pub(crate) async fn settled(wanted: usize) {
    while tasks() != wanted {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How many sockets, at either end, belong to a port and to a process: what nobody holds any more
/// has no inode.
fn sockets(port: u16) -> usize {
    let table = fs::read_to_string("/proc/self/net/tcp").expect("it is Linux");
    let port = format!(":{port:04X}");
    let is_held = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, .., _] = fields[..] else {
            return false;
        };
        (local.ends_with(&port) || remote.ends_with(&port)) && fields.get(9) != Some(&"0")
    };
    table.lines().skip(1).filter(is_held).count()
}

/// A server, somebody who is served by it all the while, and what was there before.
pub(crate) struct Watched<S> {
    pub(crate) server: EchoServer,
    other: WebSocket<S>,
    before: Before,
    connections: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    /// Begins to watch a server on which `other` is open.
    pub(crate) async fn new(server: EchoServer, mut other: WebSocket<S>) -> Self {
        echo(&mut other, "before").await;
        Self {
            before: Before::note(server.address.port()),
            connections: server.admission.connections(),
            server,
            other,
        }
    }

    /// Expects, once the peers of a case are gone, that so many of them were not let in, that as
    /// many as that were let in and are no more, that nothing of them is left, and that the other
    /// connection is as it was. Returns how they ended.
    pub(crate) async fn unharmed(&mut self, case: &str, refused: usize, ended: usize) -> Endings {
        let mut endings = Endings::default();
        for _ in 0..refused {
            endings.refused.push(self.server.next_refused().await);
        }
        for _ in 0..ended {
            endings.ended.push(self.server.next_ended().await);
            self.server.next_shown().await;
        }
        self.before.holds_again(case).await;
        assert_eq!(
            self.server.admission.connections(),
            self.connections,
            "{case}"
        );
        assert!(
            self.server.refused.is_empty(),
            "{case}: one more was refused"
        );
        assert!(self.server.ended.is_empty(), "{case}: one more has ended");
        echo(&mut self.other, case).await;
        endings
    }
}

/// How the peers of a case ended.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    pub(crate) refused: Vec<HandshakeError>,
    pub(crate) ended: Vec<Result<(), Error>>,
}

/// Sends a text and expects it back.
pub(crate) async fn echo<S>(socket: &mut WebSocket<S>, text: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    within(socket.send(text.to_owned()))
        .await
        .expect("it is open");
    let back = within(socket.recv()).await.expect("no failure");
    assert_eq!(
        back.and_then(|it| it.as_text().map(str::to_owned))
            .as_deref(),
        Some(text)
    );
}
