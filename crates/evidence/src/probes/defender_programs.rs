//! The programs of Microsoft Defender: its services name them in a folder of their version, which every platform update makes anew.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, RegistryData, Subject, Value};
use target::{Expanded, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "defender-program.service", kind: FactKind::Text, meaning: "WinDefend or WdNisSvc; only services whose program is in a folder of Defender are told about" },
    FactDeclaration { name: "defender-program.key", kind: FactKind::Text, meaning: "the service's registry key" },
    FactDeclaration { name: "defender-program.file", kind: FactKind::Text, meaning: "the program that the service names" },
    FactDeclaration { name: "defender-program.state", kind: FactKind::Text, meaning: "present or absent" },
    FactDeclaration { name: "defender-program.disabled", kind: FactKind::Bool, meaning: "the service is disabled" },
    FactDeclaration {
        name: "defender-program.instead",
        kind: FactKind::Text,
        meaning: "the same program in the newest folder that has it, else the one that came with Windows; as the service would name it; absent when there is none",
    },
];

const SERVICES: [&str; 2] = ["WinDefend", "WdNisSvc"];
/// Where the folders of the versions lie, and where the program lies that came with Windows.
const PLATFORM: &str = "%ProgramData%\\Microsoft\\Windows Defender\\Platform";
const WITH_WINDOWS: &str = "%ProgramFiles%\\Windows Defender";

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for service in SERVICES {
        let Reading::Known(view) = target.key(&format!("HKLM\\SYSTEM\\CurrentControlSet\\Services\\{service}")) else { continue };
        let Some(line) = view.value("ImagePath").and_then(RegistryData::as_text) else { continue };
        let named = program(&line);
        let Some(file) = named.rsplit('\\').next().filter(|_| named.to_lowercase().contains("\\windows defender\\")) else { continue };
        let Expanded::Here(path) = target.expand(&named) else { continue };
        let shown = path.with_drive(target.drive());
        let there = match target.entry(&path) {
            Reading::Known(_) => true,
            Reading::Absent => false,
            Reading::NotCollected => continue,
            Reading::Unreadable(why) => {
                facts.not_checked.push(NotChecked { what: shown, why, blocking: false });
                continue;
            }
        };
        let disabled = view.value("Start").and_then(RegistryData::as_dword) == Some(4);
        let state = if there { "present" } else { "absent" };
        let instead = if there { Reading::Absent } else { instead(target, file) };
        let says = match instead.known() {
            Some(Value::Text(other)) => format!("The same program is there as {}", other.trim_matches('"')),
            _ => format!("{file} was not found in another folder of Defender"),
        };
        let mut subject = Subject::new("defender-program", service);
        subject.put("defender-program.service", fact(text(service), service, "SYSTEM", "key"));
        subject.put("defender-program.key", fact(text(&view.path), &view.path, "SYSTEM", "key"));
        subject.put("defender-program.file", fact(text(&shown), format!("{service} runs {shown}"), "SYSTEM", "ImagePath"));
        let seen = format!("{shown} {}", if there { "is there" } else { "does not exist" });
        subject.put("defender-program.state", fact(text(state), seen, &shown, "entry"));
        let start = format!("{service} is {}disabled", if disabled { "" } else { "not " });
        subject.put("defender-program.disabled", fact(Reading::Known(Value::Bool(disabled)), start, "SYSTEM", "Start"));
        subject.put("defender-program.instead", fact(instead, says, "SYSTEM", "ImagePath"));
        facts.subjects.push(subject);
    }
}

/// The program of a command line: what is in quotes, or all up to its ending.
fn program(line: &str) -> String {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix('"') {
        return rest.split('"').next().unwrap_or(rest).to_owned();
    }
    match line.to_ascii_lowercase().find(".exe") {
        Some(at) => line.get(..at + 4).unwrap_or(line).to_owned(),
        None => line.to_owned(),
    }
}

/// Where else the program is, as the service names it: in quotes, with the variable.
fn instead(target: &dyn Target, file: &str) -> Reading<Value> {
    let is_there = |named: &str| matches!(target.expand(named), Expanded::Here(path) if target.entry(&path).known().is_some());
    let Expanded::Here(platform) = target.expand(PLATFORM) else { return Reading::NotCollected };
    let names = match target.list(&platform) {
        Reading::Known(names) => names,
        Reading::Absent => Vec::new(),
        Reading::NotCollected => return Reading::NotCollected,
        Reading::Unreadable(why) => return Reading::Unreadable(why),
    };
    let mut versions: Vec<(Vec<u32>, String)> = names.into_iter().filter_map(|name| Some((version(&name)?, name))).collect();
    versions.sort_by(|one, other| other.cmp(one));
    let newest = versions.into_iter().map(|(_, name)| format!("{PLATFORM}\\{name}\\{file}")).find(|named| is_there(named));
    match newest.or_else(|| Some(format!("{WITH_WINDOWS}\\{file}")).filter(|named| is_there(named))) {
        Some(named) => text(format!("\"{named}\"")),
        None => Reading::Absent,
    }
}

/// `4.18.24080.9-0` in numbers.
fn version(name: &str) -> Option<Vec<u32>> {
    name.split(['.', '-']).map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{program, version};

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("4.18.24080.9-0") > version("4.18.9090.9-0"));
        assert!(version("4.18.24090.11-1") > version("4.18.24090.11-0"));
        assert_eq!(version("Backup"), None);
    }

    #[test]
    fn the_program_of_a_service() {
        for line in ["\"C:\\Program Files\\Windows Defender\\MsMpEng.exe\"", "C:\\Program Files\\Windows Defender\\MsMpEng.exe -x"] {
            assert_eq!(program(line), "C:\\Program Files\\Windows Defender\\MsMpEng.exe");
        }
    }
}
