//! Windows event logs (`.evtx`): the wanted events with their fields by name. Rendered, localised text is never used.
//!
//! A log is a header of 4 KiB and chunks of 64 KiB, each complete in itself. In every chunk the records are walked over by their
//! headers; who wrote a record and which event it is tell two of its values ([`binxml`]), and only wanted records are taken apart. A bad
//! record or chunk costs only itself. Layout: MS-EVEN6, libevtx documentation; the tests compare with the crate `evtx` on real logs.

mod binxml;
pub(crate) mod errors;
pub(crate) mod kept;
pub(crate) mod updates;
mod value;
pub mod wanted;

use binxml::{Chunk, Field};
use std::collections::BTreeMap;
use value::{long, word};
use wanted::Wanted;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The log's file name without `.evtx`.
    pub channel: &'static str,
    /// Who wrote it, as in the table of wanted events.
    pub provider: &'static str,
    /// Its number.
    pub id: u16,
    /// Its record number in the log, as the Event Viewer shows it.
    pub record: u64,
    /// When it was written, seconds since 1970 UTC.
    pub unix: i64,
    /// 1 critical to 5 verbose; nothing where the record does not say it.
    pub level: Option<u8>,
    /// The computer's name at that time; empty where the record does not say it.
    pub computer: String,
    /// The fields that the table names, by name.
    pub fields: BTreeMap<&'static str, String>,
}

impl Event {
    /// `2026-01-02T03:04:05Z`
    pub fn utc(&self) -> String {
        format!("{}Z", crate::civil::text(self.unix))
    }

    /// A field that is there and not empty.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }
}

/// What a log gave.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The wanted events, in the order of time and record number.
    pub events: Vec<Event>,
    /// When the oldest record of any kind was written, seconds since 1970 UTC.
    pub oldest: Option<i64>,
    /// When the newest record of any kind was written, seconds since 1970 UTC.
    pub newest: Option<i64>,
    /// Records that were walked over, wanted or not.
    pub records: u64,
    /// Records and chunks that could not be read.
    pub bad: u64,
    /// What was wrong with the first of them.
    pub first_bad: Option<String>,
    /// Which wanted events were not kept when the log was collected as text; nothing where the log itself was read.
    pub not_covered: Vec<String>,
}

const FILE_HEADER: usize = 4096;
const CHUNK: usize = 1 << 16;
const CHUNK_HEADER: usize = 512;
const RECORD_HEADER: usize = 24;
const RECORD_MAGIC: &[u8] = b"\x2a\x2a\0\0";
/// More wanted events than any log of usual size holds; a made-up one must not fill the memory.
const MOST: usize = 200_000;

/// A record's place in its chunk.
struct Record {
    at: usize,
    size: usize,
    number: u64,
    unix: i64,
}

