//! A run: the cast, the phases, the kills, the way out and the way back.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use framewire::announce::secret::Secret;
use framewire::announce::token::{Grant, Minter};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, Common, Phase, Return, read_all};
use crate::record::{History, Story, Text, What, Who};
use crate::serving::Serving;
use crate::words::text;

const NAMESPACES: [&str; 3] = ["north", "south", "elsewhere"];
const HOUR: Duration = Duration::from_secs(3600);
/// How many requests a second all clients together aim at.
const REQUESTS_PER_SECOND: f64 = 100.0;
/// How many readers read at once.
const READERS: usize = 16;

/// What a run is to be like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) clients: usize,
    pub(crate) kills: usize,
    pub(crate) seconds: u64,
    pub(crate) seed: u64,
}

/// What a run has shown.
pub(crate) struct Report {
    pub(crate) history: History,
    /// What the way out and back has broken, in words.
    pub(crate) broken: Vec<String>,
    pub(crate) figures: String,
}

/// The cast, by chance: signed-in people with some devices each, and sockets that are nobody's.
struct Cast {
    clients: Vec<(Who, String, bool)>,
    readers: Vec<(Who, String)>,
    people: HashMap<Text, Vec<Text>>,
}

impl Cast {
    fn of(plan: Plan, minter: &Minter, rng: &mut StdRng) -> Self {
        let mut cast = Self {
            clients: Vec::new(),
            readers: Vec::new(),
            people: HashMap::new(),
        };
        let nobodies = plan.clients / 20;
        for number in 0..nobodies {
            let who = Who {
                namespace: text("nowhere"),
                user: None,
                feeds: Vec::new(),
                is_native: number % 2 == 0,
                is_reader: false,
            };
            cast.clients.push((who, String::new(), false));
        }
        let mut number = 0;
        while cast.clients.len() < plan.clients {
            // The names are the same everywhere, as are those of the channels.
            let place = if number % 12 == 11 { 2 } else { number % 2 };
            let devices = rng
                .random_range(1..=4)
                .min(plan.clients - cast.clients.len());
            cast.person(minter, NAMESPACES[place], number / 2, devices, rng);
            number += 1;
        }
        for (place, namespace) in NAMESPACES.iter().enumerate() {
            let who = signed(
                namespace,
                &format!("newcomer-{place}"),
                &["sales", "works"],
                true,
                true,
            );
            let token = token(minter, &who, &["sales", "works"]);
            cast.readers.push((who, token));
        }
        cast
    }

    fn person(
        &mut self,
        minter: &Minter,
        namespace: &str,
        number: usize,
        devices: usize,
        rng: &mut StdRng,
    ) {
        let name = format!("person-{number}");
        let channels: &[&str] = match rng.random_range(0..4) {
            0 => &["sales"],
            1 => &["works"],
            2 => &["sales", "works"],
            _ => &[],
        };
        for _ in 0..devices {
            let who = signed(namespace, &name, channels, rng.random_bool(0.6), false);
            let token = token(minter, &who, channels);
            let is_busy = rng.random_bool(0.75);
            self.clients.push((who, token, is_busy));
        }
        let reader = signed(namespace, &name, channels, true, true);
        let token = token(minter, &reader, channels);
        self.readers.push((reader, token));
        self.people
            .entry(text(namespace))
            .or_default()
            .push(text(&name));
    }
}

fn signed(namespace: &str, name: &str, channels: &[&str], is_native: bool, is_reader: bool) -> Who {
    let mut feeds = vec![text("Public"), text(&format!("user:{name}"))];
    feeds.extend(channels.iter().map(|channel| text(channel)));
    Who {
        namespace: text(namespace),
        user: Some(text(name)),
        feeds,
        is_native,
        is_reader,
    }
}

