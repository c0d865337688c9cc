//! YAML as a tree in which everything knows its line and column.
//!
//! One document of maps, lists and single values. What a configuration has no use for is refused
//! with its place: tags, several documents, keys that are no text, keys given twice. Size, depth
//! and the number of nodes are bounded, those that an alias repeats included.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

/// The largest file that is read, in bytes.
pub const BYTES_MAX: usize = 4 << 20;
/// The deepest nesting: a map or list at the root has depth 1.
pub const DEPTH_MAX: usize = 24;
/// The most maps, lists, keys and values together, each use of an alias counted in full.
pub const NODES_MAX: usize = 200_000;

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Spot {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    fn of(marker: Marker) -> Self {
        Self {
            line: marker.line().max(1),
            column: marker.col().saturating_add(1),
        }
    }
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) spot: Spot,
    pub(crate) data: Data,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// A single value; a plain one may be meant as a number, a quoted one is text.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    /// The pairs in the order of the file. No key stands in it twice.
    Map(Vec<(Key, Node)>),
}

/// The key of a pair.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) spot: Spot,
    pub(crate) text: String,
}

/// What cannot be read, and where.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) spot: Spot,
    pub(crate) message: String,
}

impl Unreadable {
    fn new(spot: Spot, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { spot, message }
    }
}

impl Node {
    /// Whether nothing was written: an empty value, `null` or `~`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, is_plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    fn size(&self) -> usize {
        match &self.data {
            Data::Scalar { .. } => 1,
            Data::List(items) => items.iter().fold(1, |sum, item| sum + item.size()),
            Data::Map(pairs) => pairs.iter().fold(1, |sum, (_, item)| sum + 1 + item.size()),
        }
    }

    fn depth(&self) -> usize {
        let deepest = match &self.data {
            Data::Scalar { .. } => return 0,
            Data::List(items) => items.iter().map(Self::depth).max(),
            Data::Map(pairs) => pairs.iter().map(|(_, item)| item.depth()).max(),
        };
        deepest.unwrap_or(0) + 1
    }
}

