//! Puts a missing file of Windows back: from another place of the same disk, or from what the person named with `--source`. Only content
//! that this Windows itself vouches for: see [`target::genuine`].

use crate::action::{Settings, path, setting};
use model::{Change, FileOrigin, Reading, UndoKind};
use target::{Candidate, Target};

pub(super) const SETTINGS: &[&str] = &["from", "path"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;
/// Before the name of a file in the source.
const IN_SOURCE: &str = "source:";

pub(super) fn describe(settings: &Settings) -> String {
    let from = setting(settings, "from");
    let from = from.strip_prefix(IN_SOURCE).map_or_else(|| from.to_owned(), |name| format!("{name} of the source"));
    format!("Put {} back as a copy of {from}, when this Windows vouches for its content", setting(settings, "path"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, run: &str) -> Result<Vec<Change>, String> {
    let place = path(target, settings, "path")?;
    let shown = place.with_drive(target.drive());
    let mut changes = Vec::new();
    match target.entry(&place) {
        Reading::Absent => {}
        // Damaged content is not thrown away: it gets another name, beside.
        Reading::Known(entry) if target::is_worthless(target, &entry) => {
            let aside = place.parent().unwrap_or_else(|| place.clone()).join(&format!("{}.hresolve-{run}", place.file_name()));
            if target::protected(&target.windows_folder(), &place).is_some() {
                return Err(format!("{shown} is there and damaged, and lies where hresolve renames nothing"));
            }
            changes.push(crate::action::rename(target, entry, aside)?);
        }
        Reading::Known(_) => return Ok(Vec::new()),
        Reading::NotCollected => return Err(format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => return Err(why),
    }
    let from = match setting(settings, "from").strip_prefix(IN_SOURCE) {
        Some(name) => FileOrigin::Source(name.to_owned()),
        None => FileOrigin::Volume(path(target, settings, "from")?),
    };
    let content = match target.content(&from) {
        Reading::Known(content) => content,
        Reading::Unreadable(why) => return Err(why),
        _ => return Err(format!("{} is not at hand", setting(settings, "from"))),
    };
    let candidate = Candidate { place, from, content };
    target::genuine(target, std::slice::from_ref(&candidate))?;
    changes.push(crate::action::put(candidate));
    Ok(changes)
}
