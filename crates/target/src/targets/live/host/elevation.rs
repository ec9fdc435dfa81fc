//! Administrator rights: whether this program has them, and starting it again with them.

use std::ffi::OsString;

/// What became of a program that was started again with administrator rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relaunch {
    /// It ended with this exit code.
    Ended(u32),
    /// The person said no to Windows.
    Declined,
    /// Windows could not start it.
    Failed {
        /// What the system said.
        why: String,
    },
    /// There is nothing of the kind on this system.
    NotWindows,
}

/// Whether this process acts as an administrator; `None` where there is no Windows, or it cannot tell.
pub fn is_elevated() -> Option<bool> {
    calls::is_elevated()
}

/// True when somebody sees the windows of this session, so that Windows can ask for rights; false in a service, over SSH and WinRM.
pub fn can_show_windows() -> bool {
    calls::can_show_windows()
}

/// Starts this program again with administrator rights in a window of its own, with these arguments and the same current folder, and
/// waits until it has ended. Windows asks the person.
pub fn relaunch_elevated(arguments: &[OsString]) -> Relaunch {
    calls::relaunch_elevated(arguments)
}

/// One argument as `CommandLineToArgvW` and the C library take it apart again, in UTF-16 units
/// (<https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments>): in quotes, backslashes doubled before a quote.
#[cfg(any(windows, test))]
fn quoted(argument: &[u16]) -> Vec<u16> {
    const QUOTE: u16 = b'"' as u16;
    const BACKSLASH: u16 = b'\\' as u16;
    let mut out = vec![QUOTE];
    let mut backslashes = 0;
    for unit in argument {
        match *unit {
            BACKSLASH => backslashes += 1,
            QUOTE => {
                out.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        out.push(*unit);
    }
    out.extend(std::iter::repeat_n(BACKSLASH, backslashes));
    out.push(QUOTE);
    out
}

/// All arguments in one line that ends with a zero.
#[cfg(any(windows, test))]
pub(super) fn line(arguments: &[Vec<u16>]) -> Vec<u16> {
    let quoted: Vec<Vec<u16>> = arguments.iter().map(|argument| quoted(argument)).collect();
    let mut line = quoted.join(&u16::from(b' '));
    line.push(0);
    line
}

#[cfg(windows)]
mod calls {
    use super::Relaunch;
    use std::ffi::{OsStr, OsString};
    use std::os::windows::ffi::OsStrExt;
    use windows::Win32::Foundation::{CloseHandle, ERROR_CANCELLED, HANDLE};
    use windows::Win32::Security::{CheckTokenMembership, CreateWellKnownSid, PSID, SECURITY_MAX_SID_SIZE, WinBuiltinAdministratorsSid};
    use windows::Win32::System::Com::{COINIT_APARTMENTTHREADED, COINIT_DISABLE_OLE1DDE, CoInitializeEx};
    use windows::Win32::System::StationsAndDesktops::{GetProcessWindowStation, GetUserObjectInformationW, UOI_FLAGS, USEROBJECTFLAGS};
    use windows::Win32::System::Threading::{GetExitCodeProcess, INFINITE, WaitForSingleObject};
    use windows::Win32::UI::Shell::{SEE_MASK_FLAG_NO_UI, SEE_MASK_NOASYNC, SEE_MASK_NOCLOSEPROCESS, SHELLEXECUTEINFOW, ShellExecuteExW};
    use windows::Win32::UI::WindowsAndMessaging::SW_SHOWNORMAL;
    use windows::core::{BOOL, HRESULT, PCWSTR, w};

    /// Bit of `USEROBJECTFLAGS.dwFlags`: the window station has a visible screen (winuser.h).
    const WSF_VISIBLE: u32 = 1;

    pub(super) fn is_elevated() -> Option<bool> {
        let mut sid = [0_u8; SECURITY_MAX_SID_SIZE as usize];
        let mut length = SECURITY_MAX_SID_SIZE;
        let place = PSID(sid.as_mut_ptr().cast());
        let mut member = BOOL(0);
        // SAFETY: the first call writes at most `length` bytes to `sid`, the second reads what it wrote; both places outlive the calls.
        unsafe {
            CreateWellKnownSid(WinBuiltinAdministratorsSid, None, Some(place), &mut length).ok()?;
            CheckTokenMembership(None, place, &mut member).ok()?;
        }
        Some(member.as_bool())
    }

    pub(super) fn can_show_windows() -> bool {
        let mut flags = USEROBJECTFLAGS::default();
        let length = u32::try_from(size_of::<USEROBJECTFLAGS>()).unwrap_or(0);
        // SAFETY: the station's handle is not to be closed; the second call writes at most `length` bytes to `flags`.
        let asked = unsafe {
            GetProcessWindowStation()
                .and_then(|station| GetUserObjectInformationW(HANDLE(station.0), UOI_FLAGS, Some((&raw mut flags).cast()), length, None))
        };
        asked.is_ok() && flags.dwFlags & WSF_VISIBLE != 0
    }

    fn units(text: &OsStr) -> Vec<u16> {
        text.encode_wide().collect()
    }

    pub(super) fn relaunch_elevated(arguments: &[OsString]) -> Relaunch {
        let failed = |why: &dyn std::fmt::Display| Relaunch::Failed { why: why.to_string() };
        let (program, folder) = match (std::env::current_exe(), std::env::current_dir()) {
            (Ok(program), Ok(folder)) => (program, folder),
            (Err(error), _) | (_, Err(error)) => return failed(&error),
        };
        let zero_ended = |text: &OsStr| text.encode_wide().chain([0]).collect::<Vec<u16>>();
        let (program, folder) = (zero_ended(program.as_os_str()), zero_ended(folder.as_os_str()));
        let parameters = super::line(&arguments.iter().map(|argument| units(argument)).collect::<Vec<_>>());
        let mut asked = SHELLEXECUTEINFOW {
            cbSize: u32::try_from(size_of::<SHELLEXECUTEINFOW>()).unwrap_or(0),
            fMask: SEE_MASK_NOCLOSEPROCESS | SEE_MASK_NOASYNC | SEE_MASK_FLAG_NO_UI,
            lpVerb: w!("runas"),
            lpFile: PCWSTR(program.as_ptr()),
            lpParameters: PCWSTR(parameters.as_ptr()),
            lpDirectory: PCWSTR(folder.as_ptr()),
            nShow: SW_SHOWNORMAL.0,
            ..SHELLEXECUTEINFOW::default()
        };
        // SAFETY: the shell may use COM, so it is initialised for this thread, which ends soon after; all texts end with a zero and
        // outlive the call.
        let started = unsafe {
            let _ = CoInitializeEx(None, COINIT_APARTMENTTHREADED | COINIT_DISABLE_OLE1DDE);
            ShellExecuteExW(&mut asked)
        };
        match started {
            Err(error) if error.code() == HRESULT::from_win32(ERROR_CANCELLED.0) => Relaunch::Declined,
            Err(error) => failed(&error),
            Ok(()) if asked.hProcess.is_invalid() => failed(&"Windows does not say which process it started"),
            Ok(()) => wait(asked.hProcess),
        }
    }

    /// Waits for a process that is ours to close.
    fn wait(process: HANDLE) -> Relaunch {
        let mut exit = 0;
        // SAFETY: the handle is valid and closed once; `exit` outlives the call.
        let ended = unsafe {
            WaitForSingleObject(process, INFINITE);
            let ended = GetExitCodeProcess(process, &mut exit);
            let _ = CloseHandle(process);
            ended
        };
        match ended {
            Ok(()) => Relaunch::Ended(exit),
            Err(error) => Relaunch::Failed { why: error.to_string() },
        }
    }
}

#[cfg(not(windows))]
mod calls {
    use super::Relaunch;
    use std::ffi::OsString;

    pub(super) fn is_elevated() -> Option<bool> {
        None
    }

    pub(super) fn can_show_windows() -> bool {
        false
    }

    pub(super) fn relaunch_elevated(_: &[OsString]) -> Relaunch {
        Relaunch::NotWindows
    }
}

#[cfg(test)]
mod tests {
    use super::{line, quoted};

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// The rules of the C library for one line, written from its documentation and not from `quoted`.
    fn taken_apart(line: &str) -> Vec<String> {
        let (mut all, mut one, mut inside, mut begun) = (Vec::new(), String::new(), false, false);
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => {
                    let mut count = 1;
                    while letters.next_if_eq(&'\\').is_some() {
                        count += 1;
                    }
                    begun = true;
                    if letters.peek() != Some(&'"') {
                        one.extend(std::iter::repeat_n('\\', count));
                        continue;
                    }
                    one.extend(std::iter::repeat_n('\\', count / 2));
                    if count % 2 == 1 {
                        letters.next();
                        one.push('"');
                    }
                }
                '"' => (inside, begun) = (!inside, true),
                ' ' if !inside => {
                    if begun {
                        all.push(std::mem::take(&mut one));
                    }
                    begun = false;
                }
                other => {
                    one.push(other);
                    begun = true;
                }
            }
        }
        if begun {
            all.push(one);
        }
        all
    }

    #[test]
    fn arguments_are_taken_apart_as_they_were_given() {
        let given = ["fix", "", "C:\\a b\\", "say \"yes\"", "\\\"", "\\\\server\\share\\", "--only=ä", "a\\\\b", "\"\""];
        let whole = line(&given.iter().map(|argument| units(argument)).collect::<Vec<_>>());
        assert_eq!(whole.last(), Some(&0));
        let text = String::from_utf16(whole.split_last().unwrap().1).unwrap();
        assert_eq!(taken_apart(&text), given);
        assert_eq!(String::from_utf16(&quoted(&units("C:\\x\\"))).unwrap(), "\"C:\\x\\\\\"");
    }

    /// Relaunches this test program itself.
    #[test]
    #[cfg(windows)]
    #[ignore = "Windows asks the person who is not an administrator yet"]
    fn a_relaunched_program_hands_its_exit_code_on() {
        use super::{Relaunch, relaunch_elevated};
        assert_eq!(relaunch_elevated(&["--list".into(), "a b\\".into()]), Relaunch::Ended(0));
        let Relaunch::Ended(exit) = relaunch_elevated(&["--no-such-option".into()]) else { unreachable!("it was not started") };
        assert_ne!(exit, 0);
    }

    #[test]
    #[cfg(windows)]
    fn windows_says_what_rights_there_are() {
        assert!(super::is_elevated().is_some());
        assert!(super::super::is_windows());
    }

    #[test]
    #[cfg(not(windows))]
    fn elsewhere_nothing_is_relaunched() {
        assert_eq!((super::is_elevated(), super::can_show_windows()), (None, false));
        assert_eq!(super::relaunch_elevated(&[]), super::Relaunch::NotWindows);
    }
}
