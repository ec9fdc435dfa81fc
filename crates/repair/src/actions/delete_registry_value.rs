//! Removes one registry value; its data is kept in the journal.

use crate::action::{Settings, setting};
use model::{Change, Reading, UndoKind};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["key", "name"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Remove the registry value {}\\{}", setting(settings, "key"), setting(settings, "name"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let (key, name) = (setting(settings, "key"), setting(settings, "name"));
    match target.key(key) {
        Reading::Known(view) => {
            let old = view.value(name).cloned();
            Ok(old.map(|old| Change::DeleteValue { key: view.path, name: name.to_owned(), old }).into_iter().collect())
        }
        Reading::Absent => Ok(Vec::new()),
        Reading::NotCollected => Err(format!("the key {key} is not part of what was given")),
        Reading::Unreadable(why) => Err(why),
    }
}
