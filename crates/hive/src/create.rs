//! A new, empty hive as Windows 10 makes them: one bin with the root key and one security record.

use crate::base_block::{BaseBlock, HEADER, Stamp, stamp};
use crate::bytes::put;
use crate::cell::{BIN_ALIGN, BIN_HEADER, BINS_START, NIL};
use crate::clean_hive::CleanHive;

/// The format version of a new hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinorVersion {
    /// 1.3: BCD and hives made by `RegSaveKey`; no long data in chains, no hashed lists.
    V3,
    /// 1.4: Windows 2000.
    V4,
    /// 1.5: SYSTEM, SOFTWARE and nearly every other hive from Windows XP on.
    V5,
    /// 1.6: hives for containers.
    V6,
}

impl MinorVersion {
    fn number(self) -> u32 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
            Self::V5 => 5,
            Self::V6 => 6,
        }
    }
}

/// Self-relative: owner and group Administrators; SYSTEM and Administrators may do everything, Everyone may read; all
/// inherited by subkeys.
#[rustfmt::skip]
const SECURITY: [u8; 124] = [
    // Revision, control 0x8004 (self-relative, has a DACL), offsets of owner, group, SACL (none), DACL.
    1, 0, 0x04, 0x80,  92, 0, 0, 0,  108, 0, 0, 0,  0, 0, 0, 0,  20, 0, 0, 0,
    // The DACL: revision 2, 72 bytes, 3 entries.
    2, 0, 72, 0,  3, 0, 0, 0,
    // Allow, inherited by containers: KEY_ALL_ACCESS to SYSTEM (S-1-5-18).
    0, 2, 20, 0,  0x3f, 0, 0x0f, 0,  1, 1, 0, 0, 0, 0, 0, 5,  18, 0, 0, 0,
    // KEY_ALL_ACCESS to Administrators (S-1-5-32-544).
    0, 2, 24, 0,  0x3f, 0, 0x0f, 0,  1, 2, 0, 0, 0, 0, 0, 5,  32, 0, 0, 0,  0x20, 0x02, 0, 0,
    // KEY_READ to Everyone (S-1-1-0).
    0, 2, 20, 0,  0x19, 0, 0x02, 0,  1, 1, 0, 0, 0, 0, 0, 1,  0, 0, 0, 0,
    // Owner, then group: Administrators.
    1, 2, 0, 0, 0, 0, 0, 5,  32, 0, 0, 0,  0x20, 0x02, 0, 0,
    1, 2, 0, 0, 0, 0, 0, 5,  32, 0, 0, 0,  0x20, 0x02, 0, 0,
];

const ROOT_NAME: &[u8] = b"ROOT";
const ROOT: u32 = BIN_HEADER;

impl CleanHive {
    /// A new empty hive. `file_name` is for people only: its last 31 UTF-16 units are kept. `now` is a FILETIME.
    #[must_use]
    pub fn create(version: MinorVersion, file_name: &str, now: u64) -> Self {
        let mut header = [0; HEADER];
        put(&mut header, 0, b"regf");
        for (index, field) in [1, version.number(), 0, 1, ROOT, BIN_ALIGN, 1].into_iter().enumerate() {
            put(&mut header, 20 + 4 * index, &field.to_le_bytes());
        }
        let name: Vec<u16> = file_name.encode_utf16().collect();
        for (index, unit) in name.iter().skip(name.len().saturating_sub(31)).enumerate() {
            put(&mut header, 48 + 2 * index, &unit.to_le_bytes());
        }
        stamp(&mut header, Stamp { sequence: 1, bins_size: BIN_ALIGN, last_written: Some(now) });

        let mut bin = Vec::with_capacity(BIN_ALIGN as usize);
        bin.extend_from_slice(b"hbin");
        bin.extend_from_slice(&0_u32.to_le_bytes());
        bin.extend_from_slice(&BIN_ALIGN.to_le_bytes());
        bin.resize(BIN_HEADER as usize, 0);
        let security = ROOT + 4 + 76 + 8;
        let node = root_node(security, now);
        cell(&mut bin, &node);
        debug_assert_eq!(bin.len(), security as usize);
        let mut record = b"sk\0\0".to_vec();
        for field in [security, security, 1, 124] {
            record.extend_from_slice(&field.to_le_bytes());
        }
        record.extend_from_slice(&SECURITY);
        cell(&mut bin, &record);
        let free = BIN_ALIGN - u32::try_from(bin.len()).unwrap_or(BIN_ALIGN);
        bin.extend_from_slice(&free.to_le_bytes());
        bin.resize(BIN_ALIGN as usize, 0);

        put(&mut bin, 20, &now.to_le_bytes());

        let mut bytes = header.to_vec();
        bytes.resize(BINS_START, 0);
        bytes.extend_from_slice(&bin);
        Self::new(bytes, BaseBlock::of(&header), 1)
    }
}

fn root_node(security: u32, now: u64) -> Vec<u8> {
    // Flags: root, not deletable, compressed name.
    let mut node = b"nk\x2c\0".to_vec();
    node.extend_from_slice(&now.to_le_bytes());
    for field in [0, NIL, 0, 0, NIL, NIL, 0, NIL, security, NIL, 0, 0, 0, 0, 0] {
        node.extend_from_slice(&field.to_le_bytes());
    }
    node.extend_from_slice(&[u8::try_from(ROOT_NAME.len()).unwrap_or_default(), 0, 0, 0]);
    node.extend_from_slice(ROOT_NAME);
    node
}

/// Appends an allocated cell, padded to a multiple of 8.
fn cell(bin: &mut Vec<u8>, content: &[u8]) {
    let size = (content.len() + 4).next_multiple_of(8);
    bin.extend_from_slice(&i32::try_from(size).unwrap_or_default().wrapping_neg().to_le_bytes());
    let end = bin.len() - 4 + size;
    bin.extend_from_slice(content);
    bin.resize(end, 0);
}
