//! The page beside the socket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::House;

async fn ask(house: &House, request: &str) -> String {
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

//= A30 type=test
#[tokio::test]
async fn one_port_serves_the_page_and_the_socket() {
    let house = House::open().await;
    let page = ask(&house, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(
        page.contains("content-security-policy: default-src 'none'"),
        "{page}"
    );
    let mut bob = house.sign_in("bob", &[]).await;
    bob.say("Get unread messages", serde_json::json!({})).await;
    assert_eq!(bob.hear().await["complete"], true);
    house.close().await;
}

#[tokio::test]
async fn what_is_no_page_is_answered_and_closed() {
    let house = House::open().await;
    for (request, status) in [
        ("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n", "404"),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
            "405",
        ),
        ("GET / HTTP/9.1\r\nHost: h\r\n\r\n", "505"),
        ("GET /websockets HTTP/1.1\r\nHost: h\r\n\r\n", "426"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "400",
        ),
        ("nonsense\r\n\r\n", "400"),
    ] {
        let answer = ask(&house, request).await;
        assert_eq!(answer.get(9..12), Some(status), "{request:?}: {answer}");
    }
    house.close().await;
}

/// RFC 9110 §9.3.2.
#[tokio::test]
async fn the_answer_to_head_has_no_body() {
    let house = House::open().await;
    for (path, status) in [("/", "200"), ("/websockets", "405"), ("/nothing", "404")] {
        let answer = ask(&house, &format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert_eq!(answer.get(9..12), Some(status), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{path}: {answer}");
    }
    house.close().await;
}
