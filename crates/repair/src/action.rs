//! What an action is: words and changes made from the same settings, so that they cannot differ.

use crate::actions::ALL;
use model::{Change, Reading, UndoKind, VolumePath};
use std::collections::BTreeMap;
use target::{Candidate, Entry, EntryKind, Expanded, Target};

/// An action's settings, with every fact filled in.
pub type Settings = BTreeMap<String, String>;

/// Reads a target and gives the changes that are needed now, empty when it is right already; the text names the run. The error is a
/// sentence: why it cannot be done here.
pub type PlanChanges = fn(&dyn Target, &Settings, &str) -> Result<Vec<Change>, String>;

/// One way to put something right. Its name is permanent: it stands in journals.
pub struct Action {
    /// The permanent name.
    pub name: &'static str,
    /// The settings it needs, all of them.
    pub settings: &'static [&'static str],
    /// What undo gives back.
    pub undo: UndoKind,
    /// The sentence shown to people: an instruction, without a full stop.
    pub describe: fn(&Settings) -> String,
    /// The changes that are needed on this machine now. Reads only.
    pub changes: PlanChanges,
}

/// The action of that name.
pub fn action(name: &str) -> Option<&'static Action> {
    ALL.iter().find(|action| action.name == name)
}

/// The sentence for a step.
pub fn describe(name: &str, settings: &Settings) -> String {
    action(name).map_or_else(|| format!("unknown action {name}"), |action| (action.describe)(settings))
}

/// What undo of a step gives back.
pub fn undo_kind(name: &str) -> UndoKind {
    action(name).map_or(UndoKind::None, |action| action.undo)
}

/// Every action with its settings, for `guides lint` and the documentation.
pub fn names_and_settings() -> Vec<(&'static str, &'static [&'static str])> {
    ALL.iter().map(|action| (action.name, action.settings)).collect()
}

/// One setting; the lint has made sure that guides give it.
pub(crate) fn setting<'a>(settings: &'a Settings, name: &str) -> &'a str {
    settings.get(name).map_or("", String::as_str)
}

/// A path on this volume from a setting.
pub(crate) fn path(target: &dyn Target, settings: &Settings, name: &str) -> Result<VolumePath, String> {
    match target.expand(setting(settings, name)) {
        Expanded::Here(path) => Ok(path),
        Expanded::Elsewhere(letter, _) => Err(format!("{} lies on drive {letter}:, which is not this volume", setting(settings, name))),
        Expanded::Unknown(why) => Err(why),
    }
}

/// The change that puts content in its place.
pub(crate) fn put(candidate: Candidate) -> Change {
    let Candidate { place, from, content } = candidate;
    Change::PutFile { path: place, sha256: target::sha256(&content), from }
}

/// The rename of an entry, with what undo will recognise it by.
pub(crate) fn rename(target: &dyn Target, entry: Entry, to: VolumePath) -> Result<Change, String> {
    let identity = match &entry.kind {
        EntryKind::File => match target.sha256(&entry.path) {
            Reading::Known(hash) => Some(hash),
            Reading::Unreadable(why) => return Err(why),
            _ => return Err(format!("{} is gone", entry.path.with_drive(target.drive()))),
        },
        EntryKind::Link(target) => Some(target.clone()),
        EntryKind::Folder | EntryKind::Reparse(_) | EntryKind::Other => None,
    };
    Ok(Change::Rename { from: entry.path, to, identity })
}
