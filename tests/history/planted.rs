//! The checker itself: it finds nothing in a sound history, and each fault that is planted.

use proptest::prelude::*;

use crate::check::{Rule, check};
use crate::record::{Act, Change, Counts, Entry, History, Line, Standing, Story, Text, What, Who};
use crate::words::text;

/// Where the parts of the sound history stand in it.
const ALICE: usize = 0;
const BOB: usize = 1;
const PHONE: usize = 2;
const NOBODY: usize = 3;
const READER: usize = 4;

const ENTRIES: u64 = 6;
const EPOCH: &str = "e";

fn who(user: Option<&str>, is_reader: bool) -> Who {
    Who {
        namespace: text("north"),
        user: user.map(text),
        feeds: user.map(|_| text("Public")).into_iter().collect(),
        is_native: true,
        is_reader,
    }
}

fn id(offset: u64) -> Text {
    text(&format!("id-{offset}"))
}

fn tag(offset: u64) -> Text {
    text(&format!("0-{offset}@Public"))
}

/// The entry at an offset: 1 to 4 are announcements, 5 edits the second, 6 takes back the third.
fn entry(offset: u64, is_late: bool) -> Entry {
    let (change, of, version) = match offset {
        5 => (Change::Edited, 2, 2),
        6 => (Change::Recalled, 3, 2),
        _ if is_late && (2..=3).contains(&offset) => (Change::Posted, offset, 2),
        _ => (Change::Posted, offset, 1),
    };
    let tag = match (of, version) {
        (2, 2) => Some(text("0-2+5@Public")),
        (3, 2) => None,
        _ => Some(tag(of)),
    };
    Entry {
        change,
        feed: text("Public"),
        epoch: text(EPOCH),
        offset,
        previous: Some(offset - 1),
        id: id(of),
        version,
        tag,
    }
}

fn counts(version: u64, unread: u64) -> Counts {
    Counts {
        version,
        feeds: [(text("Public"), unread)].into(),
    }
}

fn signed(top: u64, since: Option<u64>, version: u64) -> What {
    let standing = Standing {
        feed: text("Public"),
        epoch: text(EPOCH),
        top,
        since,
    };
    What::Signed {
        standings: vec![standing],
        counts: counts(version, 0),
    }
}

struct Writer(Story);

impl Writer {
    fn of(user: Option<&str>, is_reader: bool) -> Self {
        Self(Story {
            who: who(user, is_reader),
            lines: Vec::new(),
        })
    }

    fn note(&mut self, at: u64, connection: u32, what: What) {
        let marks = match what {
            What::Heard(_) => vec![text("north/Public")],
            _ => Vec::new(),
        };
        self.0.lines.push(Line {
            at,
            connection,
            what,
            marks,
        });
    }
}

