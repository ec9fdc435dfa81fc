//! The start of the running Windows: when it was, having another one, and what goes on by itself after it.

use super::host;
use crate::{RunFolder, StateStore, TargetError};
use model::Reading;
use std::path::PathBuf;
use windows::Win32::Foundation::{CloseHandle, ERROR_NO_MORE_FILES, FILETIME, HANDLE, LUID};
use windows::Win32::Security::{
    AdjustTokenPrivileges, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED, SE_SHUTDOWN_NAME, TOKEN_ADJUST_PRIVILEGES,
    TOKEN_PRIVILEGES, TOKEN_QUERY,
};
use windows::Win32::System::Diagnostics::ToolHelp::{CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS};
use windows::Win32::System::Shutdown::{
    InitiateSystemShutdownExW, SHTDN_REASON_FLAG_PLANNED, SHTDN_REASON_MAJOR_OPERATINGSYSTEM, SHTDN_REASON_MINOR_RECONFIG,
};
use windows::Win32::System::Threading::{GetCurrentProcess, GetProcessTimes, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION};
use windows::core::HSTRING;

/// The service manager: there is one, it is started with Windows, and it never ends before it.
const SERVICE_MANAGER: &str = "services.exe";

/// When the service manager was started, which is a time that no later setting of the clock changes. After the fast start, which is a kind
/// of waking up, it is the same process.
pub(super) fn started() -> Reading<u64> {
    let found = service_manager().and_then(|process| started_at(process));
    found.map_or_else(|error| Reading::Unreadable(format!("when Windows was started cannot be told: {error}")), Reading::Known)
}

fn service_manager() -> windows::core::Result<u32> {
    // SAFETY: the handle is closed below, and the entry says how long it is.
    unsafe {
        let all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0)?;
        let size = u32::try_from(size_of::<PROCESSENTRY32W>()).unwrap_or_default();
        let mut entry = PROCESSENTRY32W { dwSize: size, ..Default::default() };
        let mut next = Process32FirstW(all, &raw mut entry);
        while next.is_ok() && !is_named(&entry, SERVICE_MANAGER) {
            next = Process32NextW(all, &raw mut entry);
        }
        let _ = CloseHandle(all);
        next.map_err(|error| if error.code() == ERROR_NO_MORE_FILES.to_hresult() { windows::core::Error::empty() } else { error })?;
        Ok(entry.th32ProcessID)
    }
}

fn is_named(entry: &PROCESSENTRY32W, name: &str) -> bool {
    let units = entry.szExeFile.split(|unit| *unit == 0).next().unwrap_or_default();
    crate::names_equal(&String::from_utf16_lossy(units), name)
}

fn started_at(process: u32) -> windows::core::Result<u64> {
    let (mut created, mut other) = (FILETIME::default(), [FILETIME::default(); 3]);
    let [ended, in_kernel, in_program] = &mut other;
    // SAFETY: the handle is closed after the one call, and the four times are locals.
    unsafe {
        let handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, false, process)?;
        let asked = GetProcessTimes(handle, &raw mut created, ended, in_kernel, in_program);
        let _ = CloseHandle(handle);
        asked?;
    }
    Ok(u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

/// Has Windows restart after so many seconds. Programs are not forced to end: one with unsaved work keeps it from happening, and says so.
pub(super) fn restart(seconds: u32, says: &str) -> Result<(), TargetError> {
    let failed = |error: windows::core::Error| TargetError::Io {
        doing: "restart",
        path: PathBuf::from("Windows"),
        source: std::io::Error::from_raw_os_error(error.code().0 & 0xFFFF),
    };
    allow_shutdown().map_err(failed)?;
    let reason = SHTDN_REASON_MAJOR_OPERATINGSYSTEM | SHTDN_REASON_MINOR_RECONFIG | SHTDN_REASON_FLAG_PLANNED;
    let says = HSTRING::from(says);
    // SAFETY: the text is terminated and outlives the call; no name means this computer.
    unsafe { InitiateSystemShutdownExW(None, &says, seconds, false, true, reason) }.map_err(failed)
}

/// Administrators have the privilege, switched off.
fn allow_shutdown() -> windows::core::Result<()> {
    // SAFETY: the token is closed after its one use, and both structures are locals.
    unsafe {
        let mut token = HANDLE::default();
        OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &raw mut token)?;
        let mut name = LUID::default();
        let set = LookupPrivilegeValueW(None, SE_SHUTDOWN_NAME, &raw mut name).and_then(|()| {
            let one = LUID_AND_ATTRIBUTES { Luid: name, Attributes: SE_PRIVILEGE_ENABLED };
            let wanted = TOKEN_PRIVILEGES { PrivilegeCount: 1, Privileges: [one] };
            AdjustTokenPrivileges(token, false, Some(&raw const wanted), 0, None, None)
        });
        let _ = CloseHandle(token);
        set
    }
}

/// The command by which Windows goes on with a run: a copy of this program in the run's own folder, which only administrators can change.
pub(super) fn goes_on_by_itself(store: &StateStore, run: &RunFolder) -> Result<String, String> {
    if store.on_target(run).is_none() {
        return Err("its record is kept elsewhere (--state-dir)".into());
    }
    if !store.is_closed(run) && !host::is_wine() {
        return Err("the run's folder is not closed to other users".into());
    }
    let program = run.keep_program().map_err(|error| error.to_string())?;
    // The desktop waits for what RunOnce runs (KB179365), so it only opens a window.
    Ok(format!("\"{}\" continue --run {} --own-window", program.display(), run.id))
}
