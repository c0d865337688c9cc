//! Several threads publish, subscribe, take and leave at once.

use framewire::engine::Prepared;
use framewire::hub::{Bounds, Delivery, Hub, Member, SlowPolicy};
use std::sync::Barrier;
use std::thread;

use crate::{expect_balanced, reason};

const THREADS: usize = 4;
const ROUNDS: usize = 3000;

fn message(thread: usize, round: usize) -> Prepared {
    Prepared::text(&format!("{thread} {round}"))
}

/// What a member has heard last of each thread.
#[derive(Default)]
struct Heard {
    next: [usize; THREADS],
    count: usize,
}

impl Heard {
    /// Takes all that waits, and checks that each publisher's messages keep their order.
    fn drain(&mut self, member: &mut Member) {
        while let Some(Delivery::Message(message)) = member.try_next() {
            let text = core::str::from_utf8(message.payload()).expect("text");
            let (thread, round) = text.split_once(' ').expect("two numbers");
            let thread: usize = thread.parse().expect("a number");
            let round: usize = round.parse().expect("a number");
            assert!(round >= self.next[thread], "{text}, after {:?}", self.next);
            self.next[thread] = round + 1;
            self.count += 1;
        }
    }
}

#[test]
fn counts_balance_and_each_publisher_keeps_its_order() {
    let hub = Hub::new();
    let start = Barrier::new(THREADS);
    let everything = Bounds::new(usize::MAX, usize::MAX);
    let mut patient = hub.join(everything, SlowPolicy::DropNewest);
    patient.subscribe("news");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (hub, start) = (&hub, &start);
            scope.spawn(move || {
                let policy = match thread % 3 {
                    0 => SlowPolicy::DropOldest,
                    1 => SlowPolicy::DropNewest,
                    _ => SlowPolicy::Disconnect(reason(1008)),
                };
                let mut staying = hub.join(Bounds::new(100, 5), policy);
                staying.subscribe("news");
                staying.set_user("ada");
                let mut heard = Heard::default();
                start.wait();
                for round in 0..ROUNDS {
                    hub.publish("news", &message(thread, round));
                    let mut passing = hub.join(Bounds::new(1000, 9), SlowPolicy::DropOldest);
                    passing.subscribe("news");
                    passing.set_user("ada");
                    Heard::default().drain(&mut passing);
                    expect_balanced(passing.counts());
                    if round % 3 == 0 {
                        heard.drain(&mut staying);
                        staying.unsubscribe("news");
                        staying.subscribe("news");
                    }
                    expect_balanced(staying.counts());
                }
                heard.drain(&mut staying);
                let counts = staying.counts();
                expect_balanced(counts);
                assert_eq!((counts.taken, counts.waiting), (heard.count as u64, 0));
            });
        }
    });
    let mut heard = Heard::default();
    heard.drain(&mut patient);
    assert_eq!(heard.next, [ROUNDS; THREADS]);
    assert_eq!(heard.count, THREADS * ROUNDS);
    assert_eq!(patient.counts().taken, heard.count as u64);
    assert_eq!((hub.members(), hub.members_of("news")), (1, 1));
    assert!(hub.members_of_user("ada").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_that_waits_misses_no_wake_up() {
    let hub = Hub::new();
    let mut member = hub.join(Bounds::new(usize::MAX, usize::MAX), SlowPolicy::DropNewest);
    member.subscribe("news");
    let listening = tokio::spawn(async move {
        for _ in 0..THREADS * ROUNDS {
            assert!(matches!(member.next().await, Delivery::Message(_)));
        }
    });
    let publishing = (0..THREADS).map(|thread| {
        let hub = hub.clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                hub.publish("news", &message(thread, round));
                tokio::task::yield_now().await;
            }
        })
    });
    for publisher in publishing.collect::<Vec<_>>() {
        publisher.await.expect("no panic");
    }
    let ended = tokio::time::timeout(core::time::Duration::from_secs(20), listening).await;
    ended.expect("it waits for ever").expect("no panic");
}
