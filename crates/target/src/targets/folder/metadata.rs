//! Keeping what a replaced file carried besides its content: rights, owner, Windows security and attributes.

use crate::{TargetError, attributes};
use std::fs;
use std::path::Path;

/// What ntfs-3g keeps about a file besides its content. Without the first, the new file would give everyone full access.
const NTFS: [&str; 2] = ["system.ntfs_acl", "system.ntfs_attrib_be"];
/// Times of creation, last write, last access and last change, each a big-endian file time.
const TIMES: &str = "system.ntfs_times_be";

/// Gives `copy` everything that `original` carries, and reads it back. Content and time of last write are not touched. On Windows
/// a new file takes over the security of its folder; this version carries over no more there than the read-only attribute.
///
/// # Errors
/// When something cannot be copied or reads back differently: the caller must not replace the original then.
pub(super) fn copy(original: &Path, copy: &Path) -> Result<(), TargetError> {
    let io = |doing: &'static str| move |source: std::io::Error| TargetError::Io { doing, path: copy.to_owned(), source };
    let metadata = fs::metadata(original).map_err(io("read the rights of"))?;
    fs::set_permissions(copy, metadata.permissions()).map_err(io("set the rights of"))?;
    owner(&metadata, copy).map_err(io("set the owner of"))?;
    for name in NTFS {
        let wanted = match attributes::get(original, name) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => continue,
            // File systems other than ntfs-3g do not know the name at all.
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => continue,
            Err(source) => return Err(TargetError::Io { doing: "read the Windows security of", path: original.to_owned(), source }),
        };
        attributes::set(copy, name, &wanted).map_err(io("copy the Windows security of"))?;
        let now = attributes::get(copy, name).map_err(io("read back the Windows security of"))?;
        if now.as_deref() != Some(wanted.as_slice()) {
            return Err(TargetError::Refused { why: format!("{name} of {} could not be carried over to its replacement", original.display()) });
        }
    }
    Ok(())
}

/// Gives a new folder the Windows security of the folder above it, where the file system keeps one, and reads it back. ntfs-3g gives
/// a new folder full access for everybody; the folder above is never more open than what it holds should be.
///
/// # Errors
/// When it cannot be copied or reads back differently: the new folder must not stay then.
#[cfg(unix)]
pub(in crate::targets) fn as_folder_above(folder: &Path) -> std::io::Result<()> {
    const ACL: &str = "system.ntfs_acl";
    let Some(above) = folder.parent() else { return Ok(()) };
    let wanted = match xattr::get(above, ACL) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => return Ok(()),
        Err(error) => return Err(error),
    };
    xattr::set(folder, ACL, &wanted)?;
    if xattr::get(folder, ACL)?.as_deref() == Some(wanted.as_slice()) {
        return Ok(());
    }
    Err(std::io::Error::other("the Windows security of the folder above could not be taken over"))
}

/// On Windows a new folder takes over what the one above hands down.
#[cfg(not(unix))]
pub(in crate::targets) fn as_folder_above(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Gives a finished copy the original's time of creation where the file system keeps one, and the wanted time of last write (seconds
/// since 1970 and nanoseconds; none: it keeps its own). The last thing that is done to the copy before it takes its place.
///
/// ntfs-3g loses the time of last write when the time of creation is set alone, and ignores a request for the time of last write
/// alone; so both are set at once, and read back.
///
/// # Errors
/// When the times cannot be set or read back differently.
pub(super) fn times(original: &Path, copy: &Path, modified: Option<(i64, u32)>) -> Result<(), TargetError> {
    let io = |source: std::io::Error| TargetError::Io { doing: "set the times of", path: copy.to_owned(), source };
    if let Some((seconds, nanos)) = modified {
        let time = std::time::UNIX_EPOCH + std::time::Duration::new(u64::try_from(seconds).unwrap_or(0), nanos);
        let accessed = fs::metadata(original).and_then(|metadata| metadata.accessed()).unwrap_or(time);
        let times = fs::FileTimes::new().set_modified(time).set_accessed(accessed);
        fs::OpenOptions::new().write(true).open(copy).and_then(|file| file.set_times(times).and_then(|()| file.sync_all())).map_err(io)?;
    }
    creation(original, copy).map_err(io)
}

fn creation(original: &Path, copy: &Path) -> std::io::Result<()> {
    let (Ok(Some(from)), Ok(Some(mut times))) = (attributes::get(original, TIMES), attributes::get(copy, TIMES)) else { return Ok(()) };
    let (Some(wanted), Some(place)) = (from.get(..8), times.get_mut(..8)) else { return Ok(()) };
    place.copy_from_slice(wanted);
    attributes::set(copy, TIMES, &times)?;
    match attributes::get(copy, TIMES)? {
        Some(now) if now.get(..16) == times.get(..16) => Ok(()),
        _ => Err(std::io::Error::other("the times that were set read back differently")),
    }
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