fn token(minter: &Minter, who: &Who, channels: &[&str]) -> String {
    let mut grant = Grant::new(who.user.as_deref().unwrap());
    let namespaces = [&*who.namespace];
    grant.namespaces = &namespaces;
    grant.scopes = &["announce:public", "announce:channel", "announce:user"];
    grant.channels = channels;
    minter.issue(&grant, HOUR, SystemTime::now()).unwrap()
}

/// The clients, and the way to tell them what to do.
struct Stage {
    phase: watch::Sender<(usize, Phase)>,
    done: mpsc::UnboundedReceiver<(usize, usize)>,
    clients: JoinSet<(Story, Vec<Return>)>,
    number: usize,
    count: usize,
}

impl Stage {
    fn begin(&mut self, phase: Phase) {
        self.number += 1;
        self.phase.send_replace((self.number, phase));
    }

    /// Waits until everybody has done what the phase asks for. Says who has not.
    async fn all(&mut self, patience: Duration) -> Result<(), String> {
        let mut left: BTreeSet<usize> = (0..self.count).collect();
        let waiting = async {
            while !left.is_empty() {
                let (number, client) = self.done.recv().await.unwrap();
                if number == self.number {
                    left.remove(&client);
                }
            }
        };
        let in_time = timeout(patience, waiting).await.is_ok();
        if in_time {
            return Ok(());
        }
        let first: Vec<_> = left.iter().take(10).collect();
        let phase = format!("{:?}", self.phase.borrow().1);
        let phase = phase.split('(').next().unwrap_or_default();
        Err(format!(
            "{phase}: {} clients are not done, among them {first:?}",
            left.len()
        ))
    }
}

pub(crate) async fn run(plan: Plan, data: &Path) -> Report {
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let mut serving = Serving::start(data).await;
    let minter = Minter::new(&Secret::load(data, None).unwrap());
    let cast = Cast::of(plan, &minter, &mut rng);
    let busy = cast.clients.iter().filter(|client| client.2).count();
    let (phase, phases) = watch::channel((1, Phase::Enter));
    let (sender, done) = mpsc::unbounded_channel();
    let common = Common {
        address: serving.address.parse().unwrap(),
        phase: phases,
        done: sender,
        pace: Duration::from_secs_f64((busy as f64 / REQUESTS_PER_SECOND).max(0.1)),
        people: Arc::new(cast.people),
    };
    let mut clients = JoinSet::new();
    for (index, (who, token, is_busy)) in cast.clients.into_iter().enumerate() {
        let seed = rng.random();
        let client = Client::new(index, common.clone(), who, token, is_busy, seed);
        clients.spawn(client.live());
    }
    let count = clients.len();
    let mut stage = Stage {
        phase,
        done,
        clients,
        number: 1,
        count,
    };
    let mut broken = Vec::new();
    let patience = Duration::from_secs(60 + plan.clients as u64 / 20);
    broken.extend(stage.all(patience).await.err());
    trouble(plan, &mut serving, &mut stage, &mut rng).await;
    stage.begin(Phase::Settle);
    broken.extend(stage.all(patience).await.err());
    // Whatever was to end by itself has ended when everybody looks.
    sleep(Duration::from_secs(2)).await;
    stage.begin(Phase::Compare);
    broken.extend(stage.all(patience).await.err());
    let left = leave(plan, &mut serving, &mut stage, patience, &mut broken).await;
    sleep(Duration::from_secs(2)).await;
    let mut history = read(common.address, cast.readers).await;
    stage.begin(Phase::Reach(Arc::new(tops(&history))));
    broken.extend(stage.all(patience).await.err());
    stage.begin(Phase::Over);
    let mut returns = Vec::new();
    while let Some(client) = stage.clients.join_next().await {
        let (story, times) = client.unwrap();
        if story.who.user.is_some() && times.is_empty() {
            broken.push(format!("{:?} was not told when to come back", story.who));
        }
        history.push(story);
        returns.extend(times);
    }
    let (status, took) = serving.stop().await;
    if !status.success() {
        broken.push(format!("the last stop: {status} after {took:?}"));
    }
    let figures = format!("{left}; {}", slots(plan, returns, &mut broken));
    Report {
        history,
        broken,
        figures,
    }
}

