//! How a 32-bit code is made: severity, customer bit, facility, number, and what it wraps.

use crate::Kind;

/// A code of another list inside an HRESULT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrapped {
    /// Which list.
    pub kind: Kind,
    /// The number in that list.
    pub value: u32,
}

impl Wrapped {
    /// What a code wraps: facility 7 wraps a Win32 number (`HRESULT_FROM_WIN32`; `0xC007…` is the same as an NTSTATUS),
    /// bit 28 an NTSTATUS (`HRESULT_FROM_NT`).
    pub fn of(value: u32) -> Option<Wrapped> {
        match value >> 16 {
            0x8007 | 0xC007 => Some(Wrapped { kind: Kind::Win32, value: value & 0xFFFF }),
            _ if value >> 28 == 0xD => Some(Wrapped { kind: Kind::NtStatus, value: value & !0x1000_0000 }),
            _ => None,
        }
    }
}

/// The parts of an HRESULT (winerror.h: S R C N X, facility, code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anatomy {
    /// The uppermost bit: it says that something failed.
    pub failure: bool,
    /// The customer bit: the number was given by a program, not by Microsoft's registry of codes.
    pub customer: bool,
    /// Bit 28: an NTSTATUS inside an HRESULT.
    pub nt: bool,
    /// Who raised it, 0 to 2047.
    pub facility: u16,
    /// The number within the facility.
    pub code: u16,
    /// What it wraps.
    pub wraps: Option<Wrapped>,
}

impl Anatomy {
    /// Takes a value apart.
    pub fn of(value: u32) -> Anatomy {
        Anatomy {
            failure: value >> 31 == 1,
            customer: value >> 29 & 1 == 1,
            nt: value >> 28 & 1 == 1,
            facility: u16::try_from(value >> 16 & 0x7FF).unwrap_or_default(),
            code: u16::try_from(value & 0xFFFF).unwrap_or_default(),
            wraps: Wrapped::of(value),
        }
    }
}

/// A facility's name and, where there is something to say, who that is in plain words.
pub fn facility(number: u16) -> Option<(&'static str, &'static str)> {
    let list = crate::table::facilities();
    list.binary_search_by_key(&number, |one| one.0).ok().and_then(|at| list.get(at)).map(|one| (one.1, one.2))
}

#[cfg(test)]
mod tests {
    use super::{Anatomy, Wrapped, facility};
    use crate::Kind;

    #[test]
    fn parts() {
        let anatomy = Anatomy::of(0x8007_0002);
        assert!(anatomy.failure && !anatomy.customer && !anatomy.nt);
        assert_eq!((anatomy.facility, anatomy.code, anatomy.wraps), (7, 2, Some(Wrapped { kind: Kind::Win32, value: 2 })));
        assert_eq!(Anatomy::of(0xD000_0034).wraps, Some(Wrapped { kind: Kind::NtStatus, value: 0xC000_0034 }));
        let camera = Anatomy::of(0xA00F_4292);
        assert!(camera.customer && camera.wraps.is_none());
        assert_eq!(facility(7).map(|(name, _)| name), Some("FACILITY_WIN32"));
        assert_eq!(facility(2046), None);
    }
}
