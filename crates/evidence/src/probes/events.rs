//! What the event logs say: updates that failed, and errors that name an object.

use crate::civil::Zone;
use crate::defaults;
use crate::events::errors::{self, Drive, Trouble};
use crate::events::{Event, Log, kept, updates, wanted};
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, RegistryData, Subject, Value};
use target::{Expanded, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "event-error.rule",
        kind: FactKind::Text,
        meaning: "what was recognised: service-start-failed, service-dependency-failed, service-timeout, service-crashed, service-account-refused, service-start-changed (only of a service that is disabled now), \
                  database-error, transfer-service-failed, secure-connection-failed, certificate-refused, task-not-loaded or servicing-crashed (the program that installs updates; the object is the file in which it crashed)",
    },
    FactDeclaration { name: "event-error.code", kind: FactKind::Text, meaning: "the code, as 0x80070002; absent when the event has none" },
    FactDeclaration { name: "event-error.object", kind: FactKind::Text, meaning: "the service, path, task or kind of connection that the event names" },
    FactDeclaration { name: "event-error.kind", kind: FactKind::Text, meaning: "service, file, task or connection" },
    FactDeclaration { name: "event-error.state", kind: FactKind::Text, meaning: "the object now: present, absent, not-collected, unreadable or unclear" },
    FactDeclaration { name: "event-error.log", kind: FactKind::Text, meaning: "the path of the event log" },
    FactDeclaration { name: "event-error.phase", kind: FactKind::Text, meaning: "service-start, database, tls, task or servicing" },
    FactDeclaration { name: "event-error.line-text", kind: FactKind::Text, meaning: "provider, number and fields of the newest such event" },
    FactDeclaration { name: "event-error.count", kind: FactKind::Number, meaning: "how often it was written" },
    FactDeclaration { name: "event-error.recent", kind: FactKind::Bool, meaning: "whether it was written in the last thirty days that the log covers" },
    FactDeclaration { name: "drive.name", kind: FactKind::Text, meaning: "the drive or volume as the system log names it: \\Device\\Harddisk0\\DR0, C:" },
    FactDeclaration {
        name: "drive.trouble",
        kind: FactKind::Text,
        meaning: "what the last thirty days of the system log say: predicts-failure (the drive said so itself), bad-blocks (it could not be read or written in several places), structure-damaged (the file system), \
                  connection (many requests were repeated) or little (single events, as every computer has them)",
    },
    FactDeclaration { name: "drive.internal", kind: FactKind::Bool, meaning: "whether it is a drive that was there at the start (its DR number is the disk's) or the volume of Windows; no for what was plugged in later" },
];

const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let zone = Zone::of(target);
    let mut all: Vec<Event> = Vec::new();
    for file in wanted::files() {
        let Some(log) = log(target, file, facts) else { continue };
        let shown = kept::path(target, file).with_drive(target.drive());
        for trouble in errors::troubles(&log) {
            facts.subjects.extend(subject(target, &trouble, &shown, &zone));
        }
        if file == wanted::SYSTEM {
            facts.subjects.extend(errors::drives(&log).iter().map(|drive| drive_subject(target, drive, &shown, &zone)));
        }
        all.extend(log.events);
    }
    all.sort_by_key(|event| (event.unix, event.record));
    facts.failures.extend(updates::failures(&all, &zone, &|file| kept::path(target, file).with_drive(target.drive())));
}

/// One log; what could not be read of it is said.
fn log(target: &dyn Target, file: &str, facts: &mut Facts) -> Option<Log> {
    let what = format!("event log {}", kept::path(target, file).with_drive(target.drive()));
    let mut not_checked = |why: String| facts.not_checked.push(NotChecked { what: what.clone(), why, blocking: false });
    let log = match kept::log_of(target, file, &wanted::of_file(file)) {
        Reading::Known(log) => log,
        // A log in which nothing was ever written has no file.
        Reading::Absent => return None,
        Reading::NotCollected => {
            not_checked("it is not part of what was given".into());
            return None;
        }
        Reading::Unreadable(why) => {
            not_checked(why);
            return None;
        }
    };
    if log.bad > 0 {
        let first = log.first_bad.clone().unwrap_or_default();
        not_checked(format!("{} record(s) or part(s) of it are damaged and were left out; {} were read. The first: {first}", log.bad, log.records));
    }
    if !log.not_covered.is_empty() {
        not_checked(format!("the program that collected it did not keep: {}", log.not_covered.join("; ")));
    }
    Some(log)
}

