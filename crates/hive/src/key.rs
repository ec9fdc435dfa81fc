//! Keys: the `nk` record ("Key node" in the specification).

use std::borrow::Cow;

use crate::bytes::{u16_at, u32_at, u64_at};
use crate::cell::{Bins, NIL, file_offset};
use crate::error::Error;
use crate::name::{Name, Units};
use crate::subkey_list::SubkeyOffsets;
use crate::upcase::name_hash;
use crate::value::{Value, Values};

/// Bytes of an `nk` record before the name.
pub(crate) const NODE: usize = 76;
const COMPRESSED: u16 = 0x20;
const PREDEFINED: u16 = 0x40;

/// One registry key. Copying it copies a few pointers.
#[derive(Debug, Clone, Copy)]
pub struct Key<'b> {
    bins: Bins<'b>,
    offset: u32,
    node: &'b [u8; NODE],
    name: &'b [u8],
}

impl<'b> Key<'b> {
    #[inline]
    pub(crate) fn at(bins: Bins<'b>, offset: u32) -> Result<Self, Error> {
        let cell = bins.record(offset, "nk", NODE)?;
        let too_small = |needed| Error::CellTooSmall { offset: file_offset(offset), expected: needed, actual: cell.len() };
        let (node, rest) = cell.split_first_chunk::<NODE>().ok_or_else(|| too_small(NODE))?;
        let length = usize::from(u16_at(node, 72).unwrap_or_default());
        let name = rest.get(..length).ok_or_else(|| too_small(NODE + length))?;
        Ok(Self { bins, offset, node, name })
    }

    #[inline]
    fn field(&self, at: usize) -> u32 {
        u32_at(self.node, at).unwrap_or_default()
    }

