//! Errors of event logs that name an object: a service, a database, a file, a drive, a task, a connection. Which rule recognised an event is
//! said; whether the object is wrong now is looked up elsewhere.

use super::updates::code;
use super::wanted::{CRASH, SERVICES};
use super::{Event, Log};
use model::ErrorCode;

/// The same error of the same object, as often as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Which rule recognised it.
    pub(crate) rule: &'static str,
    /// `service`, `file`, `device`, `task` or `connection`.
    pub(crate) kind: &'static str,
    /// What was being done.
    pub(crate) phase: &'static str,
    /// The object's name or path as the event has it.
    pub(crate) object: String,
    /// `0x80070002`; empty when the event has none.
    pub(crate) code: String,
    /// The log's file name.
    pub(crate) channel: &'static str,
    /// The newest event's record number.
    pub(crate) record: u64,
    /// Provider, number and fields of the newest event.
    pub(crate) line: String,
    /// Seconds since 1970 UTC.
    pub(crate) first: i64,
    /// Seconds since 1970 UTC.
    pub(crate) last: i64,
    /// How often.
    pub(crate) count: u32,
    /// Whether it was written in the last thirty days that its log covers.
    pub(crate) recent: bool,
}

const RECENT: i64 = 30 * 86_400;

/// The databases of updating, by the end of their path in lower case.
const DATABASES: [&str; 3] = ["\\datastore.edb", "\\qmgr.db", "\\catdb"];

/// The programs that install updates, in lower case.
const INSTALLERS: [&str; 3] = ["tiworker.exe", "trustedinstaller.exe", "dismhost.exe"];

/// The errors that one log tells.
pub(crate) fn troubles(log: &Log) -> Vec<Trouble> {
    let mut all: Vec<Trouble> = Vec::new();
    for event in &log.events {
        let Some((rule, kind, phase, object, code)) = recognise(event) else { continue };
        let recent = log.newest.is_none_or(|newest| newest - event.unix <= RECENT);
        let known = all.iter_mut().find(|there| there.rule == rule && there.code == code && there.object.eq_ignore_ascii_case(&object));
        match known {
            Some(there) => {
                there.count = there.count.saturating_add(1);
                (there.last, there.record, there.line, there.recent) = (event.unix, event.record, line(event), recent);
            }
            None => all.push(Trouble {
                rule,
                kind,
                phase,
                object,
                code,
                channel: event.channel,
                record: event.record,
                line: line(event),
                first: event.unix,
                last: event.unix,
                count: 1,
                recent,
            }),
        }
    }
    all
}

