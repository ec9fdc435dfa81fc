//! Writes what the logs hold into a hive, in place, and takes it all back when the result is no sound hive.

use crate::base_block::{BaseBlock, HEADER, Stamp, stamp};
use crate::bytes::put;
use crate::cell::BINS_START;
use crate::hive::Hive;
use crate::recover::report::ReplayReport;
use crate::recover::{Plan, fault};

/// Carries a plan out. On an error `bytes` is as it was before.
pub(super) fn replay(bytes: &mut Vec<u8>, base: &BaseBlock, plan: &Plan<'_>) -> Result<(BaseBlock, ReplayReport), String> {
    let length = bytes.len();
    let mut undo = Vec::with_capacity(plan.pages.len() + 1);
    match write(bytes, base, plan, &mut undo) {
        Ok(recovered) => {
            let report = ReplayReport { base_block_recovered: !base.checksum_ok, ..plan.report.clone() };
            Ok((recovered, report))
        }
        Err(why) => {
            for (at, old) in undo.iter().rev() {
                put(bytes, *at, old);
            }
            bytes.truncate(length);
            Err(why)
        }
    }
}

/// Overwrites `bytes[at..]` and remembers what was there.
fn keep_and_put(bytes: &mut [u8], at: usize, data: &[u8], undo: &mut Vec<(usize, Vec<u8>)>) -> Option<()> {
    undo.push((at, bytes.get(at..at.checked_add(data.len())?)?.to_vec()));
    put(bytes, at, data)
}

fn write(bytes: &mut Vec<u8>, base: &BaseBlock, plan: &Plan<'_>, undo: &mut Vec<(usize, Vec<u8>)>) -> Result<BaseBlock, String> {
    let misfit = || "The log does not fit the hive.".to_owned();
    let end = BINS_START + plan.bins_size as usize;
    if bytes.len() < end {
        // What is new must come from the log, so a log cannot demand more memory than it has itself.
        if end - bytes.len() > plan.report.bytes {
            return Err(misfit());
        }
        bytes.resize(end, 0);
    }
    let mut header: [u8; HEADER] = *bytes.first_chunk().ok_or_else(misfit)?;
    if !base.checksum_ok {
        header = *plan.header;
        // A log is a file of another type.
        put(&mut header, 28, &0_u32.to_le_bytes());
    }
    if let (Some(flag), Some(flags)) = (plan.flag, header.get_mut(144)) {
        *flags = *flags & !1 | u8::from(flag);
    }
    let sequence = plan.sequence.ok_or("The sequence numbers have reached their end.")?;
    stamp(&mut header, Stamp { sequence, bins_size: plan.bins_size, last_written: None });
    keep_and_put(bytes, 0, &header, undo).ok_or_else(misfit)?;
    for &(offset, page) in &plan.pages {
        // Free bins at the end may have been cut off by a later entry; what is left of their pages is no part of the hive.
        let kept = plan.bins_size.saturating_sub(offset) as usize;
        let page = page.get(..kept).unwrap_or(page);
        if !page.is_empty() {
            keep_and_put(bytes, BINS_START + offset as usize, page, undo).ok_or_else(misfit)?;
        }
    }
    let recovered = Hive::parse(bytes).map_err(|error| format!("After replay: {error}"))?.base_block().clone();
    match fault(bytes, &recovered) {
        Some(why) => Err(format!("After replay: {why}")),
        None => Ok(recovered),
    }
}
