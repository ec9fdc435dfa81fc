//! Small ESE databases with a valid header and valid pages, and the same with one thing wrong.
//!
//! The layout was read from real files (SRUDB.dat with 4 KiB pages, qmgr.db with 16 KiB pages) and every checksum
//! rule here was checked against them. The pages form no usable table tree: they are there to be checked, not opened.

/// How the database was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Shut down cleanly (state 3).
    Clean,
    /// Not shut down: its logs are needed (state 2).
    Dirty,
}

/// What is wrong with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// Both copies of the header no longer fit their checksums.
    Header,
    /// The page of that number no longer fits its checksum.
    Page(u32),
}

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Database {
    /// How it was left.
    pub(super) state: State,
    /// Page size in bytes: 4096, 8192, 16384 or 32768.
    pub(super) page: u32,
    /// First and last log generation needed while dirty; while clean, the last one is where it was consistent.
    pub(super) logs: Option<(u32, u32)>,
    /// What is wrong with it.
    pub(super) damage: Option<Damage>,
}

/// Pages after the two header pages.
const PAGES: u32 = 4;

/// The signature that ties a database to its logs: a random number and a time.
pub(super) const SIGNATURE: [u8; 12] = [0x02, 0x4C, 0x89, 0x25, 0x0B, 0x1E, 0x09, 0x01, 0x06, 0x7D, 0x00, 0x00];

/// The bytes of the database file.
pub(super) fn file(database: &Database) -> Vec<u8> {
    let size = usize::try_from(database.page).unwrap_or(4096);
    let mut header = header(database, size);
    if database.damage == Some(Damage::Header) {
        // A stretch of zeros over fields that the checksum covers, as a write that was cut short leaves it.
        put(&mut header, 16, &[0; 200]);
    }
    let mut out = header.clone();
    out.extend(header);
    for number in 1..=PAGES {
        let mut page = page(number, size);
        if database.damage == Some(Damage::Page(number)) {
            put(&mut page, size / 2, b"overwritten");
        }
        out.extend(page);
    }
    out
}

fn header(database: &Database, size: usize) -> Vec<u8> {
    let mut out = vec![0; size];
    let (low, high) = database.logs.unwrap_or((1, 1));
    let time: [u8; 8] = [0x14, 0x1E, 0x09, 0x01, 0x06, 0x7D, 0, 0];
    put(&mut out, 4, &0x89AB_CDEF_u32.to_le_bytes());
    put(&mut out, 8, &0x620_u32.to_le_bytes());
    put(&mut out, 16, &0x4000_u64.to_le_bytes());
    put(&mut out, 24, &SIGNATURE);
    let state: u32 = if database.state == State::Clean { 3 } else { 2 };
    put(&mut out, 52, &state.to_le_bytes());
    // Where it was consistent last: offset, sector, log generation.
    put(&mut out, 56, &[0x36, 0, 0x07, 0]);
    put(&mut out, 60, &(if database.state == State::Clean { high } else { low }).to_le_bytes());
    put(&mut out, 64, &time);
    put(&mut out, 72, &time);
    put(&mut out, 80, &[0x68, 0x02, 0x09, 0]);
    put(&mut out, 84, &low.to_le_bytes());
    if database.state == State::Clean {
        put(&mut out, 88, &time);
        put(&mut out, 96, &[0x36, 0, 0x07, 0]);
        put(&mut out, 100, &high.to_le_bytes());
    }
    put(&mut out, 108, &SIGNATURE);
    put(&mut out, 0xD4, &37_u32.to_le_bytes());
    put(&mut out, 0xD8, &10_u32.to_le_bytes());
    put(&mut out, 0xE0, &19041_u32.to_le_bytes());
    put(&mut out, 0xE8, &0x14_u32.to_le_bytes());
    put(&mut out, 0xEC, &u32::try_from(size).unwrap_or(4096).to_le_bytes());
    if database.state == State::Dirty {
        put(&mut out, 0x128, &low.to_le_bytes());
        put(&mut out, 0x12C, &high.to_le_bytes());
    }
    put(&mut out, 0x154, &0x620_u32.to_le_bytes());
    put(&mut out, 0x158, &0x14_u32.to_le_bytes());
    let sum = header_checksum(&out);
    put(&mut out, 0, &sum.to_le_bytes());
    out
}

