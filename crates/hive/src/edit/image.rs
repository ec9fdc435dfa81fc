//! The bytes of a hive under change: allocating and freeing cells, and growing by whole bins.
//!
//! Must never touch the base block or the bytes after the last bin, except that a new bin takes the place of the latter.

use std::collections::{BTreeMap, BTreeSet};

use crate::bytes::{put, u32_at};
use crate::cell::{BIN_ALIGN, BIN_HEADER, BINS_START, Bins, cell_size, file_offset};
use crate::check_bins::{BinWalk, Part};
use crate::error::Error;
use crate::hive::Hive;
use crate::walk::CellSet;

/// A copy of a hive whose cells can be changed.
pub(super) struct Image {
    bytes: Vec<u8>,
    bins_size: u32,
    minor: u32,
    /// Start and size of every bin.
    bins: BTreeMap<u32, u32>,
    /// Start and size of every free cell, and the same by size.
    free: BTreeMap<u32, u32>,
    free_by_size: BTreeSet<(u32, u32)>,
    /// The start of every allocated cell.
    allocated: CellSet,
}

impl Image {
    /// Copies a hive; refuses one whose bins or cells are damaged, because free space cannot be known there.
    pub(super) fn of(hive: &Hive<'_>) -> Result<Self, Error> {
        let bins_size = hive.base_block().bins_size;
        let source = hive.bins();
        if source.data.len() != bins_size as usize {
            return Err(damaged(40, "the file ends before its data does."));
        }
        let mut image = Self {
            bytes: hive.bytes().to_vec(),
            bins_size,
            minor: source.minor,
            bins: BTreeMap::new(),
            free: BTreeMap::new(),
            free_by_size: BTreeSet::new(),
            allocated: CellSet::new(source),
        };
        let mut walk = BinWalk::new(source);
        while let Some(part) = walk.next_part() {
            match part {
                Part::Bin { offset, size } => {
                    image.bins.insert(offset, size);
                }
                Part::Cell { offset, allocated: true, .. } => {
                    image.allocated.insert(offset);
                }
                Part::Cell { offset, size, .. } => image.add_free(offset, size),
                Part::BadBin { offset, why } => return Err(damaged(offset, why)),
                Part::BadCell { offset, .. } => return Err(damaged(offset, "a cell has an impossible size.")),
            }
        }
        Ok(image)
    }

    pub(super) fn bins(&self) -> Bins<'_> {
        let end = BINS_START + self.bins_size as usize;
        Bins { data: self.bytes.get(BINS_START..end).unwrap_or_default(), minor: self.minor }
    }

    pub(super) fn minor(&self) -> u32 {
        self.minor
    }

    /// The bytes and the size of the hive bins data.
    pub(super) fn into_bytes(self) -> (Vec<u8>, u32) {
        (self.bytes, self.bins_size)
    }

    /// The content of an allocated cell.
    pub(super) fn cell(&self, offset: u32) -> Result<&[u8], Error> {
        if !self.allocated.contains(offset) {
            return Err(damaged(offset, "an offset leads here, where no cell in use begins."));
        }
        self.bins().cell(offset)
    }

    /// Overwrites a part of the content of an allocated cell.
    pub(super) fn write(&mut self, offset: u32, at: usize, data: &[u8]) -> Result<(), Error> {
        let there = self.cell(offset)?.len();
        let end = at.saturating_add(data.len());
        if end > there {
            return Err(Error::CellTooSmall { offset: file_offset(offset), expected: end, actual: there });
        }
        self.put(offset, 4 + at, data)
    }

    fn put(&mut self, offset: u32, at: usize, data: &[u8]) -> Result<(), Error> {
        let start = BINS_START + offset as usize + at;
        put(&mut self.bytes, start, data).ok_or_else(|| damaged(offset, "it lies outside of the hive."))
    }

    /// Writes `content` into a new cell; the rest of the cell is zero.
    pub(super) fn store(&mut self, content: &[u8]) -> Result<u32, Error> {
        let size = cell_size(content.len());
        let size = size.ok_or(Error::HiveFull { actual: self.bins_size, expected: u32::MAX })?;
        let offset = match self.free_by_size.range((size, 0)..).next() {
            Some(&(_, offset)) => offset,
            None => self.grow(size)?,
        };
        let there = self.take_free(offset);
        let rest = there - size;
        if rest > 0 {
            self.put(offset + size, 0, &rest.to_le_bytes())?;
            self.add_free(offset + size, rest);
        }
        self.put(offset, 0, &size.wrapping_neg().to_le_bytes())?;
        self.put(offset, 4, content)?;
        let padding = vec![0; size as usize - 4 - content.len()];
        self.put(offset, 4 + content.len(), &padding)?;
        self.allocated.insert(offset);
        Ok(offset)
    }

    /// Frees a cell and joins it with free neighbours in its bin.
    pub(super) fn release(&mut self, offset: u32) -> Result<(), Error> {
        self.cell(offset)?;
        let size = u32_at(self.bins().data, offset as usize).unwrap_or_default().cast_signed().unsigned_abs();
        let Some((&bin, &bin_size)) = self.bins.range(..=offset).next_back() else {
            return Err(damaged(offset, "it lies in no bin."));
        };
        self.allocated.remove(offset);
        let (mut start, mut end) = (offset, offset + size);
        if let Some((&before, &length)) = self.free.range(bin..offset).next_back()
            && before + length == offset
        {
            self.take_free(before);
            start = before;
        }
        if end < bin + bin_size && self.free.contains_key(&end) {
            end += self.take_free(end);
        }
        self.put(start, 0, &(end - start).to_le_bytes())?;
        self.add_free(start, end - start);
        Ok(())
    }

    fn add_free(&mut self, offset: u32, size: u32) {
        self.free.insert(offset, size);
        self.free_by_size.insert((size, offset));
    }

    fn take_free(&mut self, offset: u32) -> u32 {
        let size = self.free.remove(&offset).unwrap_or_default();
        self.free_by_size.remove(&(size, offset));
        size
    }

    /// Appends a bin with one free cell of at least `size` bytes directly after the last bin, over what follows it.
    fn grow(&mut self, size: u32) -> Result<u32, Error> {
        let full = Error::HiveFull { actual: self.bins_size, expected: size };
        let bin_size = size.checked_add(BIN_HEADER).and_then(|needed| needed.checked_next_multiple_of(BIN_ALIGN));
        let bin_size = bin_size.ok_or_else(|| full.clone())?;
        let bin = self.bins_size;
        // Offsets with the highest bit belong to keys that only live in memory.
        let end = bin.checked_add(bin_size).filter(|&end| end < 0x8000_0000).ok_or(full)?;
        let file_end = BINS_START + end as usize;
        if self.bytes.len() < file_end {
            self.bytes.resize(file_end, 0);
        }
        let mut header = vec![0; bin_size as usize];
        put(&mut header, 0, b"hbin");
        put(&mut header, 4, &bin.to_le_bytes());
        put(&mut header, 8, &bin_size.to_le_bytes());
        put(&mut header, BIN_HEADER as usize, &(bin_size - BIN_HEADER).to_le_bytes());
        self.put(bin, 0, &header)?;
        self.bins_size = end;
        self.bins.insert(bin, bin_size);
        self.allocated.grow(end);
        self.add_free(bin + BIN_HEADER, bin_size - BIN_HEADER);
        Ok(bin + BIN_HEADER)
    }
}

/// An error for a place in the hive bins data.
pub(super) fn damaged(offset: u32, problem: &str) -> Error {
    Error::Damaged { offset: file_offset(offset), problem: problem.to_owned() }
}
