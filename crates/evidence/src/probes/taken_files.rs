//! Files that Microsoft Defender took out of a folder of Windows Update or of servicing shortly before an update failed. It is run when all
//! failures are known.

use crate::civil::{self, Zone};
use crate::events::{Event, kept, wanted};
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Failure, Reading, Subject};
use target::{Expanded, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "taken-file.path",
        kind: FactKind::Text,
        meaning: "a file of Windows Update or servicing that Defender removed or put in quarantine in the day before an update failed that was not installed since",
    },
    FactDeclaration { name: "taken-file.threat", kind: FactKind::Text, meaning: "what Defender took it for" },
    FactDeclaration { name: "taken-file.state", kind: FactKind::Text, meaning: "the file now: present, absent, not-collected, unreadable or unclear" },
    FactDeclaration { name: "taken-file.failure", kind: FactKind::Text, meaning: "the code of the update that failed next, as 0x80070002" },
];

/// Below the Windows folder, and at the top of the volume: where updates are unpacked and kept.
const INSIDE: [&str; 4] = ["\\softwaredistribution\\", "\\winsxs\\", "\\servicing\\", "\\system32\\driverstore\\"];
const SETUP: &str = "\\$windows.~bt\\";
/// `Action ID` of event 1117: 2 put in quarantine, 3 removed. The others leave the file in its place.
const TAKEN: [&str; 2] = ["2", "3"];
/// An installation goes on for hours, with restarts.
const BEFORE: i64 = 86_400;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let file = wanted::DEFENDER;
    // What could not be read of the log is said by the probe of event logs.
    let Some(log) = kept::log_of(target, file, &wanted::of_file(file)).into_known() else { return };
    let zone = Zone::of(target);
    let shown = kept::path(target, file).with_drive(target.drive());
    let mut told: Vec<String> = Vec::new();
    for event in log.events.iter().rev().filter(|event| is_taken(event)) {
        for named in paths(event.field("Path").unwrap_or_default()) {
            let Some(failure) = next_failure(&facts.failures, zone.local_seconds(event.unix)) else { continue };
            if !is_updates(target, &named) || told.iter().any(|there| there.eq_ignore_ascii_case(&named)) {
                continue;
            }
            let subject = subject(target, event, &named, failure, &shown, &zone);
            told.push(named);
            facts.subjects.push(subject);
        }
    }
}

fn is_taken(event: &Event) -> bool {
    let worked = event.field("Error Code").is_none_or(|code| code.trim_start_matches("0x").bytes().all(|digit| digit == b'0'));
    worked && event.field("Action ID").is_some_and(|action| TAKEN.contains(&action.trim()))
}

/// The files that a `Path` names: `file:_C:\a.exe; containerfile:_C:\b.zip; file:_C:\b.zip->c.exe`. Of an archive it is the archive that was
/// taken; what is no file (a behaviour, a process, a registry key) is left out.
fn paths(field: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for part in field.split(';').map(str::trim) {
        let Some(path) = part.strip_prefix("file:_").or_else(|| part.strip_prefix("containerfile:_")) else { continue };
        let path = path.split("->").next().unwrap_or(path).trim().to_owned();
        if !path.is_empty() && !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

fn is_updates(target: &dyn Target, path: &str) -> bool {
    let lower = path.to_lowercase();
    let windows = target.windows_folder().with_drive(target.drive()).to_lowercase();
    let inside = lower.strip_prefix(&windows).is_some_and(|rest| INSIDE.iter().any(|folder| rest.starts_with(folder)));
    inside || lower.get(2..).is_some_and(|rest| rest.starts_with(SETUP))
}

/// The failed installation that came next, within a day, and was not made up for.
fn next_failure(failures: &[Failure], taken: i64) -> Option<&Failure> {
    let open = failures.iter().filter(|failure| !failure.resolved && !failure.transient && !["scan", "device", "boot"].contains(&failure.operation.as_str()));
    open.filter_map(|failure| Some((civil::parse(&failure.last)?, failure)))
        .filter(|(last, _)| (taken..=taken + BEFORE).contains(last))
        .min_by_key(|(last, _)| *last)
        .map(|(_, failure)| failure)
}

fn subject(target: &dyn Target, event: &Event, path: &str, failure: &Failure, log: &str, zone: &Zone) -> Subject {
    let threat = event.field("Threat Name").unwrap_or("something unwanted");
    let state = match target.expand(path) {
        Expanded::Here(path) => match target.entry(&path) {
            Reading::Known(_) => "present",
            Reading::Absent => "absent",
            Reading::NotCollected => "not-collected",
            Reading::Unreadable(_) => "unreadable",
        },
        _ => "unclear",
    };
    let at = format!("record {}", event.record);
    let when = zone.local(event.unix);
    let mut subject = Subject::new("taken-file", path);
    subject.when.clone_from(&when);
    let says = format!("Defender took {path} away on {when}{}", zone.note());
    subject.put("taken-file.path", fact(text(path), says, log, &at));
    subject.put("taken-file.threat", fact(text(threat), format!("It took it for {threat}"), log, &at));
    subject.put("taken-file.state", fact(text(state), format!("The file is now: {state}"), path, "entry"));
    let says = format!("{} failed with {} after that, on {}", failure.subject.trim_end_matches('.'), failure.code, failure.last);
    subject.put("taken-file.failure", fact(text(&failure.code), says, &failure.source, &failure.at));
    subject
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn the_files_of_published_events() {
        for (field, files) in [
            ("file:_C:\\Users\\Topsy\\Desktop\\eat_dem_yams.exe", vec!["C:\\Users\\Topsy\\Desktop\\eat_dem_yams.exe"]),
            ("file:_C:\\Windows\\Temp\\eicar.com; file:_C:\\Windows\\Temp\\eicar.txt", vec!["C:\\Windows\\Temp\\eicar.com", "C:\\Windows\\Temp\\eicar.txt"]),
            (
                "containerfile:_C:\\Users\\CyberJunkie\\Downloads\\SharpHound-v1.1.0.zip; file:_C:\\Users\\CyberJunkie\\Downloads\\SharpHound-v1.1.0.zip->SharpHound.ps1; webfile:_C:\\x|https://example.com",
                vec!["C:\\Users\\CyberJunkie\\Downloads\\SharpHound-v1.1.0.zip"],
            ),
            (
                "behavior:_process: C:\\NotWhitelisted\\ShellcodeGuard-shc.exe, pid:11820:56844127554067; file:_C:\\NotWhitelisted\\ShellcodeGuard-shc.exe",
                vec!["C:\\NotWhitelisted\\ShellcodeGuard-shc.exe"],
            ),
            ("amsi:_\\Device\\HarddiskVolume1\\Windows\\System32\\wsmprovhost.exe", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(paths(field), files, "{field}");
        }
    }
}
