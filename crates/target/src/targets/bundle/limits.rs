//! What a bundle may demand. Bundles come from strangers: what goes beyond is skipped with a sentence, never unpacked to see.

/// Files and folders in all, those of nested archives included.
pub(super) const MOST_MEMBERS: u64 = 100_000;
/// Bytes of one file, unpacked.
pub(super) const LARGEST_MEMBER: u64 = 2 << 30;
/// Bytes that are unpacked in all.
pub(super) const LARGEST_IN_ALL: u64 = 4 << 30;
/// An archive in an archive in an archive is opened, what is packed deeper is not.
pub(super) const MOST_NESTED: u32 = 2;
/// Folders in folders.
pub(super) const DEEPEST_FOLDER: u32 = 32;
/// Times that something may be larger unpacked than packed. Logs reach 50, empty event logs more, but those are small.
pub(super) const HIGHEST_RATIO: u64 = 250;
/// Below so many unpacked bytes no ratio is suspicious.
pub(super) const RATIO_FROM: u64 = 64 << 20;
/// Larger members of archives that are read only once go to a temporary file.
pub(super) const LARGEST_IN_MEMORY: u64 = 64 << 20;
/// So do all others once so much is in memory.
pub(super) const MEMORY_IN_ALL: u64 = 512 << 20;
/// Larger members of zip archives go to a temporary file while they are read from start to end.
pub(super) const STREAM_IN_MEMORY: u64 = 8 << 20;
/// Memory that a 7z archive may demand for its dictionary.
pub(super) const DICTIONARY_KB: usize = 256 << 10;
/// A hive larger than this is not loaded.
pub(super) const LARGEST_HIVE: u64 = 256 << 20;
/// How much of a file is looked at to recognise it.
pub(super) const HEAD: usize = 16 << 10;
/// More sentences than this about skipped members are only counted.
pub(super) const MOST_NOTES: usize = 20;

/// A size for people.
pub(super) fn shown(bytes: u64) -> String {
    match bytes {
        0..=0xF_FFFF => format!("{} KiB", bytes.div_ceil(1 << 10)),
        0x10_0000..=0x3FFF_FFFF => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// True when something is so much larger unpacked than packed that it was made to do harm.
pub(super) fn is_bomb(packed: u64, unpacked: u64) -> bool {
    unpacked > RATIO_FROM && unpacked / HIGHEST_RATIO > packed
}
