//! What the update client itself recorded about each update: `ReportingEvents.log`, joined to failures, and whether the
//! downloaded files of an update that could not be installed are still there.

use crate::logs::reporting_events::{self, Event};
use crate::probe::{fact, text};
use model::{ErrorCode, FactDeclaration, FactKind, Facts, Failure, NotChecked, Reading, Subject, Value};
use std::collections::BTreeMap;
use target::{EntryKind, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "update.code", kind: FactKind::Text, meaning: "the code with which the last attempt failed, as 0x80070002; absent when the last attempt succeeded" },
    FactDeclaration { name: "update.title", kind: FactKind::Text, meaning: "the text of the failed event" },
    FactDeclaration { name: "update.downloaded", kind: FactKind::Bool, meaning: "a download of this update succeeded before the failure" },
    FactDeclaration { name: "update.payload", kind: FactKind::Text, meaning: "missing: nothing in the Download folder was written since this update's download; no-folder: the Download folder is gone, so everything is downloaded again; set-aside: gone because hresolve set it aside; present: something was written since; unclear: the folder is not an ordinary one or the log names no zone" },
    FactDeclaration { name: "update.download-path", kind: FactKind::Text, meaning: "the Download folder's path, existing or not" },
    FactDeclaration { name: "update.lost-folder", kind: FactKind::Text, meaning: "the one folder in Download whose files are empty or gone, else the Download folder; known only when it exists" },
    FactDeclaration { name: "update.lost-place", kind: FactKind::Text, meaning: "update.lost-folder when known, else the path of the Download folder" },
    FactDeclaration { name: "update.download-folder", kind: FactKind::Text, meaning: "the Download folder's path, known only when a folder stands there" },
];

/// Events that end an attempt well: installed, scheduled well, installed after the restart.
const GOOD: [u32; 5] = [183, 190, 191, 197, 203];
/// Events that end an attempt badly, with the phase.
const BAD: [(u32, &str); 7] = [(148, "scan"), (149, "scan"), (161, "download"), (182, "install"), (195, "install"), (198, "install"), (204, "restart")];
const DOWNLOADED: u32 = 162;
/// States that pass by themselves: another installation running, the service stopping, an application in use.
const TRANSIENT: [u32; 3] = [0x8024_0016, 0x8024_001E, 0x8007_3D02];
/// Ten days in seconds.
const STILL_WANTED: i64 = 10 * 86_400;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let path = target.windows_folder().join("SoftwareDistribution").join("ReportingEvents.log");
    let source = path.with_drive(target.drive());
    let (events, problems) = match target.open(&path) {
        Reading::Known(mut input) => reporting_events::parse(&mut *input),
        Reading::Unreadable(why) => {
            facts.not_checked.push(NotChecked { what: format!("update history ({source})"), why, blocking: false });
            return;
        }
        Reading::NotCollected => {
            facts.not_checked.push(NotChecked { what: format!("update history ({source})"), why: "it is not part of what was given".into(), blocking: false });
            return;
        }
        // A machine whose cache was just set aside has no history; that is no fault.
        Reading::Absent => return,
    };
    if let Some(failed) = problems.iter().find(|problem| problem.line == 0) {
        facts.not_checked.push(NotChecked { what: format!("update history ({source})"), why: failed.what.clone(), blocking: false });
    }
    if events.is_empty() && !problems.is_empty() {
        let why = "none of its lines could be understood".to_owned();
        facts.not_checked.push(NotChecked { what: format!("update history ({source})"), why, blocking: false });
    }
    let mut by_update: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in &events {
        by_update.entry(event.update.as_str()).or_default().push(event);
    }
    let mut failures = Vec::new();
    let newest = events.iter().filter_map(|event| event.unix).max();
    for (update, events) in by_update {
        failures.extend(failures_of(&events, &source));
        if let Some(subject) = subject(target, update, &events, newest, &source) {
            facts.subjects.push(subject);
        }
    }
    failures.sort_by(|a: &Failure, b| b.last.cmp(&a.last));
    facts.failures.extend(failures);
}

