//! Practice machines whose SYSTEM is a real one, published by others: nothing false is found, faults put in by another program
//! are found, treated and undone, and other people's readers see that nothing else changed.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;
#[path = "common/real.rs"]
mod real;

use common::{Machine, Ran, fingerprint, skip};
use real::{Dirty, bounded, count, dump, dump_difference, dumped, hex2};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "Windows/System32/config";
const SERVICE: &str = r"ControlSet001\Services\wuauserv";
const WRONG_DLL: &str = r"%systemroot%\system32\wuauenX.dll";

/// A machine with that SYSTEM hive and those logs in place of its own.
fn machine(name: &str, system: &[u8], logs: Option<(&[u8], &[u8])>) -> Machine {
    let built = Machine::build(name);
    real::older_than_the_hive(built.path());
    put(built.path(), system, logs);
    built
}

fn put(root: &Path, system: &[u8], logs: Option<(&[u8], &[u8])>) {
    let config = root.join(CONFIG);
    std::fs::write(config.join("SYSTEM"), system).unwrap();
    for (name, index) in [("SYSTEM.LOG1", 0), ("SYSTEM.LOG2", 1)] {
        let path = config.join(name);
        match logs {
            Some(logs) => std::fs::write(path, if index == 0 { logs.0 } else { logs.1 }).unwrap(),
            None => drop(std::fs::remove_file(path)),
        }
    }
}

/// A folder with nothing but the hives SYSTEM and SOFTWARE of a machine.
fn partial(whole: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join(CONFIG);
    std::fs::create_dir_all(&config).unwrap();
    for name in ["SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2", "SOFTWARE", "SOFTWARE.LOG1", "SOFTWARE.LOG2"] {
        let from = whole.join(CONFIG).join(name);
        if from.exists() {
            std::fs::copy(from, config.join(name)).unwrap();
        }
    }
    folder
}

fn run(root: &Path, words: &[&str]) -> Ran {
    bounded(Command::new(common::HRESOLVE).args(words).arg(root))
}

fn system(root: &Path) -> PathBuf {
    root.join(CONFIG).join("SYSTEM")
}

fn findings(ran: &Ran) -> BTreeSet<(String, String)> {
    let json = ran.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    json["findings"].as_array().unwrap().iter().map(|finding| (text(&finding["cause"]), text(&finding["object"]))).collect()
}

fn pairs(list: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    list.iter().map(|(cause, object)| ((*cause).to_owned(), (*object).to_owned())).collect()
}

/// Nothing is found and nothing is written, neither by `diagnose` nor by `fix --yes`; whole machines and hives alone.
fn nothing_is_wrong(root: &Path, whole_exit: i32, note: Option<&str>) {
    let hives = partial(root);
    for (folder, exit) in [(root, whole_exit), (hives.path(), 4)] {
        let before = fingerprint(folder);
        let ran = run(folder, &["diagnose", "--json"]);
        assert_eq!(findings(&ran), BTreeSet::new(), "{}", ran.stdout);
        assert_eq!(ran.exit, exit, "{}", ran.stdout);
        let ran = run(folder, &["diagnose", "0x80070002", "--json"]);
        assert_eq!((ran.exit, findings(&ran)), (4, BTreeSet::new()), "with a code that has no cause here\n{}", ran.stdout);
        let ran = run(folder, &["fix", "--yes", "--json"]);
        assert_eq!((ran.exit, ran.json()["run"].is_null()), (exit, true), "{}", ran.stdout);
        let ran = run(folder, &["diagnose"]);
        let said = ran.stdout.replace("\n      ", " ");
        assert!(note.is_none_or(|note| said.contains(note)), "{note:?} is not said\n{said}");
        assert_eq!(said.contains("not closed properly"), note.is_some(), "{said}");
        real::assert_same(&before, &fingerprint(folder));
    }
}

#[test]
fn a_real_dirty_windows_10_is_healthy() {
    let Some(dirty) = Dirty::read() else { return };
    let built = machine("healthy-10-1709", &dirty.primary, Some((&dirty.log1, &dirty.log2)));
    nothing_is_wrong(built.path(), 0, Some("brought up to date in memory from its logs"));
}

/// The SYSTEM of build 16299 in a machine of build 19045: the one finding is true there, because that SYSTEM names a file that
/// this machine does not have (usocore.dll became usosvc.dll in 1903).
#[test]
fn in_a_later_windows_only_the_renamed_dll_is_found() {
    let Some(dirty) = Dirty::read() else { return };
    let built = machine("healthy-10-22h2", &dirty.primary, Some((&dirty.log1, &dirty.log2)));
    assert!(!built.path().join("Windows/System32/usocore.dll").exists() && built.path().join("Windows/System32/usosvc.dll").exists());
    let ran = built.run(&["diagnose", "--json"]);
    assert_eq!(findings(&ran), pairs(&[("update-service-dll-value-wrong", "UsoSvc")]), "{}", ran.stdout);
    assert_eq!(ran.exit, 1);
    let before = built.fingerprint();
    assert_eq!(built.run(&["fix", "--yes"]).exit, 0);
    assert_eq!(built.run(&["diagnose", "--json"]).exit, 0);
    assert_eq!(built.run(&["undo"]).exit, 0);
    real::assert_same(&before, &built.fingerprint());
}

