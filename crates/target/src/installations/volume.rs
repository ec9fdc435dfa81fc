//! Of which kind a volume is, and how an NTFS volume was left: from its boot sector and its first system files. Nothing else of it is read.
//!
//! Layouts: Microsoft's "NTFS boot sector", the NTFS documentation of Linux-NTFS (`$Volume`, `$LogFile`), and the signatures that
//! `libbde` and `blkid` document for BitLocker and ReFS. Everything is a stranger's: every place is checked before it is read.

use super::disks::Device;
use std::io::{self, Read, SeekFrom};

/// A volume on which a Windows may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Volume {
    Ntfs(Ntfs),
    /// Encrypted, and not unlocked.
    BitLocker,
    Refs,
}

/// An NTFS volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ntfs {
    /// Its name; empty when it has none or it cannot be read.
    pub(super) label: String,
    /// In bytes.
    pub(super) size: u64,
    /// Marked for a check.
    pub(super) dirty: bool,
    /// Its journal holds work that was not finished.
    pub(super) unclean: bool,
}

/// Clusters are at most 2 MiB, records in practice 1 or 4 KiB.
const LARGEST_RECORD: u64 = 1 << 16;
/// Numbers of the first system files.
const LOG_FILE: u64 = 2;
const VOLUME: u64 = 3;
/// Kinds of attributes.
const NAME: u32 = 0x60;
const INFORMATION: u32 = 0x70;
const DATA: u32 = 0x80;
/// `VOLUME_IS_DIRTY`
const DIRTY: u16 = 1;
/// `RESTART_VOLUME_IS_CLEAN`
const CLEAN: u16 = 2;
/// `LOGFILE_NO_CLIENT`
const NOBODY: u16 = 0xFFFF;

/// What a device is; `None` when it is none of these.
pub(super) fn recognise(device: &mut dyn Device) -> io::Result<Option<Volume>> {
    let boot = match at(device, 0, 512) {
        Ok(boot) => boot,
        // An extended partition is a kilobyte, an empty reader nothing.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(match boot.get(3..11) {
        Some(b"NTFS    ") => geometry(&boot).map(|geometry| Volume::Ntfs(ntfs(device, &geometry))),
        Some(b"-FVE-FS-") => Some(Volume::BitLocker),
        Some(b"ReFS\0\0\0\0") => Some(Volume::Refs),
        _ => None,
    })
}

/// Where things lie, in bytes.
struct Geometry {
    size: u64,
    cluster: u64,
    table: u64,
    record: u64,
}

fn geometry(boot: &[u8]) -> Option<Geometry> {
    let sector = u64::from(half(boot, 0x0B)?);
    // Above 128 it is a power of two.
    let cluster = match *boot.get(0x0D)? {
        count @ 1..=128 => sector * u64::from(count),
        power => sector.checked_shl(256 - u32::from(power))?,
    };
    let record = match boot.get(0x40)?.cast_signed() {
        count @ 1.. => cluster.checked_mul(u64::from(count.unsigned_abs()))?,
        power => 1_u64.checked_shl(u32::from(power.unsigned_abs()))?,
    };
    let is_right = [512, 1024, 2048, 4096].contains(&sector) && cluster > 0 && (512..=LARGEST_RECORD).contains(&record);
    let (size, table) = (long(boot, 0x28)?.checked_mul(sector)?, long(boot, 0x30)?.checked_mul(cluster)?);
    is_right.then_some(Geometry { size, cluster, table, record })
}

fn ntfs(device: &mut dyn Device, geometry: &Geometry) -> Ntfs {
    let mut found = Ntfs { size: geometry.size, ..Ntfs::default() };
    if let Some(volume) = record(device, geometry, VOLUME) {
        let units: Vec<u16> = resident(&volume, NAME).unwrap_or_default().as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two)).collect();
        found.label = String::from_utf16_lossy(&units).chars().filter(|c| !c.is_control()).collect();
        found.dirty = resident(&volume, INFORMATION).and_then(|information| half(information, 10)).is_some_and(|flags| flags & DIRTY != 0);
    }
    let start = record(device, geometry, LOG_FILE).and_then(|log| first_cluster(attribute(&log, DATA)?)?.checked_mul(geometry.cluster));
    found.unclean = start.is_some_and(|start| is_unclean(device, start));
    found
}

