//! Undo by the three-way rule: what is still ours goes back, what somebody else changed stays and is named, nothing is lost. And
//! journals are untrusted (`forged.rs`), as are the places where runs are kept: nothing outside the volume is ever written.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

#[path = "../common/mod.rs"]
mod common;
mod forged;
#[path = "../common/real.rs"]
mod real;

use common::{HRESOLVE, Machine, Ran, fingerprint, has_program, hivex_export, skip};
use real::{assert_same, bounded, changed, hex2, hivex_merge, hivexget, hivexsh};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CONFIG: &str = "Windows/System32/config";
/// wuauserv, UsoSvc and WaaSMedicSvc have Start 4; fix makes 3, 2 and 3 of it.
const SWITCHED_OFF: &str = "updates-switched-off-10";
/// A renamed DLL, a dependency that does not exist, and a damaged catroot2: two renames and one value.
const THREE: &str = "three-faults-10";
/// A damaged data store, which is set aside.
const HISTORY: &str = "update-history-damaged-10";
const DATA_STORE: &str = "Windows/SoftwareDistribution/DataStore";

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
#[track_caller]
fn undo(machine: &Machine, words: &[&str], exit: i32, verdict: &str) -> Value {
    let ran = run(machine, &[&["undo", "--json"], words].concat());
    assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (exit, Some(verdict)), "{}{}", ran.stdout, ran.stderr);
    ran.json()
}

/// Every file with content and time, the runs included.
fn all(machine: &Machine) -> BTreeMap<PathBuf, String> {
    fingerprint(machine.path())
}

/// The same without the runs.
fn machine_only(machine: &Machine) -> BTreeMap<PathBuf, String> {
    machine.fingerprint()
}

fn run_folder(machine: &Machine, run: &str) -> PathBuf {
    machine.path().join("ProgramData/hresolve/runs").join(run)
}

fn start(machine: &Machine, service: &str) -> String {
    hivexget(&system(machine), &format!("ControlSet001\\Services\\{service}"), "Start")
}

fn starts(machine: &Machine) -> [String; 3] {
    ["wuauserv", "UsoSvc", "WaaSMedicSvc"].map(|service| start(machine, service))
}

/// Values put into SYSTEM by hivexregedit, which gives the hive new sequence numbers, as any other writer does.
fn put(machine: &Machine, service: &str, line: &str) {
    assert!(hivex_merge(&system(machine), &format!("[\\ControlSet001\\Services\\{service}]\n{line}")));
}

fn has_hivex() -> bool {
    let there = has_program("hivexregedit") && has_program("hivexsh");
    if !there {
        skip("hivexregedit and hivexsh (package libhivex-bin) are not installed");
    }
    there
}

/// Keys and values of SYSTEM, each line with its key, as hivex reads them.
fn lines(machine: &Machine) -> BTreeSet<String> {
    let mut key = String::new();
    hivex_export(&system(machine))
        .unwrap()
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            if line.starts_with('[') {
                line.clone_into(&mut key);
            }
            format!("{key} {line}")
        })
        .collect()
}

/// The values that differ, by key and name.
fn differing(before: &BTreeSet<String>, after: &BTreeSet<String>) -> BTreeSet<String> {
    before.symmetric_difference(after).map(|line| line.split_once('=').map_or(line.as_str(), |(name, _)| name).to_owned()).collect()
}

fn second_undo_changes_nothing(machine: &Machine, run: &str) {
    let before = all(machine);
    undo(machine, &["--run", run], 0, "nothing-to-undo");
    assert_same(&before, &all(machine));
}

