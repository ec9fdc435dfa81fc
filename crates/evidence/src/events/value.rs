//! Values of binary XML as text, as the Event Viewer's XML view shows them, and the numbers everything is made of.

use std::fmt::Write;

/// Text in UTF-16.
pub(super) const TEXT: u8 = 0x01;
/// A moment: 100 ns steps since 1601.
pub(super) const FILE_TIME: u8 = 0x11;
/// XML again.
pub(super) const XML: u8 = 0x21;
/// Several texts, each ended by a zero.
pub(super) const TEXTS: u8 = 0x81;

/// A value's type and place in the chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub(super) kind: u8,
    pub(super) at: usize,
    pub(super) size: usize,
}

impl Data {
    fn bytes(self, chunk: &[u8]) -> Option<&[u8]> {
        chunk.get(self.at..self.at.checked_add(self.size)?)
    }

    /// Whether it is this ASCII text, with or without a zero at the end; case does not matter.
    pub(super) fn is_text(self, chunk: &[u8], text: &str) -> bool {
        let Some(units) = self.bytes(chunk).filter(|_| self.kind == TEXT) else { return false };
        let units = units.strip_suffix(&[0, 0]).filter(|_| units.len() == 2 * text.len() + 2).unwrap_or(units);
        let same = |(unit, wanted): (&[u8], u8)| matches!(unit, [low, 0] if low.eq_ignore_ascii_case(&wanted));
        units.len() == 2 * text.len() && units.chunks_exact(2).zip(text.bytes()).all(same)
    }
}

/// A value as text; empty for types that hold no text.
pub(super) fn text(chunk: &[u8], data: Data) -> Option<String> {
    let bytes = data.bytes(chunk)?;
    let unsigned = |size: usize| bytes.get(..size).map(|bytes| bytes.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte)));
    // A value shorter than its type is a damaged record, an empty one is none.
    if bytes.is_empty() {
        return Some(String::new());
    }
    Some(match data.kind {
        TEXT => utf16(chunk, data.at, data.size / 2)?.trim_end_matches('\0').to_owned(),
        // The code page is not known; fields that matter are ASCII.
        0x02 => bytes.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect(),
        0x03 => unsigned(1)?.to_le_bytes().first()?.cast_signed().to_string(),
        0x05 => half(chunk, data.at)?.cast_signed().to_string(),
        0x07 => word(chunk, data.at)?.cast_signed().to_string(),
        0x09 => unsigned(8)?.cast_signed().to_string(),
        0x04 => unsigned(1)?.to_string(),
        0x06 => unsigned(2)?.to_string(),
        0x08 => unsigned(4)?.to_string(),
        0x0a => unsigned(8)?.to_string(),
        0x0b => f32::from_bits(word(chunk, data.at)?).to_string(),
        0x0c => f64::from_bits(unsigned(8)?).to_string(),
        0x0d => (unsigned(4)? != 0).to_string(),
        0x0e => hexadecimal(bytes),
        0x0f => guid(bytes)?,
        0x10 | 0x14 | 0x15 => format!("0x{:x}", unsigned(if data.size == 8 { 8 } else { 4 })?),
        FILE_TIME => moment(unsigned(8)?),
        0x12 => {
            let part = |index: usize| half(bytes, 2 * index);
            format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", part(0)?, part(1)?, part(3)?, part(4)?, part(5)?, part(6)?, part(7)?)
        }
        0x13 => sid(bytes)?,
        _ => String::new(),
    })
}

/// The texts of a list.
pub(super) fn texts(chunk: &[u8], data: Data) -> Option<Vec<String>> {
    let all = utf16(chunk, data.at, data.size / 2)?;
    let all = all.strip_suffix('\0').unwrap_or(&all);
    Some(all.split('\0').map(str::to_owned).collect())
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut all, byte| {
        let _ = write!(all, "{byte:02X}");
        all
    })
}

fn guid(bytes: &[u8]) -> Option<String> {
    let rest = bytes.get(8..16)?;
    let tail = hexadecimal(rest).to_lowercase();
    Some(format!("{{{:08x}-{:04x}-{:04x}-{}-{}}}", word(bytes, 0)?, half(bytes, 4)?, half(bytes, 6)?, tail.get(..4)?, tail.get(4..)?))
}

/// `2017-07-12T17:18:24.1004510Z` of 100 ns steps since 1601.
/// A moment as seconds since 1970.
pub(super) fn unix(bytes: &[u8], at: usize) -> Option<i64> {
    Some(i64::try_from(long(bytes, at)? / 10_000_000).ok()? - 11_644_473_600)
}

fn moment(ticks: u64) -> String {
    let seconds = i64::try_from(ticks / 10_000_000).unwrap_or(0) - 11_644_473_600;
    format!("{}.{:07}Z", crate::civil::text(seconds), ticks % 10_000_000)
}

fn sid(bytes: &[u8]) -> Option<String> {
    let (revision, count) = (bytes.first()?, usize::from(*bytes.get(1)?));
    let authority = bytes.get(2..8)?.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let parts: Option<String> = (0..count).map(|index| word(bytes, 8 + 4 * index).map(|part| format!("-{part}"))).collect();
    Some(format!("S-{revision}-{authority}{}", parts?))
}

pub(super) fn utf16(bytes: &[u8], at: usize, length: usize) -> Option<String> {
    let bytes = bytes.get(at..at.checked_add(2 * length)?)?;
    // Nearly all of it is ASCII.
    if bytes.chunks_exact(2).all(|unit| matches!(unit, [0..=0x7f, 0])) {
        return String::from_utf8(bytes.iter().step_by(2).copied().collect()).ok();
    }
    let units = bytes.chunks_exact(2).map(|unit| unit.iter().rev().fold(0, |all, byte| all << 8 | u16::from(*byte)));
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

pub(super) fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(super) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

pub(super) fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}
