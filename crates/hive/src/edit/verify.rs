//! The proof of an edit: the result is read again and compared with what was meant, and its structure is checked.

use crate::cell::BINS_START;
use crate::check::check;
use crate::clean_hive::CleanHive;
use crate::edit::model;
use crate::edit::operation::Operation;
use crate::error::Error;
use crate::hive::Hive;
use crate::problem::Problem;
use crate::tree::Tree;

/// Problems kept for the comparison; a hive with more than that is not edited.
const PROBLEMS: usize = 100_000;

/// Refuses a result that is not the old tree plus the operations, or that has a problem the old hive did not have.
pub(super) fn verify(before: &Hive<'_>, after: &CleanHive, operations: &[Operation], now: u64) -> Result<(), Error> {
    let failed = |difference: String| Err(Error::VerificationFailed { difference });
    let read = Hive::parse(after.bytes())?;
    if let Some(difference) = base_difference(before, &read, after.highest_sequence()) {
        return failed(difference);
    }
    let mut meant = Tree::of(before);
    for operation in operations {
        model::apply(&mut meant, operation, now)?;
    }
    if let Some(difference) = Tree::of(&read).first_difference(&meant) {
        return failed(difference);
    }
    let new = check(&read, PROBLEMS).problems;
    if new.is_empty() {
        return Ok(());
    }
    let old = check(before, PROBLEMS).problems;
    match first_new(&old, &new) {
        Some(problem) => failed(problem.to_string()),
        None => Ok(()),
    }
}

/// The first problem that was not there before.
fn first_new<'p>(old: &[Problem], new: &'p [Problem]) -> Option<&'p Problem> {
    if new.len() >= PROBLEMS {
        return new.last();
    }
    let mut old: Vec<&Problem> = old.iter().collect();
    old.sort_by_key(|problem| problem.offset);
    new.iter().find(|problem| {
        let from = old.partition_point(|known| known.offset < problem.offset);
        let known = old.get(from..).unwrap_or_default();
        !known.iter().take_while(|known| known.offset == problem.offset).any(|known| known.is_same(problem))
    })
}

/// Everything in the base block but the sequence numbers, the time, the size and the checksum must be as before, and so must
/// what follows the last bin.
fn base_difference(before: &Hive<'_>, after: &Hive<'_>, sequence: u32) -> Option<String> {
    let base = after.base_block();
    if base.is_dirty() || base.primary_sequence != sequence {
        return Some("the base block is not clean".to_owned());
    }
    if base.bins_size < before.base_block().bins_size || base.bins_size as usize != after.bins().data.len() {
        return Some("the size of the data is wrong".to_owned());
    }
    let kept = [0..4, 20..40, 44..508, 512..BINS_START];
    let same = |hive: &Hive<'_>, range| hive.bytes().get(range).map(<[u8]>::to_vec);
    if kept.into_iter().any(|range| same(before, range.clone()) != same(after, range)) {
        return Some("a field of the base block has changed".to_owned());
    }
    let tail = BINS_START + base.bins_size as usize;
    let old_tail = before.bytes().get(tail..).unwrap_or_default();
    (after.bytes().get(tail..) != Some(old_tail)).then(|| "the bytes after the last bin have changed".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::base_block::{Stamp, stamp};
    use crate::create::MinorVersion;

    const NOW: u64 = 9;

    fn operations() -> Vec<Operation> {
        vec![
            Operation::CreateKey { path: r"A\B".into() },
            Operation::CreateKey { path: "C".into() },
            Operation::SetValue { path: "A".into(), name: "v".into(), data_type: 3, data: vec![7; 20] },
        ]
    }

    /// A good result, spoilt by `spoil`, as the verification sees it.
    fn verdict(spoil: impl FnOnce(&CleanHive, &mut [u8])) -> Result<(), Error> {
        let before = CleanHive::create(MinorVersion::V5, "x", 1);
        let mut edit = before.edit();
        edit.create_key(r"A\B").create_key("C").set_value("A", "v", 3, &[7; 20]);
        let after = edit.commit(NOW).unwrap().hive;
        let mut bytes = after.bytes().to_vec();
        spoil(&after, &mut bytes);
        let bins_size = after.hive().base_block().bins_size;
        stamp(&mut bytes, Stamp { sequence: 2, bins_size, last_written: Some(NOW) }).unwrap();
        let base = crate::base_block::BaseBlock::read(&bytes).unwrap();
        verify(&before.hive(), &CleanHive::new(bytes, base, 2), &operations(), NOW)
    }

    fn at(hive: &CleanHive, path: &str, field: usize) -> usize {
        BINS_START + 4 + hive.hive().open(path).unwrap().unwrap().offset() as usize + field
    }

    #[test]
    fn a_good_result_passes() {
        assert_eq!(verdict(|_, _| {}), Ok(()));
    }

    #[test]
    fn every_kind_of_bad_result_is_refused() {
        let refused = |what: &str, spoil: fn(&CleanHive, &mut [u8])| match verdict(spoil) {
            Err(Error::VerificationFailed { .. }) => {}
            other => panic!("{what}: {other:?}"),
        };
        refused("a flag of the base block", |_, bytes| bytes[144] ^= 1);
        refused("the rest of the base block", |_, bytes| bytes[4000] ^= 1);
        refused("a name", |hive, bytes| bytes[at(hive, "C", 76)] = b'D');
        refused("a time", |hive, bytes| bytes[at(hive, "C", 4)] ^= 1);
        refused("a flag", |hive, bytes| bytes[at(hive, "C", 2)] ^= 8);
        refused("user flags", |hive, bytes| bytes[at(hive, "C", 54)] ^= 1);
        refused("a parent", |hive, bytes| bytes[at(hive, r"A\B", 16)] ^= 8);
        refused("a count", |hive, bytes| bytes[at(hive, "A", 20)] = 0);
        refused("a promised length", |hive, bytes| bytes[at(hive, "A", 64)] = 1);
        refused("a security count", |_, bytes| bytes[BINS_START + 0x78 + 4 + 12] ^= 1);
        refused("a security ring", |_, bytes| bytes[BINS_START + 0x78 + 4 + 4] ^= 0x80);
        refused("a descriptor", |_, bytes| bytes[BINS_START + 0x78 + 4 + 30] ^= 1);
        refused("data", |_, bytes| {
            let data = bytes.windows(20).position(|window| window == [7; 20]).unwrap();
            bytes[data] = 8;
        });
        refused("a leak", |_, bytes| {
            // The free cell at the end of the only bin, marked as used.
            let mut cell = BINS_START + 32;
            loop {
                let size = i32::from_le_bytes(bytes[cell..cell + 4].try_into().unwrap());
                if size > 0 {
                    bytes[cell..cell + 4].copy_from_slice(&(-size).to_le_bytes());
                    break;
                }
                cell += size.unsigned_abs() as usize;
            }
        });
    }

    #[test]
    fn known_oddities_are_told_from_new_ones() {
        let at = |offset, kind| Problem { offset, kind };
        let count = |expected, actual| crate::ProblemKind::SecurityCount { expected, actual };
        let leak = crate::ProblemKind::Leaked { size: 8 };
        let old = [at(8, leak.clone()), at(16, count(3, 5))];
        assert_eq!(first_new(&old, &[at(16, count(4, 6)), at(8, leak.clone())]), None, "raised together");
        assert!(first_new(&old, &[at(16, count(4, 5))]).is_some());
        assert!(first_new(&old, &[at(24, leak)]).is_some());
    }
}
