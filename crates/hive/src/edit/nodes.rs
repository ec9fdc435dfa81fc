//! Making and deleting keys.

use crate::cell::NIL;
use crate::edit::image::damaged;
use crate::edit::writer::{Entry, Writer, upcased};
use crate::error::Error;
use crate::name;

const NO_DELETE: u16 = 0x8;
const COMPRESSED: u16 = 0x20;

impl Writer {
    pub(super) fn create_key(&mut self, parts: &[Vec<u16>]) -> Result<(), Error> {
        let mut key = self.root;
        for part in parts {
            key = match self.find_subkey(key, part)? {
                Ok((_, subkey)) => subkey,
                Err(place) => self.new_key(key, place, part)?,
            };
        }
        Ok(())
    }

    /// Makes one key under `parent`, at `place` in its list.
    fn new_key(&mut self, parent: u32, place: usize, units: &[u16]) -> Result<u32, Error> {
        self.touch(parent)?;
        let node = self.key(parent)?;
        let security = node.security_offset();
        let (stored, compressed) = name::encode(units);

        let mut record = b"nk".to_vec();
        record.extend_from_slice(&if compressed { COMPRESSED } else { 0 }.to_le_bytes());
        record.extend_from_slice(&self.now.to_le_bytes());
        for field in [0, parent, 0, 0, NIL, NIL, 0, NIL, security, NIL, 0, 0, 0, 0, 0] {
            record.extend_from_slice(&field.to_le_bytes());
        }
        // The parts of a path have at most 255 units.
        record.extend_from_slice(&u16::try_from(stored.len()).unwrap_or_default().to_le_bytes());
        record.extend_from_slice(&[0, 0]);
        record.extend_from_slice(&stored);
        let key = self.image.store(&record)?;

        self.use_security(security)?;
        let entry = Entry { offset: key, upcased: upcased(units.iter().copied()) };
        self.subkeys_of(parent)?.insert(place, entry);
        self.changed_subkeys.insert(parent);
        Ok(key)
    }

    pub(super) fn delete_key(&mut self, path: &str, parts: &[Vec<u16>]) -> Result<(), Error> {
        let protected = || Error::KeyProtected { path: path.to_owned() };
        if parts.is_empty() {
            return Err(protected());
        }
        let (mut parent, mut place, mut key) = (self.root, 0, self.root);
        for part in parts {
            match self.find_subkey(key, part)? {
                Ok((index, subkey)) => (parent, place, key) = (key, index, subkey),
                Err(_) => return Ok(()),
            }
        }
        self.touch(parent)?;
        let mut open = vec![key];
        while let Some(key) = open.pop() {
            if self.key(key)?.flags() & NO_DELETE != 0 || key == self.root {
                return Err(protected());
            }
            open.extend(self.subkeys_of(key)?.iter().map(|entry| entry.offset));
            self.free_key(key)?;
        }
        self.subkeys_of(parent)?.remove(place);
        self.changed_subkeys.insert(parent);
        Ok(())
    }

    /// Frees a key with its lists, values, class and its share of the security record, but not its subkeys.
    fn free_key(&mut self, key: u32) -> Result<(), Error> {
        self.free_subkey_lists(key)?;
        self.free_values(key)?;
        let node = self.key(key)?;
        let (class, length, security) = (node.class_offset(), node.class_length(), node.security_offset());
        if class != NIL && length > 0 {
            self.image.release(class)?;
        }
        self.drop_security(security)?;
        self.image.release(key)?;
        // The cell may become another key in this very edit.
        self.subkeys.remove(&key);
        self.values.remove(&key);
        self.changed_subkeys.remove(&key);
        self.changed_values.remove(&key);
        Ok(())
    }

    /// The place and the cell of a subkey, or the place where it would have to be inserted.
    pub(super) fn find_subkey(&mut self, key: u32, units: &[u16]) -> Result<Result<(usize, u32), usize>, Error> {
        let wanted = upcased(units.iter().copied());
        let list = self.subkeys_of(key)?;
        match list.binary_search_by(|entry| entry.upcased.cmp(&wanted)) {
            Ok(place) => match list.get(place) {
                Some(entry) => Ok(Ok((place, entry.offset))),
                None => Err(damaged(key, "its list changed while it was read.")),
            },
            Err(place) => Ok(Err(place)),
        }
    }
}