/// Reads a whole log. Never fails as a whole: a file cut anywhere gives what is before the cut.
pub fn read(bytes: &[u8], rows: &[&'static Wanted]) -> Log {
    let mut log = Log::default();
    let chunks = bytes.get(FILE_HEADER..).unwrap_or_default();
    if chunks.is_empty() && !bytes.iter().all(|byte| *byte == 0) {
        log.problem(|| "the file ends before its first chunk".into());
    }
    let is_empty = |chunk: &[u8]| chunk.iter().all(|byte| *byte == 0);
    let used = chunks.chunks(CHUNK).rposition(|chunk| !is_empty(chunk)).map_or(0, |last| last + 1);
    for (number, chunk) in chunks.chunks(CHUNK).enumerate().take(used) {
        if chunk.len() < CHUNK_HEADER || is_empty(chunk) {
            // Files are made longer than they are, but chunks are used in their order.
            log.problem(|| format!("chunk {number} is {}, though there is content behind it", if is_empty(chunk) { "empty" } else { "cut short" }));
            continue;
        }
        if !chunk.starts_with(b"ElfChnk\0") {
            log.problem(|| format!("chunk {number} does not begin as one does"));
        }
        read_chunk(chunk, number, rows, &mut log);
        if log.events.len() > MOST {
            log.problem(|| format!("it holds more than {MOST} events of the wanted kinds; the rest of the file was left"));
            break;
        }
    }
    log.events.sort_by_key(|event| (event.unix, event.record));
    log
}

impl Log {
    fn problem(&mut self, what: impl FnOnce() -> String) {
        self.bad += 1;
        self.first_bad.get_or_insert_with(what);
    }
}

fn read_chunk(bytes: &[u8], number: usize, rows: &[&'static Wanted], log: &mut Log) {
    let records = walk(bytes, number, log);
    log.records += records.len() as u64;
    log.newest = log.newest.max(records.iter().map(|record| record.unix).max());
    log.oldest = records.iter().map(|record| record.unix).chain(log.oldest).min();
    let mut chunk = Chunk::new(bytes);
    for record in &records {
        match event(&mut chunk, record, rows) {
            Ok(event) => log.events.extend(event),
            Err(()) => log.problem(|| format!("record {} cannot be understood", record.number)),
        }
    }
}

/// The chunk's records, one after another by their sizes; after a bad one the next that begins like one.
///
/// The header of the last chunk lags behind when Windows was not shut down: records that go on where it says that free space begins
/// count as long as their numbers go on too. What lies behind is left from an earlier use of the chunk.
fn walk(chunk: &[u8], number: usize, log: &mut Log) -> Vec<Record> {
    let free = word(chunk, 48).map_or(chunk.len(), |free| (free as usize).min(chunk.len()));
    let mut records: Vec<Record> = Vec::new();
    let mut at = CHUNK_HEADER;
    while at + RECORD_HEADER < chunk.len() {
        let found = record(chunk, at);
        if at >= free {
            let goes_on = records.last().is_some_and(|last| found.as_ref().is_some_and(|next| next.number == last.number.wrapping_add(1)));
            if !goes_on {
                break;
            }
        }
        match found {
            Some(found) => {
                at += found.size;
                records.push(found);
            }
            None => {
                let next = (at + 1..free)
                    .find(|next| chunk.get(*next..).is_some_and(|rest| rest.starts_with(RECORD_MAGIC)) && record(chunk, *next).is_some());
                // Zeros are free space whose begin the header does not know, when the newest record that it knows was seen.
                let complete = records.last().is_some_and(|last| Some(last.number) == long(chunk, 32));
                if next.is_some() || !complete || chunk.get(at..at + 4) != Some(&[0; 4]) {
                    log.problem(|| format!("chunk {number}: there is no whole record at {at:#x}"));
                }
                let Some(next) = next else { break };
                at = next;
            }
        }
    }
    records
}

fn record(chunk: &[u8], at: usize) -> Option<Record> {
    let size = word(chunk, at + 4)? as usize;
    let end = at.checked_add(size)?;
    let whole = size > RECORD_HEADER + 4 && end <= chunk.len() && chunk.get(at..)?.starts_with(RECORD_MAGIC);
    // The size stands at both ends.
    if !whole || word(chunk, end - 4)? as usize != size {
        return None;
    }
    Some(Record { at, size, number: long(chunk, at + 8)?, unix: value::unix(chunk, at + 16)? })
}

/// The event of a record, when it is one of the wanted; an error when it cannot be understood.
fn event(chunk: &mut Chunk<'_>, record: &Record, rows: &[&'static Wanted]) -> Result<Option<Event>, ()> {
    let head = chunk.head(record.at + RECORD_HEADER, record.at + record.size - 4).ok_or(())?;
    let id = chunk.id(&head).ok_or(())?;
    let Some(row) = rows.iter().find(|row| row.ids.contains(&id) && chunk.is_by(&head, row.provider)) else { return Ok(None) };
    let fields = keep(chunk.fields(&head, &|name| row.fields.contains(&name)).ok_or(())?, row);
    let (level, computer) = (chunk.level(&head), chunk.computer(&head).unwrap_or_default());
    // Where Windows copies a log, the records get new headers; what a record itself says is what the Event Viewer shows.
    let (number, unix) = (chunk.record(&head).unwrap_or(record.number), chunk.unix(&head).unwrap_or(record.unix));
    Ok(Some(Event { channel: row.file, provider: row.provider, id, record: number, unix, level, computer, fields }))
}

/// The fields that the table names. Those without a name are called by their number.
fn keep(fields: Vec<Field>, row: &'static Wanted) -> BTreeMap<&'static str, String> {
    let mut kept = BTreeMap::new();
    let mut number = 0_usize;
    for (name, text) in fields {
        let is = |wanted: &&&str| match &name {
            Some(name) => **wanted == name,
            None => wanted.parse() == Ok(number),
        };
        if let Some(wanted) = row.fields.iter().find(is) {
            kept.entry(*wanted).or_insert(text);
        }
        number += usize::from(name.is_none());
    }
    kept
}

#[cfg(test)]
mod tests;
