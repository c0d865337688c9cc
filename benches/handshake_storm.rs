//! How long plain clients wait while others open TLS as fast as they can:
//! `cargo bench --bench handshake_storm -- [CLIENTS]`.
//!
//! One program serves plain TCP and TLS on a single thread, as much as one core can. In turn,
//! many times: nobody else is there; a storm of hellos is paced as by default; a storm is not
//! paced. Each time plain clients connect one after the other, and the time from connecting to
//! the 101 is taken. Prints the median and the 99th percentile of each, and how many times as
//! long it is as in the calm. Exit status 1 where pacing does not keep the 99th percentile below
//! that of the storm that is not paced.

extern crate alloc;

use alloc::sync::Arc;
use core::error::Error;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use framewire::server::{Config, Incoming, Listener, Tls, TlsFiles};

/// Plain clients for each of the three, in all.
const CLIENTS: usize = 3000;
const CLIENTS_MAX: usize = 1_000_000;
/// How many of them before the next has its turn.
const AT_ONCE: usize = 100;
/// Threads that send hellos.
const STORM_THREADS: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|it| !it.starts_with("--"));
    let clients = match arguments.next().map(|it| it.parse()) {
        None => CLIENTS,
        Some(Ok(count @ AT_ONCE..=CLIENTS_MAX)) => count,
        Some(_) => {
            eprintln!("how many clients: a number from {AT_ONCE} to {CLIENTS_MAX}");
            return ExitCode::from(2);
        }
    };
    match measure(clients) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("pacing does not keep clients from waiting");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cannot measure: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what was measured, and says whether pacing helps.
fn measure(clients: usize) -> Outcome<bool> {
    let folder = tempfile::tempdir()?;
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let [chain, key] = ["chain.pem", "key.pem"].map(|it| folder.path().join(it));
    std::fs::write(&chain, issued.cert.pem())?;
    std::fs::write(&key, issued.signing_key.serialize_pem())?;
    let tls = TlsFiles::new(&chain, &key).load()?;
    let [plain, paced, unpaced] = serve(tls)?;
    let hello = hello(issued.cert.der().clone())?;
    let situations = [
        ("calm", None),
        ("a storm, paced", Some(paced)),
        ("a storm, not paced", Some(unpaced)),
    ];
    let mut times = [const { Vec::new() }; 3];
    let mut hellos = [0; 3];
    while times[2].len() < clients {
        for (at, (_, target)) in situations.iter().enumerate() {
            let storm = target.map(|target| Storm::begin(target, &hello));
            for _ in 0..AT_ONCE {
                times[at].push(wait(plain)?);
            }
            hellos[at] += storm.map_or(0, Storm::end);
        }
    }
    for all in &mut times {
        all.sort();
    }
    let at = |all: &[Duration], percent: usize| all[(all.len() - 1) * percent / 100];
    let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
    println!("from connecting to the 101, {clients} plain clients each");
    for (((name, _), all), hellos) in situations.iter().zip(&times).zip(hellos) {
        let (half, most) = (at(all, 50), at(all, 99));
        let times_calm = ratio(most, at(&times[0], 99));
        println!(
            "{name:18}  median {half:9.1?}  99 % {most:9.1?}  {times_calm:5.1} times the calm  \
             {hellos:6} hellos"
        );
    }
    let (paced, unpaced) = (at(&times[1], 99), at(&times[2], 99));
    println!("99 % paced / not paced: {:.2}", ratio(paced, unpaced));
    Ok(paced < unpaced)
}

/// Serves on a thread of its own: plain, with TLS that is paced, with TLS that is not.
fn serve(tls: Tls) -> Outcome<[SocketAddr; 3]> {
    let (told, addresses) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let run = async {
            let settings = || {
                Config::default()
                    .with_connections_max(100_000, 100_000)
                    .with_handshake_timeout(Duration::from_secs(1))
            };
            let mut listeners = Vec::new();
            for settings in [
                settings(),
                settings().with_tls(tls.clone()),
                settings()
                    .with_tls(tls.clone())
                    .with_tls_handshakes_per_second_max(u32::MAX),
            ] {
                let any = SocketAddr::from(([127, 0, 0, 1], 0));
                listeners.push(Listener::bind(any, settings).await?);
            }
            let [plain, paced, unpaced] = &listeners[..] else {
                return Ok(());
            };
            told.send([
                plain.local_addr()?,
                paced.local_addr()?,
                unpaced.local_addr()?,
            ])?;
            tokio::join!(accept(plain), accept(paced), accept(unpaced));
            Outcome::Ok(())
        };
        if let Err(error) = runtime.map_err(Into::into).and_then(|it| it.block_on(run)) {
            eprintln!("the server has ended: {error}");
        }
    });
    Ok(addresses.recv_timeout(TIMEOUT)?)
}

async fn accept(listener: &Listener) {
    loop {
        tokio::spawn(open(listener.accept().await));
    }
}

async fn open(incoming: Incoming) {
    let opened = async { incoming.handshake().await?.accept().await };
    if let Ok(mut socket) = opened.await {
        while let Ok(Some(_)) = socket.recv().await {}
    }
}

/// The first bytes of a client of TLS.
fn hello(root: rustls::pki_types::CertificateDer<'static>) -> Outcome<Vec<u8>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello)?;
    Ok(hello)
}

/// Clients that begin TLS, wait for an answer for a moment, and go.
struct Storm {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Storm {
    fn begin(target: SocketAddr, hello: &[u8]) -> Self {
        let (stop, sent) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let threads = (0..STORM_THREADS).map(|_| {
            let (stop, sent, hello) = (Arc::clone(&stop), Arc::clone(&sent), hello.to_vec());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // What does not come about is no hello.
                    if say(target, &hello).is_ok() {
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        });
        let threads = threads.collect();
        Self {
            stop,
            sent,
            threads,
        }
    }

    /// How many hellos it has sent.
    fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
        self.sent.load(Ordering::Relaxed)
    }
}

fn say(target: SocketAddr, hello: &[u8]) -> Outcome<()> {
    let mut tcp = TcpStream::connect_timeout(&target, TIMEOUT)?;
    tcp.write_all(hello)?;
    tcp.set_read_timeout(Some(Duration::from_millis(5)))?;
    // Where it is not answered in time, the next one comes.
    let _ = tcp.read(&mut [0; 4096]);
    Ok(())
}

/// How long a plain client waits for its 101.
fn wait(plain: SocketAddr) -> Outcome<Duration> {
    let began = Instant::now();
    let mut tcp = TcpStream::connect_timeout(&plain, TIMEOUT)?;
    tcp.set_read_timeout(Some(TIMEOUT))?;
    tcp.write_all(REQUEST)?;
    let (mut answer, mut some) = (Vec::new(), [0; 512]);
    while !answer.ends_with(b"\r\n\r\n") {
        let n = tcp.read(&mut some)?;
        answer.extend_from_slice(&some[..n]);
        if n == 0 {
            break;
        }
    }
    match answer.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(began.elapsed()),
        false => Err("a plain client was not let in".into()),
    }
}
