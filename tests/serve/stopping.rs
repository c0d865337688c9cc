//! How a server ends.

use crate::person::{Person, token};
use crate::program::{Running, write};

//= E38 type=test
#[tokio::test]
async fn everybody_is_told_when_to_come_back_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::serve(folder.path(), &[]).await;
    let mut alice = Person::sign_in(&server.url, token(&data, "alice")).await;
    let bob = Person::sign_in(&server.url, token(&data, "bob")).await;
    assert_eq!(alice.publish("the last word").await["type"], "published");
    server.signal("INT").await;
    let mut slots = Vec::new();
    for mut person in [alice, bob] {
        while person.socket.recv().await.unwrap().is_some() {}
        let closure = person.socket.closure().unwrap();
        assert_eq!(closure.code().get(), 1012);
        slots.push(closure.reason().to_owned());
    }
    assert!(slots.iter().all(|it| it.starts_with("restart; retry_ms=")));
    assert_ne!(slots[0], slots[1]);
    assert_eq!(server.ended().await.code(), Some(0));

    let server = Running::serve(folder.path(), &[]).await;
    let mut bob = Person::sign_in(&server.url, token(&data, "bob")).await;
    assert_eq!(bob.unread().await, ["the last word"]);
    drop(bob);
    server.stop().await;
}

#[tokio::test]
async fn whoever_does_not_leave_is_cut_off_and_the_status_says_so() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "conf/socket.yaml",
        "shutdown:\n  drain: 300ms\n",
    );
    let server = Running::serve(folder.path(), &[]).await;
    let token = token(&folder.path().join("data"), "alice");
    let silent = Person::sign_in(&server.url, token).await;
    server.signal("TERM").await;
    assert_eq!(server.ended().await.code(), Some(1));
    drop(silent);
}
