//! Logs up to Windows 8: a bitmap of dirty 512-byte pages (`DIRT`), then the pages ("Old format" in the specification).

use crate::base_block::{BaseBlock, HEADER};
use crate::recover::Plan;
use crate::recover::report::{LogFormat, ReplayReport};

const PAGE: usize = 512;

/// An old-format log with a valid base block and all its pages.
pub(super) struct OldLog<'l> {
    index: usize,
    header: &'l [u8; HEADER],
    pub(super) base: BaseBlock,
    pages: Vec<(u32, &'l [u8])>,
}

impl<'l> OldLog<'l> {
    pub(super) fn read(index: usize, header: &'l [u8; HEADER], base: BaseBlock, bytes: &'l [u8]) -> Result<Self, String> {
        let cut = || format!("Log {} is cut off.", index + 1);
        let rest = bytes.get(HEADER..).filter(|rest| rest.starts_with(b"DIRT"));
        let rest = rest.ok_or_else(|| format!("Log {} has no list of pages.", index + 1))?;
        if base.bins_size >= 0x8000_0000 || !base.bins_size.is_multiple_of(4096) {
            return Err(format!("Log {} names an impossible size of the hive.", index + 1));
        }
        // One bit for each page of the hive bins data.
        let bitmap_length = base.bins_size as usize / PAGE / 8;
        let bitmap = rest.get(4..4 + bitmap_length).ok_or_else(cut)?;
        let mut data = rest.get((4 + bitmap_length).next_multiple_of(PAGE)..).ok_or_else(cut)?;
        let mut pages = Vec::new();
        let bits = bitmap.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 != 0));
        let offsets = bits.enumerate().filter(|(_, dirty)| *dirty).map(|(index, _)| index * PAGE);
        for offset in offsets {
            let (page, behind) = data.split_at_checked(PAGE).ok_or_else(cut)?;
            data = behind;
            pages.push((u32::try_from(offset).map_err(|_| cut())?, page));
        }
        Ok(Self { index, header, base, pages })
    }
}

/// What Windows would apply; `None` when there is no old-format log, an error sentence when there is none that applies.
pub(super) fn plan<'l>(base: &BaseBlock, logs: &[&OldLog<'l>], first_bin_time: Option<u64>) -> Option<Result<Plan<'l>, String>> {
    if logs.is_empty() {
        return None;
    }
    // The log must belong to the very write that was cut off, which the time says; the first bin holds a copy of it.
    let time = if base.checksum_ok { Some(base.last_written) } else { first_bin_time };
    let log = logs.iter().find(|log| Some(log.base.last_written) == time && !log.pages.is_empty());
    let Some(log) = log else {
        return Some(Err("No log belongs to the write that was cut off.".to_owned()));
    };
    let report = ReplayReport {
        format: LogFormat::Old,
        logs_used: vec![log.index],
        entries: 1,
        pages: log.pages.len(),
        bytes: log.pages.len() * PAGE,
        first_sequence: log.base.primary_sequence,
        last_sequence: log.base.primary_sequence,
        base_block_recovered: false,
    };
    let pages = log.pages.clone();
    Some(Ok(Plan { pages, bins_size: log.base.bins_size, header: log.header, flag: None, sequence: None, report }))
}