/// One of the first records of the table of files, which lie together.
fn record(device: &mut dyn Device, geometry: &Geometry, number: u64) -> Option<Vec<u8>> {
    let place = geometry.table.checked_add(geometry.record.checked_mul(number)?)?;
    let bytes = at(device, place, geometry.record).ok()?;
    bytes.starts_with(b"FILE").then(|| mended(bytes))?
}

/// The last two bytes of every 512 are kept elsewhere and a number is in their place, so that a torn write is noticed.
fn mended(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let (from, count) = (usize::from(half(&bytes, 4)?), usize::from(half(&bytes, 6)?));
    let number = half(&bytes, from)?;
    for part in 1..count {
        let kept = half(&bytes, from.checked_add(2 * part)?)?;
        let place = (512 * part).checked_sub(2)?;
        if half(&bytes, place)? != number {
            return None;
        }
        bytes.get_mut(place..place + 2)?.copy_from_slice(&kept.to_le_bytes());
    }
    Some(bytes)
}

/// The first attribute of a kind, from its header on.
fn attribute(record: &[u8], kind: u32) -> Option<&[u8]> {
    let mut at = usize::from(half(record, 0x14)?);
    loop {
        let (this, length) = (word(record, at)?, word(record, at + 4)? as usize);
        if this == u32::MAX || length < 0x18 {
            return None;
        }
        if this == kind {
            return record.get(at..at.checked_add(length)?);
        }
        at = at.checked_add(length)?;
    }
}

/// The content of an attribute that lies in the record itself.
fn resident(record: &[u8], kind: u32) -> Option<&[u8]> {
    let attribute = attribute(record, kind).filter(|attribute| attribute.get(8) == Some(&0))?;
    let (length, from) = (word(attribute, 0x10)? as usize, usize::from(half(attribute, 0x14)?));
    attribute.get(from..from.checked_add(length)?)
}

/// The first cluster of an attribute that lies elsewhere.
fn first_cluster(attribute: &[u8]) -> Option<u64> {
    let runs = attribute.get(usize::from((attribute.get(8) == Some(&1)).then(|| half(attribute, 0x20))??)..)?;
    let sizes = *runs.first()?;
    let (length, offset) = (usize::from(sizes & 15), usize::from(sizes >> 4));
    let digits = runs.get(1 + length..1 + length + offset).filter(|digits| (1..=8).contains(&digits.len()))?;
    Some(digits.iter().rev().fold(0, |all, digit| all << 8 | u64::from(*digit)))
}

/// Whether the journal that begins there says, in the newer one of its two restart pages, that work was not finished. What cannot be
/// understood is no such word, and an empty journal is clean.
fn is_unclean(device: &mut dyn Device, start: u64) -> bool {
    const PAGE: u64 = 4096;
    let mut pages: Vec<(u64, bool)> = [0, PAGE].iter().filter_map(|from| restart(&at(device, start.checked_add(*from)?, PAGE).ok()?)).collect();
    pages.sort_unstable();
    pages.last().is_some_and(|(_, unclean)| *unclean)
}

/// A restart page: its age, and whether work was not finished.
fn restart(page: &[u8]) -> Option<(u64, bool)> {
    let page = page.starts_with(b"RSTR").then(|| mended(page.to_vec()))??;
    // Windows 8 and later keep a journal of version 2 while they have the volume, and make it 1.1 when they let it go.
    let newer = half(&page, 0x1C)? >= 2;
    let area = page.get(usize::from(half(&page, 0x18)?)..)?;
    let in_use = half(area, 0x0C)? != NOBODY && half(area, 0x0E)? & CLEAN == 0;
    Some((long(area, 0)?, newer || in_use))
}

fn at(device: &mut dyn Device, place: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    device.seek(SeekFrom::Start(place))?;
    device.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}
