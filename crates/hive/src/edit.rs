//! Edits: a list of operations on a clean hive that is carried out as a whole or not at all.
//!
//! Must never return a hive that was not read again, compared with what was meant and checked.

mod image;
mod model;
mod nodes;
mod operation;
mod security;
mod subkeys;
mod values;
mod verify;
mod writer;

use crate::base_block::{BaseBlock, Stamp, stamp};
use crate::clean_hive::CleanHive;
use crate::error::Error;
use operation::Operation;
use writer::Writer;

/// Operations on a clean hive, in order. Paths are backslash paths below the root; empty parts are skipped, so `""` is the
/// root; keys and values are found by Windows' case rule and keep the spelling they have.
#[derive(Debug, Clone)]
pub struct Edit<'h> {
    hive: &'h CleanHive,
    operations: Vec<Operation>,
}

/// The result of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The hive after the edit; its bytes are the whole new file.
    pub hive: CleanHive,
    /// Whether anything changed. If not, the bytes are exactly those of before.
    pub changed: bool,
}

impl<'h> Edit<'h> {
    pub(crate) fn new(hive: &'h CleanHive) -> Self {
        Self { hive, operations: Vec::new() }
    }

    /// Makes a key and every missing key above it. Does nothing when it is there. A new key shares its parent's security.
    pub fn create_key(&mut self, path: &str) -> &mut Self {
        self.push(Operation::CreateKey { path: path.into() })
    }

    /// Sets a value of a key that exists (or was made by this edit); `""` is the default value. Does nothing when the value
    /// has this type and data already.
    pub fn set_value(&mut self, path: &str, name: &str, data_type: u32, data: &[u8]) -> &mut Self {
        self.push(Operation::SetValue { path: path.into(), name: name.into(), data_type, data: data.into() })
    }

    /// Removes a value. Does nothing when the value or the key is not there.
    pub fn delete_value(&mut self, path: &str, name: &str) -> &mut Self {
        self.push(Operation::DeleteValue { path: path.into(), name: name.into() })
    }

    /// Removes a key with everything below it. Does nothing when it is not there.
    pub fn delete_key(&mut self, path: &str) -> &mut Self {
        self.push(Operation::DeleteKey { path: path.into() })
    }

    /// Gives one existing key (not those below it) a self-relative security descriptor. An equal one in the hive is shared.
    pub fn set_security(&mut self, path: &str, descriptor: &[u8]) -> &mut Self {
        self.push(Operation::SetSecurity { path: path.into(), descriptor: descriptor.into() })
    }

    fn push(&mut self, operation: Operation) -> &mut Self {
        self.operations.push(operation);
        self
    }

    /// Whether no operation has been added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Carries out the operations on a copy, reads the result again, compares it with what was meant, checks its structure,
    /// and only then gives it back. `now` is the FILETIME that changed keys and the hive get.
    ///
    /// Both sequence numbers become one more than [`CleanHive::highest_sequence`]. Every other field of the base block and
    /// all bytes after the last bin stay as they are.
    ///
    /// # Errors
    /// When an operation is impossible, the hive is damaged where it would be written, or the result is not what was meant.
    pub fn commit(self, now: u64) -> Result<Committed, Error> {
        let before = self.hive.hive();
        let mut writer = Writer::new(&before, now)?;
        for operation in &self.operations {
            writer.apply(operation)?;
        }
        let Some((mut bytes, bins_size)) = writer.finish()? else {
            return Ok(Committed { hive: self.hive.clone(), changed: false });
        };
        let highest = self.hive.highest_sequence();
        let sequence = highest.checked_add(1).ok_or(Error::SequenceExhausted { actual: highest })?;
        let stamped = stamp(&mut bytes, Stamp { sequence, bins_size, last_written: Some(now) });
        stamped.ok_or(Error::FileTooShort { expected: crate::cell::BINS_START, actual: 0 })?;
        let base = BaseBlock::read(&bytes)?;
        let hive = CleanHive::new(bytes, base, sequence);
        verify::verify(&before, &hive, &self.operations, now)?;
        Ok(Committed { hive, changed: true })
    }
}
