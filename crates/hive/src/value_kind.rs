//! The types of values by name ("Data types" in the specification).

use std::fmt;

/// The type of a value. Any number can be stored; those without a name are [`ValueKind::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// `REG_NONE`, 0.
    None,
    /// `REG_SZ`, 1: a string.
    Sz,
    /// `REG_EXPAND_SZ`, 2: a string with environment variables in it.
    ExpandSz,
    /// `REG_BINARY`, 3.
    Binary,
    /// `REG_DWORD`, 4: a 32-bit number, little-endian.
    Dword,
    /// `REG_DWORD_BIG_ENDIAN`, 5.
    DwordBigEndian,
    /// `REG_LINK`, 6: the target of a symbolic link, without a terminating NUL.
    Link,
    /// `REG_MULTI_SZ`, 7: a list of strings.
    MultiSz,
    /// `REG_RESOURCE_LIST`, 8.
    ResourceList,
    /// `REG_FULL_RESOURCE_DESCRIPTOR`, 9.
    FullResourceDescriptor,
    /// `REG_RESOURCE_REQUIREMENTS_LIST`, 10.
    ResourceRequirementsList,
    /// `REG_QWORD`, 11: a 64-bit number, little-endian.
    Qword,
    /// Any other number, as it is stored.
    Other(u32),
}

impl From<u32> for ValueKind {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Sz,
            2 => Self::ExpandSz,
            3 => Self::Binary,
            4 => Self::Dword,
            5 => Self::DwordBigEndian,
            6 => Self::Link,
            7 => Self::MultiSz,
            8 => Self::ResourceList,
            9 => Self::FullResourceDescriptor,
            10 => Self::ResourceRequirementsList,
            11 => Self::Qword,
            other => Self::Other(other),
        }
    }
}

impl From<ValueKind> for u32 {
    fn from(kind: ValueKind) -> Self {
        match kind {
            ValueKind::None => 0,
            ValueKind::Sz => 1,
            ValueKind::ExpandSz => 2,
            ValueKind::Binary => 3,
            ValueKind::Dword => 4,
            ValueKind::DwordBigEndian => 5,
            ValueKind::Link => 6,
            ValueKind::MultiSz => 7,
            ValueKind::ResourceList => 8,
            ValueKind::FullResourceDescriptor => 9,
            ValueKind::ResourceRequirementsList => 10,
            ValueKind::Qword => 11,
            ValueKind::Other(other) => other,
        }
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "REG_NONE",
            Self::Sz => "REG_SZ",
            Self::ExpandSz => "REG_EXPAND_SZ",
            Self::Binary => "REG_BINARY",
            Self::Dword => "REG_DWORD",
            Self::DwordBigEndian => "REG_DWORD_BIG_ENDIAN",
            Self::Link => "REG_LINK",
            Self::MultiSz => "REG_MULTI_SZ",
            Self::ResourceList => "REG_RESOURCE_LIST",
            Self::FullResourceDescriptor => "REG_FULL_RESOURCE_DESCRIPTOR",
            Self::ResourceRequirementsList => "REG_RESOURCE_REQUIREMENTS_LIST",
            Self::Qword => "REG_QWORD",
            Self::Other(number) => return write!(f, "REG type {number:#x}"),
        })
    }
}
