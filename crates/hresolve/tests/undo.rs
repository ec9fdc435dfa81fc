//! Undo by the three-way rule: what is still ours goes back, what somebody else changed stays and is named, nothing is lost. And
//! journals are untrusted: what is damaged or forged is refused, and nothing outside the volume is ever written.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]
#![cfg(unix)]

mod common;
#[path = "common/real.rs"]
mod real;

use common::{HRESOLVE, Machine, Ran, fingerprint};
use real::{assert_same, bounded, changed, hivexget, hivexsh};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "Windows/System32/config";
/// wuauserv, UsoSvc and WaaSMedicSvc have Start 4; fix makes 3, 2 and 3 of it.
const SWITCHED_OFF: &str = "updates-switched-off-10";
/// A renamed DLL, a dependency that does not exist, and a damaged catroot2: two renames and one value.
const THREE: &str = "three-faults-10";

fn system(machine: &Machine) -> PathBuf {
    machine.path().join(CONFIG).join("SYSTEM")
}

fn run(machine: &Machine, words: &[&str]) -> Ran {
    bounded(Command::new(HRESOLVE).args(words).arg("--target").arg(machine.path()))
}

/// `fix --yes`; gives the run's name.
fn fix(machine: &Machine, more: &[&str]) -> String {
    let ran = run(machine, &[&["fix", "--yes", "--json"], more].concat());
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    ran.json()["run"].as_str().unwrap().to_owned()
}

/// `undo` with that exit code and verdict.
fn undo(machine: &Machine, words: &[&str], exit: i32, verdict: &str) -> Value {
    let ran = run(machine, &[&["undo", "--json"], words].concat());
    assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (exit, Some(verdict)), "{}{}", ran.stdout, ran.stderr);
    ran.json()
}

/// Every file with content and time, the runs included.
fn all(machine: &Machine) -> BTreeMap<PathBuf, String> {
    fingerprint(machine.path())
}

fn run_folder(machine: &Machine, run: &str) -> PathBuf {
    machine.path().join("ProgramData/hresolve/runs").join(run)
}

fn value(machine: &Machine, service: &str, name: &str) -> String {
    hivexget(&system(machine), &format!("ControlSet001\\Services\\{service}"), name)
}

/// Sets one value with hivexsh, which also gives the hive new sequence numbers. False prints why not.
fn set(machine: &Machine, service: &str, name: &str, kind_and_data: &str) -> bool {
    hivexsh(&system(machine), &format!("cd \\ControlSet001\\Services\\{service}\nsetval {}", one_value(machine, service, name, kind_and_data)))
}

/// hivexsh's setval replaces all values of a key, so the key is emptied into a fresh one: use hivexregedit instead.
fn one_value(_: &Machine, _: &str, name: &str, kind_and_data: &str) -> String {
    format!("1\n{name}\n{kind_and_data}")
}
