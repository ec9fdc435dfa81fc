//! The check of a whole hive: bins, cells, every reference, counts, order, hashes, security records, leaks.
//!
//! Must never fail as a whole and never take longer than in proportion to the size of the file.

use std::collections::BTreeMap;

use crate::bytes::u32_at;
use crate::cell::{BINS_START, Bins, NIL, SEGMENT, file_offset};
use crate::check_bins::{check_bins, check_leaks};
use crate::error::Error;
use crate::hive::Hive;
use crate::key::{Key, descriptor};
use crate::name;
use crate::problem::{Problem, ProblemKind};
use crate::value::{INLINE, Value, segments};
use crate::walk::{CellSet, Step};

/// The result of a check, and what it learned on the way.
pub(crate) struct Checked {
    pub(crate) problems: Vec<Problem>,
}

/// Checks everything; at most `limit` problems are kept.
pub(crate) fn check(hive: &Hive<'_>, limit: usize) -> Checked {
    let bins = hive.bins();
    let mut found = Found { problems: Vec::new(), limit };
    let base = hive.base_block();
    if !base.checksum_ok {
        found.add(508, ProblemKind::Checksum);
    }
    if base.primary_sequence != base.secondary_sequence {
        found.add(4, ProblemKind::Dirty { primary: base.primary_sequence, secondary: base.secondary_sequence });
    }
    let there = hive.bytes().len().saturating_sub(BINS_START) as u64;
    let size = u64::from(base.bins_size);
    if size > there || !size.is_multiple_of(4096) {
        found.add(40, ProblemKind::BinsSize { expected: size, actual: there.min(size) });
    }
    let starts = check_bins(bins, &mut found);
    let mut checker = Checker { bins, starts, used: CellSet::new(bins), found, work: bins.data.len() / 2, security: BTreeMap::new() };
    checker.tree(hive);
    checker.security_records();
    let Checker { starts, used, mut found, .. } = checker;
    check_leaks(bins, &starts, &used, &mut found);
    Checked { problems: found.problems }
}

/// The list of problems and its limit.
pub(crate) struct Found {
    problems: Vec<Problem>,
    limit: usize,
}

impl Found {
    pub(crate) fn add(&mut self, offset: u64, kind: ProblemKind) {
        if self.problems.len() < self.limit {
            self.problems.push(Problem { offset, kind });
        }
    }

    fn at(&mut self, offset: u32, kind: ProblemKind) {
        self.add(file_offset(offset), kind);
    }

    fn unreadable(&mut self, offset: u32, error: Error) {
        let offset = error.offset().unwrap_or_else(|| file_offset(offset));
        self.add(offset, ProblemKind::Unreadable { error });
    }
}

struct Checker<'b> {
    bins: Bins<'b>,
    starts: CellSet,
    used: CellSet,
    found: Found,
    work: usize,
    security: BTreeMap<u32, u32>,
}

impl<'b> Checker<'b> {
    fn tree(&mut self, hive: &Hive<'b>) {
        let mut path: Vec<u32> = Vec::new();
        for step in hive.walk() {
            let Step { depth, key } = match step {
                Ok(step) => step,
                Err(error) => {
                    self.found.unreadable(0, error);
                    continue;
                }
            };
            path.truncate(depth);
            // The parent of the root has no meaning in the file.
            if let Some(&parent) = path.last()
                && key.parent() != parent
            {
                self.found.at(key.offset(), ProblemKind::Parent { expected: parent, actual: key.parent() });
            }
            path.push(key.offset());
            self.claim(key.offset());
            self.key(&key);
            if self.work == 0 {
                self.found.at(key.offset(), ProblemKind::TooMuch);
                return;
            }
        }
    }

    /// Takes a cell for one record; `false` when it is no cell or belongs to another record already.
    fn claim(&mut self, offset: u32) -> bool {
        self.work = self.work.saturating_sub(1);
        if !self.starts.contains(offset) {
            match self.bins.cell(offset) {
                Ok(_) => self.found.at(offset, ProblemKind::NotACell),
                Err(error) => self.found.unreadable(offset, error),
            }
            return false;
        }
        if !self.used.insert(offset) {
            self.found.at(offset, ProblemKind::CellTwice);
            return false;
        }
        true
    }

    fn key(&mut self, key: &Key<'b>) {
        if key.class_offset() != NIL && key.class_length() > 0 {
            self.claim(key.class_offset());
            if let Err(error) = key.class_bytes() {
                self.found.unreadable(key.offset(), error);
            }
        }
        if key.security_offset() != NIL {
            *self.security.entry(key.security_offset()).or_default() += 1;
        }
        if key.subkey_count() > 0 {
            self.subkeys(key);
        }
        if key.value_count() > 0 && self.claim(key.value_list()) {
            self.values(key);
        }
    }

