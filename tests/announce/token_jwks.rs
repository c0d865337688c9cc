//! Sets of keys that are kept by others: in files, and on servers that fail in every way.

use std::net::TcpListener as Trap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use framewire::announce::token::{
    Algorithm, FetchError, InvalidJwks, JWKS_BYTES_MAX, Jwks, JwksError, JwksLocation,
    JwksSettings, KeyRing, Keys, Settings, TokenError, Verifier,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::forge::{Signer, jwks};
use crate::polling::poll_times;

const HOUR: Duration = Duration::from_secs(3600);

/// What the server answers.
#[derive(Clone)]
enum Answer {
    Keys(String),
    Raw(String),
    /// A body that never ends.
    Endless,
    /// Nothing at all.
    Silence,
}

/// An HTTP server on loopback, which counts what it is asked.
struct Server {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    asked: watch::Receiver<u64>,
}

impl Server {
    async fn start(answer: Answer) -> Self {
        Self::start_with(answer, None).await
    }

    async fn start_with(answer: Answer, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(answer));
        let (count, asked) = watch::channel(0);
        let answers = Arc::clone(&answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answers.lock().unwrap().clone();
                let (count, tls) = (count.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, answer, count).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, answer, count).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            port,
            answer,
            asked,
        }
    }

    fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn settings(&self) -> JwksSettings {
        settings(&format!("http://127.0.0.1:{}/keys", self.port))
    }

    async fn asked_times(&self, times: u64) {
        let mut asked = self.asked.clone();
        let reached = asked.wait_for(|count| *count >= times);
        let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
        assert!(reached.is_ok(), "asked {} times", *self.asked.borrow());
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Answer,
    count: watch::Sender<u64>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    assert!(head.starts_with(b"GET /keys HTTP/1.1\r\n"));
    count.send_modify(|count| *count += 1);
    let text = match answer {
        Answer::Keys(body) => format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
        Answer::Raw(text) => text,
        Answer::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{").await;
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
            return;
        }
        Answer::Silence => return std::future::pending().await,
    };
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn settings(address: &str) -> JwksSettings {
    let mut settings = JwksSettings::new(JwksLocation::Url(address.into()));
    settings.interval = HOUR;
    settings.pause = HOUR;
    settings
}

fn verifier() -> Verifier {
    let mut settings = Settings::default();
    settings.algorithms = Algorithm::ALL.to_vec();
    Verifier::with_keys(KeyRing::new(Keys::new()), settings).unwrap()
}

fn token_with(signer: &Signer, kid: &str, rest: &str) -> String {
    let exp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + 10 * HOUR;
    let header = format!(r#"{{"alg":"{}","kid":"{kid}"{rest}}}"#, signer.algorithm());
    let claims = format!(r#"{{"sub":"alice","iss":"i","exp":{}}}"#, exp.as_secs());
    signer.sign(&header, &claims)
}

fn verdict(verifier: &Verifier, token: &str, later: Duration) -> Result<(), TokenError> {
    verifier.verify(token, SystemTime::now() + later).map(drop)
}

async fn eventually(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_that_fails_leaves_the_last_good_keys() {
    //= AU-36 type=test
    let signer = Signer::new(Algorithm::Es256);
    let good = Answer::Keys(jwks(&[(&signer, "k")]));
    let server = Server::start(good.clone()).await;
    let verifier = verifier();
    let mut settings = server.settings();
    settings.issuer = Some("i".into());
    settings.timeout = Duration::from_millis(300);
    let source = Jwks::new(verifier.ring(), settings).unwrap();
    let token = token_with(&signer, "k", "");
    let now = Duration::ZERO;
    assert_eq!(verdict(&verifier, &token, now), Err(TokenError::UnknownKey));
    source.refresh().await.unwrap();
    assert_eq!(verdict(&verifier, &token, now), Ok(()));

    let raw = |text: &str| Answer::Raw(text.into());
    let empty = r#"{"keys":[]}"#;
    let no_body = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let malformed = JwksError::Document(InvalidJwks::Malformed);
    let too_long = JwksError::Fetch(FetchError::TooLong);
    let cases = [
        (
            raw("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
            Some(JwksError::Fetch(FetchError::Status(500))),
        ),
        (
            raw("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
            Some(JwksError::Fetch(FetchError::Status(404))),
        ),
        (Answer::Keys("garbage".into()), Some(malformed.clone())),
        (raw(no_body), Some(malformed)),
        (
            Answer::Keys(empty.into()),
            Some(JwksError::Document(InvalidJwks::Empty)),
        ),
        (
            Answer::Keys(" ".repeat(JWKS_BYTES_MAX + 1)),
            Some(too_long.clone()),
        ),
        (Answer::Endless, Some(too_long)),
        (Answer::Silence, Some(JwksError::Fetch(FetchError::Slow))),
        // Neither HTTP, nor whole.
        (raw("SSH-2.0-x\r\n"), None),
        (raw(""), None),
        (raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), None),
    ];
    for (at, (answer, expected)) in cases.into_iter().enumerate() {
        server.set(answer);
        let error = source.refresh().await.unwrap_err();
        match expected {
            Some(expected) => assert_eq!(error, expected, "case {at}"),
            None => assert!(
                matches!(error, JwksError::Fetch(FetchError::Connection(_))),
                "case {at}: {error}"
            ),
        }
        assert_eq!(verdict(&verifier, &token, now), Ok(()), "case {at}");
    }
    server.set(good);
    source.refresh().await.unwrap();
    // The keys are of the source and go with it.
    drop(source);
    assert_eq!(verdict(&verifier, &token, now), Err(TokenError::UnknownKey));
}

#[tokio::test]
async fn a_key_that_is_not_listed_any_more_ends_with_its_grace() {
    //= AU-36 type=test
    let (old, new) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Rs256));
    let second = Duration::from_secs(1);
    for grace in [Duration::ZERO, HOUR] {
        let server = Server::start(Answer::Keys(jwks(&[(&old, "old")]))).await;
        let verifier = verifier();
        let mut settings = server.settings();
        settings.grace = grace;
        let source = Jwks::new(verifier.ring(), settings).unwrap();
        source.refresh().await.unwrap();
        let (of_old, of_new) = (token_with(&old, "old", ""), token_with(&new, "new", ""));
        assert_eq!(verdict(&verifier, &of_old, 9 * HOUR), Ok(()));
        let unknown = Err(TokenError::UnknownKey);
        assert_eq!(verdict(&verifier, &of_new, second), unknown);
        // Both are listed for a while, as issuers do it; then only the new one.
        server.set(Answer::Keys(jwks(&[(&old, "old"), (&new, "new")])));
        source.refresh().await.unwrap();
        assert_eq!(verdict(&verifier, &of_old, 9 * HOUR), Ok(()));
        assert_eq!(verdict(&verifier, &of_new, 9 * HOUR), Ok(()));
        server.set(Answer::Keys(jwks(&[(&new, "new")])));
        source.refresh().await.unwrap();
        // Another reading does not prolong it.
        source.refresh().await.unwrap();
        let within = verdict(&verifier, &of_old, grace.saturating_sub(30 * second));
        assert_eq!(within.is_ok(), grace > Duration::ZERO);
        assert_eq!(verdict(&verifier, &of_old, grace + second), unknown);
        assert_eq!(verdict(&verifier, &of_new, 9 * HOUR), Ok(()));
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_the_server_once_and_nobody_else() {
    //= AU-12 type=test
    //= AU-13 type=test
    //= V-89 type=test
    let (old, new) = (Signer::new(Algorithm::EdDsa), Signer::new(Algorithm::EdDsa));
    let server = Server::start(Answer::Keys(jwks(&[(&old, "old")]))).await;
    let trap = Trap::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let verifier = verifier();
    let source = Jwks::new(verifier.ring(), server.settings()).unwrap();
    let running = tokio::spawn(source.run());
    let of_old = token_with(&old, "old", "");
    eventually(|| verdict(&verifier, &of_old, Duration::ZERO).is_ok()).await;
    assert_eq!(*server.asked.borrow(), 1);

    // The keys change. The first token of the new one has them read, without waiting for the
    // hour to pass.
    server.set(Answer::Keys(jwks(&[(&old, "old"), (&new, "new")])));
    let port = trap.local_addr().unwrap().port();
    let lure = format!(
        r#","jku":"http://127.0.0.1:{port}/","x5u":"http://127.0.0.1:{port}/c","jwk":{}"#,
        new.jwk("")
    );
    let of_new = token_with(&new, "new", &lure);
    eventually(|| verdict(&verifier, &of_new, Duration::ZERO).is_ok()).await;
    assert_eq!(*server.asked.borrow(), 2);

    let flood = |round: u32| {
        for n in 0..2000 {
            let forged = token_with(&old, &format!("{round}-{n}"), &lure);
            let refused = verdict(&verifier, &forged, Duration::ZERO);
            assert_eq!(refused, Err(TokenError::UnknownKey));
        }
    };
    flood(0);
    // There would be time for more.
    let mut asked = server.asked.clone();
    let third = asked.wait_for(|count| *count > 2);
    let third = tokio::time::timeout(Duration::from_millis(300), third).await;
    assert!(third.is_err(), "asked a third time");
    flood(1);
    assert_eq!(*server.asked.borrow(), 2);
    let lured = trap.accept().unwrap_err();
    assert_eq!(lured.kind(), std::io::ErrorKind::WouldBlock);
    running.abort();
}

#[tokio::test]
async fn a_source_is_read_again_at_its_interval_and_after_a_failure() {
    let (one, two) = (Signer::new(Algorithm::EdDsa), Signer::new(Algorithm::EdDsa));
    let server = Server::start(Answer::Raw(String::new())).await;
    let verifier = verifier();
    let mut settings = server.settings();
    settings.interval = Duration::from_millis(100);
    let running = tokio::spawn(Jwks::new(verifier.ring(), settings).unwrap().run());
    server.asked_times(2).await;
    server.set(Answer::Keys(jwks(&[(&one, "k")])));
    let (of_one, of_two) = (token_with(&one, "k", ""), token_with(&two, "k", ""));
    let is_good = |token: &str| verdict(&verifier, token, Duration::ZERO).is_ok();
    eventually(|| is_good(&of_one)).await;
    server.set(Answer::Keys(jwks(&[(&two, "k")])));
    eventually(|| is_good(&of_two)).await;
    assert!(!is_good(&of_one));
    running.abort();
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Server::start(Answer::Silence).await;
    for code in [301, 302, 307, 308] {
        let text = format!(
            "HTTP/1.1 {code} There\r\nLocation: http://127.0.0.1:{}/keys\r\n\
             Content-Length: 0\r\n\r\n",
            other.port
        );
        let server = Server::start(Answer::Raw(text)).await;
        let ring = KeyRing::new(Keys::new());
        let source = Jwks::new(&ring, server.settings()).unwrap();
        let error = source.refresh().await.unwrap_err();
        assert_eq!(error, JwksError::Fetch(FetchError::Status(code)));
        assert_eq!(*server.asked.borrow(), 1);
    }
    assert_eq!(*other.asked.borrow(), 0);
}

#[tokio::test]
async fn only_addresses_that_keep_the_keys_whole_are_fetched() {
    let ring = KeyRing::new(Keys::new());
    for address in [
        "",
        "/keys",
        "http://id.example/keys",
        "http://127.0.0.1.id.example/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:password@id.example/",
        "https://",
    ] {
        let refused = Jwks::new(&ring, settings(address)).unwrap_err();
        assert_eq!(refused, JwksError::Fetch(FetchError::Address), "{address}");
        assert!(!refused.to_string().contains("password"));
    }
    for address in [
        "https://id.example/keys",
        "http://localhost:1/",
        "http://127.3.2.1/",
        "http://[::1]:8080/",
    ] {
        assert!(Jwks::new(&ring, settings(address)).is_ok(), "{address}");
    }
    let mut bad = settings("https://id.example/");
    bad.roots = Some("no certificate".into());
    let refused = Jwks::new(&ring, bad).unwrap_err();
    assert_eq!(refused, JwksError::Fetch(FetchError::Roots));
}

#[tokio::test]
async fn a_server_with_tls_is_believed_by_its_certificate_alone() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = made.signing_key.serialize_der();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.try_into().unwrap())
        .unwrap();
    let signer = Signer::new(Algorithm::EdDsa);
    let answer = Answer::Keys(jwks(&[(&signer, "k")]));
    let tls = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let server = Server::start_with(answer, Some(tls)).await;
    let verifier = verifier();
    let fetch = async |roots: Option<String>, host: &str| {
        let mut settings = settings(&format!("https://{host}:{}/keys", server.port));
        settings.roots = roots;
        let source = Jwks::new(verifier.ring(), settings).unwrap();
        let fetched = source.refresh().await;
        let good = verdict(&verifier, &token_with(&signer, "k", ""), Duration::ZERO).is_ok();
        assert_eq!(good, fetched.is_ok());
        good
    };
    assert!(fetch(Some(made.cert.pem()), "localhost").await);
    assert!(!fetch(Some(made.cert.pem()), "127.0.0.1").await);
    assert!(!fetch(Some(stranger.cert.pem()), "localhost").await);
    assert!(!fetch(None, "localhost").await);
    assert_eq!(*server.asked.borrow(), 1);
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_and_a_bad_one_changes_nothing() {
    //= AU-36 type=test
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let signer = Signer::new(Algorithm::EdDsa);
    let verifier = verifier();
    let location = JwksLocation::File(path.clone());
    let source = Jwks::new(verifier.ring(), JwksSettings::new(location)).unwrap();
    assert!(matches!(source.refresh().await, Err(JwksError::File(_))));
    std::fs::write(&path, jwks(&[(&signer, "k")])).unwrap();
    source.refresh().await.unwrap();
    let token = token_with(&signer, "k", "");
    let too_long = " ".repeat(JWKS_BYTES_MAX * 2);
    for text in ["", "{", r#"{"keys":[]}"#, &too_long] {
        std::fs::write(&path, text).unwrap();
        let refused = source.refresh().await.unwrap_err();
        assert!(matches!(refused, JwksError::Document(_)), "{refused}");
        assert_eq!(verdict(&verifier, &token, Duration::ZERO), Ok(()));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(source.refresh().await.is_err());
    assert_eq!(verdict(&verifier, &token, Duration::ZERO), Ok(()));
}

// drops: announce::token::jwks::refresh
// drops: announce::token::jwks::run
#[tokio::test]
async fn reading_that_is_dropped_at_any_poll_can_be_done_again() {
    let signer = Signer::new(Algorithm::EdDsa);
    let server = Server::start(Answer::Keys(jwks(&[(&signer, "k")]))).await;
    let verifier = verifier();
    let token = token_with(&signer, "k", "");
    let is_good = || verdict(&verifier, &token, Duration::ZERO).is_ok();
    for polls in 0..12 {
        let source = Jwks::new(verifier.ring(), server.settings()).unwrap();
        if let Some(done) = poll_times(source.refresh(), polls).await {
            done.unwrap();
            assert!(is_good());
        }
        source.refresh().await.unwrap();
        assert!(is_good());
        // With whoever keeps them the keys are gone.
        assert!(poll_times(source.run(), polls).await.is_none());
        assert!(!is_good(), "{polls} polls");
    }
}
