//! `framewire serve`: the announcement server.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString as _;
use core::error::Error;
use core::net::SocketAddr;
use std::io::{self, Write};
use std::process::ExitCode;
use tokio::runtime::Builder;

use crate::announce::assembly::{Ended, Inputs, Refused, Reload, Server};
use crate::announce::config::check::{Report, Severity};
use crate::announce::config::{Config, Flags};
use crate::cli::args::Serve;
use crate::cli::{check_config, log, notify, signal};

/// Serves until the process is told to stop. The exit status is 1 where somebody had to be cut
/// off at the end.
///
/// # Errors
///
/// When the configuration is refused, when a secret or the store cannot be used, or when the
/// address cannot be listened on.
pub fn run(args: &Serve) -> Result<ExitCode, Box<dyn Error>> {
    let flags = Flags {
        listen: args.listen,
        data: args.data.clone(),
    };
    let inputs = Inputs::new(args.config.clone(), check_config::environment(), flags);
    let (config, report) = inputs.load().map_err(|refused| told(&inputs, &refused))?;
    log::start(config.observe.log);
    warn(&report)?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config, inputs))
    // The service is gone with the runtime, and with it the store, which has first put
    // everything on disk.
}

/// Tells each fault on a line of its own, and leaves the last word to whoever prints errors.
fn told(inputs: &Inputs, refused: &Refused) -> Box<dyn Error> {
    let name = match &inputs.file {
        Some(file) => file.display().to_string(),
        None => "the environment".to_string(),
    };
    let advice = match refused {
        Refused::Faults(_) => format!("{name} cannot be used: correct what is told above"),
        Refused::Unsafe(_) => format!("{name} is unsafe: change what the remarks say"),
        other => return other.to_string().into(),
    };
    match writeln!(io::stderr(), "{refused}") {
        Ok(()) => advice.into(),
        Err(error) => error.into(),
    }
}

/// Says what is not as it should be, but no reason not to start.
fn warn(report: &Report) -> io::Result<()> {
    let worth = |severity: Severity| severity >= Severity::Warning;
    let mut findings = report.findings.iter().filter(|it| worth(it.severity));
    findings.try_for_each(|finding| writeln!(io::stderr(), "{finding}"))
}

async fn serve(config: Config, inputs: Inputs) -> Result<ExitCode, Box<dyn Error>> {
    let data = config.server.data.display().to_string();
    let is_tls = config.server.tls.is_some();
    let server = Server::new(config, inputs).await?;
    let address = server.local_addr()?;
    let told_to_stop = signal::listen()?;
    let reload = server.reload();
    let hangups = signal::on_hangup(move || {
        tokio::spawn(reload_once(reload.clone()));
    })?;
    say_ready(&data, address, is_tls)?;
    notify::tell(notify::READY);
    let ended = server.run(async {
        tokio::select! {
            () = told_to_stop => {}
            () = hangups => {}
        }
        notify::tell(notify::STOPPING);
    });
    Ok(match ended.await {
        Ended::Drained => ExitCode::SUCCESS,
        _ => {
            tracing::warn!("some connections did not close in time");
            ExitCode::FAILURE
        }
    })
}

/// Brings the server to what its file says now, and tells what came of it.
async fn reload_once(reload: Reload) {
    let told = match reload.reload().await {
        Ok(reloaded) => format!("reloaded: {reloaded}"),
        Err(refused) => format!("not reloaded, everything stays as it was:\n{refused}"),
    };
    // The server goes on all the same where nobody reads it.
    let _ = writeln!(io::stderr(), "{told}");
}

/// Tells whoever started the server that it is ready, and how to use it.
fn say_ready(data: &str, address: SocketAddr, is_tls: bool) -> io::Result<()> {
    let (socket, page) = match is_tls {
        true => ("wss", "https"),
        false => ("ws", "http"),
    };
    let mut out = io::stdout();
    writeln!(out, "listening on {socket}://{address}")?;
    out.flush()?;
    let hint = format!(
        "the page is at {page}://{address}/\n\
         mint a token with: framewire token --data {data} --user alice\n"
    );
    // The server is ready all the same where nobody reads the hint.
    let _ = io::stderr().write_all(hint.as_bytes());
    Ok(())
}
