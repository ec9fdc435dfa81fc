//! The built-in tables: names by value, meanings by value and kind.

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// value, place of the name, its length, kind, family, header.
pub(crate) struct Row(u32, u32, u8, u8, u8, u8);

/// value, kind, stage, place and length of the meaning, place and length of the advice.
pub(crate) struct Said(u32, u8, u8, u32, u8, u32, u8);

/// Which list of numbers a code belongs to: 2 is "file not found" as a Win32 number and another thing as a stop code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An HRESULT as it stands.
    Hresult,
    /// A Win32 number, without its HRESULT wrap.
    Win32,
    /// An NTSTATUS.
    NtStatus,
    /// A stop code of a blue screen.
    BugCheck,
    /// A problem code of a device ("Code 39").
    Problem,
    /// The phase in an extend code of Windows setup.
    Phase,
    /// The operation in an extend code of Windows setup.
    Operation,
    /// An error of the ESE database engine, which writes it as a negative number: -1018 is 0xFFFFFC06.
    Esent,
}

impl Kind {
    /// Every kind, in the order of `kinds.txt`, by which the tables number them.
    const ALL: [Kind; 8] = [Kind::Hresult, Kind::Win32, Kind::NtStatus, Kind::BugCheck, Kind::Problem, Kind::Phase, Kind::Operation, Kind::Esent];

    /// The word of the tables and of JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Hresult => "hresult",
            Kind::Win32 => "win32",
            Kind::NtStatus => "ntstatus",
            Kind::BugCheck => "bugcheck",
            Kind::Problem => "problem",
            Kind::Phase => "phase",
            Kind::Operation => "operation",
            Kind::Esent => "esent",
        }
    }

    fn number(self) -> u8 {
        self as u8
    }
}

/// One name of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The number.
    pub value: u32,
    /// The name, for example `ERROR_FILE_NOT_FOUND`.
    pub name: &'static str,
    /// Which list it belongs to.
    pub kind: Kind,
    /// The part of Windows, for example `servicing`.
    pub family: &'static str,
    /// The header or public source that the name is from.
    pub header: &'static str,
}

/// What a code means, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// When it arises: scan, download, servicing …
    pub stage: &'static str,
    /// What went wrong.
    pub says: &'static str,
    /// What to try first.
    pub advice: &'static str,
}

fn shown(row: &Row) -> Known {
    let Row(value, at, length, kind, family, header) = *row;
    let at = at as usize;
    Known {
        value,
        name: NAMES.get(at..at + usize::from(length)).unwrap_or_default(),
        kind: Kind::ALL.get(usize::from(kind)).copied().unwrap_or(Kind::Hresult),
        family: FAMILIES.get(usize::from(family)).copied().unwrap_or_default(),
        header: HEADERS.get(usize::from(header)).copied().unwrap_or_default(),
    }
}

/// Every name of exactly this value: by kind, and within a kind the likeliest first.
pub fn known(value: u32) -> impl Iterator<Item = Known> {
    let mask = SLOTS.len() - 1;
    // Hashed as in build.rs. The table is at most two thirds full, so that an empty slot always ends the search.
    let mut slot = (value.wrapping_mul(0x9E37_79B1) >> 8) as usize & mask;
    let rows = loop {
        let at = usize::from(SLOTS.get(slot).copied().unwrap_or(u16::MAX));
        let Some(rows) = ROWS.get(at..) else { break &[] as &[Row] };
        if rows.first().is_some_and(|row| row.0 == value) {
            break rows;
        }
        slot = (slot + 1) & mask;
    };
    rows.iter().take_while(move |row| row.0 == value).map(shown)
}

/// Every name that is stored, by value.
pub fn entries() -> impl Iterator<Item = Known> {
    ROWS.iter().map(shown)
}

/// Every entry of that name; case does not matter.
pub fn by_name(name: &str) -> impl Iterator<Item = Known> {
    entries().filter(move |known| known.name.eq_ignore_ascii_case(name))
}

