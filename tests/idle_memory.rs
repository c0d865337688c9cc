//! What a connection on which nothing happens holds in memory, and what a busy one allocates.
//!
//! Allocations are counted by thread, and each test with its runtime keeps to one.

extern crate alloc;

use alloc::sync::Arc;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use framewire::engine::{Connection, Limits, Role, Timestamp};
use framewire::net::WebSocket;
use framewire::server::{Config, Incoming, Listener, TlsFiles};
use std::alloc::System;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Counts the bytes that each thread has allocated and not given back, and how often it did.
struct Counting;

std::thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every call is handed on as it is to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.set(BYTES.get().wrapping_add(layout.size()));
        TIMES.set(TIMES.get() + 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(at, layout) }
    }
}

fn allocated() -> usize {
    BYTES.get()
}

/// A masked frame with a payload of zeros, of which the last bytes may be missing.
fn frame(len: usize, missing: usize) -> Vec<u8> {
    let long = (len as u64).to_be_bytes();
    let mut frame = vec![0x82];
    match len {
        0..=125 => frame.push(0x80 | long[7]),
        126..=0xFFFF => frame.extend_from_slice(&[0xFE, long[6], long[7]]),
        _ => {
            frame.push(0xFF);
            frame.extend_from_slice(&long);
        }
    }
    // The key is all zeros, and so is the masked payload.
    frame.resize(frame.len() + 4 + len - missing, 0);
    frame
}

/// A stream that gives what it was made with, once or again and again, and takes everything.
struct Stub {
    bytes: Vec<u8>,
    given: usize,
    again: bool,
}

impl AsyncRead for Stub {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return Poll::Pending;
        }
        while buffer.remaining() > 0 && self.given < self.bytes.len() {
            let rest = &self.bytes[self.given..];
            let len = rest.len().min(buffer.remaining());
            buffer.put_slice(&rest[..len]);
            self.given += len;
            if self.again {
                self.given %= self.bytes.len();
            }
        }
        if self.given == self.bytes.len() {
            self.bytes = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stub {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// How many connections are measured together, so that the test's own memory is no matter.
const CONNECTIONS: usize = 100;

/// Lets connections echo until there is nothing more to read, and says what each holds then.
async fn held_after(bytes: &[u8]) -> usize {
    let limits = Arc::new(Limits::default().with_message_bytes_max(1 << 24));
    let mut sockets = Vec::with_capacity(CONNECTIONS + 1);
    // The first connection fills what the thread keeps for all of them.
    let mut before = 0;
    while sockets.len() <= CONNECTIONS {
        if sockets.len() == 1 {
            before = allocated();
        }
        let limits = Arc::clone(&limits);
        let connection = Connection::new(Role::Server, limits, Timestamp::ZERO, [0; 32]);
        let stream = Stub {
            // Given back as soon as it has been read.
            bytes: bytes.to_vec(),
            given: 0,
            again: false,
        };
        let mut socket = WebSocket::new(stream, connection, Vec::new());
        while echo_one(&mut socket).await {}
        assert!(socket.closure().is_none(), "the bytes are no frames");
        sockets.push(socket);
    }
    (allocated() - before) / CONNECTIONS
}

/// Echoes a message, if there is one now.
async fn echo_one(socket: &mut WebSocket<Stub>) -> bool {
    let mut receiving = pin!(socket.recv_exchange());
    let polled = poll_fn(|cx| Poll::Ready(receiving.as_mut().poll(cx))).await;
    let Poll::Ready(received) = polled else {
        return false;
    };
    let exchange = received.expect("no failure").expect("nobody has closed");
    exchange.echo().expect("there is room");
    true
}

#[tokio::test]
async fn a_connection_that_waits_holds_no_buffers() {
    let cases: [&[usize]; 4] = [&[5], &[5; 100], &[60_000], &[0, 300_000, 1 << 20]];
    for messages in cases {
        let bytes: Vec<u8> = messages.iter().flat_map(|len| frame(*len, 0)).collect();
        let held = held_after(&bytes).await;
        assert!(
            held <= 200,
            "{held} bytes behind {} messages",
            messages.len()
        );
    }
}

#[tokio::test]
async fn half_a_frame_holds_about_what_has_arrived() {
    for (len, missing) in [(10, 1), (10, 10), (5000, 1), (1 << 20, (1 << 20) - 2000)] {
        let bytes = [frame(5, 0), frame(len, missing)].concat();
        let (arrived, held) = (bytes.len(), held_after(&bytes).await);
        assert!(held <= arrived + 200, "{held} bytes for {arrived}");
    }
    // What has arrived of a large message is held with at most as much room again.
    let bytes = frame(1 << 20, 1 << 19);
    let (arrived, held) = (bytes.len(), held_after(&bytes).await);
    assert!(
        held <= 2 * arrived + (64 << 10),
        "{held} bytes for {arrived}"
    );
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Lent,
    Echo,
    Owned,
}

/// How often memory is allocated for so many messages, when others have come before.
async fn allocations(len: usize, way: Way, messages: usize) -> usize {
    let stream = Stub {
        bytes: frame(len, 0),
        given: 0,
        again: true,
    };
    let limits = Arc::new(Limits::default());
    let connection = Connection::new(Role::Server, limits, Timestamp::ZERO, [0; 32]);
    let mut socket = WebSocket::new(stream, connection, Vec::new());
    // Enough to have filled every buffer more than once.
    let others = 100 + (256 << 10) / (len + 6);
    let mut before = 0;
    for at in 0..others + messages {
        if at == others {
            before = TIMES.get();
        }
        let received = match way {
            Way::Lent => socket
                .recv_lent()
                .await
                .expect("no failure")
                .map(|it| it.bytes().len()),
            Way::Owned => socket
                .recv()
                .await
                .expect("no failure")
                .map(|it| it.as_bytes().len()),
            Way::Echo => {
                let exchange = socket.recv_exchange().await.expect("no failure");
                exchange.map(|it| {
                    let len = it.message.bytes().len();
                    it.echo().expect("there is room");
                    len
                })
            }
        };
        assert_eq!(received, Some(len));
    }
    TIMES.get() - before
}

#[tokio::test]
async fn a_busy_connection_allocates_nothing_for_what_it_lends() {
    for len in [0, 5, 1000, 50_000, 200_000] {
        let messages = 50 + (1 << 20) / (len + 6);
        for way in [Way::Lent, Way::Echo] {
            let times = allocations(len, way, messages).await;
            assert_eq!(times, 0, "{way:?}, {len} bytes");
        }
    }
    for len in [0, 5, 1000, 50_000, 200_000] {
        let messages = 50 + (1 << 20) / (len + 6);
        let times = allocations(len, Way::Owned, messages).await;
        assert!(
            times <= messages,
            "{times} for {messages} messages of {len} bytes"
        );
    }
}

async fn serve_one(incoming: Incoming) {
    let opened = async { incoming.handshake().await?.accept().await };
    let Ok(mut socket) = opened.await else { return };
    while let Ok(Some(exchange)) = socket.recv_exchange().await {
        if exchange.echo().is_err() {
            return;
        }
    }
}

/// A request to open a WebSocket, and a message right behind it.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85\0\0\0\0hello";

/// Opens a connection, sends one message and reads its echo.
async fn open_and_echo(address: SocketAddr) -> std::net::TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(REQUEST).await.expect("it reads");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x81\x05hello") {
        let n = stream.read_buf(&mut answer).await.expect("no reset");
        assert!(n > 0, "{}", String::from_utf8_lossy(&answer));
    }
    // Without tokio around it, nothing is allocated for this end.
    stream.into_std().expect("it can be taken out")
}

