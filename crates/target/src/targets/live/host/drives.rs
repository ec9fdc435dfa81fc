//! Which system runs here, and which other drives it has.

use std::path::PathBuf;

/// True when this program runs in Windows, installed or a rescue system.
pub fn is_windows() -> bool {
    cfg!(windows)
}

/// True in Windows PE and in the recovery environment, which the key `Control\MiniNT` marks
/// (<https://learn.microsoft.com/windows-hardware/manufacture/desktop/winpe-intro>).
pub fn is_rescue_system() -> bool {
    calls::has_mini_nt()
}

/// The roots of all drives of this computer but the one of the running Windows, such as `D:\`; `None` where drives have no letters. Drives
/// of other computers are left out: one that does not answer would keep the person waiting.
pub fn drives() -> Option<Vec<PathBuf>> {
    calls::drives()
}

/// `D:\` for bit 3, and so on; without the drive of that letter.
#[cfg(any(windows, test))]
fn roots(letters: u32, but: Option<char>) -> Vec<PathBuf> {
    let there = ('A'..='Z').enumerate().filter(|(bit, letter)| letters >> bit & 1 == 1 && but != Some(*letter));
    there.map(|(_, letter)| PathBuf::from(format!("{letter}:\\"))).collect()
}

#[cfg(windows)]
mod calls {
    use std::path::{Path, PathBuf};
    use windows::Win32::Foundation::ERROR_SUCCESS;
    use windows::Win32::Storage::FileSystem::{GetDriveTypeW, GetLogicalDrives};
    use windows::Win32::System::Diagnostics::Debug::{SEM_FAILCRITICALERRORS, SetErrorMode};
    use windows::Win32::System::Registry::{HKEY, HKEY_LOCAL_MACHINE, KEY_QUERY_VALUE, RegCloseKey, RegOpenKeyExW};
    use windows::Win32::System::SystemInformation::GetSystemWindowsDirectoryW;
    use windows::core::{HSTRING, w};

    /// A drive of another computer (fileapi.h, `GetDriveTypeW`).
    const DRIVE_REMOTE: u32 = 4;

    pub(super) fn has_mini_nt() -> bool {
        let mut key = HKEY::default();
        // SAFETY: the name is a constant that ends with a zero, and `key` outlives the call.
        let opened = unsafe { RegOpenKeyExW(HKEY_LOCAL_MACHINE, w!("SYSTEM\\CurrentControlSet\\Control\\MiniNT"), None, KEY_QUERY_VALUE, &mut key) };
        if opened != ERROR_SUCCESS {
            return false;
        }
        // SAFETY: the call above opened the key, and nothing else has it.
        let _ = unsafe { RegCloseKey(key) };
        true
    }

    pub(super) fn drives() -> Option<Vec<PathBuf>> {
        // Looking at a card reader without a card must not open a window that asks for one.
        // SAFETY: the function only sets a mode of this process.
        unsafe { SetErrorMode(SEM_FAILCRITICALERRORS) };
        // SAFETY: the function takes nothing and gives a number.
        let letters = unsafe { GetLogicalDrives() };
        Some(super::roots(letters, own_letter()).into_iter().filter(|root| !is_remote(root)).collect())
    }

    fn is_remote(root: &Path) -> bool {
        let root = HSTRING::from(root.as_os_str());
        // SAFETY: the text ends with a zero and outlives the call.
        unsafe { GetDriveTypeW(&root) == DRIVE_REMOTE }
    }

    /// The letter of the drive that the running Windows is on.
    fn own_letter() -> Option<char> {
        let mut folder = [0_u16; 260];
        // SAFETY: the function writes at most as many units as the slice is long.
        unsafe { GetSystemWindowsDirectoryW(Some(&mut folder)) };
        folder.first().and_then(|unit| char::from_u32(u32::from(*unit))).map(|letter| letter.to_ascii_uppercase())
    }
}

#[cfg(not(windows))]
mod calls {
    use std::path::PathBuf;

    pub(super) fn has_mini_nt() -> bool {
        false
    }

    pub(super) fn drives() -> Option<Vec<PathBuf>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::roots;
    use std::path::PathBuf;

    #[test]
    fn drives_are_named_without_the_own_one() {
        let all = |letters: &[char]| letters.iter().map(|letter| PathBuf::from(format!("{letter}:\\"))).collect::<Vec<_>>();
        assert_eq!(roots(0b1101, Some('C')), all(&['A', 'D']));
        assert_eq!(roots(0b1101, None), all(&['A', 'C', 'D']));
        assert_eq!(roots(1 << 25, Some('X')), all(&['Z']));
        assert_eq!(roots(0, None), all(&[]));
    }
}
