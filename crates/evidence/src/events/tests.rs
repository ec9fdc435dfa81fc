#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "reads shared test data")]

use super::*;
use crate::civil::Zone;
use crate::events::updates::failures;
use model::Failure;
use std::path::PathBuf;

fn shared(name: &str) -> Option<Vec<u8>> {
    let data =
        std::env::var("HRESOLVE_SHARED_DATA").map_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
    let bytes = std::fs::read(data.join("evtx").join(name)).ok();
    if bytes.is_none() {
        println!("skipped: no shared data with real event logs");
        assert!(std::env::var_os("HRESOLVE_REQUIRE_ORACLES").is_none(), "real data is required here");
    }
    bytes
}

fn failed(logs: &[Log]) -> Vec<Failure> {
    let mut all: Vec<Event> = logs.iter().flat_map(|log| log.events.clone()).collect();
    all.sort_by_key(|event| (event.unix, event.record));
    crate::failures::join(failures(&all, &Zone::unknown(), &|file| file.to_owned()))
}

fn summary(failures: &[Failure]) -> Vec<(&str, &str, u32, bool, bool)> {
    let mut all: Vec<_> = failures.iter().map(|one| (one.operation.as_str(), one.code.as_str(), one.count, one.resolved, one.transient)).collect();
    all.sort_unstable();
    all
}

fn open(name: &str, file: &'static str) -> Option<Log> {
    Some(read(&shared(name)?, &wanted::of_file(file)))
}

#[test]
fn a_real_windows_11() {
    let Some(system) = open("museum-win11/System.evtx", wanted::SYSTEM) else { return };
    let Some(setup) = open("museum-win11/Setup.evtx", wanted::SETUP) else { return };
    let Some(client) = open("museum-win11/Microsoft-Windows-WindowsUpdateClient%4Operational.evtx", wanted::UPDATE_CLIENT) else { return };
    let Some(bits) = open("museum-win11/Microsoft-Windows-Bits-Client%4Operational.evtx", wanted::BITS) else { return };
    assert_eq!((system.records, setup.records, client.records), (1077, 21, 149));
    assert_eq!(setup.events.len(), 9);
    assert_eq!(client.events.len(), 149);
    assert_eq!(bits.events, []);
    let failures = failed(&[system, setup, client]);
    assert_eq!(
        summary(&failures),
        [("app", "0x80073D02", 3, false, true), ("app", "0x80240016", 1, true, true), ("update", "0x80240016", 1, true, true)]
    );
    assert_eq!(failures[0].subject, "9WZDNCRFJBH4-Microsoft.Windows.Photos");
    assert_eq!((failures[0].first.as_str(), failures[0].at.as_str()), ("2022-02-05T19:17:25", "record 712"));
}

#[test]
fn a_real_windows_10_1703() {
    let Some(system) = open("evtx-rs/system.evtx", wanted::SYSTEM) else { return };
    assert_eq!((system.records, system.bad), (1881, 0));
    assert_eq!(errors::drives(&system), []);
    let troubles = errors::troubles(&system);
    let found = |object: &str| troubles.iter().find(|one| one.object == object).map(|one| (one.rule, one.code.as_str(), one.count));
    assert_eq!(found("CldFlt"), Some(("service-start-failed", "0x80070032", 3)));
    assert_eq!(found("Spooler"), Some(("service-start-failed", "0x8007000E", 1)));
    let failures = failed(&[system]);
    assert_eq!(summary(&failures), [("update", "0x80246013", 1, false, false), ("update", "0x80248007", 4, false, false)]);
    assert!(failures[1].subject.contains("KB4025342"));
}

#[test]
fn a_real_windows_10_without_failures() {
    let Some(system) = open("museum-win10-apt/System.evtx", wanted::SYSTEM) else { return };
    assert_eq!(system.events.iter().filter(|event| event.id == 19).count(), 43);
    let Some(client) = open("museum-win10-apt/Microsoft-Windows-WindowsUpdateClient%4Operational.evtx", wanted::UPDATE_CLIENT) else { return };
    let Some(setup) = open("museum-win10-apt/Setup.evtx", wanted::SETUP) else { return };
    assert_eq!(setup.events.len(), 2);
    assert_eq!(errors::drives(&system), []);
    assert_eq!(failed(&[system, client, setup]), []);
}

