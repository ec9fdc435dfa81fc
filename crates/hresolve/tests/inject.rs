//! Every kind of write fails once, at each place where it is made: the disk is full, broken or read-only in the middle of a fix. What
//! comes next always ends "repaired" or "as before". The failures are put in below the program, by `strace -e inject`.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests start the binary under strace"
)]

mod common;

use common::{HRESOLVE, Machine, Ran, has_program, skip};
use std::process::{Command, Stdio};

const MACHINE: &str = "three-faults-10";
/// System call, the error that it gives, and at every how-manieth time: enough for every run of the tests to meet every kind of
/// place; `HRESOLVE_ROUNDS=2` tries nearly all of them.
const FAULTS: [(&str, &str, usize); 6] =
    [("write", "ENOSPC", 3), ("fsync", "EIO", 5), ("rename", "EROFS", 1), ("mkdir", "ENOSPC", 1), ("openat", "EROFS", 41), ("utimensat", "EPERM", 1)];
/// What is tried as well with `HRESOLVE_ROUNDS` above 1.
const MORE: [(&str, &str, usize); 5] =
    [("write", "EIO", 1), ("fsync", "EIO", 1), ("rename", "EIO", 1), ("openat", "EIO", 3), ("openat", "ENOSPC", 7)];

fn faults() -> Vec<(&'static str, &'static str, usize)> {
    let rounds = std::env::var("HRESOLVE_ROUNDS").ok().and_then(|rounds| rounds.parse::<u32>().ok()).unwrap_or(1);
    FAULTS.into_iter().chain(MORE.into_iter().filter(|_| rounds > 1)).collect()
}

/// A call of hresolve in which that system call fails at its n-th time. The trace says whether it came so far.
fn with_fault(words: &[&str], machine: &Machine, call: &str, error: &str, number: u32) -> (Ran, bool) {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-o",
            trace.path().to_str().unwrap(),
            "-e",
            &format!("trace={call}"),
            "-e",
            &format!("inject={call}:error={error}:when={number}"),
        ])
        .arg(HRESOLVE)
        .args(words)
        .arg(machine.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let hit = std::fs::read_to_string(trace.path()).unwrap().contains("(INJECTED)");
    (output.into(), hit)
}

fn can_trace() -> bool {
    let works =
        has_program("strace") && Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success());
    if !works {
        skip("strace is not installed or may not trace here");
    }
    works
}

#[test]
fn a_fix_whose_writes_fail_anywhere_leaves_nothing_between() {
    if !can_trace() {
        return;
    }
    let mut hits = 0;
    for (call, error, step) in faults() {
        for number in (1..).step_by(step) {
            let machine = Machine::build(MACHINE);
            let before = machine.fingerprint();
            let (ran, hit) = with_fault(&["fix", "--yes", "--json"], &machine, call, error, number);
            if !hit {
                break;
            }
            hits += 1;
            assert!((0..=6).contains(&ran.exit), "{call} {error} {number}: {}\n{}", ran.exit, ran.stderr);
            let claimed = ran.exit == 0;
            if claimed {
                assert_eq!(machine.run(&["diagnose"]).exit, 0, "{call} {error} {number}: it said that it was repaired\n{}", ran.stdout);
            }
            if number % 2 == 0 {
                let next = machine.run(&["fix", "--yes", "--json"]);
                assert_eq!(next.exit, 0, "{call} {error} {number}\n{}{}", next.stdout, next.stderr);
                assert_eq!(machine.run(&["diagnose"]).exit, 0, "{call} {error} {number}");
            } else {
                let undo = machine.run(&["undo", "--json"]);
                // Exit 2: the failure came before there was a run.
                assert!(undo.exit == 0 || undo.exit == 2, "{call} {error} {number}\n{}{}", undo.stdout, undo.stderr);
                assert_eq!(before, machine.fingerprint(), "{call} {error} {number} is not as before");
            }
        }
    }
    println!("{hits} failures put in below a fix");
    assert!(hits > 30, "only {hits}");
}

#[test]
fn an_undo_whose_writes_fail_anywhere_can_be_undone_again() {
    if !can_trace() {
        return;
    }
    let mut hits = 0;
    for (call, error, step) in faults().into_iter().filter(|(call, _, _)| *call != "openat") {
        for number in (1..).step_by(step) {
            let machine = Machine::build(MACHINE);
            let before = machine.fingerprint();
            assert_eq!(machine.run(&["fix", "--yes"]).exit, 0);
            let (ran, hit) = with_fault(&["undo", "--json"], &machine, call, error, number);
            if !hit {
                break;
            }
            hits += 1;
            // A first undo that failed says so; what it could not take back it names.
            assert!((0..=6).contains(&ran.exit), "{call} {error} {number}");
            if ran.exit == 6 {
                continue;
            }
            let again = machine.run(&["undo", "--json"]);
            assert_eq!(again.exit, 0, "{call} {error} {number}\n{}{}", again.stdout, again.stderr);
            assert_eq!(before, machine.fingerprint(), "{call} {error} {number} is not as before");
        }
    }
    println!("{hits} failures put in below an undo");
    assert!(hits > 5, "only {hits}");
}
