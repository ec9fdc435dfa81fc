//! Searches, downloads and installations that failed, from the logs that the update client of Windows 7 and 8.1 and the
//! Configuration Manager client write as text, and from error reports about updates.

use crate::civil::Zone;
use crate::logs::reporting_events::{self, Event};
use crate::logs::windows_update::{self, Outcome};
use crate::logs::{Entry, Level, ccm, wer};
use crate::probe::read_log;
use model::{ErrorCode, FactDeclaration, Facts, Failure, VolumePath, codes_in};
use target::Target;

/// What this probe delivers: failures only.
pub(super) const FACTS: &[FactDeclaration] = &[];

const MOST_OUTCOMES: usize = 50_000;
const LARGEST_REPORT: u64 = 1 << 20;
/// So many reports are read at most.
const MOST_REPORTS: usize = 2000;
/// Reports about updates; the folder of a report begins with its kind and a part of its event's name.
const REPORTED: [&str; 3] = ["WindowsUpdateFailure", "CbsPackageServicingFailure", "WindowsServicingFailureInfo"];
/// States that pass by themselves: another installation running, the service stopping, an application in use.
const TRANSIENT: [u32; 3] = [0x8024_0016, 0x8024_001E, 0x8007_3D02];
/// Logs of the Configuration Manager client that carry results of updates, with what they do.
const CCM: [(&str, &str); 2] = [("WUAHandler.log", "scan"), ("UpdatesHandler.log", "update")];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut found: Vec<Failure> = Vec::new();
    let path = target.windows_folder().join("WindowsUpdate.log");
    let mut outcomes = Vec::new();
    read_log(target, &path, "log of updates", facts, &mut |input| {
        let mut reader = windows_update::Outcomes::default();
        windows_update::each(input, &mut |entry| {
            if let Some(outcome) = reader.take(&entry) {
                keep(&mut outcomes, (entry.line, entry.local.unwrap_or_default(), outcome));
            }
        })
    });
    found.extend(join(&outcomes, &path.with_drive(target.drive())));
    for (name, operation) in CCM {
        let path = target.windows_folder().join("CCM\\Logs").join(name);
        let mut outcomes = Vec::new();
        read_log(target, &path, "log of updates", facts, &mut |input| {
            ccm::each(input, &mut |entry| {
                if let Some(code) = ended(&entry) {
                    let outcome = Outcome { operation, subject: String::new(), code };
                    keep(&mut outcomes, (entry.line, entry.local.unwrap_or_default(), outcome));
                }
            })
        });
        found.extend(join(&outcomes, &path.with_drive(target.drive())));
    }
    let history = history(target);
    reports(target, &history, &mut found);
    // What the history of updates tells is told from there.
    found.retain(|new| !history.iter().any(|event| in_history(event, new)));
    for failure in found.iter_mut().filter(|failure| failure.subject.is_empty()) {
        failure.subject = if failure.operation == "scan" { "search for updates".into() } else { "updates".into() };
    }
    facts.failures.extend(found);
}

/// The client's history of updates, which its own probe turns into failures.
fn history(target: &dyn Target) -> Vec<Event> {
    let path = target.windows_folder().join("SoftwareDistribution\\ReportingEvents.log");
    target.open(&path).into_known().map(|mut input| reporting_events::parse(&mut *input).0).unwrap_or_default()
}

/// The same failure: code and operation, and the same update, or the same day where the log names none.
fn in_history(event: &Event, failure: &Failure) -> bool {
    let operation = match event.id {
        148 | 149 => "scan",
        161 => "download",
        182 | 195 | 198 | 204 => "update",
        _ => return false,
    };
    let same = operation == "scan" || about(event, &failure.subject) || failure.last.get(..10) == event.local.get(..10);
    operation == failure.operation && same && ErrorCode(event.code).to_string() == failure.code
}

/// The event is about the update with that GUID.
fn about(event: &Event, subject: &str) -> bool {
    !subject.is_empty() && event.update.contains(&subject.to_ascii_uppercase())
}

/// How a search or an installation ended, when the entry of the Configuration Manager client tells.
fn ended(entry: &Entry) -> Option<ErrorCode> {
    let lower = entry.text.to_lowercase();
    match entry.level {
        Level::Error => codes_in(&entry.text).into_iter().find(|code| code.0 >= 0x8000_0000),
        _ if lower.contains("successfully completed scan") || lower.contains("installation of updates completed") => Some(ErrorCode(0)),
        _ => None,
    }
}

