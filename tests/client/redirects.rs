//! Redirects: where they lead, and what is taken along.

use framewire::client::{Config, ConnectError, RedirectRefusal, open};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::raw::{self, header, listen, switched};
use crate::within;

/// Answers the next request with a redirect, and returns the request.
async fn redirect(listener: &TcpListener, status: u16, location: &str) -> String {
    let mut stream = raw::accept(listener).await;
    let request = raw::head(&mut stream).await;
    let answer = format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.expect("it reads");
    request
}

/// Opens a WebSocket, and returns the request.
async fn open_for(listener: &TcpListener) -> String {
    let mut stream = raw::accept(listener).await;
    let request = raw::head(&mut stream).await;
    let answer = switched(&request, "");
    stream.write_all(answer.as_bytes()).await.expect("it reads");
    request
}

fn config() -> Config {
    Config::default()
        .with_redirects_max(5)
        .with_basic("user", "password")
        .with_cookie("a", "1")
        .with_cookie("b", "2")
        .with_header("Proxy-Authorization", "secret")
        .with_origin("http://page.example")
        .with_subprotocol("chat")
}

//= CS-14 type=test
//= E10 type=test
//= E47 type=test
//= WS-031 type=test
#[tokio::test]
async fn every_status_is_followed_and_credentials_stay_with_their_origin() {
    for status in [301, 302, 303, 307, 308] {
        let (own, url) = listen().await;
        let (other, elsewhere) = listen().await;
        let connecting = tokio::spawn(async move { open(&url, &config()).await });
        let first = redirect(&own, status, "/here?x=1").await;
        let second = redirect(&own, status, &elsewhere.replace("ws:", "http:")).await;
        let third = open_for(&other).await;
        let connected = within(connecting).await.expect("no panic").expect("open");
        assert_eq!(connected.url.to_string(), elsewhere);
        assert!(second.starts_with("GET /here?x=1 HTTP/1.1\r\n"), "{second}");
        for request in [&first, &second] {
            let basic = Some("Basic dXNlcjpwYXNzd29yZA==");
            assert_eq!(header(request, "Authorization"), basic);
            assert_eq!(header(request, "Cookie"), Some("a=1; b=2"));
            assert_eq!(header(request, "Proxy-Authorization"), Some("secret"));
        }
        for name in ["Authorization", "Cookie", "Proxy-Authorization"] {
            assert_eq!(header(&third, name), None);
        }
        for request in [&first, &second, &third] {
            assert_eq!(header(request, "Origin"), Some("http://page.example"));
            assert_eq!(header(request, "Sec-WebSocket-Protocol"), Some("chat"));
        }
        // Each request has a key of its own.
        assert_ne!(
            header(&first, "Sec-WebSocket-Key"),
            header(&second, "Sec-WebSocket-Key")
        );
    }
}

//= CS-14 type=test
#[tokio::test]
async fn credentials_that_were_dropped_do_not_come_back() {
    let (own, url) = listen().await;
    let (other, elsewhere) = listen().await;
    let back = format!("{url}back");
    let connecting = tokio::spawn(async move { open(&url, &config()).await });
    redirect(&own, 302, &elsewhere).await;
    redirect(&other, 302, &back).await;
    let last = open_for(&own).await;
    within(connecting).await.expect("no panic").expect("open");
    assert_eq!(header(&last, "Authorization"), None);
}

//= CS-14 type=test
#[tokio::test]
async fn circles_and_more_than_are_allowed_are_refused() {
    let (own, url) = listen().await;
    let connecting = tokio::spawn(async move { open(&url, &config()).await });
    redirect(&own, 302, "/a").await;
    redirect(&own, 302, "/").await;
    let failed = within(connecting).await.expect("no panic").err();
    let is_loop = matches!(failed, Some(ConnectError::Redirect(RedirectRefusal::Loop)));
    assert!(is_loop, "{failed:?}");

    let (own, url) = listen().await;
    let connecting = tokio::spawn(async move { open(&url, &config()).await });
    for at in 0..6 {
        redirect(&own, 302, &format!("/{at}")).await;
    }
    let failed = within(connecting).await.expect("no panic").err();
    let is_bound = matches!(
        failed,
        Some(ConnectError::Redirect(RedirectRefusal::TooMany))
    );
    assert!(is_bound, "{failed:?}");
}

//= CS-14 type=test
#[tokio::test]
async fn a_redirect_is_an_answer_like_others_unless_it_is_to_be_followed() {
    let (own, url) = listen().await;
    let connecting = tokio::spawn(async move { open(&url, &Config::default()).await });
    redirect(&own, 302, "/a").await;
    let failed = within(connecting)
        .await
        .expect("no panic")
        .expect_err("no WebSocket");
    let refused = failed.refused().expect("an answer");
    assert_eq!(refused.head().headers().get_str("location"), Some("/a"));

    let (own, url) = listen().await;
    let connecting = tokio::spawn(async move { open(&url, &config()).await });
    redirect(&own, 302, "file:///etc/passwd").await;
    let failed = within(connecting).await.expect("no panic").err();
    let is_refused = matches!(
        failed,
        Some(ConnectError::Redirect(RedirectRefusal::Location(_)))
    );
    assert!(is_refused, "{failed:?}");
}