static APP: Wanted = Wanted { file: "x", provider: "Microsoft-Windows-AppXDeployment", ids: &[325], fields: &[] };
static SECURITY_CENTER: Wanted = Wanted { file: "x", provider: "SecurityCenter", ids: &[1, 15], fields: &["0"] };

#[test]
fn damaged_files_give_what_is_readable() {
    let Some(bytes) = shared("evtx-rs/sample_with_a_bad_chunk_magic.evtx") else { return };
    let log = read(&bytes, &[&APP]);
    // `evtx_dump` gives three more, of which only the first sectors were ever written. Six chunks between used ones are empty.
    assert_eq!((log.records, log.events.len(), log.bad), (298, 298, 10));
    let Some(bytes) = shared("evtx-rs/Application_no_crc32.evtx") else { return };
    let log = read(&bytes, &[&SECURITY_CENTER]);
    assert_eq!((log.records, log.events.len(), log.bad), (17, 2, 0));
}

/// Every event that another reader gives is found, with the same number, provider and fields.
#[test]
fn another_reader_sees_the_same() {
    use serde_json::Value;
    fn shown(value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.trim_end_matches('\0').to_owned(),
            other => other.to_string(),
        }
    }
    /// Names and texts of the fields; those without a name are numbered.
    fn flatten(data: &Value, into: &mut BTreeMap<String, String>) {
        for (name, value) in data.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with('#')) {
            match value.get("#text").unwrap_or(value) {
                Value::Array(items) if name == "Data" => into.extend(items.iter().enumerate().map(|(index, item)| (index.to_string(), shown(item)))),
                // Elements with other attributes, or with elements in them, are flat here and a tree there.
                Value::Object(_) => {}
                value if name == "Data" => drop(into.insert("0".into(), shown(value))),
                value => drop(into.insert(name.clone(), shown(value))),
            }
        }
    }
    let mut compared = 0;
    for name in REAL {
        let Some(bytes) = shared(name) else { return };
        let mut expected = BTreeMap::new();
        for record in evtx::EvtxParser::from_buffer(bytes.clone()).unwrap().records_json_value() {
            let record = record.unwrap();
            let event = &record.data["Event"];
            let mut fields = BTreeMap::new();
            flatten(&event["EventData"], &mut fields);
            event["UserData"].as_object().into_iter().flat_map(|user| user.values()).for_each(|inner| flatten(inner, &mut fields));
            let id = &event["System"]["EventID"];
            let id = id.get("#text").unwrap_or(id).as_u64().unwrap();
            expected.insert(record.event_record_id, (event["System"]["Provider"]["#attributes"]["Name"].as_str().unwrap().to_owned(), id, fields));
        }
        let mut log = Log::default();
        for (number, part) in bytes[FILE_HEADER..].chunks(CHUNK).enumerate().filter(|(_, part)| part.starts_with(b"ElfChnk")) {
            let mut chunk = Chunk::new(part);
            for record in walk(part, number, &mut log) {
                let (provider, id, mut fields) = expected.remove(&record.number).unwrap();
                let head = chunk.head(record.at + RECORD_HEADER, record.at + record.size - 4).unwrap();
                assert_eq!((chunk.id(&head), chunk.is_by(&head, &provider)), (Some(id as u16), true), "{name} {}", record.number);
                let mut number = 0;
                for (field, text) in chunk.fields(&head, &|_| true).unwrap() {
                    // A field that is called "Data" cannot be told from one without a name there.
                    let key = field.filter(|name| name != "Data").unwrap_or_else(|| (number.to_string(), number += 1).0);
                    let Some(other) = fields.remove(&key) else { continue };
                    assert!(
                        other == text || other.parse::<f64>().is_ok_and(|number| text.parse() == Ok(number)),
                        "{name} {} {key}: {text:?} {other:?}",
                        record.number
                    );
                    compared += 1;
                }
                fields.retain(|_, text| !text.is_empty());
                assert_eq!(fields, BTreeMap::new(), "{name} {}", record.number);
            }
        }
        assert!(expected.is_empty(), "{name}: {:?}", expected.keys());
    }
    assert!(compared > 20_000, "{compared}");
}

