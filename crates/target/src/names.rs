//! Comparing names as Windows does: by its own upcase table of UTF-16 units.

/// The upper-case form of a name, to be compared or used as a key.
pub(crate) fn upcase_name(name: &str) -> Vec<u16> {
    name.encode_utf16().map(hive::upcase).collect()
}

/// True when Windows would take both for the same name.
pub fn names_equal(one: &str, other: &str) -> bool {
    one.encode_utf16().map(hive::upcase).eq(other.encode_utf16().map(hive::upcase))
}
