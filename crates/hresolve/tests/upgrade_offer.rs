//! The usual method `AllowOSUpgrade`: never followed by itself; made with its key, and undone with it.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::Machine;
use serde_json::Value;

const CAUSE: &str = "allow-os-upgrade";
const UPDATE: &str = "Microsoft\\Windows\\CurrentVersion\\WindowsUpdate";
const OFFER: &str = "Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\OSUpgrade";

fn software(machine: &Machine) -> std::path::PathBuf {
    machine.path().join("Windows/System32/config/SOFTWARE")
}

fn clean(machine: &Machine) -> hive::CleanHive {
    match hive::recover(std::fs::read(software(machine)).unwrap(), &[]).unwrap() {
        hive::Recovered::Clean(clean) => clean,
        _ => unreachable!("a made hive is clean"),
    }
}

/// What `AllowOSUpgrade` holds; `None` without the key, an empty one without the value.
fn offer(machine: &Machine) -> Option<Vec<u8>> {
    let clean = clean(machine);
    let hive = clean.hive();
    let key = hive.open(OFFER).unwrap()?;
    Some(key.value("AllowOSUpgrade").unwrap().map_or_else(Vec::new, |value| value.data().unwrap().into_owned()))
}

/// Somebody else writes a value into the hive.
fn write(machine: &Machine, key: &str) {
    let hive = clean(machine);
    let mut edit = hive.edit();
    edit.set_value(key, "SomebodyElse", 4, &[7, 0, 0, 0]);
    let made = edit.commit(133_000_000_000_000_000).unwrap().hive.bytes().to_vec();
    std::fs::write(software(machine), made).unwrap();
}

fn allow(machine: &Machine) {
    let ran = machine.run(&["fix", "--yes", "--only", CAUSE, "--json"]);
    let json = ran.json();
    let done: Vec<&Value> = json["steps"].as_array().unwrap().iter().filter(|step| step["state"] == "done").collect();
    assert_eq!(done.len(), 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(offer(machine), Some(vec![1, 0, 0, 0]), "{}", ran.stdout);
}

#[test]
fn key_and_value_are_made_in_one_step_and_undone_byte_for_byte() {
    for name in ["healthy-7", "healthy-10-22h2", "feature-update-lost-10"] {
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        assert_eq!(offer(&machine), None);
        allow(&machine);
        assert_eq!(machine.run(&["undo"]).exit, 0);
        assert_eq!((offer(&machine), before == machine.fingerprint()), (None, true), "{name}");
    }
}

#[test]
fn undo_takes_value_and_key_back_when_the_hive_was_written_since() {
    let machine = Machine::build("healthy-10-22h2");
    allow(&machine);
    write(&machine, UPDATE);
    let ran = machine.run(&["undo", "--json"]);
    assert_eq!((ran.exit, offer(&machine)), (0, None), "{}", ran.stdout);
}

#[test]
fn a_key_that_somebody_used_since_stays() {
    let machine = Machine::build("healthy-10-22h2");
    allow(&machine);
    write(&machine, OFFER);
    let ran = machine.run(&["undo", "--json"]);
    assert_eq!((ran.exit, offer(&machine)), (6, Some(Vec::new())), "{}", ran.stdout);
}

#[test]
fn the_advice_is_only_possible_and_never_followed_by_itself() {
    let machine = Machine::build("feature-update-lost-10");
    let finding = |json: &Value| json["findings"].as_array().unwrap().iter().find(|finding| finding["cause"] == CAUSE).cloned();
    for words in [&["diagnose", "--json"][..], &["diagnose", "--json", "0x80070002"], &["diagnose", "--json", "0x80240020"]] {
        let found = finding(&machine.run(words).json()).unwrap();
        assert_eq!((found["confidence"].as_str(), found["explains"].as_array().map(Vec::len)), (Some("possible"), Some(0)), "{words:?}");
    }
    machine.run(&["fix", "--yes"]);
    machine.run(&["fix", "--yes", "0x80070002"]);
    assert_eq!(offer(&machine), None);
    allow(&machine);
    assert_eq!(finding(&machine.run(&["diagnose", "--json"]).json()), None, "what is set is not advised again");
}
