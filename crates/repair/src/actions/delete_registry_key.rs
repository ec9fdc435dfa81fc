//! Removes a registry key with everything below it; all of it is kept in the journal, security included.

use crate::action::{Settings, setting};
use model::{Change, Reading, UndoKind};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["key"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Remove the registry key {} with everything below it", setting(settings, "key"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let key = setting(settings, "key");
    let (view, tree) = match (target.key(key), target.key_tree(key)) {
        (Reading::Known(view), Reading::Known(tree)) => (view, tree),
        (Reading::Absent, _) => return Ok(Vec::new()),
        (Reading::NotCollected, _) => return Err(format!("the key {key} is not part of what was given")),
        (Reading::Unreadable(why), _) | (_, Reading::Unreadable(why)) => return Err(why),
        _ => return Err(format!("the key {key} cannot be read whole")),
    };
    Ok(vec![Change::RemoveKey { key: view.path, tree }])
}
