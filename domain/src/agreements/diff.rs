//! What two versions differ in: change by change, with a JSON pointer for programs and words for people.
//!
//! Components and accumulators are the same when their keys are, and shares of a split when their roles are: one that
//! comes at another place is moved, not gone and new. All other lists are compared place by place. A value of another
//! kind is replaced as a whole. Cost: linear in the content, quadratic in the length of a keyed list (at most 64).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::VersionContent;
use crate::kernel::Money;

/// What became of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is there now.
    Add,
    /// It is not there any more.
    Remove,
    /// It has another value.
    Replace,
    /// It comes at another place of its list.
    Move,
}

impl ChangeKind {
    /// As JSON Patch (RFC 6902) calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::Move => "move",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// Where: in the later content, of what is gone in the earlier one (RFC 6901).
    pub pointer: String,
    /// Where it was, of what moved.
    pub from: Option<String>,
    /// What was there.
    pub before: Option<Value>,
    /// What is there.
    pub after: Option<Value>,
    /// For a person.
    pub text: String,
}

/// What leads from one content to the other; nothing when they say the same.
///
/// # Errors
/// Never for content that was parsed.
pub fn diff(before: &VersionContent, after: &VersionContent) -> Result<Vec<Change>, serde_json::Error> {
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    let mut changes = Vec::new();
    compare(&mut changes, &Place::default(), &before, &after);
    Ok(changes)
}

/// Where something is in both contents, and what people call it.
#[derive(Default)]
struct Place {
    before: String,
    after: String,
    subject: String,
    path: String,
}

impl Place {
    fn field(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self {
            before: format!("{}/{name}", self.before),
            after: format!("{}/{name}", self.after),
            subject: self.subject.clone(),
            path,
        }
    }

    fn item(&self, place: usize) -> Self {
        Self {
            before: format!("{}/{place}", self.before),
            after: format!("{}/{place}", self.after),
            subject: self.subject.clone(),
            path: format!("{}[{place}]", self.path),
        }
    }

    /// What a keyed list holds under a key.
    fn keyed(&self, what: &str, key: &str, before: usize, after: usize) -> Self {
        let named = format!("{what} `{key}`");
        let subject = if self.subject.is_empty() { capital(&named) } else { format!("{}, {named}", self.subject) };
        Self {
            before: format!("{}/{before}", self.before),
            after: format!("{}/{after}", self.after),
            subject,
            path: String::new(),
        }
    }

    /// The words for it as the beginning of a sentence.
    fn words(&self) -> String {
        match (self.subject.as_str(), self.path.as_str()) {
            (subject, "") => subject.to_owned(),
            ("", path) => format!("`{path}`"),
            (subject, path) => format!("{subject}: `{path}`"),
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The lists whose items have a key: what an item is called, and which field is its key.
fn keys_of(list: &str) -> Option<(&'static str, &'static str)> {
    match list {
        "components" => Some(("component", "key")),
        "accumulators" => Some(("accumulator", "key")),
        "split" => Some(("share of", "role")),
        _ => None,
    }
}

fn compare(changes: &mut Vec<Change>, at: &Place, before: &Value, after: &Value) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if same_kind(old, new) => fields(changes, at, old, new),
        (Value::Array(old), Value::Array(new)) => items(changes, at, old, new),
        _ => replaced(changes, at, before, after),
    }
}

/// Whether two objects are worth comparing field by field: neither an amount nor of another kind.
fn same_kind(old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    let tagged = ["kind", "op"].into_iter().all(|tag| old.get(tag) == new.get(tag));
    // A typed value has one member, whose name is its type.
    let typed = |map: &Map<String, Value>| map.len() == 1;
    tagged && !old.contains_key("currency") && !(typed(old) && typed(new))
}

fn fields(changes: &mut Vec<Change>, at: &Place, old: &Map<String, Value>, new: &Map<String, Value>) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let place = at.field(name);
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if keys_of(name).is_some() => listed(changes, &place, name, old, new),
            (Some(old), Some(new)) => compare(changes, &place, old, new),
            (Some(old), None) => removed(changes, &place, old),
            (None, Some(new)) => added(changes, &place, new),
            (None, None) => {}
        }
    }
}

