//! Gives a file its right name back.

use crate::action::{Settings, path, rename, setting};
use model::{Change, Reading, UndoKind};
use target::{EntryKind, Target};

pub(super) const SETTINGS: &[&str] = &["from", "to"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Rename {} to {}", setting(settings, "from"), setting(settings, "to"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let (from, to) = (path(target, settings, "from")?, path(target, settings, "to")?);
    match target.entry(&to) {
        Reading::Absent => {}
        Reading::Known(_) if target.entry(&from).is_absent() => return Ok(Vec::new()),
        Reading::Known(_) => return Err(format!("{} is already there", to.with_drive(target.drive()))),
        Reading::NotCollected => return Err(format!("{} is not part of what was given", to.with_drive(target.drive()))),
        Reading::Unreadable(why) => return Err(why),
    }
    match target.entry(&from) {
        Reading::Known(entry) if entry.kind == EntryKind::File => Ok(vec![rename(target, entry, to)?]),
        Reading::Known(_) => Err(format!("{} is not an ordinary file", from.with_drive(target.drive()))),
        Reading::Unreadable(why) => Err(why),
        _ => Err(format!("{} is not there", from.with_drive(target.drive()))),
    }
}
