//! Missing files come from `--source` only when version, processor and hash fit; undo takes exactly them away again.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start programs")]

mod common;

use common::{Machine, has_program, skip};
use serde_json::Value;
use session::lab;
use std::path::{Path, PathBuf};
use std::process::Command;

const COMPONENT: &str = "amd64_microsoft-windows-sample-viewer_31bf3856ad364e35_10.0.26100.1742_none_5d1f0c93be2a7714";

/// A folder with this file of a Windows, `pe` or `text` lines of a practice machine.
fn source(lines: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let texts = lab::MachineTexts { name: "source".into(), files: lines.into(), hives: Vec::new() };
    lab::build_from(&texts, &[], folder.path()).unwrap();
    folder
}

fn right() -> String {
    format!("pe Windows/WinSxS/{COMPONENT}/viewer.dll 10.0.26100.1742\n")
}

fn missing(machine: &Machine) -> PathBuf {
    machine.path().join("Windows/WinSxS").join(COMPONENT).join("viewer.dll")
}

fn fix(machine: &Machine, source: &Path) -> (i32, Value) {
    let ran = machine.run(&["fix", "--yes", "--json", "--source", &source.display().to_string()]);
    (ran.exit, ran.json())
}

/// Repaired from there with the right bytes, and undone to the first state.
fn repaired_from(named: &Path, original: &[u8]) {
    let machine = Machine::build("store-file-deleted-11");
    let before = machine.fingerprint();
    let (exit, json) = fix(&machine, named);
    assert_eq!(exit, 0, "{json:#}");
    assert_eq!(json["verdict"], "repaired");
    assert_eq!(std::fs::read(missing(&machine)).unwrap(), original);
    // What failed before is history until the update is tried again; the file itself is right.
    assert_eq!(machine.run(&["diagnose", "--json"]).json()["findings"].as_array().unwrap().len(), 0);
    let undo = machine.run(&["undo", "--json"]);
    assert_eq!(undo.exit, 0, "{}", undo.stdout);
    assert_eq!(machine.fingerprint(), before);
}

#[test]
fn a_missing_file_of_the_store_comes_from_a_whole_windows_its_folder_or_an_unpacked_update() {
    let whole = source(&right());
    let original = std::fs::read(whole.path().join(format!("Windows/WinSxS/{COMPONENT}/viewer.dll"))).unwrap();
    repaired_from(whole.path(), &original);
    repaired_from(&whole.path().join("Windows"), &original);
    let unpacked = source(&format!("pe {COMPONENT}/viewer.dll 10.0.26100.1742\n"));
    repaired_from(unpacked.path(), &original);
}

#[test]
fn a_missing_file_of_the_store_comes_from_an_installation_image() {
    if !has_program("wimlib-imagex") {
        skip("wimlib-imagex (package wimtools) is not installed, so no installation image is read");
        return;
    }
    let (empty, whole, folder) = (source("text readme.txt\n    other\n"), source(&right()), tempfile::tempdir().unwrap());
    let image = folder.path().join("install.wim");
    for (command, from) in [("capture", &empty), ("append", &whole)] {
        let done = Command::new("wimlib-imagex").arg(command).arg(from.path()).arg(&image).arg(command).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let original = std::fs::read(whole.path().join(format!("Windows/WinSxS/{COMPONENT}/viewer.dll"))).unwrap();
    repaired_from(&image, &original);
}

#[test]
fn what_does_not_fit_is_not_taken_and_why_is_said() {
    // Another version, another file, a text, nothing.
    let other = [
        format!("pe Windows/WinSxS/{COMPONENT}/viewer.dll 10.0.26100.1\n"),
        format!("text Windows/WinSxS/{COMPONENT}/viewer.dll\n    not a program\n"),
        format!("empty Windows/WinSxS/{COMPONENT}/viewer.dll\n"),
        "text readme.txt\n    nothing of the kind\n".to_owned(),
    ];
    for lines in other {
        let (machine, given) = (Machine::build("store-file-deleted-11"), source(&lines));
        let before = machine.fingerprint();
        let (exit, json) = fix(&machine, given.path());
        assert_eq!((exit, json["verdict"].as_str()), (4, Some("waiting")), "{lines}\n{json:#}");
        assert_eq!(machine.fingerprint(), before, "{lines}");
    }
    let (machine, given) = (Machine::build("store-file-deleted-11"), source(&format!("text Windows/WinSxS/{COMPONENT}/viewer.dll\n    no\n")));
    let diagnosis = machine.run(&["diagnose", "--json", "--source", &given.path().display().to_string()]).json();
    assert!(diagnosis["findings"][0]["evidence"].to_string().contains("no catalog of this Windows lists the hash"), "{diagnosis:#}");
}

#[test]
fn what_is_no_source_is_refused_with_a_sentence() {
    let machine = Machine::build("store-file-deleted-11");
    let before = machine.fingerprint();
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "no image").unwrap();
    for (given, says) in [(folder.path().join("nothing"), "cannot be opened"), (text, "neither a folder nor")] {
        let ran = machine.run(&["fix", "--yes", "--source", &given.display().to_string()]);
        assert_eq!(ran.exit, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    assert_eq!(machine.fingerprint(), before);
}

#[test]
fn a_plan_with_a_source_is_carried_out_with_it_and_refused_without() {
    let (machine, given, folder) = (Machine::build("store-file-deleted-11"), source(&right()), tempfile::tempdir().unwrap());
    let (plan, given) = (folder.path().join("plan.json").display().to_string(), given.path().display().to_string());
    assert_eq!(machine.run(&["plan", "-o", &plan, "--source", &given]).exit, 1);
    let before = machine.fingerprint();
    assert_eq!(machine.run(&["fix", "--yes", "--plan", &plan]).exit, 5);
    assert_eq!(machine.fingerprint(), before);
    assert_eq!(machine.run(&["fix", "--yes", "--plan", &plan, "--source", &given]).exit, 0);
    assert!(missing(&machine).is_file());
}

#[test]
fn a_file_that_is_not_ours_any_more_stays_when_the_run_is_undone() {
    let (machine, given) = (Machine::build("store-file-deleted-11"), source(&right()));
    assert_eq!(fix(&machine, given.path()).0, 0);
    std::fs::write(missing(&machine), "Windows wrote this since").unwrap();
    let undo = machine.run(&["undo", "--json"]);
    assert_eq!(undo.exit, 6, "{}", undo.stdout);
    assert_eq!(std::fs::read_to_string(missing(&machine)).unwrap(), "Windows wrote this since");
}

#[test]
fn the_only_copy_is_never_removed() {
    let (machine, given) = (Machine::build("store-file-deleted-11"), source(&right()));
    let run = fix(&machine, given.path()).1["run"].as_str().unwrap().to_owned();
    let kept = machine.path().join("ProgramData/hresolve/runs").join(run).join("new");
    for entry in std::fs::read_dir(&kept).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_eq!(machine.run(&["undo", "--json"]).exit, 6);
    assert!(missing(&machine).is_file());
}