type Recognised = (&'static str, &'static str, &'static str, String, String);

fn recognise(event: &Event) -> Option<Recognised> {
    let field = |name: &str| event.field(name).unwrap_or_default().to_owned();
    let hresult = |text: &str| code(text).filter(|code| *code != 0).map(|code| ErrorCode(code).normal().to_string()).unwrap_or_default();
    match (event.provider, event.id) {
        (SERVICES, id) => {
            // The code's place differs; a field that is no `%%number` is a name.
            let coded = ["param2", "param3"].into_iter().filter_map(|name| event.field(name)).find(|text| text.starts_with("%%")).map(hresult);
            let rule = match id {
                7000 | 7023 | 7024 => "service-start-failed",
                7001 | 7003 => "service-dependency-failed",
                7009 | 7011 => "service-timeout",
                7031 => "service-crashed",
                7038 | 7041 => "service-account-refused",
                7040 => "service-start-changed",
                _ => return None,
            };
            Some((rule, "service", "service-start", service(event)?, coded.unwrap_or_default()))
        }
        ("ESENT", _) => {
            let names = event.fields.values().find(|text| DATABASES.iter().any(|end| text.to_lowercase().ends_with(end)))?;
            // ESENT's own errors are negative numbers of its own family, not Win32 codes.
            let error = event.fields.values().find(|text| text.starts_with('-') && code(text).is_some());
            let shown = error.and_then(|text| code(text)).map(|code| ErrorCode(code).to_string()).unwrap_or_default();
            Some(("database-error", "file", "database", names.trim_start_matches("\\\\?\\").to_owned(), shown))
        }
        (CRASH, _) => {
            let either = |name: &str, number: &str| event.field(name).or_else(|| event.field(number)).unwrap_or_default().to_owned();
            if !INSTALLERS.contains(&either("AppName", "0").to_lowercase().as_str()) {
                return None;
            }
            let object = [either("ModulePath", "11"), either("ModuleName", "3")].into_iter().find(|name| !name.is_empty())?;
            // What it crashed with is an exception, no code of an update.
            Some(("servicing-crashed", "file", "servicing", object, String::new()))
        }
        ("Microsoft-Windows-Bits-Client", _) => {
            let shown = event.fields.values().map(|text| hresult(text)).find(|code| !code.is_empty())?;
            Some(("transfer-service-failed", "service", "service-start", "BITS".into(), shown))
        }
        // The alert or error state; a failed handshake is part of daily life, so only its number says something.
        ("Schannel", id) => Some(("secure-connection-failed", "connection", "tls", format!("Schannel {id}"), String::new())),
        ("Microsoft-Windows-CAPI2", id) => {
            Some(("certificate-refused", "connection", "tls", format!("CAPI2 {id}"), hresult(event.field("Result").unwrap_or_default())))
        }
        ("Microsoft-Windows-TaskScheduler", _) => Some(("task-not-loaded", "task", "task", field("TaskName"), hresult(&field("ResultCode")))),
        _ => None,
    }
}

/// The service's key name: since Windows 8 the event has it as its binary data (UTF-16, in hexadecimal); before, only the name people
/// see, which is the key name for some.
fn service(event: &Event) -> Option<String> {
    let units: Vec<u16> = event
        .field("Binary")
        .unwrap_or_default()
        .as_bytes()
        .chunks_exact(4)
        .map_while(|four| std::str::from_utf8(four).ok().and_then(|hex| u16::from_str_radix(hex, 16).ok()).map(u16::swap_bytes))
        .take_while(|unit| *unit != 0)
        .collect();
    let name = String::from_utf16(&units).ok()?;
    // Some are followed by what was asked of the service: `BITS/4`.
    let name = name.split('/').next().unwrap_or_default();
    let shown = match event.id {
        7040 => "param4",
        7009 | 7011 => "param2",
        _ => "param1",
    };
    let found = if name.is_empty() { event.field(shown)? } else { name };
    Some(found.to_owned())
}

fn line(event: &Event) -> String {
    let fields: Vec<String> = event.fields.iter().filter(|(name, _)| **name != "Binary").map(|(name, text)| format!("{name}={text}")).collect();
    format!("{} {}: {}", event.provider, event.id, fields.join(", "))
}

/// What the logs say about one drive or volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Drive {
    /// `\Device\Harddisk0\DR0`, `C:` or `\Device\HarddiskVolume3`.
    pub(crate) name: String,
    /// Bad blocks (disk 7, 154).
    pub(crate) bad_blocks: u64,
    /// The drive's own forecast that it will fail (disk 52).
    pub(crate) predicted: u64,
    /// Requests that were not answered or went wrong on the way (disk 11, 153; 129 of its controller).
    pub(crate) retries: u64,
    /// Errors while memory was written to it or read back (disk 51).
    pub(crate) paging: u64,
    /// The file system's structure is damaged (Ntfs 55, 98, 131).
    pub(crate) structure: u64,
    /// The newest event's time, seconds since 1970 UTC, and record number.
    pub(crate) last: (i64, u64),
}

/// The drives about which the recent part of the system log says something bad.
pub(crate) fn drives(log: &Log) -> Vec<Drive> {
    let mut drives: Vec<Drive> = Vec::new();
    for event in log.events.iter().filter(|event| log.newest.is_none_or(|newest| newest - event.unix <= RECENT)) {
        let named = ["DeviceName", "DriveName", "Device", "0", "1", "2"];
        let name = named.into_iter().filter_map(|name| event.field(name)).find(|text| text.starts_with("\\Device\\") || text.ends_with(':'));
        let name = if event.provider.ends_with("Ntfs") { event.field("DriveName").or(name) } else { name };
        let Some(name) = name else { continue };
        let mut told = Drive { name: name.to_owned(), last: (event.unix, event.record), ..Drive::default() };
        match (event.provider, event.id) {
            ("disk", 7 | 154) => told.bad_blocks = 1,
            ("disk", 52) => told.predicted = 1,
            ("disk", 51) => told.paging = 1,
            ("disk", 11 | 153) | ("storahci" | "stornvme", _) => told.retries = 1,
            // 98 is written at every start too: action 0 says that the volume is healthy.
            (_, 98) if event.field("CorruptionActionState").is_none_or(|state| state == "0") => continue,
            (provider, 55 | 98 | 131) if provider.ends_with("Ntfs") => told.structure = 1,
            _ => continue,
        }
        match drives.iter_mut().find(|there| there.name.eq_ignore_ascii_case(name)) {
            Some(there) => {
                there.bad_blocks += told.bad_blocks;
                there.predicted += told.predicted;
                there.paging += told.paging;
                there.retries += told.retries;
                there.structure += told.structure;
                there.last = told.last;
            }
            None => drives.push(told),
        }
    }
    drives
}
