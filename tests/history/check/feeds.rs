//! What every single connection saw: its own feeds only, in the one order, without holes.

use std::collections::HashMap;

use crate::check::{Fault, Rule, fault};
use crate::record::{Change, Entry, History, Line, Story, Text, What, Who, shown};

/// Every mark in every text that was received belongs to a feed of the person.
pub(crate) fn leaks(history: &History, faults: &mut Vec<Fault>) {
    for story in history {
        for line in &story.lines {
            for mark in line.marks.iter().filter(|mark| !may_see(&story.who, mark)) {
                let text = format!("{mark} in {}", shown(&story.who, line));
                faults.push(fault(Rule::Leaked, text));
            }
        }
    }
}

fn may_see(who: &Who, mark: &str) -> bool {
    who.user.is_some()
        && mark.split_once('/').is_some_and(|(namespace, feed)| {
            namespace == &*who.namespace && who.feeds.iter().any(|own| &**own == feed)
        })
}

/// Where a connection stands in a feed.
struct Place {
    epoch: Text,
    offset: u64,
}

/// On one connection offsets increase one by one from where it began.
pub(crate) fn orders(history: &History, faults: &mut Vec<Fault>) {
    for story in history {
        let mut walk = Walk {
            story,
            places: HashMap::new(),
            connection: 0,
            faults,
        };
        for line in &story.lines {
            walk.step(line);
        }
    }
    completeness(history, faults);
}

struct Walk<'a> {
    story: &'a Story,
    places: HashMap<Text, Place>,
    connection: u32,
    faults: &'a mut Vec<Fault>,
}

impl Walk<'_> {
    fn step(&mut self, line: &Line) {
        if line.connection != self.connection {
            self.connection = line.connection;
            self.places.clear();
        }
        match &line.what {
            What::Signed { standings, .. } => {
                for standing in standings {
                    let place = Place {
                        epoch: standing.epoch.clone(),
                        offset: standing.since.unwrap_or(standing.top),
                    };
                    self.places.insert(standing.feed.clone(), place);
                }
            }
            What::Gap { feed } => self.complain(line, format!("{feed} is said to have a gap")),
            What::Heard(entry) => self.hear(line, entry),
            _ => {}
        }
    }

    fn hear(&mut self, line: &Line, entry: &Entry) {
        let place = self
            .places
            .entry(entry.feed.clone())
            .or_insert_with(|| Place {
                epoch: entry.epoch.clone(),
                offset: 0,
            });
        let expected = place.offset + 1;
        let fits = (place.epoch.is_empty() || place.epoch == entry.epoch)
            && entry.offset == expected
            && entry
                .previous
                .is_none_or(|previous| previous == place.offset);
        place.epoch = entry.epoch.clone();
        place.offset = entry.offset;
        if !fits {
            let text = format!("{} was to come, but came", expected);
            self.complain(line, text);
        }
    }

    fn complain(&mut self, line: &Line, text: String) {
        let text = format!("{text}: {}", shown(&self.story.who, line));
        self.faults.push(fault(Rule::Order, text));
    }
}

/// Whoever was still connected at the end has been told everything.
fn completeness(history: &History, faults: &mut Vec<Fault>) {
    let mut tops: HashMap<(Text, Text), u64> = HashMap::new();
    for story in history.iter().filter(|story| story.who.is_reader) {
        for line in &story.lines {
            let What::Signed { standings, .. } = &line.what else {
                continue;
            };
            for standing in standings {
                let key = (story.who.namespace.clone(), standing.feed.clone());
                let top = tops.entry(key).or_default();
                *top = standing.top.max(*top);
            }
        }
    }
    for story in history {
        let Some(last) = story
            .lines
            .iter()
            .rev()
            .find(|line| line.what == What::Still)
        else {
            continue;
        };
        for (feed, reached) in reached(story, last.connection) {
            let key = (story.who.namespace.clone(), feed.clone());
            let top = tops.get(&key).copied().unwrap_or(reached);
            if reached < top {
                let who = shown(&story.who, last);
                let text = format!("{feed} goes to {top}, and was told to {reached}: {who}");
                faults.push(fault(Rule::Order, text));
            }
        }
    }
}

fn reached(story: &Story, connection: u32) -> HashMap<Text, u64> {
    let mut reached = HashMap::new();
    for line in story
        .lines
        .iter()
        .filter(|line| line.connection == connection)
    {
        match &line.what {
            What::Signed { standings, .. } => {
                for standing in standings {
                    let from = standing.since.unwrap_or(standing.top);
                    reached.insert(standing.feed.clone(), from);
                }
            }
            What::Heard(entry) => {
                reached.insert(entry.feed.clone(), entry.offset);
            }
            _ => {}
        }
    }
    reached
}

/// The same place in a feed, of a namespace and an epoch.
type Spot = (Text, Text, Text, u64);

/// Everybody sees the same announcement at the same place. What it says there may be newer for
/// those who come later, and is never older than the change itself.
pub(crate) fn one_order(history: &History, faults: &mut Vec<Fault>) {
    let mut seen: HashMap<Spot, (Change, Text, String)> = HashMap::new();
    for story in history {
        for line in &story.lines {
            let What::Heard(entry) = &line.what else {
                continue;
            };
            let Entry {
                feed,
                epoch,
                offset,
                ..
            } = entry;
            let spot = (
                story.who.namespace.clone(),
                feed.clone(),
                epoch.clone(),
                *offset,
            );
            let Some((change, id, first)) = seen.get(&spot) else {
                let first = shown(&story.who, line);
                seen.insert(spot, (entry.change, entry.id.clone(), first));
                continue;
            };
            if (*change, id) != (entry.change, &entry.id) {
                let text = format!("two at one place: {first}\n  {}", shown(&story.who, line));
                faults.push(fault(Rule::Order, text));
            }
        }
    }
}
