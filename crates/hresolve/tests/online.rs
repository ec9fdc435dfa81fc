//! The options about time on the command line. Practice machines are disks, which have no clock: nobody is asked there, and nothing else changes. What a
//! running Windows does is tried in `crates/session/tests/clock.rs`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;
#[path = "../../target/tests/responders/mod.rs"]
mod responders;

use common::Machine;
use responders::{Manner, Responder};

#[test]
fn a_disk_has_no_clock_so_nobody_is_asked() {
    let (server, http) = (Responder::sntp(Manner::Honest, 0), Responder::http(0, ""));
    for (name, exit) in [("healthy-10-22h2", 0), ("battery-empty-10", 1)] {
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        let online = ["--online", "--time-server", &server.host, "--time-server", &server.host, "--http-date", &http.host];
        let json = |words: &[&str]| {
            let mut json = machine.run(&[words, &["--json"]].concat()).json();
            json.as_object_mut().unwrap().remove("timing_ms");
            json
        };
        assert_eq!(json(&[&["diagnose"][..], &online].concat()), json(&["diagnose"]), "{name}");
        let said = machine.run(&[&["diagnose"][..], &online].concat());
        assert_eq!(said.exit, exit, "{name}\n{}", said.stdout);
        assert!(said.stderr.contains("no clock"), "{}", said.stderr);
        let fixed = machine.run(&[&["fix", "--yes"][..], &online].concat());
        assert!(fixed.stderr.contains("no clock"), "{}", fixed.stderr);
        let now = machine.fingerprint();
        assert!(before.iter().all(|(path, was)| now.get(path) == Some(was)), "{name}");
    }
    assert_eq!((server.asked(), http.asked()), (0, 0));
}

#[test]
fn what_does_not_fit_together_is_wrong_usage() {
    let machine = Machine::build("healthy-10-22h2");
    for (words, says) in [
        (&["diagnose", "--online", "--no-network"][..], "--no-network"),
        (&["--no-network", "fix", "--online"], "--no-network"),
        (&["fix", "--online", "--set-time", "2026-11-23 14:05"], "--set-time"),
        (&["fix", "--set-time", "2026-11-23 14:05"], "no clock"),
    ] {
        let ran = machine.run(words);
        assert_eq!(ran.exit, 2, "{words:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{words:?}\n{}", ran.stderr);
    }
    let ran = machine.run(&["diagnose", "--no-network"]);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
}
