//! One client: what it does by chance, and the history that it writes.

use core::net::{Ipv4Addr, SocketAddr};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use framewire::client::{self, Config};
use framewire::engine::{ClientRequest, Message};
use framewire::net::WebSocket;
use framewire::wire::close::CloseCode;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::record::{Act, Change, Entry, Line, Story, Text, What, Who};
use crate::words::{Words, clock, marks, text};

/// How many announcements a client remembers, to mark them.
const KNOWN_MAX: usize = 64;
const ANSWER: Duration = Duration::from_secs(30);
const CHANNELS: [&str; 2] = ["sales", "works"];

static MOMENT: AtomicU64 = AtomicU64::new(1);

/// What everybody is to do.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// To be there.
    Enter,
    /// To do anything, by chance.
    Act,
    /// To have answers to everything.
    Settle,
    /// To ask for the counts.
    Compare,
    /// To go on with what needs no reconnecting, until the server sends everybody away.
    Leave,
    /// The server is there again: come back when you were told to.
    Back,
    /// To have heard everything up to these offsets of namespaces and feeds.
    Reach(Arc<HashMap<(Text, Text), u64>>),
    Over,
}

/// What all clients have in common.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) address: SocketAddr,
    /// The number of a phase, and the phase.
    pub(crate) phase: watch::Receiver<(usize, Phase)>,
    /// Who has done what a phase asks for.
    pub(crate) done: mpsc::UnboundedSender<(usize, usize)>,
    /// How long between two acts of one client.
    pub(crate) pace: Duration,
    /// The names of all people, by namespace.
    pub(crate) people: Arc<HashMap<Text, Vec<Text>>>,
}

/// The code for whoever has not signed in in time.
const SIGN_IN_TIMEOUT: u16 = 4408;

/// A slot in milliseconds, and how late the client was back, in milliseconds, if it was.
pub(crate) type Return = (u64, Option<u64>);

pub(crate) struct Client {
    index: usize,
    common: Common,
    words: Words,
    story: Story,
    rng: StdRng,
    is_busy: bool,
    socket: Option<WebSocket<TcpStream>>,
    connection: u32,
    is_signed: bool,
    positions: BTreeMap<Text, u64>,
    asked_since: BTreeMap<Text, u64>,
    known: VecDeque<Entry>,
    mine: Vec<(Text, Text, Text)>,
    numbers: u64,
    /// Requests without an answer; publications among them have a key or not.
    open: BTreeMap<u64, (Act, Option<String>)>,
    next_act: Instant,
    come_back: Instant,
    done: usize,
    compared: bool,
    /// The slot that the server gave.
    slot: Option<Instant>,
    returns: Vec<Return>,
    /// The code with which the last connection ended.
    last_code: Option<u16>,
}

impl Client {
    pub(crate) fn new(
        index: usize,
        common: Common,
        who: Who,
        token: String,
        is_busy: bool,
        seed: u64,
    ) -> Self {
        let words = Words {
            is_native: who.is_native,
            namespace: who.namespace.clone(),
            token,
        };
        Self {
            index,
            words,
            story: Story {
                who,
                lines: Vec::new(),
            },
            rng: StdRng::seed_from_u64(seed),
            is_busy,
            socket: None,
            connection: 0,
            is_signed: false,
            positions: BTreeMap::new(),
            asked_since: BTreeMap::new(),
            known: VecDeque::new(),
            mine: Vec::new(),
            numbers: 0,
            open: BTreeMap::new(),
            next_act: Instant::now(),
            come_back: Instant::now(),
            done: 0,
            compared: false,
            slot: None,
            returns: Vec::new(),
            last_code: None,
            common,
        }
    }

    fn note(&mut self, what: What, marks: Vec<Text>) {
        let at = MOMENT.fetch_add(1, Ordering::SeqCst);
        let connection = self.connection;
        self.story.lines.push(Line {
            at,
            connection,
            what,
            marks,
        });
    }

    /// Lives until everything is over.
    pub(crate) async fn live(mut self) -> (Story, Vec<Return>) {
        loop {
            let (number, phase) = self.common.phase.borrow_and_update().clone();
            if matches!(phase, Phase::Over) {
                if let Some(mut socket) = self.socket.take() {
                    drop(timeout(ANSWER, socket.close(CloseCode::NORMAL_CLOSURE, "")).await);
                }
                return (self.story, self.returns);
            }
            if self.socket.is_none() {
                self.enter().await;
                continue;
            }
            self.report(number, &phase).await;
            self.turn(&phase).await;
        }
    }

