//! Lists of subkeys under change: always sorted, written anew as a whole when changed.

use crate::bytes::u32_at;
use crate::cell::{NIL, file_offset};
use crate::edit::writer::{Entry, Writer, utf16_bytes};
use crate::error::Error;
use crate::name;
use crate::upcase::name_hash;

/// Windows splits a list before it outgrows one page: at 1,012 entries of 4 bytes; it counts the 8-byte entries of `lh` alike.
const LARGEST_LEAF: usize = 1012;
/// In hives before 1.5, lists with name hints (`lf`) stay below one page of 8-byte entries; longer ones are plain (`li`).
const LARGEST_HINTED: usize = 500;
/// The fullest leaf written below an `ri`, which leaves Windows room for more.
const SHARED_LEAF: usize = 800;

impl Writer {
    /// The subkeys of a key, sorted by upcased name.
    pub(super) fn subkeys_of(&mut self, key: u32) -> Result<&mut Vec<Entry>, Error> {
        if !self.subkeys.contains_key(&key) {
            let list = self.read_subkeys(key)?;
            self.subkeys.insert(key, list);
        }
        Ok(self.subkeys.entry(key).or_default())
    }

    fn read_subkeys(&self, offset: u32) -> Result<Vec<Entry>, Error> {
        let key = self.key(offset)?;
        let mut list = Vec::new();
        let mut room = self.bins().data.len();
        for subkey in key.subkeys() {
            let subkey = subkey?;
            self.image.cell(subkey.offset())?;
            list.push(Entry::read(subkey.offset(), subkey.name_units(), &mut room)?);
        }
        list.sort_by(|a, b| a.upcased.cmp(&b.upcased));
        refuse_twins(offset, &list)?;
        Ok(list)
    }

    /// Frees the cells of the list that a key has in the image.
    pub(super) fn free_subkey_lists(&mut self, key: u32) -> Result<(), Error> {
        let mut entries = self.key(key)?.subkey_offsets().remember_cells();
        while let Some(entry) = entries.next_entry() {
            entry?;
        }
        for cell in entries.into_cells() {
            self.image.release(cell)?;
        }
        Ok(())
    }

    /// Writes the list of a key's subkeys anew, and the lengths the key promises, which only shrink when the last subkey goes.
    pub(super) fn write_subkeys(&mut self, key: u32) -> Result<(), Error> {
        self.free_subkey_lists(key)?;
        let list = self.subkeys_of(key)?.clone();
        let offset = match list.len() {
            0 => NIL,
            count if count <= LARGEST_LEAF => self.write_leaf(&list)?,
            count => {
                let leaves = count.div_ceil(SHARED_LEAF);
                let mut root = b"ri".to_vec();
                root.extend_from_slice(&u16::try_from(leaves).unwrap_or(u16::MAX).to_le_bytes());
                for leaf in list.chunks(count.div_ceil(leaves)) {
                    let leaf = self.write_leaf(leaf)?;
                    root.extend_from_slice(&leaf.to_le_bytes());
                }
                self.image.store(&root)?
            }
        };
        self.set_field(key, 20, u32::try_from(list.len()).unwrap_or(u32::MAX))?;
        self.set_field(key, 28, offset)?;
        let (mut longest, mut longest_class) = (0, 0);
        if !list.is_empty() {
            let node = self.key(key)?;
            (longest, longest_class) = (node.largest_subkey_name(), node.largest_class());
        }
        for entry in &list {
            longest = longest.max(utf16_bytes(entry.upcased.len()));
            longest_class = longest_class.max(u32::try_from(self.key(entry.offset)?.class_length()).unwrap_or(u32::MAX));
        }
        // The upper half of this field holds flags, so only the lower one is written.
        self.image.write(key, 52, &u16::try_from(longest).unwrap_or(u16::MAX).to_le_bytes())?;
        self.set_field(key, 56, longest_class)
    }

    fn write_leaf(&mut self, list: &[Entry]) -> Result<u32, Error> {
        let signature = match (self.image.minor(), list.len()) {
            (5.., _) => b"lh",
            (_, count) if count <= LARGEST_HINTED => b"lf",
            _ => b"li",
        };
        let mut leaf = signature.to_vec();
        leaf.extend_from_slice(&u16::try_from(list.len()).unwrap_or(u16::MAX).to_le_bytes());
        for entry in list {
            leaf.extend_from_slice(&entry.offset.to_le_bytes());
            match signature {
                b"lh" => leaf.extend_from_slice(&name_hash(entry.upcased.iter().copied()).to_le_bytes()),
                b"lf" => leaf.extend_from_slice(&self.hint(entry.offset)?),
                _ => {}
            }
        }
        self.image.store(&leaf)
    }

    /// The first four characters of a name as Latin-1, filled with NULs; all NULs when one of them is not Latin-1.
    fn hint(&self, key: u32) -> Result<[u8; 4], Error> {
        let units: Vec<u16> = self.key(key)?.name_units().take(4).collect();
        let (mut bytes, compressed) = name::encode(&units);
        bytes.resize(4, 0);
        Ok(if compressed { u32_at(&bytes, 0).unwrap_or_default().to_le_bytes() } else { [0; 4] })
    }
}

/// Refuses a list in which two names differ at most in case; `list` must be sorted.
pub(super) fn refuse_twins(key: u32, list: &[Entry]) -> Result<(), Error> {
    let mut pairs = list.iter().zip(list.iter().skip(1));
    match pairs.find(|(a, b)| a.upcased == b.upcased) {
        None => Ok(()),
        Some((twin, _)) => Err(Error::NameTwice { offset: file_offset(key), name: String::from_utf16_lossy(&twin.upcased) }),
    }
}
