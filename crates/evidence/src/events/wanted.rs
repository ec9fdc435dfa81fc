//! The events that anything here uses, declared once: which log, which provider, which numbers, which fields.
//!
//! Sources: cause catalogue section 14; field names as in published logs of Windows 10 and 11. Fields without a name are called by
//! their number, from 0. Where a field has no known name everywhere, each name that was seen is listed.

/// Events of one provider in one log.
#[derive(Debug)]
pub struct Wanted {
    /// The log's file in `System32\winevt\Logs`, without `.evtx`.
    pub file: &'static str,
    /// The provider's name; compared without regard to case.
    pub provider: &'static str,
    /// The event numbers.
    pub ids: &'static [u16],
    /// The fields that are kept.
    pub fields: &'static [&'static str],
}

/// The system log.
pub const SYSTEM: &str = "System";
/// What servicing wrote.
pub const SETUP: &str = "Setup";
/// Programs' log.
pub const APPLICATION: &str = "Application";
/// The update client's own log.
pub const UPDATE_CLIENT: &str = "Microsoft-Windows-WindowsUpdateClient%4Operational";
/// The transfer service's own log.
pub const BITS: &str = "Microsoft-Windows-Bits-Client%4Operational";
/// What Microsoft Defender found and did.
pub const DEFENDER: &str = "Microsoft-Windows-Windows Defender%4Operational";

/// The update client.
pub const CLIENT: &str = "Microsoft-Windows-WindowsUpdateClient";
/// The kernel: starts and the clock.
pub const KERNEL: &str = "Microsoft-Windows-Kernel-General";
/// Installation of programs.
pub const INSTALLER: &str = "MsiInstaller";
/// Restore points.
pub const RESTORE: &str = "System Restore";
/// Servicing.
pub const SERVICING: &str = "Microsoft-Windows-Servicing";
/// The program that installs a lone update file.
pub const ALONE: &str = "Microsoft-Windows-WUSA";
/// The service control manager.
pub const SERVICES: &str = "Service Control Manager";
/// Windows itself about programs that crashed.
pub const CRASH: &str = "Application Error";
const UPDATE: &[&str] = &["updateTitle", "updateGuid", "errorCode"];
const TITLE: &[&str] = &["updateTitle", "updateGuid"];
const PACKAGE: &[&str] = &["PackageIdentifier", "ErrorCode", "Client", "IntendedPackageState"];
const SERVICE: &[&str] = &["param1", "param2", "param3", "param4", "Binary"];
const DEVICE: &[&str] = &["DeviceName", "Device", "DriveName", "CorruptionActionState", "0", "1", "2"];

/// Every wanted event.
pub const WANTED: &[Wanted] = &[
    Wanted { file: SYSTEM, provider: CLIENT, ids: &[19, 20, 23, 24, 25, 26, 31, 41], fields: UPDATE },
    Wanted { file: UPDATE_CLIENT, provider: CLIENT, ids: &[19, 20, 23, 24, 25, 26, 31, 41], fields: UPDATE },
    Wanted { file: SETUP, provider: SERVICING, ids: &[2, 3, 4], fields: PACKAGE },
    Wanted { file: SETUP, provider: ALONE, ids: &[2, 3], fields: &["UpdateTitle", "ErrorCode", "CommandLine"] },
    Wanted { file: SYSTEM, provider: "Microsoft-Windows-WinREAgent", ids: &[4502], fields: &["ErrorPhase", "ErrorCode"] },
    Wanted { file: SYSTEM, provider: SERVICES, ids: &[7000, 7001, 7003, 7009, 7011, 7023, 7024, 7031, 7038, 7040, 7041], fields: SERVICE },
    Wanted { file: SYSTEM, provider: "disk", ids: &[7, 11, 51, 52, 153, 154], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "storahci", ids: &[129], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "stornvme", ids: &[11, 129], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "Ntfs", ids: &[55, 98, 131], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "Microsoft-Windows-Ntfs", ids: &[55, 98, 131], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "Schannel", ids: &[36871, 36874, 36887, 36888], fields: &["AlertDesc", "Protocol", "ErrorState", "Type"] },
    Wanted {
        file: APPLICATION,
        provider: "ESENT",
        ids: &[454, 455, 467, 474, 477, 481, 508, 509, 510, 516, 531],
        fields: &["0", "2", "3", "4", "5", "6", "7", "8", "9"],
    },
    // Windows 11 gives the fields names; before, they are the same in the same order.
    Wanted {
        file: APPLICATION,
        provider: CRASH,
        ids: &[1000],
        fields: &["AppName", "ModuleName", "ExceptionCode", "ModulePath", "0", "3", "6", "11"],
    },
    Wanted { file: BITS, provider: "Microsoft-Windows-Bits-Client", ids: &[16392, 16404], fields: &["ErrorCode", "errorCode", "hr", "0"] },
    Wanted { file: "Microsoft-Windows-CAPI2%4Operational", provider: "Microsoft-Windows-CAPI2", ids: &[11, 30], fields: &["Result"] },
    Wanted {
        file: "Microsoft-Windows-TaskScheduler%4Operational",
        provider: "Microsoft-Windows-TaskScheduler",
        ids: &[146],
        fields: &["TaskName", "ResultCode"],
    },
    Wanted {
        file: DEFENDER,
        provider: "Microsoft-Windows-Windows Defender",
        ids: &[1117],
        fields: &["Threat Name", "Path", "Action ID", "Error Code"],
    },
];

