//! The base block: the first 4096 bytes of a hive ("Base block" in the specification).

use crate::bytes::{put, u16_at, u32_at, u64_at};
use crate::cell::BINS_START;
use crate::error::Error;

/// The part of the base block that is also stored at the start of a log, and that the checksum covers.
pub(crate) const HEADER: usize = 512;
const CHECKSUM_AT: usize = 508;

/// The fields of a hive's base block, as they are in the file, believable or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseBlock {
    /// Raised before a write of the hive begins.
    pub primary_sequence: u32,
    /// Raised after a write of the hive has ended; differs from the primary one when a write was cut off.
    pub secondary_sequence: u32,
    /// When the hive was last written: a FILETIME (100 ns since 1601, UTC); 0 or stale from Windows 8.1 on.
    pub last_written: u64,
    /// 1 in every known hive.
    pub major_version: u32,
    /// 3 to 6; 5 in most hives of Windows XP to 11.
    pub minor_version: u32,
    /// 0 for a hive, 1 or 2 for an old log, 6 for a new log.
    pub file_type: u32,
    /// 1: the format of every known hive.
    pub file_format: u32,
    /// Offset of the root key, in bytes from the start of the hive bins data.
    pub root_offset: u32,
    /// Bytes of hive bins data, which begin at file offset 4096.
    pub bins_size: u32,
    /// Sector size divided by 512.
    pub clustering_factor: u32,
    /// The end of the path the hive had when it was last written, without terminating NULs; lossy; for people only.
    pub file_name: String,
    /// A 1 is normal and says that transactions of the registry (KTM) have been used.
    pub flags: u32,
    /// The checksum in the file.
    pub checksum: u32,
    /// Whether that checksum is right.
    pub checksum_ok: bool,
}

impl BaseBlock {
    /// Reads the fields of the first 512 bytes; says nothing about whether they are believable.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let short = Error::FileTooShort { expected: BINS_START, actual: bytes.len() };
        bytes.first_chunk().map(Self::of).ok_or(short)
    }

    /// The fields of a header.
    pub(crate) fn of(header: &[u8; HEADER]) -> Self {
        let field = |at| u32_at(header, at).unwrap_or_default();
        let units = (0..32).filter_map(|index| u16_at(header, 48 + 2 * index));
        let name: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
        let checksum = field(CHECKSUM_AT);
        Self {
            primary_sequence: field(4),
            secondary_sequence: field(8),
            last_written: u64_at(header, 12).unwrap_or_default(),
            major_version: field(20),
            minor_version: field(24),
            file_type: field(28),
            file_format: field(32),
            root_offset: field(36),
            bins_size: field(40),
            clustering_factor: field(44),
            file_name: String::from_utf16_lossy(&name),
            flags: field(144),
            checksum,
            checksum_ok: checksum == checksum_of(header),
        }
    }

    /// Whether Windows would have to recover the hive before it uses it: a write was cut off, or the checksum is wrong.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.checksum_ok || self.primary_sequence != self.secondary_sequence
    }
}

/// The XOR of the first 127 32-bit words, where 0 becomes 1 and -1 becomes -2.
pub(crate) fn checksum_of(header: &[u8]) -> u32 {
    let words = header.get(..CHECKSUM_AT).unwrap_or_default().chunks_exact(4);
    match words.filter_map(|word| u32_at(word, 0)).fold(0, |sum, word| sum ^ word) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// The changes a write makes in a base block; every other field stays as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) sequence: u32,
    pub(crate) bins_size: u32,
    pub(crate) last_written: Option<u64>,
}

/// Writes a stamp into the base block at the start of `bytes` and renews the checksum; `None` when `bytes` is too short.
pub(crate) fn stamp(bytes: &mut [u8], stamp: Stamp) -> Option<()> {
    put(bytes, 4, &stamp.sequence.to_le_bytes())?;
    put(bytes, 8, &stamp.sequence.to_le_bytes())?;
    put(bytes, 40, &stamp.bins_size.to_le_bytes())?;
    if let Some(time) = stamp.last_written {
        put(bytes, 12, &time.to_le_bytes())?;
        // The first bin holds a second copy of the time.
        if bytes.get(BINS_START..BINS_START + 4) == Some(b"hbin") {
            put(bytes, BINS_START + 20, &time.to_le_bytes())?;
        }
    }
    let sum = checksum_of(bytes);
    put(bytes, CHECKSUM_AT, &sum.to_le_bytes())
}
