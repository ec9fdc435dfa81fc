//! Where a member of a bundle belongs in Windows, by its own path and by its name.

use crate::names_equal;
use model::VolumePath;

/// Folders of the Windows folder below which a member's own path is believed.
const IN_WINDOWS: [&str; 15] = [
    "System32",
    "SysWOW64",
    "Logs",
    "CCM",
    "Panther",
    "INF",
    "SoftwareDistribution",
    "servicing",
    "WinSxS",
    "ServiceProfiles",
    "Temp",
    "debug",
    "Minidump",
    "Setup",
    "LiveKernelReports",
];

/// Ends of paths by which a member is recognised where the folders above were not packed, and where they lie.
const ENDS: [(&str, &[&str], &str); 14] = [
    ("WER", &["ReportArchive", "ReportQueue"], "ProgramData\\Microsoft\\Windows"),
    ("CCM", &["Logs"], "Windows"),
    ("Recovery", &["ReAgent.xml"], "Windows\\System32"),
    ("winevt", &["Logs"], "Windows\\System32"),
    ("System32", &["config", "winevt", "LogFiles", "catroot2", "drivers"], "Windows"),
    ("config", &["SYSTEM", "SOFTWARE", "DEFAULT", "COMPONENTS", "DRIVERS", "SAM", "SECURITY"], "Windows\\System32"),
    ("Logs", &["CBS", "DISM", "DPX", "MoSetup", "NetSetup", "SIH", "SetupDiag", "WindowsUpdate", "waasmedic"], "Windows"),
    ("CBS", &["CBS.log"], "Windows\\Logs"),
    ("DISM", &["dism.log"], "Windows\\Logs"),
    ("MoSetup", &["BlueBox.log", "UpdateAgent.log"], "Windows\\Logs"),
    ("SoftwareDistribution", &["ReportingEvents.log", "DataStore", "Download"], "Windows"),
    ("Panther", &["setupact.log", "setuperr.log", "UnattendGC", "NewOs", "Rollback"], "Windows"),
    ("UnattendGC", &["setupact.log", "setuperr.log"], "Windows\\Panther"),
    ("INF", &["setupapi.dev.log", "setupapi.setup.log", "setupapi.offline.log", "setupapi.upgrade.log"], "Windows"),
];

/// Where the Configuration Manager client keeps its logs.
const CCM: &str = "Windows\\CCM\\Logs";

/// Names by which a member is recognised wherever it was packed; `*` stands for any end.
const NAMES: [(&str, &str); 46] = [
    ("BlueBox.log", "Windows\\Logs\\MoSetup"),
    ("CBS.log", "Windows\\Logs\\CBS"),
    ("CbsPersist_*", "Windows\\Logs\\CBS"),
    ("CheckSUR.log", "Windows\\Logs\\CBS"),
    ("CheckSUR.persist.log", "Windows\\Logs\\CBS"),
    ("COMPONENTS", "Windows\\System32\\config"),
    ("DEFAULT", "Windows\\System32\\config"),
    ("DRIVERS", "Windows\\System32\\config"),
    ("DataStore.edb", "Windows\\SoftwareDistribution\\DataStore"),
    ("ReAgent.xml", "Windows\\System32\\Recovery"),
    ("ReportingEvents.log", "Windows\\SoftwareDistribution"),
    ("SAM", "Windows\\System32\\config"),
    ("SECURITY", "Windows\\System32\\config"),
    ("SOFTWARE", "Windows\\System32\\config"),
    ("SYSTEM", "Windows\\System32\\config"),
    ("ScanResult.xml", "$WINDOWS.~BT\\Sources\\Panther"),
    ("SetupDiagResults.json", "Windows\\Logs\\SetupDiag"),
    ("SetupDiagResults.log", "Windows\\Logs\\SetupDiag"),
    ("SetupDiagResults.xml", "Windows\\Logs\\SetupDiag"),
    ("ScanAgent.log", CCM),
    ("UpdateAgent.log", "Windows\\Logs\\MoSetup"),
    ("UpdatesDeployment.log", CCM),
    ("UpdatesHandler.log", CCM),
    ("UpdatesStore.log", CCM),
    ("WUAHandler.log", CCM),
    ("WindowsUpdate.log", "Windows"),
    ("CompatData_*", "$WINDOWS.~BT\\Sources\\Panther"),
    ("*_APPRAISER_HumanReadable.xml", "$WINDOWS.~BT\\Sources\\Panther"),
    ("catdb", "Windows\\System32\\catroot2\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"),
    ("diagerr.xml", "Windows\\Panther"),
    ("diagwrn.xml", "Windows\\Panther"),
    ("dism.log", "Windows\\Logs\\DISM"),
    ("dism.log.bak", "Windows\\Logs\\DISM"),
    ("dpx.log", "Windows\\Logs\\DPX"),
    ("pending.xml", "Windows\\WinSxS"),
    ("poqexec.log", "Windows\\WinSxS"),
    // Without its folder it is taken for the log of an upgrade: those of the installation itself are of use to nobody.
    ("setupact.log", "$WINDOWS.~BT\\Sources\\Panther"),
    ("setupapi.dev.*", "Windows\\INF"),
    ("setupapi.offline.*", "Windows\\INF"),
    ("setupapi.setup.*", "Windows\\INF"),
    ("setupapi.upgrade.*", "Windows\\INF"),
    ("setuperr.log", "$WINDOWS.~BT\\Sources\\Panther"),
    ("setupmem.dmp", "$WINDOWS.~BT\\Sources\\Rollback"),
    ("qmgr.db", "ProgramData\\Microsoft\\Network\\Downloader"),
    ("DPX_*.log", "Windows\\Logs\\DPX"),
    ("sessions.xml", "Windows\\servicing\\Sessions"),
];