/// What only happened, for the history of a machine; another table, because it proves no fault.
pub const HAPPENED: &[Wanted] = &[
    Wanted { file: SYSTEM, provider: KERNEL, ids: &[1, 12], fields: &["NewTime", "OldTime", "Reason"] },
    Wanted { file: SYSTEM, provider: "EventLog", ids: &[6005, 6008], fields: &[] },
    Wanted { file: SYSTEM, provider: "Microsoft-Windows-Kernel-Power", ids: &[41], fields: &["BugcheckCode"] },
    Wanted { file: SYSTEM, provider: SERVICES, ids: &[7040], fields: &["param1", "param2", "param3", "param4"] },
    Wanted { file: SYSTEM, provider: SERVICES, ids: &[7045], fields: &["ServiceName", "ImagePath"] },
    Wanted { file: SYSTEM, provider: CLIENT, ids: &[19, 23, 43, 44], fields: TITLE },
    Wanted { file: UPDATE_CLIENT, provider: CLIENT, ids: &[19, 23, 43, 44], fields: TITLE },
    Wanted { file: SYSTEM, provider: "disk", ids: &[7, 11, 51, 52, 153, 154], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "storahci", ids: &[129], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "stornvme", ids: &[11, 129], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "Ntfs", ids: &[55, 98, 131], fields: DEVICE },
    Wanted { file: SYSTEM, provider: "Microsoft-Windows-Ntfs", ids: &[55, 98, 131], fields: DEVICE },
    Wanted { file: SETUP, provider: SERVICING, ids: &[2, 4], fields: &["PackageIdentifier", "IntendedPackageState", "Client"] },
    Wanted { file: SETUP, provider: ALONE, ids: &[2], fields: &["UpdateTitle"] },
    Wanted { file: APPLICATION, provider: INSTALLER, ids: &[1033, 1034, 1036, 1037], fields: &["0", "1", "3", "4"] },
    Wanted { file: APPLICATION, provider: RESTORE, ids: &[8194], fields: &["0", "1"] },
];

/// The rows of one log.
pub fn of_file(file: &str) -> Vec<&'static Wanted> {
    WANTED.iter().filter(|row| row.file == file).collect()
}

/// The rows of one log for the history.
pub fn happened_in(file: &str) -> Vec<&'static Wanted> {
    HAPPENED.iter().filter(|row| row.file == file).collect()
}

/// The rows of one log that are collected: all. Where an event is in both tables, the first has the more fields.
pub fn collected_of(file: &str) -> Vec<&'static Wanted> {
    WANTED.iter().chain(HAPPENED).filter(|row| row.file == file).collect()
}

/// Every log that is read, each once, in the order of the table.
pub fn files() -> Vec<&'static str> {
    let mut files: Vec<&str> = Vec::new();
    for row in WANTED {
        if !files.contains(&row.file) {
            files.push(row.file);
        }
    }
    files
}
