//! `framewire serve`: the announcement server.

use alloc::boxed::Box;
use alloc::format;
use core::error::Error;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Write};
use std::time::SystemTime;
use tokio::runtime::Builder;

use crate::announce::desk::Desk;
use crate::announce::secret::Secret;
use crate::announce::service::{MESSAGE_BYTES_MAX, Service};
use crate::announce::store::Store;
use crate::announce::token::{self, Verifier};
use crate::cli::args::Serve;
use crate::cli::signal;
use crate::engine::Limits;
use crate::server::{Config, Listener, Stop};

/// How long connections have to close when the server is told to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// The name of the store in the data folder.
const STORE_FILE: &str = "announce.db";

/// Serves until the process is told to stop.
///
/// # Errors
///
/// When the secret or the store cannot be used, or the address cannot be listened on.
pub fn run(args: &Serve) -> Result<(), Box<dyn Error>> {
    crate::cli::data::create(&args.data)?;
    let secret = Secret::load(&args.data, crate::cli::data::secret_variable()?)?;
    token::self_test(&secret, SystemTime::now())?;
    let store = Store::open(&args.data.join(STORE_FILE))?;
    let service = Service::new(Desk::new(store, Verifier::new(&secret)));
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args, service))
    // The service is gone here, and with it the store, which has first put everything on disk.
}

async fn serve(args: &Serve, service: Service) -> Result<(), Box<dyn Error>> {
    let limits = Limits::default()
        .with_message_bytes_max(MESSAGE_BYTES_MAX)
        .with_keep_alive(Some(Duration::from_secs(25)), Duration::from_secs(10));
    let listener = Listener::bind(args.listen, Config::default().with_limits(limits))
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", args.listen))?;
    let address = listener.local_addr()?;
    let told_to_stop = signal::listen()?;
    say_ready(args, address)?;
    let stop = Stop::new();
    let running = tokio::spawn(service.run(listener, stop.stopping()));
    told_to_stop.await;
    if !stop.stop(STOP_DEADLINE).await {
        tracing::warn!("some connections did not close in time");
    }
    running.await?;
    Ok(())
}

/// Tells whoever started the server that it is ready, and how to use it.
fn say_ready(args: &Serve, address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "listening on ws://{address}")?;
    out.flush()?;
    let data = args.data.display();
    let hint = format!(
        "the page is at http://{address}/\n\
         mint a token with: framewire token --data {data} --user alice\n"
    );
    // The server is ready all the same where nobody reads the hint.
    let _ = io::stderr().write_all(hint.as_bytes());
    Ok(())
}
