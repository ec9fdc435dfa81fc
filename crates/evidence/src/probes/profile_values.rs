//! Where the registry says that the folders of all users and of the SYSTEM account lie.

use super::environment::{not_expanded, place};
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject, Value, registry_type};
use target::{EntryKind, Expanded, KeyView, Target, names_equal};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "profile-value.area", kind: FactKind::Text, meaning: "all-users (ProfileList) or system-account (the hive DEFAULT)" },
    FactDeclaration { name: "profile-value.key", kind: FactKind::Text, meaning: "the value's registry key" },
    FactDeclaration { name: "profile-value.name", kind: FactKind::Text, meaning: "ProfilesDirectory, ProgramData, Public, Default or AppData" },
    FactDeclaration { name: "profile-value.data", kind: FactKind::Text, meaning: "the value as stored" },
    FactDeclaration { name: "profile-value.default", kind: FactKind::Text, meaning: "what Windows puts there" },
    FactDeclaration { name: "profile-value.default-there", kind: FactKind::Bool, meaning: "the folder that Windows puts there exists" },
    FactDeclaration {
        name: "profile-value.state",
        kind: FactKind::Text,
        meaning: "right, missing, wrong-type (REG_SZ with a variable in it, or no text), here (another folder that exists), missing-folder, is-file, missing-drive, \
                  other-drive or unclear",
    },
];

const PROFILE_LIST: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
const SHELL_FOLDERS: &str = "HKU\\.DEFAULT\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\User Shell Folders";
const ALL_USERS: [(&str, &str); 4] = [
    ("ProfilesDirectory", "%SystemDrive%\\Users"),
    ("ProgramData", "%SystemDrive%\\ProgramData"),
    ("Public", "%SystemDrive%\\Users\\Public"),
    ("Default", "%SystemDrive%\\Users\\Default"),
];
const APPDATA: &str = "%USERPROFILE%\\AppData\\Roaming";
/// What %USERPROFILE% means for the SYSTEM account.
const SYSTEM_PROFILE: &str = "%SystemRoot%\\System32\\config\\systemprofile";

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    if let Reading::Known(view) = target.key(PROFILE_LIST) {
        for (name, default) in ALL_USERS {
            facts.subjects.push(subject(target, "all-users", "SOFTWARE", &view, name, default));
        }
    }
    if let Reading::Known(view) = target.key(SHELL_FOLDERS) {
        facts.subjects.push(subject(target, "system-account", "DEFAULT", &view, "AppData", APPDATA));
    }
}

fn subject(target: &dyn Target, area: &'static str, hive: &str, view: &KeyView, name: &str, default: &str) -> Subject {
    let mut subject = Subject::new("profile-value", format!("{}\\{name}", view.path));
    let data = view.value(name);
    subject.put("profile-value.area", fact(text(area), area, hive, "key"));
    subject.put("profile-value.key", fact(text(&view.path), &view.path, hive, "key"));
    subject.put("profile-value.name", fact(text(name), name, hive, name));
    let shown = data.map_or(Reading::Absent, |data| text(data.as_text().unwrap_or_else(|| data.show())));
    let says = shown.known().map_or_else(|| format!("There is no value {name}"), |now| format!("{name} is {now}"));
    subject.put("profile-value.data", fact(shown, says, hive, name));
    subject.put("profile-value.default", fact(text(default), format!("Windows puts {default} there"), hive, name));
    let there = default_there(target, default);
    let says = if there.known() == Some(&Value::Bool(true)) {
        format!("The usual folder {default} exists")
    } else {
        format!("The usual folder {default} was not seen")
    };
    subject.put("profile-value.default-there", fact(there, says, hive, name));
    let (state, says) = state(target, name, data, default);
    subject.put("profile-value.state", fact(text(state), says, hive, name));
    subject
}

/// As the SYSTEM account would read it.
fn for_system(path: &str) -> String {
    match path.get(..13) {
        Some(start) if start.eq_ignore_ascii_case("%USERPROFILE%") => format!("{SYSTEM_PROFILE}{}", path.get(13..).unwrap_or_default()),
        _ => path.to_owned(),
    }
}

fn default_there(target: &dyn Target, default: &str) -> Reading<Value> {
    match target.expand(&for_system(default)) {
        Expanded::Here(path) => match target.entry(&path) {
            Reading::Known(entry) => {
                Reading::Known(Value::Bool(matches!(entry.kind, EntryKind::Folder | EntryKind::Link(_) | EntryKind::Reparse(_))))
            }
            Reading::Absent => Reading::Known(Value::Bool(false)),
            Reading::NotCollected => Reading::NotCollected,
            Reading::Unreadable(why) => Reading::Unreadable(why),
        },
        _ => Reading::NotCollected,
    }
}

fn state(target: &dyn Target, name: &str, data: Option<&RegistryData>, default: &str) -> (&'static str, String) {
    let Some(data) = data else { return ("missing", format!("There is no value {name}; Windows puts {default} there")) };
    let Some(now) = data.as_text() else { return ("wrong-type", format!("{name} is {} instead of text", registry_type::name(data.kind))) };
    if not_expanded(data) {
        return ("wrong-type", format!("{name} is {now}, but as REG_SZ, so Windows does not expand the variable in it"));
    }
    match (target.expand(&for_system(&now)), target.expand(&for_system(default))) {
        (Expanded::Here(now_path), Expanded::Here(right)) if names_equal(&now_path.to_string(), &right.to_string()) => {
            ("right", format!("{name} is {now}"))
        }
        _ => {
            let (state, says) = place(target, &for_system(&now));
            (state, format!("{name} is {now} instead of {default}: {says}"))
        }
    }
}
