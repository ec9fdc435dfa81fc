//! What a machine looked like is on the disk before the first write to it, and no later run writes over what an earlier one kept.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary under strace")]

mod common;

use common::{HRESOLVE, Machine, fingerprint};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MACHINE: &str = "three-faults-10";
const LOG: &str = "Windows/SoftwareDistribution/ReportingEvents.log";
const HIVE: &str = "Windows/System32/config/SYSTEM";

fn runs(machine: &Machine) -> PathBuf {
    machine.path().join("ProgramData/hresolve/runs")
}

#[test]
fn a_run_keeps_what_was_there_before_it() {
    let machine = Machine::build(MACHINE);
    let (log, hive) = (std::fs::read(machine.path().join(LOG)).unwrap(), std::fs::read(machine.path().join(HIVE)).unwrap());
    let diagnosis = machine.run(&["diagnose", "--json"]).json();
    let ran = machine.run(&["fix", "--yes", "--json"]);
    let kept = runs(&machine).join(ran.json()["run"].as_str().unwrap());
    assert_eq!(std::fs::read(kept.join("evidence/ReportingEvents.log")).unwrap(), log);
    assert_eq!(std::fs::read(kept.join("before/SYSTEM")).unwrap(), hive);
    assert_ne!(std::fs::read(machine.path().join(HIVE)).unwrap(), hive, "the hive itself was changed");
    let evidence: serde_json::Value = serde_json::from_slice(&std::fs::read(kept.join("evidence/diagnosis.json")).unwrap()).unwrap();
    assert_eq!(evidence["findings"], diagnosis["findings"], "the diagnosis is the one from before");
    assert!(!evidence["findings"].as_array().unwrap().is_empty());
}

/// Every call that makes, renames, links or removes something, in order, with the text of its arguments.
fn changing_calls(machine: &Machine) -> Vec<String> {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let ran = Command::new("strace")
        .args(["-f", "-qq", "-s", "4096", "-e", "trace=openat,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,unlink,unlinkat,fsync"])
        .args(["-y", "-o", trace.path().to_str().unwrap(), HRESOLVE, "fix", "--yes"])
        .arg(machine.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let writes = |line: &&str| !line.contains("openat(") || line.contains("O_WRONLY") || line.contains("O_RDWR");
    std::fs::read_to_string(trace.path()).unwrap().lines().filter(writes).map(str::to_owned).collect()
}

#[test]
fn the_evidence_is_on_the_disk_before_the_first_write_to_the_machine() {
    if !common::has_program("strace") {
        return common::skip("strace is not installed");
    }
    let machine = Machine::build(MACHINE);
    let calls = changing_calls(&machine);
    let store = machine.path().join("ProgramData").to_str().unwrap().to_owned();
    let on_the_machine = |line: &&String| line.contains(machine.path().to_str().unwrap()) && !line.contains(&store) && !line.contains("fsync(");
    let first = calls.iter().position(|line| on_the_machine(&line)).unwrap();
    for name in ["evidence/diagnosis", "evidence/ReportingEvents", "before/SYSTEM"] {
        let flushed = calls.iter().position(|line| line.contains("fsync(") && line.contains(name));
        let named = calls.iter().position(|line| line.contains("rename") && line.contains(name));
        // The copy of a hive comes before that hive is touched; other files may be renamed before.
        let limit =
            if name.starts_with("before") { calls.iter().position(|line| on_the_machine(&line) && line.contains("config/")).unwrap() } else { first };
        assert!(flushed.is_some_and(|at| at < limit), "{name} was not flushed before call {limit}: {}", calls[limit]);
        assert!(named.is_some_and(|at| at < limit), "{name} has its name after call {limit}: {}", calls[limit]);
    }
}

/// The copies that a run keeps, and everything else but its journal and its reports, which undo and `continue` go on with.
fn copies(run: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = fingerprint(run);
    all.retain(|path, _| path.starts_with("before") || path.starts_with("evidence"));
    all
}

#[test]
fn later_runs_leave_the_copies_of_earlier_ones_alone() {
    let machine = Machine::build(MACHINE);
    let mut kept: BTreeMap<PathBuf, BTreeMap<PathBuf, String>> = BTreeMap::new();
    for round in 1..=3 {
        let ran = machine.run(&["fix", "--yes", "--json"]);
        let run = runs(&machine).join(ran.json()["run"].as_str().unwrap());
        assert!(!kept.contains_key(&run), "round {round} has a folder of its own");
        let copies_now = copies(&run);
        assert!(copies_now.len() >= 5, "round {round}: {copies_now:?}");
        kept.insert(run, copies_now);
        machine.run(&["continue", "--still-broken", "--json"]);
        assert_eq!(machine.run(&["undo", "--json"]).exit, 0, "round {round}");
        for (run, copies_then) in &kept {
            let now = copies(run);
            for (path, then) in copies_then {
                assert_eq!(now.get(path), Some(then), "round {round}: {} of {}", path.display(), run.display());
            }
        }
    }
}

#[test]
fn a_copy_is_never_written_over_and_no_two_runs_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = target::StateStore::in_folder(folder.path());
    let _lock = store.lock().unwrap();
    let now = target::now();
    let run = store.create(now).unwrap();
    run.save("before/SYSTEM", b"first").unwrap();
    run.save("before/SYSTEM", b"first").unwrap();
    assert!(run.save("before/SYSTEM", b"other").is_err());
    assert_eq!(std::fs::read(run.path.join("before/SYSTEM")).unwrap(), b"first");
    assert!(store.create(now).is_err(), "a name that is taken is refused, not shared");
}