    /// The cell of the key, in bytes from the start of the hive bins data; unique within its hive.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.offset
    }

    #[inline]
    pub(crate) fn raw_name(&self) -> Name<'b> {
        Name::new(self.name, self.flags() & COMPRESSED != 0)
    }

    /// The name; unpaired surrogates become U+FFFD.
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

    /// The flags of the key: 0x4 root, 0x8 not deletable, 0x10 symbolic link, 0x20 compressed name.
    #[must_use]
    pub fn flags(&self) -> u16 {
        u16_at(self.node, 2).unwrap_or_default()
    }

    /// When the key itself (its values or its list of subkeys) was last changed: a FILETIME.
    #[must_use]
    pub fn last_written(&self) -> u64 {
        u64_at(self.node, 4).unwrap_or_default()
    }

    /// The access bits, and above them the bits of layered keys.
    pub(crate) fn access_bits(&self) -> u32 {
        self.field(12)
    }

    /// The offset of the parent as the key says.
    pub(crate) fn parent(&self) -> u32 {
        self.field(16)
    }

    /// How many subkeys the key says it has, not counting those that only live in memory.
    #[must_use]
    pub fn subkey_count(&self) -> u32 {
        self.field(20)
    }

    pub(crate) fn subkey_list(&self) -> u32 {
        self.field(28)
    }

    /// How many values the key says it has.
    #[must_use]
    pub fn value_count(&self) -> u32 {
        if self.is_predefined() { 0 } else { self.field(36) }
    }

    /// Whether the key stands for a predefined handle, which it keeps in place of the count of values.
    pub(crate) fn is_predefined(&self) -> bool {
        self.flags() & PREDEFINED != 0
    }

    pub(crate) fn value_list(&self) -> u32 {
        self.field(40)
    }

    pub(crate) fn security_offset(&self) -> u32 {
        self.field(44)
    }

    pub(crate) fn class_offset(&self) -> u32 {
        self.field(48)
    }

    pub(crate) fn class_length(&self) -> usize {
        usize::from(u16_at(self.node, 74).unwrap_or_default())
    }

    /// The largest subkey name in bytes of UTF-16; the upper half of the field holds flags.
    pub(crate) fn largest_subkey_name(&self) -> u32 {
        u32::from(u16_at(self.node, 52).unwrap_or_default())
    }

    /// Virtualisation, WOW64 and debug flags, which share a field with the largest subkey name.
    pub(crate) fn user_flags(&self) -> u16 {
        u16_at(self.node, 54).unwrap_or_default()
    }

    pub(crate) fn largest_class(&self) -> u32 {
        self.field(56)
    }

    pub(crate) fn largest_value_name(&self) -> u32 {
        self.field(60)
    }

    pub(crate) fn largest_value_data(&self) -> u32 {
        self.field(64)
    }

    pub(crate) fn subkey_offsets(&self) -> SubkeyOffsets<'b> {
        let list = if self.subkey_count() == 0 { NIL } else { self.subkey_list() };
        SubkeyOffsets::new(self.bins, self.offset, list)
    }

    /// The subkeys in the order of their list, which is the order of their upcased names. An item is an error when that one
    /// subkey, or the rest of the list, is damaged. In a damaged hive a subkey may be its own ancestor: use
    /// [`crate::Hive::walk`] to visit a whole tree.
    #[must_use]
    pub fn subkeys(&self) -> Subkeys<'b> {
        Subkeys { bins: self.bins, offsets: self.subkey_offsets() }
    }

    /// The subkey of that name by Windows' case rule. Looks at the list alone where it holds hashes (`lh`), as Windows does.
    ///
    /// # Errors
    /// When the list, or a key that has to be looked at, is damaged.
    pub fn subkey(&self, name: &str) -> Result<Option<Key<'b>>, Error> {
        let hash = name_hash(name.encode_utf16());
        let mut offsets = self.subkey_offsets();
        while let Some(entry) = offsets.next_entry() {
            let (offset, entry_hash) = entry?;
            if entry_hash.is_some_and(|entry_hash| entry_hash != hash) {
                continue;
            }
            let key = Key::at(self.bins, offset)?;
            if key.raw_name().is(name) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The values in the order of their list. An item is an error when that one value, or the rest of the list, is damaged.
    #[must_use]
    pub fn values(&self) -> Values<'b> {
        Values::new(self.bins, self.offset, self.value_list(), self.value_count())
    }

    /// The value of that name by Windows' case rule; `""` is the default value. Damaged values before it are passed over.
    ///
    /// # Errors
    /// When it was not found and the list or one of the values is damaged, so that it may be missing for that reason.
    pub fn value(&self, name: &str) -> Result<Option<Value<'b>>, Error> {
        let mut damage = None;
        for value in self.values() {
            match value {
                Ok(value) if value.raw_name().is(name) => return Ok(Some(value)),
                Ok(_) => {}
                Err(error) => damage = damage.or(Some(error)),
            }
        }
        damage.map_or(Ok(None), Err)
    }

    /// The class name, which hardly any key has; lossy.
    ///
    /// # Errors
    /// When its cell is damaged.
    pub fn class(&self) -> Result<Option<String>, Error> {
        Ok(self.class_bytes()?.map(|bytes| Name::Utf16(bytes).text()))
    }

    pub(crate) fn class_bytes(&self) -> Result<Option<&'b [u8]>, Error> {
        let (offset, length) = (self.class_offset(), self.class_length());
        if offset == NIL || length == 0 {
            return Ok(None);
        }
        let cell = self.bins.cell(offset)?;
        let short = Error::CellTooSmall { offset: file_offset(offset), expected: length, actual: cell.len() };
        cell.get(..length).map(Some).ok_or(short)
    }

    /// The self-relative security descriptor, shared by many keys; `None` when the key points to none.
    ///
    /// # Errors
    /// When its `sk` record is damaged.
    pub fn security(&self) -> Result<Option<&'b [u8]>, Error> {
        match self.security_offset() {
            NIL => Ok(None),
            offset => descriptor(self.bins, offset).map(Some),
        }
    }
}

/// The security descriptor in the `sk` record at `offset` ("Key security" in the specification).
pub(crate) fn descriptor(bins: Bins<'_>, offset: u32) -> Result<&[u8], Error> {
    let cell = bins.record(offset, "sk", 20)?;
    let length = u32_at(cell, 16).unwrap_or_default() as usize;
    let rest = cell.get(20..).unwrap_or_default();
    let short = Error::CellTooSmall { offset: file_offset(offset), expected: length.saturating_add(20), actual: cell.len() };
    rest.get(..length).ok_or(short)
}

/// The subkeys of a key, see [`Key::subkeys`].
#[derive(Debug, Clone)]
pub struct Subkeys<'b> {
    bins: Bins<'b>,
    offsets: SubkeyOffsets<'b>,
}

impl<'b> Iterator for Subkeys<'b> {
    type Item = Result<Key<'b>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.offsets.next_entry().map(|entry| entry.and_then(|(offset, _)| Key::at(self.bins, offset)))
    }
}