/// What is written about this value of this kind.
pub fn meaning(value: u32, kind: Kind) -> Option<Meaning> {
    let at = MEANINGS.binary_search_by_key(&(value, kind.number()), |said| (said.0, said.1)).ok()?;
    let Said(_, _, stage, says, says_length, advice, advice_length) = MEANINGS.get(at)?;
    let text = |at: u32, length: u8| TEXTS.get(at as usize..at as usize + usize::from(length));
    Some(Meaning {
        stage: STAGES.get(usize::from(*stage)).copied().unwrap_or_default(),
        says: text(*says, *says_length)?,
        advice: text(*advice, *advice_length)?,
    })
}

/// The likeliest name of a 32-bit code in a log: its own, or that of the Win32 number or NTSTATUS that it wraps.
pub fn name_of(value: u32) -> Option<&'static str> {
    let own = |value: u32, kinds: &[Kind]| known(value).find(|known| kinds.contains(&known.kind)).map(|known| known.name);
    match crate::Wrapped::of(value) {
        Some(wrapped) => own(wrapped.value, &[wrapped.kind]).or_else(|| own(value, &[Kind::Hresult, Kind::NtStatus])),
        None => own(value, &[Kind::Hresult, Kind::NtStatus]).or_else(|| own(value, &[Kind::Win32])),
    }
}

/// Every facility: number, name, words.
pub(crate) fn facilities() -> &'static [(u16, &'static str, &'static str)] {
    FACILITIES
}

/// The nearest stored values below and above that share the upper half, at most `count` on each side.
pub(crate) fn neighbours(value: u32, count: usize) -> Vec<Known> {
    let at = ROWS.partition_point(|row| row.0 < value);
    let same = |row: &&Row| row.0 >> 16 == value >> 16;
    let mut found: Vec<Known> = ROWS.get(..at).unwrap_or_default().iter().rev().take_while(same).take(count).map(shown).collect();
    found.reverse();
    found.extend(ROWS.get(at..).unwrap_or_default().iter().skip_while(|row| row.0 == value).take_while(same).take(count).map(shown));
    found
}

#[cfg(test)]
mod tests {
    use super::{Kind, by_name, entries, known, meaning, name_of};

    #[test]
    fn kinds_are_numbered_as_the_build_numbers_them() {
        let words: Vec<&str> = include_str!("kinds.txt").lines().collect();
        assert_eq!(words, Kind::ALL.map(Kind::word));
        for (number, kind) in (0..).zip(Kind::ALL) {
            assert_eq!(kind.number(), number);
        }
    }

    #[test]
    fn every_entry_is_found_by_its_value_and_by_its_name() {
        for entry in entries() {
            assert!(known(entry.value).any(|found| found == entry), "{entry:?}");
        }
        assert!(by_name("wu_e_ds_nodata").any(|known| known.value == 0x8024_8007));
        assert_eq!(known(0x1234_5678).count(), 0);
    }

    #[test]
    fn wraps_are_named() {
        assert_eq!(name_of(0x8007_0002), Some("ERROR_FILE_NOT_FOUND"));
        assert_eq!(name_of(0xD000_0034), Some("STATUS_OBJECT_NAME_NOT_FOUND"));
        assert_eq!(name_of(0x8024_8007), Some("WU_E_DS_NODATA"));
        for entry in entries().filter(|entry| entry.kind == Kind::Win32 && entry.value <= 0xFFFF) {
            assert!(name_of(0x8007_0000 | entry.value).is_some(), "{entry:?}");
        }
        for entry in entries().filter(|entry| entry.kind == Kind::NtStatus && entry.value >> 28 == 0xC) {
            assert!(name_of(0x1000_0000 | entry.value).is_some(), "{entry:?}");
        }
    }

    #[test]
    fn meanings_belong_to_a_named_code() {
        for entry in entries() {
            if let Some(meaning) = meaning(entry.value, entry.kind) {
                assert!(!meaning.says.is_empty() && !meaning.stage.is_empty(), "{entry:?}");
            }
        }
    }
}
