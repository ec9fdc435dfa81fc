//! Logs of real machines, published by others, given to the program as somebody would send them: the documented cause is named first,
//! what failed is listed with its count and how it ended, and healthy logs give no finding.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::skip;
use std::path::{Path, PathBuf};

/// A folder or file of the published test data, or nothing and a line that says so.
fn published(place: &str) -> Option<PathBuf> {
    let data =
        std::env::var_os("HRESOLVE_SHARED_DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = data.join(place);
    if !path.exists() {
        skip(&format!("no published logs at {place}"));
        return None;
    }
    Some(path)
}

fn diagnosis(path: &Path) -> (i32, serde_json::Value) {
    let ran = common::run(&["diagnose", "--json", path.to_str().unwrap()]);
    (ran.exit, ran.json())
}

#[test]
fn six_excerpts_name_their_documented_cause_first() {
    let Some(folder) = published("logs/msdocs-cases") else { return };
    for (start, cause, object) in [
        ("01-", "driver-operations-stale", "DriverOperations"),
        ("02-", "driver-operations-stale", "DriverOperations"),
        ("03-", "dotnet-optimizer-service-orphaned", "clr_optimization_v4.0.30319_32"),
        ("04-", "component-file-missing", "DWrite.dll"),
        ("05-", "scheduled-task-record-broken", "SecureBootEncodeUEFI"),
        ("06-", "package-manifest-missing", "Package_for_KB958690"),
    ] {
        let name = std::fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(start));
        let (exit, json) = diagnosis(&name.unwrap());
        let first = &json["findings"][0];
        assert_eq!((exit, first["cause"].as_str()), (1, Some(cause)), "{start}\n{json:#}");
        assert!(first["object"].as_str().unwrap().contains(object), "{start}\n{json:#}");
        assert!(first["evidence"].as_array().unwrap().iter().any(|one| one["at"].as_str().unwrap().starts_with("line ")), "{start}\n{json:#}");
        // Nothing but the log was looked at, so nothing can be proved.
        assert_eq!(first["confidence"], "likely", "{start}");
    }
}

#[test]
fn event_logs_tell_what_failed_how_often_and_how_it_ended() {
    for (place, wanted) in [
        ("evtx/museum-win11", &[("0x80073D02", 3, false), ("0x80240016", 1, true), ("0x80240016", 1, true)][..]),
        ("evtx/museum-win10-apt", &[]),
        ("evtx/evtx-rs/system.evtx", &[("0x80246013", 1, false), ("0x80248007", 4, false)]),
    ] {
        let Some(path) = published(place) else { return };
        let (exit, json) = diagnosis(&path);
        let mut found: Vec<(String, u64, bool)> = json["failures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["code"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap(), one["resolved"].as_bool().unwrap()))
            .collect();
        found.sort();
        let wanted: Vec<(String, u64, bool)> = wanted.iter().map(|(code, count, resolved)| ((*code).to_owned(), *count, *resolved)).collect();
        assert_eq!(found, wanted, "{place}");
        assert_eq!((exit, json["findings"].as_array().unwrap().len()), (4, 0), "{place}");
    }
}

#[test]
fn healthy_logs_give_no_finding_and_no_failure() {
    for place in [
        "logs/setupapi-museum-win11",
        "logs/setupapi-plaso",
        "logs/cmtraceopen/cbs/clean",
        "logs/cmtraceopen/panther/clean",
        "logs/cmtraceopen/dism/clean",
    ] {
        let Some(path) = published(place) else { return };
        let (exit, json) = diagnosis(&path);
        assert!(matches!(exit, 0 | 4), "{place}: exit {exit}");
        assert_eq!((json["findings"].as_array().unwrap().len(), json["failures"].as_array().unwrap().len()), (0, 0), "{place}\n{json:#}");
    }
}
