//! What a check of a whole hive can find.

use std::fmt;

use crate::error::Error;

/// One thing that is wrong in a hive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: an offset in the file.
    pub offset: u64,
    /// What.
    pub kind: ProblemKind,
}

/// The kinds of problems.
#[rustfmt::skip]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The checksum of the base block is wrong.
    Checksum,
    /// A write was cut off: the sequence numbers differ.
    Dirty { /** primary sequence number */ primary: u32, /** secondary sequence number */ secondary: u32 },
    /// The file ends before its hive bins data does, or the size is no multiple of 4096.
    BinsSize { /** bytes by the base block */ expected: u64, /** bytes there */ actual: u64 },
    /// A bin has no proper header; the cells behind it cannot be found.
    BinHeader { /** what is wrong with it */ why: &'static str },
    /// A cell has an impossible size; the rest of its bin cannot be read.
    CellSize { /** the size field */ actual: i32 },
    /// Two free cells lie side by side; Windows always joins them.
    FreeNotJoined,
    /// A part of the tree cannot be read.
    Unreadable { /** why */ error: Error },
    /// An offset leads to the inside of a cell.
    NotACell,
    /// A cell is used by two records.
    CellTwice,
    /// A cell is marked as used but nothing refers to it.
    Leaked { /** its size in bytes */ size: u32 },
    /// A key names another key as its parent than the one that lists it.
    Parent { /** the offset of the lister */ expected: u32, /** the offset in the key */ actual: u32 },
    /// A key's count of subkeys is not the length of its list.
    SubkeyCount { /** keys listed */ expected: u32, /** the count */ actual: u32 },
    /// A list of subkeys is not sorted, so that Windows cannot find some of them.
    NotSorted { /** the first name out of order */ name: String },
    /// Two subkeys or values of a key differ at most in case.
    NameTwice { /** the name */ name: String },
    /// The hash of a name in a list is wrong, so that Windows cannot find the key.
    Hash { /** the right hash */ expected: u32, /** the hash in the list */ actual: u32 },
    /// A length that a key promises for its subkeys or values is exceeded, so that programs may read them cut off.
    Maximum { /** which length */ what: &'static str, /** the least it must be */ expected: u32, /** what it is */ actual: u32 },
    /// Data is stored in a way that Windows rejects: long data in one cell, or a chain with a wrong number of segments.
    LongData { /** bytes of data */ size: u32 },
    /// The reference count of a security record is wrong.
    SecurityCount { /** keys that use it */ expected: u32, /** the count */ actual: u32 },
    /// The list of security records is broken.
    SecurityLinks,
    /// The check was given up because the damage leads to endless work.
    TooMuch,
}

impl Problem {
    /// Whether both are the same oddity, even when counts around it were raised or lowered together.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let slack = |expected: u32, actual: u32| i64::from(expected) - i64::from(actual);
        self.offset == other.offset
            && match (&self.kind, &other.kind) {
                (ProblemKind::Unreadable { error: a }, ProblemKind::Unreadable { error: b }) => a.is_same_fault(b),
                (ProblemKind::SecurityCount { expected: e1, actual: a1 }, ProblemKind::SecurityCount { expected: e2, actual: a2 }) => {
                    slack(*e1, *a1) == slack(*e2, *a2)
                }
                (a, b) => a == b,
            }
    }
}

impl fmt::Display for Problem {
    #[rustfmt::skip]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}: ", self.offset)?;
        match &self.kind {
            ProblemKind::Checksum => write!(f, "The checksum of the base block is wrong."),
            ProblemKind::Dirty { primary, secondary } => write!(f, "The hive is dirty: its sequence numbers are {primary} and {secondary}."),
            ProblemKind::BinsSize { expected, actual } => write!(f, "The hive's data should be {expected} bytes long; {actual} can be read."),
            ProblemKind::BinHeader { why } => write!(f, "The header of a bin is wrong ({why}); what follows is lost."),
            ProblemKind::CellSize { actual } => write!(f, "A cell has the impossible size {actual}; the rest of its bin is lost."),
            ProblemKind::FreeNotJoined => write!(f, "Two free cells lie side by side."),
            ProblemKind::Unreadable { error } => write!(f, "{error}"),
            ProblemKind::NotACell => write!(f, "An offset leads here, where no cell begins."),
            ProblemKind::CellTwice => write!(f, "This cell is used more than once."),
            ProblemKind::Leaked { size } => write!(f, "A cell of {size} bytes is marked as used but belongs to nothing."),
            ProblemKind::Parent { expected, actual } => write!(f, "The key says its parent is at {actual:#x}, but the key at {expected:#x} lists it (offsets in the hive bins data)."),
            ProblemKind::SubkeyCount { expected, actual } => write!(f, "The key claims {actual} subkeys and lists {expected}."),
            ProblemKind::NotSorted { name } => write!(f, "The list of subkeys is not sorted at \"{name}\"."),
            ProblemKind::NameTwice { name } => write!(f, "The name \"{name}\" occurs more than once."),
            ProblemKind::Hash { expected, actual } => write!(f, "The list holds the hash {actual:#x} for this key; {expected:#x} is right."),
            ProblemKind::Maximum { what, expected, actual } => write!(f, "The key promises that no {what} is longer than {actual} bytes; one has {expected}."),
            ProblemKind::LongData { size } => write!(f, "{size} bytes of data are stored in a way that Windows rejects."),
            ProblemKind::SecurityCount { expected, actual } => write!(f, "The security record counts {actual} users; it has {expected}."),
            ProblemKind::SecurityLinks => write!(f, "The list of security records is broken here."),
            ProblemKind::TooMuch => write!(f, "The check was given up: the damage makes it endless."),
        }
    }
}