/// Compares place by place.
fn items(changes: &mut Vec<Change>, at: &Place, old: &[Value], new: &[Value]) {
    for place in 0..old.len().max(new.len()) {
        match (old.get(place), new.get(place)) {
            (Some(old), Some(new)) => compare(changes, &at.item(place), old, new),
            (Some(old), None) => removed(changes, &at.item(place), old),
            (None, Some(new)) => added(changes, &at.item(place), new),
            (None, None) => {}
        }
    }
}

/// Places by key; none when a key is missing or used twice.
fn places<'v>(list: &'v [Value], key: &str) -> Option<BTreeMap<&'v str, usize>> {
    let mut places = BTreeMap::new();
    for (place, item) in list.iter().enumerate() {
        if places.insert(item.get(key)?.as_str()?, place).is_some() {
            return None;
        }
    }
    Some(places)
}

/// Compares a keyed list: what is gone, what is new, what comes elsewhere, what says something else.
fn listed(changes: &mut Vec<Change>, at: &Place, list: &str, old: &Value, new: &Value) {
    let (Some((what, key)), Value::Array(old), Value::Array(new)) = (keys_of(list), old, new) else {
        return compare(changes, at, old, new);
    };
    let (Some(was), Some(is)) = (places(old, key), places(new, key)) else { return items(changes, at, old, new) };
    for (name, place) in was.iter().filter(|(name, _)| !is.contains_key(*name)) {
        removed(changes, &at.keyed(what, name, *place, *place), &old[*place]);
    }
    // What both have, in the new order, by its place in the old one.
    let mut both: Vec<(usize, usize, &str)> =
        is.iter().filter_map(|(name, place)| was.get(name).map(|old| (*place, *old, *name))).collect();
    both.sort_unstable();
    let kept = longest_run(&both.iter().map(|(_, old, _)| *old).collect::<Vec<_>>());
    for (name, place) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
        added(changes, &at.keyed(what, name, *place, *place), &new[*place]);
    }
    for (to, from, name) in both {
        let place = at.keyed(what, name, from, to);
        if !kept.contains(&from) {
            let text = format!("{} comes at place {} instead of {}.", place.words(), to + 1, from + 1);
            let (pointer, from) = (place.after.clone(), Some(place.before.clone()));
            changes.push(Change { kind: ChangeKind::Move, pointer, from, before: None, after: None, text });
        }
        compare(changes, &place, &old[from], &new[to]);
    }
}

/// The most numbers that already stand in order: all others moved.
fn longest_run(numbers: &[usize]) -> BTreeSet<usize> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for number in numbers {
        let before = runs.iter().filter(|run| run.last().is_some_and(|last| last < number)).max_by_key(|run| run.len());
        let mut run = before.cloned().unwrap_or_default();
        run.push(*number);
        runs.push(run);
    }
    runs.into_iter().max_by_key(Vec::len).unwrap_or_default().into_iter().collect()
}

fn removed(changes: &mut Vec<Change>, at: &Place, old: &Value) {
    let text = format!("{} is gone{}.", at.words(), said("; it was ", old));
    let (pointer, before) = (at.before.clone(), Some(old.clone()));
    changes.push(Change { kind: ChangeKind::Remove, pointer, from: None, before, after: None, text });
}

fn added(changes: &mut Vec<Change>, at: &Place, new: &Value) {
    let text = format!("{} is new{}.", at.words(), said(": ", new));
    let (pointer, after) = (at.after.clone(), Some(new.clone()));
    changes.push(Change { kind: ChangeKind::Add, pointer, from: None, before: None, after, text });
}

fn replaced(changes: &mut Vec<Change>, at: &Place, old: &Value, new: &Value) {
    let text = format!("{} is {} instead of {}.", at.words(), worded(new), worded(old));
    let (before, after) = (Some(old.clone()), Some(new.clone()));
    changes.push(Change { kind: ChangeKind::Replace, pointer: at.after.clone(), from: None, before, after, text });
}

/// A component is told by its name, everything else by itself.
fn said(lead: &str, value: &Value) -> String {
    let name = value.get("name").and_then(Value::as_str).map(|name| format!("“{name}”"));
    format!("{lead}{}", name.unwrap_or_else(|| worded(value)))
}

/// A value in words: amounts in dollars, texts without quotation marks.
fn worded(value: &Value) -> String {
    if let Ok(money) = serde_json::from_value::<Money>(value.clone()) {
        return money.to_string();
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) if members.len() == 1 => members.values().map(worded).collect(),
        other => other.to_string(),
    }
}
