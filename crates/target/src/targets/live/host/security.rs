//! Windows security of a file or folder of this computer, as a self-relative descriptor: owner, group and who may do what.

use std::io;
use std::path::Path;

/// The descriptor; `None` where none is kept (no Windows, Wine, FAT) and without administrator rights.
///
/// # Errors
/// When Windows does not show it.
pub(crate) fn security_of(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if !calls::is_kept(path) { Ok(None) } else { calls::read(path).map(Some) }
}

/// Gives it this owner and these rights; what is inherited from above no longer counts when the descriptor says so.
///
/// # Errors
/// When Windows refuses.
pub(crate) fn set_security(path: &Path, descriptor: &[u8]) -> io::Result<()> {
    calls::write(path, descriptor)
}

#[cfg(windows)]
mod calls {
    use super::super::{is_elevated, is_wine};
    use std::io;
    use std::path::Path;
    use windows::Win32::Foundation::ERROR_INSUFFICIENT_BUFFER;
    use windows::Win32::Security::{
        DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetFileSecurityW, OBJECT_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
        PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SetFileSecurityW,
    };
    use windows::Win32::Storage::FileSystem::{GetVolumeInformationW, GetVolumePathNameW};
    use windows::core::HSTRING;

    const PARTS: OBJECT_SECURITY_INFORMATION =
        OBJECT_SECURITY_INFORMATION(OWNER_SECURITY_INFORMATION.0 | GROUP_SECURITY_INFORMATION.0 | DACL_SECURITY_INFORMATION.0);
    /// The volume keeps descriptors (winnt.h, `FILE_PERSISTENT_ACLS`).
    const PERSISTENT_ACLS: u32 = 8;

    /// Wine makes descriptors up from the rights of the system around it.
    pub(super) fn is_kept(path: &Path) -> bool {
        is_elevated() == Some(true) && !is_wine() && volume_keeps_security(path).unwrap_or(true)
    }

    fn volume_keeps_security(path: &Path) -> windows::core::Result<bool> {
        let (mut root, mut flags) = ([0_u16; 512], 0_u32);
        let path = HSTRING::from(path.as_os_str());
        // SAFETY: the path ends with a zero, and the length of the place for the root is part of the slice.
        unsafe { GetVolumePathNameW(&path, &mut root) }?;
        let root = HSTRING::from_wide(root.split(|unit| *unit == 0).next().unwrap_or_default());
        // SAFETY: the root ends with a zero, and the flags are a local.
        unsafe { GetVolumeInformationW(&root, None, None, None, Some(&raw mut flags), None) }?;
        Ok(flags & PERSISTENT_ACLS != 0)
    }

    pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
        let path = HSTRING::from(path.as_os_str());
        // Aligned as a descriptor has to be; the first size is larger than nearly every one.
        let mut place = vec![0_u64; 128];
        loop {
            let (room, mut needed) = (u32::try_from(place.len() * 8).unwrap_or(0), 0_u32);
            let at = PSECURITY_DESCRIPTOR(place.as_mut_ptr().cast());
            // SAFETY: the path ends with a zero, and Windows writes at most `room` bytes to the place.
            let done = unsafe { GetFileSecurityW(&path, PARTS.0, Some(at), room, &raw mut needed) };
            if done.as_bool() {
                let bytes: Vec<u8> = place.iter().flat_map(|word| word.to_le_bytes()).collect();
                return Ok(bytes);
            }
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(ERROR_INSUFFICIENT_BUFFER.0.cast_signed()) || needed <= room || needed > 1 << 16 {
                return Err(error);
            }
            place = vec![0; needed as usize / 8 + 1];
        }
    }

    pub(super) fn write(path: &Path, descriptor: &[u8]) -> io::Result<()> {
        let path = HSTRING::from(path.as_os_str());
        let mut place = vec![0_u64; descriptor.len() / 8 + 1];
        for (word, bytes) in place.iter_mut().zip(descriptor.chunks(8)) {
            let mut whole = [0_u8; 8];
            whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            *word = u64::from_le_bytes(whole);
        }
        let parts = OBJECT_SECURITY_INFORMATION(PARTS.0 | PROTECTED_DACL_SECURITY_INFORMATION.0);
        // SAFETY: the path ends with a zero; the descriptor is whole, self-relative and made by this program.
        let done = unsafe { SetFileSecurityW(&path, parts, PSECURITY_DESCRIPTOR(place.as_mut_ptr().cast())) };
        if done.as_bool() { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(not(windows))]
mod calls {
    use std::io;
    use std::path::Path;

    pub(super) fn is_kept(_: &Path) -> bool {
        false
    }

    pub(super) fn read(_: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn write(_: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
