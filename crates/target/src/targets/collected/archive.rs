//! Parts in a zip archive: always the same bytes for the same parts.

use super::parts::{INDEX, Parts};
use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Bytes that are unpacked in all: a bundle comes from somebody else.
const LARGEST: u64 = 2 << 30;

/// The archive.
///
/// # Errors
/// When a part is too large for an archive.
pub fn zip_of(parts: &Parts) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(DateTime::default());
    for (name, bytes) in parts {
        archive.start_file(name.as_str(), options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// The parts of a bundle that `collect` wrote; `None` for every other file.
///
/// # Errors
/// When the archive is damaged or unpacks to more than is ever collected.
pub(super) fn parts_of(path: &Path) -> io::Result<Option<Parts>> {
    let Ok(mut archive) = ZipArchive::new(io::BufReader::new(File::open(path)?)) else { return Ok(None) };
    if archive.index_for_name(INDEX).is_none() {
        return Ok(None);
    }
    let (mut parts, mut room) = (Parts::new(), LARGEST);
    for number in 0..archive.len() {
        let mut member = archive.by_index(number)?;
        let mut bytes = Vec::new();
        let read = member.by_ref().take(room).read_to_end(&mut bytes)?;
        room -= u64::try_from(read).unwrap_or(room).min(room);
        if room == 0 {
            return Err(io::Error::other("it unpacks to more than is ever collected"));
        }
        let name = member.name()?.into_owned();
        parts.insert(name, bytes);
    }
    Ok(Some(parts))
}