const REAL: [&str; 15] = [
    "evtx-rs/Application_no_crc32.evtx",
    "evtx-rs/system.evtx",
    "museum-win10-apt/Microsoft-Windows-Kernel-PnP%4Configuration.evtx",
    "museum-win10-apt/Microsoft-Windows-UserPnp%4DeviceInstall.evtx",
    "museum-win10-apt/Microsoft-Windows-WindowsUpdateClient%4Operational.evtx",
    "museum-win10-apt/Setup.evtx",
    "museum-win10-apt/System.evtx",
    "museum-win11/Microsoft-Windows-Bits-Client%4Operational.evtx",
    "museum-win11/Microsoft-Windows-DeviceSetupManager%4Admin.evtx",
    "museum-win11/Microsoft-Windows-Kernel-PnP%4Configuration.evtx",
    "museum-win11/Microsoft-Windows-Kernel-WHEA%4Operational.evtx",
    "museum-win11/Microsoft-Windows-UserPnp%4DeviceInstall.evtx",
    "museum-win11/Microsoft-Windows-WindowsUpdateClient%4Operational.evtx",
    "museum-win11/Setup.evtx",
    "museum-win11/System.evtx",
];

#[test]
fn a_log_cut_or_spoilt_anywhere_ends() {
    let Some(bytes) = shared("museum-win11/Setup.evtx") else { return };
    let rows = wanted::of_file(wanted::SETUP);
    let whole = read(&bytes, &rows).events;
    for cut in (0..20_000).step_by(37) {
        let events = read(&bytes[..cut], &rows).events;
        assert!(events.iter().all(|event| whole.contains(event)), "{cut}");
    }
    let mut seed = 1_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    // The header and the first chunk; of each published log.
    let firsts: Vec<Vec<u8>> = REAL.iter().filter_map(|name| shared(name)).map(|log| log[..log.len().min(FILE_HEADER + CHUNK)].to_vec()).collect();
    let rounds: usize = 2000 * std::env::var("HRESOLVE_ROUNDS").ok().and_then(|text| text.parse::<usize>().ok()).unwrap_or(1);
    let all: Vec<&Wanted> = wanted::WANTED.iter().collect();
    let mut slowest = std::time::Duration::ZERO;
    for round in 0..rounds {
        let mut spoilt = firsts[round % firsts.len()].clone();
        for _ in 0..=next(8) {
            let at = if next(2) == 0 { next(20_000) } else { next(spoilt.len()) };
            let at = at.min(spoilt.len() - 1);
            spoilt[at] = if next(3) == 0 { 0xff } else { next(256) as u8 };
        }
        if next(16) == 0 {
            spoilt.truncate(next(spoilt.len()));
        }
        let start = std::time::Instant::now();
        assert!(read(&spoilt, &all).events.len() <= 2000);
        slowest = slowest.max(start.elapsed());
        assert!(slowest < std::time::Duration::from_secs(2), "{slowest:?}");
    }
    println!("event logs: {rounds} spoilt copies of {} first chunks, slowest {slowest:?}", firsts.len());
}

/// Run with `--ignored --nocapture` and `--release`: how long the wanted events of System.evtx take.
#[test]
#[ignore = "a measurement"]
fn how_fast() {
    let Some(bytes) = shared("evtx-rs/system.evtx") else { return };
    let file = [&bytes[..4096], &bytes[4096..].repeat(60)].concat();
    let rows = wanted::of_file(wanted::SYSTEM);
    let watch = target::Stopwatch::start();
    let mut events = 0;
    for _ in 0..10 {
        events = read(&file, &rows).events.len();
    }
    println!("{} MiB, {events} events: {} ms", file.len() >> 20, watch.milliseconds() / 10);
    let watch = target::Stopwatch::start();
    for _ in 0..10 {
        events = read(&file, &[&APP]).events.len();
    }
    println!("{} MiB, {events} events: {} ms", file.len() >> 20, watch.milliseconds() / 10);
}

