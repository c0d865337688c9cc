//! `framewire autobahn-client`: every case of an Autobahn fuzzing server.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::error::Error;
use tokio::runtime::Builder;

use crate::cli::args::AutobahnClient;
use crate::cli::trust;
use crate::client::{Config, connect_with};
use crate::engine::Limits;
use crate::engine::deflate::DeflateConfig;
use crate::net;

/// The largest message of the suite, in bytes.
const MESSAGE_BYTES_MAX: u64 = 16 << 20;

/// Runs all cases, one after the other, and asks for the report.
///
/// # Errors
///
/// When the server cannot be reached or does not say how many cases there are.
pub fn run(args: &AutobahnClient) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run_cases(args))
}

async fn run_cases(args: &AutobahnClient) -> Result<(), Box<dyn Error>> {
    let base = args.url.trim_end_matches('/');
    let config = trust::apply(&args.trust, Config::default())?
        .with_limits(Limits::default().with_message_bytes_max(MESSAGE_BYTES_MAX))
        .with_deflate(DeflateConfig::default());
    let cases = case_count(base, &config).await?;
    for case in 1..=cases {
        let url = format!("{base}/runCase?case={case}&agent={}", args.agent);
        // What a case makes of the connection is judged by the server, so errors are its business.
        if let Err(error) = echo(&url, &config).await {
            tracing::debug!(case, %error, "case ended");
        }
    }
    let url = format!(
        "{base}/updateReports?agent={}&shutdownOnComplete=true",
        args.agent
    );
    // The server may stop before it has answered.
    if let Err(error) = echo(&url, &config).await {
        tracing::debug!(%error, "report asked for");
    }
    std::println!("{cases} cases run as {}", args.agent);
    Ok(())
}

async fn case_count(base: &str, config: &Config) -> Result<u32, Box<dyn Error>> {
    let url = format!("{base}/getCaseCount");
    let (mut socket, _) = connect_with(&url, config).await?;
    let answer = socket
        .recv()
        .await?
        .ok_or("the server closed without saying how many cases")?;
    let count = answer
        .as_text()
        .map(String::from)
        .unwrap_or_default()
        .parse()?;
    while socket.recv().await?.is_some() {}
    Ok(count)
}

/// Sends back whatever comes, until the server closes.
async fn echo(url: &str, config: &Config) -> Result<(), Box<dyn Error>> {
    let (mut socket, _) = connect_with(url, config).await?;
    while let Some(exchange) = socket.recv_exchange().await? {
        // Closing is seen by the next receive.
        let _ = net::Exchange::echo(exchange);
    }
    Ok(())
}
