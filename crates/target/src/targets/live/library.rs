//! Functions that not every Windows has: looked for while the program runs, so that it starts everywhere.

use windows::Win32::Foundation::FARPROC;
use windows::Win32::System::LibraryLoader::{GetProcAddress, LOAD_WITH_ALTERED_SEARCH_PATH, LoadLibraryExW};
use windows::Win32::System::SystemInformation::GetSystemDirectoryW;
use windows::core::{HSTRING, PCSTR};

/// A function of one of Windows' own libraries, which stays loaded. By its whole path: what lies beside this program is not looked at, and an
/// old Windows 7 does not know the word that says so.
pub(super) fn function(library: &str, name: PCSTR) -> FARPROC {
    let mut folder = [0_u16; 260];
    // SAFETY: the buffer's size is part of the slice.
    let units = unsafe { GetSystemDirectoryW(Some(&mut folder)) };
    let folder = String::from_utf16_lossy(folder.get(..units as usize).filter(|units| !units.is_empty())?);
    let library = HSTRING::from(format!("{folder}\\{library}"));
    // SAFETY: a terminated path and a terminated name.
    unsafe { GetProcAddress(LoadLibraryExW(&library, None, LOAD_WITH_ALTERED_SEARCH_PATH).ok()?, name) }
}