    fn subkeys(&mut self, key: &Key<'b>) {
        let mut entries = key.subkey_offsets().remember_cells();
        let mut before: Option<Key<'b>> = None;
        let (mut count, mut longest, mut longest_class) = (0, 0, 0);
        while let Some(entry) = entries.next_entry() {
            self.work = self.work.saturating_sub(1);
            if self.work == 0 {
                return;
            }
            // Damaged entries are reported by the walk.
            let Ok((offset, hash)) = entry else { continue };
            count += 1;
            let Ok(subkey) = Key::at(self.bins, offset) else { continue };
            if let Some(actual) = hash {
                let expected = crate::upcase::name_hash(subkey.name_units());
                if expected != actual {
                    self.found.at(offset, ProblemKind::Hash { expected, actual });
                }
            }
            if let Some(before) = before {
                match name::compare(before.name_units(), subkey.name_units()) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => {
                        self.found.at(key.offset(), ProblemKind::NameTwice { name: subkey.name() });
                    }
                    std::cmp::Ordering::Greater => {
                        self.found.at(key.offset(), ProblemKind::NotSorted { name: subkey.name() });
                    }
                }
            }
            before = Some(subkey);
            longest = longest.max(utf16_length(subkey.name_units()));
            longest_class = longest_class.max(u32::try_from(subkey.class_length()).unwrap_or(u32::MAX));
        }
        for cell in entries.into_cells() {
            self.claim(cell);
        }
        if count != key.subkey_count() {
            self.found.at(key.offset(), ProblemKind::SubkeyCount { expected: count, actual: key.subkey_count() });
        }
        self.maximum(key, "subkey name", longest, key.largest_subkey_name());
        self.maximum(key, "class name of a subkey", longest_class, key.largest_class());
    }

    fn maximum(&mut self, key: &Key<'b>, what: &'static str, expected: u32, actual: u32) {
        if actual < expected {
            self.found.at(key.offset(), ProblemKind::Maximum { what, expected, actual });
        }
    }

    fn values(&mut self, key: &Key<'b>) {
        let (mut longest, mut largest) = (0, 0);
        for value in key.values() {
            let value = match value {
                Ok(value) => value,
                Err(error) => {
                    self.found.unreadable(key.offset(), error);
                    continue;
                }
            };
            if self.claim(value.offset()) {
                self.value(&value);
            }
            longest = longest.max(utf16_length(value.name_units()));
            largest = largest.max(value.data_size());
        }
        self.maximum(key, "value name", longest, key.largest_value_name());
        self.maximum(key, "value", largest, key.largest_value_data());
    }

    fn value(&mut self, value: &Value<'b>) {
        let size = value.data_size();
        if value.raw_size() & INLINE != 0 {
            if size > 4 {
                self.found.at(value.offset(), ProblemKind::LongData { size });
            }
            return;
        }
        if size == 0 || !self.claim(value.data_offset()) {
            return;
        }
        let Ok(cell) = self.bins.cell(value.data_offset()) else { return };
        if size as usize <= SEGMENT || self.bins.minor <= 3 {
            if cell.len() < size as usize {
                let error = Error::DataTooLong { offset: file_offset(value.offset()), expected: size.into(), actual: cell.len() as u64 };
                self.found.unreadable(value.offset(), error);
            }
            return;
        }
        if !cell.starts_with(b"db") {
            self.found.at(value.offset(), ProblemKind::LongData { size });
            return;
        }
        self.claim(u32_at(cell, 4).unwrap_or(NIL));
        match segments(self.bins, cell) {
            Ok(segments) => {
                let mut count = 0;
                let mut room = 0;
                for segment in segments {
                    count += 1;
                    self.claim(segment);
                    room += self.bins.cell(segment).map_or(0, |cell| cell.len().min(SEGMENT));
                }
                if count != (size as usize).div_ceil(SEGMENT) || room < size as usize {
                    self.found.at(value.offset(), ProblemKind::LongData { size });
                }
            }
            Err(error) => self.found.unreadable(value.offset(), error),
        }
    }

    /// Every used security record must count its users right and hang in one ring.
    fn security_records(&mut self) {
        let users = std::mem::take(&mut self.security);
        for (&offset, &expected) in &users {
            if !self.claim(offset) {
                continue;
            }
            if let Err(error) = descriptor(self.bins, offset) {
                self.found.unreadable(offset, error);
                continue;
            }
            let cell = self.bins.cell(offset).unwrap_or_default();
            let actual = u32_at(cell, 12).unwrap_or_default();
            if actual != expected {
                self.found.at(offset, ProblemKind::SecurityCount { expected, actual });
            }
        }
        // Records in the ring that no key uses are real too; whatever hangs outside of the ring is reported.
        let Some((&first, _)) = users.first_key_value() else { return };
        let mut ring = CellSet::new(self.bins);
        let mut at = first;
        while ring.insert(at) {
            let next = self.bins.record(at, "sk", 20).ok().and_then(|cell| u32_at(cell, 4)).unwrap_or(NIL);
            let back = self.bins.record(next, "sk", 20).ok().and_then(|cell| u32_at(cell, 8));
            if back != Some(at) {
                self.found.at(at, ProblemKind::SecurityLinks);
                return;
            }
            if !users.contains_key(&next) && !ring.contains(next) {
                self.claim(next);
                let cell = self.bins.cell(next).unwrap_or_default();
                let actual = u32_at(cell, 12).unwrap_or_default();
                if actual != 0 {
                    self.found.at(next, ProblemKind::SecurityCount { expected: 0, actual });
                }
            }
            at = next;
        }
        for &offset in users.keys() {
            if !ring.contains(offset) {
                self.found.at(offset, ProblemKind::SecurityLinks);
            }
        }
    }
}

fn utf16_length(units: crate::name::Units<'_>) -> u32 {
    units.count().try_into().map_or(u32::MAX, |units: u32| units.saturating_mul(2))
}
