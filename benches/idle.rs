//! What an idle connection costs in user space: `cargo bench --bench idle -- [CONNECTIONS]`.
//!
//! Starts `framewire echo`, opens connections, has one message echoed on each, waits until the
//! server's memory does not change any more, and prints how much of it each connection holds:
//! first without an extension, then with permessage-deflate agreed on, then inside TLS, each with
//! a handshake of its own. Exit status 1 above 1,200 bytes, above 2,048 bytes more for the
//! agreement, and above 16 KiB inside TLS.

extern crate alloc;

mod serving;

use alloc::sync::Arc;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::ffi::OsStr;
use std::fs;
use std::net::TcpStream;
use std::process::ExitCode;

use crate::serving::{Memory, Outcome, Server, TIMEOUT, WARM_UP};

const CONNECTIONS: usize = 2000;
const BYTES_MAX: i64 = 1200;
/// What an agreement on permessage-deflate may cost, while nobody talks.
const DEFLATE_BYTES_MAX: i64 = 2048;
/// In all. Nearly all of it is what rustls keeps.
const TLS_BYTES_MAX: i64 = 16 << 10;
/// Sockets of the same address on the server's side: loopback addresses have so many ports.
const PER_ADDRESS_MAX: usize = 20_000;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|it| !it.starts_with("--"));
    let connections = match arguments.next().map(|it| it.parse()) {
        None => CONNECTIONS,
        Some(Ok(count @ 1..=PER_ADDRESS_MAX)) => count,
        Some(_) => {
            eprintln!("how many connections: a number from 1 to {PER_ADDRESS_MAX}");
            return ExitCode::from(2);
        }
    };
    match measure_all(connections) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot measure: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures each kind of connection, and says whether all hold as little as they should.
fn measure_all(connections: usize) -> Outcome<bool> {
    let plain = measure(connections, &[], |address| open(address, ""))?;
    println!("with permessage-deflate agreed on:");
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let options = ["--deflate".as_ref()];
    let deflate = measure(connections, &options, |address| open(address, offer))? - plain;
    println!("{deflate:6} bytes more");
    println!("inside TLS:");
    let tls = measure_tls(connections)?;
    let mut is_within = true;
    for (what, bytes, most) in [
        ("a connection", plain, BYTES_MAX),
        (
            "an agreement on permessage-deflate",
            deflate,
            DEFLATE_BYTES_MAX,
        ),
        ("a connection inside TLS", tls, TLS_BYTES_MAX),
    ] {
        if bytes > most {
            eprintln!("{what} holds {bytes} bytes, which may be {most}");
            is_within = false;
        }
    }
    Ok(is_within)
}

/// Prints what each of so many connections holds, and returns it in bytes of resident memory.
fn measure<S>(
    connections: usize,
    options: &[&OsStr],
    open: impl Fn(&str) -> Outcome<S>,
) -> Outcome<i64> {
    let servers = [Server::start(options)?];
    let address = &servers[0].address;
    for _ in 0..WARM_UP {
        open(address)?;
    }
    let before = Memory::at_rest(&servers)?;
    let sockets = (0..connections)
        .map(|_| open(address))
        .collect::<Outcome<Vec<_>>>()?;
    let after = Memory::at_rest(&servers)?;
    drop(sockets);
    println!("{connections} idle connections, each after one message");
    after.print_each(before, connections)
}

/// The same inside TLS, where the server has a certificate that was made for this.
fn measure_tls(connections: usize) -> Outcome<i64> {
    let folder = tempfile::tempdir()?;
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let [chain, key] = ["chain.pem", "key.pem"].map(|it| folder.path().join(it));
    fs::write(&chain, issued.cert.pem())?;
    fs::write(&key, issued.signing_key.serialize_pem())?;
    let mut roots = RootCertStore::empty();
    roots.add(issued.cert.der().clone())?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // As if each were another client.
    config.resumption = Resumption::disabled();
    let config = Arc::new(config);
    let options = [
        "--tls-cert".as_ref(),
        chain.as_os_str(),
        "--tls-key".as_ref(),
        key.as_os_str(),
    ];
    measure(connections, &options, |address| {
        let session = ClientConnection::new(Arc::clone(&config), "localhost".try_into()?)?;
        let mut stream = StreamOwned::new(session, connect(address)?);
        serving::open(&mut stream, "")?;
        Ok(stream)
    })
}

fn connect(address: &str) -> Outcome<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// Opens a connection, on which permessage-deflate is agreed on where there is an offer.
fn open(address: &str, offer: &str) -> Outcome<TcpStream> {
    let mut stream = connect(address)?;
    let head = serving::open(&mut stream, offer)?;
    match head.contains("permessage-deflate") == offer.is_empty() {
        true => Err(head.into()),
        false => Ok(stream),
    }
}