/// As in a copy that Windows made: the records' headers count anew.
#[test]
fn number_and_time_are_those_that_the_record_itself_says() {
    let text = "evtx Windows/System32/winevt/Logs/System.evtx
    2026-01-02T03:04:05Z | Service Control Manager | 7000 | param1=Windows Update | param2=%%2 | Binary=wuauserv
    2026-01-02T03:04:06Z | disk | 7 | =\\Device\\Harddisk0\\DR0
";
    let folder = tempfile::tempdir().unwrap();
    let texts = target::lab::MachineTexts { name: "x".into(), files: text.into(), hives: Vec::new() };
    target::lab::build_from(&texts, &[], folder.path()).unwrap();
    let mut bytes = std::fs::read(folder.path().join("Windows/System32/winevt/Logs/System.evtx")).unwrap();
    let rows = wanted::of_file(wanted::SYSTEM);
    let before = read(&bytes, &rows).events;
    assert_eq!(before.iter().map(|event| event.record).collect::<Vec<_>>(), [1, 2]);
    let mut at = FILE_HEADER + CHUNK_HEADER;
    for number in 41_u64..43 {
        assert!(bytes[at..].starts_with(RECORD_MAGIC));
        bytes[at + 8..at + 16].copy_from_slice(&number.to_le_bytes());
        bytes[at + 16..at + 24].copy_from_slice(&(133_000_000_000_000_000_u64 + number).to_le_bytes());
        at += word(&bytes, at + 4).unwrap() as usize;
    }
    let after = read(&bytes, &rows);
    assert_eq!((after.events, after.bad), (before, 0));
}

/// Practice machines' logs are read the same by another reader, with all checksums right.
#[test]
fn logs_of_practice_machines_are_logs() {
    let text = "evtx Windows/System32/winevt/Logs/System.evtx
    2026-01-02T03:04:05Z | Service Control Manager | 7000 | param1=Windows Update | param2=%%2 | Binary=wuauserv
    2026-01-02T03:04:06Z | disk | 7 | =\\Device\\Harddisk0\\DR0
    2026-01-02T03:04:07Z | Microsoft-Windows-Servicing | 3 | <CbsPackageChangeState> | PackageIdentifier=KB5034441 | ErrorCode=0x80070002
";
    let folder = tempfile::tempdir().unwrap();
    let texts = target::lab::MachineTexts { name: "x".into(), files: text.into(), hives: Vec::new() };
    target::lab::build_from(&texts, &[], folder.path()).unwrap();
    let bytes = std::fs::read(folder.path().join("Windows/System32/winevt/Logs/System.evtx")).unwrap();
    let log = read(&bytes, &[&wanted::WANTED[5], &wanted::WANTED[6], &wanted::WANTED[2]]);
    assert_eq!((log.records, log.bad, log.events.len()), (3, 0, 3), "{:?}", log.first_bad);
    assert_eq!(log.events[0].utc(), "2026-01-02T03:04:05Z");
    assert_eq!(log.events[2].field("PackageIdentifier"), Some("KB5034441"));
    let troubles = errors::troubles(&log);
    assert_eq!((troubles[0].object.as_str(), troubles[0].code.as_str()), ("wuauserv", "0x80070002"));
    assert_eq!(errors::drives(&log)[0].name, "\\Device\\Harddisk0\\DR0");
    let settings = evtx::ParserSettings::default().validate_checksums(true);
    let mut other = evtx::EvtxParser::from_buffer(bytes).unwrap().with_configuration(settings);
    let seen: Vec<serde_json::Value> = other.records_json_value().map(|record| record.unwrap().data).collect();
    assert_eq!(seen[0]["Event"]["EventData"]["param2"], "%%2");
    assert_eq!(
        seen[1]["Event"]["EventData"]["Data"]["#text"].as_str().or(seen[1]["Event"]["EventData"]["Data"].as_str()),
        Some("\\Device\\Harddisk0\\DR0")
    );
    assert_eq!(seen[2]["Event"]["UserData"]["CbsPackageChangeState"]["ErrorCode"], "0x80070002");
    assert_eq!(seen[2]["Event"]["System"]["EventRecordID"], 3);
}
