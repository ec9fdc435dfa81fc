//! 7z archives: one pass, in order, with a limit for the memory that they may demand.

use super::blob::Source;
use super::limits;
use sevenz_rust2::{ArchiveReader, Password};
use std::io::{self, Read};

/// One member, before its content.
pub(in crate::targets) struct SevenMember {
    pub(in crate::targets) name: String,
    pub(in crate::targets) size: u64,
    /// Seconds since 1970 UTC.
    pub(in crate::targets) modified: i64,
    /// An ordinary file; `false` for a link.
    pub(in crate::targets) is_file: bool,
}

/// Hands every member with its content to `take`, in order, until it says stop.
///
/// # Errors
/// When the archive is damaged, encrypted or wants too much memory; the members before were taken.
pub(in crate::targets) fn members(source: Box<dyn Source>, take: &mut dyn FnMut(SevenMember, &mut dyn Read) -> io::Result<bool>) -> io::Result<()> {
    let mut reader = ArchiveReader::new_with_memory_limit(source, Password::empty(), limits::DICTIONARY_KB).map_err(io::Error::other)?;
    reader.set_thread_count(1);
    let mut stopped = false;
    let ended = reader.for_each_entries(|entry, content| {
        if stopped || entry.is_directory() {
            return Ok(!stopped);
        }
        // The upper half holds Unix modes; 0xa000 is a link. 0x400 is a reparse point.
        let attributes = entry.windows_attributes();
        let is_link = attributes & 0x400 != 0 || attributes >> 28 == 0xa;
        let modified = i64::try_from(u64::from(entry.last_modified_date()) / 10_000_000).unwrap_or_default() - 11_644_473_600;
        let member = SevenMember { name: entry.name().to_owned(), size: entry.size(), modified: modified.max(0), is_file: !is_link };
        stopped = !take(member, content)?;
        Ok(!stopped)
    });
    ended.map_err(io::Error::other)
}
