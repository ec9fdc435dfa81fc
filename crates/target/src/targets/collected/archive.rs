//! Parts in a zip archive: always the same bytes for the same parts.

use super::parts::{INDEX, Parts};
use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Bytes that are unpacked in all: a bundle comes from somebody else.
pub(super) const LARGEST: u64 = 2 << 30;

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

/// True for the index, in whatever folder it was packed.
pub(super) fn is_index(name: &str) -> bool {
    name.rsplit(['/', '\\']).next() == Some(INDEX)
}

/// The parts without the folder that was packed around all of them; `None` when something else was packed with them, so that it is
/// no bundle of ours any more.
pub(super) fn without_top(parts: Parts) -> Option<Parts> {
    let plain = |name: &str| name.trim_start_matches("./").to_owned();
    let index = parts.keys().filter(|name| is_index(name)).min_by_key(|name| name.len())?;
    let top = plain(index).strip_suffix(INDEX)?.to_owned();
    parts.into_iter().map(|(name, bytes)| Some((plain(&name).strip_prefix(&top)?.to_owned(), bytes))).collect()
}

/// The parts of a zip archive with an index in it; `None` for every other file.
///
/// # Errors
/// When the archive is damaged or unpacks to more than is ever collected.
pub(super) fn parts_of(path: &Path) -> io::Result<Option<Parts>> {
    let Ok(mut archive) = ZipArchive::new(io::BufReader::new(File::open(path)?)) else { return Ok(None) };
    if !archive.file_names().any(|name| name.is_ok_and(|name| is_index(&name))) {
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
