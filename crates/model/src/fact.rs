//! Facts: named readings about one subject of a machine, each with the place it came from.

use crate::{NotChecked, Reading};
use std::collections::BTreeMap;
use std::fmt;

/// A value that a condition of a guide can ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text; compared without regard to ASCII case, as Windows compares names.
    Text(String),
    /// An unsigned number (registry DWORDs, sizes in bytes, counts).
    Number(u64),
    /// Yes or no.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => out.write_str(text),
            Value::Number(number) => write!(out, "{number}"),
            Value::Bool(true) => out.write_str("yes"),
            Value::Bool(false) => out.write_str("no"),
            Value::List(items) => out.write_str(&items.join(", ")),
        }
    }
}

/// The type of a fact, declared once by its probe; `guides lint` checks conditions against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// [`Value::Text`]
    Text,
    /// [`Value::Number`]
    Number,
    /// [`Value::Bool`]
    Bool,
    /// [`Value::List`]
    List,
}

/// What a probe promises to deliver: the name guides use, the type, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct FactDeclaration {
    /// `subject.fact`, for example `service.start`.
    pub name: &'static str,
    /// The type of the value when known.
    pub kind: FactKind,
    /// One sentence for guide authors.
    pub meaning: &'static str,
}

/// One reading about a subject, with a sentence for people and the place it was read from.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What was read.
    pub reading: Reading<Value>,
    /// A whole sentence a person can follow: "wuauserv: Start is 4 (disabled)".
    pub says: String,
    /// Hive, file or channel: `SYSTEM`, `C:\Windows\…`.
    pub source: String,
    /// Place within the source: value name, line, record.
    pub at: String,
}

/// One thing on the machine that guides can be about: a service, a folder, a database, the machine itself.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The kind, which is also the first part of its facts' names: `service`, `folder`, `machine` …
    pub kind: &'static str,
    /// Its own name, for example `wuauserv`.
    pub name: String,
    /// When the newest log entry was written that it is made of, `YYYY-MM-DDTHH:MM:SS` local time; empty for what was read from the
    /// state of the machine, and for entries without a time.
    pub when: String,
    facts: BTreeMap<&'static str, Fact>,
}

impl Subject {
    /// A subject without facts yet.
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Subject { kind, name: name.into(), when: String::new(), facts: BTreeMap::new() }
    }

    /// Records a fact under its declared full name.
    pub fn put(&mut self, name: &'static str, fact: Fact) {
        self.facts.insert(name, fact);
    }

    /// The fact of that full name, if the probe delivered it.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.facts.get(name)
    }

    /// All facts in the order of their names.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, &Fact)> {
        self.facts.iter().map(|(name, fact)| (*name, fact))
    }
}

/// Everything the probes found out about one target.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// All subjects, in the order in which the probes gave them.
    pub subjects: Vec<Subject>,
    /// What could not be looked at, and why.
    pub not_checked: Vec<NotChecked>,
    /// What failed on this machine, as its own records tell.
    pub failures: Vec<crate::Failure>,
}

impl Facts {
    /// The subject for the machine as a whole, when the probes delivered one.
    pub fn machine(&self) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.kind == "machine")
    }

    /// All subjects of one kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Subject> {
        self.subjects.iter().filter(move |subject| subject.kind == kind)
    }

    /// The one subject with this kind and name.
    pub fn subject(&self, kind: &str, name: &str) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.kind == kind && subject.name.eq_ignore_ascii_case(name))
    }
}
