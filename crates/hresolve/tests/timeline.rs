//! `diagnose --timeline` and `--since`: what happened before it first broke, and evidence that is too old to count.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::{Machine, Ran};
use serde_json::Value;

fn lines(ran: &Ran) -> Vec<(String, String)> {
    let json = ran.json();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    json["timeline"].as_array().into_iter().flatten().map(|entry| (text(entry, "time"), text(entry, "kind"))).collect()
}

#[test]
fn what_changed_before_the_search_first_failed_is_shown_in_its_order() {
    let machine = Machine::build("tuned-then-updates-off-10");
    let ran = machine.run(&["diagnose", "0x80070422", "--timeline", "--json"]);
    assert_eq!(ran.exit, 1);
    let told = lines(&ran);
    let told: Vec<(&str, &str)> = told.iter().map(|(time, kind)| (time.as_str(), kind.as_str())).collect();
    // Event logs tell UTC; this machine's clock is an hour ahead.
    assert_eq!(
        told,
        [
            ("2026-01-06T08:00:00", "boot"),
            ("2026-01-06T09:20:00", "update"),
            ("2026-01-07T08:00:05", "unexpected-shutdown"),
            ("2026-01-08T15:00:30", "restore-point"),
            ("2026-01-08T15:01:00", "program"),
            ("2026-01-08T15:02:00", "service"),
            ("2026-01-08T15:03:00", "service"),
            ("2026-01-09T08:00:00", "failure"),
        ]
    );
    let json = ran.json();
    assert_eq!(json["timeline_window"]["from"], "2026-01-02T08:00:00");
    assert!(
        json["timeline"].as_array().unwrap().iter().all(|entry| entry["clock"] == "local" && entry["at"].as_str().unwrap().starts_with("record "))
    );
    assert_eq!(json["timeline"][7]["first_failure"], true);
    let text = machine.run(&["diagnose", "0x80070422", "--timeline"]).stdout;
    for part in [
        "2026-01-08 15:03:00  service     The start type of the service wuauserv was changed",
        "2026-01-09 08:00:00  FAILED",
        "it ends where 0x80070422",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(machine.run(&["diagnose", "--json"]).json().get("timeline").is_none());
}

#[test]
fn a_registry_key_that_a_finding_names_is_told_with_its_time() {
    let machine = Machine::build("tuned-then-updates-off-10");
    let system = machine.path().join("Windows/System32/config/SYSTEM");
    let clean = match hive::recover(std::fs::read(&system).unwrap(), &[]).unwrap() {
        hive::Recovered::Clean(clean) => clean,
        _ => unreachable!("a made hive is clean"),
    };
    let mut edit = clean.edit();
    edit.set_value("ControlSet001\\Services\\wuauserv", "SomebodyElse", 4, &[7, 0, 0, 0]);
    // 2026-01-08T14:03:01Z in steps of 100 ns since 1601.
    let made = edit.commit((1_767_880_981 + 11_644_473_600) * 10_000_000).unwrap().hive.bytes().to_vec();
    std::fs::write(&system, made).unwrap();
    let json = machine.run(&["diagnose", "0x80070422", "--timeline", "--json"]).json();
    let key = json["timeline"].as_array().unwrap().iter().find(|entry| entry["kind"] == "registry").unwrap();
    assert_eq!(key["time"], "2026-01-08T15:03:01");
    assert!(key["says"].as_str().unwrap().ends_with("Services\\wuauserv was last written"), "{key}");
}

#[test]
fn older_evidence_is_left_out_and_state_is_not() {
    let machine = Machine::build("drive-failing-10");
    let older = machine.run(&["diagnose", "--since", "2026-01-03T10:00:00", "--json"]);
    // The newest forecast is of ten o'clock; the update failed before.
    assert_eq!((older.exit, older.json()["failures"].as_array().unwrap().len()), (1, 0));
    let newer = machine.run(&["diagnose", "--since", "2026-01-03T10:00:01", "--json"]);
    let json = newer.json();
    assert_eq!((newer.exit, &json["since"]["failures_left_out"], &json["since"]["objects_left_out"]), (0, &1.into(), &1.into()));
    assert!(json["not_checked"].to_string().contains("what logs told last before 2026-01-03 10:00:01"), "{json}");
    // The same moment in UTC.
    assert_eq!(machine.run(&["diagnose", "--since", "2026-01-03T09:00:00Z"]).exit, 1);
    assert_eq!(machine.run(&["diagnose", "--since", "2026-01-03T09:00:01Z"]).exit, 0);
    let disabled = Machine::build("updates-switched-off-10").run(&["diagnose", "--since", "2030-01-01", "--json"]);
    assert_eq!((disabled.exit, disabled.json()["findings"].as_array().unwrap().len()), (1, 3));
}

#[test]
fn an_age_counts_back_from_the_newest_time_on_the_machine() {
    let machine = Machine::build("drive-failing-10");
    let hour = machine.run(&["diagnose", "--since", "1h", "--json"]).json();
    assert_eq!(hour["since"]["from"], "2026-01-03T09:00:00");
    assert!(hour["since"]["counted_from"].as_str().unwrap().starts_with("2026-01-03T10:00:00 ("), "{hour}");
    assert_eq!(hour["failures"].as_array().unwrap().len(), 1);
    assert_eq!(machine.run(&["diagnose", "--since", "0h", "--json"]).json()["failures"].as_array().unwrap().len(), 0);
}

#[test]
fn a_code_without_evidence_left_is_undetermined() {
    let machine = Machine::build("drive-failing-10");
    assert_eq!(machine.run(&["diagnose", "0x80070017", "--since", "2026-01-04"]).exit, 4);
}

#[test]
fn what_is_no_moment_is_wrong_usage_and_names_the_forms() {
    for wrong in ["3x", "yesterday", "2026-02-30", "", "-3d"] {
        let ran = common::run(&["diagnose", "lab:healthy-10-22h2", "--since", wrong]);
        assert_eq!(ran.exit, 2, "{wrong}");
        assert!(ran.stderr.contains("2026-01-31T14:30") && ran.stderr.contains("3d, 12h"), "{}", ran.stderr);
    }
    assert_eq!(common::run(&["diagnose", "/there-is-no-such-machine", "--since", "3d"]).exit, 3);
}