//= C26 type=test
//= D34 type=test
#[test]
fn an_idle_connection_of_a_server_is_under_4_kib() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let local = tokio::task::LocalSet::new();
    let measured = local.block_on(&runtime.expect("a runtime"), async {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, Config::default())
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let admission = Arc::clone(listener.admission());
        tokio::task::spawn_local(async move {
            loop {
                tokio::task::spawn_local(serve_one(listener.accept().await));
            }
        });
        let (mut kept, mut marks) = (Vec::with_capacity(1000), Vec::new());
        for count in [100, 300] {
            while kept.len() < count {
                kept.push(open_and_echo(address).await);
            }
            assert_eq!(admission.connections(), count);
            marks.push(allocated());
        }
        (marks[1] - marks[0]) / 200
    });
    println!("{measured} bytes on the heap for an idle connection");
    assert!(measured < 4096, "{measured} bytes");
}

/// Opens connections inside TLS on a thread of its own, whose memory is not counted, and keeps
/// each after one message has come back.
fn open_secure(
    address: SocketAddr,
    certificate: &rustls::pki_types::CertificateDer<'static>,
    counts: &[usize],
) -> std::sync::mpsc::Receiver<usize> {
    use std::io::{Read, Write};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).expect("it is a certificate");
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ));
    let config = config
        .with_safe_default_protocol_versions()
        .expect("they are there")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (config, counts) = (Arc::new(config), counts.to_vec());
    // Nobody goes on before the other side has measured.
    let (opened, measured) = std::sync::mpsc::sync_channel(0);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for count in counts {
            while kept.len() < count {
                let name = "localhost".try_into().expect("a name");
                let session = rustls::ClientConnection::new(Arc::clone(&config), name);
                let tcp = std::net::TcpStream::connect(address).expect("it listens");
                let mut tls = rustls::StreamOwned::new(session.expect("a session"), tcp);
                tls.write_all(REQUEST).expect("it reads");
                let (mut answer, mut some) = (Vec::new(), [0; 512]);
                while !answer.ends_with(b"\x81\x05hello") {
                    let n = tls.read(&mut some).expect("no reset");
                    answer.extend_from_slice(&some[..n]);
                }
                kept.push(tls);
            }
            if opened.send(count).is_err() {
                return;
            }
        }
        // They are kept until the last has been measured.
        let _ = opened.send(0);
    });
    measured
}

#[test]
fn an_idle_connection_of_a_server_inside_tls_is_under_12_kib() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let local = tokio::task::LocalSet::new();
    let measured = local.block_on(&runtime.expect("a runtime"), async {
        let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        let issued = issued.expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        let [chain, key] = ["chain.pem", "key.pem"].map(|it| folder.path().join(it));
        std::fs::write(&chain, issued.cert.pem()).expect("it is written");
        std::fs::write(&key, issued.signing_key.serialize_pem()).expect("it is written");
        let tls = TlsFiles::new(&chain, &key)
            .load()
            .expect("they are in order");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, Config::default().with_tls(tls))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::task::spawn_local(async move {
            loop {
                tokio::task::spawn_local(serve_one(listener.accept().await));
            }
        });
        let opened = open_secure(address, issued.cert.der(), &[300, 500]);
        let mut marks = Vec::new();
        while marks.len() < 2 {
            match opened.try_recv() {
                Ok(_) => marks.push(allocated()),
                Err(std::sync::mpsc::TryRecvError::Empty) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
        (marks[1] - marks[0]) / 200
    });
    println!("{measured} bytes on the heap for an idle connection inside TLS");
    assert!(measured < 12 << 10, "{measured} bytes");
}
