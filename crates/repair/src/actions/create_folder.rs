//! Makes an empty folder where nothing stands.

use crate::action::{Settings, path, setting};
use model::{Change, Reading, UndoKind};
use target::{EntryKind, Target};

pub(super) const SETTINGS: &[&str] = &["path"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Make the empty folder {}", setting(settings, "path"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let path = path(target, settings, "path")?;
    match target.entry(&path) {
        Reading::Absent => Ok(vec![Change::CreateFolder { path }]),
        Reading::Known(entry) if entry.kind == EntryKind::Folder => Ok(Vec::new()),
        Reading::Known(_) => Err(format!("something that is not a folder stands at {}", path.with_drive(target.drive()))),
        Reading::NotCollected => Err(format!("{} is not part of what was given", path.with_drive(target.drive()))),
        Reading::Unreadable(why) => Err(why),
    }
}
