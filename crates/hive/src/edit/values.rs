//! Values under change: records, data inline, in one cell or in a chain, and the list of values.

use crate::bytes::u32_at;
use crate::cell::{NIL, SEGMENT};
use crate::edit::image::damaged;
use crate::edit::subkeys::refuse_twins;
use crate::edit::writer::{Entry, Writer, upcased, utf16_bytes};
use crate::error::Error;
use crate::name;
use crate::value::{INLINE, Value, segments};

/// The flag of a value that hides one in a lower layer.
const TOMBSTONE: u16 = 2;

impl Writer {
    /// The values of a key in their order.
    fn values_of(&mut self, key: u32) -> Result<&mut Vec<Entry>, Error> {
        if !self.values.contains_key(&key) {
            let list = self.read_values(key)?;
            self.values.insert(key, list);
        }
        Ok(self.values.entry(key).or_default())
    }

    fn read_values(&self, offset: u32) -> Result<Vec<Entry>, Error> {
        let mut list = Vec::new();
        let key = self.key(offset)?;
        if key.is_predefined() {
            return Err(damaged(offset, "the key stands for a predefined handle and holds no values."));
        }
        let mut room = self.bins().data.len();
        for value in key.values() {
            let value = value?;
            self.image.cell(value.offset())?;
            list.push(Entry::read(value.offset(), value.name_units(), &mut room)?);
        }
        let mut sorted = list.clone();
        sorted.sort_by(|a, b| a.upcased.cmp(&b.upcased));
        refuse_twins(offset, &sorted)?;
        Ok(list)
    }

    fn value(&self, offset: u32) -> Result<Value<'_>, Error> {
        self.image.cell(offset)?;
        Value::at(self.bins(), offset)
    }

    pub(super) fn set_value(&mut self, key: u32, units: &[u16], data_type: u32, data: &[u8]) -> Result<(), Error> {
        let wanted = upcased(units.iter().copied());
        let found = self.values_of(key)?.iter().find(|entry| entry.upcased == wanted).map(|entry| entry.offset);
        if let Some(offset) = found {
            let old = self.value(offset)?;
            if old.flags() & TOMBSTONE != 0 {
                return Err(Error::KeyLayered { offset: crate::cell::file_offset(key) });
            }
            if old.data_type() == data_type && old.data().is_ok_and(|old| old == data) {
                return Ok(());
            }
            self.touch(key)?;
            self.free_data(offset)?;
            let (size, place) = self.store_data(data)?;
            let fields: Vec<u8> = [size, place, data_type].into_iter().flat_map(u32::to_le_bytes).collect();
            self.image.write(offset, 4, &fields)?;
        } else {
            self.touch(key)?;
            let (size, place) = self.store_data(data)?;
            let (stored, compressed) = name::encode(units);
            let mut record = b"vk".to_vec();
            record.extend_from_slice(&u16::try_from(stored.len()).unwrap_or_default().to_le_bytes());
            for field in [size, place, data_type, u32::from(compressed)] {
                record.extend_from_slice(&field.to_le_bytes());
            }
            record.extend_from_slice(&stored);
            let offset = self.image.store(&record)?;
            self.values_of(key)?.push(Entry { offset, upcased: wanted });
        }
        self.changed_values.insert(key);
        Ok(())
    }

    pub(super) fn delete_value(&mut self, key: u32, units: &[u16]) -> Result<(), Error> {
        let wanted = upcased(units.iter().copied());
        let list = self.values_of(key)?;
        let Some(place) = list.iter().position(|entry| entry.upcased == wanted) else { return Ok(()) };
        let entry = list.remove(place);
        self.touch(key)?;
        self.free_data(entry.offset)?;
        self.image.release(entry.offset)?;
        self.changed_values.insert(key);
        Ok(())
    }

    /// Frees all values of a key and their list in the image.
    pub(super) fn free_values(&mut self, key: u32) -> Result<(), Error> {
        for entry in self.values_of(key)?.clone() {
            self.free_data(entry.offset)?;
            self.image.release(entry.offset)?;
        }
        self.free_value_list(key)
    }

    fn free_value_list(&mut self, key: u32) -> Result<(), Error> {
        let node = self.key(key)?;
        let (count, list) = (node.value_count(), node.value_list());
        if count > 0 { self.image.release(list) } else { Ok(()) }
    }

    /// Writes the list of a key's values anew, and the lengths the key promises, which only shrink when the last value goes.
    pub(super) fn write_values(&mut self, key: u32) -> Result<(), Error> {
        self.free_value_list(key)?;
        let list: Vec<u8> = self.values_of(key)?.iter().flat_map(|entry| entry.offset.to_le_bytes()).collect();
        let offset = if list.is_empty() { NIL } else { self.image.store(&list)? };
        self.set_field(key, 36, u32::try_from(list.len() / 4).unwrap_or(u32::MAX))?;
        self.set_field(key, 40, offset)?;
        let (mut longest, mut largest) = (0, 0);
        if !list.is_empty() {
            let node = self.key(key)?;
            (longest, largest) = (node.largest_value_name(), node.largest_value_data());
        }
        for entry in self.values_of(key)?.clone() {
            longest = longest.max(utf16_bytes(entry.upcased.len()));
            largest = largest.max(self.value(entry.offset)?.data_size());
        }
        self.set_field(key, 60, longest)?;
        self.set_field(key, 64, largest)
    }

    /// Stores data; gives the size and offset fields of the value's record.
    fn store_data(&mut self, data: &[u8]) -> Result<(u32, u32), Error> {
        let too_long = Error::ValueTooLong { expected: SEGMENT * usize::from(u16::MAX), actual: data.len() };
        if data.len() > SEGMENT * usize::from(u16::MAX) {
            return Err(too_long);
        }
        let size = u32::try_from(data.len()).map_err(|_| too_long)?;
        if data.len() <= 4 {
            let mut field = data.to_vec();
            field.resize(4, 0);
            return Ok((size | INLINE, u32_at(&field, 0).unwrap_or_default()));
        }
        if data.len() <= SEGMENT || self.image.minor() <= 3 {
            return Ok((size, self.image.store(data)?));
        }
        let mut list = Vec::new();
        for segment in data.chunks(SEGMENT) {
            // Windows gives the last segment a cell of full size too, so that the value can grow in place; so do all real hives.
            let mut segment = segment.to_vec();
            segment.resize(SEGMENT, 0);
            list.extend_from_slice(&self.image.store(&segment)?.to_le_bytes());
        }
        let mut record = b"db".to_vec();
        record.extend_from_slice(&u16::try_from(list.len() / 4).unwrap_or(u16::MAX).to_le_bytes());
        record.extend_from_slice(&self.image.store(&list)?.to_le_bytes());
        Ok((size, self.image.store(&record)?))
    }

    /// Frees the data of a value, wherever it lies; leaves its record alone.
    fn free_data(&mut self, value: u32) -> Result<(), Error> {
        let record = self.value(value)?;
        let (raw, size, data) = (record.raw_size(), record.data_size() as usize, record.data_offset());
        if raw & INLINE != 0 || size == 0 {
            return Ok(());
        }
        let cell = self.image.cell(data)?;
        if size > SEGMENT && self.image.minor() > 3 && cell.starts_with(b"db") {
            let list = u32_at(cell, 4).ok_or_else(|| damaged(data, "the record of long data is too short."))?;
            let parts: Vec<u32> = segments(self.bins(), cell)?.collect();
            for part in parts {
                self.image.release(part)?;
            }
            self.image.release(list)?;
        }
        self.image.release(data)
    }
}
