//! Where people's own registry hives say that their folders lie. Only people that have a profile here are looked at.

use super::environment::place;
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "user-folder.user", kind: FactKind::Text, meaning: "the name of the person's profile folder" },
    FactDeclaration { name: "user-folder.key", kind: FactKind::Text, meaning: "the key User Shell Folders in the person's own hive" },
    FactDeclaration { name: "user-folder.name", kind: FactKind::Text, meaning: "the value's name: Personal (Documents), Desktop, AppData …" },
    FactDeclaration { name: "user-folder.data", kind: FactKind::Text, meaning: "the value as stored" },
    FactDeclaration { name: "user-folder.default", kind: FactKind::Text, meaning: "what Windows puts there" },
    FactDeclaration {
        name: "user-folder.state",
        kind: FactKind::Text,
        meaning: "here, missing-folder, is-file, missing-drive (a letter that neither this Windows nor this person's network drives know), other-drive or unclear",
    },
];

const PROFILES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
/// Values and what Windows puts there; the cache of web pages is called otherwise before Windows 8.
const VALUES: [(&str, &str); 6] = [
    ("AppData", "%USERPROFILE%\\AppData\\Roaming"),
    ("Local AppData", "%USERPROFILE%\\AppData\\Local"),
    ("Cache", "%USERPROFILE%\\AppData\\Local\\Microsoft\\Windows\\INetCache"),
    ("Desktop", "%USERPROFILE%\\Desktop"),
    ("Personal", "%USERPROFILE%\\Documents"),
    ("{374DE290-123F-4565-9164-39C4925E467B}", "%USERPROFILE%\\Downloads"),
];
const OLD_CACHE: &str = "%USERPROFILE%\\AppData\\Local\\Microsoft\\Windows\\Temporary Internet Files";

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let Reading::Known(profiles) = target.key(PROFILES) else { return };
    for user in profiles.subkeys.iter().filter(|user| user.starts_with("S-1-5-21-") || user.starts_with("S-1-12-1-")) {
        let Some(profile) = target.value(&format!("{PROFILES}\\{user}"), "ProfileImagePath").into_known().and_then(|data| data.as_text()) else { continue };
        let name = profile.rsplit('\\').next().unwrap_or(&profile).to_owned();
        let key = format!("HKU\\{user}\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\User Shell Folders");
        match target.key(&key) {
            Reading::Known(view) => {
                for (value, default) in VALUES {
                    let Some(data) = view.value(value).and_then(model::RegistryData::as_text) else { continue };
                    let default = if value == "Cache" && target.windows().build < 9200 { OLD_CACHE } else { default };
                    facts.subjects.push(subject(target, user, &name, &profile, (&key, value), &data, default));
                }
            }
            Reading::Absent | Reading::NotCollected => {}
            Reading::Unreadable(why) => facts.not_checked.push(NotChecked { what: format!("where the folders of {name} lie"), why, blocking: false }),
        }
    }
}

fn subject(target: &dyn Target, user: &str, name: &str, profile: &str, at: (&str, &'static str), data: &str, default: &str) -> Subject {
    let (key, value) = at;
    let source = format!("{profile}\\NTUSER.DAT");
    let mut subject = Subject::new("user-folder", format!("{key}\\{value}"));
    let mut put = |fact_name, data: &str, says: String| subject.put(fact_name, fact(text(data), says, &source, value));
    put("user-folder.user", name, format!("The profile of {name}"));
    put("user-folder.key", key, key.into());
    put("user-folder.name", value, value.into());
    put("user-folder.data", data, format!("{value} of {name} is {data}"));
    put("user-folder.default", default, format!("Windows puts {default} there"));
    let (state, says) = judge(target, user, profile, data);
    put("user-folder.state", state, format!("{value} of {name} is {data}: {says}"));
    subject
}

fn judge(target: &dyn Target, user: &str, profile: &str, data: &str) -> (&'static str, String) {
    const OWN: &str = "%USERPROFILE%";
    let wanted = match data.get(..OWN.len()) {
        Some(start) if start.eq_ignore_ascii_case(OWN) => format!("{profile}{}", data.get(OWN.len()..).unwrap_or_default()),
        _ => data.to_owned(),
    };
    let (state, says) = place(target, &wanted);
    let letter = wanted.chars().next().filter(|_| state == "missing-drive");
    // A network drive has its letter in the person's own hive and in no list of disks.
    let mapped = letter.map(|letter| target.key(&format!("HKU\\{user}\\Network\\{letter}")));
    match mapped {
        Some(Reading::Known(_)) => ("other-drive", "it is a network drive of this person".into()),
        Some(Reading::Absent) | None => (state, says),
        Some(_) => ("unclear", "whether it is a network drive could not be told".into()),
    }
}
