//! Dry runs show what a run does, plans are only carried out on the machine they were made for, and guides from a folder ask first.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::Machine;
use serde_json::Value;
use session::lab;
use std::path::Path;

/// What a report says was, or would be, changed; the run's own part of names is cut off.
fn changes(json: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().split(".hresolve-").next().unwrap().to_owned();
    let steps = json["steps"].as_array().unwrap().iter().filter(|step| step["state"] == "done" || step["state"] == "planned");
    steps.map(|step| (text(&step["action"]), text(&step["before"]), text(&step["after"]))).collect()
}

#[test]
fn a_dry_run_shows_exactly_what_a_run_does() {
    let mut compared = 0;
    for machine in lab::machines().iter().filter(|machine| machine.sick) {
        let built = Machine::build(machine.name);
        let planned = built.run(&["fix", "--dry-run", "--json"]);
        let done = built.run(&["fix", "--yes", "--json"]);
        assert_eq!(changes(&planned.json()), changes(&done.json()), "{}", machine.name);
        assert_eq!(planned.json()["verified"], done.json()["verified"], "{}", machine.name);
        compared += changes(&done.json()).len();
    }
    assert!(compared > 30, "{compared}");
}

fn plan(machine: &Machine, file: &Path) -> Value {
    let before = machine.fingerprint();
    let ran = machine.run(&["plan", "0x80070002", "-o", file.to_str().unwrap()]);
    assert_eq!(ran.exit, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(before, machine.fingerprint(), "planning changed something");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn a_plan_is_carried_out_on_the_machine_it_was_made_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    for name in ["three-faults-10", "update-folder-on-lost-drive-10", "blocker-script-10"] {
        let machine = Machine::build(name);
        let made = plan(&machine, &file);
        assert!(!made["steps"].as_array().unwrap().is_empty());
        let asked = machine.run(&["fix", "--plan", file.to_str().unwrap(), "--json"]);
        assert_eq!(asked.exit, 1, "a plan is no consent\n{}", asked.stdout);
        let done = machine.run(&["fix", "--plan", file.to_str().unwrap(), "--yes", "--json"]);
        assert_eq!(done.exit, 0, "{name}\n{}{}", done.stdout, done.stderr);
        let again = machine.run(&["fix", "--plan", file.to_str().unwrap(), "--yes", "--json"]);
        assert_eq!(again.exit, 5, "the machine is not as the plan expects any more\n{}", again.stdout);
    }
}

#[test]
fn a_plan_for_another_state_or_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let refused = |machine: &Machine, why: &str| {
        let before = machine.fingerprint();
        let ran = machine.run(&["fix", "--plan", file.to_str().unwrap(), "--yes", "--json"]);
        let reason = &ran.json()["why_not"][0];
        assert_eq!((ran.exit, reason["reason"].as_str()), (5, Some("plan-mismatch")), "{}", ran.stdout);
        assert!(reason["why"].as_str().unwrap().contains(why), "{reason}");
        assert_eq!(before, machine.fingerprint());
    };
    let machine = Machine::build("three-faults-10");
    plan(&machine, &file);
    refused(&Machine::build("wufuc-left-behind-7"), "another machine");
    // One more fault in the registry, and one in the files.
    let hive = machine.path().join("Windows/System32/config/SYSTEM");
    let clean = match hive::recover(std::fs::read(&hive).unwrap(), &[]).unwrap() {
        hive::Recovered::Clean(clean) => clean,
        _ => unreachable!("a made hive is clean"),
    };
    let mut edit = clean.edit();
    edit.set_value("ControlSet001\\Services\\BITS", "ErrorControl", 4, &[2, 0, 0, 0]);
    let original = std::fs::read(&hive).unwrap();
    std::fs::write(&hive, edit.commit(0).unwrap().hive.bytes()).unwrap();
    refused(&machine, "registry hive SYSTEM");
    std::fs::write(&hive, original).unwrap();
    std::fs::remove_file(machine.path().join("Windows/System32/wuaueng.dll.old")).unwrap();
    refused(&machine, "step");
}

#[test]
fn what_is_no_plan_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let machine = Machine::build("three-faults-10");
    for text in ["", "{}", "[1]", "{\"schema\":\"hresolve/plan/99\"}", "not json"] {
        std::fs::write(&file, text).unwrap();
        assert_eq!(machine.run(&["fix", "--plan", file.to_str().unwrap(), "--yes"]).exit, 2, "{text:?}");
    }
    assert_eq!(machine.run(&["fix", "--plan", "/no/such/plan", "--yes"]).exit, 2);
}

#[test]
fn guides_from_a_folder_are_followed_but_always_ask() {
    let folder = tempfile::tempdir().unwrap();
    let template = include_str!("../src/commands/guide-template.md");
    let text = template
        .replace("ID", "my-own-guide")
        .replace("One line that says what is wrong", "It starts by hand")
        .replace("What happened, in plain words, and how one can tell.", "Words.")
        .replace("Title of the source (date)", "A test")
        .replace("Why this is the right thing, in a sentence.", "Words.")
        .replace("where to click.", "nowhere.")
        .replace("What would show that this guide is not the answer.", "Words.")
        .replace("* The sources, in full.", "* A test.")
        .replace("service.start.state = disabled", "service.start = 3")
        .replace("level: ask", "level: auto");
    std::fs::write(folder.path().join("my-own-guide.md"), text.replace("data: \"{service.start.default}\"", "data: \"2\"")).unwrap();
    let machine = Machine::build("healthy-10-22h2");
    let before = machine.fingerprint();
    let guides = folder.path().to_str().unwrap();
    let found = machine.run(&["diagnose", "--guides", guides, "--json"]);
    assert_eq!(found.exit, 1, "{}", found.stdout);
    let levels: Vec<&str> = vec!["ask"];
    for finding in found.json()["findings"].as_array().unwrap() {
        assert_eq!(finding["cause"], "my-own-guide");
        assert_eq!(finding["steps"].as_array().unwrap().iter().map(|step| step["level"].as_str().unwrap()).collect::<Vec<_>>(), levels);
    }
    assert_eq!(machine.run(&["fix", "--guides", guides, "--json"]).exit, 1, "it asks first");
    assert_eq!(before, machine.fingerprint());
    std::fs::write(folder.path().join("broken.md"), "no guide").unwrap();
    let broken = machine.run(&["diagnose", "--guides", guides]);
    assert!(broken.exit == 2 && broken.stderr.contains("broken.md:1"), "{}", broken.stderr);
}