/// Keeps the newest ends; a log of years holds no more.
fn keep(outcomes: &mut Vec<(u64, String, Outcome)>, new: (u64, String, Outcome)) {
    if outcomes.len() >= 2 * MOST_OUTCOMES {
        outcomes.drain(..MOST_OUTCOMES);
    }
    outcomes.push(new);
}

/// One failure for each operation, subject and code; resolved when the same operation on the same subject ended well later.
fn join(outcomes: &[(u64, String, Outcome)], source: &str) -> Vec<Failure> {
    let mut failures: Vec<(Failure, usize)> = Vec::new();
    for (at, (line, local, outcome)) in outcomes.iter().enumerate() {
        if outcome.code.0 == 0 {
            for (failure, _) in failures.iter_mut().filter(|(failure, _)| failure.operation == outcome.operation && failure.subject == outcome.subject) {
                failure.resolved = true;
            }
            continue;
        }
        let code = outcome.code.to_string();
        match failures.iter_mut().find(|(old, _)| old.operation == outcome.operation && old.code == code && old.subject == outcome.subject) {
            Some((old, last)) => {
                // The client reports the end of one search in two lines.
                old.count += u32::from(*last + 1 < at || old.last != *local);
                (old.last, old.resolved, *last) = (local.clone(), false, at);
                old.at = format!("line {line}");
            }
            None => failures.push((failure(outcome.operation, code, &outcome.subject, local, source, format!("line {line}")), at)),
        }
    }
    failures.into_iter().map(|(failure, _)| failure).collect()
}

fn failure(operation: &str, code: String, subject: &str, local: &str, source: &str, at: String) -> Failure {
    let transient = code.parse::<ErrorCode>().is_ok_and(|code| TRANSIENT.contains(&code.0));
    Failure {
        id: 0,
        operation: operation.into(),
        code,
        subject: subject.into(),
        phase: if operation == "update" { "install".into() } else { operation.into() },
        first: local.into(),
        last: local.into(),
        count: 1,
        resolved: false,
        transient,
        source: source.into(),
        at,
    }
}

/// Error reports about updates. A report says nothing about what came later: it is history as soon as an update was installed
/// after it, of the same GUID where the report names one that the history knows.
fn reports(target: &dyn Target, history: &[Event], found: &mut Vec<Failure>) {
    let made_up_for = |subject: &str, local: &str| {
        let known = history.iter().any(|event| about(event, subject));
        history.iter().any(|event| matches!(event.id, 183 | 190 | 203) && event.local.as_str() > local && (!known || about(event, subject)))
    };
    let mut read = 0;
    for folder in ["ReportArchive", "ReportQueue"] {
        let Ok(folder) = VolumePath::parse(&format!("\\ProgramData\\Microsoft\\Windows\\WER\\{folder}")) else { continue };
        for name in target.list(&folder).into_known().unwrap_or_default() {
            if read >= MOST_REPORTS {
                return;
            }
            // `NonCritical_WindowsUpdateFai_…`: the event's name is cut to some letters.
            let ours = REPORTED.iter().any(|event| event.get(..10).is_some_and(|start| name.to_lowercase().contains(&start.to_lowercase())));
            let path = folder.join(&name).join("Report.wer");
            if !ours && !name.contains("_10.") && !name.contains("_6.") && !name.contains("_7.") {
                continue;
            }
            read += 1;
            let Some(report) = target.read(&path, LARGEST_REPORT).into_known().and_then(|bytes| wer::parse(&bytes)) else { continue };
            let (Some(code), true) = (report.code(), REPORTED.iter().any(|event| report.event.starts_with(event))) else { continue };
            let unix = (report.time / 10_000_000).saturating_sub(11_644_473_600);
            let local = if unix == 0 { String::new() } else { i64::try_from(unix).map_or(String::new(), |unix| Zone::of(target).local(unix)) };
            let operation = match report.phase().map(str::to_lowercase).as_deref() {
                Some("scan") => "scan",
                Some("download") => "download",
                _ => "update",
            };
            let code = code.to_string();
            let subject = report.subject().unwrap_or_default();
            match found.iter_mut().find(|old| old.code == code && old.operation == operation && old.subject == subject) {
                Some(old) => {
                    old.count += 1;
                    old.first = old.first.clone().min(local.clone());
                    old.last = old.last.clone().max(local);
                    old.resolved = made_up_for(subject, &old.last);
                }
                None => {
                    let resolved = made_up_for(subject, &local);
                    found.push(Failure { resolved, ..failure(operation, code, subject, &local, &path.with_drive(target.drive()), "report".into()) });
                }
            }
        }
    }
}
