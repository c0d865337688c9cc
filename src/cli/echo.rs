//! `framewire echo`: a server that sends back what it is sent.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::error::Error;
use core::time::Duration;
use std::io::Write;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::cli::args::Echo;
use crate::engine::deflate::{DeflateAnswer, DeflateConfig};
use crate::engine::{Acceptance, Limits, SendError};
use crate::hub::{Bounds, Delivery, Hub, SlowPolicy};
use crate::net::{self, WebSocket};
use crate::server::workers::Workers;
use crate::server::{
    Config, HandshakeError, Incoming, Listener, Stop, Stopping, Stream, Tls, TlsError, TlsFiles,
};
use crate::wire::close::{CloseCode, CloseReason};

/// How long connections have to close when the server is told to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// How long a peer may take to make room for what is fanned out to it.
const SLOW: Duration = Duration::from_secs(5);

/// Serves until the process is told to stop.
///
/// # Errors
///
/// When the address cannot be listened on.
pub fn run(args: &Echo) -> Result<(), Box<dyn Error>> {
    let limits = Limits::default().with_message_bytes_max(args.message_bytes_max);
    let mut config = Config::default().with_limits(limits);
    let tls = tls(args)?;
    if let Some(tls) = &tls {
        config = config.with_tls(tls.clone());
    }
    let workers = Workers::bind(args.listen, args.workers, config)
        .map_err(|error| alloc::format!("cannot listen on {}: {error}", args.listen))?;
    let address = workers.local_addr();
    let stop = Stop::new();
    let serving = Serving {
        hub: args.fan_out.then(Hub::new),
        deflate: args.deflate.then(|| DeflateAnswer::new(deflate(args))),
    };
    let threads = workers.start(&stop, move |listener, stopping| {
        serve(listener, stopping, serving.clone())
    })?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
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
        stop.stop(STOP_DEADLINE).await;
        std::io::Result::Ok(())
    })?;
    for thread in threads {
        thread.join().map_err(|_| "a worker panicked".to_string())?;
    }
    Ok(())
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

async fn serve(listener: Listener, mut stopping: Stopping, serving: Serving) {
    loop {
        let incoming = tokio::select! {
            incoming = listener.accept() => incoming,
            () = stopping.wait() => return drop(listener),
        };
        spawn(incoming, stopping.clone(), serving.clone());
    }
}

/// Serves one connection.
///
/// What runs at the ends of a connection is boxed, so that in between, which may be long, the
/// task holds hardly more than the socket. These are blocks, for an `async fn` keeps its
/// arguments twice.
fn spawn(incoming: Incoming, mut stopping: Stopping, serving: Serving) {
    let Serving { hub, deflate } = serving;
    let opening = Box::pin(open(incoming, deflate));
    let Some(hub) = hub else {
        tokio::task::spawn_local(async move {
            let Some(mut socket) = opening.await else {
                return;
            };
            let ended = tokio::select! {
                biased;
                ended = socket.serve(echo) => ended,
                () = stopping.wait() => Box::pin(leave(&mut socket)).await,
            };
            tell(&socket, ended);
        });
        return;
    };
    tokio::task::spawn_local(async move {
        let Some(mut socket) = opening.await else {
            return;
        };
        let ended = fan_out(&mut socket, &mut stopping, &hub).await;
        tell(&socket, ended);
    });
}

fn tell(socket: &WebSocket<Stream>, ended: Result<(), net::Error>) {
    if let Err(error) = ended {
        let peer = socket.stream().peer_addr();
        tracing::debug!(%peer, %error, "connection ended");
    }
}

async fn open(incoming: Incoming, deflate: Option<DeflateAnswer>) -> Option<WebSocket<Stream>> {
    let peer = incoming.peer_addr();
    match accept(incoming, deflate).await {
        Ok(socket) => Some(socket),
        Err(error) => {
            tracing::debug!(%peer, %error, "no connection");
            None
        }
    }
}

async fn accept(
    incoming: Incoming,
    deflate: Option<DeflateAnswer>,
) -> Result<WebSocket<Stream>, HandshakeError> {
    let mut acceptance = Acceptance::new();
    if let Some(deflate) = &deflate {
        acceptance = acceptance.with_extension(deflate);
    }
    incoming.handshake().await?.accept_with(acceptance).await
}

fn echo(exchange: net::Exchange<'_>) {
    match exchange.echo() {
        // A message that came after we said Close is not echoed; the peer will be told.
        Ok(()) | Err(SendError::Misuse(_)) => {}
        Err(_) => tracing::warn!("an echo did not fit an outbox with room"),
    }
}

async fn fan_out(
    socket: &mut WebSocket<Stream>,
    stopping: &mut Stopping,
    hub: &Hub,
) -> Result<(), net::Error> {
    let slow = too_slow();
    let mut member = hub.join(Bounds::new(16 << 20, 65_536), SlowPolicy::Disconnect(slow));
    member.subscribe("");
    let mut told = core::pin::pin!(stopping.wait());
    loop {
        tokio::select! {
            biased;
            message = socket.recv() => match message? {
                Some(message) => drop(hub.publish("", &message.prepare())),
                None => return Ok(()),
            },
            delivery = member.next() => {
                if let Err(reason) = deliver(socket, &mut member, delivery).await? {
                    socket.begin_close(CloseCode::POLICY_VIOLATION, reason.reason())?;
                    while socket.recv().await?.is_some() {}
                    return Ok(());
                }
            }
            () = &mut told => return Box::pin(leave(socket)).await,
        }
    }
}

fn too_slow() -> CloseReason {
    CloseReason::truncated(CloseCode::POLICY_VIOLATION, "too slow")
        .unwrap_or_else(|_| CloseReason::empty())
}

/// Queues what has arrived in the mailbox, to be sent in one go by the next `recv`. Says why to
/// close, where that is what comes next.
async fn deliver(
    socket: &mut WebSocket<Stream>,
    member: &mut crate::hub::Member,
    first: Delivery,
) -> Result<Result<(), CloseReason>, net::Error> {
    let message = match first {
        Delivery::Message(message) => message,
        Delivery::Close(reason) => return Ok(Err(reason)),
    };
    if socket.is_full() {
        // The mailbox is not looked at meanwhile, so this must have an end of its own.
        match timeout(SLOW, socket.ready()).await {
            Ok(ready) => ready?,
            Err(_) => return Ok(Err(too_slow())),
        }
    }
    // Closing is seen by the next `recv`.
    let _ = socket.try_feed_prepared(&message);
    member.take_each(|message| {
        let has_room = !socket.is_full();
        if has_room {
            let _ = socket.try_feed_prepared(message);
        }
        has_room
    });
    Ok(Ok(()))
}

async fn leave(socket: &mut WebSocket<Stream>) -> Result<(), net::Error> {
    socket
        .close(CloseCode::GOING_AWAY, "the server stops")
        .await
        .map(drop)
}