/// Devices of DOS; no file can have these names, with any ending.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// The parts of a member's name, which may be parted by `/` or `\`.
///
/// # Errors
/// In words: why this name is not followed.
pub(super) fn parts(name: &str) -> Result<VolumePath, &'static str> {
    let drive = name.get(1..2) == Some(":") && name.starts_with(|c: char| c.is_ascii_alphabetic());
    if name.starts_with(['/', '\\']) || drive {
        return Err("its name is an absolute path");
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err("its name leads out of the bundle");
    }
    let path = VolumePath::parse(name).map_err(|_| "its name holds a character that no file of Windows can have")?;
    if path.components().iter().any(|part| is_device(part)) {
        return Err("it is named like a device");
    }
    if path.components().is_empty() {
        return Err("it has no name");
    }
    Ok(path)
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end();
    let port = |name: &str| match stem.get(..3) {
        Some(start) => start.eq_ignore_ascii_case(name) && stem.len() == 4 && stem.ends_with(|c: char| ('1'..='9').contains(&c)),
        None => false,
    };
    DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem)) || port("COM") || port("LPT")
}

/// The place that a member's own path names, when it ends like a path of Windows: `C/Windows/Logs/CBS/CBS.log`, `winevt/Logs/System.evtx`.
pub(super) fn by_path(name: &VolumePath) -> Option<VolumePath> {
    let parts = name.components();
    let from = |at: usize| parts.get(at..).map(|rest| rest.join("\\")).unwrap_or_default();
    let is = |at: usize, wanted: &str| parts.get(at).is_some_and(|part| names_equal(part, wanted));
    let parse = |text: String| VolumePath::parse(&text).ok();
    // A file itself is at the end; folders before it.
    let folders = parts.len().saturating_sub(1);
    for at in (0..folders).rev() {
        if (is(at, "$WINDOWS.~BT") || is(at, "$Windows.~WS")) && at + 1 < folders {
            return parse(from(at));
        }
        if (is(at, "Windows") || is(at, "WINNT")) && at + 1 < folders && IN_WINDOWS.iter().any(|folder| is(at + 1, folder)) {
            return parse(format!("Windows\\{}", from(at + 1)));
        }
    }
    for at in (0..folders).rev() {
        // Of the folders called Panther, this one holds what Setup did to a Windows that was there before.
        if is(at, "Sources") && at + 1 < folders && (is(at + 1, "Panther") || is(at + 1, "Rollback")) {
            return parse(format!("$WINDOWS.~BT\\{}", from(at)));
        }
    }
    for at in (0..folders).rev() {
        for (folder, next, above) in ENDS {
            if is(at, folder) && next.iter().any(|next| is(at + 1, next)) {
                return parse(format!("{above}\\{}", from(at)));
            }
        }
    }
    None
}

/// The place of a file of that name; event logs go by their content first.
pub(super) fn by_name(name: &str) -> Option<VolumePath> {
    let fits = |pattern: &str| match pattern.split_once('*') {
        None => names_equal(pattern, name),
        Some((start, end)) => {
            let (start, end) = (start.to_ascii_lowercase(), end.to_ascii_lowercase());
            let lower = name.to_ascii_lowercase();
            lower.len() > start.len() + end.len() && lower.starts_with(&start) && lower.ends_with(&end)
        }
    };
    let (pattern, folder) = NAMES.iter().find(|(pattern, _)| fits(pattern))?;
    let name = if pattern.contains('*') { name } else { pattern };
    VolumePath::parse(&format!("{folder}\\{name}")).ok()
}

/// The place of an error report that was sent alone: each has a folder of its own, which is named like its event.
pub(super) fn of_report(event: &str, origin: &str) -> Option<VolumePath> {
    let word = |text: &str, most: usize| text.chars().filter(char::is_ascii_alphanumeric).take(most).collect::<String>();
    let event = word(event, 60);
    // Reports from different places must not take each other's.
    let number = crate::sha256(origin.as_bytes());
    let folder = format!("NonCritical_{event}_{}", number.get(..16).unwrap_or_default());
    (!event.is_empty())
        .then(|| VolumePath::parse(&format!("ProgramData\\Microsoft\\Windows\\WER\\ReportArchive\\{folder}\\Report.wer")).ok())
        .flatten()
}

