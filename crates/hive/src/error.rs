//! What can go wrong with a hive. Offsets are file offsets (the base block included), as a hex editor shows them.

use std::fmt;

/// Why a hive, or one part of it, could not be read or written.
#[rustfmt::skip]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The file is too short to hold even the base block.
    FileTooShort { /** bytes needed */ expected: usize, /** bytes there */ actual: usize },
    /// The file does not begin with `regf`.
    NotAHive { /** the first bytes, printable */ actual: String },
    /// The file is a hive, but not a primary file: a transaction log given in its place, for example.
    NotPrimary { /** the file type; 0 is a primary file */ actual: u32 },
    /// A version that this library does not know; 1.3 to 1.6 are known.
    UnsupportedVersion { /** major version */ major: u32, /** minor version */ minor: u32 },
    /// An offset points outside of the hive bins data, or between two cells.
    CellOutside { /** where it points to */ offset: u64, /** where the hive bins data ends */ end: u64 },
    /// An offset points to a cell that is not in use.
    CellFree { /** the cell */ offset: u64 },
    /// A cell claims a size that does not fit into the hive.
    CellSize { /** the cell */ offset: u64, /** its size field */ actual: i32 },
    /// A cell is too small for what it must hold.
    CellTooSmall { /** the cell */ offset: u64, /** bytes needed */ expected: usize, /** bytes there */ actual: usize },
    /// A record does not have the signature it must have.
    WrongSignature { /** the signature */ offset: u64, /** what it must be */ expected: &'static str, /** what is there */ actual: String },
    /// A value claims more data than its cells, or the whole hive, can hold.
    DataTooLong { /** the value or its data */ offset: u64, /** bytes claimed */ expected: u64, /** bytes there */ actual: u64 },
    /// Lists of subkeys are nested more deeply than Windows writes them.
    ListTooDeep { /** the list */ offset: u64 },
    /// A key lists more subkeys or values than the hive can hold, or lies in a circle.
    ListTooLong { /** the key */ offset: u64, /** the most that is possible */ expected: u64 },
    /// A key is nested more deeply than Windows allows, or is its own ancestor.
    TooDeep { /** the key */ offset: u64 },
    /// The key was met before under another parent: the tree is not a tree.
    KeyTwice { /** the key */ offset: u64 },

    /// The path names no key.
    KeyNotFound { /** backslash path from the root */ path: String },
    /// The key must not be deleted: it is the root or it carries the flag that forbids it.
    KeyProtected { /** backslash path from the root */ path: String },
    /// The key belongs to a layered (container) hive whose rules this library does not write.
    KeyLayered { /** the key */ offset: u64 },
    /// A key or value name is longer than Windows allows.
    NameTooLong { /** the name */ name: String, /** most UTF-16 units */ expected: usize, /** UTF-16 units there */ actual: usize },
    /// Two subkeys or values of one key differ at most in case; nobody can tell which one is meant.
    NameTwice { /** the key that holds both */ offset: u64, /** the name */ name: String },
    /// Data is longer than this hive can store in one value.
    ValueTooLong { /** most bytes */ expected: usize, /** bytes given */ actual: usize },
    /// A security descriptor is not a self-relative one.
    BadSecurity { /** bytes given */ actual: usize },
    /// The hive would grow beyond what the format can address.
    HiveFull { /** bytes of hive bins data there are */ actual: u32, /** bytes more that are needed */ expected: u32 },
    /// The sequence numbers have reached their end.
    SequenceExhausted { /** the highest number found */ actual: u32 },
    /// The hive is damaged where the edit would have to write.
    Damaged { /** the place */ offset: u64, /** what is wrong there */ problem: String },
    /// The edited hive, read again, is not what was meant; nothing must be written.
    VerificationFailed { /** the first difference */ difference: String },
}

