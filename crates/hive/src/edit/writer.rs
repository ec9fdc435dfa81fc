//! Carries operations out on the image of a hive.
//!
//! Lists of subkeys and values are read when first needed, changed in memory, and written once at the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Bins, NIL};
use crate::edit::image::{Image, damaged};
use crate::edit::operation::{Operation, parts, value_name};
use crate::error::Error;
use crate::hive::Hive;
use crate::key::Key;
use crate::upcase::upcase;

/// An entry of a list: the cell of a key or value, and its name as it is compared.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) offset: u32,
    pub(super) upcased: Vec<u16>,
}

impl Entry {
    /// An entry that was read. All names of one list together are no longer than the hive (`room`, in UTF-16 units), unless it
    /// names the same cells again and again.
    pub(super) fn read(offset: u32, units: impl Iterator<Item = u16>, room: &mut usize) -> Result<Self, Error> {
        let upcased = upcased(units);
        *room = room.checked_sub(upcased.len()).ok_or_else(|| damaged(offset, "a list names the same cells again and again."))?;
        Ok(Self { offset, upcased })
    }
}

/// A hive under change.
pub(super) struct Writer {
    pub(super) image: Image,
    pub(super) root: u32,
    pub(super) now: u64,
    /// Subkeys, sorted, and values, in their order, of the keys looked at so far.
    pub(super) subkeys: BTreeMap<u32, Vec<Entry>>,
    pub(super) values: BTreeMap<u32, Vec<Entry>>,
    /// Keys whose list must be written at the end.
    pub(super) changed_subkeys: BTreeSet<u32>,
    pub(super) changed_values: BTreeSet<u32>,
    /// How many keys really use each security record.
    pub(super) users: BTreeMap<u32, u32>,
    pub(super) changed: bool,
}

impl Writer {
    pub(super) fn new(hive: &Hive<'_>, now: u64) -> Result<Self, Error> {
        let root = hive.root()?.offset();
        let mut users = BTreeMap::new();
        for step in hive.walk().flatten() {
            if step.key.security_offset() != NIL {
                *users.entry(step.key.security_offset()).or_default() += 1;
            }
        }
        Ok(Self {
            image: Image::of(hive)?,
            root,
            now,
            subkeys: BTreeMap::new(),
            values: BTreeMap::new(),
            changed_subkeys: BTreeSet::new(),
            changed_values: BTreeSet::new(),
            users,
            changed: false,
        })
    }

    pub(super) fn apply(&mut self, operation: &Operation) -> Result<(), Error> {
        match operation {
            Operation::CreateKey { path } => self.create_key(&parts(path)?),
            Operation::SetValue { path, name, data_type, data } => {
                let key = self.existing(path)?;
                self.set_value(key, &value_name(name)?, *data_type, data)
            }
            Operation::DeleteValue { path, name } => match self.find(&parts(path)?)? {
                Some(key) => self.delete_value(key, &value_name(name)?),
                None => Ok(()),
            },
            Operation::DeleteKey { path } => self.delete_key(path, &parts(path)?),
            Operation::SetSecurity { path, descriptor } => {
                let key = self.existing(path)?;
                self.set_security(key, descriptor)
            }
        }
    }

    /// The bytes and the size of the hive bins data; `None` when no operation changed anything.
    pub(super) fn finish(mut self) -> Result<Option<(Vec<u8>, u32)>, Error> {
        if !self.changed {
            return Ok(None);
        }
        for key in std::mem::take(&mut self.changed_subkeys) {
            self.write_subkeys(key)?;
        }
        for key in std::mem::take(&mut self.changed_values) {
            self.write_values(key)?;
        }
        Ok(Some(self.image.into_bytes()))
    }

    pub(super) fn bins(&self) -> Bins<'_> {
        self.image.bins()
    }

    pub(super) fn key(&self, offset: u32) -> Result<Key<'_>, Error> {
        self.image.cell(offset)?;
        Key::at(self.bins(), offset)
    }

    fn existing(&mut self, path: &str) -> Result<u32, Error> {
        self.find(&parts(path)?)?.ok_or_else(|| Error::KeyNotFound { path: path.to_owned() })
    }

    fn find(&mut self, parts: &[Vec<u16>]) -> Result<Option<u32>, Error> {
        let mut key = self.root;
        for part in parts {
            match self.find_subkey(key, part)? {
                Ok(place) => key = place.1,
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// Marks a key as changed now; refuses keys of layered hives.
    pub(super) fn touch(&mut self, key: u32) -> Result<(), Error> {
        // The byte above the access bits; only 1.6 gives it a meaning.
        let layered = self.image.minor() >= 6 && self.key(key)?.access_bits() & 0xff00 != 0;
        if layered {
            return Err(Error::KeyLayered { offset: crate::cell::file_offset(key) });
        }
        self.image.write(key, 4, &self.now.to_le_bytes())?;
        self.changed = true;
        Ok(())
    }

    /// Writes a field of a key.
    pub(super) fn set_field(&mut self, key: u32, at: usize, value: u32) -> Result<(), Error> {
        self.image.write(key, at, &value.to_le_bytes())
    }
}

/// A name as it is compared.
pub(super) fn upcased(units: impl Iterator<Item = u16>) -> Vec<u16> {
    units.map(upcase).collect()
}

/// Twice the number of UTF-16 units: the length that keys promise for names.
pub(super) fn utf16_bytes(units: usize) -> u32 {
    u32::try_from(units * 2).unwrap_or(u32::MAX)
}
