//! One connection at a time is being opened to one address (RFC 6455 §4.1).

use alloc::sync::{Arc, Weak};
use core::net::SocketAddr;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The addresses to which a connection is being opened. An entry is dead once nobody holds or
/// awaits its turn.
static TURNS: LazyLock<Mutex<HashMap<SocketAddr, Weak<AsyncMutex<()>>>>> =
    LazyLock::new(Mutex::default);

/// The turn to open a connection to one address; the next waits until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _guard: OwnedMutexGuard<()>,
}

/// Waits until no other connection of this process to `address` is in its handshake.
//= WS-009
//= WS-010
pub(crate) async fn turn(address: SocketAddr) -> Turn {
    let mutex = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, mutex| mutex.strong_count() > 0);
        match turns.get(&address).and_then(Weak::upgrade) {
            Some(mutex) => mutex,
            None => {
                let mutex = Arc::new(AsyncMutex::new(()));
                turns.insert(address, Arc::downgrade(&mutex));
                mutex
            }
        }
    };
    Turn {
        _guard: mutex.lock_owned().await,
    }
}
