//! A hive that is read where it lies: zero-copy over the bytes of a file.
//!
//! Reading never writes and never fails as a whole because one part is bad; every part is checked when it is looked at.

use crate::base_block::BaseBlock;
use crate::cell::{BINS_START, Bins};
use crate::check;
use crate::error::Error;
use crate::key::Key;
use crate::problem::Problem;
use crate::walk::Walk;

/// A registry hive over borrowed bytes. Cheap to make: only the base block is read.
#[derive(Debug, Clone)]
pub struct Hive<'b> {
    bytes: &'b [u8],
    base: BaseBlock,
    bins: Bins<'b>,
}

impl<'b> Hive<'b> {
    /// Takes the bytes of a primary file. A wrong checksum, unequal sequence numbers and a file that was cut off are
    /// accepted and can be seen in [`Hive::base_block`] and [`Hive::check`].
    ///
    /// # Errors
    /// When the bytes are no primary file of a known version, or shorter than a base block.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, Error> {
        let signature = bytes.get(..4).unwrap_or(bytes);
        if signature != b"regf" && bytes.len() >= 4 {
            return Err(Error::NotAHive { actual: signature.escape_ascii().to_string() });
        }
        if bytes.len() < BINS_START {
            return Err(Error::FileTooShort { expected: BINS_START, actual: bytes.len() });
        }
        let base = BaseBlock::read(bytes)?;
        if base.major_version != 1 || !(3..=6).contains(&base.minor_version) {
            return Err(Error::UnsupportedVersion { major: base.major_version, minor: base.minor_version });
        }
        if base.file_type != 0 {
            return Err(Error::NotPrimary { actual: base.file_type });
        }
        Ok(Self::over(bytes, base))
    }

    /// The hive over `bytes` whose base block is known already.
    pub(crate) fn over(bytes: &'b [u8], base: BaseBlock) -> Self {
        let rest = bytes.get(BINS_START..).unwrap_or_default();
        let size = (base.bins_size as usize).min(0x8000_0000);
        let bins = Bins { data: rest.get(..size).unwrap_or(rest), minor: base.minor_version };
        Self { bytes, base, bins }
    }

    /// The fields of the base block.
    #[must_use]
    pub fn base_block(&self) -> &BaseBlock {
        &self.base
    }

    /// All the bytes the hive was made from, what follows the last bin included.
    #[must_use]
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    pub(crate) fn bins(&self) -> Bins<'b> {
        self.bins
    }

    /// The root key.
    ///
    /// # Errors
    /// When the base block points to something that is no key.
    pub fn root(&self) -> Result<Key<'b>, Error> {
        Key::at(self.bins, self.base.root_offset)
    }

    /// The key at a backslash path below the root, by Windows' case rule; `None` when there is none. Empty parts of the path
    /// are skipped, so `""` is the root. Symbolic links are not followed (`CurrentControlSet` is not in the file).
    ///
    /// # Errors
    /// When a list or key on the way is damaged.
    pub fn open(&self, path: &str) -> Result<Option<Key<'b>>, Error> {
        let mut key = self.root()?;
        for part in path.split('\\').filter(|part| !part.is_empty()) {
            match key.subkey(part)? {
                Some(next) => key = next,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// Every key, parents before children, each at most once, even when the tree is damaged or goes round in circles.
    #[must_use]
    pub fn walk(&self) -> Walk<'b> {
        Walk::new(self.root(), self.bins)
    }

    /// Looks at everything in the hive and lists what is wrong; never fails and takes time in proportion to the file's size.
    /// At most 1000 problems are listed.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        check::check(self, 1000).problems
    }
}
