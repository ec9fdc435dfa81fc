//! Spoils hives and logs: at places that have a meaning, and anywhere; with and without making the checksums right again, because
//! anybody can do that and only then is the damage seen by the code behind the checksum.

use crate::logs::sealed;
use crate::raw::{Dice, reseal, u32_at};

/// A hive, its logs, and where in them something is that a reader relies on.
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) primary: Vec<u8>,
    pub(crate) logs: Vec<Vec<u8>>,
    /// Offsets in the primary file, by the kind of record; each kind is hit as often as every other.
    places: Vec<Vec<usize>>,
    /// Where cells begin, for wrong pointers.
    cells: Vec<usize>,
}

/// Fields of the base block; logs have the same.
const BASE: [usize; 13] = [0, 4, 8, 12, 20, 24, 28, 32, 36, 40, 44, 144, 508];
/// Fields of records, from the start of the cell (its size has a kind of its own): the signature, then counts, offsets, lengths and flags.
const RECORDS: [(&[u8; 2], &[usize]); 8] = [
    (b"nk", &[4, 6, 20, 24, 32, 40, 44, 48, 52, 56, 64, 68, 76, 78, 80]),
    (b"vk", &[4, 6, 8, 12, 16, 20]),
    (b"sk", &[4, 8, 12, 16, 20, 24]),
    (b"db", &[4, 6, 8]),
    (b"lf", &[4, 6, 8, 12, 16]),
    (b"lh", &[4, 6, 8, 12, 16]),
    (b"li", &[4, 6, 8, 12]),
    (b"ri", &[4, 6, 8, 12]),
];

