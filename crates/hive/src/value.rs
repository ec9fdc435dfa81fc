//! Values: the `vk` record ("Key value" in the specification) and its data, inline, in one cell or in a chain (`db`).

use std::borrow::Cow;

use crate::bytes::{u16_at, u32_at};
use crate::cell::{Bins, SEGMENT, file_offset};
use crate::error::Error;
use crate::name::{Name, Units};
use crate::text;
use crate::value_kind::ValueKind;

const RECORD: usize = 20;
const COMPRESSED: u16 = 1;
/// The bit of the data size that says the data lies in the offset field.
pub(crate) const INLINE: u32 = 0x8000_0000;

/// One value of a key.
#[derive(Debug, Clone, Copy)]
pub struct Value<'b> {
    bins: Bins<'b>,
    offset: u32,
    record: &'b [u8; RECORD],
    name: &'b [u8],
}

impl<'b> Value<'b> {
    #[inline]
    pub(crate) fn at(bins: Bins<'b>, offset: u32) -> Result<Self, Error> {
        let cell = bins.record(offset, "vk", RECORD)?;
        let too_small = |needed| Error::CellTooSmall { offset: file_offset(offset), expected: needed, actual: cell.len() };
        let (record, rest) = cell.split_first_chunk::<RECORD>().ok_or_else(|| too_small(RECORD))?;
        let length = usize::from(u16_at(record, 2).unwrap_or_default());
        let name = rest.get(..length).ok_or_else(|| too_small(RECORD + length))?;
        Ok(Self { bins, offset, record, name })
    }

    pub(crate) fn offset(&self) -> u32 {
        self.offset
    }

    #[inline]
    pub(crate) fn raw_name(&self) -> Name<'b> {
        Name::new(self.name, self.flags() & COMPRESSED != 0)
    }

    /// The name; empty for the default value; unpaired surrogates become U+FFFD.
    #[must_use]
    pub fn name(&self) -> String {
        self.raw_name().text()
    }

    /// The name in UTF-8, without an allocation when it is plain ASCII. Bytes instead of text, because text would be checked again.
    #[inline]
    #[must_use]
    pub fn name_utf8(&self) -> Cow<'b, [u8]> {
        self.raw_name().utf8()
    }

    /// The exact name in UTF-16 units.
    #[must_use]
    pub fn name_units(&self) -> Units<'b> {
        self.raw_name().units()
    }

    /// The type as stored: 1 for `REG_SZ` and so on; any number is possible.
    #[must_use]
    pub fn data_type(&self) -> u32 {
        u32_at(self.record, 12).unwrap_or_default()
    }

    /// The type by name.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        ValueKind::from(self.data_type())
    }

    /// 1: compressed name; 2: hides a value of a lower layer.
    pub(crate) fn flags(&self) -> u16 {
        u16_at(self.record, 16).unwrap_or_default()
    }

    pub(crate) fn raw_size(&self) -> u32 {
        u32_at(self.record, 4).unwrap_or_default()
    }

    /// How many bytes of data the value says it has.
    #[must_use]
    pub fn data_size(&self) -> u32 {
        self.raw_size() & !INLINE
    }

    pub(crate) fn data_offset(&self) -> u32 {
        u32_at(self.record, 8).unwrap_or_default()
    }

    /// The data, copied only when it lies in several cells.
    ///
    /// # Errors
    /// When a cell is damaged or holds less than the value claims.
    #[inline]
    pub fn data(&self) -> Result<Cow<'b, [u8]>, Error> {
        let size = self.data_size() as usize;
        if self.raw_size() & INLINE != 0 {
            return self.record.get(8..8 + size.min(5)).filter(|_| size <= 4).map(Cow::Borrowed).ok_or_else(|| self.short(4));
        }
        if size == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        let cell = self.bins.cell(self.data_offset())?;
        if size > SEGMENT && self.bins.minor > 3 && cell.starts_with(b"db") {
            return self.chain(cell, size).map(Cow::Owned);
        }
        cell.get(..size).map(Cow::Borrowed).ok_or_else(|| self.short(cell.len()))
    }

    #[cold]
    fn short(&self, there: usize) -> Error {
        Error::DataTooLong { offset: file_offset(self.offset), expected: u64::from(self.data_size()), actual: there as u64 }
    }

    /// Joins the segments of a `db` record ("Big data" in the specification); all but the last hold 16,344 bytes.
    fn chain(&self, record: &[u8], size: usize) -> Result<Vec<u8>, Error> {
        if size > self.bins.data.len() {
            return Err(self.short(self.bins.data.len()));
        }
        let mut data = Vec::with_capacity(size);
        for segment in segments(self.bins, record)? {
            let cell = self.bins.cell(segment)?;
            let part = (size - data.len()).min(SEGMENT);
            data.extend_from_slice(cell.get(..part).ok_or_else(|| self.short(data.len() + cell.len()))?);
        }
        if data.len() < size {
            return Err(self.short(data.len()));
        }
        Ok(data)
    }

    /// A `REG_DWORD` of exactly four bytes (either byte order, by its type); `None` for anything else.
    #[must_use]
    pub fn as_u32(&self) -> Option<u32> {
        let bytes: [u8; 4] = self.data().ok()?.as_ref().try_into().ok()?;
        match self.kind() {
            ValueKind::Dword => Some(u32::from_le_bytes(bytes)),
            ValueKind::DwordBigEndian => Some(u32::from_be_bytes(bytes)),
            _ => None,
        }
    }

    /// A `REG_QWORD` of exactly eight bytes; `None` for anything else.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let bytes: [u8; 8] = self.data().ok()?.as_ref().try_into().ok()?;
        (self.kind() == ValueKind::Qword).then_some(u64::from_le_bytes(bytes))
    }

    /// A `REG_SZ`, `REG_EXPAND_SZ` (not expanded) or `REG_LINK` up to its first NUL, lossy; `None` for any other type.
    #[must_use]
    pub fn as_string(&self) -> Option<String> {
        let text = matches!(self.kind(), ValueKind::Sz | ValueKind::ExpandSz | ValueKind::Link);
        text.then(|| self.data().ok().map(|data| text::decode_sz(&data)))?
    }

    /// The strings of a `REG_MULTI_SZ` up to the empty one that ends them, lossy; `None` for any other type.
    #[must_use]
    pub fn as_multi_string(&self) -> Option<Vec<String>> {
        let list = self.kind() == ValueKind::MultiSz;
        list.then(|| self.data().ok().map(|data| text::decode_multi_sz(&data)))?
    }
}

