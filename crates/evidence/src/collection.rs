//! Evidence that no probe asks for but people who help do: logs, and with `--full` the registry and event logs as they are. And what
//! of the evidence is never given away as it is without `--full`: hives and event logs, in which nothing can be replaced.

use crate::events::{Log, kept, wanted};
use model::{LeftOut, Reading, VolumePath};
use target::{Answers, Content, Recording, Rewrite, Target};

/// Whether and how a file is given away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privacy {
    /// A text, in which names, numbers and addresses are replaced.
    Redacted,
    /// Binary, so nothing in it can be replaced: only with `--full`, as it is.
    OnlyFull,
}

/// One kind of files.
#[derive(Debug, Clone, Copy)]
pub struct Extra {
    /// The folder below the Windows folder.
    pub folder: &'static str,
    /// The file's name; `*` in it stands for any text, and then only the newest `most` files are meant.
    pub name: &'static str,
    /// How many files.
    pub most: usize,
    /// Whether and how it is given away.
    pub privacy: Privacy,
    /// What it is good for.
    pub why: &'static str,
}

const fn log(folder: &'static str, name: &'static str, why: &'static str) -> Extra {
    Extra { folder, name, most: 1, privacy: Privacy::Redacted, why }
}

const fn raw(folder: &'static str, name: &'static str, most: usize, why: &'static str) -> Extra {
    Extra { folder, name, most, privacy: Privacy::OnlyFull, why }
}

/// Every kind, in the order of the folders.
pub const EXTRAS: [Extra; 22] = [
    log("", "WindowsUpdate.log", "the update client, up to Windows 8.1"),
    log("INF", "setupapi.dev.log", "installation of drivers"),
    log("Logs\\CBS", "CBS.log", "servicing: which component failed, and why"),
    log("Logs\\CBS", "CbsPersist_*.log", "the part of it before the last restart"),
    log("Logs\\CBS", "CheckSUR.log", "the readiness tool of Windows 7"),
    log("Logs\\DISM", "dism.log", "DISM"),
    log("Logs\\MoSetup", "BlueBox.log", "the upgrade by Windows Update"),
    log("Panther", "setupact.log", "Setup: what it did"),
    log("Panther", "setuperr.log", "Setup: what failed"),
    log("SoftwareDistribution", "ReportingEvents.log", "the history of updates"),
    raw("Logs\\WindowsUpdate", "*.etl", 20, "traces of the update client from Windows 10 on"),
    raw("System32\\config", "SYSTEM", 1, "the registry hive, with all services and drivers"),
    raw("System32\\config", "SOFTWARE", 1, "the registry hive, with all programs and packages"),
    raw("System32\\config", "COMPONENTS", 1, "the registry hive of the component store"),
    raw("System32\\winevt\\Logs", "System.evtx", 1, "the event log of the system"),
    raw("System32\\winevt\\Logs", "Application.evtx", 1, "the event log of programs"),
    raw("System32\\winevt\\Logs", "Setup.evtx", 1, "the event log of updates"),
    raw("System32\\winevt\\Logs", "Microsoft-Windows-WindowsUpdateClient%4Operational.evtx", 1, "the event log of the update client"),
    raw("System32\\winevt\\Logs", "Microsoft-Windows-Bits-Client%4Operational.evtx", 1, "the event log of downloads"),
    raw("System32\\winevt\\Logs", "Microsoft-Windows-CAPI2%4Operational.evtx", 1, "the event log of certificates"),
    raw("System32\\winevt\\Logs", "Microsoft-Windows-TaskScheduler%4Operational.evtx", 1, "the event log of scheduled tasks"),
    raw("System32\\winevt\\Logs", "Microsoft-Windows-Windows Defender%4Operational.evtx", 1, "the event log of Microsoft Defender"),
];

/// What is never collected, in no mode: passwords, and what people keep.
pub const NEVER: [&str; 5] = ["SAM", "SECURITY", "NTUSER.DAT", "UsrClass.dat", "Security.evtx"];

/// Of a longer log only so many last bytes are kept.
const LONGEST: usize = 20 << 20;
/// A larger file is not read at all.
const LARGEST: u64 = 512 << 20;

