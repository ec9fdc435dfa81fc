//! The part of the check that looks at bins and cells without knowing what they hold.

use crate::bytes::u32_at;
use crate::cell::{BIN_ALIGN, BIN_HEADER, Bins, file_offset};
use crate::check::Found;
use crate::problem::ProblemKind;
use crate::walk::CellSet;

/// Checks the chain of bins and the cells in them; gives the set of allocated cells.
pub(crate) fn check_bins(bins: Bins<'_>, found: &mut Found) -> CellSet {
    let mut starts = CellSet::new(bins);
    let mut walk = BinWalk::new(bins);
    while let Some(part) = walk.next_part() {
        match part {
            Part::Bin { .. } => {}
            Part::Cell { offset, allocated: true, .. } => {
                starts.insert(offset);
            }
            Part::Cell { offset, .. } => {
                if walk.free_before {
                    found.add(file_offset(offset), ProblemKind::FreeNotJoined);
                }
            }
            Part::BadBin { offset, why } => found.add(file_offset(offset), ProblemKind::BinHeader { why }),
            Part::BadCell { offset, size } => found.add(file_offset(offset), ProblemKind::CellSize { actual: size }),
        }
    }
    starts
}

/// Reports every allocated cell that nothing refers to.
pub(crate) fn check_leaks(bins: Bins<'_>, starts: &CellSet, used: &CellSet, found: &mut Found) {
    let mut walk = BinWalk::new(bins);
    while let Some(part) = walk.next_part() {
        if let Part::Cell { offset, size, allocated: true } = part
            && starts.contains(offset)
            && !used.contains(offset)
        {
            found.add(file_offset(offset), ProblemKind::Leaked { size });
        }
    }
}

/// One thing met when going through the hive bins data from front to back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// A bin with a good header.
    Bin { offset: u32, size: u32 },
    /// A cell that lies in its bin.
    Cell { offset: u32, size: u32, allocated: bool },
    /// The walk ends here.
    BadBin { offset: u32, why: &'static str },
    /// The walk goes on with the next bin.
    BadCell { offset: u32, size: i32 },
}

/// Goes through bins and cells in the order of the file.
#[derive(Debug)]
pub(crate) struct BinWalk<'b> {
    bins: Bins<'b>,
    at: u32,
    bin_end: u32,
    /// Whether the cell before the one given last was free and in the same bin.
    pub(crate) free_before: bool,
    last_free: bool,
}

impl<'b> BinWalk<'b> {
    pub(crate) fn new(bins: Bins<'b>) -> Self {
        Self { bins, at: 0, bin_end: 0, free_before: false, last_free: false }
    }

    fn end(&self) -> u32 {
        u32::try_from(self.bins.data.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    pub(crate) fn next_part(&mut self) -> Option<Part> {
        if self.at >= self.end() {
            return None;
        }
        if self.at >= self.bin_end {
            return Some(self.bin());
        }
        let offset = self.at;
        let raw = u32_at(self.bins.data, offset as usize).unwrap_or_default().cast_signed();
        let size = raw.unsigned_abs();
        if size < 8 || !size.is_multiple_of(8) || size > self.bin_end - offset {
            self.at = self.bin_end;
            return Some(Part::BadCell { offset, size: raw });
        }
        self.at += size;
        self.free_before = self.last_free;
        self.last_free = raw > 0;
        Some(Part::Cell { offset, size, allocated: raw < 0 })
    }

    fn bin(&mut self) -> Part {
        let offset = self.at;
        let header = self.bins.data.get(offset as usize..).unwrap_or_default();
        let size = u32_at(header, 8).unwrap_or_default();
        let why = if !header.starts_with(b"hbin") {
            "no signature"
        } else if u32_at(header, 4) != Some(offset) {
            "it belongs elsewhere"
        } else if size < BIN_ALIGN || !size.is_multiple_of(BIN_ALIGN) {
            "its size is impossible"
        } else if size > self.end() - offset {
            "it does not fit into the hive"
        } else {
            self.at = offset + BIN_HEADER;
            self.bin_end = offset + size;
            self.last_free = false;
            return Part::Bin { offset, size };
        };
        self.at = self.end();
        Part::BadBin { offset, why }
    }
}
