//! Logs of Windows 8.1 and later: entries (`HvLE`) with sequence numbers and two hashes ("New format" in the specification).

use crate::base_block::{BaseBlock, HEADER};
use crate::bytes::{u32_at, u64_at};
use crate::marvin::{marvin32, marvin32_of_each};
use crate::recover::Plan;
use crate::recover::report::{LogFormat, ReplayReport};

const SECTOR: usize = 512;
const ENTRY_HEADER: usize = 40;
/// How many times the length of a log may be hashed for entries that turn out to be wrong; real logs have one or two.
const MOST_READINGS: usize = 16;

/// A new-format log with a valid base block.
pub(super) struct NewLog<'l> {
    index: usize,
    header: &'l [u8; HEADER],
    base: BaseBlock,
    /// The entries that count: from the base block's sequence number on, without a gap.
    entries: Vec<Entry<'l>>,
    /// The highest sequence number of the base block and of every valid entry, used ones and remnants alike.
    pub(super) highest: u32,
}

/// One valid log entry.
struct Entry<'l> {
    sequence: u32,
    bins_size: u32,
    flag: bool,
    /// Offsets in the hive bins data, and what to write there.
    pages: Vec<(u32, &'l [u8])>,
}

impl<'l> NewLog<'l> {
    pub(super) fn read(index: usize, header: &'l [u8; HEADER], base: BaseBlock, bytes: &'l [u8]) -> Self {
        let mut highest = base.primary_sequence;
        let mut entries = Vec::new();
        let mut expected = Some(base.primary_sequence);
        let mut at = SECTOR;
        // Right headers before wrong data make the same bytes be hashed again; that is not done for ever.
        let mut allowance = bytes.len().saturating_mul(MOST_READINGS);
        while at < bytes.len() && allowance > 0 {
            let run = announced_run(bytes, at);
            let bodies: Vec<&[u8]> = run.iter().map(|entry| entry.get(ENTRY_HEADER..).unwrap_or_default()).collect();
            let mut good = 0;
            for (announced, hash) in run.iter().zip(marvin32_of_each(&bodies)) {
                let Some(entry) = read_entry(announced, hash) else { break };
                good += 1;
                highest = highest.max(entry.sequence);
                at += announced.len();
                if expected == Some(entry.sequence) {
                    expected = entry.sequence.checked_add(1);
                    entries.push(entry);
                } else {
                    expected = None;
                }
            }
            if good < run.len() || run.is_empty() {
                allowance = allowance.saturating_sub(bodies.iter().map(|body| body.len()).sum());
                // Remnants of older entries may follow; only their numbers matter.
                expected = None;
                at += SECTOR;
            }
        }
        Self { index, header, base, entries, highest }
    }
}

/// The entries that lie one behind the other from `at` on, as far as their headers say: not yet proved.
fn announced_run(bytes: &[u8], mut at: usize) -> Vec<&[u8]> {
    let mut run = Vec::new();
    while let Some(entry) = announced(bytes, at) {
        at += entry.len();
        run.push(entry);
    }
    run
}

/// The bytes of the entry whose header is at `at`, when its signature, its sizes and the hash of the header are right.
fn announced(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    if !rest.starts_with(b"HvLE") {
        return None;
    }
    let size = u32_at(rest, 4)? as usize;
    let bins_size = u32_at(rest, 16)?;
    let entry = rest.get(..size).filter(|_| size >= SECTOR && size.is_multiple_of(SECTOR))?;
    let possible = bins_size >= 4096 && bins_size.is_multiple_of(4096) && bins_size < 0x8000_0000 && u32_at(rest, 20)? > 0;
    (possible && u64_at(entry, 32)? == marvin32(entry.get(..32)?)).then_some(entry)
}

/// What an announced entry says, when `hash` is the right one for what follows its header.
fn read_entry(entry: &[u8], hash: u64) -> Option<Entry<'_>> {
    if u64_at(entry, 24)? != hash {
        return None;
    }
    let bins_size = u32_at(entry, 16)?;
    let count = u32_at(entry, 20)? as usize;
    let references = entry.get(ENTRY_HEADER..)?.get(..count.checked_mul(8)?)?;
    let mut data = entry.get(ENTRY_HEADER + references.len()..)?;
    let mut pages = Vec::with_capacity(count.min(data.len() / SECTOR));
    for reference in references.chunks_exact(8) {
        let (offset, length) = (u32_at(reference, 0)?, u32_at(reference, 4)?);
        // Dirty pages are whole sectors. Shorter ones, which no Windows writes, would make the list of pages larger than the log.
        if length == 0 || !length.is_multiple_of(SECTOR as u32) {
            return None;
        }
        let (page, behind) = data.split_at_checked(length as usize)?;
        if offset.checked_add(length)? > bins_size {
            return None;
        }
        data = behind;
        pages.push((offset, page));
    }
    let flag = u32_at(entry, 8)? & 1 != 0;
    Some(Entry { sequence: u32_at(entry, 12)?, bins_size, flag, pages })
}

/// What Windows would apply; `None` when there is no new-format log, an error sentence when there is none that applies.
pub(super) fn plan<'l>(base: &BaseBlock, logs: &[&NewLog<'l>]) -> Option<Result<Plan<'l>, String>> {
    if logs.is_empty() {
        return None;
    }
    let mut logs: Vec<&NewLog<'l>> = logs.to_vec();
    logs.sort_by_key(|log| log.base.primary_sequence);
    if base.checksum_ok {
        // Older logs are already part of the hive.
        logs.retain(|log| log.base.primary_sequence >= base.secondary_sequence);
    } else if let Some(last) = logs.pop() {
        // Only the latest log counts then, and what leads up to it without a gap.
        let leads_up = |log: &&NewLog<'l>| log.next_sequence() == Some(last.base.primary_sequence);
        logs.retain(leads_up);
        logs.push(last);
    }
    let mut used: Vec<&NewLog<'l>> = Vec::new();
    for log in logs {
        let follows = used.last().is_none_or(|before| before.next_sequence() == Some(log.base.primary_sequence));
        if follows && !log.entries.is_empty() {
            used.push(log);
        } else {
            break;
        }
    }
    let entries: Vec<&Entry<'l>> = used.iter().flat_map(|log| &log.entries).collect();
    let (Some(first), Some(last), Some(log)) = (entries.first(), entries.last(), used.last()) else {
        return Some(Err("The logs hold no valid entry that follows the state of the hive.".to_owned()));
    };
    let pages: Vec<(u32, &'l [u8])> = entries.iter().flat_map(|entry| entry.pages.iter().copied()).collect();
    let report = ReplayReport {
        format: LogFormat::New,
        logs_used: used.iter().map(|log| log.index).collect(),
        entries: entries.len(),
        pages: pages.len(),
        bytes: pages.iter().map(|(_, page)| page.len()).sum(),
        first_sequence: first.sequence,
        last_sequence: last.sequence,
        base_block_recovered: false,
    };
    Some(Ok(Plan { pages, bins_size: last.bins_size, header: log.header, flag: Some(last.flag), sequence: None, report }))
}

impl NewLog<'_> {
    /// The sequence number after that of the last entry that counts.
    fn next_sequence(&self) -> Option<u32> {
        self.entries.last().and_then(|entry| entry.sequence.checked_add(1))
    }
}