    /// Tells once that a phase has been done.
    async fn report(&mut self, number: usize, phase: &Phase) {
        if self.done >= number || (!self.is_signed && self.story.who.user.is_some()) {
            return;
        }
        let is_done = match phase {
            Phase::Enter | Phase::Act | Phase::Leave | Phase::Over => true,
            Phase::Settle => self.open.is_empty(),
            Phase::Compare if self.story.who.user.is_none() => true,
            Phase::Compare => {
                if !self.compared {
                    self.compared = true;
                    self.ask(Act::Compare).await;
                }
                self.open.is_empty()
            }
            // Who is nobody is sent away from time to time, and may have been out just then.
            Phase::Back if self.returns.is_empty() => self.last_code == Some(SIGN_IN_TIMEOUT),
            Phase::Back => {
                self.returns.last().is_some_and(|last| last.1.is_some()) && self.open.is_empty()
            }
            Phase::Reach(tops) => self.story.who.feeds.iter().all(|feed| {
                let key = (self.story.who.namespace.clone(), feed.clone());
                let reached = self.positions.get(feed).copied().unwrap_or(0);
                tops.get(&key).is_none_or(|top| reached >= *top)
            }),
        };
        if is_done {
            if matches!(phase, Phase::Reach(_)) {
                self.note(What::Still, Vec::new());
            }
            self.done = number;
            self.common.done.send((number, self.index)).unwrap();
        }
    }

    async fn turn(&mut self, phase: &Phase) {
        let may_act = self.is_busy
            && self.is_signed
            && (matches!(phase, Phase::Act)
                || (matches!(phase, Phase::Leave) && self.returns.is_empty()));
        let Some(socket) = self.socket.as_mut() else {
            return;
        };
        tokio::select! {
            heard = socket.recv() => match heard {
                Ok(Some(message)) => {
                    let said = message.as_text().unwrap_or_default().to_owned();
                    self.hear(&said);
                }
                Ok(None) | Err(_) => self.gone(),
            },
            () = sleep_until(self.next_act), if may_act => {
                let pace = self.common.pace.mul_f64(self.rng.random_range(0.5..1.5));
                self.next_act = Instant::now() + pace;
                self.act(matches!(phase, Phase::Act)).await;
            }
            changed = self.common.phase.changed() => changed.unwrap(),
        }
    }

    /// Notes that the connection has ended, and when to come back.
    fn gone(&mut self) {
        let Some(socket) = self.socket.take() else {
            return;
        };
        let closed = socket.closure().and_then(|it| it.received().cloned());
        let code = closed.as_ref().and_then(|it| it.code()).map(CloseCode::get);
        let reason = closed.map(|it| it.reason().to_owned()).unwrap_or_default();
        let retry = reason
            .split_once("retry_ms=")
            .and_then(|(_, it)| it.parse().ok());
        self.note(What::Gone { code, retry }, Vec::new());
        self.last_code = code;
        self.open.retain(|_, (_, key)| key.is_some());
        self.is_signed = false;
        let nap = Duration::from_millis(self.rng.random_range(20..1000));
        self.come_back = Instant::now() + nap;
        if code == Some(1012)
            && let Some(retry) = retry
        {
            self.come_back = Instant::now() + Duration::from_millis(retry);
            self.slot = Some(self.come_back);
            self.returns.push((retry, None));
        }
    }

    /// Opens a connection, and signs in; waits before that for its time.
    async fn enter(&mut self) {
        sleep_until(self.come_back).await;
        self.come_back = Instant::now() + Duration::from_millis(self.rng.random_range(50..400));
        let Some(socket) = open(self.common.address, self.index, self.words.is_native).await else {
            return;
        };
        self.socket = Some(socket);
        self.connection += 1;
        self.next_act = Instant::now() + self.common.pace.mul_f64(self.rng.random_range(0.0..1.0));
        if self.story.who.user.is_none() {
            self.returned();
            return;
        }
        let mut since = BTreeMap::new();
        // What one must not see is asked for as well.
        for other in CHANNELS {
            since.insert(text(other), 0);
        }
        if let Some(other) = self.somebody() {
            since.insert(text(&format!("user:{other}")), 0);
        }
        for feed in &self.story.who.feeds {
            since.remove(feed);
        }
        if self.slot.is_some() || self.rng.random_bool(0.7) {
            since.extend(self.positions.iter().map(|(feed, at)| (feed.clone(), *at)));
        } else {
            self.positions.clear();
        }
        let said = self.words.sign(&since);
        self.asked_since = since;
        self.send(said).await;
    }

