//! Requests to other servers stay within their bounds.

use std::time::Duration;

use framewire::announce::outgoing::{BadTarget, Failure, Outgoing, Settings, Target};

use crate::hook::{Hook, answer};

fn small() -> Outgoing {
    let settings = Settings {
        time_max: Duration::from_millis(300),
        answer_bytes_max: 100,
        allows_cleartext: false,
    };
    Outgoing::new(settings).unwrap()
}

async fn post(answers: &str) -> Result<(u16, Vec<u8>), Failure> {
    let hook = Hook::start(vec![answers.into()]).await;
    let target = Target::new(&hook.url, false).unwrap();
    let answer = small().post_json(&target, &[], "{}".into()).await?;
    Ok((answer.status, answer.body.to_vec()))
}

#[test]
fn an_address_is_https_or_on_this_host() {
    let check = |url| Target::new(url, false).map(drop);
    for good in [
        "https://hr.example/who",
        "http://127.0.0.1:80/",
        "http://localhost/",
        "http://[::1]:8080/",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    assert_eq!(check("http://hr.example/"), Err(BadTarget::Cleartext));
    assert_eq!(
        check("http://127.0.0.1.example/"),
        Err(BadTarget::Cleartext)
    );
    assert!(Target::new("http://hr.example/", true).is_ok());
    assert_eq!(check("ftp://hr.example/"), Err(BadTarget::Scheme));
    assert_eq!(
        check("https://a:b@hr.example/"),
        Err(BadTarget::Credentials)
    );
    for bad in ["", "/who", "hr", "https://", "https:// hr/"] {
        assert!(check(bad).is_err(), "{bad}");
    }
    let shown = format!(
        "{:?}",
        Target::new("https://hr.example/a?key=secret", false)
    );
    assert!(
        shown.contains("hr.example") && !shown.contains("secret"),
        "{shown}"
    );
}

#[tokio::test]
async fn what_was_allowed_elsewhere_does_not_leave_in_cleartext() {
    let target = Target::new("http://hr.example/", true).unwrap();
    assert_eq!(small().get(&target).await, Err(Failure::Cleartext));
}

#[tokio::test]
async fn an_answer_is_taken_whole_within_its_bounds_and_a_redirect_is_not_followed() {
    assert_eq!(
        post(&answer("200 OK", "{}")).await,
        Ok((200, b"{}".to_vec()))
    );
    assert_eq!(post(&answer("500 No", "")).await, Ok((500, Vec::new())));
    let elsewhere = "HTTP/1.1 307 Go\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(post(elsewhere).await, Ok((307, Vec::new())));
    let fits = post(&answer("200 OK", &"x".repeat(100))).await;
    assert_eq!(fits.unwrap().1.len(), 100);
    let large = answer("200 OK", &"x".repeat(101));
    assert_eq!(post(&large).await, Err(Failure::TooLarge));
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5000));
    assert_eq!(post(&endless).await, Err(Failure::TooLarge));
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(200_000));
    assert!(matches!(post(&head).await, Err(Failure::Broken { .. })));
}

#[tokio::test]
async fn silence_and_half_an_answer_end_in_time() {
    assert_eq!(post("").await, Err(Failure::TimedOut));
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf";
    assert!(matches!(post(half).await, Err(Failure::Broken { .. })));
    assert!(matches!(
        post("nonsense\r\n\r\n").await,
        Err(Failure::Broken { .. })
    ));
}
