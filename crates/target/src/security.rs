//! Windows security of the runs folder: a self-relative security descriptor ([MS-DTYP] 2.4.6), on an offline volume in the extended
//! attribute `system.ntfs_acl` of ntfs-3g, in Windows by its own calls.
//!
//! Runs hold copies of hives and records that undo acts on: only SYSTEM and Administrators may read or write them.

use crate::{attributes, host};
use std::io;
use std::path::Path;

const ATTRIBUTE: &str = "system.ntfs_acl";
const SYSTEM: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
const ADMINISTRATORS: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
/// `NT SERVICE\TrustedInstaller`, S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464.
const TRUSTED_INSTALLER: &[u8] = &[
    1, 6, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0, 0xb5, 0x89, 0xfb, 0x38, 0x19, 0x84, 0xc2, 0xcb, 0x5c, 0x6c, 0x23, 0x6d, 0x57, 0x00, 0x77, 0x6e, 0xc0, 0x02,
    0x64, 0x87,
];
/// Stands for whoever makes something below; only meaningful as an inherited entry.
const CREATOR_OWNER: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];
/// Any right by which content, rights or names could be changed: write data, append, write attributes, delete (child), change
/// rights or owner, and the generic ones.
const CHANGES: u32 = 0x0002 | 0x0004 | 0x0010 | 0x0040 | 0x0100 | 0x0001_0000 | 0x0004_0000 | 0x0008_0000 | 0x1000_0000 | 0x4000_0000;

/// The descriptor; `None` where the file system keeps no Windows security, and in Windows without administrator rights: who has none could
/// close a folder to themselves, and loses nothing by what others put there.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if host::is_windows() { host::security_of(path) } else { attributes::get(path, ATTRIBUTE) }
}

fn write(path: &Path, descriptor: &[u8]) -> io::Result<()> {
    if host::is_windows() { host::set_security(path, descriptor) } else { attributes::set(path, ATTRIBUTE, descriptor) }
}

/// Whether the file system keeps Windows security at this path.
pub(crate) fn is_kept(path: &Path) -> bool {
    match read(path) {
        Ok(descriptor) => descriptor.is_some(),
        Err(_) => host::is_windows(),
    }
}

/// Whether only SYSTEM and Administrators can change what lies at this path, as far as Windows' own security says it.
pub(crate) fn is_closed(path: &Path) -> bool {
    matches!(read(path), Ok(Some(descriptor)) if others_may_change(&descriptor).is_none())
}

/// Closes a file or folder of ours to everybody but SYSTEM and Administrators, and reads that back. Nothing happens where the file
/// system keeps no Windows security.
///
/// # Errors
/// When it cannot be set, or reads back differently.
pub(crate) fn close(path: &Path) -> io::Result<()> {
    if !is_kept(path) {
        return Ok(());
    }
    let wanted = descriptor();
    write(path, &wanted)?;
    match read(path)? {
        Some(there) if others_may_change(&there).is_none() => Ok(()),
        _ => Err(io::Error::other("the Windows security that was set reads back differently")),
    }
}

/// Why somebody else could change what lies at this path; `None` when nobody can, or the file system keeps no Windows security.
pub(crate) fn open_to_others(path: &Path) -> Option<String> {
    match read(path) {
        Ok(Some(descriptor)) => others_may_change(&descriptor),
        // ntfs-3g always answers; Windows not answering an administrator is a reason of its own.
        Err(error) if host::is_windows() => Some(format!("its Windows security cannot be read: {error}")),
        _ => None,
    }
}

