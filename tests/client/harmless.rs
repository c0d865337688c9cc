//! What a hostile server must not leave behind at its client.

use framewire::client::{Config, Stream, open};
use framewire::net::WebSocket;

use crate::raw::{self, listen};
use crate::serving::harm::{Before, echo, settled, tasks};
use crate::serving::within;

/// A connection of a client to a server that means well, and what there was before a case.
pub(crate) struct Watched {
    other: WebSocket<Stream>,
    tasks: usize,
}

impl Watched {
    pub(crate) async fn new() -> Self {
        let (listener, url) = listen().await;
        tokio::spawn(async move { raw::echo(raw::accept(&listener).await).await });
        let other = open(&url, &Config::default()).await.expect("open").socket;
        Self {
            other,
            tasks: tasks(),
        }
    }

    /// Expects that no task of a case is left, and that the other connection is as it was.
    pub(crate) async fn undisturbed(&mut self) {
        within(settled(self.tasks)).await;
        echo(&mut self.other, "still here").await;
    }

    /// Expects, once the server of a case has left its port, that nothing of its clients is left
    /// and that the other connection is as it was.
    pub(crate) async fn unharmed(&mut self, case: &str, port: u16) {
        Before::nothing_at(port, self.tasks).holds_again(case).await;
        echo(&mut self.other, "still here").await;
    }
}