    fn returned(&mut self) {
        if let (Some(slot), Some(last)) = (self.slot.take(), self.returns.last_mut()) {
            let late = Instant::now().saturating_duration_since(slot).as_millis();
            last.1 = Some(u64::try_from(late).unwrap());
        }
    }

    async fn send(&mut self, said: String) {
        let Some(socket) = self.socket.as_mut() else {
            return;
        };
        let sent = timeout(ANSWER, socket.send(Message::text(said))).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.gone();
        }
    }

    async fn ask(&mut self, act: Act) {
        self.numbers += 1;
        let number = self.numbers;
        let has_key = matches!(act, Act::Publish { .. }) && self.rng.random_bool(0.8);
        let key = has_key.then(|| format!("{}-{number}", self.index));
        let said = self.words.ask(number, &act, key.as_deref());
        self.note(
            What::Sent {
                number,
                act: act.clone(),
            },
            Vec::new(),
        );
        self.open.insert(number, (act, key));
        self.send(said).await;
    }

    fn hear(&mut self, said: &str) {
        let (mut what, _) = self.words.read(said);
        match &mut what {
            What::Signed { standings, .. } => {
                for standing in standings {
                    standing.since = self.asked_since.get(&standing.feed).copied();
                    let from = standing.since.unwrap_or(standing.top);
                    self.positions.insert(standing.feed.clone(), from);
                }
                self.is_signed = true;
            }
            What::Heard(entry) => {
                let place = self.positions.entry(entry.feed.clone()).or_insert(0);
                *place = entry.offset;
                if self.known.len() == KNOWN_MAX {
                    self.known.pop_front();
                }
                self.known.push_back(entry.clone());
            }
            What::Published { number, id, .. } => {
                if let Some((Act::Publish { feed, tag, .. }, _)) = self.open.remove(number) {
                    self.mine.push((id.clone(), feed, tag));
                }
            }
            What::Changed { number, .. }
            | What::Noted { number, .. }
            | What::Refused { number, .. } => {
                self.open.remove(number);
            }
            What::Page {
                entries, counts, ..
            } if entries.len() <= 1 => {
                let counts = counts.clone();
                let compare = self.open.iter().find(|(_, (act, _))| *act == Act::Compare);
                if let Some(number) = compare.map(|(number, _)| *number) {
                    self.open.remove(&number);
                    what = What::Noted { number, counts };
                }
            }
            _ => {}
        }
        let is_signed = matches!(what, What::Signed { .. });
        self.note(what, marks(said));
        if is_signed {
            self.returned();
            self.repeat();
        }
    }

    /// Sends again what may have been lost with the connection before.
    fn repeat(&mut self) {
        let again: Vec<_> = self
            .open
            .iter()
            .map(|(number, (act, key))| (*number, act.clone(), key.clone()))
            .collect();
        for (number, act, key) in again {
            let said = self.words.ask(number, &act, key.as_deref());
            self.note(What::Sent { number, act }, Vec::new());
            if let Some(socket) = self.socket.as_mut() {
                // A connection that is closing says so when it is heard.
                let _ = socket.try_feed(Message::text(said));
            }
        }
    }

    fn somebody(&mut self) -> Option<Text> {
        let people = Arc::clone(&self.common.people);
        let people = people.get(&self.story.who.namespace)?;
        Some(people[self.rng.random_range(0..people.len())].clone())
    }

    async fn act(&mut self, may_go: bool) {
        match self.rng.random_range(0..if may_go { 100 } else { 75 }) {
            0..34 => self.publish().await,
            34..48 => {
                let known = self
                    .known
                    .iter()
                    .rev()
                    .take(12)
                    .filter(|it| it.change == Change::Posted);
                let known: Vec<_> = known.cloned().collect();
                if let Some(first) = known.first() {
                    let same = known.iter().filter(|it| it.feed == first.feed).take(3);
                    let ids = same.map(|it| it.id.clone()).collect();
                    self.ask(Act::Read {
                        feed: first.feed.clone(),
                        ids,
                    })
                    .await;
                }
            }
            48..54 => {
                let at = self.rng.random_range(0..KNOWN_MAX);
                if let Some(entry) = self.known.get(at).cloned() {
                    self.ask(Act::ReadUpTo {
                        feed: entry.feed,
                        offset: entry.offset,
                    })
                    .await;
                }
            }
            54..60 => {
                if let Some(entry) = self.known.back().cloned() {
                    self.ask(Act::Acknowledge { id: entry.id }).await;
                }
            }
            60..75 => self.change().await,
            75..82 => self.gone(),
            82..86 => {
                self.publish().await;
                self.gone();
            }
            86..92 => {
                if let Some(socket) = self.socket.as_mut() {
                    drop(timeout(ANSWER, socket.close(CloseCode::NORMAL_CLOSURE, "bye")).await);
                }
                self.gone();
            }
            92..96 => sleep(Duration::from_millis(self.rng.random_range(500..3000))).await,
            _ => self.next_act += self.common.pace * 3,
        }
    }

    async fn publish(&mut self) {
        let feeds = &self.story.who.feeds;
        let chosen = match self.rng.random_range(0..10) {
            0..5 => Some(text("Public")),
            5..8 => feeds
                .iter()
                .find(|feed| CHANNELS.contains(&&***feed))
                .cloned(),
            _ => self.somebody().map(|name| text(&format!("user:{name}"))),
        };
        let feed = chosen.unwrap_or_else(|| text("Public"));
        let tag = text(&format!("{}-{}@{feed}", self.index, self.numbers + 1));
        let ends = self.rng.random_bool(0.05).then(|| clock() + 1500);
        self.ask(Act::Publish { feed, tag, ends }).await;
    }

    /// Edits something of one's own, or takes it back.
    async fn change(&mut self) {
        if !self.words.is_native || self.mine.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..self.mine.len());
        if self.rng.random_bool(0.25) {
            let (id, ..) = self.mine.swap_remove(at);
            return self.ask(Act::Recall { id }).await;
        }
        let (id, feed, tag) = self.mine[at].clone();
        let tag = tag.split_once('@').map_or(&*tag, |(base, _)| base);
        let tag = text(&format!("{tag}+{}@{feed}", self.numbers + 1));
        let again = self.rng.random_bool(0.3);
        self.ask(Act::Edit { id, tag, again }).await;
    }
}

