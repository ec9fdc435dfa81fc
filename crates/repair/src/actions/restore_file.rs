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

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let place = path(target, settings, "path")?;
    let shown = place.with_drive(target.drive());
    match target.entry(&place) {
        Reading::Absent => {}
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
    Ok(vec![crate::action::put(candidate)])
}
