//! What a history says about each announcement, from those who made it.

use std::collections::{BTreeSet, HashMap};

use crate::record::{Act, History, Text, What};

/// What is known of one publication.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) namespace: Text,
    pub(crate) feed: Text,
    pub(crate) tag: Text,
    pub(crate) ends: Option<u64>,
    /// Where it was acknowledged to stand: identifier, epoch, offset, and by which line.
    pub(crate) acknowledged: Vec<(Text, Text, u64, String)>,
}

/// What was done to one announcement after it was published.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Whether somebody tried to take it back, and whether that was acknowledged.
    pub(crate) recalls: bool,
    pub(crate) is_recalled: bool,
    /// Edits and recalls that were sent.
    pub(crate) attempts: u64,
    /// Versions that were acknowledged, and the text of each.
    pub(crate) versions: HashMap<u64, Option<Text>>,
    /// When each edit that makes it unread again was answered at the latest.
    pub(crate) again: Vec<u64>,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) publications: Vec<Publication>,
    pub(crate) changes: HashMap<Text, Changes>,
    /// The tags that some publication used.
    pub(crate) tags: BTreeSet<Text>,
}

impl Facts {
    pub(crate) fn of(history: &History) -> Self {
        let mut facts = Self::default();
        for story in history {
            facts.tell(story);
        }
        facts
    }

    fn tell(&mut self, story: &crate::record::Story) {
        let mut asked: HashMap<u64, &Act> = HashMap::new();
        let mut places: HashMap<u64, usize> = HashMap::new();
        let mut answered: HashMap<u64, u64> = HashMap::new();
        for line in &story.lines {
            if let What::Changed { number, .. } = &line.what {
                answered.insert(*number, line.at);
            }
        }
        for line in &story.lines {
            match &line.what {
                What::Sent { number, act } if asked.insert(*number, act).is_none() => match act {
                    Act::Publish { feed, tag, ends } => {
                        places.insert(*number, self.publications.len());
                        self.tags.insert(tag.clone());
                        self.publications.push(Publication {
                            namespace: story.who.namespace.clone(),
                            feed: feed.clone(),
                            tag: tag.clone(),
                            ends: *ends,
                            acknowledged: Vec::new(),
                        });
                    }
                    Act::Edit { id, again, .. } => {
                        let changes = self.changes.entry(id.clone()).or_default();
                        changes.attempts += 1;
                        if *again {
                            let end = answered.get(number).copied().unwrap_or(u64::MAX);
                            changes.again.push(end);
                        }
                    }
                    Act::Recall { id } => {
                        let changes = self.changes.entry(id.clone()).or_default();
                        changes.attempts += 1;
                        changes.recalls = true;
                    }
                    _ => {}
                },
                What::Published {
                    number,
                    id,
                    epoch,
                    offset,
                } => {
                    let Some(place) = places.get(number) else {
                        continue;
                    };
                    let shown = crate::record::shown(&story.who, line);
                    let acknowledged = (id.clone(), epoch.clone(), *offset, shown);
                    self.publications[*place].acknowledged.push(acknowledged);
                }
                What::Changed {
                    number,
                    id,
                    version,
                } => {
                    let changes = self.changes.entry(id.clone()).or_default();
                    match asked.get(number) {
                        Some(Act::Edit { tag, .. }) => {
                            changes.versions.insert(*version, Some(tag.clone()));
                        }
                        Some(Act::Recall { .. }) => {
                            changes.is_recalled = true;
                            changes.versions.insert(*version, None);
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}
