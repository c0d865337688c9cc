//! Coming back.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use framewire::client::{Backoff, Config, Disconnected, Ended, Happening, Reconnecting, Wish};
use framewire::engine::Message;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::raw::{self, header, listen, switched};
use crate::within;

/// Numbers that repeat: each test sees the same ones.
fn numbers() -> impl FnMut() -> u32 + Send {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state >> 32).expect("32 bits")
    }
}

//= CS-17 type=test
//= WS-145 type=test
//= WS-146 type=test
#[test]
fn the_clients_of_a_lost_server_come_back_evenly_within_five_seconds() {
    let mut random = numbers();
    let mut delays: Vec<f64> = (0..10_000)
        .map(|_| Backoff::new().next(random(), Wish::None).as_secs_f64())
        .collect();
    delays.sort_by(f64::total_cmp);
    // The largest distance from the uniform distribution (Kolmogorov and Smirnov); beyond this
    // one in a thousand such samples would be.
    let count = 10_000.0;
    let distance = (0_u32..).zip(&delays).map(|(at, delay)| {
        let (below, expected) = (f64::from(at) / count, delay / 5.0);
        (expected - below)
            .abs()
            .max((expected - below - 1.0 / count).abs())
    });
    let distance = distance.fold(0.0, f64::max);
    assert!(distance < 1.95 / 100.0, "{distance}");
}

//= CS-17 type=test
//= WS-147 type=test
#[test]
fn delays_double_up_to_a_minute_and_begin_anew() {
    let mut random = numbers();
    let mut backoff = Backoff::new();
    for longest in [5, 10, 20, 40, 60, 60, 60] {
        let delay = backoff.next(random(), Wish::None);
        let shortest = if longest == 5 { 0 } else { longest / 2 };
        let range = Duration::from_secs(shortest)..=Duration::from_secs(longest);
        assert!(range.contains(&delay), "{delay:?} is not in {range:?}");
    }
    assert_eq!(backoff.next(u32::MAX, Wish::None), Duration::from_secs(60));
    backoff.reset();
    assert_eq!(backoff.next(u32::MAX, Wish::None), Duration::from_secs(5));
}

//= CS-17 type=test
#[test]
fn what_a_server_wishes_is_honoured_within_reason() {
    let next = |wish| Backoff::new().next(u32::MAX / 2, wish).as_secs();
    assert_eq!(next(Wish::None), 2);
    assert_eq!(next(Wish::Later), 17);
    assert_eq!(next(Wish::After(Duration::from_secs(100))), 102);
    assert_eq!(next(Wish::After(Duration::MAX)), 3602);
}

/// The client, which waits no time at all unless a server wishes it to.
fn client(url: &str) -> Reconnecting {
    Reconnecting::new(url, Config::default())
        .expect("random bytes")
        .with_random(|| 0)
}

async fn next(client: &mut Reconnecting) -> Happening {
    within(client.next()).await.expect("it goes on")
}

async fn lost(client: &mut Reconnecting) -> Disconnected {
    loop {
        if let Happening::Disconnected(lost) = next(client).await {
            return lost;
        }
    }
}

/// Opens a WebSocket for the next client.
async fn opened(listener: &TcpListener) -> TcpStream {
    let mut stream = raw::accept(listener).await;
    let answer = switched(&raw::head(&mut stream).await, "");
    stream.write_all(answer.as_bytes()).await.expect("it reads");
    stream
}

/// Closes each connection with this code.
fn close_all(listener: TcpListener, code: u16) {
    tokio::spawn(async move {
        loop {
            let mut stream = opened(&listener).await;
            let close = [&[0x88, 2][..], &code.to_be_bytes()].concat();
            stream.write_all(&close).await.expect("it reads");
            // The answer, behind which it is for the server to end TCP.
            let _ = stream.read_exact(&mut [0; 8]).await;
        }
    });
}

//= CS-16 type=test
#[tokio::test]
async fn codes_say_whether_and_when_to_come_back() {
    for (code, retry_in) in [
        (1001, Some(0)),
        (1002, Some(0)),
        (1011, Some(0)),
        (1012, Some(5)),
        (1013, Some(5)),
        (1000, None),
        (1008, None),
        (4001, None),
        (4003, None),
    ] {
        let (listener, url) = listen().await;
        close_all(listener, code);
        let mut client = client(&url);
        let lost = lost(&mut client).await;
        let Ended::Closed(closure) = &lost.ended else {
            panic!("{lost:?}");
        };
        assert_eq!(closure.code().get(), code);
        assert_eq!(lost.retry_in.map(|it| it.as_secs()), retry_in, "{code}");
        if retry_in.is_none() {
            assert!(
                within(client.next()).await.is_none(),
                "it does not come back"
            );
            client.resume();
            let again = next(&mut client).await;
            assert!(
                matches!(again, Happening::Connecting { attempt: 1 }),
                "{again:?}"
            );
        }
    }
}