/// Alice publishes four times, edits and recalls; Bob hears it on two connections and reads the
/// first on one device; his reader finds the rest.
fn sound() -> History {
    let (mut alice, mut bob) = (
        Writer::of(Some("alice"), false),
        Writer::of(Some("bob"), false),
    );
    let (mut phone, nobody) = (Writer::of(Some("bob"), false), Writer::of(None, false));
    let mut reader = Writer::of(Some("bob"), true);
    alice.note(1, 1, signed(0, None, 1));
    bob.note(2, 1, signed(0, None, 1));
    phone.note(3, 1, signed(0, None, 1));
    for number in 1..=ENTRIES {
        let at = number * 10;
        let act = match number {
            5 => Act::Edit {
                id: id(2),
                tag: text("0-2+5@Public"),
                again: false,
            },
            6 => Act::Recall { id: id(3) },
            _ => Act::Publish {
                feed: text("Public"),
                tag: tag(number),
                ends: None,
            },
        };
        alice.note(at, 1, What::Sent { number, act });
        alice.note(at + 2, 1, What::Heard(entry(number, false)));
        let of = if number == 5 { 2 } else { 3 };
        alice.note(
            at + 3,
            1,
            match number {
                5 | 6 => What::Changed {
                    number,
                    id: id(of),
                    version: 2,
                },
                _ => What::Published {
                    number,
                    id: id(number),
                    epoch: text(EPOCH),
                    offset: number,
                },
            },
        );
        phone.note(at + 4, 1, What::Heard(entry(number, false)));
    }
    for offset in 1..=3 {
        bob.note(100 + offset, 1, What::Heard(entry(offset, false)));
    }
    bob.note(
        110,
        1,
        What::Gone {
            code: None,
            retry: None,
        },
    );
    bob.note(111, 2, signed(ENTRIES, Some(3), 7));
    for offset in 4..=ENTRIES {
        bob.note(120 + offset, 2, What::Heard(entry(offset, true)));
    }
    bob.note(
        130,
        2,
        What::Sent {
            number: 1,
            act: Act::Read {
                feed: text("Public"),
                ids: vec![id(1)],
            },
        },
    );
    bob.note(
        131,
        2,
        What::Noted {
            number: 1,
            counts: counts(8, 2),
        },
    );
    for (device, connection) in [(&mut bob, 2), (&mut phone, 1)] {
        device.note(
            140,
            connection,
            What::Sent {
                number: 9,
                act: Act::Compare,
            },
        );
        device.note(
            141,
            connection,
            What::Noted {
                number: 9,
                counts: counts(8, 2),
            },
        );
        device.note(142, connection, What::Still);
    }
    reader.note(150, 1, signed(ENTRIES, Some(0), 8));
    for offset in 1..=ENTRIES {
        reader.note(150 + offset, 1, What::Heard(entry(offset, true)));
    }
    let entries = vec![entry(2, true), entry(4, true)];
    reader.note(
        160,
        1,
        What::Page {
            clock: 0,
            entries,
            counts: counts(8, 2),
            is_last: true,
        },
    );
    vec![alice.0, bob.0, phone.0, nobody.0, reader.0]
}

fn rules(history: &History) -> Vec<Rule> {
    let mut rules: Vec<Rule> = check(history).into_iter().map(|fault| fault.rule).collect();
    rules.dedup();
    rules
}

/// The place of the line on which a client heard of an offset.
fn heard(story: &Story, offset: u64) -> usize {
    let is_it = |line: &Line| matches!(&line.what, What::Heard(entry) if entry.offset == offset);
    story.lines.iter().position(is_it).unwrap()
}

fn page(history: &mut History) -> (&mut Vec<Entry>, &mut Counts) {
    let last = history[READER].lines.last_mut().unwrap();
    let What::Page {
        entries, counts, ..
    } = &mut last.what
    else {
        panic!("the last is a page")
    };
    (entries, counts)
}

fn page_without(history: &mut History, offset: u64) {
    let (entries, counts) = page(history);
    entries.retain(|entry| entry.offset != offset);
    counts.feeds.insert(text("Public"), entries.len() as u64);
}

fn page_with(history: &mut History, entry: Entry) {
    let (entries, counts) = page(history);
    entries.push(entry);
    counts.feeds.insert(text("Public"), entries.len() as u64);
}