#[test]
fn a_real_windows_7_is_healthy() {
    let Some(hive) = real::shared("registry/regipy/SYSTEM") else { return };
    nothing_is_wrong(machine("healthy-7", &hive, None).path(), 0, None);
}

/// The SYSTEM of dissect.regf's sdist: Windows 10 19041.1288, so the machine of 22H2 (19045) is the one around it.
#[test]
fn the_hive_of_dissect_regf_is_healthy() {
    let Some(folder) = std::env::var_os("HRESOLVE_DISSECT_REGF_DATA") else {
        return skip("HRESOLVE_DISSECT_REGF_DATA is not set (the folder tests/_data of dissect.regf's sdist)");
    };
    let packed = PathBuf::from(folder).join("SYSTEM.gz");
    let output = Command::new("gzip").args(["-dc", "--"]).arg(&packed).output();
    let Some(hive) = output.ok().filter(|output| output.status.success()).map(|output| output.stdout) else {
        return skip(&format!("{} cannot be unpacked", packed.display()));
    };
    nothing_is_wrong(machine("healthy-10-22h2", &hive, None).path(), 0, None);
}

/// A hive that was not closed properly and has no logs: read, never written. SYSTEM_2 is a Windows 8; the machine around it is the
/// nearest there is, so that only "dirty" and the fault that is put in below can be judged.
#[test]
fn a_dirty_hive_without_logs_is_read_and_not_written() {
    let Some(hive) = real::shared("registry/regipy/SYSTEM_2") else { return };
    let built = machine("healthy-7", &hive, None);
    nothing_is_wrong(built.path(), 4, Some("will not be written"));

    // With something to fix: hivex would close the hive, so the start type is changed where it stands.
    let mut sick = hive.clone();
    disable_in_place(&mut sick);
    put(built.path(), &sick, None);
    let before = fingerprint(built.path());
    let ran = built.run(&["diagnose", "--json"]);
    assert_eq!((ran.exit, findings(&ran)), (1, pairs(&[("update-service-disabled", "wuauserv")])), "{}", ran.stdout);
    let blocking =
        ran.json()["not_checked"].as_array().unwrap().iter().any(|item| item["blocking"] == true && item["what"].to_string().contains("SYSTEM"));
    assert!(blocking, "{}", ran.stdout);
    for words in [&["fix", "--yes", "--json"][..], &["fix", "--yes", "--json", "0x80070002"]] {
        let ran = built.run(words);
        assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (5, Some("refused")), "{}", ran.stdout);
        assert_eq!(ran.json()["why_not"][0]["reason"], "dirty-hive", "{}", ran.stdout);
    }
    let ran = built.run(&["fix", "--yes"]);
    assert!(ran.exit == 5 && ran.stdout.contains("SYSTEM was not closed properly"), "{}{}", ran.stdout, ran.stderr);
    real::assert_same(&before, &fingerprint(built.path()));
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes[from..].windows(wanted.len()).position(|window| window == wanted).map(|at| at + from)
}

/// Where the key wuauserv stands in the bytes of a hive, found without any library.
fn service_at(hive: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at = find(hive, b"wuauserv", at + 1).unwrap();
        if &hive[at - 76..at - 74] == b"nk" {
            return at;
        }
    }
}

