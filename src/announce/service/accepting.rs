//! From a listener to connections.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::pin;
use std::time::SystemTime;

use axum::Router;

use crate::announce::caller::Caller;
use crate::announce::outcome::{Outcome, Welcome};
use crate::announce::service::admission::{self, Admission};
use crate::announce::service::connection::Connection;
use crate::announce::service::failing;
use crate::announce::service::house::Service;
use crate::announce::service::pages;
use crate::engine::{Acceptance, Refusal};
use crate::server::{Incoming, Listener, Opening, Plain, Stopping, Upgrade};
use crate::wire::http;

impl Service {
    /// Accepts connections until it is time to stop.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it accepts no more; connections that are open go on.
    pub async fn run(self, listener: Listener, stopping: Stopping) {
        let pages = self.pages();
        self.run_with(listener, stopping, pages).await;
    }

    /// As [`run`](Self::run), with a router that may hold the server itself: it is dropped with
    /// the last connection.
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Self::run).
    pub async fn run_with(self, listener: Listener, stopping: Stopping, pages: Router) {
        self.counters().watch(listener.admission());
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
        tasks.spawn(self.clone().heed_neighbours());
        // It waits on while clients come, in one seat.
        let mut told = stopping.clone();
        let mut told = pin!(told.wait());
        loop {
            let incoming = tokio::select! {
                incoming = listener.accept() => incoming,
                () = &mut told => break,
            };
            let pages = pages.clone();
            tokio::spawn(self.clone().serve(incoming, stopping.clone(), pages));
        }
    }

    async fn serve(self, incoming: Incoming, stopping: Stopping, pages: Router) {
        let peer = incoming.peer_addr();
        let upgrade = match incoming.handshake().await {
            Ok(Opening::Upgrade(upgrade)) => upgrade,
            Ok(Opening::Plain(plain)) => return self.show_page(plain, pages, stopping).await,
            Err(error) => {
                if let Some(reason) = failing::reason(&error) {
                    self.counters().failed(reason);
                }
                return tracing::info!(%peer, %error, "no connection");
            }
        };
        // The client's, where a proxy that is believed has told it.
        let peer = upgrade.stream().peer_addr();
        let Some((upgrade, admission)) = self.admit(upgrade).await else {
            return;
        };
        let settings = self.settings();
        let mut acceptance = Acceptance::new();
        // Nothing is expanded for whoever has not shown who they are.
        if let (Some(deflate), Some(_)) = (&settings.compression, &admission.claims) {
            acceptance = acceptance.with_extension(deflate);
        }
        if let Some(subprotocol) = admission.subprotocol {
            acceptance = acceptance.with_subprotocol(subprotocol);
        }
        let first = self.first(&admission);
        let caller = Caller::in_namespace(admission.namespace);
        let ended = match upgrade.accept(acceptance).await {
            Ok(socket) => {
                let connection = Connection::new(self, socket, admission.dialect, caller);
                connection.run(first, stopping).await
            }
            Err(error) => {
                self.counters()
                    .failed(failing::reason(&error).unwrap_or("other"));
                return tracing::info!(%peer, %error, "no connection");
            }
        };
        match ended {
            Ok(()) => tracing::info!(%peer, "connection closed"),
            //= WS-138
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
            self.counters().token_refused(error.name());
            //= AU-34
            if !self.may_fail(peer.ip()) {
                not.refusal = Refusal::new(429, "too many failed tokens");
            }
        }
        self.counters().refused(not.refusal.status());
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

    /// Answers one request for a page.
    async fn show_page(self, plain: Plain, pages: Router, stopping: Stopping) {
        let settings = self.settings();
        //= B24
        if let Err(refusal) = settings.hosts.check(plain.head(), plain.stream().is_tls()) {
            let peer = plain.stream().peer_addr();
            self.counters().refused(refusal.status());
            let refused = plain.refuse_with(refusal).await;
            return tracing::info!(%peer, ?refused, "refused: another host");
        }
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
        pages::answer(plain, pages, stopping).await;
    }
}