/// True for the folders in which a name that is not listed says nothing: Windows keeps logs there, and removes them as it likes. Of
/// no other folder does a bundle give a list.
pub(super) fn holds_logs(folder: &VolumePath) -> bool {
    let below = |parts: &[&str]| {
        let there = folder.components();
        there.len() >= parts.len() && parts.iter().zip(there).all(|(one, other)| names_equal(one, other))
    };
    below(&["Windows", "Logs"])
        || below(&["Windows", "System32", "winevt", "Logs"])
        || below(&["Windows", "System32", "LogFiles"])
        || below(&["Windows", "Panther"])
        || below(&["Windows", "CCM", "Logs"])
        || below(&["ProgramData", "Microsoft", "Windows", "WER"])
        || below(&["$WINDOWS.~BT", "Sources", "Panther"])
        || below(&["$WINDOWS.~BT", "Sources", "Rollback"])
}

#[cfg(test)]
mod tests {
    use super::{by_name, by_path, holds_logs, parts};

    fn placed(name: &str) -> Option<String> {
        let path = parts(name).ok()?;
        by_path(&path).or_else(|| by_name(path.file_name())).map(|path| path.to_string())
    }

    #[test]
    fn paths_that_end_like_windows_are_believed() {
        for (name, place) in [
            ("Windows/Logs/CBS/CBS.log", "\\Windows\\Logs\\CBS\\CBS.log"),
            ("C/Windows/Logs/CBS/CBS.log", "\\Windows\\Logs\\CBS\\CBS.log"),
            ("case 12\\pc\\WINDOWS\\INF\\setupapi.dev.log", "\\Windows\\INF\\setupapi.dev.log"),
            ("winevt/Logs/System.evtx", "\\Windows\\System32\\winevt\\Logs\\System.evtx"),
            ("pc/config/SYSTEM", "\\Windows\\System32\\config\\SYSTEM"),
            ("C/Windows/System32/config/RegBack/SYSTEM", "\\Windows\\System32\\config\\RegBack\\SYSTEM"),
            ("$WINDOWS.~BT/Sources/Panther/setupact.log", "\\$WINDOWS.~BT\\Sources\\Panther\\setupact.log"),
            ("x/Windows/Panther/NewOs/Panther/setupact.log", "\\Windows\\Panther\\NewOs\\Panther\\setupact.log"),
            // No path of Windows: the name decides.
            ("Users/anna/Desktop/Windows/cbs.LOG", "\\Windows\\Logs\\CBS\\CBS.log"),
            ("CbsPersist_20240101.log", "\\Windows\\Logs\\CBS\\CbsPersist_20240101.log"),
            ("a/setupact.log", "\\$WINDOWS.~BT\\Sources\\Panther\\setupact.log"),
            ("a/Panther/setupact.log", "\\Windows\\Panther\\setupact.log"),
            ("a/Sources/Panther/setupact.log", "\\$WINDOWS.~BT\\Sources\\Panther\\setupact.log"),
            ("sent/WUAHandler.log", "\\Windows\\CCM\\Logs\\WUAHandler.log"),
            ("sent/CCM/Logs/UpdatesStore-20240102-030405.log", "\\Windows\\CCM\\Logs\\UpdatesStore-20240102-030405.log"),
            ("Recovery/reagent.xml", "\\Windows\\System32\\Recovery\\reagent.xml"),
            ("WER/ReportArchive/NonCritical_x/Report.wer", "\\ProgramData\\Microsoft\\Windows\\WER\\ReportArchive\\NonCritical_x\\Report.wer"),
        ] {
            assert_eq!(placed(name).as_deref(), Some(place), "{name}");
        }
        assert_eq!(placed("notes.txt"), None);
        assert_eq!(placed("Windows/readme.txt"), None);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in
            ["../../etc/passwd", "a\\..\\..\\CBS.log", "/etc/passwd", "C:\\Windows\\x", "\\\\server\\x", "a/NUL", "com1.log", "a/b:c", "", "./"]
        {
            assert!(parts(name).is_err(), "{name}");
        }
        assert!(parts("command.log").is_ok());
    }

    #[test]
    fn only_folders_of_logs_are_listed() {
        let holds = |text: &str| parts(text).is_ok_and(|path| holds_logs(&path));
        assert!(holds("Windows/Logs/CBS") && holds("windows/system32/WINEVT/logs") && holds("Windows/Panther/NewOs"));
        for other in ["Windows", "Windows/System32", "Windows/WinSxS", "Windows/INF", "Windows/SoftwareDistribution", "Windows/System32/drivers"] {
            assert!(!holds(other), "{other}");
        }
    }
}
