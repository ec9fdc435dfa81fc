//! The room on a mounted Windows volume. Only the root of a mounted NTFS is asked: around a copy of a Windows, or a practice machine, the room is
//! that of another drive.

use model::{Reading, Room};
use std::path::Path;

/// The room on the volume that is mounted at this folder.
#[cfg(target_os = "linux")]
pub(super) fn of(root: &Path) -> Reading<Room> {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| std::fs::metadata(path).map(|there| there.dev()).ok();
    let mounted = std::path::absolute(root).ok().is_some_and(|root| match root.parent() {
        Some(parent) => device(&root).is_some_and(|own| device(parent).is_some_and(|above| above != own)),
        None => true,
    });
    if !mounted {
        return Reading::NotCollected;
    }
    match rustix::fs::statfs(root) {
        Ok(there) if is_ntfs(i128::from(there.f_type)) => {
            let size = u64::try_from(i128::from(there.f_bsize)).unwrap_or_default();
            Reading::Known(Room { free: there.f_bfree.saturating_mul(size), whole: there.f_blocks.saturating_mul(size) })
        }
        Ok(_) => Reading::NotCollected,
        Err(error) => Reading::Unreadable(format!("the room on the volume could not be told: {error}")),
    }
}

/// Elsewhere it is not asked yet.
#[cfg(not(target_os = "linux"))]
pub(super) fn of(_root: &Path) -> Reading<Room> {
    Reading::NotCollected
}

/// The kinds of file system by which Linux mounts NTFS: the kernel's two drivers, and programs such as ntfs-3g (`fuseblk`).
#[cfg(target_os = "linux")]
fn is_ntfs(kind: i128) -> bool {
    const NTFS: i128 = 0x5346_544E;
    const NTFS3: i128 = 0x7366_746E;
    const FUSE: i128 = 0x6573_5546;
    // Some systems store the number in 32 bits with a sign.
    [NTFS, NTFS3, FUSE].contains(&(kind & 0xFFFF_FFFF))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot make a folder fails")]
mod tests {
    use super::of;

    #[test]
    fn a_folder_that_is_no_volume_has_no_room_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        assert!(of(folder.path()).known().is_none());
        // Mounted, but no Windows volume.
        assert!(of(std::path::Path::new("/proc")).known().is_none());
        assert!(of(&folder.path().join("not there")).known().is_none());
    }
}
