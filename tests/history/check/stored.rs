//! What the readers find at the end, against what was acknowledged.

use std::collections::{BTreeMap, HashMap};

use crate::check::facts::{Changes, Facts, Publication};
use crate::check::reading::{Marks, marks_of};
use crate::check::{Fault, Rule, fault};
use crate::record::{Change, Entry, History, Story, Text, What};

/// What one reader found.
struct Found<'a> {
    story: &'a Story,
    /// The first entry of each announcement that was told since 0.
    posted: HashMap<Text, &'a Entry>,
    /// All announcements that carry a tag.
    tags: BTreeMap<Text, Vec<&'a Entry>>,
    unread: HashMap<Text, &'a Entry>,
    clock: u64,
}

pub(crate) fn check(history: &History, facts: &Facts, faults: &mut Vec<Fault>) {
    let marks = marks_of(history);
    for story in history.iter().filter(|story| story.who.is_reader) {
        let found = Found::of(story, faults);
        let key = (story.who.namespace.clone(), story.who.user.clone());
        let none = Marks::default();
        let marks = marks.get(&key).unwrap_or(&none);
        for publication in &facts.publications {
            let is_own = publication.namespace == story.who.namespace
                && story.who.feeds.contains(&publication.feed);
            if is_own {
                found.compare(publication, facts, marks, faults);
            }
        }
        found.versions(facts, faults);
    }
}

impl<'a> Found<'a> {
    fn of(story: &'a Story, faults: &mut Vec<Fault>) -> Self {
        let mut found = Self {
            story,
            posted: HashMap::new(),
            tags: BTreeMap::new(),
            unread: HashMap::new(),
            clock: 0,
        };
        for line in &story.lines {
            match &line.what {
                What::Heard(entry) if entry.change == Change::Posted => {
                    found.posted.insert(entry.id.clone(), entry);
                    if let Some(tag) = entry.tag.as_deref() {
                        found.tags.entry(base(tag)).or_default().push(entry);
                    }
                }
                What::Page { clock, entries, .. } => {
                    found.clock = found.clock.max(*clock);
                    for entry in entries {
                        if found.unread.insert(entry.id.clone(), entry).is_some() {
                            let text =
                                format!("twice among the unread of {}: {entry:?}", found.name());
                            faults.push(fault(Rule::Doubled, text));
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn name(&self) -> String {
        let user = self.story.who.user.as_deref().unwrap_or_default();
        format!("{}/{user}", self.story.who.namespace)
    }

    fn compare(
        &self,
        publication: &Publication,
        facts: &Facts,
        marks: &Marks,
        faults: &mut Vec<Fault>,
    ) {
        let name = self.name();
        let tagged = self
            .tags
            .get(&publication.tag)
            .map_or(&[][..], Vec::as_slice);
        if tagged.len() > 1 {
            let text = format!("{} is stored twice for {name}: {tagged:?}", publication.tag);
            faults.push(fault(Rule::Doubled, text));
        }
        let mut acknowledged = publication.acknowledged.iter();
        let Some((id, epoch, offset, line)) = acknowledged.next() else {
            return;
        };
        if let Some((_, _, _, other)) = acknowledged.find(|other| other.0 != *id) {
            let text = format!("one key, two announcements: {line}\n  {other}");
            faults.push(fault(Rule::Doubled, text));
        }
        let none = Changes::default();
        let changes = facts.changes.get(id).unwrap_or(&none);
        let Some(posted) = self.posted.get(id) else {
            let text = format!("{name} is not told since 0 of {line}");
            return faults.push(fault(Rule::Lost, text));
        };
        // Repeated, the acknowledgement tells the present place of one that was moved.
        let stands =
            posted.epoch == *epoch && (posted.offset == *offset || !changes.again.is_empty());
        if !stands {
            let text = format!("{name} finds it at another place: {posted:?}, {line}");
            faults.push(fault(Rule::Order, text));
        }
        let has_ended = publication.ends.is_some_and(|end| end <= self.clock);
        let unread = self.unread.get(id);
        if unread.is_none()
            && !changes.recalls
            && publication.ends.is_none()
            && !marks.may_cover(publication, id, *offset)
        {
            let text = format!("not among the unread of {name}, who never read it: {line}");
            faults.push(fault(Rule::Lost, text));
        }
        if let Some(unread) = unread
            && (changes.is_recalled || has_ended)
        {
            let what = if has_ended { "ended" } else { "recalled" };
            let text = format!("{what}, and among the unread of {name}: {unread:?}, {line}");
            faults.push(fault(Rule::Stale, text));
        }
    }

    /// What is shown is the newest version that was acknowledged, or one that might be newer.
    fn versions(&self, facts: &Facts, faults: &mut Vec<Fault>) {
        for entry in self.posted.values().chain(self.unread.values()) {
            let Some(changes) = facts.changes.get(&entry.id) else {
                continue;
            };
            let newest = changes.versions.keys().copied().max().unwrap_or(1);
            let known = changes.versions.len() as u64;
            let most = 1 + changes.attempts;
            let text = changes.versions.get(&entry.version);
            let is_other = match text {
                Some(Some(text)) => entry.tag.as_ref() != Some(text),
                Some(None) => entry.tag.is_some(),
                None => false,
            };
            if entry.version < newest
                || entry.version > most
                || is_other
                || known > changes.attempts
            {
                let text = format!("{} is shown {entry:?}, after {changes:?}", self.name());
                faults.push(fault(Rule::Stale, text));
            }
        }
    }
}

/// The tag of a publication without what an edit has added to it.
fn base(tag: &str) -> Text {
    match (tag.split_once('+'), tag.rsplit_once('@')) {
        (Some((base, _)), Some((_, feed))) => format!("{base}@{feed}").into(),
        _ => tag.into(),
    }
}
