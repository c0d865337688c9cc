//! `framewire echo`: a server that sends back what it is sent.

use alloc::boxed::Box;
use core::error::Error;
use core::future::Future;
use core::pin::{Pin, pin};
use core::time::Duration;
use std::io::Write;

use crate::cli::args::Echo;
use crate::engine::deflate::{DeflateAnswer, DeflateConfig};
use crate::engine::{Acceptance, Limits, SendError};
use crate::hub::{Bounds, Branch, Hub, SlowPolicy};
use crate::net::{self, WebSocket};
use crate::server::workers::Workers;
use crate::server::{Config, Incoming, Listener, Stopping, Stream, Tls, TlsError, TlsFiles};
use crate::wire::close::{CloseCode, CloseReason};

/// How long connections have to close when the server is told to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// How much of what is fanned out waits for a peer that does not read it, besides its outbox.
const KEPT_BYTES_MAX: usize = 16 << 20;
const KEPT_MESSAGES_MAX: usize = 65_536;

/// Serves until the process is told to stop.
///
/// # Errors
///
/// When the address cannot be listened on.
pub fn run(args: &Echo) -> Result<(), Box<dyn Error>> {
    let limits = Limits::default().with_message_bytes_max(args.message_bytes_max);
    let mut config = Config::default()
        .with_limits(limits)
        .with_deferred_accept(true);
    let tls = tls(args)?;
    if let Some(tls) = &tls {
        config = config.with_tls(tls.clone());
    }
    let workers = Workers::bind(args.listen, args.workers, config)
        .map_err(|error| alloc::format!("cannot listen on {}: {error}", args.listen))?;
    let address = workers.local_addr();
    let serving = Serving {
        hub: args.fan_out.then(Hub::new),
        deflate: args.deflate.then(|| DeflateAnswer::new(deflate(args))),
    };
    let told = async {
        let told_to_stop = crate::cli::signal::listen()?;
        let told_to_reload = crate::cli::signal::on_hangup(|| reload(tls.as_ref()))?;
        let mut out = std::io::stdout();
        let scheme = if tls.is_some() { "wss" } else { "ws" };
        writeln!(out, "listening on {scheme}://{address}")?;
        out.flush()?;
        tokio::select! {
            () = told_to_stop => {}
            () = told_to_reload => {}
        }
        std::io::Result::Ok(())
    };
    let serve = move |listener, stopping| serve(listener, stopping, serving.clone());
    Ok(workers.run(STOP_DEADLINE, serve, told)??)
}

fn tls(args: &Echo) -> Result<Option<Tls>, TlsError> {
    match (&args.tls_cert, &args.tls_key) {
        (Some(certificates), Some(key)) => TlsFiles::new(certificates, key).load().map(Some),
        _ => Ok(None),
    }
}

/// Reads the certificate and the key again.
fn reload(tls: Option<&Tls>) {
    match tls.map(Tls::reload) {
        Some(Ok(())) => tracing::info!("certificate and key read again"),
        Some(Err(error)) => tracing::error!(%error, "certificate and key stay as they were"),
        None => tracing::info!("there is nothing to read again"),
    }
}

