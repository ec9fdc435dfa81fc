//! Marvin32, the hash in the log entries of Windows 8.1 and later.
//!
//! Here it only detects damage; it must never be used where somebody could choose the data.

use crate::bytes::u32_at;

/// The seed of the registry's logs, 0x82EF4D887A4E55C5, low half first. (The specification prints it byte by byte.)
const SEED: (u32, u32) = (0x7a4e_55c5, 0x82ef_4d88);

/// The hash of `data` with the seed of the registry's logs: the low half first, as it is stored.
pub(crate) fn marvin32(data: &[u8]) -> u64 {
    let mut state = SEED;
    let mut words = data.chunks_exact(4);
    for word in words.by_ref() {
        state = mix(state, u32_at(word, 0).unwrap_or_default());
    }
    // The rest, then 0x80, then zeros.
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(words.remainder().iter().chain([&0x80])) {
        *to = *from;
    }
    let (low, high) = mix(mix(state, u32::from_le_bytes(last)), 0);
    u64::from(low) | u64::from(high) << 32
}

#[inline]
fn mix((low, high): (u32, u32), word: u32) -> (u32, u32) {
    let low = low.wrapping_add(word);
    let high = high ^ low;
    let low = low.rotate_left(20).wrapping_add(high);
    let high = high.rotate_left(9) ^ low;
    let low = low.rotate_left(27).wrapping_add(high);
    (low, high.rotate_left(19))
}
