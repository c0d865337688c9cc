//! What was given, key by key, from all sources in their order.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::announce::config::fault::{Fault, GATHERED_MAX, Place};
use crate::announce::config::rule::Rule;
use crate::announce::config::table::{Kind, Presence, Row, SLIPS, Table, rows};
use crate::announce::config::value::{self, Value, unexpected};
use crate::announce::config::yaml::{self, Data, Key, Node, Spot, brief};

/// What every variable of ours begins with.
const PREFIX: &str = "FRAMEWIRE_";
/// The path of the address to listen on.
const LISTEN: &str = "server.listen";

/// A value and where it was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) place: Place,
    /// The path in the table, where that of the value has indices and names.
    pub(crate) row: &'static str,
}

/// The values by their paths, such as `announcements.schedules[0].cron`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(pub(crate) BTreeMap<String, Given>);

impl Values {
    /// The defaults of the keys whose maps are always there.
    pub(crate) fn defaults() -> Self {
        let mut values = Self::default();
        let fixed = rows().filter(|row| !row.path.contains(['[', '*']));
        // The endpoint is the one map whose absence means something.
        for row in fixed.filter(|row| !row.path.starts_with("gateway.socket")) {
            values.put_default(row, row.path.to_owned());
        }
        values
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Value> {
        self.0.get(path).map(|given| &given.value)
    }

    pub(crate) fn place(&self, path: &str) -> Place {
        self.0
            .get(path)
            .map_or(Place::Default, |given| given.place.clone())
    }

    fn put_default(&mut self, row: &'static Row, path: String) {
        if let Presence::Default(text) = row.presence
            && let Ok(value) = value::from_text(&row.kind, text)
        {
            self.put(row, path, value, Place::Default);
        }
    }

    fn put(&mut self, row: &'static Row, path: String, value: Value, place: Place) {
        let row = row.path;
        self.0.insert(path, Given { value, place, row });
    }
}

/// Reads a file over the values that there are.
pub(crate) fn add_file(values: &mut Values, name: &str, bytes: &[u8], faults: &mut Vec<Fault>) {
    let (root, unreadable) = yaml::read(bytes);
    let mut reader = FileReader {
        table: Table::new(),
        name,
        values,
        faults,
    };
    for fault in unreadable {
        reader.fault(fault.spot, "", fault.message);
    }
    if let Some(root) = root.filter(|root| !root.is_null()) {
        match &root.data {
            Data::Map(pairs) => reader.map("", "", root.spot, pairs),
            _ => reader.fault(root.spot, "", unexpected(&Kind::Map, &root)),
        }
    }
}

struct FileReader<'r> {
    table: Table,
    name: &'r str,
    values: &'r mut Values,
    faults: &'r mut Vec<Fault>,
}

impl FileReader<'_> {
    fn place(&self, spot: Spot) -> Place {
        Place::File {
            name: self.name.to_owned(),
            line: spot.line,
            column: spot.column,
        }
    }

    fn fault(&mut self, spot: Spot, path: &str, message: String) {
        if self.faults.len() >= GATHERED_MAX {
            return;
        }
        let (place, path) = (self.place(spot), path.to_owned());
        self.faults.push(Fault {
            place,
            path,
            message,
        });
    }

    /// Reads the keys of one map: `parent` is its path in the table, `path` its path here.
    fn map(&mut self, parent: &'static str, path: &str, spot: Spot, pairs: &[(Key, Node)]) {
        let below = self.table.below(parent).to_vec();
        for (key, node) in pairs {
            let inner = join(path, &key.text);
            match below.iter().find(|row| row.name() == key.text) {
                Some(row) => self.key(row, &inner, node),
                None => {
                    let message = unknown(parent, &key.text, &below);
                    self.fault(key.spot, &join(path, &brief(&key.text)), message);
                }
            }
        }
        for row in below {
            let is_there = pairs.iter().any(|(key, _)| key.text == row.name());
            match row.presence {
                Presence::Required if !is_there => {
                    let message = format!("missing; expected {}", row.kind.expected());
                    self.fault(spot, &join(path, row.name()), message);
                }
                // A value of the file stands already; only keys without one are filled.
                Presence::Default(_) if !self.values.0.contains_key(&join(path, row.name())) => {
                    self.values.put_default(row, join(path, row.name()));
                }
                _ => {}
            }
        }
    }

    fn key(&mut self, row: &'static Row, path: &str, node: &Node) {
        if node.is_null() && row.presence == Presence::Optional {
            return;
        }
        let place = self.place(node.spot);
        match (&row.kind, &node.data) {
            (Kind::Map, Data::Map(pairs)) => {
                self.values.put(row, path.to_owned(), Value::Map, place);
                self.map(row.path, path, node.spot, pairs);
            }
            (Kind::Maps(most), Data::List(items)) => {
                if let Some(item) = items.get(*most) {
                    let message = format!("expected {}", row.kind.expected());
                    return self.fault(item.spot, path, message);
                }
                let count = Value::Maps(items.len());
                self.values.put(row, path.to_owned(), count, place);
                for (at, item) in items.iter().enumerate() {
                    self.entry(row.path, "[]", &format!("{path}[{at}]"), item);
                }
            }
            (Kind::Named(rule, most), Data::Map(pairs)) => {
                self.named(row, (rule, *most), path, (node.spot, pairs));
            }
            (Kind::Map | Kind::Maps(_) | Kind::Named(..), _) => {
                self.fault(node.spot, path, unexpected(&row.kind, node));
            }
            _ => match value::from_node(&row.kind, node) {
                Ok(value) => self.values.put(row, path.to_owned(), value, place),
                Err(wrong) => self.fault(wrong.spot, path, wrong.message),
            },
        }
    }

    fn named(
        &mut self,
        row: &'static Row,
        (rule, most): (&Rule, usize),
        path: &str,
        (spot, pairs): (Spot, &[(Key, Node)]),
    ) {
        if let Some((key, _)) = pairs.get(most) {
            return self.fault(key.spot, path, format!("expected {}", row.kind.expected()));
        }
        let mut names = Vec::new();
        for (key, node) in pairs {
            if !(rule.accepts)(&key.text) {
                self.fault(key.spot, path, format!("expected {}", rule.expected));
                continue;
            }
            names.push(key.text.clone());
            self.entry(row.path, ".*", &join(path, &named(&key.text)), node);
        }
        let place = self.place(spot);
        self.values
            .put(row, path.to_owned(), Value::Named(names), place);
    }

    /// One map of a list or of names.
    fn entry(&mut self, parent: &'static str, mark: &str, path: &str, node: &Node) {
        let pattern = match mark {
            "[]" => rows().find_map(|row| {
                let above = row.parent();
                (above.strip_suffix("[]") == Some(parent)).then_some(above)
            }),
            _ => rows()
                .find_map(|row| (row.parent() == parent && row.name() == "*").then_some(row.path)),
        };
        let Some(pattern) = pattern else { return };
        match &node.data {
            Data::Map(pairs) => self.map(pattern, path, node.spot, pairs),
            _ if node.is_null() && mark == ".*" => self.map(pattern, path, node.spot, &[]),
            _ => self.fault(node.spot, path, unexpected(&Kind::Map, node)),
        }
    }
}