/// Owner Administrators, full access for SYSTEM and Administrators, nothing inherited from above.
fn descriptor() -> Vec<u8> {
    let entry = |sid: &[u8]| {
        // ACCESS_ALLOWED, inherited by files and folders below, FILE_ALL_ACCESS.
        let mut entry = vec![0, 3];
        entry.extend(u16::try_from(8 + sid.len()).unwrap_or(0).to_le_bytes());
        entry.extend(0x001F_01FF_u32.to_le_bytes());
        entry.extend(sid);
        entry
    };
    let entries = [entry(SYSTEM), entry(ADMINISTRATORS)].concat();
    let list = u32::try_from(8 + entries.len()).unwrap_or(0);
    // Self-relative, with a DACL that is protected from inheritance.
    let mut out = vec![1, 0, 0x04, 0x90];
    out.extend((20 + list).to_le_bytes());
    out.extend((20 + list + 16).to_le_bytes());
    out.extend(0_u32.to_le_bytes());
    out.extend(20_u32.to_le_bytes());
    out.extend([2, 0]);
    out.extend(u16::try_from(list).unwrap_or(0).to_le_bytes());
    out.extend([2, 0, 0, 0]);
    out.extend(entries);
    out.extend(ADMINISTRATORS);
    out.extend(SYSTEM);
    out
}

fn others_may_change(descriptor: &[u8]) -> Option<String> {
    let number = |at: usize| descriptor.get(at..at.checked_add(4)?).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let small = |at: usize| descriptor.get(at..at.checked_add(2)?).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
    let sid = |at: usize| -> Option<&[u8]> {
        let parts = usize::from(*descriptor.get(at.checked_add(1)?)?);
        descriptor.get(at..at.checked_add(8 + 4 * parts)?)
    };
    let ours = |sid: &[u8]| [SYSTEM, ADMINISTRATORS, TRUSTED_INSTALLER].contains(&sid);
    let unreadable = || Some("its Windows security cannot be read".to_owned());
    let (Some(owner), Some(list)) = (number(4), number(16)) else { return unreadable() };
    match sid(owner as usize) {
        Some(owner) if ours(owner) => {}
        Some(_) => return Some("on Windows it belongs to somebody other than SYSTEM and Administrators".into()),
        None => return unreadable(),
    }
    if list == 0 {
        return Some("on Windows it is open to everybody".into());
    }
    let Some(count) = small(list as usize + 4) else { return unreadable() };
    let mut at = list as usize + 8;
    for _ in 0..count {
        let (Some(head), Some(size), Some(mask), Some(sid)) = (descriptor.get(at..at + 2), small(at + 2), number(at + 4), sid(at + 8)) else {
            return unreadable();
        };
        // Inherit-only entries say nothing about the folder itself; CREATOR OWNER becomes whoever made a thing, which is us.
        let inherit_only = head.get(1).is_some_and(|flags| flags & 8 != 0);
        let allows = head.first().is_some_and(|kind| matches!(kind, 0 | 5 | 9));
        if allows && mask & CHANGES != 0 && !ours(sid) && !(inherit_only && sid == CREATOR_OWNER) {
            return Some("on Windows others than SYSTEM and Administrators may change it".into());
        }
        at += usize::from(size).max(8);
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{ADMINISTRATORS, descriptor, others_may_change};

    #[test]
    fn what_is_set_is_closed() {
        assert_eq!(others_may_change(&descriptor()), None);
        assert_eq!(descriptor().len(), 100);
    }

    #[test]
    fn everybody_and_foreign_owners_are_noticed() {
        let mut open = descriptor();
        // The second entry now names Everyone (S-1-1-0 with a second part to keep the length).
        let at = open.windows(16).position(|part| part == ADMINISTRATORS).unwrap();
        open[at + 7] = 1;
        assert!(others_may_change(&open).unwrap().contains("may change"));
        let mut owned = descriptor();
        owned[72 + 12] = 99;
        assert!(others_may_change(&owned).unwrap().contains("belongs"));
        let mut without = descriptor();
        without[16..20].fill(0);
        assert!(others_may_change(&without).unwrap().contains("everybody"));
    }

    #[test]
    fn hostile_descriptors_do_not_panic() {
        let whole = descriptor();
        for cut in 0..whole.len() {
            let _ = others_may_change(&whole[..cut]);
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[cut] = value;
                let _ = others_may_change(&bytes);
            }
        }
    }
}
