//! Folders that services need and that Windows does not make anew: its own folder for temporary files, and the data folders
//! of the accounts that services run under.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, Subject, Value};
use target::{EntryKind, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "needed-folder.role",
        kind: FactKind::Text,
        meaning: "temporary (Windows\\Temp) or service-profile (data of an account for services)",
    },
    FactDeclaration { name: "needed-folder.path", kind: FactKind::Text, meaning: "its path" },
    FactDeclaration {
        name: "needed-folder.kind",
        kind: FactKind::Text,
        meaning: "folder, file, link, reparse or other; absent when nothing stands there",
    },
    FactDeclaration { name: "needed-folder.parent", kind: FactKind::Text, meaning: "the path of the folder above it" },
    FactDeclaration { name: "needed-folder.parent-kind", kind: FactKind::Text, meaning: "the same as kind, of the folder above it" },
    FactDeclaration {
        name: "needed-folder.profile-there",
        kind: FactKind::Bool,
        meaning: "for service-profile: the account's profile folder exists",
    },
];

const TEMPORARY: &str = "Temp";
/// Profiles of the accounts SYSTEM, LOCAL SERVICE and NETWORK SERVICE.
const PROFILES: [&str; 3] = ["System32\\config\\systemprofile", "ServiceProfiles\\LocalService", "ServiceProfiles\\NetworkService"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    put(target, facts, "temporary", TEMPORARY, None);
    for profile in PROFILES {
        put(target, facts, "service-profile", &format!("{profile}\\AppData\\Local"), Some(profile));
    }
}

fn put(target: &dyn Target, facts: &mut Facts, role: &'static str, name: &str, profile: Option<&str>) {
    let path = target.windows_folder().join(name);
    let shown = path.with_drive(target.drive());
    let (kind, says) = match kind(target, &path) {
        (Reading::Unreadable(why), _) => {
            facts.not_checked.push(NotChecked { what: shown, why, blocking: false });
            return;
        }
        seen => seen,
    };
    let mut subject = Subject::new("needed-folder", &shown);
    subject.put("needed-folder.role", fact(text(role), role, &shown, "name"));
    subject.put("needed-folder.path", fact(text(&shown), &shown, &shown, "name"));
    subject.put("needed-folder.kind", fact(kind, says, &shown, "entry"));
    if let Some(parent) = path.parent() {
        let shown = parent.with_drive(target.drive());
        let (above, says) = self::kind(target, &parent);
        subject.put("needed-folder.parent", fact(text(&shown), &shown, &shown, "name"));
        subject.put("needed-folder.parent-kind", fact(above, says, &shown, "entry"));
    }
    if let Some(profile) = profile {
        let profile = target.windows_folder().join(profile);
        let shown = profile.with_drive(target.drive());
        let there = match kind_reading(target, &profile) {
            Reading::Known(_) => Reading::Known(Value::Bool(true)),
            Reading::Absent => Reading::Known(Value::Bool(false)),
            other => other,
        };
        let says = if there.known() == Some(&Value::Bool(true)) { format!("{shown} is there") } else { format!("{shown} was not seen") };
        subject.put("needed-folder.profile-there", fact(there, says, &shown, "entry"));
    }
    facts.subjects.push(subject);
}

fn kind_reading(target: &dyn Target, path: &model::VolumePath) -> Reading<Value> {
    kind(target, path).0
}

/// What stands at a path, with a sentence.
fn kind(target: &dyn Target, path: &model::VolumePath) -> (Reading<Value>, String) {
    let shown = path.with_drive(target.drive());
    match target.entry(path) {
        Reading::Known(entry) => {
            let (kind, says) = match entry.kind {
                EntryKind::Folder => ("folder", format!("{shown} is an ordinary folder")),
                EntryKind::File => ("file", format!("{shown} is a file of {} bytes where a folder belongs", entry.size)),
                EntryKind::Link(to) => ("link", format!("{shown} is a link to {to}")),
                EntryKind::Reparse(what) => ("reparse", format!("{shown} is a reparse point that cannot be followed here ({what})")),
                EntryKind::Other => ("other", format!("{shown} is neither a file nor a folder")),
            };
            (text(kind), says)
        }
        Reading::Absent => (Reading::Absent, format!("{shown} does not exist")),
        Reading::NotCollected => (Reading::NotCollected, format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), format!("{shown} could not be looked at: {why}")),
    }
}
