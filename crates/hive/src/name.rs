//! Names of keys and values: stored as Latin-1 or UTF-16, compared by Windows' case rule.
//!
//! Must never treat a name as UTF-8 or stop at a NUL: names may hold any UTF-16 unit.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::upcase::upcase;

/// A name as it lies in the hive: one byte per unit when "compressed", otherwise UTF-16LE.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name<'b> {
    Latin1(&'b [u8]),
    Utf16(&'b [u8]),
}

impl<'b> Name<'b> {
    pub(crate) fn new(bytes: &'b [u8], compressed: bool) -> Self {
        if compressed { Self::Latin1(bytes) } else { Self::Utf16(bytes) }
    }

    #[inline]
    pub(crate) fn units(self) -> Units<'b> {
        match self {
            Self::Latin1(bytes) => Units { bytes, step: 1 },
            Self::Utf16(bytes) => Units { bytes, step: 2 },
        }
    }

    /// The name as text; unpaired surrogates become U+FFFD.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Latin1(bytes) => bytes.iter().map(|&byte| char::from(byte)).collect(),
            Self::Utf16(_) => char::decode_utf16(self.units()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
        }
    }

    /// The same in UTF-8. A compressed name of ASCII alone is its own UTF-8.
    #[inline]
    pub(crate) fn utf8(self) -> Cow<'b, [u8]> {
        match self {
            Self::Latin1(bytes) if bytes.is_ascii() => Cow::Borrowed(bytes),
            _ => Cow::Owned(self.text().into_bytes()),
        }
    }

    /// Whether the name is `other` by Windows' case rule.
    pub(crate) fn is(self, other: &str) -> bool {
        self.units().map(upcase).eq(other.encode_utf16().map(upcase))
    }
}

/// The UTF-16 units of a name, in order.
#[derive(Debug, Clone)]
pub struct Units<'b> {
    bytes: &'b [u8],
    step: usize,
}

impl Iterator for Units<'_> {
    type Item = u16;

    #[inline]
    fn next(&mut self) -> Option<u16> {
        if self.step == 1 {
            let (&first, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            Some(u16::from(first))
        } else {
            let (pair, rest) = self.bytes.split_first_chunk::<2>()?;
            self.bytes = rest;
            Some(u16::from_le_bytes(*pair))
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let units = self.bytes.len() / self.step;
        (units, Some(units))
    }
}

/// The order of names in a list of subkeys: by upcased UTF-16 unit, a shorter name before its continuation.
pub(crate) fn compare(a: impl Iterator<Item = u16>, b: impl Iterator<Item = u16>) -> Ordering {
    a.map(upcase).cmp(b.map(upcase))
}

/// The bytes to store for a name, and whether they are compressed: Latin-1 when every unit is below 0x100.
pub(crate) fn encode(units: &[u16]) -> (Vec<u8>, bool) {
    let narrow: Option<Vec<u8>> = units.iter().map(|&unit| u8::try_from(unit).ok()).collect();
    match narrow {
        Some(bytes) => (bytes, true),
        None => (units.iter().flat_map(|unit| unit.to_le_bytes()).collect(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compress_when_all_units_are_below_0x100() {
        assert_eq!(encode(&[0x41, 0xff]), (vec![0x41, 0xff], true));
        assert_eq!(encode(&[0x41, 0x100]), (vec![0x41, 0, 0, 1], false));
        assert_eq!(encode(&[]), (vec![], true));
    }

    #[test]
    fn order_is_by_upcased_unit() {
        let order = |a: &str, b: &str| compare(a.encode_utf16(), b.encode_utf16());
        assert_eq!(order("a_", "AB"), Ordering::Greater, "the underscore comes after the capitals");
        assert_eq!(order("a", "A"), Ordering::Equal);
        assert_eq!(order("ÿ", "ŷ"), Ordering::Greater, "U+0178 after U+0176");
        assert_eq!(order("\u{10000}", "\u{e000}"), Ordering::Less, "units, not characters");
        assert_eq!(order("ab", "abc"), Ordering::Less);
    }

    #[test]
    fn latin1_is_not_utf8() {
        assert_eq!(Name::Latin1(&[0x4d, 0xfc]).text(), "Mü");
        assert!(Name::Latin1(&[0x4d, 0xfc]).is("mÜ"));
        assert_eq!(Name::Utf16(&[0, 0xd8, 0x41, 0]).text(), "\u{fffd}A");
    }
}