/// Lets everybody act, and kills the server at random moments.
async fn trouble(plan: Plan, serving: &mut Serving, stage: &mut Stage, rng: &mut StdRng) {
    let began = Instant::now();
    let length = Duration::from_secs(plan.seconds);
    stage.begin(Phase::Act);
    for kill in 0..plan.kills {
        let share = (kill as f64 + rng.random_range(0.3..0.9)) / plan.kills as f64;
        let at = began + length.mul_f64(share);
        tokio::time::sleep_until(at).await;
        serving.kill().await;
        serving.again().await;
    }
    tokio::time::sleep_until(began + length).await;
}

/// Tells the server to stop while people publish, starts it again, and waits for all to return.
async fn leave(
    plan: Plan,
    serving: &mut Serving,
    stage: &mut Stage,
    patience: Duration,
    broken: &mut Vec<String>,
) -> String {
    stage.begin(Phase::Leave);
    sleep(Duration::from_millis(1500)).await;
    let (status, took) = serving.stop().await;
    if !status.success() || took > Duration::from_secs(11) {
        broken.push(format!(
            "told to stop with {} clients: {status} after {took:?}",
            plan.clients
        ));
    }
    serving.again().await;
    stage.begin(Phase::Back);
    broken.extend(
        stage
            .all(patience + Duration::from_millis(20 * plan.clients as u64))
            .await
            .err(),
    );
    format!("stopped in {} ms, {status}", took.as_millis())
}

/// Has everybody's feeds and unread read from the beginning, by connections of their own.
async fn read(address: core::net::SocketAddr, readers: Vec<(Who, String)>) -> History {
    let mut history = Vec::new();
    let mut reading = JoinSet::new();
    for (index, (who, token)) in readers.into_iter().enumerate() {
        if reading.len() >= READERS {
            history.extend(reading.join_next().await.map(Result::unwrap));
        }
        reading.spawn(read_all(address, who, token, index));
    }
    history.extend(reading.join_all().await);
    history
}

fn tops(readers: &History) -> HashMap<(Text, Text), u64> {
    let mut tops = HashMap::new();
    for story in readers {
        for line in &story.lines {
            if let What::Signed { standings, .. } = &line.what {
                for standing in standings {
                    let key = (story.who.namespace.clone(), standing.feed.clone());
                    tops.insert(key, standing.top);
                }
            }
        }
    }
    tops
}

/// Everybody has a slot of their own, in one line, and was back close to it.
fn slots(plan: Plan, returns: Vec<Return>, broken: &mut Vec<String>) -> String {
    let slots: BTreeSet<u64> = returns.iter().map(|it| it.0).collect();
    if slots.len() != returns.len() {
        broken.push(format!(
            "{} clients share {} slots",
            returns.len(),
            slots.len()
        ));
    }
    let (first, last) = (
        slots.first().copied().unwrap_or(0),
        slots.last().copied().unwrap_or(0),
    );
    let is_in_line = slots
        .iter()
        .zip(slots.iter().skip(1))
        .all(|(one, next)| (next - one) % 20 == 0);
    if !is_in_line || last - first > 20 * (plan.clients as u64 + plan.clients as u64 / 10 + 20) {
        broken.push(format!("the slots are not in a line: {first} to {last}"));
    }
    let mut late: Vec<u64> = returns.iter().filter_map(|it| it.1).collect();
    late.sort_unstable();
    let at = |percent: usize| {
        late.get((late.len().saturating_sub(1)) * percent / 100)
            .copied()
    };
    let never = returns.len() - late.len();
    if never > 0 {
        broken.push(format!("{never} clients never came back"));
    }
    format!(
        "{} slots from {first} to {last} ms; back after the slot: p50 {:?}, p99 {:?}, p100 {:?} ms",
        slots.len(),
        at(50),
        at(99),
        at(100)
    )
}
