//! Gives a file of the component store its second name back, as Windows itself does: a hard link, so that content, security and
//! times are the store's own.

use crate::action::{Settings, path, setting};
use model::{Change, Reading, UndoKind};
use target::{EntryKind, Target};

pub(super) const SETTINGS: &[&str] = &["existing", "path"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Give {} back its place as {}", setting(settings, "existing"), setting(settings, "path"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let (existing, path) = (path(target, settings, "existing")?, path(target, settings, "path")?);
    match target.entry(&path) {
        Reading::Absent => {}
        Reading::Known(_) => return Ok(Vec::new()),
        Reading::NotCollected => return Err(format!("{} is not part of what was given", path.with_drive(target.drive()))),
        Reading::Unreadable(why) => return Err(why),
    }
    match target.entry(&existing) {
        Reading::Known(entry) if entry.kind == EntryKind::File => {}
        _ => return Err(format!("{} is not a file that can be linked", existing.with_drive(target.drive()))),
    }
    match target.sha256(&existing) {
        Reading::Known(sha256) => Ok(vec![Change::HardLink { existing, path, sha256 }]),
        Reading::Unreadable(why) => Err(why),
        _ => Err(format!("{} is gone", existing.with_drive(target.drive()))),
    }
}