/// Reads one document; nothing at all is `None`.
///
/// Keys given twice do not end the reading: each is reported, and its first value stands.
pub(crate) fn read(bytes: &[u8]) -> (Option<Node>, Vec<Unreadable>) {
    let mut faults = Vec::new();
    let tree = text(bytes).and_then(|text| Reader::new(text, &mut faults).document());
    match tree {
        Ok(tree) => (tree, faults),
        Err(fault) => {
            faults.push(fault);
            (None, faults)
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    if bytes.len() > BYTES_MAX {
        let message = format!("the file is larger than {} MiB", BYTES_MAX >> 20);
        return Err(Unreadable::new(Spot::START, message));
    }
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line_start = good
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let spot = Spot {
            line: good.iter().filter(|b| **b == b'\n').count() + 1,
            column: String::from_utf8_lossy(&good[line_start..]).chars().count() + 1,
        };
        Unreadable::new(spot, "the file is not UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A map or list that is not complete yet.
struct Open {
    spot: Spot,
    anchor: usize,
    kind: Filling,
}

enum Filling {
    List(Vec<Node>),
    Map {
        pairs: Vec<(Key, Node)>,
        seen: BTreeMap<String, usize>,
        key: Option<Key>,
    },
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    faults: &'t mut Vec<Unreadable>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize, usize)>,
    unfinished: BTreeSet<usize>,
    nodes: usize,
    root: Option<Node>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, faults: &'t mut Vec<Unreadable>) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            faults,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            unfinished: BTreeSet::new(),
            nodes: 0,
            root: None,
        }
    }

    fn document(mut self) -> Result<Option<Node>, Unreadable> {
        let mut documents = 0;
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| {
                Unreadable::new(
                    Spot::of(*error.marker()),
                    format!("not YAML: {}", error.info()),
                )
            })?;
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    let what = "a second document begins; a configuration is one document";
                    return Err(Unreadable::new(Spot::of(span.start), what));
                }
            }
            self.take(event, span)?;
        }
        Ok(self.root)
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Unreadable> {
        let spot = Spot::of(span.start);
        let tagged = match &event {
            Event::Scalar(_, _, _, tag)
            | Event::SequenceStart(_, tag)
            | Event::MappingStart(_, tag) => tag.is_some(),
            _ => false,
        };
        if tagged {
            return Err(Unreadable::new(
                spot,
                "a tag (`!…`) has no meaning here; remove it",
            ));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                let data = Data::Scalar { text, is_plain };
                self.complete(Node { spot, data }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.enter(spot, anchor, Filling::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                let (pairs, seen) = (Vec::new(), BTreeMap::new());
                let key = None;
                self.enter(spot, anchor, Filling::Map { pairs, seen, key })
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Alias(anchor) => self.repeat(spot, anchor),
            _ => Ok(()),
        }
    }

    fn enter(&mut self, spot: Spot, anchor: usize, kind: Filling) -> Result<(), Unreadable> {
        if let Some(Open {
            kind: Filling::Map { key: None, .. },
            ..
        }) = self.open.last()
        {
            return Err(Unreadable::new(
                spot,
                "a key is a single text, not a map or a list",
            ));
        }
        if self.open.len() >= DEPTH_MAX {
            let message = format!("nested deeper than {DEPTH_MAX} levels");
            return Err(Unreadable::new(spot, message));
        }
        if anchor != 0 {
            self.unfinished.insert(anchor);
        }
        self.open.push(Open { spot, anchor, kind });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Unreadable> {
        let Some(Open { spot, anchor, kind }) = self.open.pop() else {
            return Ok(());
        };
        self.unfinished.remove(&anchor);
        let data = match kind {
            Filling::List(items) => Data::List(items),
            Filling::Map { pairs, .. } => Data::Map(pairs),
        };
        self.complete(Node { spot, data }, anchor)
    }

    fn repeat(&mut self, spot: Spot, anchor: usize) -> Result<(), Unreadable> {
        let Some((node, size, depth)) = self.anchors.get(&anchor) else {
            let message = match self.unfinished.contains(&anchor) {
                true => "an alias inside what it repeats would never end",
                false => "an alias without its anchor",
            };
            return Err(Unreadable::new(spot, message));
        };
        if self.nodes.saturating_add(*size) > NODES_MAX {
            return Err(too_many(spot));
        }
        if self.open.len() + depth > DEPTH_MAX {
            let message = format!("an alias makes this deeper than {DEPTH_MAX} levels");
            return Err(Unreadable::new(spot, message));
        }
        // `complete` counts one of them.
        self.nodes += size - 1;
        let data = node.data.clone();
        self.complete(Node { spot, data }, 0)
    }

    /// Puts a finished value where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Unreadable> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(too_many(node.spot));
        }
        if anchor != 0 {
            let (size, depth) = (node.size(), node.depth());
            // An anchored copy is held as well, so it counts.
            self.nodes = self.nodes.saturating_add(size);
            self.anchors.insert(anchor, (node.clone(), size, depth));
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(Filling::List(items)) => items.push(node),
            Some(Filling::Map { pairs, seen, key }) => match key.take() {
                None => *key = Some(as_key(node)?),
                Some(key) => match seen.get(&key.text) {
                    None => {
                        seen.insert(key.text.clone(), key.spot.line);
                        pairs.push((key, node));
                    }
                    Some(first) => {
                        let Key { spot, text } = key;
                        let message =
                            format!("`{}` is given twice, first in line {first}", brief(&text));
                        self.faults.push(Unreadable { spot, message });
                    }
                },
            },
        }
        Ok(())
    }
}

fn as_key(node: Node) -> Result<Key, Unreadable> {
    let spot = node.spot;
    match node.data {
        Data::Scalar { text, .. } if !text.is_empty() => Ok(Key { spot, text }),
        _ => Err(Unreadable::new(spot, "a key is a single text, not empty")),
    }
}

fn too_many(spot: Spot) -> Unreadable {
    let message = format!("more than {NODES_MAX} keys and values, those of aliases counted");
    Unreadable::new(spot, message)
}

/// The beginning of a text, fit for one line.
pub(crate) fn brief(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    let mut brief: String = text
        .chars()
        .take(CHARACTERS_MAX)
        .flat_map(|c| {
            match c.is_control() {
                true => c.escape_default().to_string(),
                false => c.to_string(),
            }
            .chars()
            .collect::<Vec<_>>()
        })
        .collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        brief.push('…');
    }
    brief.as_str().to_owned()
}
