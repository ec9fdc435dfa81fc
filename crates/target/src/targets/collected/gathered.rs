//! The parts of collected evidence that somebody packed anew before sending it: unpacked to a folder, or in a 7z or tar archive.

use super::archive::{self, LARGEST};
use super::parts::{INDEX, Parts};
use crate::targets::bundle::{seven, tar};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Files that are looked at: a bundle has some hundred.
const MOST: usize = 20_000;
/// Folders in folders.
const DEEPEST: u32 = 32;

/// The parts of a bundle, however they are packed; `None` when no index is in it.
///
/// # Errors
/// When it cannot be read to its end, or is larger than what is ever collected.
pub(super) fn parts_of(path: &Path) -> io::Result<Option<Parts>> {
    if path.is_dir() {
        return match root_of(path) {
            Some(root) => folder(&root).map(Some),
            None => Ok(None),
        };
    }
    if let Some(parts) = archive::parts_of(path)? {
        return Ok(archive::without_top(parts));
    }
    let Some(packing) = Packing::of(path)? else { return Ok(None) };
    // A first pass that only looks: every other archive is large, and none of ours.
    let mut found = false;
    let looked = packing.members(path, &mut |name, _, _| {
        found |= archive::is_index(name);
        Ok(!found)
    });
    if !found {
        // What cannot be read is said where it is opened as a bundle of logs.
        return Ok(None);
    }
    looked?;
    let (mut parts, mut room) = (Parts::new(), LARGEST);
    packing.members(path, &mut |name, is_file, content| {
        if is_file && parts.len() < MOST {
            parts.insert(name.replace('\\', "/"), bounded(content, &mut room)?);
        }
        Ok(true)
    })?;
    Ok(archive::without_top(parts))
}

/// Archives that are read from their start.
enum Packing {
    Seven,
    Tar,
    PackedTar,
}

impl Packing {
    fn of(path: &Path) -> io::Result<Option<Packing>> {
        let mut start = Vec::new();
        File::open(path)?.take(512).read_to_end(&mut start)?;
        Ok(match () {
            () if start.starts_with(b"7z\xbc\xaf\x27\x1c") => Some(Packing::Seven),
            () if start.starts_with(b"\x1f\x8b") => Some(Packing::PackedTar),
            () if tar::is_tar(&start) => Some(Packing::Tar),
            () => None,
        })
    }

    /// Hands every member to `take`, with its name and whether it is an ordinary file, until it says stop.
    fn members(&self, path: &Path, take: &mut dyn FnMut(&str, bool, &mut dyn Read) -> io::Result<bool>) -> io::Result<()> {
        let mut source = BufReader::new(File::open(path)?);
        match self {
            Packing::Seven => seven::members(Box::new(source), &mut |member, content| take(&member.name, member.is_file, content)),
            Packing::Tar => tar::members(&mut source, &mut |member, content| take(&member.name, member.is_file, content)),
            Packing::PackedTar => {
                tar::members(&mut MultiGzDecoder::new(source).take(LARGEST), &mut |member, content| take(&member.name, member.is_file, content))
            }
        }
    }
}

fn bounded(content: &mut dyn Read, room: &mut u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(*room).read_to_end(&mut bytes)?;
    *room -= (bytes.len() as u64).min(*room);
    if *room == 0 {
        return Err(io::Error::other("it unpacks to more than is ever collected"));
    }
    Ok(bytes)
}

/// The folder itself, or the only folder in it, when an index of ours lies there.
fn root_of(path: &Path) -> Option<PathBuf> {
    let ours = |folder: &Path| {
        let mut start = Vec::new();
        let read = File::open(folder.join(INDEX)).and_then(|file| file.take(4096).read_to_end(&mut start));
        // A Windows may have a file of that name, too.
        read.is_ok() && String::from_utf8_lossy(&start).contains("hresolve/collection/")
    };
    if ours(path) {
        return Some(path.to_owned());
    }
    let mut inside = std::fs::read_dir(path).ok()?.take(2).flatten();
    let only = inside.next().filter(|_| inside.next().is_none())?.path();
    ours(&only).then_some(only)
}

fn folder(root: &Path) -> io::Result<Parts> {
    let (mut parts, mut room) = (Parts::new(), LARGEST);
    let mut open = vec![(root.to_owned(), String::new(), 0)];
    while let Some((at, prefix, depth)) = open.pop() {
        for entry in std::fs::read_dir(at)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // Links are not followed.
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < DEEPEST {
                open.push((entry.path(), format!("{name}/"), depth + 1));
            } else if kind.is_file() && parts.len() < MOST {
                parts.insert(name, bounded(&mut File::open(entry.path())?, &mut room)?);
            }
        }
    }
    Ok(parts)
}
