//! Security records under change: shared by many keys, counted, linked in a ring.

use crate::bytes::{u16_at, u32_at};
use crate::cell::NIL;
use crate::edit::image::damaged;
use crate::edit::writer::Writer;
use crate::error::Error;
use crate::key::descriptor;
use crate::walk::CellSet;

const FLINK: usize = 4;
const BLINK: usize = 8;
const COUNT: usize = 12;

impl Writer {
    fn security_field(&self, record: u32, at: usize) -> Result<u32, Error> {
        let cell = self.image.cell(record)?;
        if !cell.starts_with(b"sk") {
            return Err(damaged(record, "a security record is expected here."));
        }
        u32_at(cell, at).ok_or_else(|| damaged(record, "the security record is too short."))
    }

    /// One key more uses a record.
    pub(super) fn use_security(&mut self, record: u32) -> Result<(), Error> {
        if record == NIL {
            return Ok(());
        }
        let count = self.security_field(record, COUNT)?;
        let raised = count.checked_add(1).ok_or_else(|| damaged(record, "its count of users is full."))?;
        *self.users.entry(record).or_default() += 1;
        self.image.write(record, COUNT, &raised.to_le_bytes())
    }

    /// One key fewer uses a record; the last one takes it out of the ring and frees it.
    pub(super) fn drop_security(&mut self, record: u32) -> Result<(), Error> {
        if record == NIL {
            return Ok(());
        }
        let count = self.security_field(record, COUNT)?;
        let lowered = count.checked_sub(1).ok_or_else(|| damaged(record, "its count of users is zero already."))?;
        let users = self.users.entry(record).or_default();
        *users = users.saturating_sub(1);
        let unused = *users == 0;
        if lowered > 0 {
            return self.image.write(record, COUNT, &lowered.to_le_bytes());
        }
        if !unused {
            return Err(damaged(record, "more keys use the security record than it counts."));
        }
        let (next, before) = (self.security_field(record, FLINK)?, self.security_field(record, BLINK)?);
        if self.security_field(next, BLINK)? != record || self.security_field(before, FLINK)? != record {
            return Err(damaged(record, "the ring of security records is broken."));
        }
        self.image.write(before, FLINK, &next.to_le_bytes())?;
        self.image.write(next, BLINK, &before.to_le_bytes())?;
        self.image.release(record)
    }

    pub(super) fn set_security(&mut self, key: u32, wanted: &[u8]) -> Result<(), Error> {
        // Revision 1, and the control bit that says self-relative.
        let relative = wanted.first() == Some(&1) && u16_at(wanted, 2).is_some_and(|control| control & 0x8000 != 0);
        if wanted.len() < 20 || !relative {
            return Err(Error::BadSecurity { actual: wanted.len() });
        }
        let old = self.key(key)?.security_offset();
        if old == NIL {
            return Err(damaged(key, "the key has no security record."));
        }
        if descriptor(self.bins(), old)? == wanted {
            return Ok(());
        }
        self.touch(key)?;
        let record = match self.equal_security(old, wanted)? {
            Some(record) => record,
            None => self.new_security(old, wanted)?,
        };
        self.use_security(record)?;
        self.set_field(key, 44, record)?;
        self.drop_security(old)
    }

    /// Goes round the ring for a record with the same descriptor.
    fn equal_security(&self, start: u32, wanted: &[u8]) -> Result<Option<u32>, Error> {
        let mut met = CellSet::new(self.bins());
        let mut at = start;
        while met.insert(at) {
            if descriptor(self.bins(), at)? == wanted {
                return Ok(Some(at));
            }
            at = self.security_field(at, FLINK)?;
        }
        Ok(None)
    }

    /// Makes a record that nobody uses yet and links it in behind `before`.
    fn new_security(&mut self, before: u32, wanted: &[u8]) -> Result<u32, Error> {
        let next = self.security_field(before, FLINK)?;
        if self.security_field(next, BLINK)? != before {
            return Err(damaged(before, "the ring of security records is broken."));
        }
        let length = u32::try_from(wanted.len()).map_err(|_| Error::BadSecurity { actual: wanted.len() })?;
        let mut record = b"sk\0\0".to_vec();
        for field in [next, before, 0, length] {
            record.extend_from_slice(&field.to_le_bytes());
        }
        record.extend_from_slice(wanted);
        let record = self.image.store(&record)?;
        self.image.write(before, FLINK, &record.to_le_bytes())?;
        self.image.write(next, BLINK, &record.to_le_bytes())?;
        Ok(record)
    }
}
