//! From a host to TCP: the first of its addresses that answers (RFC 8305).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;

use crate::client::pending::{Remote, Turn, turn};

/// How long one address has before the next is tried beside it (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);
/// How many addresses of one host are tried at most.
const ADDRESSES_MAX: usize = 16;

/// The addresses of a host, in the order in which to try them.
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = lookup_host((host, port)).await?;
    Ok(interleaved(found.take(ADDRESSES_MAX).collect()))
}

/// Alternates between the families of addresses, beginning with that of the first, so that one
/// that leads nowhere costs little (RFC 8305 §4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().copied() else {
        return addresses;
    };
    let (preferred, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|it| it.is_ipv6() == first.is_ipv6());
    let mut mixed = Vec::with_capacity(preferred.len() + others.len());
    let (mut preferred, mut others) = (preferred.into_iter(), others.into_iter());
    loop {
        let before = mixed.len();
        mixed.extend(preferred.next());
        mixed.extend(others.next());
        if mixed.len() == before {
            return mixed;
        }
    }
}

/// What an address gives: the stream, and the turn that its handshake has.
type Dialled = (TcpStream, Turn);

/// Opens TCP to the first of `addresses` that answers. Each address is waited for alone for
/// [`STAGGER`], then the next is tried beside it; what loses is closed.
pub(crate) async fn dial(addresses: Vec<SocketAddr>) -> io::Result<Dialled> {
    race(addresses, |address| async move {
        let turn = turn(Remote::Address(address)).await;
        Ok((connect(address).await?, turn))
    })
    .await
}

/// As [`dial`], to a proxy: it takes many connections at once, for it is not their server.
pub(crate) async fn dial_proxy(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    race(addresses, connect).await
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), alloc::format!("{address}: {error}"));
    let stream = TcpStream::connect(address).await.map_err(named)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

enum Step<T> {
    Open(T),
    Failed(io::Error),
    Slow,
}

async fn race<T, F>(addresses: Vec<SocketAddr>, attempt: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut attempts = Vec::new();
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    loop {
        match waiting.next() {
            Some(address) => attempts.push(Box::pin(attempt(address))),
            None if attempts.is_empty() => return Err(failed),
            None => {}
        }
        let is_more = waiting.len() > 0;
        let step = tokio::select! {
            step = poll_fn(|cx| poll_any(&mut attempts, cx)) => step,
            () = sleep(STAGGER), if is_more => Step::Slow,
        };
        match step {
            Step::Open(open) => return Ok(open),
            // The next one need not wait any longer.
            Step::Failed(error) => failed = error,
            Step::Slow => {}
        }
    }
}

/// The first attempt that is done; one that has failed is taken away.
fn poll_any<T, F>(attempts: &mut Vec<Pin<Box<F>>>, cx: &mut Context<'_>) -> Poll<Step<T>>
where
    F: Future<Output = io::Result<T>>,
{
    for at in 0..attempts.len() {
        match attempts[at].as_mut().poll(cx) {
            Poll::Ready(Ok(open)) => return Poll::Ready(Step::Open(open)),
            Poll::Ready(Err(error)) => {
                drop(attempts.swap_remove(at));
                return Poll::Ready(Step::Failed(error));
            }
            Poll::Pending => {}
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use tokio::time::Instant;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_alternate_beginning_with_the_preferred_one() {
        let [a6, b6, c6] = ["[::1]:1", "[::2]:1", "[::3]:1"].map(address);
        let a4 = address("127.0.0.1:1");
        assert_eq!(interleaved(vec![a6, b6, c6, a4]), [a6, a4, b6, c6]);
        assert_eq!(interleaved(vec![a4, a6, b6]), [a4, a6, b6]);
        assert_eq!(interleaved(Vec::new()), []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_silent_costs_a_quarter_of_a_second() {
        let addresses = vec![address("[::1]:1"), address("127.0.0.1:1")];
        let began = Instant::now();
        let won = race(addresses, |address| async move {
            if address.is_ipv6() {
                core::future::pending::<()>().await;
            }
            Ok(address)
        });
        assert_eq!(won.await.unwrap(), address("127.0.0.1:1"));
        assert_eq!(began.elapsed(), STAGGER);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_to_answer_wins_though_it_began_first_or_last() {
        for (slow, winner, took) in [(300, "[::1]:1", 300), (900, "127.0.0.1:1", 350)] {
            let addresses = vec![address("[::1]:1"), address("127.0.0.1:1")];
            let began = Instant::now();
            let won = race(addresses, |address| async move {
                let takes = if address.is_ipv6() { slow } else { 100 };
                sleep(Duration::from_millis(takes)).await;
                Ok(address)
            });
            assert_eq!(won.await.unwrap(), address(winner));
            assert_eq!(began.elapsed(), Duration::from_millis(took));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_makes_way_at_once_and_the_last_failure_is_told() {
        let addresses = vec![address("[::1]:1"), address("127.0.0.1:1")];
        let began = Instant::now();
        let failed = race(addresses, |address| async move {
            Err::<(), _>(io::Error::other(alloc::format!("{address}")))
        });
        assert_eq!(failed.await.unwrap_err().to_string(), "127.0.0.1:1");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
