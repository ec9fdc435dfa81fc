//! A walk over all keys of a hive that ends even when the tree is damaged or goes round in circles.

use crate::cell::{Bins, file_offset};
use crate::error::Error;
use crate::key::{Key, Subkeys};

/// Windows allows 512 levels below the root of a hive.
pub(crate) const DEEPEST: usize = 512;

/// A set of cells, one bit for each place where a cell can begin.
#[derive(Debug, Clone)]
pub(crate) struct CellSet(Vec<u64>);

impl CellSet {
    pub(crate) fn new(bins: Bins<'_>) -> Self {
        Self(vec![0; bins.data.len() / 512 + 1])
    }

    /// Adds a cell; `false` when it was there already or lies outside.
    #[inline]
    pub(crate) fn insert(&mut self, offset: u32) -> bool {
        let (word, bit) = (offset as usize / 512, 1_u64 << (offset / 8 % 64));
        let Some(word) = self.0.get_mut(word) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Makes room for cells of a hive that has grown.
    pub(crate) fn grow(&mut self, bins_size: u32) {
        self.0.resize(bins_size as usize / 512 + 1, 0);
    }

    /// Takes a cell out.
    pub(crate) fn remove(&mut self, offset: u32) {
        if let Some(word) = self.0.get_mut(offset as usize / 512) {
            *word &= !(1_u64 << (offset / 8 % 64));
        }
    }

    #[inline]
    pub(crate) fn contains(&self, offset: u32) -> bool {
        let (word, bit) = (offset as usize / 512, 1_u64 << (offset / 8 % 64));
        offset.is_multiple_of(8) && self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// One key met on a walk.
#[derive(Debug, Clone, Copy)]
pub struct Step<'b> {
    /// How many keys are above it; 0 for the root.
    pub depth: usize,
    /// The key.
    pub key: Key<'b>,
}

/// All keys of a hive, parents before children, see [`crate::Hive::walk`]. A damaged part gives an error in its place and
/// the walk goes on behind it.
#[derive(Debug, Clone)]
pub struct Walk<'b> {
    root: Option<Result<Key<'b>, Error>>,
    stack: Vec<Subkeys<'b>>,
    met: CellSet,
    allowance: u64,
    most: u64,
}

impl<'b> Walk<'b> {
    pub(crate) fn new(root: Result<Key<'b>, Error>, bins: Bins<'b>) -> Self {
        // Lists may be shared by damaged keys; all of them together are looked at no longer than the file is.
        let most = bins.data.len() as u64 / 4 + 1;
        Self { root: Some(root), stack: Vec::new(), met: CellSet::new(bins), allowance: most, most }
    }
}

impl<'b> Iterator for Walk<'b> {
    type Item = Result<Step<'b>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let key = match self.root.take() {
            Some(root) => root,
            None => loop {
                match self.stack.last_mut()?.next() {
                    Some(key) => break key,
                    None => self.stack.pop(),
                };
            },
        };
        let key = match key {
            Ok(key) => key,
            Err(error) => return Some(self.spend(error)),
        };
        let offset = file_offset(key.offset());
        if !self.met.insert(key.offset()) {
            return Some(self.spend(Error::KeyTwice { offset }));
        }
        let depth = self.stack.len();
        if depth > DEEPEST {
            return Some(Err(Error::TooDeep { offset }));
        }
        // Most keys have no subkeys; their empty lists are not worth keeping.
        if key.subkey_count() > 0 {
            self.stack.push(key.subkeys());
        }
        Some(Ok(Step { depth, key }))
    }
}

impl<'b> Walk<'b> {
    /// Damaged entries are limited too; healthy ones are by the size of the file. The last error says that the walk is given up.
    #[cold]
    fn spend(&mut self, error: Error) -> Result<Step<'b>, Error> {
        match self.allowance.checked_sub(1) {
            Some(left) => {
                self.allowance = left;
                Err(error)
            }
            None => {
                self.stack.clear();
                Err(Error::ListTooLong { offset: error.offset().unwrap_or_default(), expected: self.most })
            }
        }
    }
}
