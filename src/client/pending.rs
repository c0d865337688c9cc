//! One connection at a time is being opened to one server (RFC 6455 §4.1).

use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::net::SocketAddr;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore, SemaphorePermit};

/// The servers to which a connection is being opened. An entry is dead once nobody holds or
/// awaits its turn.
static TURNS: LazyLock<Mutex<HashMap<Remote, Weak<AsyncMutex<()>>>>> =
    LazyLock::new(Mutex::default);

/// How many connections are opened at once to servers whose address a proxy looks up: some of
/// them may be one server under many names.
static BY_NAME: Semaphore = Semaphore::const_new(64);

/// The server that a connection is opened to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Remote {
    Address(SocketAddr),
    /// Where the proxy looks the name up, each name counts as a server.
    Name(String, u16),
}

/// The turn to open a connection to one server; the next waits until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _guard: OwnedMutexGuard<()>,
    _permit: Option<SemaphorePermit<'static>>,
}

/// Waits until no other connection of this process to `remote` is in its handshake.
//= WS-009
//= WS-010
//= WS-011
pub(crate) async fn turn(remote: Remote) -> Turn {
    let is_by_name = matches!(remote, Remote::Name(..));
    let mutex = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, mutex| mutex.strong_count() > 0);
        match turns.get(&remote).and_then(Weak::upgrade) {
            Some(mutex) => mutex,
            None => {
                let mutex = Arc::new(AsyncMutex::new(()));
                turns.insert(remote, Arc::downgrade(&mutex));
                mutex
            }
        }
    };
    let guard = mutex.lock_owned().await;
    //= WS-012
    let permit = match is_by_name {
        // The semaphore is never closed.
        true => BY_NAME.acquire().await.ok(),
        false => None,
    };
    Turn {
        _guard: guard,
        _permit: permit,
    }
}