/// The part of a path that a free name makes.
pub(crate) fn named(name: &str) -> String {
    match name.contains(['.', '[']) {
        true => format!("'{name}'"),
        false => name.to_owned(),
    }
}

/// The path of a key in a map.
pub(crate) fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

//= B02
fn unknown(parent: &str, key: &str, below: &[&Row]) -> String {
    let slip = SLIPS
        .iter()
        .find(|slip| slip.written == key && (slip.parent == parent || slip.parent.is_empty()));
    if let Some(slip) = slip {
        return slip.hint.to_owned();
    }
    //= AU-18
    if key.starts_with("insecure") {
        return "no such key: no check can be switched off".to_owned();
    }
    let names: Vec<&str> = below.iter().map(|row| row.name()).collect();
    match nearest(key, names.iter().copied()) {
        Some(name) => format!("no such key; did you mean `{name}`?"),
        None => format!("no such key; expected {}", names.join(", ")),
    }
}

/// The name that is spelt most like this one, if any is.
fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    const LIKENESS_MIN: f64 = 0.6;
    // The comparison takes time by the product of the lengths.
    if text.len() > 128 {
        return None;
    }
    let text = text.to_lowercase();
    let mut best = (LIKENESS_MIN, None);
    for name in names {
        let likeness = strsim::normalized_damerau_levenshtein(&text, &name.to_lowercase());
        // Of two that are equally near the first stands.
        if likeness > best.0 {
            best = (likeness, Some(name));
        }
    }
    best.1
}

/// Reads the variables that begin with [`PREFIX`], and `PORT`, over the values that there are.
pub(crate) fn add_environment(
    values: &mut Values,
    environment: &BTreeMap<String, String>,
    faults: &mut Vec<Fault>,
) {
    let known: BTreeMap<String, &'static Row> = rows()
        .filter_map(|row| Some((row.variable()?, row)))
        .collect();
    let place = |name: &str| Place::Environment(name.to_owned());
    for (name, text) in environment
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
    {
        let Some(row) = known.get(name) else {
            let ours = known.keys().filter_map(|known| known.strip_prefix(PREFIX));
            let message = match nearest(&name[PREFIX.len()..], ours) {
                Some(near) => format!("no such variable; did you mean {PREFIX}{near}?"),
                None => "no key has this variable; lists and maps are set in the file".to_owned(),
            };
            let (place, path) = (Place::Environment(brief(name)), String::new());
            faults.push(Fault {
                place,
                path,
                message,
            });
            continue;
        };
        add_text(values, row, text, place(name), faults);
    }
    //= E30
    if let Some(port) = environment.get("PORT") {
        add_port(values, port, place("PORT"), faults);
    }
}

/// Puts a single value over what was there. A key of a map that is not there is refused.
pub(crate) fn add_text(
    values: &mut Values,
    row: &'static Row,
    text: &str,
    place: Place,
    faults: &mut Vec<Fault>,
) {
    let path = row.path.to_owned();
    let is_stray = row.path.starts_with("gateway.socket.") && values.get(row.parent()).is_none();
    let value = match is_stray {
        true => Err(format!(
            "`{}` is not in the file; begin it there",
            row.parent()
        )),
        false => value::from_text(&row.kind, text),
    };
    match value {
        Ok(value) => values.put(row, path, value, place),
        Err(message) => faults.push(Fault {
            place,
            path,
            message,
        }),
    }
}

/// Puts a port into the address to listen on.
fn add_port(values: &mut Values, text: &str, place: Place, faults: &mut Vec<Fault>) {
    let path = LISTEN.to_owned();
    let port = port_of(text);
    let Some(port) = port else {
        let message = format!("expected a port from 0 to 65535, found `{}`", brief(text));
        faults.push(Fault {
            place,
            path,
            message,
        });
        return;
    };
    if let Some(given) = values.0.get_mut(LISTEN)
        && let Value::Text(listen) = &mut given.value
        && let Ok(mut address) = listen.parse::<SocketAddr>()
    {
        address.set_port(port);
        *listen = format!("{address}");
        given.place = place;
    }
}

fn port_of(text: &str) -> Option<u16> {
    crate::announce::config::unit::whole(text).and_then(|port| u16::try_from(port).ok())
}
