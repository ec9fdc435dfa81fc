//! Lists of subkeys: `li`, `lf` and `lh` leaves, and `ri` roots over them.
//!
//! Must never run longer than the hive is: every entry looked at, at any depth, is taken from one allowance.

use crate::bytes::u16_at;
use crate::cell::{Bins, NIL, file_offset, wrong_signature};
use crate::error::Error;

/// Windows never nests `ri` lists; a few levels are tolerated because other programs do.
const DEEPEST: usize = 8;

/// The offsets of the subkeys in a list, with their hashes where the list has them.
#[derive(Debug, Clone)]
pub(crate) struct SubkeyOffsets<'b> {
    bins: Bins<'b>,
    key: u32,
    first: u32,
    roots: Vec<&'b [u8]>,
    leaf: &'b [u8],
    kind: Kind,
    allowance: usize,
    cells: Option<Vec<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Hinted,
    Hashed,
}

impl<'b> SubkeyOffsets<'b> {
    pub(crate) fn new(bins: Bins<'b>, key: u32, list: u32) -> Self {
        // No entry is smaller than four bytes, and no valid list names the same key twice.
        let allowance = bins.data.len() / 4;
        Self { bins, key, first: list, roots: Vec::new(), leaf: &[], kind: Kind::Plain, allowance, cells: None }
    }

    /// Also remember the cells of the lists, for [`SubkeyOffsets::into_cells`].
    pub(crate) fn remember_cells(mut self) -> Self {
        self.cells = Some(Vec::new());
        self
    }

    /// The cells of all lists gone through so far: leaves and roots.
    pub(crate) fn into_cells(self) -> Vec<u32> {
        self.cells.unwrap_or_default()
    }

    /// The next subkey's offset and, in an `lh` list, the hash of its name.
    #[inline]
    pub(crate) fn next_entry(&mut self) -> Option<Result<(u32, Option<u32>), Error>> {
        while self.leaf.is_empty() {
            match self.next_list()? {
                Ok(()) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        let (chunk, rest) = self.leaf.split_first_chunk::<4>()?;
        let offset = u32::from_le_bytes(*chunk);
        if self.kind == Kind::Plain {
            self.leaf = rest;
            return Some(self.spend().map(|()| (offset, None)));
        }
        let (hash, rest) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        self.leaf = rest;
        let hash = (self.kind == Kind::Hashed).then_some(u32::from_le_bytes(*hash));
        Some(self.spend().map(|()| (offset, hash)))
    }

    /// Goes to the next list, a leaf or a root; `None` when there is none.
    fn next_list(&mut self) -> Option<Result<(), Error>> {
        let next = match self.roots.last_mut() {
            None if self.first == NIL => return None,
            None => std::mem::replace(&mut self.first, NIL),
            Some(root) => match root.split_first_chunk::<4>() {
                Some((chunk, rest)) => {
                    *root = rest;
                    u32::from_le_bytes(*chunk)
                }
                None => {
                    self.roots.pop();
                    return Some(Ok(()));
                }
            },
        };
        Some(self.spend().and_then(|()| self.enter(next)))
    }

    #[inline]
    fn spend(&mut self) -> Result<(), Error> {
        match self.allowance.checked_sub(1) {
            Some(left) => {
                self.allowance = left;
                Ok(())
            }
            None => {
                self.leaf = &[];
                self.roots.clear();
                self.first = NIL;
                Err(Error::ListTooLong { offset: file_offset(self.key), expected: (self.bins.data.len() / 4) as u64 })
            }
        }
    }

    fn enter(&mut self, offset: u32) -> Result<(), Error> {
        let cell = self.bins.cell(offset)?;
        let count = usize::from(u16_at(cell, 2).unwrap_or_default());
        let (width, kind) = match cell.get(..2) {
            Some(b"lh") => (8, Kind::Hashed),
            Some(b"lf") => (8, Kind::Hinted),
            Some(b"li" | b"ri") => (4, Kind::Plain),
            _ => return Err(wrong_signature(offset, "lh, lf, li or ri", cell)),
        };
        let needed = 4 + count * width;
        let Some(entries) = cell.get(4..needed) else {
            return Err(Error::CellTooSmall { offset: file_offset(offset), expected: needed, actual: cell.len() });
        };
        if let Some(cells) = &mut self.cells {
            cells.push(offset);
        }
        if cell.starts_with(b"ri") {
            if self.roots.len() >= DEEPEST {
                return Err(Error::ListTooDeep { offset: file_offset(offset) });
            }
            self.roots.push(entries);
        } else {
            self.leaf = entries;
            self.kind = kind;
        }
        Ok(())
    }
}
