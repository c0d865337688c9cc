//! Connections and sockets that are only written down.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use framewire::announce::bus::{BoxFuture, Bus, Json};
use framewire::announce::gateway::{Context, Keep, Matched, Outcome, Session, Settings, Sockets};
use framewire::announce::secret::Secret;
use framewire::announce::token::{Claims, Minter, Verifier};

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) fn value(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn claims(user: &str, namespaces: &[&str]) -> Claims {
    let secret = "0123456789abcdef0123456789abcdef";
    let secret = Secret::load(std::path::Path::new("unused"), Some(secret.into())).unwrap();
    let minter = Minter::new(&secret);
    let token = minter.mint(user, namespaces, &[], Duration::from_secs(60), now());
    Verifier::new(&secret)
        .verify(&token.unwrap(), now())
        .unwrap()
}

pub(crate) fn context(user: &str, namespace: &str, connection: &str) -> Context {
    let remote = [203, 0, 113, 9].into();
    Context::new(&claims(user, &[namespace]), namespace, connection, remote).unwrap()
}

/// Alex, in the namespace `acme`.
pub(crate) fn alex(bus: &Bus, settings: &Settings) -> Session {
    let context = context("alex", "acme", "0191");
    Session::connected(bus, Arc::new(settings.clone()), context)
}

pub(crate) fn text(outcome: &Outcome) -> &str {
    outcome.text.as_deref().unwrap()
}

pub(crate) fn code(outcome: &Outcome) -> Option<u16> {
    outcome.close.map(|close| close.code)
}

/// One connection of [`Noted`].
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) namespace: String,
    pub(crate) user: String,
    pub(crate) connection: String,
}

impl Seat {
    pub(crate) fn new(namespace: &str, user: &str, connection: &str) -> Self {
        Self {
            namespace: namespace.into(),
            user: user.into(),
            connection: connection.into(),
        }
    }
}

/// Sockets that write down what each of them was offered.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) seats: Vec<Seat>,
    offered: Mutex<Vec<(String, String)>>,
    arrived: tokio::sync::Notify,
    pub(crate) kept: Mutex<Vec<Keep>>,
    pub(crate) refuses_to_keep: bool,
}

impl Noted {
    pub(crate) fn new(seats: Vec<Seat>) -> Self {
        Self {
            seats,
            ..Self::default()
        }
    }

    /// Takes the connections and texts of what was offered since the last call.
    pub(crate) fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.offered.lock().unwrap())
    }

    /// As [`take`](Self::take), once there is something.
    #[cfg(feature = "nats")]
    pub(crate) async fn taken(&self) -> Vec<(String, String)> {
        loop {
            let taken = self.take();
            if !taken.is_empty() {
                return taken;
            }
            // An offer from before is remembered.
            let arrived = tokio::time::timeout(Duration::from_secs(60), self.arrived.notified());
            arrived.await.expect("nothing was offered");
        }
    }

    fn offer(&self, to: impl Fn(&Seat) -> bool, exclude: &[String], text: &str) -> Vec<&Seat> {
        let is_meant = |seat: &&Seat| to(seat) && !exclude.contains(&seat.connection);
        let meant: Vec<&Seat> = self.seats.iter().filter(is_meant).collect();
        let mut offered = self.offered.lock().unwrap();
        for seat in &meant {
            offered.push((seat.connection.clone(), text.into()));
        }
        drop(offered);
        self.arrived.notify_one();
        meant
    }
}

impl Sockets for Noted {
    fn send(
        &self,
        namespace: Option<&str>,
        users: &[String],
        exclude: &[String],
        text: &str,
    ) -> Matched {
        let is_here = |seat: &Seat| namespace.is_none_or(|it| it == seat.namespace);
        let to = |seat: &Seat| is_here(seat) && users.contains(&seat.user);
        let meant = self.offer(to, exclude, text);
        let is_absent = |user: &&String| !self.seats.iter().any(|s| is_here(s) && s.user == **user);
        Matched {
            connections: meant.len(),
            absent: users.iter().filter(is_absent).cloned().collect(),
        }
    }

    fn broadcast(&self, namespace: Option<&str>, exclude: &[String], text: &str) -> usize {
        let to = |seat: &Seat| namespace.is_none_or(|it| it == seat.namespace);
        self.offer(to, exclude, text).len()
    }

    fn keep(&self, keep: Keep) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            if !self.refuses_to_keep {
                self.kept.lock().unwrap().push(keep);
            }
            !self.refuses_to_keep
        })
    }
}