#[test]
fn what_others_changed_since_is_kept() {
    if !has_hivex() {
        return;
    }
    let machine = Machine::build(SWITCHED_OFF);
    let before = lines(&machine);
    let run = fix(&machine, &[]);
    assert_eq!(starts(&machine), ["3", "2", "3"]);
    // In the same key, in another key, and a new key.
    put(&machine, "wuauserv", "\"Start of another\"=dword:00000007");
    put(&machine, "BITS", "\"ErrorControl\"=dword:00000000");
    assert!(hivexsh(&system(&machine), "cd ControlSet001\\Services\nadd Somebody"));
    let json = undo(&machine, &[], 0, "undone");
    assert_eq!(json["conflicts"], json!([]));
    assert_eq!(json["steps"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(starts(&machine), ["4", "4", "4"]);
    let kept = BTreeSet::from([
        r#"[\ControlSet001\Services\wuauserv] "Start of another""#.to_owned(),
        r#"[\ControlSet001\Services\BITS] "ErrorControl""#.to_owned(),
        r"[\ControlSet001\Services\Somebody] [\ControlSet001\Services\Somebody]".to_owned(),
    ]);
    assert_eq!(differing(&before, &lines(&machine)), kept);
    second_undo_changes_nothing(&machine, &run);
}

/// A key with everything below it, security included, by our own reader; `None` when there is none.
fn tree(machine: &Machine, key: &str) -> Option<model::KeyTree> {
    use target::Target;
    let opened = target::FolderTarget::open(machine.path(), model::TargetKind::Folder).unwrap();
    opened.key_tree(key).into_known()
}

#[test]
fn whole_keys_come_back_with_their_security_though_others_wrote_since() {
    if !has_hivex() {
        return;
    }
    const TASK: &str =
        "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache\\Tree\\Microsoft\\Windows\\PI\\SampleSecureBootEncode";
    const DRIVER: &str = "HKLM\\SYSTEM\\ControlSet001\\Services\\flpydisk";
    for (name, key, hive) in [("task-half-deleted-10", TASK, "SOFTWARE"), ("floppy-service-in-other-set-10", DRIVER, "SYSTEM")] {
        let machine = Machine::build(name);
        let before = tree(&machine, key);
        assert!(before.as_ref().is_none_or(|tree| tree.security.is_some()), "{name}: {before:?}");
        fix(&machine, &[]);
        assert_ne!(tree(&machine, key), before, "{name}");
        // Now the file is not what the run made of it, so undo goes object by object.
        assert!(hivexsh(&machine.path().join(CONFIG).join(hive), "add Somebody"));
        undo(&machine, &[], 0, "undone");
        assert_eq!(tree(&machine, key), before, "{name}");
        assert!(tree(&machine, &format!("HKLM\\{hive}\\Somebody")).is_some(), "{name}");
    }
}

#[test]
fn a_key_that_others_made_or_filled_since_is_a_conflict() {
    if !has_hivex() {
        return;
    }
    let machine = Machine::build("floppy-service-in-other-set-10");
    fix(&machine, &[]);
    put(&machine, "flpydisk", "\"Somebody's\"=dword:00000001");
    let json = undo(&machine, &[], 6, "undo-failed");
    assert_eq!(json["conflicts"].as_array().unwrap().len(), 1, "{json}");
    assert!(tree(&machine, "HKLM\\SYSTEM\\ControlSet001\\Services\\flpydisk").is_some());
}

#[test]
fn what_others_changed_of_ours_is_a_conflict() {
    if !has_hivex() {
        return;
    }
    let remove_key = "cd ControlSet001\\Services\\UsoSvc\ndel";
    for (what, change, left) in [
        ("another number", Some("\"Start\"=dword:00000001"), "1"),
        ("another type", Some("\"Start\"=\"2\""), "2"),
        ("no value", Some("\"Start\"=-"), ""),
        ("no key", None, ""),
    ] {
        let machine = Machine::build(SWITCHED_OFF);
        let run_name = fix(&machine, &[]);
        match change {
            Some(line) => put(&machine, "UsoSvc", line),
            None => assert!(hivexsh(&system(&machine), remove_key)),
        }
        let ran = run(&machine, &["undo"]);
        assert_eq!(ran.exit, 6, "{what}\n{}{}", ran.stdout, ran.stderr);
        let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [run_name.as_str(), r"HKLM\SYSTEM\ControlSet001\Services\UsoSvc\Start", "4 before"] {
            assert!(said.contains(part), "{what}: {part:?} is not said\n{said}");
        }
        assert_eq!(starts(&machine), ["4", left, "4"], "{what}");
        second_undo_changes_nothing(&machine, &run_name);
    }
    // The same in JSON.
    let machine = Machine::build(SWITCHED_OFF);
    fix(&machine, &[]);
    put(&machine, "UsoSvc", "\"Start\"=dword:00000000");
    let json = undo(&machine, &[], 6, "undo-failed");
    assert_eq!(json["conflicts"].as_array().unwrap().len(), 1, "{json}");
    assert!(json["conflicts"][0].as_str().unwrap().contains(r"Services\UsoSvc\Start"), "{json}");
    let states: BTreeMap<&str, &str> = json["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["object"].as_str().unwrap().split('\\').nth(4).unwrap(), step["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, BTreeMap::from([("UsoSvc", "conflict"), ("WaaSMedicSvc", "undone"), ("wuauserv", "undone")]));
}

/// Somebody else put the old value back already: nothing is left to do for it, and that is no conflict.
#[test]
fn what_others_put_back_is_already_undone() {
    if !has_hivex() {
        return;
    }
    let machine = Machine::build(SWITCHED_OFF);
    let before = lines(&machine);
    let run = fix(&machine, &[]);
    put(&machine, "UsoSvc", "\"Start\"=dword:00000004");
    let json = undo(&machine, &[], 0, "undone");
    let already = json["steps"].as_array().unwrap().iter().filter(|step| step["state"] == "already").count();
    assert_eq!(already, 1, "{json}");
    assert_eq!(before, lines(&machine));
    second_undo_changes_nothing(&machine, &run);
}

/// Files that somebody changed since: a renamed DLL that is another file now is a conflict, the rest goes back.
#[test]
fn a_file_that_is_another_now_is_a_conflict() {
    let machine = Machine::build(THREE);
    let dll = machine.path().join("Windows/System32/wuaueng.dll");
    fix(&machine, &[]);
    std::fs::remove_file(&dll).unwrap();
    std::fs::write(&dll, "Windows brought a newer one").unwrap();
    let before = machine_only(&machine);
    let json = undo(&machine, &[], 6, "undo-failed");
    let conflicts = json["conflicts"].as_array().unwrap();
    assert!(conflicts.len() == 1 && conflicts[0].as_str().unwrap().contains("wuaueng.dll"), "{json}");
    assert_eq!(std::fs::read_to_string(&dll).unwrap(), "Windows brought a newer one");
    let different = changed(&before, &machine_only(&machine));
    assert!(!different.iter().any(|path| path.to_string_lossy().contains("wuaueng")), "{different:?}");
    assert!(
        machine.path().join("Windows/System32/catroot2").exists() && different.contains(&Path::new(CONFIG).join("SYSTEM")),
        "the others went back"
    );
}

#[test]
fn windows_made_its_folder_anew() {
    for state_dir in [false, true] {
        let machine = Machine::build(HISTORY);
        let state = tempfile::tempdir().unwrap();
        let words: Vec<&str> = if state_dir { vec!["--state-dir", state.path().to_str().unwrap()] } else { Vec::new() };
        let before = machine_only(&machine);
        let run = fix(&machine, &words);
        let store = machine.path().join(DATA_STORE);
        assert!(!store.exists());
        std::fs::create_dir_all(store.join("Logs")).unwrap();
        std::fs::write(store.join("DataStore.edb"), "made by Windows after the repair").unwrap();
        std::fs::write(store.join("Logs/edb.log"), "its log").unwrap();
        undo(&machine, &words, 0, "undone");
        let now = machine_only(&machine);
        let moved = if state_dir {
            let different = changed(&before, &now);
            let beside = different.iter().min().unwrap().clone();
            assert!(different.iter().all(|path| path.starts_with(&beside)), "{different:?}");
            machine.path().join(beside)
        } else {
            assert_same(&before, &now);
            run_folder(&machine, &run).join("after/DataStore")
        };
        assert_eq!(std::fs::read_to_string(moved.join("DataStore.edb")).unwrap(), "made by Windows after the repair");
        assert_eq!(std::fs::read_to_string(moved.join("Logs/edb.log")).unwrap(), "its log");
        let before = all(&machine);
        undo(&machine, &words, 0, "nothing-to-undo");
        assert_same(&before, &all(&machine));
    }
}

/// What was set aside is gone (somebody cleaned up): it cannot come back, and undo must not say that it did.
#[test]
fn what_was_set_aside_is_gone() {
    for made_anew in [false, true] {
        let machine = Machine::build(HISTORY);
        fix(&machine, &[]);
        let folder = machine.path().join("Windows/SoftwareDistribution");
        let aside = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().contains(".hresolve-"))
            .unwrap();
        std::fs::remove_dir_all(aside).unwrap();
        if made_anew {
            std::fs::create_dir(folder.join("DataStore")).unwrap();
        }
        let before = machine_only(&machine);
        let json = undo(&machine, &[], 6, "undo-failed");
        assert!(json["conflicts"][0].as_str().unwrap().contains("DataStore"), "{json}");
        assert_same(&before, &machine_only(&machine));
    }
}

#[test]
fn runs_are_undone_in_any_order() {
    if !has_hivex() {
        return;
    }
    // One hive, two runs: last first gives the first bytes again; first first gives the same keys and values.
    for last_first in [true, false] {
        let machine = Machine::build(SWITCHED_OFF);
        assert!(hivex_merge(
            &system(&machine),
            &format!("[\\ControlSet001\\Services\\BITS\\Parameters]\n\"ServiceDll\"={}", hex2(r"%SystemRoot%\System32\other.dll"))
        ));
        let (before, text) = (machine_only(&machine), lines(&machine));
        let mut runs = [fix(&machine, &["--only", "update-service-disabled"]), fix(&machine, &["--only", "update-service-dll-value-wrong"])];
        assert_eq!(run(&machine, &["diagnose"]).exit, 0);
        if last_first {
            runs.reverse();
        }
        for one in &runs {
            undo(&machine, &["--run", one], 0, "undone");
        }
        assert_eq!(text, lines(&machine));
        if last_first {
            assert_same(&before, &machine_only(&machine));
        } else {
            assert_eq!(changed(&before, &machine_only(&machine)), [Path::new(CONFIG).join("SYSTEM")]);
        }
        for one in &runs {
            second_undo_changes_nothing(&machine, one);
        }
    }
    // Three runs over files and a value, in all six orders.
    let causes = ["update-service-dll-renamed", "update-service-dependency-missing", "catalog-database-damaged"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let machine = Machine::build(THREE);
        let before = machine_only(&machine);
        let runs: Vec<String> = causes.iter().map(|cause| fix(&machine, &["--only", cause])).collect();
        for index in order {
            undo(&machine, &["--run", &runs[index]], 0, "undone");
        }
        assert_same(&before, &machine_only(&machine));
    }
}

/// The same object twice: the older run's undo must not take the newer one's value for its own and lose it.
#[test]
fn the_same_object_in_two_runs() {
    if !has_hivex() {
        return;
    }
    let machine = Machine::build(SWITCHED_OFF);
    let before = lines(&machine);
    let first = fix(&machine, &[]);
    put(&machine, "UsoSvc", "\"Start\"=dword:00000004");
    let second = fix(&machine, &[]);
    undo(&machine, &["--run", &second], 0, "undone");
    assert_eq!(starts(&machine), ["3", "4", "3"]);
    undo(&machine, &["--run", &first], 0, "undone");
    assert_eq!(before, lines(&machine));
}

/// Links in the place where runs are kept: refused, and nothing outside is written or deleted.
#[test]
fn links_where_runs_are_kept() {
    for place in ["ProgramData", "ProgramData/hresolve", "ProgramData/hresolve/runs"] {
        let machine = Machine::build(THREE);
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("theirs"), "x").unwrap();
        let link = machine.path().join(place);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        if link.exists() {
            std::fs::rename(&link, outside.path().join("old")).unwrap();
        }
        symlink(outside.path(), &link).unwrap();
        let (before, there) = (machine_only(&machine), fingerprint(outside.path()));
        let ran = run(&machine, &["fix", "--yes", "--json"]);
        assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (5, Some("refused")), "{place}\n{}{}", ran.stdout, ran.stderr);
        let ran = run(&machine, &["fix", "--yes"]);
        assert!(ran.exit == 5 && ran.stdout.contains("link"), "{place}: {}{}", ran.stdout, ran.stderr);
        let ran = run(&machine, &["undo"]);
        assert!(matches!(ran.exit, 2 | 5), "{place}: exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
        let ran = run(&machine, &["forget", "--older-than", "0d", "--yes"]);
        assert!(matches!(ran.exit, 0 | 5), "{place}: exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
        assert_same(&before, &machine_only(&machine));
        assert_same(&there, &fingerprint(outside.path()));
    }
}

/// Links prepared under the names of temporary files: not followed, whatever becomes of the repair.
#[test]
fn links_under_the_names_of_temporary_files() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    for name in ["probe", "new", "restore"] {
        std::fs::write(&victim, "precious").unwrap();
        let machine = Machine::build(THREE);
        let hive = std::fs::read(system(&machine)).unwrap();
        let temporary = match name {
            "probe" => ".hresolve-writable".to_owned(),
            "new" => format!("SYSTEM.hresolve-{}", &target::sha256(&hive)[..8]),
            _ => "SYSTEM.hresolve-restore".to_owned(),
        };
        if name == "restore" {
            fix(&machine, &[]);
        }
        symlink(&victim, machine.path().join(CONFIG).join(temporary)).unwrap();
        for words in [&["fix", "--yes"][..], &["undo"], &["fix", "--yes"], &["undo"]] {
            run(&machine, words);
            assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious", "{name}: {words:?}");
        }
        assert_eq!(std::fs::read(system(&machine)).unwrap().len(), hive.len(), "{name}");
        assert!(matches!(run(&machine, &["diagnose"]).exit, 0 | 1), "{name}: the machine can be read");
    }
}