impl Error {
    /// The place in the file that the error is about, where it has one.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::CellOutside { offset, .. }
            | Self::CellFree { offset }
            | Self::CellSize { offset, .. }
            | Self::CellTooSmall { offset, .. }
            | Self::WrongSignature { offset, .. }
            | Self::DataTooLong { offset, .. }
            | Self::ListTooDeep { offset }
            | Self::ListTooLong { offset, .. }
            | Self::TooDeep { offset }
            | Self::KeyTwice { offset }
            | Self::KeyLayered { offset }
            | Self::NameTwice { offset, .. }
            | Self::Damaged { offset, .. } => Some(*offset),
            _ => None,
        }
    }

    /// Whether both are the same fault at the same place, even when sizes around it have changed.
    pub(crate) fn is_same_fault(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.offset() == other.offset()
    }
}

impl fmt::Display for Error {
    #[rustfmt::skip]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileTooShort { expected, actual } => write!(f, "The file has {actual} bytes; a registry hive has at least {expected}. It is empty or was cut off."),
            Self::NotAHive { actual } => write!(f, "The file begins with \"{actual}\" instead of \"regf\"; it is not a registry hive."),
            Self::NotPrimary { actual } => write!(f, "The file is of registry file type {actual}, not a hive (type 0); a transaction log may have been given in its place."),
            Self::UnsupportedVersion { major, minor } => write!(f, "The hive has format version {major}.{minor}; only 1.3 to 1.6 are known."),
            Self::CellOutside { offset, end } => write!(f, "An offset points to {offset:#x}, where no cell can be (the hive's data ends at {end:#x})."),
            Self::CellFree { offset } => write!(f, "The cell at {offset:#x} is referenced but marked as free."),
            Self::CellSize { offset, actual } => write!(f, "The cell at {offset:#x} claims a size of {actual}, which does not fit into the hive."),
            Self::CellTooSmall { offset, expected, actual } => write!(f, "The cell at {offset:#x} holds {actual} bytes where {expected} are needed."),
            Self::WrongSignature { offset, expected, actual } => write!(f, "At {offset:#x} \"{expected}\" is expected but \"{actual}\" is found."),
            Self::DataTooLong { offset, expected, actual } => write!(f, "At {offset:#x} {expected} bytes of data are claimed but at most {actual} are there."),
            Self::ListTooDeep { offset } => write!(f, "The list of subkeys at {offset:#x} is nested too deeply."),
            Self::ListTooLong { offset, expected } => write!(f, "The key at {offset:#x} lists more than {expected} entries, more than its hive can hold."),
            Self::TooDeep { offset } => write!(f, "The key at {offset:#x} lies deeper than Windows allows, or in a circle."),
            Self::KeyTwice { offset } => write!(f, "The key at {offset:#x} is listed more than once."),
            Self::KeyNotFound { path } => write!(f, "There is no key \"{path}\" in the hive; create it first."),
            Self::KeyProtected { path } => write!(f, "The key \"{path}\" must not be deleted: it is the root or marked as not deletable."),
            Self::KeyLayered { offset } => write!(f, "The key at {offset:#x} belongs to a layered (container) hive; such keys are not edited."),
            Self::NameTooLong { name, expected, actual } => write!(f, "The name \"{name}\" has {actual} UTF-16 units; Windows allows {expected}."),
            Self::NameTwice { offset, name } => write!(f, "The key at {offset:#x} holds the name \"{name}\" more than once, apart from case; it is left alone because nobody can tell which one is meant."),
            Self::ValueTooLong { expected, actual } => write!(f, "The value has {actual} bytes; this hive can store {expected}."),
            Self::BadSecurity { actual } => write!(f, "The {actual} bytes given are not a self-relative security descriptor."),
            Self::HiveFull { actual, expected } => write!(f, "The hive has {actual} bytes of data and cannot grow by {expected} more."),
            Self::SequenceExhausted { actual } => write!(f, "The hive's sequence number {actual} cannot be raised any more."),
            Self::Damaged { offset, problem } => write!(f, "The hive is damaged at {offset:#x}: {problem} It is not edited; restore it from a copy first."),
            Self::VerificationFailed { difference } => write!(f, "The edited hive is not what was meant ({difference}); it was thrown away and nothing was changed. Please report this."),
        }
    }
}

impl std::error::Error for Error {}
