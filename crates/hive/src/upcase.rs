//! Windows' case rule for names: compare by the upcase of each UTF-16 unit.
//!
//! Must never use Rust's (Unicode's) own case mapping: Windows' table is older and leaves many letters alone.

use crate::upcase_table::RUNS;

/// The capital of one UTF-16 unit by Windows' table; units without one are returned unchanged.
#[inline]
#[must_use]
pub fn upcase(unit: u16) -> u16 {
    if unit < 0x80 {
        return if unit.wrapping_sub(0x61) < 26 { unit - 0x20 } else { unit };
    }
    from_runs(unit)
}

fn from_runs(unit: u16) -> u16 {
    let after = RUNS.partition_point(|run| run.0 <= unit);
    match after.checked_sub(1).and_then(|at| RUNS.get(at)) {
        Some(&(first, last, step, delta)) if unit <= last && (unit - first).is_multiple_of(step) => unit.wrapping_add(delta),
        _ => unit,
    }
}

/// The hash of a key name in an `lh` list: over the upcased units, `hash = 37 * hash + unit`.
#[must_use]
pub fn name_hash(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0_u32, |hash, unit| hash.wrapping_mul(37).wrapping_add(u32::from(upcase(unit))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upcase_table::CHANGED_AND_SUM;

    #[test]
    fn the_runs_give_back_the_whole_table() {
        let changed = (0..=u16::MAX).filter(|&unit| upcase(unit) != unit).count();
        let sum = (0..=u16::MAX).fold(0_u32, |sum, unit| sum.wrapping_mul(31).wrapping_add(u32::from(upcase(unit))));
        assert_eq!((changed, sum), CHANGED_AND_SUM);
    }

    #[test]
    fn windows_differs_from_unicode() {
        assert_eq!(upcase(0xb5), 0xb5, "the micro sign has no capital in Windows' table");
        assert_eq!(upcase(0x131), 0x131, "nor has the dotless i");
        assert_eq!(upcase(u16::from(b'i')), u16::from(b'I'));
        assert_eq!(upcase(0xff), 0x178);
        assert_eq!(upcase(0xe4), 0xc4);
        assert_eq!(upcase(0xdf), 0xdf);
    }

    #[test]
    fn the_hash_ignores_case() {
        assert_eq!(name_hash("Select".encode_utf16()), name_hash("SELECT".encode_utf16()));
        assert_eq!(name_hash("A".encode_utf16()), 65);
        assert_eq!(name_hash("ab".encode_utf16()), 65 * 37 + 66);
    }
}