//= CS-16 type=test
//= CS-17 type=test
#[tokio::test]
async fn answers_say_whether_and_when_to_come_back() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(1000));
    for (answer, range) in [
        ("503 No\r\nRetry-After: 70\r\n".to_owned(), Some(70..=70)),
        ("429 No\r\nRetry-After: 80\r\n".to_owned(), Some(80..=80)),
        (
            format!("503 No\r\nRetry-After: {date}\r\n"),
            Some(900..=1000),
        ),
        ("503 No\r\n".to_owned(), Some(5..=5)),
        ("500 No\r\n".to_owned(), Some(0..=0)),
        ("401 No\r\n".to_owned(), None),
        ("403 No\r\n".to_owned(), None),
    ] {
        let (listener, url) = listen().await;
        let told = answer.clone();
        tokio::spawn(async move {
            let mut stream = raw::accept(&listener).await;
            raw::head(&mut stream).await;
            let answer = format!("HTTP/1.1 {told}Content-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("it reads");
        });
        let lost = lost(&mut client(&url)).await;
        let seconds = lost.retry_in.map(|it| it.as_secs());
        let fits = match (&range, seconds) {
            (None, None) => true,
            (Some(range), Some(seconds)) => range.contains(&seconds),
            _ => false,
        };
        assert!(fits, "{answer:?}: {seconds:?}");
    }
}

//= CS-16 type=test
#[tokio::test]
async fn it_comes_back_with_another_request_and_tells_what_was_missed() {
    let (listener, url) = listen().await;
    let mut client = client(&url);
    let mut delays = Vec::new();
    for round in 1..=2 {
        let begun = next(&mut client).await;
        assert!(
            matches!(begun, Happening::Connecting { attempt: 1 }),
            "{begun:?}"
        );
        let resumed = Config::default().with_bearer(&format!("token-{round}"));
        client.set_config(resumed);
        let serving = async {
            let mut stream = raw::accept(&listener).await;
            let request = raw::head(&mut stream).await;
            let bearer = format!("Bearer token-{round}");
            assert_eq!(header(&request, "Authorization"), Some(bearer.as_str()));
            let answer = switched(&request, "");
            stream.write_all(answer.as_bytes()).await.expect("it reads");
            stream.write_all(b"\x81\x05hello").await.expect("it reads");
            stream
        };
        let (stream, happened) = tokio::join!(serving, next(&mut client));
        let connected = matches!(happened, Happening::Connected { attempt: 1, .. });
        assert!(connected, "{happened:?}");
        let message = next(&mut client).await;
        assert!(matches!(message, Happening::Message(it) if it == Message::text("hello")));
        drop(stream);
        let Happening::Disconnected(lost) = next(&mut client).await else {
            panic!("the stream has ended");
        };
        assert!(matches!(lost.ended, Ended::Failed(_)), "{lost:?}");
        delays.push(lost.retry_in);
    }
    // One that is lost at once counts as one that failed.
    let five = Duration::from_secs(5);
    assert_eq!(delays, [Some(Duration::ZERO), Some(five)]);
}

#[tokio::test]
async fn messages_that_may_not_have_left_are_handed_back_in_order() {
    let (listener, url) = listen().await;
    let mut client = client(&url);
    assert_eq!(client.try_feed("early"), Err(Message::text("early")));
    next(&mut client).await;
    let (stream, connected) = tokio::join!(opened(&listener), next(&mut client));
    assert!(matches!(connected, Happening::Connected { .. }));
    client.try_feed("goes out").expect("room");
    within(client.flush()).await;
    // More than the buffers of the system take, and nobody reads.
    let large = Message::binary(vec![7; 16 << 20]);
    client.try_feed(large.clone()).expect("room");
    let last = client.try_feed("last");
    drop(stream);
    let lost = lost(&mut client).await;
    let mut expected = vec![large];
    if last.is_ok() {
        expected.push(Message::text("last"));
    }
    assert_eq!(lost.unsent, expected);
}

#[tokio::test]
async fn an_attempt_goes_on_though_nobody_waits_for_it() {
    let (listener, url) = listen().await;
    let accepted = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        loop {
            let stream = opened(&listener).await;
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move { { stream }.read_to_end(&mut Vec::new()).await });
        }
    });
    let mut client = client(&url);
    let connected = async {
        loop {
            // Dropped at once, and called again: it must not begin anew each time.
            let soon = Duration::from_micros(50);
            if let Ok(happened) = tokio::time::timeout(soon, client.next()).await
                && matches!(happened, Some(Happening::Connected { .. }))
            {
                return;
            }
        }
    };
    within(connected).await;
    assert_eq!(accepted.load(Ordering::Relaxed), 1);
}
