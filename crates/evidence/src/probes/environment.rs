//! The machine's own environment variables: where services put temporary files, and how programs find Windows' commands.

use super::delivery_cache::drive_known;
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, RegistryData, Subject, VolumePath, registry_type};
use target::{EntryKind, Expanded, KeyView, Target, names_equal};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "variable.name", kind: FactKind::Text, meaning: "TEMP, TMP, Path, PATHEXT, ComSpec or windir" },
    FactDeclaration { name: "variable.key", kind: FactKind::Text, meaning: "the registry key of the machine's environment variables" },
    FactDeclaration { name: "variable.data", kind: FactKind::Text, meaning: "the variable as stored" },
    FactDeclaration {
        name: "variable.state",
        kind: FactKind::Text,
        meaning: "right, missing, wrong-type (REG_SZ with a variable in it, or no text), entries-missing (a list without what Windows puts there), \
                  missing-file, wrong (another folder), missing-drive, missing-folder, is-file, other-drive or unclear",
    },
    FactDeclaration {
        name: "variable.repaired",
        kind: FactKind::Text,
        meaning: "what it should hold: lists keep their entries and get the missing ones at the end",
    },
    FactDeclaration { name: "variable.repaired-type", kind: FactKind::Text, meaning: "the type to store it with: sz or expand-sz" },
];

const KEY: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment";
const TEMP: &str = "%SystemRoot%\\TEMP";
const COMSPEC: &str = "%SystemRoot%\\system32\\cmd.exe";
const PATHEXT: &str = ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC";
/// What Windows 7 to 11 put into Path. Without the first two nothing of Windows is found; the others are only added along.
const PATH: [&str; 4] =
    ["%SystemRoot%\\system32", "%SystemRoot%", "%SystemRoot%\\System32\\Wbem", "%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\"];
const NEEDED_IN_PATH: usize = 2;

/// State, sentence, right data, type of it.
struct Judged {
    state: &'static str,
    says: String,
    repaired: String,
    kind: &'static str,
}

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let view = match target.key(KEY) {
        Reading::Known(view) => view,
        Reading::Unreadable(why) => {
            facts.not_checked.push(NotChecked { what: "the machine's environment variables".into(), why, blocking: false });
            return;
        }
        _ => return,
    };
    for name in ["TEMP", "TMP", "Path", "PATHEXT", "ComSpec", "windir"] {
        let judged = match (name, stored(&view, name)) {
            ("TEMP" | "TMP", stored) => temporary(target, name, stored),
            ("Path", stored) => path(target, stored),
            ("PATHEXT", stored) => endings(stored),
            ("ComSpec", stored) => command_processor(target, stored),
            (_, stored) => windows_folder(target, stored),
        };
        let mut subject = Subject::new("variable", name);
        subject.put("variable.name", fact(text(name), name, "SYSTEM", name));
        subject.put("variable.key", fact(text(&view.path), &view.path, "SYSTEM", "key"));
        let data = view.value(name).map_or(Reading::Absent, |data| text(data.as_text().unwrap_or_else(|| data.show())));
        let says = data.known().map_or_else(|| format!("There is no variable {name}"), |data| format!("{name} is {data}"));
        subject.put("variable.data", fact(data, says, "SYSTEM", name));
        subject.put("variable.state", fact(text(judged.state), judged.says, "SYSTEM", name));
        subject.put("variable.repaired", fact(text(&judged.repaired), format!("Right is {}", judged.repaired), "SYSTEM", name));
        subject.put("variable.repaired-type", fact(text(judged.kind), format!("The right type is {}", judged.kind), "SYSTEM", name));
        facts.subjects.push(subject);
    }
}

