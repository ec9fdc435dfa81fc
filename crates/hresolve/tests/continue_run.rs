//! After a repair the person tries again: `continue` climbs the usual methods one by one, and the report says what was tried.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read files and start the binary"
)]

mod common;

use common::Machine;
use serde_json::Value;

fn tried(json: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    json["steps"].as_array().unwrap().iter().map(|step| (text(&step["cause"]), text(&step["state"]))).collect()
}

#[test]
fn still_broken_twice_then_worked() {
    let machine = Machine::build("wu10man-prefix-10");
    let before = machine.fingerprint();
    assert_eq!(machine.run(&["fix", "0x80070002", "--yes", "--json"]).exit, 0);
    for (cause, place) in
        [("set-aside-download-cache", "SoftwareDistribution/Download"), ("set-aside-update-database", "SoftwareDistribution/DataStore")]
    {
        let folder = machine.path().join("Windows").join(place);
        assert!(folder.is_dir());
        let ran = machine.run(&["continue", "--still-broken", "--yes", "--only", cause, "--json"]);
        let json = ran.json();
        assert_eq!((ran.exit, json["verdict"].as_str()), (4, Some("undetermined")), "only the person can say whether it helped\n{}", ran.stdout);
        assert_eq!(tried(&json).last().unwrap(), &(cause.to_owned(), "done".to_owned()));
        assert!(!folder.exists());
    }
    let last = machine.run(&["continue", "--worked", "--json"]);
    assert_eq!((last.exit, last.json()["verdict"].as_str()), (0, Some("fixed")));
    let report = machine.path().join("report.md");
    assert_eq!(machine.run(&["report", "-o", report.to_str().unwrap()]).exit, 0);
    let text = std::fs::read_to_string(&report).unwrap();
    for words in ["update-service-dll-renamed", "set-aside-download-cache", "set-aside-update-database", "**fixed**"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    std::fs::remove_file(report).unwrap();
    assert_eq!(machine.run(&["undo"]).exit, 0);
    assert_eq!(before, machine.fingerprint(), "undo takes the rungs back as well");
}

#[test]
fn without_consent_the_ladder_only_tells() {
    let machine = Machine::build("wu10man-prefix-10");
    let before = machine.fingerprint();
    assert_eq!(machine.run(&["fix", "0x80070002", "--yes", "--json"]).exit, 0);
    let repaired = machine.fingerprint();
    let first = machine.run(&["continue", "--still-broken", "--json"]);
    assert_eq!(first.exit, 1, "{}", first.stdout);
    assert_eq!(tried(&first.json()).last().unwrap(), &("set-aside-download-cache".to_owned(), "consent-needed".to_owned()));
    let second = machine.run(&["continue", "--still-broken", "--json"]);
    assert_eq!(tried(&second.json()).last().unwrap(), &("set-aside-update-database".to_owned(), "consent-needed".to_owned()));
    assert_eq!(repaired, machine.fingerprint(), "nothing is done without consent");
    let last = machine.run(&["continue", "--worked", "--json"]);
    assert_eq!((last.exit, last.json()["verdict"].as_str()), (0, Some("fixed")));
    assert_eq!(machine.run(&["undo"]).exit, 0);
    assert_eq!(before, machine.fingerprint());
}
