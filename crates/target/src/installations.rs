//! Windows installations on the disks of this computer: the running one, those on its drives or among what is mounted on it, and volumes
//! that would have to be mounted or unlocked first. Reads only, and mounts nothing.

mod disks;
mod volume;

use crate::{FolderTarget, Target, host};
use disks::ThisComputer;
use model::{Installation, Obstacle, TargetKind, WindowsVersion};
use std::fs;
use std::io;
use std::path::Path;

/// What was found, and what could not be looked at.
#[derive(Debug, Clone, Default)]
pub struct Installations {
    /// The running Windows first, then what can be used, then what cannot.
    pub found: Vec<Installation>,
    /// Sentences about what was not looked at.
    pub notes: Vec<String>,
}

/// Looks at every drive; elsewhere than in Windows at everything that is mounted, and at the first bytes of every volume that is not. Drives
/// of other computers are left out: one that does not answer would keep the person waiting.
pub fn installations() -> Installations {
    let mut all = match host::drives() {
        Some(drives) => {
            let found = drives.iter().filter_map(|root| on_drive(root)).collect();
            Installations { found, notes: Vec::new() }
        }
        None => disks::look(&ThisComputer),
    };
    all.found.sort_by_key(|one| !one.usable);
    if host::is_windows() && !host::is_rescue_system() {
        all.found.insert(0, live());
    }
    all
}

fn live() -> Installation {
    match crate::open(crate::targets::LIVE, Path::new("")) {
        Ok(target) => of_target(crate::targets::LIVE, target.as_ref()),
        Err(error) => of_error(crate::targets::LIVE, &error.to_string()),
    }
}

/// The Windows in a folder in which there seems to be one.
fn in_folder(root: &Path) -> Installation {
    let path = root.display().to_string();
    match FolderTarget::open(root, TargetKind::Folder) {
        Ok(target) => of_target(&path, &target),
        Err(error) => of_error(&path, &error.to_string()),
    }
}

fn of_target(path: &str, target: &dyn Target) -> Installation {
    let why_not: Vec<Obstacle> = target.why_not().iter().map(Obstacle::from).collect();
    usable(path, target.windows().clone(), why_not)
}

fn usable(path: &str, windows: WindowsVersion, why_not: Vec<Obstacle>) -> Installation {
    let named = if path.contains(char::is_whitespace) { format!("\"{path}\"") } else { path.to_owned() };
    Installation { path: path.to_owned(), windows: Some(windows), usable: true, why_not, how: vec![format!("hresolve diagnose {named}")] }
}

fn of_error(path: &str, why: &str) -> Installation {
    Installation { path: path.to_owned(), windows: None, usable: false, why_not: vec![Obstacle::new("not-readable", why)], how: Vec::new() }
}

/// A Windows on a drive with a letter, or why it cannot be seen whether there is one.
fn on_drive(root: &Path) -> Option<Installation> {
    match fs::read_dir(root) {
        Ok(_) => holds_windows(root).then(|| in_folder(root)),
        Err(error) => locked(root, &error),
    }
}

/// What Windows answers about a drive that cannot be listed. Numbers of winerror.h.
fn locked(root: &Path, error: &io::Error) -> Option<Installation> {
    /// `FVE_E_LOCKED_VOLUME`, 0x80310000
    const LOCKED: i32 = 0x8031_0000_u32.cast_signed();
    /// `ERROR_NOT_READY`: a card reader without a card.
    const EMPTY: i32 = 21;
    let path = root.display().to_string();
    match error.raw_os_error() {
        Some(EMPTY) => None,
        Some(LOCKED) => {
            let letter = path.trim_end_matches('\\');
            Some(Installation {
                path: path.clone(),
                windows: None,
                usable: false,
                why_not: vec![Obstacle::new(
                    "bitlocker",
                    "This drive is locked by BitLocker, so whether a Windows is on it was not seen. Unlock it with its recovery key of 48 digits.",
                )],
                how: vec![format!("manage-bde -unlock {letter} -RecoveryPassword KEY"), "hresolve targets".into()],
            })
        }
        _ => Some(of_error(&path, &format!("{path} cannot be read: {error}."))),
    }
}

fn holds_windows(root: &Path) -> bool {
    ["Windows", "windows", "WINDOWS"].iter().any(|name| root.join(name).join("System32").join("config").is_dir())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::{locked, on_drive};
    use std::io::Error;
    use std::path::Path;

    #[test]
    fn a_locked_drive_is_told_from_an_empty_one() {
        let drive = Path::new("D:\\");
        let reason = |code: u32| locked(drive, &Error::from_raw_os_error(code.cast_signed())).map(|one| one.why_not[0].reason.clone());
        assert_eq!(reason(0x8031_0000).as_deref(), Some("bitlocker"));
        assert_eq!(reason(21), None);
        assert_eq!(reason(5).as_deref(), Some("not-readable"));
        let one = locked(drive, &Error::from_raw_os_error(0x8031_0000_u32.cast_signed())).unwrap();
        assert_eq!(one.how[0], "manage-bde -unlock D: -RecoveryPassword KEY");
    }

    #[test]
    fn a_drive_without_windows_is_none_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(on_drive(folder.path()), None);
        std::fs::create_dir_all(folder.path().join("Windows/System32/config")).unwrap();
        let broken = on_drive(folder.path()).unwrap();
        assert!(!broken.usable && broken.why_not[0].says.contains("it is missing"), "{broken:?}");
    }
}
