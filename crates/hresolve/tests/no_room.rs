//! A full disk, for real: a small file system in memory takes the runs, or is the Windows volume itself. Where nothing can be
//! written down, nothing is changed; where the room ends later, the undo record that there is takes back what was done.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests mount file systems and start the binary")]

mod common;

use common::{HRESOLVE, Machine, Ran, note, run};
use std::path::Path;
use std::process::{Command, Stdio};

const MACHINE: &str = "three-faults-10";

/// A file system in memory of so many bytes; unmounted when it goes away.
struct Small {
    at: tempfile::TempDir,
}

impl Small {
    /// `None`, with a printed reason, where mounting is not allowed.
    fn new(bytes: u64) -> Option<Small> {
        let at = tempfile::tempdir().unwrap();
        let options = format!("size={bytes},mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "hresolve-test"]).arg(at.path()).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            note("only the superuser can mount a small file system");
            return None;
        }
        Some(Small { at })
    }

    fn path(&self) -> &Path {
        self.at.path()
    }

    fn resize(&self, bytes: u64) {
        let options = format!("remount,size={bytes}");
        assert!(Command::new("mount").args(["-o", &options]).arg(self.path()).status().unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

fn is_no_journal(ran: &Ran) -> bool {
    ran.exit == 5 && ran.json()["why_not"][0]["reason"] == "no-journal"
}

#[test]
fn runs_that_find_no_room_in_their_folder_leave_the_machine_as_it_was() {
    let page = 4096;
    let (mut refused, mut stopped, mut finished) = (0, 0, 0);
    // Room for nothing (one page holds a single byte's file), for the first line, for some of the copies, for all.
    for pages in [1, 2, 3, 4, 6, 8, 12, 20, 40, 60, 80, 100, 140, 200, 400, 1000, 2000] {
        let machine = Machine::build(MACHINE);
        let before = machine.fingerprint();
        let Some(small) = Small::new((pages + 1) * page) else { return };
        // Nothing is left of the first page, so that one page more is really one page.
        std::fs::write(small.path().join("ballast"), vec![1_u8; page as usize * if pages == 1 { 2 } else { 1 }]).unwrap();
        let state = small.path().to_str().unwrap();
        let ran = machine.run(&["fix", "--yes", "--json", "--state-dir", state]);
        if ran.exit == 0 {
            finished += 1;
        } else if is_no_journal(&ran) {
            refused += 1;
            assert_eq!(before, machine.fingerprint(), "{pages} pages: refused, and yet something was changed");
        } else {
            stopped += 1;
            assert_eq!(ran.exit, 1, "{pages} pages\n{}{}", ran.stdout, ran.stderr);
            assert!(!ran.stderr.is_empty() || !ran.stdout.is_empty(), "{pages} pages: it says nothing");
        }
        small.resize(64 << 20);
        let undo = machine.run(&["undo", "--json", "--state-dir", state]);
        // Exit 2: the failure came before there was a run.
        assert!(undo.exit == 0 || undo.exit == 2, "{pages} pages\n{}{}", undo.stdout, undo.stderr);
        assert_eq!(before, machine.fingerprint(), "{pages} pages: not as before");
    }
    assert!(refused >= 1 && stopped >= 2 && finished >= 1, "{refused} refused, {stopped} stopped on the way, {finished} finished");
}

#[test]
fn a_windows_volume_without_room_is_left_as_it_was() {
    let Some(small) = Small::new(256 << 20) else { return };
    session::lab::build(MACHINE, small.path()).unwrap();
    // The rest of the volume is filled to the last page.
    small.resize(64 << 20);
    let mut ballast = std::fs::File::create(small.path().join("ballast")).unwrap();
    while std::io::Write::write(&mut ballast, &[1; 4096]).is_ok_and(|written| written > 0) {}
    drop(ballast);
    let before = fingerprint(small.path());
    let folder = small.path().to_str().unwrap();
    let ran = run(&["fix", "--yes", "--json", folder]);
    assert!(is_no_journal(&ran), "{}\n{}{}", ran.exit, ran.stdout, ran.stderr);
    assert_eq!(before, fingerprint(small.path()));
    // With room again the same call works, so it was the room that it lacked.
    std::fs::remove_file(small.path().join("ballast")).unwrap();
    let ran = run(&["fix", "--yes", "--json", folder]);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
}

fn fingerprint(root: &Path) -> std::collections::BTreeMap<std::path::PathBuf, String> {
    let mut all = common::fingerprint(root);
    all.retain(|path, _| !path.starts_with("ProgramData/hresolve"));
    all
}

/// The same without the superuser's rights: every write of the program fails.
#[test]
fn a_program_that_can_write_nothing_changes_nothing() {
    if !common::has_program("strace") {
        return common::skip("strace is not installed");
    }
    for error in ["ENOSPC", "EDQUOT"] {
        let machine = Machine::build(MACHINE);
        let before = machine.fingerprint();
        let ran = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=write,pwrite64,writev", "-e"])
            .arg(format!("inject=write,pwrite64,writev:error={error}:when=1+"))
            .args([HRESOLVE, "fix", "--yes"])
            .arg(machine.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(5), "{error}");
        assert_eq!(before, machine.fingerprint(), "{error}");
    }
}
