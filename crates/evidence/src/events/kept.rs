//! Event logs as `collect` keeps them: the wanted events as lines of JSON beside the place of the log, with names replaced. They are
//! read back as if they were the log. Which events are covered stands in the first line, so that "not in the log" stays told apart from "not kept".
//!
//! What is read comes from others: a line that is none costs only itself, and is counted as a damaged record.

use super::wanted::{self, Wanted};
use super::{Event, Log, MOST};
use crate::civil;
use model::{CollectedEvent, CollectedEvents, CoveredEvents, Reading, RegistryData, VolumePath, registry_type};
use std::collections::{BTreeMap, BTreeSet};
use target::{Rewrite, Target};

const SCHEMA: &str = "hresolve/events/1";
/// Logs are 1 to 20 MiB; administrators make them larger.
const LARGEST: u64 = 1 << 30;
/// Shorter runs of hexadecimal digits are numbers.
const SHORTEST_BYTES: usize = 8;

/// Where a log lies; `file` is its name without `.evtx`.
pub(crate) fn path(target: &dyn Target, file: &str) -> VolumePath {
    folder(target).join(&format!("{file}.evtx"))
}

/// Where its events lie in a bundle.
pub(crate) fn text_path(target: &dyn Target, file: &str) -> VolumePath {
    folder(target).join(&format!("{file}.ndjson"))
}

fn folder(target: &dyn Target) -> VolumePath {
    target.windows_folder().join("System32").join("winevt").join("Logs")
}