/// A connection from one of many loopback addresses, so that ports last.
pub(crate) async fn open(
    address: SocketAddr,
    index: usize,
    is_native: bool,
) -> Option<WebSocket<TcpStream>> {
    let from = Ipv4Addr::new(127, 0, 0, 2 + u8::try_from(index % 200).unwrap());
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let stream = timeout(ANSWER, socket.connect(address)).await.ok()?.ok()?;
    stream.set_nodelay(true).ok()?;
    let mut request = ClientRequest::new(&address.to_string(), "/websockets");
    if is_native {
        request = request.with_subprotocol("announce.v1");
    }
    let (socket, _) = client::handshake(stream, request, &Config::default())
        .await
        .ok()?;
    Some(socket)
}

/// Reads everything that a person can see: each feed since 0, and all pages of the unread.
pub(crate) async fn read_all(address: SocketAddr, who: Who, token: String, index: usize) -> Story {
    let words = Words {
        is_native: true,
        namespace: who.namespace.clone(),
        token,
    };
    let mut socket = open(address, index, true).await.unwrap();
    let since: BTreeMap<Text, u64> = who.feeds.iter().map(|feed| (feed.clone(), 0)).collect();
    socket
        .send(Message::text(words.sign(&since)))
        .await
        .unwrap();
    let (mut left, mut is_signed, mut asked) = (0, false, false);
    let mut lines = Vec::new();
    loop {
        let message = timeout(ANSWER, socket.recv())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let said = message.as_text().unwrap();
        let (mut what, cursor) = words.read(said);
        let mut is_over = false;
        match &mut what {
            What::Signed { standings, .. } => {
                is_signed = true;
                for standing in standings {
                    standing.since = Some(0);
                    left += standing.top;
                }
            }
            What::Heard(_) => left -= 1,
            What::Page { is_last, .. } => is_over = *is_last,
            _ => {}
        }
        let at = MOMENT.fetch_add(1, Ordering::SeqCst);
        lines.push(Line {
            at,
            connection: 1,
            what,
            marks: marks(said),
        });
        if is_over {
            drop(timeout(ANSWER, socket.close(CloseCode::NORMAL_CLOSURE, "")).await);
            return Story { who, lines };
        }
        if cursor.is_some() || (is_signed && left == 0 && !asked) {
            asked = true;
            socket
                .send(Message::text(words.unread(1, cursor.as_deref())))
                .await
                .unwrap();
        }
    }
}
