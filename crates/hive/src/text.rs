//! Text and times in value data: UTF-16LE with terminating NULs, and FILETIMEs.

/// The text of a string value: UTF-16LE up to the first NUL or the end; a lone last byte is ignored; lossy.
#[must_use]
pub fn decode_sz(data: &[u8]) -> String {
    let units: Vec<u16> = units(data).take_while(|&unit| unit != 0).collect();
    String::from_utf16_lossy(&units)
}

/// The strings of a multi-string value: each ends with a NUL, an empty one ends the list, what follows is ignored; lossy.
#[must_use]
pub fn decode_multi_sz(data: &[u8]) -> Vec<String> {
    let units: Vec<u16> = units(data).collect();
    units.split(|&unit| unit == 0).take_while(|part| !part.is_empty()).map(String::from_utf16_lossy).collect()
}

fn units(data: &[u8]) -> impl Iterator<Item = u16> {
    data.chunks_exact(2).filter_map(|pair| crate::bytes::u16_at(pair, 0))
}

/// The data of a string value (`REG_SZ`, `REG_EXPAND_SZ`): UTF-16LE with one terminating NUL.
#[must_use]
pub fn encode_sz(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// The data of a multi-string value: each string with its NUL, then one more. An empty string would end the list, so
/// empty ones are left out.
#[must_use]
pub fn encode_multi_sz<S: AsRef<str>>(strings: &[S]) -> Vec<u8> {
    let strings = strings.iter().map(AsRef::as_ref).filter(|text| !text.is_empty());
    let mut data: Vec<u8> = strings.flat_map(encode_sz).collect();
    data.extend_from_slice(&[0, 0]);
    data
}

/// Seconds between 1601-01-01 and 1970-01-01.
const EPOCH: u64 = 11_644_473_600;
/// Units of 100 ns in a second.
const TICKS: u64 = 10_000_000;

/// A FILETIME (100 ns since 1601, UTC) from seconds and nanoseconds since 1970; times beyond its range are held at its end.
#[must_use]
pub fn to_filetime(unix_seconds: u64, nanoseconds: u32) -> u64 {
    unix_seconds.saturating_add(EPOCH).saturating_mul(TICKS).saturating_add(u64::from(nanoseconds) / 100)
}

/// Seconds since 1970 of a FILETIME, negative before; parts of a second are dropped.
#[must_use]
pub fn from_filetime(filetime: u64) -> i64 {
    // Both fit: a FILETIME has at most 2^64 / 10^7 seconds.
    (filetime / TICKS).cast_signed() - EPOCH.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_the_first_nul() {
        assert_eq!(decode_sz(&encode_sz("Füße")), "Füße");
        assert_eq!(decode_sz(b"a\0b\0\0\0c\0"), "ab");
        assert_eq!(decode_sz(b"a\0b\0c"), "ab");
        assert_eq!(decode_sz(&[]), "");
    }

    #[test]
    fn lists_end_at_the_empty_string() {
        assert_eq!(decode_multi_sz(&encode_multi_sz(&["one", "", "two"])), ["one", "two"]);
        assert_eq!(decode_multi_sz(b"a\0\0\0\0\0b\0\0\0"), ["a"]);
        assert_eq!(decode_multi_sz(b"a\0\0\0b\0"), ["a", "b"], "missing terminators are tolerated");
        assert!(decode_multi_sz(&encode_multi_sz::<&str>(&[])).is_empty());
    }

    #[test]
    fn times() {
        assert_eq!(to_filetime(0, 0), 116_444_736_000_000_000);
        assert_eq!(from_filetime(to_filetime(1_700_000_000, 999)), 1_700_000_000);
        assert_eq!(from_filetime(0), -11_644_473_600);
    }
}
