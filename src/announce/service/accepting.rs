//! From a listener to connections.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::SystemTime;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use crate::announce::outcome::{Outcome, Welcome};
use crate::announce::service::admission::{self, Admission};
use crate::announce::service::connection::Connection;
use crate::announce::service::house::Service;
use crate::engine::{Acceptance, Refusal};
use crate::server::{Incoming, Listener, Opening, Plain, Stopping, Upgrade};
use crate::wire::http;

/// How long answering a request for a page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

impl Service {
    /// Accepts connections until it is time to stop.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it accepts no more; connections that are open go on.
    pub async fn run(self, listener: Listener, mut stopping: Stopping) {
        let announcing = self.take_announcing();
        let mut tasks = tokio::task::JoinSet::new();
        if let Some(announcing) = announcing {
            // It outlives the accepting: what is stored while connections close is still sent.
            let desk = Arc::clone(self.desk());
            tokio::spawn(async move { announcing.run(desk.store()).await });
        }
        tasks.spawn(self.clone().release());
        tasks.spawn(self.clone().tidy());
        tasks.spawn(self.clone().note_sent());
        tasks.spawn(self.clone().watch_revocations());
        loop {
            let incoming = tokio::select! {
                incoming = listener.accept() => incoming,
                () = stopping.wait() => break,
            };
            tokio::spawn(self.clone().serve(incoming, stopping.clone()));
        }
    }

    async fn serve(self, incoming: Incoming, stopping: Stopping) {
        let peer = incoming.peer_addr();
        let upgrade = match incoming.handshake().await {
            Ok(Opening::Upgrade(upgrade)) => upgrade,
            Ok(Opening::Plain(plain)) => return self.show_page(plain).await,
            Err(error) => return tracing::info!(%peer, %error, "no connection"),
        };
        let Some((upgrade, admission)) = self.admit(upgrade).await else {
            return;
        };
        let mut acceptance = Acceptance::new();
        if let Some(subprotocol) = admission.subprotocol {
            acceptance = acceptance.with_subprotocol(subprotocol);
        }
        let first = self.first(&admission);
        let ended = match upgrade.accept(acceptance).await {
            Ok(socket) => {
                let connection =
                    Connection::new(self, socket, admission.dialect, admission.namespace);
                connection.run(first, stopping).await
            }
            Err(error) => return tracing::info!(%peer, %error, "no connection"),
        };
        match ended {
            Ok(()) => tracing::info!(%peer, "connection closed"),
            Err(error) => tracing::info!(%peer, %error, "connection ended"),
        }
    }

    /// Looks at a request, and refuses it here if that is the answer.
    async fn admit(&self, upgrade: Upgrade) -> Option<(Upgrade, Admission)> {
        let peer = upgrade.stream().peer_addr();
        let settings = self.settings();
        let is_tls = upgrade.stream().is_tls();
        let now = SystemTime::now();
        let looked = admission::admit(self.desk(), &settings, upgrade.request(), is_tls, now);
        let mut not = match looked {
            Ok(admission) => return Some((upgrade, admission)),
            Err(not) => not,
        };
        if let Some(error) = not.token {
            tracing::info!(%peer, %error, "token refused");
            //= AU-34
            if !self.may_fail(peer.ip()) {
                not.refusal = Refusal::new(429, "too many failed tokens");
            }
        }
        let refused = upgrade.refuse(not.refusal).await;
        tracing::info!(%peer, ?refused, "refused");
        None
    }

    /// What a request has settled: whom the connection belongs to, if a token came with it.
    fn first(&self, admission: &Admission) -> Outcome {
        let Some(claims) = admission.claims.clone() else {
            return Outcome::default();
        };
        match self.desk().identify(claims, admission.namespace.as_deref()) {
            Ok(identity) => Outcome {
                signed_in: Some(Welcome {
                    identity,
                    since: Vec::new(),
                    reply_to: None,
                }),
                ..Outcome::default()
            },
            Err(denied) => {
                tracing::warn!(code = %denied.code, "a token that verified gives no identity");
                Outcome::default()
            }
        }
    }

    /// Answers one request for a page. A connection is not kept for another: an upgrade must be
    /// the first request of its own.
    async fn show_page(self, plain: Plain) {
        let settings = self.settings();
        let target = http::split_target(plain.head().target());
        let is_endpoint = |path: &str| {
            settings
                .endpoints
                .iter()
                .any(|endpoint| endpoint.path == path)
        };
        if target.is_some_and(|(path, _)| is_endpoint(path)) {
            let refused = plain.refuse().await;
            return tracing::debug!(?refused, "refused: no upgrade");
        }
        let pages = TowerToHyperService::new(self.pages());
        let mut server = hyper::server::conn::http1::Builder::new();
        server.keep_alive(false).timer(TokioTimer::new());
        let answering = server.serve_connection(TokioIo::new(plain.into_stream()), pages);
        match tokio::time::timeout(PAGE_TIMEOUT, answering).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a page was not delivered"),
            Err(_) => tracing::debug!("a page was not taken in time"),
        }
    }
}