/// Sets `Start` of wuauserv from 3 (or 2) to 4 where it stands: the sequence numbers stay.
fn disable_in_place(hive: &mut [u8]) {
    let key = service_at(hive);
    let start = find(hive, b"Start", key).unwrap();
    let value = &hive[start - 20..start];
    let number_here = &value[..8] == b"vk\x05\x00\x04\x00\x00\x80" && value[12] == 4 && matches!(value[8], 2 | 3);
    assert!(number_here && start - key < 4096, "Start of wuauserv is not where it was expected");
    hive[start - 12] = 4;
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// Lets `ServiceDll` of wuauserv name another file, likewise.
fn retarget_in_place(hive: &mut [u8]) {
    let right = utf16(r"%systemroot%\system32\wuaueng.dll");
    let key = service_at(hive);
    let at = find(hive, &right, key).unwrap();
    assert!(at - key < 4096, "ServiceDll of wuauserv is not where it was expected");
    hive[at..at + right.len()].copy_from_slice(&utf16(WRONG_DLL));
}

/// The faults of the test, as hivexregedit takes them.
fn faults() -> String {
    format!("[\\{SERVICE}]\n\"Start\"=dword:00000004\n\n[\\{SERVICE}\\Parameters]\n\"ServiceDll\"={}", hex2(WRONG_DLL))
}

/// Found, treated, read back by others, undone. `seen` is the hive as it is before the repair in the eyes of other readers.
fn found_treated_undone(root: &Path, seen: &Path, words: &[&str], libraries: &[&str]) {
    let first = fingerprint(root);
    let ran = run(root, &["diagnose", "0x80070002", "--json"]);
    let wanted = pairs(&[("update-service-disabled", "wuauserv"), ("update-service-dll-value-wrong", "wuauserv")]);
    assert_eq!((ran.exit, findings(&ran)), (1, wanted), "{}", ran.stdout);
    assert!(ran.stdout.contains("wuauenX.dll"), "the evidence names what was found\n{}", ran.stdout);
    real::assert_same(&first, &fingerprint(root));

    let ran = run(root, words);
    assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (0, Some("repaired")), "{words:?}\n{}{}", ran.stdout, ran.stderr);
    let changed = real::changed(&first, &without_runs(root, &first));
    assert_eq!(changed, [Path::new(CONFIG).join("SYSTEM")], "the logs stay, and nothing else is touched");
    let hive = std::fs::read(system(root)).unwrap();
    let number = |at: usize| u32::from_le_bytes(hive[at..at + 4].try_into().unwrap());
    assert_eq!(number(4), number(8), "the hive is closed");
    if root.join(CONFIG).join("SYSTEM.LOG1").exists() {
        assert!(number(4) > 2130, "an old log entry (2130 is the last) could be taken for a newer one: {}", number(4));
    }
    std::thread::scope(|scope| {
        for library in libraries {
            scope.spawn(|| only_the_faults_changed(library, seen, &system(root)));
        }
    });
    let ran = run(root, &["diagnose", "--json"]);
    assert_eq!(findings(&ran), BTreeSet::new());
    let ran = run(root, &["undo", "--json"]);
    assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (0, Some("undone")), "{}", ran.stdout);
    real::assert_same(&first, &without_runs(root, &first));
}

/// Two hives differ in the two values of the faults and in nothing else, in the eyes of another library.
fn only_the_faults_changed(library: &str, before: &Path, after: &Path) {
    // hivex does not open what regipy writes as recovered, because the base block stays as it was.
    let first = if library == "hivex" { "dissect" } else { library };
    let (Some(before), Some(after)) = (dump(first, before), dump(library, after)) else { return };
    assert!(count(&before).1 > 70_000, "{library} reads {:?}", count(&before));
    let start = dumped(SERVICE, "Start");
    let dll = dumped(&format!("{SERVICE}\\Parameters"), "ServiceDll");
    assert_eq!(dump_difference(&before, &after), BTreeSet::from([start.clone(), dll.clone()]), "{library}");
    assert_eq!((before[&start].as_str(), after[&start].as_str()), ("4 04000000", "4 03000000"), "{library}");
    let hex: String = utf16(r"%systemroot%\system32\wuaueng.dll").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(after[&dll].to_lowercase(), format!("2 {hex}"), "{library}");
}

/// The fingerprint without the runs that were made since `first`.
fn without_runs(root: &Path, first: &BTreeMap<PathBuf, String>) -> BTreeMap<PathBuf, String> {
    let mut now = fingerprint(root);
    now.retain(|path, _| first.contains_key(path) || !path.starts_with("ProgramData"));
    now.extend(first.iter().filter(|(path, _)| path.starts_with("ProgramData/hresolve")).map(|(path, there)| (path.clone(), there.clone())));
    now
}

/// The hive in use when the power went: both faults stand in pages that the logs do not touch, the rest is replayed.
#[test]
fn faults_in_a_dirty_hive_with_its_logs() {
    let Some(mut dirty) = Dirty::read() else { return };
    disable_in_place(&mut dirty.primary);
    retarget_in_place(&mut dirty.primary);
    let scratch = tempfile::tempdir().unwrap();
    let Some(seen) = real::regipy_replays(scratch.path(), &dirty) else { return };
    let built = machine("healthy-10-1709", &dirty.primary, Some((&dirty.log1, &dirty.log2)));
    if let Some(before) = dump("dissect", &seen) {
        assert_eq!(count(&before), (35_595, 78_901), "SYSTEM_B replayed");
    }
    found_treated_undone(built.path(), &seen, &["fix", "0x80070002", "--yes", "--json"], &["regipy", "dissect", "hivex"]);
    found_treated_undone(built.path(), &seen, &["fix", "--yes", "--json"], &[]);
    let hives = partial(built.path());
    found_treated_undone(hives.path(), &seen, &["fix", "--yes", "--json"], &[]);
}