/// Failures of one update, one for each code and phase.
fn failures_of(events: &[&Event], source: &str) -> Vec<Failure> {
    let mut failures: Vec<(Failure, usize)> = Vec::new();
    for event in events {
        let Some((_, phase)) = BAD.iter().find(|(id, _)| *id == event.id) else { continue };
        if event.code == 0 {
            continue;
        }
        let code = ErrorCode(event.code).to_string();
        if let Some((known, line)) = failures.iter_mut().find(|(failure, _)| failure.code == code && failure.phase == *phase) {
            known.last.clone_from(&event.local);
            known.count += 1;
            known.at = format!("line {}", event.line);
            *line = event.line;
        } else {
            let operation = if *phase == "scan" { "scan" } else if *phase == "download" { "download" } else { "update" };
            let failure = Failure {
                id: 0,
                operation: operation.into(),
                code,
                subject: if event.text.is_empty() { event.update.clone() } else { event.text.clone() },
                phase: (*phase).into(),
                first: event.local.clone(),
                last: event.local.clone(),
                count: 1,
                resolved: false,
                transient: TRANSIENT.contains(&event.code),
                source: source.into(),
                at: format!("line {}", event.line),
            };
            failures.push((failure, event.line));
        }
    }
    for (failure, line) in &mut failures {
        // The order of lines is the order of events; clocks may have been changed in between.
        failure.resolved = events.iter().any(|event| {
            event.line > *line
                && match failure.phase.as_str() {
                    "scan" => event.id == 147 && event.code == 0,
                    "download" => event.id == DOWNLOADED || GOOD.contains(&event.id),
                    _ => GOOD.contains(&event.id),
                }
        });
    }
    failures.into_iter().map(|(failure, _)| failure).collect()
}

/// The update as a subject, when its last installation failed not long before the log ends. The client removes downloads of
/// updates that it has given up, so an old failure without files is normal.
fn subject(target: &dyn Target, update: &str, events: &[&Event], newest: Option<i64>, source: &str) -> Option<Subject> {
    let failed = events.iter().rev().find(|event| matches!(event.id, 182 | 195 | 198 | 204) && event.code != 0)?;
    if events.iter().any(|event| event.line > failed.line && GOOD.contains(&event.id)) {
        return None;
    }
    if let (Some(newest), Some(then)) = (newest, failed.unix)
        && newest - then > STILL_WANTED
    {
        return None;
    }
    let at = format!("line {}", failed.line);
    let code = ErrorCode(failed.code);
    let mut subject = Subject::new("update", update);
    subject.when.clone_from(&failed.local);
    subject.put("update.code", fact(text(code.to_string()), format!("The installation of update {update} failed with {code} on {}", failed.local), source, &at));
    subject.put("update.title", fact(text(&failed.text), failed.text.clone(), source, &at));
    let downloaded = events.iter().rev().find(|event| event.id == DOWNLOADED && event.line < failed.line);
    let says = match downloaded {
        Some(event) => format!("The update had been downloaded completely on {}", event.local),
        None => "No successful download of this update is recorded before the failure".into(),
    };
    let line = downloaded.map_or(at, |event| format!("line {}", event.line));
    subject.put("update.downloaded", fact(Reading::Known(Value::Bool(downloaded.is_some())), says, source, line));
    payload(target, downloaded.copied(), &mut subject);
    Some(subject)
}