/// A page with a header, one tag and its checksums; `number` is the page's own, 1 for the first after the headers.
fn page(number: u32, size: usize) -> Vec<u8> {
    let large = size > 8192;
    let head = if large { 80 } else { 40 };
    let mut out = vec![0; size];
    put(&mut out, 8, &u64::from(number.saturating_add(0x40)).to_le_bytes());
    put(&mut out, 24, &number.to_le_bytes());
    let free = u16::try_from(size.saturating_sub(head + 20)).unwrap_or(0);
    put(&mut out, 28, &free.to_le_bytes());
    put(&mut out, 32, &16_u16.to_le_bytes());
    put(&mut out, 34, &1_u16.to_le_bytes());
    // Root and leaf, with the checksums of the newer format.
    put(&mut out, 36, &0xA803_u32.to_le_bytes());
    put(&mut out, head, &[1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    put(&mut out, size.saturating_sub(4), &[16, 0, 0, 0]);
    if large {
        put(&mut out, 64, &u64::from(number).to_le_bytes());
        // Large pages have four blocks; the sums of the last three stand in the first, which is summed last.
        let block = size / 4;
        for index in 1..4 {
            let start = block.saturating_mul(index);
            let sum = block_checksum(out.get(start..start.saturating_add(block)).unwrap_or_default(), number, 0);
            put(&mut out, 32_usize.saturating_add(index.saturating_mul(8)), &sum);
        }
        let sum = block_checksum(out.get(..block).unwrap_or_default(), number, 8);
        put(&mut out, 0, &sum);
    } else {
        let sum = block_checksum(&out, number, 8);
        put(&mut out, 0, &sum);
    }
    out
}

/// The XOR of all 32-bit words but the first, with the signature: for database, log and checkpoint headers.
pub(super) fn header_checksum(bytes: &[u8]) -> u32 {
    words(bytes).skip(1).fold(0x89AB_CDEF, |sum, word| sum ^ word)
}

/// XOR (with the page number) and error-correcting code of one block, whose first `skip` bytes do not count.
fn block_checksum(block: &[u8], number: u32, skip: usize) -> [u8; 8] {
    let mask = u32::try_from(block.len().saturating_mul(8)).unwrap_or(0).wrapping_sub(1);
    let (mut sum, mut set, mut clear) = (number, 0_u32, 0_u32);
    let mut position = 0_u32;
    for (index, word) in words(block).enumerate() {
        if index >= skip / 4 {
            sum ^= word;
            for bit in (0..32).filter(|bit| word >> bit & 1 == 1) {
                let place = position.wrapping_add(bit);
                set ^= place;
                clear ^= !place & mask;
            }
        }
        position = position.wrapping_add(32);
    }
    let code = clear << 16 | set;
    let mut out = [0; 8];
    out.iter_mut().zip(sum.to_le_bytes().into_iter().chain(code.to_le_bytes())).for_each(|(to, from)| *to = from);
    out
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks(4).map(|chunk| chunk.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
}

/// Writes bytes at an offset; what would not fit is left out.
pub(super) fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = into.get_mut(at..at.saturating_add(bytes.len())) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether header and pages fit their checksums.
    fn check(bytes: &[u8], size: usize) -> (bool, Vec<bool>) {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let header = word(0) == header_checksum(&bytes[..size]) && bytes[..size] == bytes[size..2 * size];
        let pages = (1..=PAGES).map(|number| {
            let at = (number as usize + 1) * size;
            let page = &bytes[at..at + size];
            let block = if size > 8192 { size / 4 } else { size };
            let first = page[..8] == block_checksum(&page[..block], number, 8);
            first
                && (1..size / block)
                    .all(|index| page[32 + 8 * index..40 + 8 * index] == block_checksum(&page[block * index..block * (index + 1)], number, 0))
        });
        (header, pages.collect())
    }

    #[test]
    fn checksums_fit_and_damage_shows() {
        for page in [4096, 8192, 16384, 32768] {
            let size = page as usize;
            let good = Database { state: State::Dirty, page, logs: Some((8, 9)), damage: None };
            let bytes = file(&good);
            assert_eq!(check(&bytes, size), (true, vec![true; 4]));
            assert_eq!(bytes[0x34], 2);
            assert_eq!((bytes[0x128], bytes[0x12C]), (8, 9));
            assert_eq!(check(&file(&Database { damage: Some(Damage::Header), ..good }), size), (false, vec![true; 4]));
            assert_eq!(check(&file(&Database { damage: Some(Damage::Page(3)), ..good }), size), (true, vec![true, true, false, true]));
        }
    }

    /// The two sums of page 1 of a real SRUDB.dat (page 1: its 40-byte header, root header and tag are all it holds).
    #[test]
    fn block_checksum_is_that_of_a_real_page() {
        let mut page = vec![0; 4096];
        put(&mut page, 8, &0x49_u64.to_le_bytes());
        put(&mut page, 24, &[1, 0, 0, 0, 0xC4, 0x0F, 0, 0, 0x10, 0, 1, 0, 0x03, 0xA8, 0, 0, 0x2E, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        put(&mut page, 4092, &[16, 0, 0, 0]);
        assert_eq!(block_checksum(&page, 1, 8), [0xA3, 0xA7, 0x01, 0x00, 0x9A, 0x7E, 0x65, 0x01]);
    }
}
