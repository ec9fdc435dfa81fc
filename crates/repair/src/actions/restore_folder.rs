//! Puts a missing folder of Windows back, with every file in it, from another folder of the same disk. Each file only when this Windows
//! vouches for it: see [`target::genuine`].

use crate::action::{Settings, path, setting};
use model::{Change, FileOrigin, Reading, UndoKind, VolumePath};
use target::{Candidate, EntryKind, LARGEST_HELD, Target};

pub(super) const SETTINGS: &[&str] = &["from", "path"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;
/// A driver package has some dozens of files; more is something else.
const MOST: usize = 200;

pub(super) fn describe(settings: &Settings) -> String {
    format!(
        "Put the folder {} back as a copy of {}, when this Windows vouches for every file",
        setting(settings, "path"),
        setting(settings, "from")
    )
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let (from, place) = (path(target, settings, "from")?, path(target, settings, "path")?);
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    copy(target, &from, &place, &mut folders, &mut files)?;
    target::genuine(target, &files)?;
    Ok(folders.into_iter().chain(files.into_iter().map(crate::action::put)).collect())
}

/// The folders to be made, those above first, and the files to be put into them.
fn copy(target: &dyn Target, from: &VolumePath, place: &VolumePath, folders: &mut Vec<Change>, files: &mut Vec<Candidate>) -> Result<(), String> {
    let shown = place.with_drive(target.drive());
    match target.entry(place) {
        Reading::Absent => folders.push(Change::CreateFolder { path: place.clone() }),
        Reading::Known(entry) if entry.kind == EntryKind::Folder => {}
        Reading::Known(_) => return Err(format!("{shown} is there and is no folder")),
        Reading::NotCollected => return Err(format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => return Err(why),
    }
    let names = match target.list(from) {
        Reading::Known(names) => names,
        Reading::Unreadable(why) => return Err(why),
        _ => return Err(format!("{} is gone", from.with_drive(target.drive()))),
    };
    for name in names {
        let (source, to) = (from.join(&name), place.join(&name));
        if target.entry(&source).known().is_some_and(|entry| entry.kind == EntryKind::Folder) {
            copy(target, &source, &to, folders, files)?;
            continue;
        }
        // What is there stays, whatever it is: only what is missing is put back.
        if !target.entry(&to).is_absent() {
            continue;
        }
        let content = match target.read(&source, LARGEST_HELD) {
            Reading::Known(content) => content,
            Reading::Unreadable(why) => return Err(why),
            _ => return Err(format!("{} cannot be read", source.with_drive(target.drive()))),
        };
        files.push(Candidate { place: to, from: FileOrigin::Volume(source), content });
        if files.len() > MOST {
            return Err(format!("{shown} would get more than {MOST} files"));
        }
    }
    Ok(())
}
