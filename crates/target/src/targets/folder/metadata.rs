//! Keeping what a replaced file carried besides its content: rights, owner, Windows security and attributes.

use crate::TargetError;
use std::fs;
use std::path::Path;

/// What ntfs-3g keeps about a file besides its content. Without the first, the new file would give everyone full access.
#[cfg(unix)]
const NTFS: [&str; 3] = ["system.ntfs_acl", "system.ntfs_attrib_be", "system.ntfs_crtime_be"];

/// Gives `copy` everything that `original` carries, and reads it back. Content and time of last write are not touched.
///
/// # Errors
/// When something cannot be copied or reads back differently: the caller must not replace the original then.
pub(super) fn copy(original: &Path, copy: &Path) -> Result<(), TargetError> {
    let io = |doing: &'static str| move |source: std::io::Error| TargetError::Io { doing, path: copy.to_owned(), source };
    let metadata = fs::metadata(original).map_err(io("read the rights of"))?;
    fs::set_permissions(copy, metadata.permissions()).map_err(io("set the rights of"))?;
    owner(&metadata, copy).map_err(io("set the owner of"))?;
    windows_security(original, copy)
}

#[cfg(unix)]
fn windows_security(original: &Path, copy: &Path) -> Result<(), TargetError> {
    let io = |doing: &'static str| move |source: std::io::Error| TargetError::Io { doing, path: copy.to_owned(), source };
    for name in NTFS {
        let wanted = match xattr::get(original, name) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => continue,
            // File systems other than ntfs-3g do not know the name at all.
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => continue,
            Err(source) => return Err(TargetError::Io { doing: "read the Windows security of", path: original.to_owned(), source }),
        };
        xattr::set(copy, name, &wanted).map_err(io("copy the Windows security of"))?;
        let now = xattr::get(copy, name).map_err(io("read back the Windows security of"))?;
        if now.as_deref() != Some(wanted.as_slice()) {
            return Err(TargetError::Refused { why: format!("{name} of {} could not be carried over to its replacement", original.display()) });
        }
    }
    Ok(())
}

/// On Windows a new file takes over the security of its folder; this version does not carry over more.
#[cfg(not(unix))]
fn windows_security(_: &Path, _: &Path) -> Result<(), TargetError> {
    Ok(())
}

#[cfg(unix)]
fn owner(metadata: &fs::Metadata, copy: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let now = fs::metadata(copy)?;
    if now.uid() == metadata.uid() && now.gid() == metadata.gid() {
        return Ok(());
    }
    chown(copy, Some(metadata.uid()), Some(metadata.gid()))
}

#[cfg(not(unix))]
fn owner(_: &fs::Metadata, _: &Path) -> std::io::Result<()> {
    Ok(())
}
