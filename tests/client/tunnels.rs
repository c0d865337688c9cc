//! Proxies that say no, say nonsense, or say too much.

use framewire::client::{
    Config, ConnectError, Phase, Proxies, Proxy, ProxyRefusal, Tls, connect_with,
};
use framewire::wire::close::CloseCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::raw::{self, Split, Way, believing, header, listen};
use crate::reserved::Reserved;
use crate::tls_server::{echoing, self_signed, server_config};
use crate::within;

async fn proxy(scheme: &str, user: &str) -> (TcpListener, Config) {
    let (listener, _) = listen().await;
    let address = listener.local_addr().expect("it is bound");
    (listener, through(&format!("{scheme}://{user}{address}")))
}

fn through(proxy: &str) -> Config {
    let proxy = Proxy::parse(proxy).expect("a proxy");
    Config::default().with_proxies(Proxies::all(proxy))
}

/// What becomes of a connection when a proxy answers CONNECT so.
async fn answered((way, split): (Way, Split), answer: &[u8]) -> ConnectError {
    let scheme = match way {
        Way::Plain => "http",
        Way::Tls => "https",
    };
    let (listener, config) = proxy(scheme, "user:password@").await;
    let config = believing(&config);
    let connecting =
        tokio::spawn(async move { connect_with("ws://example.invalid/", &config).await });
    let mut stream = way.accept(&listener).await;
    let request = raw::head(&mut stream).await;
    assert!(
        request.starts_with("CONNECT example.invalid:80 HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "Host"), Some("example.invalid:80"));
    let basic = Some("Basic dXNlcjpwYXNzd29yZA==");
    assert_eq!(header(&request, "Proxy-Authorization"), basic);
    split.send(&mut stream, answer).await;
    drop(stream);
    within(connecting)
        .await
        .expect("no panic")
        .expect_err("no connection")
}

//= CS-18 type=test
//= WS-013 type=test
#[tokio::test]
async fn a_proxy_that_refuses_says_whose_fault_it_is() {
    for how in Split::all_ways() {
        let failed = answered(how, b"HTTP/1.1 407 Who\r\n\r\n").await;
        assert_eq!(failed.phase(), Some(Phase::Proxy));
        assert!(matches!(
            failed,
            ConnectError::Proxy(ProxyRefusal::Credentials)
        ));
        for status in [403, 502] {
            let answer = format!("HTTP/1.1 {status} No\r\n\r\n");
            let failed = answered(how, answer.as_bytes()).await;
            let told = matches!(&failed,
                ConnectError::Proxy(ProxyRefusal::Status(it)) if *it == status);
            assert!(told, "{failed:?}");
        }
        for nonsense in [
            &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n",
            b"\x05\x00\r\n\r\n",
        ] {
            let failed = answered(how, nonsense).await;
            // Bytes behind the answer are only seen if they are there by then.
            assert_ne!(failed.phase(), None, "{failed:?}");
            let is_told = matches!(
                failed,
                ConnectError::Proxy(ProxyRefusal::Malformed(_))
                    | ConnectError::Handshake(_)
                    | ConnectError::Io(Phase::Handshake, _)
            );
            assert!(is_told, "{failed:?}");
        }
    }
}

//= CS-18 type=test
#[tokio::test]
async fn a_proxy_without_end_is_cut_off() {
    for (begin, again) in [
        (&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'x'; 4096][..]),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"\0\0\0\0"),
    ] {
        let flood = [begin, &again.repeat((1 << 20) / again.len())].concat();
        for way in [Way::Plain, Way::Tls] {
            let failed = answered((way, Split::Whole), &flood).await;
            let told = matches!(failed, ConnectError::Proxy(ProxyRefusal::Malformed(_)));
            assert!(told, "{way:?}: {failed:?}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_or_is_not_there_is_named() {
    let failed = answered((Way::Plain, Split::Whole), b"").await;
    assert!(
        matches!(failed, ConnectError::Io(Phase::Proxy, _)),
        "{failed:?}"
    );
    let (_listener, config) = proxy("http", "").await;
    let short = config.with_proxy_timeout(core::time::Duration::from_millis(100));
    let failed = within(connect_with("ws://h/", &short))
        .await
        .expect_err("silence");
    let told = matches!(failed, ConnectError::TimedOut(Some(Phase::Proxy)));
    assert!(told, "{failed:?}");
    let unheard = Reserved::new();
    let config = through(&format!("http://{}", unheard.address));
    let failed = within(connect_with("ws://h/", &config))
        .await
        .expect_err("nobody");
    assert!(
        failed.to_string().contains("the proxy 127.0.0.1"),
        "{failed}"
    );
}

//= CS-18 type=test
#[tokio::test]
async fn a_socks_proxy_that_refuses_says_why() {
    let greeting = b"\x05\x01\x00";
    for (answers, expected) in [
        (&[&b"\x05\xFF"[..]][..], "refuses the credentials"),
        (&[b"\x05\x00", b"\x05\x05\x00\x01\0\0\0\0\0\0"], "refused"),
        (&[b"\x05\x00", b"\x05\x02\x00\x01\0\0\0\0\0\0"], "ruleset"),
        (&[b"HT"], "malformed"),
        (&[b"\x05\x00", b"\x05\x00\x00\x09"], "malformed"),
    ] {
        let (listener, config) = proxy("socks5h", "").await;
        let connecting =
            tokio::spawn(async move { connect_with("ws://example.invalid/", &config).await });
        let mut stream = raw::accept(&listener).await;
        let mut said = [0; 3];
        within(stream.read_exact(&mut said))
            .await
            .expect("a greeting");
        assert_eq!(&said, greeting);
        for (at, answer) in answers.iter().enumerate() {
            stream.write_all(answer).await.expect("it reads");
            if at + 1 < answers.len() {
                let mut request = [0; 22];
                within(stream.read_exact(&mut request))
                    .await
                    .expect("a request");
                // The name goes to the proxy as it is.
                assert_eq!(&request[..20], b"\x05\x01\x00\x03\x0Fexample.invalid");
            }
        }
        drop(stream);
        let failed = within(connecting)
            .await
            .expect("no panic")
            .expect_err("no connection");
        assert_eq!(failed.phase(), Some(Phase::Proxy));
        assert!(failed.to_string().contains(expected), "{failed}");
    }
}

/// Passes one connection on after CONNECT.
async fn pass_on<S>(mut stream: S)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let request = raw::head(&mut stream).await;
    let target = request.split(' ').nth(1).expect("a target");
    let mut server = TcpStream::connect(target).await.expect("the server");
    stream
        .write_all(b"HTTP/1.1 200 Go on\r\n\r\n")
        .await
        .expect("it reads");
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
}

//= E73 type=test
#[tokio::test]
async fn tls_goes_through_tls_to_the_proxy() {
    let port = echoing(server_config(&self_signed())).await;
    let (listener, _) = listen().await;
    let at = listener.local_addr().expect("it is bound");
    let acceptor = alloc::sync::Arc::new(server_config(&self_signed()));
    tokio::spawn(async move {
        let stream = raw::accept(&listener).await;
        let tls = tokio_rustls::TlsAcceptor::from(acceptor)
            .accept(stream)
            .await;
        pass_on(tls.expect("TLS")).await;
    });
    let any = Tls::builder()
        .danger_accept_any_certificate()
        .build()
        .expect("it can be used");
    let proxy = Proxy::parse(&format!("https://{at}")).expect("a proxy");
    let config = Config::default()
        .with_tls(any)
        .with_proxies(Proxies::all(proxy));
    let url = format!("wss://localhost:{port}/");
    let (mut socket, _) = within(connect_with(&url, &config)).await.expect("open");
    assert!(socket.stream().is_tls() && socket.stream().get_ref().is_tls());
    within(socket.send("hello")).await.expect("no failure");
    assert!(within(socket.recv()).await.expect("no failure").is_some());
    let closed = within(socket.close(CloseCode::NORMAL_CLOSURE, "")).await;
    assert!(closed.expect("a normal close").is_clean());
}

//= WS-011 type=test
#[tokio::test]
async fn names_that_a_proxy_looks_up_are_servers_of_their_own() {
    let (listener, config) = proxy("http", "").await;
    for name in ["a", "b", "a"] {
        let (config, url) = (config.clone(), format!("ws://{name}.invalid/"));
        tokio::spawn(async move { connect_with(&url, &config).await.map(drop) });
    }
    let (mut first, mut second) = (raw::accept(&listener).await, raw::accept(&listener).await);
    let mut asked = [raw::head(&mut first).await, raw::head(&mut second).await];
    asked.sort();
    assert!(asked[0].starts_with("CONNECT a.") && asked[1].starts_with("CONNECT b."));
    let while_both_wait = core::time::Duration::from_millis(150);
    let third = tokio::time::timeout(while_both_wait, listener.accept()).await;
    assert!(third.is_err(), "a second one to the same name");
}

//= WS-012 type=test
#[tokio::test]
async fn through_a_proxy_64_connections_are_opened_at_once() {
    const MOST: usize = 64;
    let (listener, config) = proxy("http", "").await;
    let mut connecting = tokio::task::JoinSet::new();
    // Each name may be one server's: only their number is bounded.
    for at in 0..MOST + 6 {
        let (config, url) = (config.clone(), format!("ws://many{at}.invalid/"));
        connecting.spawn(async move { connect_with(&url, &config).await.map(drop) });
    }
    let mut pending = alloc::collections::VecDeque::new();
    while pending.len() < MOST {
        let mut stream = raw::accept(&listener).await;
        assert!(raw::head(&mut stream).await.starts_with("CONNECT many"));
        pending.push_back(stream);
    }
    let while_all_wait = core::time::Duration::from_millis(150);
    let more = tokio::time::timeout(while_all_wait, listener.accept()).await;
    assert!(more.is_err(), "more than {MOST} at once");
    // One that fails, one that is refused and one that opens make way for one each.
    for at in 0..6 {
        let mut stream = pending.pop_front().expect("many are pending");
        match at % 3 {
            0 => drop(stream),
            1 => {
                let answer = b"HTTP/1.1 403 No\r\n\r\n";
                stream.write_all(answer).await.expect("it reads");
            }
            _ => {
                let answer = b"HTTP/1.1 200 Go on\r\n\r\n";
                stream.write_all(answer).await.expect("it reads");
                let answer = raw::switched(&raw::head(&mut stream).await, "");
                stream.write_all(answer.as_bytes()).await.expect("it reads");
            }
        }
        let done = within(connecting.join_next()).await.expect("one is done");
        assert_eq!(done.expect("no panic").is_ok(), at % 3 == 2);
        let mut next = raw::accept(&listener).await;
        assert!(raw::head(&mut next).await.starts_with("CONNECT many"));
        pending.push_back(next);
    }
    let more = tokio::time::timeout(while_all_wait, listener.accept()).await;
    assert!(more.is_err(), "all have come");
    assert_eq!(connecting.len(), MOST);
}
