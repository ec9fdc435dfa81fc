//! What differs between two hives, for people and for callers that must show what an edit changes.

use std::cmp::Ordering;
use std::fmt;

use crate::hive::Hive;
use crate::name;
use crate::tree::{Tree, TreeKey, TreeValue};
use crate::value_kind::ValueKind;

/// Type and data of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueContent {
    /// The type.
    pub kind: ValueKind,
    /// The data as stored.
    pub data: Vec<u8>,
}

/// One difference. Paths are backslash paths from the root; `""` is the root; value name `""` is the default value.
#[rustfmt::skip]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The second hive has a key that the first has not; its values and subkeys follow as differences of their own.
    KeyAdded { /** the key */ path: String },
    /// The first hive has a key that the second has not; its values and subkeys follow as differences of their own.
    KeyRemoved { /** the key */ path: String },
    /// The class name or the security descriptor differs.
    KeyChanged { /** the key */ path: String, /** what: `class` or `security` */ what: &'static str },
    /// A value is only in the second hive.
    ValueAdded { /** the key */ path: String, /** the value */ name: String, /** what it is now */ new: ValueContent },
    /// A value is only in the first hive.
    ValueRemoved { /** the key */ path: String, /** the value */ name: String, /** what it was */ old: ValueContent },
    /// Type or data of a value differ.
    ValueChanged {
        /// The key.
        path: String,
        /// The value.
        name: String,
        /// What it was.
        old: ValueContent,
        /// What it is now.
        new: ValueContent,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyAdded { path } => write!(f, "key added: {path}"),
            Self::KeyRemoved { path } => write!(f, "key removed: {path}"),
            Self::KeyChanged { path, what } => write!(f, "{what} changed: {path}"),
            Self::ValueAdded { path, name, new } => {
                write!(f, "value added: {path} \"{name}\" ({}, {} bytes)", new.kind, new.data.len())
            }
            Self::ValueRemoved { path, name, old } => {
                write!(f, "value removed: {path} \"{name}\" ({}, {} bytes)", old.kind, old.data.len())
            }
            Self::ValueChanged { path, name, old, new } => {
                write!(f, "value changed: {path} \"{name}\" ({}, {} bytes -> {}, {} bytes)", old.kind, old.data.len(), new.kind, new.data.len())
            }
        }
    }
}

/// Compares two hives by content: keys by Windows' case rule, values by name, type and data. Times, order and the way things
/// are stored are not compared; what cannot be read on a side counts as missing there (see [`Hive::check`]).
#[must_use]
pub fn diff(a: &Hive<'_>, b: &Hive<'_>) -> Vec<Difference> {
    let (a, b) = (Tree::of(a), Tree::of(b));
    let mut found = Vec::new();
    let mut open = vec![(a.keys.first(), b.keys.first(), String::new())];
    while let Some((left, right, path)) = open.pop() {
        match (left, right) {
            (None, None) => continue,
            (Some(_), None) => found.push(Difference::KeyRemoved { path: path.clone() }),
            (None, Some(_)) => found.push(Difference::KeyAdded { path: path.clone() }),
            (Some(left), Some(right)) => {
                if left.class != right.class {
                    found.push(Difference::KeyChanged { path: path.clone(), what: "class" });
                }
                if left.security != right.security {
                    found.push(Difference::KeyChanged { path: path.clone(), what: "security" });
                }
            }
        }
        values(&path, left, right, &mut found);
        let pairs = pair(sorted(&a, left), sorted(&b, right), |key| &key.name);
        for (left, right) in pairs.into_iter().rev() {
            let name = left.or(right).map(|key| String::from_utf16_lossy(&key.name)).unwrap_or_default();
            let below = if path.is_empty() { name } else { format!("{path}\\{name}") };
            open.push((left, right, below));
        }
    }
    found
}

fn sorted<'t, 'b>(tree: &'t Tree<'b>, key: Option<&'t TreeKey<'b>>) -> Vec<&'t TreeKey<'b>> {
    let mut keys: Vec<_> = key.iter().flat_map(|key| &key.subkeys).filter_map(|&index| tree.keys.get(index)).collect();
    keys.sort_by(|a, b| order(&a.name, &b.name));
    keys
}

fn order(a: &[u16], b: &[u16]) -> Ordering {
    name::compare(a.iter().copied(), b.iter().copied())
}

/// Merges two sorted lists into pairs of the same name.
fn pair<'t, T>(left: Vec<&'t T>, right: Vec<&'t T>, name: impl Fn(&T) -> &[u16]) -> Vec<(Option<&'t T>, Option<&'t T>)> {
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut pairs = Vec::new();
    loop {
        let next = match (left.peek(), right.peek()) {
            (None, None) => return pairs,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => order(name(a), name(b)),
        };
        pairs.push(match next {
            Ordering::Less => (left.next(), None),
            Ordering::Greater => (None, right.next()),
            Ordering::Equal => (left.next(), right.next()),
        });
    }
}

fn values(path: &str, left: Option<&TreeKey<'_>>, right: Option<&TreeKey<'_>>, found: &mut Vec<Difference>) {
    fn sorted<'t, 'b>(key: Option<&'t TreeKey<'b>>) -> Vec<&'t TreeValue<'b>> {
        let mut values: Vec<_> = key.iter().flat_map(|key| &key.values).collect();
        values.sort_by(|a, b| order(&a.name, &b.name));
        values
    }
    for (old, new) in pair(sorted(left), sorted(right), |value| &value.name) {
        let name = old.or(new).map(|value| String::from_utf16_lossy(&value.name)).unwrap_or_default();
        let path = path.to_owned();
        match (old, new) {
            (Some(old), None) => found.push(Difference::ValueRemoved { path, name, old: content(old) }),
            (None, Some(new)) => found.push(Difference::ValueAdded { path, name, new: content(new) }),
            (Some(old), Some(new)) if old.data_type != new.data_type || old.data != new.data => {
                found.push(Difference::ValueChanged { path, name, old: content(old), new: content(new) });
            }
            _ => {}
        }
    }
}

fn content(value: &TreeValue<'_>) -> ValueContent {
    ValueContent { kind: ValueKind::from(value.data_type), data: value.data.to_vec() }
}
