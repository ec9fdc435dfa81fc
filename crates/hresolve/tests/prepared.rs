//! Somebody prepared the disk: links and foreign folders where runs are kept, a sleeping Windows, files exchanged since.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::Machine;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

fn runs(machine: &Machine) -> PathBuf {
    machine.path().join("ProgramData/hresolve/runs")
}

fn make_private(folder: &PathBuf) {
    std::fs::create_dir_all(folder).unwrap();
    for path in [folder.clone(), folder.parent().unwrap().to_owned()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_linked_lock_is_refused_and_its_target_kept() {
    let machine = Machine::build("wu10man-prefix-10");
    let victim = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(victim.path(), "precious").unwrap();
    make_private(&runs(&machine));
    symlink(victim.path(), runs(&machine).join("lock")).unwrap();
    let before = machine.fingerprint();
    let ran = machine.run(&["fix", "--yes", "--json"]);
    assert_eq!(ran.exit, 5, "{}", ran.stdout);
    assert_eq!(std::fs::read_to_string(victim.path()).unwrap(), "precious");
    assert_eq!(before, machine.fingerprint());
}

#[test]
fn a_linked_journal_is_no_run_and_its_target_kept() {
    let machine = Machine::build("wu10man-prefix-10");
    let victim = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(victim.path(), "precious line\n").unwrap();
    let run = runs(&machine).join("29990101T000000Z-x");
    make_private(&runs(&machine));
    std::fs::create_dir(&run).unwrap();
    symlink(victim.path(), run.join("journal.jsonl")).unwrap();
    assert_eq!(machine.run(&["undo", "--json"]).exit, 2);
    assert_eq!(machine.run(&["fix", "--yes", "--json"]).exit, 0);
    assert_eq!(std::fs::read_to_string(victim.path()).unwrap(), "precious line\n");
}

#[test]
fn a_linked_or_open_runs_folder_is_refused() {
    let linked = Machine::build("wu10man-prefix-10");
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), linked.path().join("ProgramData/hresolve")).unwrap();
    let open = Machine::build("wu10man-prefix-10");
    make_private(&runs(&open));
    std::fs::set_permissions(runs(&open), std::fs::Permissions::from_mode(0o777)).unwrap();
    for machine in [linked, open] {
        let before = machine.fingerprint();
        let ran = machine.run(&["fix", "--yes", "--json"]);
        assert_eq!((ran.exit, ran.json()["why_not"][0]["reason"].as_str()), (5, Some("no-journal")), "{}", ran.stdout);
        assert_eq!(before, machine.fingerprint());
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_sleeping_windows_is_not_written_even_to_bring_an_interrupted_run_back() {
    let machine = Machine::build("updates-switched-off-10");
    let asleep = |machine: &Machine| std::fs::write(machine.path().join("hiberfil.sys"), b"hibr and more").unwrap();
    asleep(&machine);
    let before = machine.fingerprint();
    let ran = machine.run(&["fix", "--yes", "--json"]);
    assert_eq!((ran.exit, ran.json()["why_not"][0]["reason"].as_str()), (5, Some("hibernated")));
    assert_eq!(before, machine.fingerprint());
    std::fs::remove_file(machine.path().join("hiberfil.sys")).unwrap();
    assert_eq!(machine.run(&["fix", "--yes"]).exit, 0);
    // The last line of the journal gone: as if the power had failed.
    let run =
        std::fs::read_dir(runs(&machine)).unwrap().flatten().map(|entry| entry.path().join("journal.jsonl")).find(|path| path.is_file()).unwrap();
    let text = std::fs::read_to_string(&run).unwrap();
    let cut = text.trim_end().rfind('\n').unwrap();
    std::fs::write(&run, &text[..=cut]).unwrap();
    asleep(&machine);
    let before = machine.fingerprint();
    for words in [&["fix", "--yes", "--json"][..], &["undo", "--json"]] {
        assert_eq!(machine.run(words).exit, 5, "{words:?}");
        assert_eq!(before, machine.fingerprint(), "{words:?}");
    }
}

#[test]
fn a_file_exchanged_since_is_a_conflict() {
    let machine = Machine::build("wu10man-prefix-10");
    assert_eq!(machine.run(&["fix", "--yes"]).exit, 0);
    let dll = machine.path().join("Windows/System32/wuaueng.dll");
    std::fs::remove_file(&dll).unwrap();
    std::fs::write(&dll, "another file, as an update would put it there").unwrap();
    let undo = machine.run(&["undo", "--json"]);
    assert_eq!(undo.exit, 6, "{}", undo.stdout);
    assert!(undo.json()["conflicts"][0].as_str().unwrap().contains("wuaueng"), "{}", undo.stdout);
    assert!(std::fs::read_to_string(&dll).unwrap().starts_with("another"), "what somebody else put there is left alone");
    assert!(machine.path().join("Windows/System32/Wu10Man_WaaSMedicSvc.dll").is_file(), "the rest is undone");
}

#[test]
fn a_volume_that_cannot_be_written_is_refused_by_name() {
    let machine = Machine::build("updates-switched-off-10");
    let config = machine.path().join("Windows/System32/config");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may write everywhere; then this shows nothing.
    if std::fs::write(config.join("probe"), b"").is_ok() {
        std::fs::remove_file(config.join("probe")).unwrap();
        return common::note("the superuser may write in a read-only folder, so this was not tried");
    }
    let state = tempfile::tempdir().unwrap();
    let before = machine.fingerprint();
    let ran = machine.run(&["fix", "--yes", "--json", "--state-dir", state.path().to_str().unwrap()]);
    assert_eq!((ran.exit, ran.json()["why_not"][0]["reason"].as_str()), (5, Some("read-only")), "{}", ran.stdout);
    assert_eq!(before, machine.fingerprint());
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o755)).unwrap();
}