/// Whether files written since the download are still in the Download folder.
fn payload(target: &dyn Target, downloaded: Option<&Event>, subject: &mut Subject) {
    let folder = target.windows_folder().join("SoftwareDistribution").join("Download");
    let shown = folder.with_drive(target.drive());
    let mut lost = Reading::Absent;
    let (state, says) = match target.entry(&folder) {
        Reading::Absent if set_aside(target, &folder) => ("set-aside", format!("hresolve set {shown} aside; Windows downloads the update again")),
        Reading::Absent => ("no-folder", format!("{shown} does not exist; Windows makes it and downloads again")),
        Reading::Known(entry) if entry.kind == EntryKind::Folder => {
            lost = text(&shown);
            let names = target.list(&folder).into_known().unwrap_or_default();
            let ours: Vec<&String> = names.iter().filter(|name| name.to_lowercase().contains(".hresolve-")).collect();
            let (filled, empty): (Vec<&String>, Vec<&String>) =
                names.iter().filter(|name| !ours.contains(name) && is_download(name)).partition(|name| holds_files(target, &folder.join(name)));
            if let [one] = empty.as_slice() {
                lost = text(folder.join(one).with_drive(target.drive()));
            }
            // Clocks of the log and the file system may differ by a little; a day is far less than the life of a download.
            let since = downloaded.and_then(|event| event.unix).map(|unix| unix - 86_400);
            let newest = filled.iter().filter_map(|name| target.entry(&folder.join(name)).into_known()).map(|entry| entry.modified).max();
            match (filled.is_empty(), since, newest) {
                _ if !ours.is_empty() => ("set-aside", format!("hresolve set {} aside; Windows downloads the update again", folder.join(ours.first().map_or("", |name| name)).with_drive(target.drive()))),
                (true, _, _) => ("missing", format!("{shown} holds no downloaded files")),
                (false, Some(since), Some(newest)) if newest < since => {
                    ("missing", format!("{shown} holds {} folder(s), but none with content was written since this update was downloaded", filled.len()))
                }
                (false, Some(_), Some(_)) => ("present", format!("{shown} holds files written since this update was downloaded")),
                _ => ("unclear", format!("{shown} holds files; whether this update's are among them cannot be told")),
            }
        }
        Reading::Known(_) => ("unclear", format!("{shown} is not an ordinary folder")),
        Reading::NotCollected => ("unclear", format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => ("unclear", format!("{shown} could not be read: {why}")),
    };
    subject.put("update.payload", fact(text(state), says, &shown, "contents"));
    subject.put("update.download-path", fact(text(&shown), &shown, &shown, "name"));
    subject.put("update.download-folder", fact(if lost.is_absent() { Reading::Absent } else { text(&shown) }, format!("The download folder is {shown}"), &shown, "folder"));
    let place = lost.known().map_or(shown.clone(), ToString::to_string);
    subject.put("update.lost-place", fact(text(&place), format!("The update's files belong in {place}"), &shown, "contents"));
    let says = format!("The folder without the update's files is {}", lost.known().map_or(String::new(), ToString::to_string));
    subject.put("update.lost-folder", fact(lost, says, &shown, "contents"));
}

/// Downloads lie in folders named by a hash; `SharedFileCache`, `Install` and the like are the client's own.
fn is_download(name: &str) -> bool {
    (32..=40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// True when hresolve renamed the folder and has not been undone.
fn set_aside(target: &dyn Target, folder: &model::VolumePath) -> bool {
    let start = format!("{}.hresolve-", folder.file_name()).to_lowercase();
    let beside = folder.parent().map(|parent| target.list(&parent).into_known().unwrap_or_default()).unwrap_or_default();
    beside.iter().any(|name| name.to_lowercase().starts_with(&start))
}

/// True when the entry is a file with content, or a folder with such a file in its first two levels.
fn holds_files(target: &dyn Target, path: &model::VolumePath) -> bool {
    fn below(target: &dyn Target, path: &model::VolumePath, depth: u32) -> bool {
        match target.entry(path) {
            Reading::Known(entry) => match entry.kind {
                EntryKind::File => entry.size > 0,
                EntryKind::Folder if depth > 0 => {
                    target.list(path).into_known().unwrap_or_default().iter().any(|name| below(target, &path.join(name), depth - 1))
                }
                // What cannot be seen into counts as content: "missing" must be proved.
                _ => !matches!(entry.kind, EntryKind::Folder) || target.list(path).into_known().is_some_and(|names| !names.is_empty()),
            },
            _ => true,
        }
    }
    below(target, path, 3)
}