impl Seed {
    pub(crate) fn new(name: &str, primary: Vec<u8>, logs: Vec<Vec<u8>>) -> Self {
        let mut kinds = vec![Vec::new(); RECORDS.len()];
        let (mut bins, mut others, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 4096;
        while at + 32 <= primary.len() {
            if &primary[at..at + 4] == b"hbin" {
                bins.extend([at, at + 4, at + 8, at + 12]);
                at += 32;
                continue;
            }
            let size = (u32_at(&primary, at).cast_signed().unsigned_abs() as usize).next_multiple_of(8);
            if size == 0 {
                break;
            }
            cells.push(at);
            match RECORDS.iter().position(|(signature, _)| primary[at + 4..at + 6] == **signature) {
                Some(kind) => kinds[kind].extend(RECORDS[kind].1.iter().map(|field| at + field)),
                // Lists of values and of segments, data, class names, free cells.
                None => others.extend([at + 4, at + 8]),
            }
            at += size;
        }
        let places = [BASE.to_vec(), bins, cells.clone(), others].into_iter().chain(kinds).filter(|places| !places.is_empty()).collect();
        Self { name: name.into(), primary, logs, places, cells }
    }

    pub(crate) fn size(&self) -> usize {
        self.primary.len() + self.logs.iter().map(Vec::len).sum::<usize>()
    }

    /// A spoilt copy. The same dice give the same copy.
    pub(crate) fn mutated(&self, others: &[Seed], dice: &mut Dice) -> (Vec<u8>, Vec<Vec<u8>>) {
        let (mut primary, mut logs) = (self.primary.clone(), self.logs.clone());
        let log_too = !logs.is_empty() && dice.roll(3) > 0;
        if !log_too || dice.roll(2) == 0 {
            for _ in 0..=[0, dice.roll(7)][dice.roll(2)] {
                self.spoil(&mut primary, &self.places, others, dice);
            }
            match dice.roll(20) {
                0 => primary.truncate(dice.roll(self.primary.len())),
                // Whole sectors, as a crash leaves them.
                1 => primary.truncate(dice.roll(self.primary.len()) / 512 * 512),
                _ => {}
            }
            if dice.roll(4) > 0 && primary.len() >= 512 {
                if self.logs.is_empty() {
                    // Counts as closed properly, so that it can be edited.
                    primary.copy_within(4..8, 8);
                }
                reseal(&mut primary);
            }
        }
        if log_too {
            let log = dice.roll(logs.len());
            let log = &mut logs[log];
            let places = log_places(log);
            for _ in 0..=dice.roll(4) {
                if log.len() >= 16 {
                    self.spoil(log, &places, others, dice);
                }
            }
            if dice.roll(8) == 0 {
                log.truncate(dice.roll(log.len()));
            }
            if dice.roll(4) > 0 {
                reseal_log(log);
            }
            if dice.roll(8) == 0 {
                logs.reverse();
            }
        }
        (primary, logs)
    }

    fn spoil(&self, bytes: &mut [u8], places: &[Vec<usize>], others: &[Seed], dice: &mut Dice) {
        // Bins and sizes of cells are the first kinds; damage there keeps a hive from being written, so they are hit less often.
        let kind = &places[dice.roll(places.len()).max(dice.roll(places.len()))];
        let at = if dice.roll(8) == 0 { dice.roll(bytes.len()) } else { kind[dice.roll(kind.len())] + [0, 0, 0, 1, 4][dice.roll(5)] };
        let at = at.min(bytes.len() - 4);
        match dice.roll(20) {
            0..=3 => bytes[at] ^= 1 << dice.roll(8),
            4..=6 => bytes[at] = dice.roll(256) as u8,
            7..=8 => {
                let half: u16 = [0, 1, 2, 0x7fff, 0x8000, 0xffff, dice.roll(0x1_0000) as u16][dice.roll(7)];
                bytes[at..at + 2].copy_from_slice(&half.to_le_bytes());
            }
            9..=13 => {
                let (now, end) = (u32_at(bytes, at), bytes.len() as u32);
                let words = [0, 1, 7, 8, 0x7fff_ffff, 0x8000_0000, 0x8000_0004, u32::MAX, 0xffff_fff8, end, end.wrapping_sub(4096), end / 2, 16_345];
                let word = match dice.roll(4) {
                    0 => [now.wrapping_add(1), now.wrapping_sub(1), now.wrapping_add(8), now.wrapping_sub(8), now.wrapping_neg(), now << 1]
                        [dice.roll(6)],
                    1 => dice.roll(usize::MAX) as u32,
                    _ => words[dice.roll(words.len())],
                };
                bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
            14..=16 => {
                // A pointer to some other cell: circles, shared lists, wrong kinds.
                let other = self.cells.get(dice.roll(self.cells.len())).map_or(0, |cell| cell - 4096) as u32;
                bytes[at..at + 4].copy_from_slice(&other.to_le_bytes());
            }
            17 => {
                let (from, to) = (dice.roll(bytes.len() - 15), at.min(bytes.len() - 16));
                bytes.copy_within(from..from + 16, to);
            }
            18 if dice.roll(2) == 0 => {
                // Two blocks change places.
                let size = [512, 4096][dice.roll(2)];
                let blocks = bytes.len() / size;
                let (one, other) = (dice.roll(blocks) * size, dice.roll(blocks) * size);
                for offset in 0..size {
                    if blocks > 0 {
                        bytes.swap(one + offset, other + offset);
                    }
                }
            }
            19 if dice.roll(2) == 0 => {
                // A piece of another hive.
                let donor = &others[dice.roll(others.len())].primary;
                let (from, to) = (dice.roll(donor.len() / 512) * 512, dice.roll(bytes.len() / 512) * 512);
                let length = (512 << dice.roll(6)).min(donor.len() - from).min(bytes.len() - to);
                bytes[to..to + length].copy_from_slice(&donor[from..from + length]);
            }
            _ => bytes[at] = bytes[at].wrapping_add(1),
        }
    }
}

/// Entries of a new-format log: where they begin and how long they say they are.
fn entries(log: &[u8]) -> Vec<(usize, usize)> {
    let at = (512..log.len().saturating_sub(40)).step_by(512);
    at.filter(|&at| &log[at..at + 4] == b"HvLE").map(|at| (at, u32_at(log, at + 4) as usize)).collect()
}

/// The header, the headers of entries, and references to pages or the bitmap of pages.
fn log_places(log: &[u8]) -> Vec<Vec<usize>> {
    let (mut headers, mut references) = (Vec::new(), Vec::new());
    for (at, _) in entries(log) {
        headers.extend([0, 4, 8, 12, 16, 20, 24, 32].map(|field| at + field));
        let count = (u32_at(log, at + 20) as usize).min(64);
        references.extend((0..count * 2).map(|index| at + 40 + index * 4));
    }
    if log.get(512..516) == Some(b"DIRT") {
        headers.push(512);
        references.extend((0..32).map(|index| 516 + index));
    }
    [BASE.to_vec(), headers, references].into_iter().filter(|places| !places.is_empty()).collect()
}

/// Makes a log's checksum, and both hashes of every entry that fits, right again.
fn reseal_log(log: &mut [u8]) {
    if log.len() < 512 {
        return;
    }
    log.copy_within(4..8, 8);
    reseal(log);
    for (at, size) in entries(log) {
        if size >= 40 && size.is_multiple_of(4) && size <= log.len() - at {
            let entry = sealed(log[at..at + size].to_vec());
            log[at..at + size].copy_from_slice(&entry);
        }
    }
}
