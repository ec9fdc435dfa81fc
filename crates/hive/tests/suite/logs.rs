//! Logs made for tests: what Windows would have written between two states of a hive.

use crate::raw::{reseal, u32_at};

fn mix((low, high): (u32, u32), word: u32) -> (u32, u32) {
    let low = low.wrapping_add(word);
    let high = high ^ low;
    let low = low.rotate_left(20).wrapping_add(high);
    let high = high.rotate_left(9) ^ low;
    let low = low.rotate_left(27).wrapping_add(high);
    (low, high.rotate_left(19))
}

/// Marvin32 of a multiple of four bytes. The library's own is proved by the logs of real machines.
fn marvin(data: &[u8]) -> [u8; 8] {
    let words = data.chunks_exact(4).map(|word| u32_at(word, 0));
    let (low, high) = words.chain([0x80, 0]).fold((0x7a4e_55c5, 0x82ef_4d88), mix);
    (u64::from(low) | u64::from(high) << 32).to_le_bytes()
}

/// Pages of `size` bytes in which two states of the hive bins data differ, or which only the second one has.
fn pages(before: &[u8], after: &[u8], size: usize) -> Vec<usize> {
    let end = 4096 + u32_at(after, 40) as usize;
    let old_end = 4096 + u32_at(before, 40) as usize;
    (4096..end).step_by(size).filter(|&at| at >= old_end || before[at..at + size] != after[at..at + size]).collect()
}

fn header(hive: &[u8], file_type: u32, sequence: u32) -> Vec<u8> {
    let mut header = hive[..512].to_vec();
    header[28..32].copy_from_slice(&file_type.to_le_bytes());
    header[4..8].copy_from_slice(&sequence.to_le_bytes());
    header[8..12].copy_from_slice(&sequence.to_le_bytes());
    reseal(&mut header);
    header
}

/// One entry of a new-format log: all changes from one state to the next.
pub(crate) fn entry(before: &[u8], after: &[u8], sequence: u32) -> Vec<u8> {
    let pages = pages(before, after, 4096);
    let size = (40 + pages.len() * (8 + 4096)).next_multiple_of(512);
    let mut entry = b"HvLE".to_vec();
    for field in [size as u32, 0, sequence, u32_at(after, 40), pages.len() as u32] {
        entry.extend_from_slice(&field.to_le_bytes());
    }
    entry.resize(40, 0);
    for &page in &pages {
        entry.extend_from_slice(&((page - 4096) as u32).to_le_bytes());
        entry.extend_from_slice(&4096_u32.to_le_bytes());
    }
    for &page in &pages {
        entry.extend_from_slice(&after[page..page + 4096]);
    }
    entry.resize(size, 0);
    sealed(entry)
}

/// Writes both hashes of an entry anew.
pub(crate) fn sealed(mut entry: Vec<u8>) -> Vec<u8> {
    let hash = marvin(&entry[40..]);
    entry[24..32].copy_from_slice(&hash);
    let hash = marvin(&entry[..32]);
    entry[32..40].copy_from_slice(&hash);
    entry
}

/// A new-format log with these entries, the first of which has the number `sequence`.
pub(crate) fn new_log(hive: &[u8], sequence: u32, entries: &[Vec<u8>]) -> Vec<u8> {
    let mut log = header(hive, 6, sequence);
    for entry in entries {
        log.extend_from_slice(entry);
    }
    // Remnants of older times follow in real logs.
    log.resize(log.len() + 1024, 0);
    log
}

/// An old-format log.
pub(crate) fn old_log(before: &[u8], after: &[u8], sequence: u32) -> Vec<u8> {
    let pages = pages(before, after, 512);
    let mut log = header(after, 1, sequence);
    log[12..20].copy_from_slice(&before[12..20]);
    reseal(&mut log);
    log.extend_from_slice(b"DIRT");
    let mut bitmap = vec![0; u32_at(after, 40) as usize / 4096];
    for page in &pages {
        let index = (page - 4096) / 512;
        bitmap[index / 8] |= 1 << (index % 8);
    }
    log.extend_from_slice(&bitmap);
    log.resize(log.len().next_multiple_of(512), 0);
    for &page in &pages {
        log.extend_from_slice(&after[page..page + 512]);
    }
    log
}

/// Bytes in which every sector begins with an entry whose header is right and whose data, all that follows, is not.
pub(crate) fn forged(bins_size: u32, length: usize) -> Vec<u8> {
    let mut sectors = Vec::with_capacity(length);
    while sectors.len() < length {
        let mut head = b"HvLE".to_vec();
        for field in [(length - sectors.len()) as u32, 0, 70, bins_size, 1, 0, 0] {
            head.extend_from_slice(&field.to_le_bytes());
        }
        let hash = marvin(&head);
        head.extend_from_slice(&hash);
        head.resize(512, 0);
        sectors.extend_from_slice(&head);
    }
    sectors
}