fn deflate(args: &Echo) -> DeflateConfig {
    let keeps = !args.deflate_no_context_takeover;
    let config = DeflateConfig::default().with_context_kept(keeps, keeps);
    match args.deflate_window_bits {
        Some((send, receive)) => config.with_window_bits(send, receive),
        None => config,
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct Serving {
    hub: Option<Hub>,
    deflate: Option<DeflateAnswer>,
}

async fn serve(listener: Listener, stopping: Stopping, serving: Serving) {
    let Serving { hub, deflate } = serving;
    let branch = hub.map(|hub| (Branch::new(&hub), hub));
    if let Some((branch, _)) = &branch {
        tokio::task::spawn_local(branch.clone().run());
    }
    // It waits on while clients come, in one seat.
    let mut told = stopping.clone();
    let mut told = pin!(told.wait());
    loop {
        let incoming = tokio::select! {
            incoming = listener.accept() => incoming,
            () = &mut told => return drop(listener),
        };
        let opening = Box::pin(open(incoming, deflate.clone()));
        match &branch {
            None => spawn(opening, stopping.clone()),
            Some((branch, hub)) => {
                let serving = fan_out(opening, stopping.clone(), branch.clone(), hub.clone());
                tokio::task::spawn_local(serving);
            }
        }
    }
}

/// Serves one connection.
///
/// What runs at the ends of a connection is boxed, so that in between, which may be long, the
/// task holds hardly more than the socket. This is a block, for an `async fn` keeps its arguments
/// twice.
fn spawn(
    opening: Pin<Box<impl Future<Output = Option<WebSocket<Stream>>> + 'static>>,
    mut stopping: Stopping,
) {
    tokio::task::spawn_local(async move {
        let Some(mut socket) = opening.await else {
            return;
        };
        let ended = tokio::select! {
            biased;
            ended = socket.serve_pieces(echo) => ended,
            () = stopping.wait() => Box::pin(leave(&mut socket, going())).await,
        };
        tell(&socket, ended);
    });
}

fn tell(socket: &WebSocket<Stream>, ended: Result<(), net::Error>) {
    if let Err(error) = ended {
        let peer = socket.stream().peer_addr();
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// No `async fn`, which would keep its arguments while the handshake is awaited.
fn open(
    incoming: Incoming,
    deflate: Option<DeflateAnswer>,
) -> impl Future<Output = Option<WebSocket<Stream>>> {
    let peer = incoming.peer_addr();
    async move {
        let mut acceptance = Acceptance::new();
        if let Some(deflate) = &deflate {
            acceptance = acceptance.with_extension(deflate);
        }
        match incoming.accept_with(acceptance).await {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::debug!(%peer, %error, "no connection");
                None
            }
        }
    }
}

fn echo(exchange: net::PieceExchange<'_>) {
    match exchange.echo() {
        // A message that came after we said Close is not echoed; the peer will be told.
        Ok(()) | Err(SendError::Misuse(_)) => {}
        Err(_) => tell_full(),
    }
}

/// Stands apart, for what it takes to log would keep the rest from being compiled in one piece.
#[cold]
fn tell_full() {
    tracing::warn!("an echo did not fit an outbox with room");
}

/// Serves one member of a fan-out.
async fn fan_out(
    opening: impl Future<Output = Option<WebSocket<Stream>>>,
    mut stopping: Stopping,
    branch: Branch<Stream>,
    hub: Hub,
) {
    let Some(socket) = opening.await else {
        return;
    };
    let bounds = Bounds::new(KEPT_BYTES_MAX, KEPT_MESSAGES_MAX);
    let mut seated = branch.join(socket, bounds, SlowPolicy::Disconnect(too_slow()));
    seated.member().subscribe("");
    let ended = tokio::select! {
        biased;
        ended = seated.serve(|heard| publish(&hub, &heard)) => ended,
        () = stopping.wait() => Ok(Some(going())),
    };
    let Some(mut socket) = seated.into_socket() else {
        return;
    };
    let ended = match ended {
        Ok(Some(reason)) => Box::pin(leave(&mut socket, reason)).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    tell(&socket, ended);
}

fn publish(hub: &Hub, heard: &net::Exchange<'_>) {
    hub.publish("", &heard.message.prepare());
}

fn going() -> CloseReason {
    reason(CloseCode::GOING_AWAY, "the server stops")
}

fn too_slow() -> CloseReason {
    reason(CloseCode::POLICY_VIOLATION, "too slow")
}

fn reason(code: CloseCode, text: &str) -> CloseReason {
    CloseReason::truncated(code, text).unwrap_or_else(|_| CloseReason::empty())
}

async fn leave(socket: &mut WebSocket<Stream>, reason: CloseReason) -> Result<(), net::Error> {
    let code = reason.code().unwrap_or(CloseCode::NORMAL_CLOSURE);
    socket.close(code, reason.reason()).await.map(drop)
}