/// hivex writes equal sequence numbers and does not know logs. So the edited hive is clean for Windows, and its old logs, although
/// their numbers are higher, must not be replayed over it.
#[test]
fn faults_put_in_by_hivex_while_old_logs_stay() {
    let Some(dirty) = Dirty::read() else { return };
    let built = machine("healthy-10-1709", &dirty.primary, Some((&dirty.log1, &dirty.log2)));
    if !real::hivex_merge(&system(built.path()), &faults()) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let seen = scratch.path().join("SYSTEM");
    std::fs::copy(system(built.path()), &seen).unwrap();
    found_treated_undone(built.path(), &seen, &["fix", "0x80070002", "--yes", "--json"], &["hivex"]);
}

/// The recovered hive written back (as Windows does), then edited by hivex: with the used logs beside it, and without logs.
#[test]
fn faults_put_in_by_hivex_after_recovery() {
    let Some(dirty) = Dirty::read() else { return };
    let logs: [&[u8]; 2] = [&dirty.log1, &dirty.log2];
    let hive::Recovered::Replayed { hive, .. } = hive::recover(dirty.primary.clone(), &logs).unwrap() else {
        unreachable!("SYSTEM_B is dirty and its logs can be replayed");
    };
    let scratch = tempfile::tempdir().unwrap();
    let seen = scratch.path().join("SYSTEM");
    std::fs::write(&seen, hive.bytes()).unwrap();
    if !real::hivex_merge(&seen, &faults()) {
        return;
    }
    let edited = std::fs::read(&seen).unwrap();
    for logs in [Some((logs[0], logs[1])), None] {
        let built = machine("healthy-10-1709", &edited, logs);
        found_treated_undone(built.path(), &seen, &["fix", "0x80070002", "--yes", "--json"], &["hivex"]);
        found_treated_undone(built.path(), &seen, &["fix", "--yes", "--json"], &[]);
    }
}

/// The mistake that must not be repaired blindly: hivex edits a dirty hive, something marks it dirty again, and the logs are replayed
/// over pages that hivex has used for its own. Windows would read a broken key; so it is named as unread, and nothing is written.
#[test]
fn logs_replayed_over_an_edit_leave_a_broken_key() {
    let Some(dirty) = Dirty::read() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("SYSTEM");
    std::fs::write(&path, &dirty.primary).unwrap();
    if !real::hivex_merge(&path, &faults()) {
        return;
    }
    let mut edited = std::fs::read(&path).unwrap();
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(word(&edited, 4), word(&edited, 8), "hivex closes a hive");
    let before = word(&edited, 8) - 1;
    edited[8..12].copy_from_slice(&before.to_le_bytes());
    let sum = (0..127).fold(0, |sum, index| sum ^ word(&edited, 4 * index));
    edited[508..512].copy_from_slice(&sum.to_le_bytes());
    let built = machine("healthy-10-1709", &edited, Some((&dirty.log1, &dirty.log2)));
    let before = fingerprint(built.path());
    let ran = built.run(&["diagnose", "--json"]);
    assert_eq!((ran.exit, findings(&ran)), (4, BTreeSet::new()), "{}", ran.stdout);
    let unread = |item: &Value| item["blocking"] == true && item["what"] == "service wuauserv";
    assert!(ran.json()["not_checked"].as_array().unwrap().iter().any(unread), "{}", ran.stdout);
    let ran = built.run(&["fix", "--yes", "--json", "0x80070002"]);
    assert!(matches!(ran.exit, 4 | 5) && ran.json()["run"].is_null(), "{}", ran.stdout);
    real::assert_same(&before, &fingerprint(built.path()));

    // With a readable fault beside the broken key: treated or refused, never called healthy, and undone to the byte.
    let mut both = edited.clone();
    let crypt = find(&both, &utf16(r"%SystemRoot%\system32\cryptsvc.dll"), 0).unwrap();
    both[crypt..crypt + 2].copy_from_slice(b"x\0");
    put(built.path(), &both, Some((&dirty.log1, &dirty.log2)));
    let before = fingerprint(built.path());
    let ran = built.run(&["diagnose", "--json"]);
    assert_eq!(findings(&ran), pairs(&[("update-service-dll-value-wrong", "CryptSvc")]), "{}", ran.stdout);
    let ran = built.run(&["fix", "--yes", "--json"]);
    assert!(matches!(ran.exit, 0 | 4 | 5), "{}", ran.stdout);
    let after = built.run(&["diagnose", "--json"]);
    assert!(after.exit != 0 && after.json()["not_checked"].as_array().unwrap().iter().any(unread), "the broken key is still named\n{}", after.stdout);
    if !ran.json()["run"].is_null() {
        built.run(&["undo"]);
    }
    real::assert_same(&before, &without_runs(built.path(), &before));
}
