//! What only a running Windows can do with programs of its own: named, never a command line.

use crate::{UpdateName, UpdateTry, VolumePath, WindowsVersion};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One piece of work of Windows' own repair programs. It stands in journals and guides; which program it is and with which words that is
/// called, only the running Windows as a target knows. Nothing of it can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub enum Operation {
    /// The component store repairs itself: DISM with RestoreHealth.
    RepairComponentStore {
        /// A folder with the files of another Windows of the same build; without one Windows Update is asked for what is missing.
        source: Option<String>,
    },
    /// Every protected file is compared with the component store and put right: SFC with scannow.
    ScanSystemFiles,
    /// The same for one file: SFC with scanfile.
    ScanSystemFile {
        /// The file.
        path: VolumePath,
    },
    /// The time service asks its servers now and sets the clock: w32tm with resync.
    SynchronizeClock,
    /// One update is searched for, downloaded and installed by Windows Update, as the proof that what it failed of is gone. No guide can name it.
    InstallUpdate {
        /// Which one.
        update: UpdateName,
    },
}

impl Operation {
    /// The names that guides use.
    pub const NAMES: [&'static str; 4] = ["repair-component-store", "scan-system-files", "scan-system-file", "synchronize-clock"];

    /// Parses what a guide says: a name, for one file followed by a space and its path.
    ///
    /// # Errors
    /// A sentence: which names there are, or what is wrong with the path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, object) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        match (name, object.trim()) {
            ("repair-component-store", "") => Ok(Operation::RepairComponentStore { source: None }),
            ("scan-system-files", "") => Ok(Operation::ScanSystemFiles),
            ("synchronize-clock", "") => Ok(Operation::SynchronizeClock),
            ("scan-system-file", path) if !path.is_empty() => Ok(Operation::ScanSystemFile { path: VolumePath::parse(path)? }),
            _ => Err(format!("there is no operation {text:?}; there are {}", Self::NAMES.join(", "))),
        }
    }

    /// What it is, for people; `drive` is the letter of the Windows volume.
    pub fn says(&self, drive: char) -> String {
        match self {
            Operation::RepairComponentStore { .. } => "the repair of the component store (DISM)".into(),
            Operation::ScanSystemFiles => "the check of all system files (SFC)".into(),
            Operation::ScanSystemFile { path } => format!("the check of {} (SFC)", path.with_drive(drive)),
            Operation::SynchronizeClock => "setting the clock by the time service (w32tm)".into(),
            Operation::InstallUpdate { update } => format!("the installation of {update} by Windows Update"),
        }
    }

    /// After which time it is ended unless the person says otherwise. On slow disks DISM takes more than an hour and SFC half of one.
    pub fn time_limit(&self) -> Duration {
        const MINUTE: u64 = 60;
        Duration::from_secs(match self {
            // A large update on a slow line and a slow disk.
            Operation::RepairComponentStore { .. } | Operation::InstallUpdate { .. } => 180 * MINUTE,
            Operation::ScanSystemFiles => 120 * MINUTE,
            Operation::ScanSystemFile { .. } => 20 * MINUTE,
            Operation::SynchronizeClock => 2 * MINUTE,
        })
    }

    /// Whether other computers are contacted for it.
    pub fn contacts_others(&self) -> bool {
        match self {
            Operation::RepairComponentStore { source } => source.is_none(),
            Operation::ScanSystemFiles | Operation::ScanSystemFile { .. } => false,
            Operation::SynchronizeClock | Operation::InstallUpdate { .. } => true,
        }
    }

    /// Whether this Windows has it.
    ///
    /// # Errors
    /// A sentence: what there is instead.
    pub fn available(&self, windows: &WindowsVersion) -> Result<(), String> {
        // RestoreHealth came with Windows 8.
        if matches!(self, Operation::RepairComponentStore { .. }) && (windows.major, windows.minor) < (6, 2) {
            return Err("DISM of Windows 7 cannot repair the component store; the System Update Readiness Tool (KB947821) does that there".into());
        }
        Ok(())
    }
}

/// What a program of Windows left behind, as it was found; what it means is judged elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operated {
    /// The program ended by itself.
    Ran {
        /// Its exit code, unsigned as Windows keeps it.
        exit_code: u32,
        /// What its logs grew by meanwhile.
        logs: Vec<GrownLog>,
    },
    /// Windows Update tried to install one update.
    Tried(UpdateTry),
    /// Nothing was run, because nothing may be: this is a dry run.
    NotRun,
}

/// What was written into a log while a program ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrownLog {
    /// The log.
    pub path: VolumePath,
    /// The new bytes.
    pub text: Vec<u8>,
    /// False when part of it is missing: the log was replaced by a new one meanwhile, or it grew by too much.
    pub whole: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{Operation, UpdateName, VolumePath, WindowsVersion};

    #[test]
    fn names_are_understood_and_nothing_else_is() {
        assert_eq!(Operation::parse("repair-component-store"), Ok(Operation::RepairComponentStore { source: None }));
        assert_eq!(Operation::parse(" scan-system-files "), Ok(Operation::ScanSystemFiles));
        assert_eq!(Operation::parse("synchronize-clock"), Ok(Operation::SynchronizeClock));
        let path = VolumePath::parse("\\Windows\\System32\\a b.dll").unwrap();
        assert_eq!(Operation::parse("scan-system-file C:\\Windows\\System32\\a b.dll"), Ok(Operation::ScanSystemFile { path }));
        for wrong in [
            "",
            "install-update KB5034441",
            "scan-system-file",
            "scan-system-files /x",
            "repair-component-store /source:x",
            "cmd",
            "scan-system-file C:\\a\\..\\b",
        ] {
            assert!(Operation::parse(wrong).is_err(), "{wrong}");
        }
        // A quote would end a word on a command line.
        assert!(Operation::parse("scan-system-file C:\\a\" /offwindir").is_err());
    }

    #[test]
    fn windows_7_cannot_repair_its_store() {
        let version = |minor| WindowsVersion { major: 6, minor, ..WindowsVersion::unknown() };
        let repair = Operation::RepairComponentStore { source: None };
        assert!(repair.available(&version(1)).is_err() && repair.available(&version(2)).is_ok());
        assert!(Operation::ScanSystemFiles.available(&version(1)).is_ok());
    }

    #[test]
    fn the_stored_form_is_frozen() {
        let path = VolumePath::parse("\\Windows\\x.dll").unwrap();
        for (operation, stored) in [
            (Operation::RepairComponentStore { source: Some("D:\\w".into()) }, r#"{"operation":"repair-component-store","source":"D:\\w"}"#),
            (Operation::ScanSystemFiles, r#"{"operation":"scan-system-files"}"#),
            (Operation::SynchronizeClock, r#"{"operation":"synchronize-clock"}"#),
            (Operation::ScanSystemFile { path }, r#"{"operation":"scan-system-file","path":"\\Windows\\x.dll"}"#),
            (Operation::InstallUpdate { update: UpdateName::Article(5_034_441) }, r#"{"operation":"install-update","update":"KB5034441"}"#),
        ] {
            assert_eq!(serde_json::to_string(&operation).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Operation>(stored).unwrap(), operation);
        }
    }
}
