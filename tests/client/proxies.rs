//! `wss` through proxies of other people: tinyproxy, Squid, microsocks.

use core::net::SocketAddr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use framewire::client::{Config, ConnectError, Proxies, Proxy, ProxyRefusal, Tls, connect_with};
use tokio::net::TcpStream;

use crate::programs::program;
use crate::reserved::Reserved;
use crate::tls_server::{authority, echoing, issued, server_config};
use crate::within;

const USER: &str = "ada";
const PASSWORD: &str = "secrets";

/// What a proxy is asked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    Socks5,
    Socks5h,
}

const KINDS: [Kind; 4] = [Kind::Http, Kind::Https, Kind::Socks5, Kind::Socks5h];

/// The process of a proxy, which ends with this value.
struct Running {
    child: Child,
    scheme: &'static str,
    place: Reserved,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked to end, Squid gives up its shared memory.
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").arg(pid).status();
        if !asked.is_ok_and(|it| it.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Running {
    async fn start(kind: Kind, demands: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Reserved::new();
        let address = place.address;
        let (scheme, mut command) = match kind {
            Kind::Http => ("http", tinyproxy(folder.path(), address, demands)),
            Kind::Https => ("https", squid(folder.path(), address, demands)),
            Kind::Socks5 => ("socks5", microsocks(address, demands)),
            Kind::Socks5h => ("socks5h", microsocks(address, demands)),
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        // None of them says when it is ready, so it is asked.
        let ready = async {
            while TcpStream::connect(address).await.is_err() {
                assert!(
                    child.try_wait().expect("a child").is_none(),
                    "{kind:?} ended"
                );
                tokio::time::sleep(core::time::Duration::from_millis(20)).await;
            }
        };
        within(ready).await;
        Self {
            child,
            scheme,
            place,
            _folder: folder,
        }
    }

    /// A client that goes through this proxy to whoever the root vouches for.
    fn client(&self, credentials: Option<(&str, &str)>, root: &str) -> Config {
        let mut proxy = Proxy::parse(&format!("{}://{}", self.scheme, self.place.address));
        if let Some((user, password)) = credentials {
            proxy = proxy.and_then(|it| it.with_credentials(user, password));
        }
        let tls = Tls::builder().with_roots_pem(root.as_bytes());
        let tls = tls.and_then(|it| it.build()).expect("a root");
        Config::default()
            .with_proxies(Proxies::all(proxy.expect("a proxy")))
            .with_proxy_tls(tls.clone())
            .with_tls(tls)
    }
}

/// HTTP with CONNECT.
fn tinyproxy(folder: &Path, address: SocketAddr, demands: bool) -> Command {
    let config = folder.join("tinyproxy.conf");
    let mut text = format!(
        "Listen {}\nPort {}\nAllow 127.0.0.1\n",
        address.ip(),
        address.port()
    );
    if demands {
        text += &format!("BasicAuth {USER} {PASSWORD}\n");
    }
    fs::write(&config, text).expect("a file");
    let mut command = Command::new(program(&["tinyproxy"], &["tinyproxy-bin"]));
    command.arg("-d").arg("-c").arg(config);
    command
}

/// SOCKS 5.
fn microsocks(address: SocketAddr, demands: bool) -> Command {
    let mut command = Command::new(program(&["microsocks"], &["microsocks"]));
    command.args([
        "-i",
        &address.ip().to_string(),
        "-p",
        &address.port().to_string(),
    ]);
    if demands {
        command.args(["-u", USER, "-P", PASSWORD]);
    }
    command
}

thread_local! {
    /// The root of the certificates of one test, and the files of one that it has signed.
    static ROOT: crate::tls_server::Authority = authority(|_| {});
}

/// HTTP with CONNECT, inside TLS.
fn squid(folder: &Path, address: SocketAddr, demands: bool) -> Command {
    let squid = program(&["squid"], &["squid-openssl"]);
    // Started by the superuser, it goes on as somebody else, who reads the files.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("our folder");
    let identity = ROOT.with(|root| issued(root, |_| {}));
    let file = |name: &str, bytes: &[u8]| -> String {
        let path: PathBuf = folder.join(name);
        fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let pem = pem_of(identity.chain[0].as_ref());
    let certificate = file("certificate.pem", pem.as_bytes());
    let key = file("key.pem", identity.key.serialize_pem().as_bytes());
    let rules = if demands {
        // Squid has the password checked by a program, which answers a line with a line.
        let check = format!(
            "#!/bin/sh\nwhile read -r user password; do\n  \
             case \"$user $password\" in '{USER} {PASSWORD}') echo OK;; *) echo ERR;; esac\ndone\n"
        );
        let check = file("check", check.as_bytes());
        format!(
            "auth_param basic program /bin/sh {check}\nauth_param basic realm proxy\n\
             acl known proxy_auth REQUIRED\nhttp_access allow known\n"
        )
    } else {
        "http_access allow all\n".to_owned()
    };
    let folder = folder.display();
    let config = format!(
        "https_port {address} tls-cert={certificate} tls-key={key}\n{rules}\
         http_access deny all\npid_filename none\ncache deny all\n\
         access_log none\ncache_log /dev/null\ncache_store_log none\ncoredump_dir {folder}\n\
         netdb_filename none\nshutdown_lifetime 0 seconds\npinger_enable off\n",
    );
    let config = file("squid.conf", config.as_bytes());
    let mut command = Command::new(squid);
    // A name of its own keeps its shared memory from that of others.
    let name = format!("framewire{}", address.port());
    command.args(["-N", "-n", &name, "-f", &config]);
    command
}

fn pem_of(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| core::str::from_utf8(line).expect("base64"))
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// A `wss` server that echoes, and the root that vouches for it.
async fn server() -> (String, String) {
    let (config, root) = ROOT.with(|root| {
        let root_pem = pem_of(root.der());
        (server_config(&issued(root, |_| {})), root_pem)
    });
    let port = echoing(config).await;
    (format!("wss://localhost:{port}/"), root)
}

async fn echoes(url: &str, config: &Config) -> Result<(), ConnectError> {
    let (mut socket, _) = within(connect_with(url, config)).await?;
    assert!(
        socket.stream().is_tls(),
        "TLS to the server, whatever is between"
    );
    socket.send("through the proxy").await.expect("open");
    let echoed = within(socket.recv()).await.expect("open");
    assert_eq!(echoed, Some("through the proxy".into()));
    Ok(())
}

//= E73 type=test
//= D05 type=test
//= E04 type=test
#[tokio::test]
async fn wss_passes_a_proxy_of_every_kind() {
    let (url, root) = server().await;
    for kind in KINDS {
        let proxy = Running::start(kind, false).await;
        let passed = echoes(&url, &proxy.client(None, &root)).await;
        assert!(passed.is_ok(), "{kind:?}: {passed:?}");
    }
}

//= E73 type=test
#[tokio::test]
async fn a_proxy_that_demands_credentials_gets_them_or_says_so() {
    let (url, root) = server().await;
    for kind in KINDS {
        let proxy = Running::start(kind, true).await;
        let known = proxy.client(Some((USER, PASSWORD)), &root);
        let passed = echoes(&url, &known).await;
        assert!(passed.is_ok(), "{kind:?}: {passed:?}");
        for wrong in [None, Some((USER, "guess"))] {
            let refused = echoes(&url, &proxy.client(wrong, &root)).await;
            let refused = refused.expect_err("nobody is let through");
            assert!(
                matches!(refused, ConnectError::Proxy(ProxyRefusal::Credentials)),
                "{kind:?}, {wrong:?}: {refused:?}"
            );
            assert!(refused.to_string().contains("proxy"), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_server_that_a_proxy_cannot_reach_is_not_taken_for_the_proxys_rule() {
    let (_, root) = server().await;
    let unheard = Reserved::new();
    let nobody = format!("wss://localhost:{}/", unheard.address.port());
    for kind in KINDS {
        let proxy = Running::start(kind, false).await;
        let failed = echoes(&nobody, &proxy.client(None, &root)).await;
        let failed = failed.expect_err("nobody listens");
        let told = match &failed {
            ConnectError::Proxy(ProxyRefusal::Status(status)) => (500..=504).contains(status),
            ConnectError::Proxy(ProxyRefusal::Socks(words)) => words.contains("refused"),
            _ => false,
        };
        assert!(told, "{kind:?}: {failed:?}");
    }
}