/// The folder for what stood in the way leads outside: nothing goes there.
#[test]
fn a_link_as_the_folder_after() {
    let machine = Machine::build(HISTORY);
    let outside = tempfile::tempdir().unwrap();
    let run_name = fix(&machine, &[]);
    let store = machine.path().join(DATA_STORE);
    std::fs::create_dir(&store).unwrap();
    std::fs::write(store.join("new"), "new").unwrap();
    let after = run_folder(&machine, &run_name).join("after");
    std::fs::remove_dir(&after).unwrap();
    symlink(outside.path(), &after).unwrap();
    let ran = run(&machine, &["undo", "--json"]);
    assert_eq!(ran.exit, 6, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(std::fs::read_to_string(store.join("new")).unwrap(), "new");
}

#[test]
fn two_at_once() {
    let machine = Machine::build(SWITCHED_OFF);
    let state = machine.path().join("ProgramData/hresolve/runs");
    let first = fix(&machine, &[]);
    // Somebody holds the lock.
    let lock = std::fs::File::open(state.join("lock")).unwrap();
    lock.lock().unwrap();
    let before = all(&machine);
    for words in [&["undo"][..], &["undo", "--json"], &["forget", "--yes", &first], &["continue", "--worked"]] {
        let ran = run(&machine, words);
        assert_eq!(ran.exit, 5, "{words:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains("nother hresolve"), "{words:?}\n{}{}", ran.stdout, ran.stderr);
    }
    assert_same(&before, &all(&machine));
    drop(lock);
    undo(&machine, &[], 0, "undone");

    let lock = std::fs::File::open(state.join("lock")).unwrap();
    lock.lock().unwrap();
    let before = all(&machine);
    let ran = run(&machine, &["fix", "--yes", "--json"]);
    assert_eq!((ran.exit, ran.json()["why_not"][0]["reason"].as_str()), (5, Some("busy")), "{}", ran.stdout);
    assert_same(&before, &all(&machine));
    drop(lock);

    // And for real: whoever comes second is refused or finds nothing to do; the machine is whole.
    let start =
        || Command::new(HRESOLVE).args(["fix", "--yes", "--json"]).arg(machine.path()).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let mut exits: Vec<i32> = [start(), start(), start()].map(|mut child| child.wait().unwrap().code().unwrap()).to_vec();
    exits.sort_unstable();
    assert!(exits[0] == 0 && exits.iter().all(|exit| matches!(exit, 0 | 5)), "{exits:?}");
    assert_eq!(run(&machine, &["diagnose"]).exit, 0);
}

#[test]
fn runs_kept_elsewhere() {
    let machine = Machine::build(THREE);
    let state = tempfile::tempdir().unwrap();
    let words = ["--state-dir", state.path().to_str().unwrap()];
    let before = all(&machine);
    let run_name = fix(&machine, &words);
    assert!(!machine.path().join("ProgramData/hresolve").exists(), "nothing is kept on the machine");
    assert!(state.path().join("runs").join(&run_name).join("journal.jsonl").exists());
    let ran = run(&machine, &["undo"]);
    assert_eq!(ran.exit, 2, "without the folder there is no run\n{}{}", ran.stdout, ran.stderr);
    let ran = run(&machine, &[&["runs", "--json"], &words[..]].concat());
    assert_eq!(ran.json()["runs"][0]["run"], run_name.as_str());
    undo(&machine, &words, 0, "undone");
    assert_same(&before, &all(&machine));
    undo(&machine, &words, 0, "nothing-to-undo");
    assert_same(&before, &all(&machine));
}

/// Gives a machine another name and another number, as every other computer has.
fn becomes_another_computer(machine: &Machine) {
    let software = machine.path().join(CONFIG).join("SOFTWARE");
    assert!(hivex_merge(&software, "[\\Microsoft\\Windows NT\\CurrentVersion]\n\"InstallDate\"=dword:60000001"));
    assert!(hivex_merge(&system(machine), "[\\ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"OTHER\""));
}

/// A computer that was renamed or upgraded after the repair is still the one on whose disk the run lies.
#[test]
fn a_renamed_computer_can_be_undone() {
    if !has_hivex() {
        return;
    }
    for named in [false, true] {
        let machine = Machine::build(SWITCHED_OFF);
        let run_name = fix(&machine, &[]);
        becomes_another_computer(&machine);
        let words = ["--run", &run_name];
        undo(&machine, if named { &words } else { &[] }, 0, "undone");
        assert_eq!(starts(&machine), ["4", "4", "4"]);
    }
}

/// One folder for the runs of many machines: a run is never taken back on another machine than its own.
#[test]
fn a_run_of_another_machine_is_not_undone_here() {
    let state = tempfile::tempdir().unwrap();
    let words = ["--state-dir", state.path().to_str().unwrap()];
    if !has_hivex() {
        return;
    }
    let (mine, other) = (Machine::build(SWITCHED_OFF), Machine::build("healthy-10-22h2"));
    becomes_another_computer(&other);
    let run_name = fix(&mine, &words);
    let before = all(&other);
    for more in [&[][..], &["--run", &run_name]] {
        let ran = run(&other, &[&["undo"], more, &words[..]].concat());
        assert!(matches!(ran.exit, 2 | 5 | 6), "exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
        assert_same(&before, &all(&other));
    }
    undo(&mine, &words, 0, "undone");
}

/// The same for a run that was cut off: repairing another machine must leave it alone.
#[test]
fn an_interrupted_run_of_another_machine_is_not_recovered_here() {
    let state = tempfile::tempdir().unwrap();
    let words = ["--state-dir", state.path().to_str().unwrap()];
    if !has_hivex() {
        return;
    }
    let (mine, other) = (Machine::build(SWITCHED_OFF), Machine::build("healthy-10-22h2"));
    becomes_another_computer(&other);
    let run_name = fix(&mine, &words);
    let path = state.path().join("runs").join(run_name).join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let cut = text.find(r#""event":"finished""#).and_then(|at| text[..at].rfind('\n')).unwrap() + 1;
    std::fs::write(&path, &text[..cut]).unwrap();
    let before = all(&other);
    let ran = run(&other, &[&["fix", "--yes"], &words[..]].concat());
    assert_same(&before, &all(&other));
    assert!(matches!(ran.exit, 0 | 5), "exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
    undo(&mine, &words, 0, "undone");
}

#[test]
fn a_forgotten_run_cannot_be_undone() {
    let machine = Machine::build(THREE);
    let run_name = fix(&machine, &[]);
    let before = all(&machine);
    let ran = run(&machine, &["forget", &run_name]);
    assert_eq!(ran.exit, 1, "consent is asked for\n{}{}", ran.stdout, ran.stderr);
    assert_same(&before, &all(&machine));
    let ran = run(&machine, &["forget", &run_name, "--yes"]);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!run_folder(&machine, &run_name).exists());
    let before = all(&machine);
    for words in [&["undo"][..], &["undo", "--run", &run_name]] {
        let ran = run(&machine, words);
        assert_eq!(ran.exit, 2, "{}{}", ran.stdout, ran.stderr);
        let says = ran.stderr.to_lowercase();
        assert!(says.contains("no run") && !says.contains("newest\""), "{}", ran.stderr);
    }
    assert_same(&before, &all(&machine));
}

/// An undone run stays undone: neither `fix` nor `undo` on a healthy machine writes anything for it.
#[test]
fn nothing_is_ever_undone_twice() {
    let machine = Machine::build(THREE);
    let first = fix(&machine, &[]);
    undo(&machine, &[], 0, "undone");
    let second = fix(&machine, &[]);
    let before = all(&machine);
    undo(&machine, &["--run", &first], 0, "nothing-to-undo");
    assert_same(&before, &all(&machine));
    undo(&machine, &["--run", &second], 0, "undone");
}
