//! The folders that the update client needs: whether an ordinary folder stands there, and where a link leads.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, Subject, VolumePath};
use target::{EntryKind, Expanded, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "folder.path", kind: FactKind::Text, meaning: "its path" },
    FactDeclaration { name: "folder.kind", kind: FactKind::Text, meaning: "folder, file, link, reparse or other; absent when nothing stands there (Windows makes it anew)" },
    FactDeclaration { name: "folder.link", kind: FactKind::Text, meaning: "for a link: missing-drive (a letter this Windows does not know), missing-folder (nothing there on this volume), other-drive, here, or unclear" },
    FactDeclaration { name: "folder.link-target", kind: FactKind::Text, meaning: "where the link leads, as stored" },
];

/// Folders below Windows that the update client makes by itself when they are absent.
const FOLDERS: [&str; 4] = ["SoftwareDistribution", "SoftwareDistribution\\Download", "SoftwareDistribution\\DataStore", "System32\\catroot2"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for name in FOLDERS {
        let path = target.windows_folder().join(name);
        let shown = path.with_drive(target.drive());
        let mut subject = Subject::new("folder", &shown);
        let entry = match target.entry(&path) {
            Reading::Known(entry) => entry,
            Reading::Absent => {
                subject.put("folder.path", fact(text(&shown), &shown, &shown, "name"));
                subject.put("folder.kind", fact(Reading::Absent, format!("{shown} does not exist; Windows makes it when it needs it"), &shown, "entry"));
                facts.subjects.push(subject);
                continue;
            }
            Reading::NotCollected => {
                facts.not_checked.push(NotChecked { what: shown, why: "it is not part of what was given".into(), blocking: false });
                continue;
            }
            // Below a link that leaves the volume nothing can be seen; the link itself is judged above.
            Reading::Unreadable(why) => {
                facts.not_checked.push(NotChecked { what: shown, why, blocking: false });
                continue;
            }
        };
        let shown = entry.path.with_drive(target.drive());
        let (kind, says) = match &entry.kind {
            EntryKind::Folder => ("folder", format!("{shown} is an ordinary folder")),
            EntryKind::File => ("file", format!("{shown} is a file of {} bytes where a folder belongs", entry.size)),
            EntryKind::Link(to) => ("link", format!("{shown} is a link to {to}")),
            EntryKind::Reparse(what) => ("reparse", format!("{shown} is a reparse point that cannot be followed here ({what})")),
            EntryKind::Other => ("other", format!("{shown} is neither a file nor a folder")),
        };
        subject.put("folder.path", fact(text(&shown), &shown, &shown, "name"));
        subject.put("folder.kind", fact(text(kind), says, &shown, "entry"));
        if let EntryKind::Link(to) = &entry.kind {
            let (state, says) = link(target, &path, to);
            subject.put("folder.link", fact(text(state), says, &shown, "link target"));
            subject.put("folder.link-target", fact(text(to), format!("The link leads to {to}"), &shown, "link target"));
        }
        facts.subjects.push(subject);
    }
}

/// Where a link leads: what Windows stores, or what ntfs-3g makes of it.
pub(super) fn link(target: &dyn Target, path: &VolumePath, to: &str) -> (&'static str, String) {
    // ntfs-3g shows a junction to another drive as a path below `.NTFS-3G/D:`.
    let stored = match to.split_once(".NTFS-3G/") {
        Some((_, rest)) => rest.trim_start_matches('/').to_owned(),
        None => to.to_owned(),
    };
    if to.starts_with('/') && !to.contains(".NTFS-3G/") || !to.contains(':') {
        // A path of the system that has the volume mounted.
        return match target.list(path) {
            Reading::Known(_) => ("here", format!("{to} exists on this volume")),
            Reading::Absent => ("missing-folder", format!("{to} does not exist on this volume")),
            Reading::NotCollected => ("unclear", "the link's target is not part of what was given".into()),
            Reading::Unreadable(why) => ("unclear", why),
        };
    }
    match target.expand(&stored) {
        Expanded::Here(place) => match target.entry(&place) {
            Reading::Absent => ("missing-folder", format!("{} does not exist", place.with_drive(target.drive()))),
            Reading::Known(_) => ("here", format!("{} exists on this volume", place.with_drive(target.drive()))),
            _ => ("unclear", format!("{} could not be looked at", place.with_drive(target.drive()))),
        },
        Expanded::Elsewhere(letter, _) => match super::delivery_cache::drive_known(target, letter) {
            Reading::Known(false) => ("missing-drive", format!("this Windows knows no drive {letter}:")),
            Reading::Known(true) => ("other-drive", format!("drive {letter}: is known to this Windows, but cannot be looked at from here")),
            _ => ("unclear", format!("whether there is a drive {letter}: could not be told")),
        },
        Expanded::Unknown(why) => ("unclear", why),
    }
}