fn subject(target: &dyn Target, trouble: &Trouble, log: &str, zone: &Zone) -> Option<Subject> {
    let start = |service: &str| target.value(&format!("{SERVICES}\\{service}"), "Start").into_known().as_ref().and_then(RegistryData::as_dword);
    if trouble.kind == "service" {
        let known = defaults::services(target.windows()).iter().any(|row| row.service.eq_ignore_ascii_case(&trouble.object) && row.role != "related");
        // Windows itself changes start types back and forth; who disabled a service is of interest while it is disabled.
        if !known || (trouble.rule == "service-start-changed" && start(&trouble.object) != Some(4)) {
            return None;
        }
    }
    let state = match trouble.kind {
        "service" => state(&target.key(&format!("{SERVICES}\\{}", trouble.object))),
        "file" => match target.expand(&trouble.object) {
            Expanded::Here(path) => state(&target.entry(&path)),
            _ => "unclear",
        },
        _ => "unclear",
    };
    let at = format!("record {}", trouble.record);
    let mut subject = Subject::new("event-error", format!("{} {} {}", trouble.rule, trouble.object, trouble.code));
    subject.when = zone.local(trouble.last);
    let mut put = |name, reading, says: String| subject.put(name, fact(reading, says, log, &at));
    let code = if trouble.code.is_empty() { String::new() } else { format!(" with {}", trouble.code) };
    let when = format!("{} time(s), from {} to {}{}", trouble.count, zone.local(trouble.first), zone.local(trouble.last), zone.note());
    put("event-error.rule", text(trouble.rule), format!("{}{code}: {} ({when})", trouble.object, trouble.rule.replace('-', " ")));
    put("event-error.code", if code.is_empty() { Reading::Absent } else { text(&trouble.code) }, format!("The code is{code}"));
    put("event-error.object", text(&trouble.object), format!("The event names {}", trouble.object));
    put("event-error.kind", text(trouble.kind), format!("{} is a {}", trouble.object, trouble.kind));
    put("event-error.state", text(state), format!("{} is now: {state}", trouble.object));
    put("event-error.log", text(log), log.to_owned());
    put("event-error.phase", text(trouble.phase), trouble.phase.to_owned());
    put("event-error.line-text", text(&trouble.line), trouble.line.clone());
    put("event-error.count", Reading::Known(Value::Number(trouble.count.into())), when.clone());
    put("event-error.recent", Reading::Known(Value::Bool(trouble.recent)), when.clone());
    Some(subject)
}

fn state<T>(reading: &Reading<T>) -> &'static str {
    match reading {
        Reading::Known(_) => "present",
        Reading::Absent => "absent",
        Reading::NotCollected => "not-collected",
        Reading::Unreadable(_) => "unreadable",
    }
}

/// So many single events are daily life: a cable that was moved, a drive that woke up slowly.
const FEW: u64 = 10;

fn drive_subject(target: &dyn Target, drive: &Drive, log: &str, zone: &Zone) -> Subject {
    let trouble = match drive {
        Drive { predicted: 1.., .. } => "predicts-failure",
        Drive { bad_blocks: 3.., .. } => "bad-blocks",
        Drive { structure: 1.., .. } => "structure-damaged",
        Drive { retries, paging, .. } if retries + paging >= FEW => "connection",
        _ => "little",
    };
    let counts = [
        (drive.predicted, "forecasts of its failure by the drive itself"),
        (drive.bad_blocks, "bad blocks"),
        (drive.structure, "damages of the file system"),
        (drive.retries, "repeated or unanswered requests"),
        (drive.paging, "errors while paging"),
    ];
    let counts: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let says = format!("{}: in thirty days the system log holds {}; the last on {}{}", drive.name, counts.join(", "), zone.local(drive.last.0), zone.note());
    let internal = internal(&drive.name, target.drive());
    let at = format!("record {}", drive.last.1);
    let mut subject = Subject::new("drive", &drive.name);
    subject.when = zone.local(drive.last.0);
    subject.put("drive.name", fact(text(&drive.name), format!("The drive is {}", drive.name), log, &at));
    subject.put("drive.trouble", fact(text(trouble), says, log, &at));
    let place = if internal { "was there when Windows started" } else { "was plugged in later, or is not the drive of Windows" };
    subject.put("drive.internal", fact(Reading::Known(Value::Bool(internal)), format!("{} {place}", drive.name), log, &at));
    subject
}

/// `\Device\Harddisk0\DR0` was there at the start; a stick plugged in later gets a higher DR number. Of volumes only the one of Windows
/// is known.
fn internal(name: &str, windows: char) -> bool {
    let lower = name.to_ascii_lowercase();
    if let Some(letter) = lower.strip_suffix(':') {
        return letter == windows.to_ascii_lowercase().to_string();
    }
    let Some((disk, run)) = lower.strip_prefix("\\device\\harddisk").and_then(|rest| rest.split_once("\\dr")) else { return false };
    disk == run && disk.parse::<u32>().is_ok()
}