/// The offsets of the segments of a `db` record.
pub(crate) fn segments<'b>(bins: Bins<'b>, record: &[u8]) -> Result<impl Iterator<Item = u32> + use<'b>, Error> {
    let count = usize::from(u16_at(record, 2).unwrap_or_default());
    let offset = u32_at(record, 4).unwrap_or(u32::MAX);
    let list = bins.cell(offset)?;
    let short = Error::CellTooSmall { offset: file_offset(offset), expected: count * 4, actual: list.len() };
    Ok(list.get(..count * 4).ok_or(short)?.chunks_exact(4).filter_map(|chunk| u32_at(chunk, 0)))
}

/// The values of a key, see [`crate::Key::values`].
#[derive(Debug, Clone)]
pub struct Values<'b> {
    bins: Bins<'b>,
    list: &'b [u8],
    fault: Option<Error>,
}

impl<'b> Values<'b> {
    pub(crate) fn new(bins: Bins<'b>, key: u32, list: u32, count: u32) -> Self {
        if count == 0 {
            return Self { bins, list: &[], fault: None };
        }
        let cell = match bins.cell(list) {
            Ok(cell) => cell,
            Err(error) => return Self { bins, list: &[], fault: Some(error) },
        };
        let all = (count as usize).checked_mul(4).and_then(|needed| cell.get(..needed));
        let fault = match all {
            Some(_) => None,
            None => Some(Error::ListTooLong { offset: file_offset(key), expected: (cell.len() / 4) as u64 }),
        };
        Self { bins, list: all.unwrap_or(cell), fault }
    }

    #[inline]
    pub(crate) fn next_offset(&mut self) -> Option<Result<u32, Error>> {
        match self.list.split_first_chunk::<4>() {
            Some((chunk, rest)) => {
                self.list = rest;
                Some(Ok(u32::from_le_bytes(*chunk)))
            }
            None => self.fault.take().map(Err),
        }
    }
}

impl<'b> Iterator for Values<'b> {
    type Item = Result<Value<'b>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.next_offset().map(|offset| offset.and_then(|offset| Value::at(self.bins, offset)))
    }
}
