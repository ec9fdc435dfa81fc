//! Going on in a window of its own, while whoever started this program goes on, too.

use std::ffi::OsString;

/// Starts this program again with these arguments in a new console window, and does not wait for it. False where that cannot be.
pub fn start_in_own_window(arguments: &[OsString]) -> bool {
    calls::start(arguments)
}

#[cfg(windows)]
mod calls {
    use super::super::elevation::line;
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStrExt;
    use windows::Win32::Foundation::CloseHandle;
    use windows::Win32::System::Threading::{CREATE_NEW_CONSOLE, CreateProcessW, PROCESS_INFORMATION, STARTUPINFOW};
    use windows::core::{HSTRING, PWSTR};

    /// By Windows' own call: the standard library would hand the old window's handles on.
    pub(super) fn start(arguments: &[OsString]) -> bool {
        let Ok(program) = std::env::current_exe() else { return false };
        let words: Vec<Vec<u16>> =
            std::iter::once(program.as_os_str()).chain(arguments.iter().map(OsString::as_os_str)).map(|word| word.encode_wide().collect()).collect();
        let mut words = line(&words);
        let program = HSTRING::from(program.as_os_str());
        let begun = STARTUPINFOW { cb: u32::try_from(size_of::<STARTUPINFOW>()).unwrap_or(0), ..STARTUPINFOW::default() };
        let mut made = PROCESS_INFORMATION::default();
        // SAFETY: the program's path and the line end with a zero and outlive the call, which may write into the line; both handles are ours to
        // close, and closing them does not end the process.
        unsafe {
            let line = PWSTR(words.as_mut_ptr());
            let started =
                CreateProcessW(&program, Some(line), None, None, false, CREATE_NEW_CONSOLE, None, None, &raw const begun, &raw mut made).is_ok();
            if started {
                let _ = CloseHandle(made.hProcess);
                let _ = CloseHandle(made.hThread);
            }
            started
        }
    }
}

#[cfg(not(windows))]
mod calls {
    use std::ffi::OsString;

    pub(super) fn start(_: &[OsString]) -> bool {
        false
    }
}
