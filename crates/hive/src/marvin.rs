//! Marvin32, the hash in the log entries of Windows 8.1 and later.
//!
//! Here it only detects damage; it must never be used where somebody could choose the data.

/// The seed of the registry's logs, 0x82EF4D887A4E55C5, low half first. (The specification prints it byte by byte.)
const SEED: (u32, u32) = (0x7a4e_55c5, 0x82ef_4d88);

/// The hash of `data` with the seed of the registry's logs: the low half first, as it is stored.
pub(crate) fn marvin32(data: &[u8]) -> u64 {
    Lane::new(0, data).finish()
}

/// The hash of each, in order. One hash must wait for its own last step again and again; two of them fill the gaps of each
/// other, so that both take the time of one.
pub(crate) fn marvin32_of_each(all: &[&[u8]]) -> Vec<u64> {
    let mut hashes = vec![0; all.len()];
    let mut waiting = all.iter().enumerate().map(|(index, data)| Lane::new(index, data));
    let mut keep = |lane: Lane<'_>| {
        if let Some(hash) = hashes.get_mut(lane.index) {
            *hash = lane.finish();
        }
    };
    let (mut first, mut second) = (waiting.next(), waiting.next());
    while let (Some(a), Some(b)) = (&mut first, &mut second) {
        let steps = a.words.len().min(b.words.len());
        let (a_now, a_later) = a.words.split_at(steps);
        let (b_now, b_later) = b.words.split_at(steps);
        for (a_word, b_word) in a_now.iter().zip(b_now) {
            a.state = mix(a.state, u32::from_le_bytes(*a_word));
            b.state = mix(b.state, u32::from_le_bytes(*b_word));
        }
        (a.words, b.words) = (a_later, b_later);
        let done = if a_later.is_empty() { &mut first } else { &mut second };
        if let Some(lane) = std::mem::replace(done, waiting.next()) {
            keep(lane);
        }
    }
    first.into_iter().chain(second).for_each(keep);
    hashes
}

/// A hash on its way.
struct Lane<'d> {
    index: usize,
    state: (u32, u32),
    words: &'d [[u8; 4]],
    rest: &'d [u8],
}

impl<'d> Lane<'d> {
    fn new(index: usize, data: &'d [u8]) -> Self {
        let (words, rest) = data.as_chunks();
        Self { index, state: SEED, words, rest }
    }

    fn finish(self) -> u64 {
        let state = self.words.iter().fold(self.state, |state, word| mix(state, u32::from_le_bytes(*word)));
        // The rest, then 0x80, then zeros.
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(self.rest.iter().chain([&0x80])) {
            *to = *from;
        }
        let (low, high) = mix(mix(state, u32::from_le_bytes(last)), 0);
        u64::from(low) | u64::from(high) << 32
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_made_together_are_those_made_alone() {
        let bytes: Vec<u8> = (0..1000_u32).map(|number| (number * 7 % 251) as u8).collect();
        for lengths in [&[][..], &[5], &[0, 9], &[400, 4, 4, 3, 90, 0, 401], &[1, 2, 3, 1000], &[8, 8, 8]] {
            let all: Vec<&[u8]> = lengths.iter().map(|&length| &bytes[..length]).collect();
            let alone: Vec<u64> = all.iter().map(|data| marvin32(data)).collect();
            assert_eq!(marvin32_of_each(&all), alone, "lengths {lengths:?}");
        }
    }
}