/// The events of one log that these rows want: from the log, or from what a bundle keeps of it.
pub(crate) fn log_of(target: &dyn Target, file: &str, rows: &[&'static Wanted]) -> Reading<Log> {
    match target.read(&path(target, file), LARGEST) {
        Reading::NotCollected => target.read(&text_path(target, file), LARGEST).and_then(|bytes| match read(&bytes, rows) {
            Ok(log) => Reading::Known(log),
            Err(why) => Reading::Unreadable(why),
        }),
        other => other.map(|bytes| super::read(&bytes, rows)),
    }
}

fn channel(file: &str) -> String {
    file.replace("%4", "/")
}

/// The lines of one log, rewritten.
pub(crate) fn write(log: &Log, file: &str, by: &dyn Rewrite) -> Vec<u8> {
    let utc = |unix: i64| format!("{}Z", civil::text(unix));
    let covered = |row: &&Wanted| CoveredEvents {
        provider: row.provider.into(),
        ids: row.ids.to_vec(),
        fields: row.fields.iter().map(|name| (*name).to_owned()).collect(),
    };
    let first = CollectedEvents {
        schema: SCHEMA.into(),
        channel: channel(file),
        oldest: log.oldest.map(utc),
        newest: log.newest.map(utc),
        records: log.records,
        bad: log.bad,
        first_bad: log.first_bad.as_ref().map(|what| by.text(what)),
        covers: wanted::collected_of(file).iter().filter(|row| !log.not_covered.contains(&shown(row))).map(covered).collect(),
    };
    let mut out = serde_json::to_vec(&first).unwrap_or_default();
    out.push(b'\n');
    for event in &log.events {
        let line = CollectedEvent {
            channel: channel(file),
            provider: event.provider.into(),
            id: event.id,
            record: event.record,
            time: event.utc(),
            level: event.level,
            computer: computer(&event.computer, by),
            fields: event.fields.iter().map(|(name, text)| ((*name).to_owned(), field(text, by))).collect(),
        };
        // A structure of texts and numbers always becomes JSON.
        out.extend(serde_json::to_vec(&line).unwrap_or_default());
        out.push(b'\n');
    }
    out
}

/// The name of a computer, which may be one that it no longer has, and its domain: both get a stand-in in any case.
fn computer(name: &str, by: &dyn Rewrite) -> String {
    let stand_in = |name: &str, text: &str| {
        let data = by.value(name, &RegistryData::text(registry_type::SZ, text));
        data.as_text().unwrap_or_default()
    };
    match name.split_once('.') {
        Some((host, domain)) => format!("{}.{}", stand_in("ComputerName", host), stand_in("RegisteredOrganization", domain)),
        None if name.is_empty() => String::new(),
        None => stand_in("ComputerName", name),
    }
}

/// A field's text. Binary data stands there as hexadecimal digits, and names in it are UTF-16 or bytes.
fn field(text: &str, by: &dyn Rewrite) -> String {
    let Some(bytes) = bytes_of(text) else { return by.text(text) };
    let wide = by.value("", &RegistryData { kind: registry_type::SZ, data: bytes.clone() });
    let hidden = by.value("", &RegistryData { kind: registry_type::BINARY, data: wide.data }).data;
    if hidden == bytes { by.text(text) } else { super::value::hexadecimal(&hidden) }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if text.len() < 2 * SHORTEST_BYTES || !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    Some(digits?.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Reads such lines. Of rows that they do not cover it is said.
pub(crate) fn read(bytes: &[u8], rows: &[&'static Wanted]) -> Result<Log, String> {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first: CollectedEvents = lines
        .next()
        .and_then(|line| serde_json::from_slice(line).ok())
        .filter(|first: &CollectedEvents| first.schema == SCHEMA)
        .ok_or_else(|| format!("its first line is not that of {SCHEMA}"))?;
    let (oldest, newest) = (first.oldest.as_deref().and_then(unix), first.newest.as_deref().and_then(unix));
    let mut log = Log { oldest, newest, records: first.records, bad: first.bad, first_bad: first.first_bad, ..Log::default() };
    let covers = |row: &Wanted| {
        first.covers.iter().any(|there| {
            there.provider.eq_ignore_ascii_case(row.provider)
                && row.ids.iter().all(|id| there.ids.contains(id))
                && row.fields.iter().all(|name| there.fields.iter().any(|kept| kept == name))
        })
    };
    log.not_covered = rows.iter().filter(|row| !covers(row)).map(|row| shown(row)).collect();
    // The same events may be wanted for two purposes.
    let mut told = BTreeSet::new();
    log.not_covered.retain(|row| told.insert(row.clone()));
    for (number, line) in lines.enumerate() {
        if log.events.len() > MOST {
            log.problem(|| format!("it holds more than {MOST} events; the rest was left"));
            break;
        }
        match serde_json::from_slice(line).map_err(|_| ()).and_then(|line: CollectedEvent| event(line, rows)) {
            Ok(event) => log.events.extend(event),
            Err(()) => log.problem(|| format!("line {} is no event", number + 2)),
        }
    }
    log.events.sort_by_key(|event| (event.unix, event.record));
    Ok(log)
}

/// How a row is named where it is said not to be covered.
fn shown(row: &Wanted) -> String {
    let ids: Vec<String> = row.ids.iter().map(u16::to_string).collect();
    format!("{} {}", row.provider, ids.join(", "))
}

fn unix(utc: &str) -> Option<i64> {
    civil::parse(utc.strip_suffix('Z')?)
}

/// The event of a line, when it is one of the wanted; an error when it has no time.
fn event(line: CollectedEvent, rows: &[&'static Wanted]) -> Result<Option<Event>, ()> {
    let unix = unix(&line.time).ok_or(())?;
    let Some(row) = rows.iter().find(|row| row.ids.contains(&line.id) && row.provider.eq_ignore_ascii_case(&line.provider)) else {
        return Ok(None);
    };
    let fields: BTreeMap<&'static str, String> =
        row.fields.iter().filter_map(|name| line.fields.get(*name).map(|text| (*name, text.clone()))).collect();
    let (level, computer) = (line.level, line.computer);
    Ok(Some(Event { channel: row.file, provider: row.provider, id: line.id, record: line.record, unix, level, computer, fields }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    /// Replaces one name wherever it stands, also in binary data.
    struct Anna;

    impl Rewrite for Anna {
        fn text(&self, text: &str) -> String {
            text.replace("anna", "user1")
        }
        fn value(&self, name: &str, data: &RegistryData) -> RegistryData {
            match data.as_text() {
                Some(_) if name == "ComputerName" => RegistryData::text(data.kind, "computer1"),
                Some(_) if name == "RegisteredOrganization" => RegistryData::text(data.kind, "domain1"),
                Some(text) if text.contains("anna") => RegistryData::text(data.kind, &self.text(&text)),
                _ => data.clone(),
            }
        }
        fn content(&self, _: &[u8]) -> Option<Vec<u8>> {
            None
        }
    }

    fn event(record: u64, id: u16, provider: &'static str, fields: &[(&'static str, &str)]) -> Event {
        let fields = fields.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        let computer = "pc7.home.example".to_owned();
        Event { channel: wanted::SYSTEM, provider, id, record, unix: 1_767_225_600 + record.cast_signed(), level: Some(2), computer, fields }
    }

    fn log() -> Log {
        let wide: String = "anna's".encode_utf16().map(|unit| format!("{:04X}", unit.swap_bytes())).collect();
        let events = vec![
            event(3, 7, "disk", &[("0", "\\Device\\Harddisk0\\DR0")]),
            event(9, 7031, wanted::SERVICES, &[("param1", "\nanna \"x\"\tend"), ("Binary", &wide)]),
        ];
        let first_bad = Some("chunk 3 is empty, though there is content behind it".to_owned());
        Log { events, oldest: Some(1_767_225_600), newest: Some(1_767_225_777), records: 41, bad: 1, first_bad, not_covered: Vec::new() }
    }

    fn rows() -> Vec<&'static Wanted> {
        wanted::collected_of(wanted::SYSTEM)
    }

    #[test]
    fn what_is_read_back_is_what_was_written_but_for_names() {
        let lines = write(&log(), wanted::SYSTEM, &Anna);
        let mut wanted = log();
        for event in &mut wanted.events {
            event.computer = "computer1.domain1".into();
            event.fields.iter_mut().for_each(|(_, text)| *text = text.replace("anna", "user1"));
        }
        let binary = "75007300650072003100270073000000";
        wanted.events[1].fields.insert("Binary", binary.into());
        let read = read(&lines, &rows()).unwrap();
        assert_eq!(read.events, wanted.events);
        assert_eq!((read.oldest, read.newest, read.records, read.bad, &read.first_bad), (wanted.oldest, wanted.newest, 41, 1, &wanted.first_bad));
        assert_eq!(read.not_covered, [""; 0]);
    }

    #[test]
    fn a_bad_line_costs_only_itself_and_is_counted() {
        let lines = String::from_utf8(write(&log(), wanted::SYSTEM, &Anna)).unwrap();
        let parts: Vec<&str> = lines.lines().collect();
        let spoilt = format!("{}\r\n\n{{\"channel\":1}}\n{}\n{}\n", parts[0], parts[1].replace("2026-01-01T", "2026-02-31T"), parts[2]);
        let log = read(spoilt.as_bytes(), &rows()).unwrap();
        assert_eq!((log.events.len(), log.bad), (1, 3));
        for cut in 0..lines.len() {
            if let Ok(log) = read(lines.get(..cut).unwrap().as_bytes(), &rows()) {
                assert!(log.events.len() < 2 || cut == lines.len() - 1, "{cut}");
            }
        }
        assert!(read(b"", &rows()).is_err() && read(b"{\"schema\":\"hresolve/events/2\"}", &rows()).is_err());
    }

    #[test]
    fn what_is_not_covered_is_said_and_is_not_called_covered_the_next_time() {
        let mut log = log();
        let disk = rows().iter().find(|row| row.provider == "disk").map(|row| shown(row)).unwrap();
        log.not_covered.push(disk.clone());
        let lines = write(&log, wanted::SYSTEM, &Anna);
        let read = read(&lines, &rows()).unwrap();
        assert_eq!(read.not_covered, [disk]);
        assert_eq!(write(&read, wanted::SYSTEM, &Anna).split(|byte| *byte == b'\n').next(), lines.split(|byte| *byte == b'\n').next());
    }

    #[test]
    fn only_long_runs_of_digits_are_bytes() {
        assert_eq!(bytes_of("0102030405060708"), Some(vec![1, 2, 3, 4, 5, 6, 7, 8]));
        for text in ["0x80070002000000", "2147942402", "010203040506070", "wuauserv wuauserv", ""] {
            assert_eq!(bytes_of(text), None, "{text}");
        }
    }
}
