//! What a server decides about a request before it answers.
//!
//! A decision is a value: `Ok` with an [`Acceptance`](crate::engine::Acceptance) and what was
//! found on the way, or `Err` with a [`Refusal`] of any status and headers. An async function
//! that takes an [`Upgrade`](crate::server::Upgrade), which shows the request, the client's
//! address and TLS, and returns such a value is a hook. Steps that return refusals, such as
//! [`Origins::check`](crate::server::Origins::check) and
//! [`Endpoints::enter`](crate::server::Endpoints::enter), are joined in it with `?`;
//! [`within`] puts it under a deadline, and
//! [`Upgrade::decide`](crate::server::Upgrade::decide) carries the decision out.

use core::future::Future;
use core::time::Duration;
use tokio::time::timeout;

use crate::engine::{Refusal, UpgradeRequest};

/// Awaits a decision for no longer than `deadline`.
///
/// # Errors
///
/// The refusal that was decided, or 503 when nothing was decided in time.
///
/// # Cancel safety
///
/// As that of `decision`, which is dropped when the deadline has passed.
//= A06
//= E46
pub async fn within<T>(
    deadline: Duration,
    decision: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    match timeout(deadline, decision).await {
        Ok(decided) => decided,
        Err(_) => Err(Refusal::new(503, "it took too long to decide")),
    }
}

/// The first subprotocol of `preferred` that the client offers: the server's preference counts.
//= D09
pub fn mutual_subprotocol<'p>(request: &UpgradeRequest, preferred: &[&'p str]) -> Option<&'p str> {
    let offered = request.subprotocols();
    let mut preferred = preferred.iter().copied();
    preferred.find(|it| offered.iter().any(|offered| offered == it))
}