/// A fault, and the rules of which one must be found broken.
type Planted = (&'static str, fn(&mut History), Rule);

const PLANTED: [Planted; 15] = [
    (
        "gone from the unread",
        |history| page_without(history, 4),
        Rule::Lost,
    ),
    (
        "gone from the log",
        |history| {
            let at = heard(&history[READER], 4);
            history[READER].lines.remove(at);
        },
        Rule::Lost,
    ),
    (
        "never told to a connection",
        |history| {
            let at = heard(&history[PHONE], 4);
            history[PHONE].lines.remove(at);
        },
        Rule::Order,
    ),
    (
        "the last is never told",
        |history| {
            let at = heard(&history[BOB], ENTRIES);
            history[BOB].lines.remove(at);
        },
        Rule::Order,
    ),
    (
        "stored twice",
        |history| {
            let mut again = entry(7, true);
            again.tag = Some(tag(4));
            let line = Line {
                at: 157,
                connection: 1,
                what: What::Heard(again),
                marks: Vec::new(),
            };
            let end = history[READER].lines.len() - 1;
            history[READER].lines.insert(end, line);
        },
        Rule::Doubled,
    ),
    (
        "told twice",
        |history| {
            let at = heard(&history[PHONE], 4);
            let twice = history[PHONE].lines[at].clone();
            history[PHONE].lines.insert(at, twice);
        },
        Rule::Order,
    ),
    (
        "twice among the unread",
        |history| page_with(history, entry(4, true)),
        Rule::Doubled,
    ),
    (
        "one key, two announcements",
        |history| {
            let what = What::Published {
                number: 4,
                id: id(2),
                epoch: text(EPOCH),
                offset: 2,
            };
            history[ALICE].lines.push(Line {
                at: 170,
                connection: 1,
                what,
                marks: Vec::new(),
            });
        },
        Rule::Doubled,
    ),
    (
        "two in the wrong order",
        |history| {
            let (one, other) = (heard(&history[PHONE], 1), heard(&history[PHONE], 2));
            history[PHONE].lines.swap(one, other);
        },
        Rule::Order,
    ),
    (
        "another at the same place",
        |history| {
            let at = heard(&history[PHONE], 4);
            let What::Heard(entry) = &mut history[PHONE].lines[at].what else {
                return;
            };
            entry.id = id(1);
        },
        Rule::Order,
    ),
    (
        "told to nobody's socket",
        |history| {
            let at = heard(&history[PHONE], 4);
            let leaked = Line {
                what: What::Other,
                ..history[PHONE].lines[at].clone()
            };
            history[NOBODY].lines.push(leaked);
        },
        Rule::Leaked,
    ),
    (
        "told to another tenant",
        |history| {
            let at = heard(&history[PHONE], 4);
            history[PHONE].lines[at].marks.push(text("south/Public"));
        },
        Rule::Leaked,
    ),
    (
        "unread again",
        |history| page_with(history, entry(1, true)),
        Rule::Unread,
    ),
    (
        "an old text",
        |history| {
            let (entries, _) = page(history);
            entries[0] = entry(2, false);
        },
        Rule::Stale,
    ),
    (
        "recalled, and unread",
        |history| page_with(history, entry(3, true)),
        Rule::Stale,
    ),
];

#[test]
fn a_sound_history_has_no_fault() {
    let faults = check(&sound());
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn every_planted_fault_is_found() {
    for (name, plant, rule) in PLANTED {
        let mut history = sound();
        plant(&mut history);
        let found = rules(&history);
        assert!(found.contains(&rule), "{name}: {found:?}");
    }
}

#[test]
fn devices_that_differ_and_versions_that_go_back_are_found() {
    for (client, version, unread, rule) in [(PHONE, 8, 1, Rule::Unread), (BOB, 6, 2, Rule::Stale)] {
        let mut history = sound();
        for line in &mut history[client].lines {
            if let What::Noted {
                number: 9,
                counts: told,
            } = &mut line.what
            {
                *told = counts(version, unread);
            }
        }
        assert!(rules(&history).contains(&rule), "{rule:?}");
    }
}

proptest! {
    /// What is found does not depend on the order in which clients stand in the history.
    #[test]
    fn the_order_of_the_clients_does_not_matter(
        order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle(),
        planted in proptest::option::of(0..PLANTED.len()),
    ) {
        let mut history = sound();
        if let Some(at) = planted {
            PLANTED[at].1(&mut history);
        }
        let shuffled: History = order.iter().map(|at| history[*at].clone()).collect();
        prop_assert_eq!(rules(&shuffled), rules(&history));
    }

    /// Whatever order a connection is told of a feed in, only the right one passes.
    #[test]
    fn only_one_order_of_a_feed_is_sound(
        order in Just((1..=ENTRIES).collect::<Vec<u64>>()).prop_shuffle(),
    ) {
        let mut history = sound();
        let lines = &mut history[PHONE].lines;
        let mut offsets = order.iter();
        for line in lines {
            if let What::Heard(told) = &mut line.what {
                *told = entry(*offsets.next().unwrap(), false);
            }
        }
        prop_assert_eq!(rules(&history).contains(&Rule::Order), !order.is_sorted());
    }
}
