//! Makes a missing registry key from another one of the same machine, whole: values, keys below, security. Such a copy comes from
//! another control set, never from another computer.

use crate::action::{Settings, setting};
use model::{Change, Reading, UndoKind};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["from", "to"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Copy the registry key {} to {}", setting(settings, "from"), setting(settings, "to"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let (from, to) = (setting(settings, "from"), setting(settings, "to"));
    match target.key(to) {
        Reading::Absent => {}
        Reading::Known(_) => return Ok(Vec::new()),
        Reading::NotCollected => return Err(format!("the key {to} is not part of what was given")),
        Reading::Unreadable(why) => return Err(why),
    }
    let (above, name) = to.rsplit_once('\\').ok_or_else(|| format!("{to} is not a key below another"))?;
    let above = target.key(above).into_known().ok_or_else(|| format!("the key {above} that should hold it is not there"))?;
    match target.key_tree(from) {
        Reading::Known(tree) => Ok(vec![Change::PutKey { key: format!("{}\\{name}", above.path), tree }]),
        Reading::Unreadable(why) => Err(why),
        _ => Err(format!("the key {from} is not there")),
    }
}
