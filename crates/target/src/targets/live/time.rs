//! Setting the clock of the running Windows.

use super::host;
use crate::{Now, TargetError};
use std::path::PathBuf;
use windows::Win32::Foundation::{FILETIME, SYSTEMTIME};
use windows::Win32::System::SystemInformation::SetSystemTime;
use windows::Win32::System::Time::FileTimeToSystemTime;

/// Sets the clock. Under Wine it belongs to the computer around it, which nobody asked us to change.
pub(super) fn set(to: Now) -> Result<(), TargetError> {
    if host::is_wine() {
        return Err(TargetError::Refused { why: "this is Wine, where the clock belongs to the computer around it".into() });
    }
    let failed = |error: windows::core::Error| TargetError::Io {
        doing: "set",
        path: PathBuf::from("the clock"),
        source: std::io::Error::from_raw_os_error(error.code().0 & 0xFFFF),
    };
    let time = to.filetime();
    let time = FILETIME { dwLowDateTime: (time & 0xFFFF_FFFF) as u32, dwHighDateTime: (time >> 32) as u32 };
    let mut parts = SYSTEMTIME::default();
    // SAFETY: both structures are locals of the right types.
    unsafe { FileTimeToSystemTime(&raw const time, &raw mut parts) }.map_err(failed)?;
    // SAFETY: the structure is a local. Windows itself asks for the privilege that this needs.
    unsafe { SetSystemTime(&raw const parts) }.map_err(failed)
}
