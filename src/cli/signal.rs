//! Being told to stop, or to read files again.

use core::future::Future;
use std::io;

/// Listens to SIGINT and SIGTERM from now on, and returns what waits for one of them.
///
/// A server does this before it says that it is ready: from then on it ends in order.
///
/// # Errors
///
/// When the signals cannot be listened to.
#[cfg(unix)]
pub(crate) fn listen() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits to be interrupted.
///
/// # Errors
///
/// None here.
#[cfg(not(unix))]
pub(crate) fn listen() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Where it cannot be listened to, nobody interrupts.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Listens to SIGHUP from now on, and calls `act` for each; never ends.
///
/// # Errors
///
/// When the signal cannot be listened to.
#[cfg(unix)]
pub(crate) fn on_hangup(mut act: impl FnMut()) -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            act();
        }
        core::future::pending().await
    })
}

/// There is no such signal here; never ends.
///
/// # Errors
///
/// None here.
#[cfg(not(unix))]
pub(crate) fn on_hangup(_act: impl FnMut()) -> io::Result<impl Future<Output = ()>> {
    Ok(core::future::pending())
}