/// Adds these files to what was recorded.
pub fn gather(recording: &Recording<'_>, full: bool) {
    for extra in &EXTRAS {
        let folder = recording.windows_folder().join(extra.folder);
        let names = match extra.name.split_once('*') {
            None => vec![extra.name.to_owned()],
            Some(ends) => newest(recording, &folder, ends, extra.most),
        };
        for name in names {
            let path = folder.join(&name);
            match extra.privacy {
                Privacy::Redacted => recording.keep(&path, LARGEST, LONGEST),
                Privacy::OnlyFull if full => recording.keep(&path, LARGEST, usize::MAX),
                Privacy::OnlyFull => {
                    if recording.entry(&path).known().is_some() {
                        let instead = match name.strip_suffix(".evtx") {
                            Some(log) => format!("; the events that a diagnosis looks at are in {log}.ndjson"),
                            None => String::new(),
                        };
                        let says = format!("{}; nothing in it can be replaced, so it is collected only with --full{instead}", extra.why);
                        recording.leave_out(&path, says);
                    }
                }
            }
        }
    }
}

/// How files begin in which nothing can be replaced and that name many people: event logs and registry hives.
const RAW: [&[u8]; 2] = [b"ElfFile\0", b"regf"];

/// The wanted events of a machine, taken out of the answers so that they can be kept as text.
pub struct EventLogs(Vec<(VolumePath, &'static str, Log)>);

impl EventLogs {
    /// Reads the wanted events, and takes every event log and hive out of the answers: what a probe read of them must not be kept.
    pub fn take_from(answers: &mut Answers, target: &dyn Target) -> EventLogs {
        let mut logs = Vec::new();
        for file in wanted::files() {
            let Reading::Known(log) = kept::log_of(target, file, &wanted::collected_of(file)) else { continue };
            let text = kept::text_path(target, file);
            for path in [kept::path(target, file), text.clone()] {
                answers.files.put(path.to_string(), Reading::NotCollected);
            }
            logs.push((text, file, log));
        }
        let is_raw = |content: &Content| RAW.iter().any(|start| content.bytes.starts_with(start));
        let raw: Vec<String> = answers.files.iter().filter(|(_, there)| there.known().is_some_and(is_raw)).map(|(path, _)| path.to_owned()).collect();
        for path in raw {
            let why = "it is a registry hive or an event log; nothing in it can be replaced, so it is collected only with --full";
            answers.left_out.push(LeftOut { what: format!("{}:{path}", answers.drive), why: why.into() });
            answers.files.put(path, Reading::NotCollected);
        }
        EventLogs(logs)
    }

    /// Adds them to the rewritten answers, rewritten field by field.
    pub fn add_to(&self, answers: &mut Answers, by: &dyn Rewrite) {
        for (path, file, log) in &self.0 {
            let content = Content { bytes: kept::write(log, file, by), part: model::CollectedPart::Whole };
            answers.files.put(by.text(&path.to_string()), Reading::Known(content));
        }
    }
}

/// The newest files of a folder whose names begin and end so.
fn newest(recording: &Recording<'_>, folder: &model::VolumePath, (start, end): (&str, &str), most: usize) -> Vec<String> {
    let (start, end) = (start.to_lowercase(), end.to_lowercase());
    let names = recording.list(folder).into_known().unwrap_or_default();
    let fits = |name: &str| name.len() >= start.len() + end.len() && name.starts_with(&start) && name.ends_with(&end);
    let mut dated: Vec<(i64, String)> = names
        .into_iter()
        .filter(|name| fits(&name.to_lowercase()))
        .map(|name| (recording.entry(&folder.join(&name)).into_known().map_or(0, |entry| entry.modified), name))
        .collect();
    dated.sort_by(|one, other| other.cmp(one));
    dated.into_iter().take(most).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_event_log_that_is_read_is_said_to_be_left_out() {
        for file in crate::events::wanted::files() {
            let name = format!("{file}.evtx");
            assert!(super::EXTRAS.iter().any(|extra| extra.name == name && extra.privacy == super::Privacy::OnlyFull), "{name}");
        }
    }

    #[test]
    fn what_is_never_collected_is_in_no_list() {
        for extra in super::EXTRAS {
            assert!(!super::NEVER.iter().any(|never| never.eq_ignore_ascii_case(extra.name)), "{}", extra.name);
            // A pattern must not fetch one of them either.
            assert!(!extra.name.contains('*') || !extra.folder.ends_with("config") && !extra.folder.ends_with("winevt\\Logs"), "{}", extra.name);
        }
    }
}
