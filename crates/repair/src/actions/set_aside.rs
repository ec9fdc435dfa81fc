//! Renames a file, folder or link out of the way, beside its place. Nothing is deleted, nothing is copied.

use crate::action::{Settings, path, rename, setting};
use model::{Change, Reading, UndoKind};
use target::{EntryKind, Target};

pub(super) const SETTINGS: &[&str] = &["path"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Set {} aside by renaming it; nothing is deleted", setting(settings, "path"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, run: &str) -> Result<Vec<Change>, String> {
    let wanted = path(target, settings, "path")?;
    if let Some(why) = target::protected(&target.windows_folder(), &wanted) {
        return Err(format!("{} {why}", wanted.with_drive(target.drive())));
    }
    match target.entry(&wanted) {
        // A reparse point whose content cannot be read here may be more than it seems.
        Reading::Known(entry) if matches!(entry.kind, EntryKind::Reparse(_)) => {
            Err(format!("{} is a reparse point that cannot be followed from here", wanted.with_drive(target.drive())))
        }
        Reading::Known(entry) => {
            let name = format!("{}.hresolve-{run}", entry.path.file_name());
            let to = entry.path.parent().ok_or_else(|| "the root of a volume cannot be set aside".to_owned())?.join(&name);
            Ok(vec![rename(target, entry, to)?])
        }
        Reading::Absent => Ok(Vec::new()),
        Reading::NotCollected => Err(format!("{} is not part of what was given", wanted.with_drive(target.drive()))),
        Reading::Unreadable(why) => Err(why),
    }
}
