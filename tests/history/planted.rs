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

/// What Alice asks for, and the answer: four announcements, an edit, and a recall.
fn said(number: u64) -> (Act, What) {
    let feed = text("Public");
    let changed = |of| What::Changed {
        number,
        id: id(of),
        version: 2,
    };
    let published = What::Published {
        number,
        id: id(number),
        epoch: text(EPOCH),
        offset: number,
    };
    let (tag, again, ends) = (tag(number), false, None);
    match number {
        5 => {
            let (id, tag) = (id(2), text("0-2+5@Public"));
            (Act::Edit { id, tag, again }, changed(2))
        }
        6 => (Act::Recall { id: id(3) }, changed(3)),
        _ => (Act::Publish { feed, tag, ends }, published),
    }
}

fn asked(device: &mut Writer, at: u64, connection: u32, act: Act) {
    let (number, counts) = (at, counts(8, 2));
    device.note(at, connection, What::Sent { number, act });
    device.note(at + 1, connection, What::Noted { number, counts });
}

/// Alice publishes four times, edits and recalls; Bob hears it on two connections and reads the
/// first on one device; his reader finds the rest.
fn sound() -> History {
    let of = |user, is_reader| Writer::of(user, is_reader);
    let (mut alice, mut bob) = (of(Some("alice"), false), of(Some("bob"), false));
    let (mut phone, nobody) = (of(Some("bob"), false), of(None, false));
    let mut reader = of(Some("bob"), true);
    for writer in [&mut alice, &mut bob, &mut phone] {
        writer.note(1, 1, signed(0, None, 1));
    }
    for number in 1..=ENTRIES {
        let (at, (act, answer)) = (number * 10, said(number));
        alice.note(at, 1, What::Sent { number, act });
        alice.note(at + 2, 1, What::Heard(entry(number, false)));
        alice.note(at + 3, 1, answer);
        phone.note(at + 4, 1, What::Heard(entry(number, false)));
    }
    for offset in 1..=3 {
        bob.note(100 + offset, 1, What::Heard(entry(offset, false)));
    }
    let (code, retry) = (None, None);
    bob.note(110, 1, What::Gone { code, retry });
    bob.note(111, 2, signed(ENTRIES, Some(3), 7));
    for offset in 4..=ENTRIES {
        bob.note(120 + offset, 2, What::Heard(entry(offset, true)));
    }
    let (feed, ids) = (text("Public"), vec![id(1)]);
    asked(&mut bob, 130, 2, Act::Read { feed, ids });
    for (device, connection) in [(&mut bob, 2), (&mut phone, 1)] {
        asked(device, 140, connection, Act::Compare);
        device.note(142, connection, What::Still);
    }
    reader.note(150, 1, signed(ENTRIES, Some(0), 8));
    for offset in 1..=ENTRIES {
        reader.note(150 + offset, 1, What::Heard(entry(offset, true)));
    }
    let page = What::Page {
        clock: 0,
        entries: vec![entry(2, true), entry(4, true)],
        counts: counts(8, 2),
        is_last: true,
    };
    reader.note(160, 1, page);
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

/// Plants faults in the history of a run in which none was found, and expects each to be.
pub(crate) fn expect_found_in(history: &History) {
    // The last that another of the same feed followed, so that its absence is a hole: what came
    // last of all may be something that nobody has to have heard. It bears its mark: of one that
    // was recalled no text is left that could reach anybody.
    let feed = |line: &Line| match &line.what {
        What::Heard(entry) => Some((line.connection, entry.feed.clone())),
        _ => None,
    };
    let hears = |story: &Story| {
        let mut followed = Vec::new();
        story.lines.iter().rposition(|line| {
            let Some(feed) = feed(line) else { return false };
            let is_followed = followed.contains(&feed) && !line.marks.is_empty();
            followed.push(feed);
            is_followed
        })
    };
    let (at, line) = history
        .iter()
        .enumerate()
        .filter(|(_, story)| story.who.is_reader)
        .find_map(|(at, story)| Some((at, hears(story)?)))
        .unwrap();
    let mut lost = history.clone();
    lost[at].lines.remove(line);
    assert!(!check(&lost).is_empty(), "an entry was taken away");
    let mut doubled = history.clone();
    let twice = doubled[at].lines[line].clone();
    doubled[at].lines.insert(line, twice.clone());
    assert!(
        rules(&doubled).contains(&Rule::Order),
        "an entry was told twice"
    );
    let mut leaked = history.clone();
    let nobody = leaked.iter_mut().find(|it| it.who.user.is_none());
    nobody.unwrap().lines.push(twice);
    assert!(
        rules(&leaked).contains(&Rule::Leaked),
        "an entry was told to nobody"
    );
    let mut unread = history.clone();
    let read = unread
        .iter()
        .flat_map(|story| &story.lines)
        .find_map(|line| match &line.what {
            What::Sent {
                act: Act::ReadUpTo { feed, .. },
                ..
            } => Some(feed.clone()),
            _ => None,
        });
    assert!(read.is_some(), "nobody read anything");
    for story in unread.iter_mut().filter(|story| story.who.is_reader) {
        for line in &mut story.lines {
            if let What::Page { counts, .. } = &mut line.what {
                counts.feeds.values_mut().for_each(|count| *count += 1);
            }
        }
    }
    assert!(
        rules(&unread).contains(&Rule::Unread),
        "the counts are not those of the list"
    );
}

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
                number: 140,
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
