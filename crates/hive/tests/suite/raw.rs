//! Looking at and changing the bytes of a hive behind the library's back.

use hive::{CleanHive, MinorVersion, Recovered, recover};

/// A FILETIME for everything a test does first, and one for what it does next.
pub(crate) const THEN: u64 = 0x01da_0000_0000_0000;
pub(crate) const NOW: u64 = 0x01db_0000_0000_0000;

pub(crate) fn empty(version: MinorVersion) -> CleanHive {
    CleanHive::create(version, r"\SystemRoot\System32\Config\TEST", THEN)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

/// The file offset of a field in a cell.
pub(crate) fn field(offset: u32, at: usize) -> usize {
    4096 + 4 + offset as usize + at
}

/// The cell of a key.
pub(crate) fn key(hive: &CleanHive, path: &str) -> u32 {
    hive.hive().open(path).unwrap().unwrap().offset()
}

/// The two letters at the start of a cell.
pub(crate) fn signature(hive: &CleanHive, offset: u32) -> String {
    let at = field(offset, 0);
    String::from_utf8_lossy(&hive.bytes()[at..at + 2]).into_owned()
}

/// A field of the `nk` record of a key.
pub(crate) fn node(hive: &CleanHive, path: &str, at: usize) -> u32 {
    u32_at(hive.bytes(), field(key(hive, path), at))
}

/// Writes the checksum of the base block anew.
pub(crate) fn reseal(bytes: &mut [u8]) {
    let sum = bytes[..508].chunks_exact(4).fold(0, |sum, word| sum ^ u32_at(word, 0));
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
}

/// Sets the sequence numbers.
pub(crate) fn set_sequence(bytes: &mut [u8], primary: u32, secondary: u32) {
    bytes[4..8].copy_from_slice(&primary.to_le_bytes());
    bytes[8..12].copy_from_slice(&secondary.to_le_bytes());
    reseal(bytes);
}

pub(crate) fn clean(bytes: Vec<u8>) -> CleanHive {
    match recover(bytes, &[]).unwrap() {
        Recovered::Clean(hive) => hive,
        other => panic!("not clean: {other:?}"),
    }
}

/// Commits one edit and checks the structure of the result.
pub(crate) fn edited(hive: &CleanHive, edit: impl FnOnce(&mut hive::Edit<'_>)) -> CleanHive {
    let mut pending = hive.edit();
    edit(&mut pending);
    let done = pending.commit(NOW).unwrap();
    assert_eq!(done.hive.hive().check(), [], "the edited hive has problems");
    done.hive
}

/// The error of an edit.
pub(crate) fn refused(hive: &CleanHive, edit: impl FnOnce(&mut hive::Edit<'_>)) -> hive::Error {
    let mut pending = hive.edit();
    edit(&mut pending);
    pending.commit(NOW).unwrap_err()
}

/// Small reproducible random numbers.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}
