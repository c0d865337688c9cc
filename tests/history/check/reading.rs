//! What was read: it stays read, and all devices of a person agree.

use std::collections::{HashMap, HashSet};

use crate::check::facts::{Facts, Publication};
use crate::check::{Fault, Rule, fault};
use crate::record::{Act, Counts, History, Story, Text, What, Who, shown};

/// A person: namespace and name.
pub(crate) type Person = (Text, Option<Text>);

/// What all devices of a person have tried to mark, and what was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    tried_ids: HashSet<Text>,
    tried_up_to: HashMap<Text, u64>,
    /// Announcements, with the time at which the mark was sent and its line.
    noted_ids: Vec<(Text, u64, String)>,
    noted_up_to: HashMap<Text, (u64, String)>,
}

impl Marks {
    /// Whether some mark might have read it.
    pub(crate) fn may_cover(&self, publication: &Publication, id: &Text, offset: u64) -> bool {
        let up_to = self.tried_up_to.get(&publication.feed);
        self.tried_ids.contains(id) || up_to.is_some_and(|up_to| offset <= *up_to)
    }

    fn add(&mut self, story: &Story) {
        let mut sent: HashMap<u64, (&Act, u64)> = HashMap::new();
        for line in &story.lines {
            match &line.what {
                What::Sent { number, act } => {
                    sent.insert(*number, (act, line.at));
                    match act {
                        Act::Read { ids, .. } => self.tried_ids.extend(ids.iter().cloned()),
                        Act::Acknowledge { id } => drop(self.tried_ids.insert(id.clone())),
                        Act::ReadUpTo { feed, offset } => {
                            let most = self.tried_up_to.entry(feed.clone()).or_default();
                            *most = (*most).max(*offset);
                        }
                        _ => {}
                    }
                }
                What::Noted { number, .. } => {
                    let Some((act, at)) = sent.get(number) else {
                        continue;
                    };
                    let line = shown(&story.who, line);
                    match act {
                        Act::Read { ids, .. } => {
                            let noted = ids.iter().map(|id| (id.clone(), *at, line.clone()));
                            self.noted_ids.extend(noted);
                        }
                        Act::Acknowledge { id } => self.noted_ids.push((id.clone(), *at, line)),
                        Act::ReadUpTo { feed, offset } => {
                            let noted = self.noted_up_to.entry(feed.clone()).or_default();
                            if *offset > noted.0 {
                                *noted = (*offset, line);
                            }
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

pub(crate) fn marks_of(history: &History) -> HashMap<Person, Marks> {
    let mut all: HashMap<Person, Marks> = HashMap::new();
    for story in history {
        all.entry(person(&story.who)).or_default().add(story);
    }
    all
}

fn person(who: &Who) -> Person {
    (who.namespace.clone(), who.user.clone())
}

pub(crate) fn check(history: &History, facts: &Facts, faults: &mut Vec<Fault>) {
    let marks = marks_of(history);
    for story in history.iter().filter(|story| story.who.is_reader) {
        if let Some(marks) = marks.get(&person(&story.who)) {
            stays_read(story, marks, facts, faults);
        }
        counts_agree(story, faults);
    }
    devices_agree(history, faults);
    for story in history {
        goes_forward(story, faults);
    }
}

fn stays_read(story: &Story, marks: &Marks, facts: &Facts, faults: &mut Vec<Fault>) {
    let pages = story.lines.iter().filter_map(|line| match &line.what {
        What::Page { entries, .. } => Some(entries),
        _ => None,
    });
    let unread: HashMap<_, _> = pages.flatten().map(|entry| (&entry.id, entry)).collect();
    for (id, at, line) in &marks.noted_ids {
        let again = facts
            .changes
            .get(id)
            .map_or(&[][..], |changes| &changes.again);
        let may_be_unread = again.iter().any(|answered| answered > at);
        if let Some(entry) = unread.get(id).filter(|_| !may_be_unread) {
            let text = format!("unread again: {entry:?}, after {line}");
            faults.push(fault(Rule::Unread, text));
        }
    }
    for entry in unread.values() {
        let noted = marks.noted_up_to.get(&entry.feed);
        if let Some((_, line)) = noted.filter(|(offset, _)| entry.offset <= *offset) {
            let text = format!("unread again: {entry:?}, after {line}");
            faults.push(fault(Rule::Unread, text));
        }
    }
}

/// The counts on the last page are those of the list.
fn counts_agree(story: &Story, faults: &mut Vec<Fault>) {
    let mut listed: HashMap<Text, u64> = HashMap::new();
    for line in &story.lines {
        let What::Page {
            entries,
            counts,
            is_last,
            ..
        } = &line.what
        else {
            continue;
        };
        for entry in entries {
            *listed.entry(entry.feed.clone()).or_default() += 1;
        }
        if !is_last {
            continue;
        }
        for (feed, count) in &counts.feeds {
            let found = listed.get(feed).copied().unwrap_or(0);
            if found != *count {
                let who = shown(&story.who, line);
                let text = format!("{feed}: {count} are counted and {found} listed: {who}");
                faults.push(fault(Rule::Unread, text));
            }
        }
        listed.clear();
    }
}

/// After everybody has been quiet, all devices of a person know the same.
fn devices_agree(history: &History, faults: &mut Vec<Fault>) {
    let mut known: HashMap<Person, (&Counts, String)> = HashMap::new();
    for story in history.iter().filter(|story| !story.who.is_reader) {
        let mut compared = HashSet::new();
        for line in &story.lines {
            match &line.what {
                What::Sent {
                    number,
                    act: Act::Compare,
                } => drop(compared.insert(*number)),
                What::Noted { number, counts } if compared.contains(number) => {
                    let shown = shown(&story.who, line);
                    let Some((other, first)) = known.get(&person(&story.who)) else {
                        known.insert(person(&story.who), (counts, shown));
                        continue;
                    };
                    if *other != counts {
                        let text = format!("devices differ: {first}\n  {shown}");
                        faults.push(fault(Rule::Unread, text));
                    }
                }
                _ => {}
            }
        }
    }
}

/// The answers of one connection never go back. What it is told of other devices may be older
/// than an answer that overtook it, and its version says so.
fn goes_forward(story: &Story, faults: &mut Vec<Fault>) {
    let (mut connection, mut newest): (u32, Option<(u64, String)>) = (0, None);
    for line in &story.lines {
        if line.connection != connection {
            (connection, newest) = (line.connection, None);
        }
        let version = match &line.what {
            What::Signed { counts, .. }
            | What::Noted { counts, .. }
            | What::Page { counts, .. } => counts.version,
            _ => continue,
        };
        if let Some((before, first)) = newest.as_ref().filter(|(before, _)| version < *before) {
            let text = format!(
                "version {version} after {before}: {first}\n  {}",
                shown(&story.who, line)
            );
            faults.push(fault(Rule::Stale, text));
        }
        newest = Some((version, shown(&story.who, line)));
    }
}

/// How often a connection was told of counts that are older than those that it had already.
pub(crate) fn overtaken(history: &History) -> usize {
    let mut overtaken = 0;
    for story in history {
        let (mut connection, mut newest) = (0, 0);
        for line in &story.lines {
            if line.connection != connection {
                (connection, newest) = (line.connection, 0);
            }
            match &line.what {
                What::Signed { counts, .. } | What::Noted { counts, .. } => {
                    newest = newest.max(counts.version);
                }
                What::Told(counts) => {
                    overtaken += usize::from(counts.version < newest);
                    newest = newest.max(counts.version);
                }
                _ => {}
            }
        }
    }
    overtaken
}
