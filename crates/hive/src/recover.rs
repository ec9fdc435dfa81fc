//! From the files on disk to a hive that may be written: is it clean, and if not, can its logs be replayed?
//!
//! Must never give a [`CleanHive`] for a hive that Windows would have to recover and that was not recovered here.

mod new_log;
mod old_log;
mod replay;
mod report;

use crate::base_block::{BaseBlock, HEADER};
use crate::bytes::u64_at;
use crate::cell::{BINS_START, Bins, NIL};
use crate::check_bins::{BinWalk, Part};
use crate::clean_hive::CleanHive;
use crate::error::Error;
use crate::hive::Hive;
pub use report::{LogFormat, ReplayReport};

use new_log::NewLog;
use old_log::OldLog;

/// What became of a hive and its logs.
#[derive(Debug, Clone)]
pub enum Recovered {
    /// The hive was clean; its bytes are unchanged.
    Clean(CleanHive),
    /// The hive was dirty and its logs were replayed, as Windows would have done at the next start.
    Replayed {
        /// The hive after replay.
        hive: CleanHive,
        /// What was done.
        report: ReplayReport,
    },
    /// The hive is dirty, or its data is cut off or damaged at the level of bins, and no log helps. It can be read as far as
    /// that goes (with [`Hive::parse`]), but never written.
    DirtyWithoutLogs {
        /// The primary file, unchanged.
        bytes: Vec<u8>,
        /// A sentence for people.
        why: String,
    },
}

/// Takes a primary file and its logs (`.LOG1`, `.LOG2` or a single `.LOG`, in this order; empty ones are fine).
///
/// # Errors
/// When `primary` is no hive of a known version, and no valid log can supply its base block.
pub fn recover(mut primary: Vec<u8>, logs: &[&[u8]]) -> Result<Recovered, Error> {
    let logs: Vec<Result<Log<'_>, String>> = logs.iter().enumerate().map(|(index, log)| Log::read(index, log)).collect();
    let valid: Vec<&Log<'_>> = logs.iter().flatten().collect();
    let parsed = Hive::parse(&primary).map(|hive| hive.base_block().clone());
    let base = match parsed {
        Ok(base) => base,
        Err(error) => match BaseBlock::read(&primary) {
            // A base block that was torn in the middle is replaced from a log; one with a right checksum means what it says.
            Ok(base) if !base.checksum_ok && !valid.is_empty() && primary.len() >= BINS_START => base,
            _ => return Err(error),
        },
    };
    let own = if base.checksum_ok { base.primary_sequence.max(base.secondary_sequence) } else { 0 };
    let highest = valid.iter().map(|log| log.highest()).fold(own, u32::max);

    if !base.is_dirty() {
        let fault = fault(&primary, &base);
        return Ok(match fault {
            None => Recovered::Clean(CleanHive::new(primary, base, highest)),
            Some(why) => Recovered::DirtyWithoutLogs { bytes: primary, why },
        });
    }
    let mut reasons: Vec<String> = logs.iter().filter_map(|log| log.as_ref().err().cloned()).collect();
    let new: Vec<&NewLog<'_>> = valid.iter().filter_map(|log| log.as_new()).collect();
    let old: Vec<&OldLog<'_>> = valid.iter().filter_map(|log| log.as_old()).collect();
    let first_bin_time = u64_at(&primary, BINS_START + 20);
    let plans = [new_log::plan(&base, &new), old_log::plan(&base, &old, first_bin_time)];
    for plan in plans.into_iter().flatten() {
        let plan = match plan {
            Ok(plan) => Plan { sequence: highest.checked_add(1), ..plan },
            Err(why) => {
                reasons.push(why);
                continue;
            }
        };
        match replay::replay(&mut primary, &base, &plan) {
            Ok((base, report)) => {
                let hive = CleanHive::new(primary, base, highest);
                return Ok(Recovered::Replayed { hive, report });
            }
            Err(why) => reasons.push(why),
        }
    }
    let state = if base.checksum_ok {
        format!("its sequence numbers are {} and {}", base.primary_sequence, base.secondary_sequence)
    } else {
        "the checksum of its base block is wrong".to_owned()
    };
    if reasons.is_empty() {
        reasons.push("No log with content was given.".to_owned());
    }
    let why = format!("The hive was not written completely ({state}) and no log can repair it. {}", reasons.join(" "));
    Ok(Recovered::DirtyWithoutLogs { bytes: primary, why })
}

/// What to write into a hive, in order; offsets are in the hive bins data.
struct Plan<'l> {
    pages: Vec<(u32, &'l [u8])>,
    bins_size: u32,
    /// The first sector of a log, used when the hive's own base block is damaged.
    header: &'l [u8; HEADER],
    /// Bit 0 of the flags, when the log says what it is.
    flag: Option<bool>,
    /// The sequence number that the hive gets: one more than every number seen.
    sequence: Option<u32>,
    report: ReplayReport,
}

/// Why a hive must not be written although it looks clean: its data is cut off or its bins or cells cannot be told apart.
fn fault(bytes: &[u8], base: &BaseBlock) -> Option<String> {
    let hive = Hive::over(bytes, base.clone());
    let bins: Bins<'_> = hive.bins();
    if bins.data.len() != base.bins_size as usize || base.bins_size == 0 {
        let there = bins.data.len();
        return Some(format!("The hive's data should be {} bytes long, but the file holds {there}.", base.bins_size));
    }
    let mut walk = BinWalk::new(bins);
    while let Some(part) = walk.next_part() {
        match part {
            Part::BadBin { offset, why } => {
                let at = crate::cell::file_offset(offset);
                return Some(format!("The header of the bin at {at:#x} is wrong: {why}."));
            }
            Part::BadCell { offset, size } => {
                let at = crate::cell::file_offset(offset);
                return Some(format!("The cell at {at:#x} has the impossible size {size}."));
            }
            Part::Bin { .. } | Part::Cell { .. } => {}
        }
    }
    if base.root_offset == NIL {
        return Some("The hive has no root key.".to_owned());
    }
    hive.root().err().map(|error| error.to_string())
}

/// A log that could be read.
enum Log<'l> {
    New(NewLog<'l>),
    Old(OldLog<'l>),
}

impl<'l> Log<'l> {
    fn read(index: usize, bytes: &'l [u8]) -> Result<Self, String> {
        let number = index + 1;
        let Some(header) = bytes.first_chunk::<HEADER>() else {
            return Err(if bytes.is_empty() { format!("Log {number} is empty.") } else { format!("Log {number} is cut off.") });
        };
        let base = BaseBlock::of(header);
        if !header.starts_with(b"regf") {
            return Err(format!("Log {number} is no log."));
        }
        if base.is_dirty() {
            return Err(format!("Log {number} is damaged (its checksum or sequence numbers are wrong)."));
        }
        match base.file_type {
            6 => Ok(Self::New(NewLog::read(index, header, base, bytes))),
            1 | 2 => OldLog::read(index, header, base, bytes).map(Self::Old),
            other => Err(format!("Log {number} is of the unknown file type {other}.")),
        }
    }

    fn highest(&self) -> u32 {
        match self {
            Self::New(log) => log.highest,
            Self::Old(log) => log.base.primary_sequence,
        }
    }

    fn as_new(&self) -> Option<&NewLog<'l>> {
        if let Self::New(log) = self { Some(log) } else { None }
    }

    fn as_old(&self) -> Option<&OldLog<'l>> {
        if let Self::Old(log) = self { Some(log) } else { None }
    }
}
