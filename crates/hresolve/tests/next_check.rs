//! The cheapest look that decides, by the real binary: where the logs alone leave several causes open, and where one is proved.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make files and start the binary")]

mod common;

use common::Machine;
use serde_json::{Value, json};
use std::path::Path;

/// The update ended with 0x800F0922; to look whether the partition is full takes 3 minutes.
const PARTITION: &str = "system-partition-full-11";
/// The same code; to read what the installer said takes 5.
const INSTALLER: &str = "installer-step-failed-10";
/// Another code, which nothing else here ends with; to look takes 1 minute.
const TRANSACTIONS: &str = "file-transactions-stopped-10";
/// Again 0x800F0922; on the whole machine it is proved.
const TASK: &str = "task-half-deleted-10";

/// Puts the servicing log of a practice machine beside others, as one that was set aside.
fn set_aside(name: &str, day: u8, folder: &Path) {
    let machine = Machine::build(name);
    std::fs::copy(machine.path().join("Windows/Logs/CBS/CBS.log"), folder.join(format!("CbsPersist_202312{day}100000.log"))).unwrap();
}

/// The servicing logs of several machines as those of one, and nothing else.
fn sent(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (day, name) in (15..).zip(names) {
        set_aside(name, day, folder.path());
    }
    folder
}

fn diagnose(folder: &Path) -> Value {
    common::run(&["diagnose", "--json", folder.to_str().unwrap()]).json()
}

fn causes(json: &Value) -> Vec<(&str, &str)> {
    let findings = json["findings"].as_array().unwrap();
    findings.iter().map(|one| (one["cause"].as_str().unwrap(), one["confidence"].as_str().unwrap())).collect()
}

#[test]
fn logs_that_leave_two_causes_open_get_the_cheaper_of_their_looks() {
    // Whatever the order of the logs, and though something else could be looked at in less time: that decides nothing here.
    for names in [&[PARTITION, INSTALLER][..], &[INSTALLER, PARTITION], &[INSTALLER, TRANSACTIONS, PARTITION], &[TRANSACTIONS, PARTITION, INSTALLER]]
    {
        let folder = sent(names);
        let json = diagnose(folder.path());
        let found = causes(&json);
        assert!(found.len() == names.len() && found.iter().all(|(_, how)| *how == "likely"), "{names:?}: {found:?}");
        let check = &json["next_check"];
        assert_eq!((&check["minutes"], &check["between"]), (&json!(3), &json!(["system-partition-too-full", "installer-step-failed"])), "{names:?}");
        assert!(check["says"].as_str().unwrap().contains("`mountvol S: /S`"), "{check}");
        // People read it where they read the findings.
        let said = common::run(&["diagnose", folder.path().to_str().unwrap()]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("look at next: As administrator: `mountvol S: /S`"), "{said}");
        assert!(said.contains("(about 3 minutes; decides between system-partition-too-full and installer-step-failed)"), "{said}");
    }
}

#[test]
fn causes_that_do_not_compete_get_the_cheapest_look_of_all() {
    let folder = sent(&[INSTALLER, TRANSACTIONS]);
    let json = diagnose(folder.path());
    assert_eq!(causes(&json).len(), 2, "{json:#}");
    assert_eq!((&json["next_check"]["minutes"], &json["next_check"]["between"]), (&json!(1), &json!(["file-transactions-stopped"])));
}

#[test]
fn what_was_not_given_is_asked_for_when_no_look_by_hand_is_cheaper() {
    // The registry shows what is set; only a log could show that it stopped an update.
    let machine = Machine::build("tls-switched-off-by-hardening-10");
    let folder = tempfile::tempdir().unwrap();
    for hive in ["SYSTEM", "SOFTWARE"] {
        std::fs::copy(machine.path().join("Windows/System32/config").join(hive), folder.path().join(hive)).unwrap();
    }
    let json = diagnose(folder.path());
    assert_eq!(causes(&json), [("tls-1-2-switched-off", "likely")]);
    assert_eq!((&json["next_check"]["minutes"], &json["next_check"]["between"]), (&json!(5), &json!(["tls-1-2-switched-off"])));
    assert!(json["next_check"]["says"].as_str().unwrap().contains("was not given"), "{}", json["next_check"]);
}

#[test]
fn a_proved_cause_of_the_same_leaves_nothing_to_look_at() {
    let machine = Machine::build(TASK);
    let logs = machine.path().join("Windows/Logs/CBS");
    set_aside(INSTALLER, 15, &logs);
    let json = diagnose(machine.path());
    assert_eq!(causes(&json), [("scheduled-task-record-broken", "proved"), ("installer-step-failed", "likely")]);
    assert!(json["next_check"].is_null(), "{}", json["next_check"]);
    // It explains the same code and no other.
    set_aside(TRANSACTIONS, 16, &logs);
    let json = diagnose(machine.path());
    assert_eq!((causes(&json).len(), &json["next_check"]["between"]), (3, &json!(["file-transactions-stopped"])), "{json:#}");
}
