//! Whether the Windows around this program is Wine.

/// True under Wine, whose own library says so. There the clock and the power belong to the computer around it.
#[cfg(windows)]
pub fn is_wine() -> bool {
    use windows::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
    use windows::core::{s, w};
    // SAFETY: both names are terminated; the module is never unloaded, and the function is only looked for.
    unsafe { GetModuleHandleW(w!("ntdll.dll")).is_ok_and(|library| GetProcAddress(library, s!("wine_get_version")).is_some()) }
}

/// Elsewhere there is no Windows at all.
#[cfg(not(windows))]
pub fn is_wine() -> bool {
    false
}