/// A variable in the registry.
enum Stored {
    None,
    /// Something that is no text.
    Other(String),
    /// REG_SZ with a variable in it, which Windows then does not expand.
    NotExpanded(String),
    Text(String, &'static str),
}

fn stored(view: &KeyView, name: &str) -> Stored {
    match view.value(name) {
        None => Stored::None,
        Some(data) => match data.as_text() {
            None => Stored::Other(registry_type::name(data.kind)),
            Some(now) if not_expanded(data) => Stored::NotExpanded(now),
            Some(now) => Stored::Text(now, if data.kind == registry_type::EXPAND_SZ { "expand-sz" } else { "sz" }),
        },
    }
}

/// True for REG_SZ data with a variable in it.
pub(super) fn not_expanded(data: &RegistryData) -> bool {
    data.kind == registry_type::SZ && data.as_text().is_some_and(|now| now.matches('%').count() > 1)
}

/// The states that every variable shares; `None` when the text itself has to be judged.
fn broken(name: &str, stored: &Stored, right: &str, kind: &'static str) -> Option<Judged> {
    let (state, says) = match stored {
        Stored::None => ("missing", format!("There is no variable {name}; right is {right}")),
        Stored::Other(kind) => ("wrong-type", format!("{name} is {kind} instead of text; right is {right}")),
        Stored::NotExpanded(now) => ("wrong-type", format!("{name} is {now}, but as REG_SZ, so Windows does not expand the variable in it")),
        Stored::Text(..) => return None,
    };
    Some(Judged { state, says, repaired: right.into(), kind })
}

fn temporary(target: &dyn Target, name: &str, stored: Stored) -> Judged {
    if let Some(judged) = broken(name, &stored, TEMP, "expand-sz") {
        return judged;
    }
    let Stored::Text(now, _) = stored else { return Judged { state: "unclear", says: String::new(), repaired: TEMP.into(), kind: "expand-sz" } };
    let right = matches!(target.expand(&now), Expanded::Here(path) if same(&path, &target.windows_folder().join("Temp")));
    // Whether the usual folder exists is another question, asked of the folder.
    let (state, says) = if right { ("right", format!("{name} is {now}")) } else { place(target, &now) };
    Judged { state, says: if right { says } else { format!("{name} is {now}: {says}") }, repaired: TEMP.into(), kind: "expand-sz" }
}

/// Whether a folder that a value names exists: here, missing-folder, is-file, missing-drive, other-drive or unclear.
pub(super) fn place(target: &dyn Target, wanted: &str) -> (&'static str, String) {
    match target.expand(wanted) {
        Expanded::Here(folder) => {
            let shown = folder.with_drive(target.drive());
            match target.entry(&folder) {
                Reading::Absent => ("missing-folder", format!("{shown} does not exist")),
                Reading::Known(entry) if entry.kind == EntryKind::File => ("is-file", format!("{shown} is a file")),
                Reading::Known(_) => ("here", format!("{shown} exists")),
                _ => ("unclear", format!("{shown} could not be looked at")),
            }
        }
        Expanded::Elsewhere(letter, _) => match (drive_known(target, letter), ram_disk(target)) {
            (Reading::Known(false), Some(program)) => {
                ("other-drive", format!("drive {letter}: is in no list of drives, but {program} is installed, which makes drives in memory"))
            }
            (Reading::Known(false), None) => ("missing-drive", format!("this Windows knows no drive {letter}:")),
            (Reading::Known(true), _) => ("other-drive", format!("drive {letter}: is known to this Windows, but cannot be looked at from here")),
            _ => ("unclear", format!("whether there is a drive {letter}: could not be told")),
        },
        Expanded::Unknown(why) => ("unclear", why),
    }
}

/// The driver of a program that makes drives in memory. Their letters are given anew at each start and stand in no list.
/// `Ramdisk` itself is Windows' own and is on every disk.
fn ram_disk(target: &dyn Target) -> Option<String> {
    const PARTS: [&str; 7] = ["ramdisk", "ramdrv", "ramdriv", "imdisk", "fancyrd", "spvve", "spvdisk"];
    let services = "HKLM\\SYSTEM\\CurrentControlSet\\Services";
    target.key(services).into_known()?.subkeys.into_iter().find(|name| {
        let lower = name.to_ascii_lowercase();
        lower != "ramdisk"
            && PARTS.iter().any(|part| lower.contains(part))
            && target.value(&format!("{services}\\{name}"), "Start").into_known().and_then(|data| data.as_dword()) != Some(4)
    })
}

fn same(one: &VolumePath, other: &VolumePath) -> bool {
    names_equal(&one.to_string(), &other.to_string())
}

fn path(target: &dyn Target, stored: Stored) -> Judged {
    let (now, expanded) = match stored {
        Stored::Text(now, _) => (now, true),
        Stored::NotExpanded(now) => (now, false),
        other => {
            let whole = PATH.join(";");
            return broken("Path", &other, &whole, "expand-sz").unwrap_or(Judged {
                state: "unclear",
                says: String::new(),
                repaired: whole,
                kind: "expand-sz",
            });
        }
    };
    let expand = |entry: &str| match target.expand(entry.trim().trim_matches('"').trim_end_matches('\\')) {
        Expanded::Here(path) => Some(path),
        _ => None,
    };
    let there: Vec<VolumePath> = now.split(';').filter(|entry| !entry.trim().is_empty()).filter_map(expand).collect();
    let has = |wanted: &str| expand(wanted).is_none_or(|wanted| there.iter().any(|path| same(path, &wanted)));
    let missing: Vec<&str> = PATH.into_iter().filter(|wanted| !has(wanted)).collect();
    let repaired =
        std::iter::once(now.trim_end_matches(';')).filter(|now| !now.is_empty()).chain(missing.iter().copied()).collect::<Vec<_>>().join(";");
    let needed: Vec<&str> = PATH.into_iter().take(NEEDED_IN_PATH).filter(|wanted| missing.contains(wanted)).collect();
    let (state, says) = if !expanded {
        ("wrong-type", "Path holds variables but is REG_SZ, so Windows does not expand them and does not find its own commands".to_owned())
    } else if needed.is_empty() {
        ("right", "Path names the folders of Windows".to_owned())
    } else {
        ("entries-missing", format!("Path does not name {}, so Windows does not find its own commands", needed.join(" and ")))
    };
    Judged { state, says, repaired, kind: "expand-sz" }
}

fn endings(stored: Stored) -> Judged {
    if let Some(judged) = broken("PATHEXT", &stored, PATHEXT, "sz") {
        return judged;
    }
    let Stored::Text(now, kind) = stored else { return Judged { state: "unclear", says: String::new(), repaired: PATHEXT.into(), kind: "sz" } };
    let has = |wanted: &str| now.split(';').any(|ending| ending.trim().eq_ignore_ascii_case(wanted));
    let missing: Vec<&str> = PATHEXT.split(';').take(4).filter(|wanted| !has(wanted)).collect();
    let (state, says) = if missing.is_empty() {
        ("right", format!("PATHEXT is {now}"))
    } else {
        ("entries-missing", format!("PATHEXT is {now} and lacks {}, so commands are not found without their ending", missing.join(" and ")))
    };
    let repaired = std::iter::once(now.trim_end_matches(';')).filter(|now| !now.is_empty()).chain(missing).collect::<Vec<_>>().join(";");
    Judged { state, says, repaired, kind }
}

fn command_processor(target: &dyn Target, stored: Stored) -> Judged {
    if let Some(judged) = broken("ComSpec", &stored, COMSPEC, "expand-sz") {
        return judged;
    }
    let Stored::Text(now, _) = stored else { return Judged { state: "unclear", says: String::new(), repaired: COMSPEC.into(), kind: "expand-sz" } };
    // Another command processor is a matter of taste as long as it is there.
    let (state, says) = match target.expand(now.trim_matches('"')) {
        Expanded::Here(file) => match target.entry(&file) {
            Reading::Absent => ("missing-file", format!("ComSpec is {now}, which does not exist, so no program can run a command")),
            Reading::Known(_) => ("right", format!("ComSpec is {now}")),
            _ => ("unclear", format!("{now} could not be looked at")),
        },
        _ => ("unclear", format!("ComSpec is {now}, which cannot be looked at from here")),
    };
    Judged { state, says, repaired: COMSPEC.into(), kind: "expand-sz" }
}

fn windows_folder(target: &dyn Target, stored: Stored) -> Judged {
    let right = "%SystemRoot%";
    if let Some(judged) = broken("windir", &stored, right, "expand-sz") {
        return judged;
    }
    let Stored::Text(now, _) = stored else { return Judged { state: "unclear", says: String::new(), repaired: right.into(), kind: "expand-sz" } };
    let (state, says) = match target.expand(&now) {
        Expanded::Here(folder) if same(&folder, &target.windows_folder()) => ("right", format!("windir is {now}")),
        Expanded::Here(_) | Expanded::Elsewhere(..) => {
            ("wrong", format!("windir is {now}, but Windows lies in {}", target.windows_folder().with_drive(target.drive())))
        }
        Expanded::Unknown(why) => ("unclear", why),
    };
    Judged { state, says, repaired: right.into(), kind: "expand-sz" }
}
