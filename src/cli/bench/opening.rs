//! From TCP that is being opened to a WebSocket, step by step.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::io;

use crate::cli::bench::fault::Fault;
use crate::cli::bench::link::Link;
use crate::client::Config;
use crate::engine::{ClientHandshake, ClientProgress, ClientRequest, Timestamp};
use crate::net::entropy;

/// A connection that is not open yet.
#[derive(Debug)]
pub(crate) struct Opening {
    link: Link,
    handshake: ClientHandshake,
    /// How much of the request has been sent.
    written: usize,
    began: u64,
}

/// What has become of it.
#[derive(Debug)]
pub(crate) enum Progress {
    More(Box<Opening>),
    /// It is open; these bytes came behind the answer.
    Open(Link, Vec<u8>),
    Failed(Fault, String),
}

impl Opening {
    pub(crate) fn new(
        link: Link,
        request: ClientRequest,
        began: u64,
    ) -> Result<Self, (Fault, String)> {
        let seed = entropy::seed().map_err(|error| failed(&error))?;
        let handshake = ClientHandshake::new(request, seed)
            .map_err(|error| (Fault::Local, error.to_string()))?;
        Ok(Self {
            link,
            handshake,
            written: 0,
            began,
        })
    }

    /// When it was begun.
    pub(crate) const fn began(&self) -> u64 {
        self.began
    }

    /// Goes as far as the socket lets it.
    pub(crate) fn go_on(mut self: Box<Self>, config: &Config) -> Progress {
        match self.ask() {
            Ok(true) => self.listen(config),
            Ok(false) => Progress::More(self),
            Err(error) => {
                let (fault, words) = failed(&error);
                Progress::Failed(fault, words)
            }
        }
    }

    /// Sends the request; whether all of it is sent.
    fn ask(&mut self) -> io::Result<bool> {
        let request = self.handshake.request();
        if self.written == 0 {
            // Before it is connected, there is nothing to be set.
            let _ = self.link.tcp().set_nodelay(true);
        }
        while self.written < request.len() {
            match self.link.write(&request[self.written..], &[]) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        match self.link.flush() {
            Err(error) if !is_not_yet(&error) => Err(error),
            _ => Ok(true),
        }
    }

    /// Reads the answer.
    fn listen(mut self: Box<Self>, config: &Config) -> Progress {
        let mut buffer = [0; 2048];
        loop {
            let n = match self.link.read(&mut buffer) {
                Ok(0) => {
                    let words = "the stream ended before the answer to the handshake";
                    return Progress::Failed(Fault::NotOpened, words.into());
                }
                Ok(n) => n,
                Err(error) if is_not_yet(&error) => return Progress::More(self),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let (fault, words) = failed(&error);
                    return Progress::Failed(fault, words);
                }
            };
            let Self {
                link,
                handshake,
                written,
                began,
            } = *self;
            match handshake.receive(&buffer[..n], config.limits(), Timestamp::ZERO) {
                Ok(ClientProgress::More(handshake)) => {
                    self = Box::new(Self {
                        link,
                        handshake,
                        written,
                        began,
                    });
                }
                Ok(ClientProgress::Open(opened)) => {
                    return Progress::Open(link, opened.leftover);
                }
                Err(failure) => return Progress::Failed(Fault::NotOpened, failure.to_string()),
            }
        }
    }
}

/// Whether the socket has only to be waited for.
fn is_not_yet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
    )
}

/// Why there is no connection, in a word and in many.
pub(crate) fn failed(error: &io::Error) -> (Fault, String) {
    let fault = match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Fault::Refused,
        io::ErrorKind::TimedOut => Fault::NotOpenedInTime,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Fault::NotOpened,
        _ => Fault::Local,
    };
    (fault, error.to_string())
}
