//! Cells: the only way from an offset in the hive to its bytes.
//!
//! Every offset in a hive counts from the start of the hive bins data (file offset 4096). A cell begins with a signed size,
//! negative when allocated ("Cell" in the specification). Must never hand out bytes outside of the hive bins data.

use crate::bytes::u32_at;
use crate::error::Error;

/// The offset that points nowhere.
pub(crate) const NIL: u32 = u32::MAX;
/// File offset of the hive bins data, and the size of the base block.
pub(crate) const BINS_START: usize = 4096;
/// The granularity of bins.
pub(crate) const BIN_ALIGN: u32 = 4096;
/// The header of a bin, before its first cell.
pub(crate) const BIN_HEADER: u32 = 32;
/// The most bytes that one cell of value data holds from minor version 4 on; longer data is a chain (`db`).
pub(crate) const SEGMENT: usize = 16_344;

/// The offset in the file of an offset in the hive bins data; errors name file offsets, which a hex editor shows.
#[inline]
pub(crate) fn file_offset(offset: u32) -> u64 {
    u64::from(offset) + BINS_START as u64
}

/// The hive bins data of a hive, with the minor version that decides how long data is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bins<'b> {
    pub(crate) data: &'b [u8],
    pub(crate) minor: u32,
}

impl<'b> Bins<'b> {
    /// The content of the allocated cell at `offset`, without its size field.
    #[inline]
    pub(crate) fn cell(self, offset: u32) -> Result<&'b [u8], Error> {
        let at = offset as usize;
        let (Some(size), true) = (u32_at(self.data, at), offset.is_multiple_of(8)) else {
            return Err(self.outside(offset));
        };
        let size = size.cast_signed();
        if size >= 0 {
            return Err(Error::CellFree { offset: file_offset(offset) });
        }
        let end = at.saturating_add(size.unsigned_abs() as usize);
        match self.data.get(at + 4..end) {
            Some(cell) => Ok(cell),
            None => Err(Error::CellSize { offset: file_offset(offset), actual: size }),
        }
    }

    /// The content of the cell at `offset`, which must begin with a two-letter `signature` and hold `needed` bytes.
    #[inline]
    pub(crate) fn record(self, offset: u32, signature: &'static str, needed: usize) -> Result<&'b [u8], Error> {
        let cell = self.cell(offset)?;
        if cell.len() < needed {
            return Err(Error::CellTooSmall { offset: file_offset(offset), expected: needed, actual: cell.len() });
        }
        if cell.get(..2) != Some(signature.as_bytes()) {
            return Err(wrong_signature(offset, signature, cell));
        }
        Ok(cell)
    }

    #[cold]
    fn outside(self, offset: u32) -> Error {
        Error::CellOutside { offset: file_offset(offset), end: (self.data.len() + BINS_START) as u64 }
    }
}

#[cold]
pub(crate) fn wrong_signature(offset: u32, expected: &'static str, cell: &[u8]) -> Error {
    let found: Vec<u8> = cell.iter().take(2).copied().collect();
    Error::WrongSignature { offset: file_offset(offset) + 4, expected, actual: found.escape_ascii().to_string() }
}

/// The size of the cell that holds `length` bytes: with its size field, rounded up to 8.
pub(crate) fn cell_size(length: usize) -> Option<u32> {
    let size = length.checked_add(4)?.checked_next_multiple_of(8)?;
    u32::try_from(size).ok().filter(|&size| size < 0x8000_0000)
}
