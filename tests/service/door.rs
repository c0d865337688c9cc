//! What a request has to be like that opens a connection.

use framewire::client::{Config, ConnectError, connect_with};
use framewire::engine::deflate::DeflateConfig;
use serde_json::json;

use crate::house::{House, Native, Person, closed};

//= A33 type=test
//= WS-165 type=test
//= AU-32 type=test
//= B22 type=test
//= B23 type=test
#[tokio::test]
async fn pages_of_other_origins_do_not_connect() {
    let house = House::open().await;
    let same = format!("http://{}", house.address);
    for (origin, status) in [
        ("https://evil.example", Some(403)),
        ("null", Some(403)),
        (same.as_str(), None),
    ] {
        let config = Config::default().with_origin(origin);
        assert_eq!(
            house.try_connect("", &config).await.err(),
            status,
            "{origin}"
        );
        let token = house.token("bob", &[]);
        let config = config.with_cookie("ID_TOKEN", &token);
        match house.try_connect("", &config).await {
            Ok(socket) => {
                let mut bob = Person { socket, token };
                assert_eq!(bob.hear().await["UserID"], "bob", "signed in by the cookie");
            }
            Err(refused) => assert_eq!(Some(refused), status),
        }
    }
    assert!(house.try_connect("", &Config::default()).await.is_ok());
    house.close().await;
}

#[tokio::test]
async fn a_token_among_the_subprotocols_signs_in_and_is_not_repeated() {
    let house = House::open().await;
    let token = house.token("bob", &[]);
    let config = Config::default()
        .with_subprotocol(format!("token.{token}"))
        .with_subprotocol("announce.v1");
    let socket = house.try_connect("?namespace=main", &config).await.unwrap();
    assert_eq!(socket.subprotocol(), Some("announce.v1"));
    let mut bob = Native::new(socket);
    bob.hear("hello").await;
    assert_eq!(bob.hear("signed").await["user"], "bob");
    let alone = Config::default().with_subprotocol(format!("token.{token}"));
    let socket = house.try_connect("", &alone).await.unwrap();
    assert_eq!(socket.subprotocol(), None);
    let mut bob = Person { socket, token };
    assert_eq!(bob.hear().await["UserID"], "bob");
    house.close().await;
}

//= PX-05 type=test
#[tokio::test]
async fn nothing_is_compressed_for_whoever_has_not_signed_in() {
    let house = House::open().await;
    let config = Config::default().with_deflate(DeflateConfig::default());
    let socket = house.try_connect("", &config).await.unwrap();
    assert_eq!(socket.extension(), None);
    drop(socket);
    house.close().await;
}

//= H1-10 type=test
#[tokio::test]
async fn a_token_that_does_not_verify_is_answered_with_a_challenge() {
    let house = House::open().await;
    let config = Config::default().with_subprotocol("token.a.b.c");
    let url = format!("ws://{}/websockets", house.address);
    let Err(ConnectError::Refused(answer)) = connect_with(&url, &config).await else {
        panic!("it was let in");
    };
    let challenge = answer.head().headers().get_str("www-authenticate");
    assert_eq!((answer.status(), challenge), (401, Some("Bearer")));
    house.close().await;
}

//= A40 type=test
//= A41 type=test
//= AU-01 type=test
//= AU-40 type=test
#[tokio::test]
async fn what_a_request_may_not_say_refuses_it() {
    let house = House::open().await;
    let token = house.token("bob", &[]);
    let with = |token: &str| Config::default().with_subprotocol(format!("token.{token}"));
    for (query, config, status) in [
        (format!("?token={token}"), Config::default(), 400),
        (format!("?access_token={token}"), Config::default(), 400),
        ("?namespace=".into(), Config::default(), 400),
        ("?namespace=a&namespace=b".into(), Config::default(), 400),
        ("?namespace=acme".into(), with(&token), 403),
        ("?namespace=Main".into(), with(&token), 403),
        (String::new(), with("a.b.c"), 401),
        (String::new(), with(&token[..token.len() - 4]), 401),
    ] {
        assert_eq!(
            house.try_connect(&query, &config).await.err(),
            Some(status),
            "{query}"
        );
    }
    // Of a connection that signs in later, the namespace in the query is the one that counts.
    let socket = house
        .try_connect("?namespace=acme", &Config::default())
        .await
        .unwrap();
    let mut bob = Person { socket, token };
    bob.say("Sign", json!({})).await;
    let answer = bob.hear().await;
    assert_eq!(answer["payload"]["code"], "forbidden", "{answer}");
    assert_eq!(closed(&mut bob.socket).await.0, 4403);
    house.close().await;
}
