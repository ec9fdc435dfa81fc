//! A hive that may be written: the type is the proof that it was clean, was replayed, or was made here.

use crate::base_block::BaseBlock;
use crate::edit::Edit;
use crate::hive::Hive;

/// The whole bytes of a hive that Windows would accept without recovery. It can only come from [`crate::recover()`],
/// [`CleanHive::create`] or [`Edit::commit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanHive {
    bytes: Vec<u8>,
    base: BaseBlock,
    highest: u32,
}

impl CleanHive {
    /// `highest` is the highest sequence number in the base block as it is on disk and in every valid log entry.
    pub(crate) fn new(bytes: Vec<u8>, base: BaseBlock, highest: u32) -> Self {
        Self { bytes, base, highest }
    }

    /// The file, to be written as it is.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file, given away.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A view to read it.
    #[must_use]
    pub fn hive(&self) -> Hive<'_> {
        Hive::over(&self.bytes, self.base.clone())
    }

    /// The highest sequence number of the base block on disk and of every valid log entry. The next commit writes the one
    /// after it, so that no old log entry can ever be taken for a newer one.
    #[must_use]
    pub fn highest_sequence(&self) -> u32 {
        self.highest
    }

    /// Starts an edit; nothing changes before [`Edit::commit`], and this hive not even then.
    #[must_use]
    pub fn edit(&self) -> Edit<'_> {
        Edit::new(self)
    }
}
