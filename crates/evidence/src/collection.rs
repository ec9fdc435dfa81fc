//! Evidence that no probe asks for but people who help do: logs, and with `--full` the registry and event logs as they are.

use target::{Recording, Target};

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
pub const EXTRAS: [Extra; 19] = [
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
                        recording.leave_out(&path, format!("{}; nothing in it can be replaced, so it is collected only with --full", extra.why));
                    }
                }
            }
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
    fn what_is_never_collected_is_in_no_list() {
        for extra in super::EXTRAS {
            assert!(!super::NEVER.iter().any(|never| never.eq_ignore_ascii_case(extra.name)), "{}", extra.name);
            // A pattern must not fetch one of them either.
            assert!(!extra.name.contains('*') || !extra.folder.ends_with("config") && !extra.folder.ends_with("winevt\\Logs"), "{}", extra.name);
        }
    }
}
