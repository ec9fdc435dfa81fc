//! Little-endian reads that cannot go outside of their slice. Nothing here knows the format.

/// The 16-bit number at `at`, or `None` when it does not lie inside.
#[inline]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

/// The 32-bit number at `at`, or `None` when it does not lie inside.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

/// The 64-bit number at `at`, or `None` when it does not lie inside.
#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Overwrites `bytes[at..]` with `data`; `None`, and nothing written, when it does not fit.
#[inline]
pub(crate) fn put(bytes: &mut [u8], at: usize, data: &[u8]) -> Option<()> {
    bytes.get_mut(at..at.checked_add(data.len())?)?.copy_from_slice(data);
    Some(())
}
