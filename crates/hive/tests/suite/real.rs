//! Real hives: read like other people's libraries read them, and edited without touching anything else.

use std::fs;
use std::path::PathBuf;

use hive::{CleanHive, Difference, Hive, ProblemKind, Recovered, encode_sz, recover, tree::Tree};

use crate::raw::NOW;
use crate::{oracle, places};

/// Hives that every library reads.
const WHOLE: [&str; 10] = [
    "yarp/BigDataHive",
    "yarp/CompHive",
    "yarp/EmptyHive",
    "yarp/ExtendedASCIIHive",
    "yarp/ManySubkeysHive",
    "yarp/MultiSzHive",
    "yarp/StringValuesHive",
    "yarp/UnicodeHive",
    "hivex/minimal",
    "hivex/rlenvalue_test_hive",
];

fn compare(path: &PathBuf, libraries: &[&'static str]) {
    let bytes = fs::read(path).unwrap();
    for library in oracle::available(libraries) {
        if let Err(difference) = oracle::compare(library, path, &bytes) {
            panic!("{}: {difference}", path.display());
        }
    }
}

#[test]
fn small_hives_read_like_elsewhere() {
    for path in WHOLE.iter().filter_map(|name| places::registry(name)) {
        compare(&path, &oracle::ALL);
        let bytes = fs::read(&path).unwrap();
        let problems = Hive::parse(&bytes).unwrap().check();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    }
    // The name of a key in this one holds a NUL, which hivex cuts off when it is asked for the value of a name.
    if let Some(path) = places::registry("hivex/special") {
        compare(&path, &oracle::ALL);
    }
}

#[test]
fn bcd_and_windows_7_read_like_elsewhere() {
    for (name, counts) in [("BCD", (132, 103)), ("SYSTEM", (30_756, 73_456))] {
        let Some(path) = places::unpacked(name) else { continue };
        compare(&path, &oracle::ALL);
        let bytes = fs::read(&path).unwrap();
        let hive = Hive::parse(&bytes).unwrap();
        assert_eq!(hive.check(), []);
        assert_eq!(Tree::of(&hive).counts(), counts);
    }
}

#[test]
fn windows_8_and_10_read_like_elsewhere() {
    // A dirty hive: what is in it can be read, and every library sees the same.
    if let Some(path) = places::unpacked("SYSTEM_2") {
        compare(&path, &["hivex", "dissect"]);
        let problems = Hive::parse(&fs::read(&path).unwrap()).unwrap().check();
        assert!(matches!(problems[..], [ref only] if matches!(only.kind, ProblemKind::Dirty { primary: 205, secondary: 204 })));
        assert!(matches!(recover(fs::read(&path).unwrap(), &[]).unwrap(), Recovered::DirtyWithoutLogs { .. }));
    }
    if let Some(path) = places::unpacked("dissect/SYSTEM") {
        compare(&path, &["hivex", "dissect"]);
        assert_eq!(Hive::parse(&fs::read(&path).unwrap()).unwrap().check(), []);
    }
}

#[test]
fn the_replayed_windows_10_hive_reads_like_elsewhere() {
    let [Some(primary), Some(log1), Some(log2)] = ["SYSTEM_B", "SYSTEM_B.LOG1", "SYSTEM_B.LOG2"].map(places::unpacked) else {
        return;
    };
    let [primary, log1, log2] = [primary, log1, log2].map(|path| fs::read(path).unwrap());
    let Recovered::Replayed { hive, .. } = recover(primary, &[&log1, &log2]).unwrap() else { panic!("not replayed") };
    let path = places::scratch("replayed-SYSTEM_B");
    fs::write(&path, hive.bytes()).unwrap();
    compare(&path, &oracle::ALL);
    edit_changes_only_what_was_meant("SYSTEM_B", &hive, &["hivex"]);
}

#[test]
fn damaged_hives_are_read_as_far_as_they_go() {
    if let Some(bytes) = places::read("yarp/BadListHive") {
        let hive = Hive::parse(&bytes).unwrap();
        assert!(hive.check().iter().any(|problem| matches!(problem.kind, ProblemKind::CellTwice)));
        assert_eq!(Tree::of(&hive).counts().0, 6);
    }
    if let Some(bytes) = places::read("yarp/TruncatedHive") {
        let hive = Hive::parse(&bytes).unwrap();
        assert_eq!(Tree::of(&hive).counts().0, 2);
        assert!(hive.check().iter().any(|problem| matches!(problem.kind, ProblemKind::BinsSize { .. })));
        assert!(matches!(recover(bytes.clone(), &[]).unwrap(), Recovered::DirtyWithoutLogs { .. }));
    }
}

/// One edit of every kind; the differences are exactly those, also in the eyes of others.
fn edit_changes_only_what_was_meant(name: &str, before: &CleanHive, libraries: &[&'static str]) {
    let old_problems = before.hive().check();
    let mut edit = before.edit();
    edit.create_key(r"hresolve test\Sub Ω").set_value(r"hresolve test\Sub Ω", "Text", 1, &encode_sz("Größe"));
    edit.set_value(r"HRESOLVE TEST", "", 3, &vec![0x5a; 70_000]);
    let done = edit.commit(NOW).unwrap();
    assert!(done.changed);
    let after = done.hive;
    assert_eq!(after.hive().check().len(), old_problems.len(), "{name}");
    let found: Vec<String> = hive::diff(&before.hive(), &after.hive()).iter().map(ToString::to_string).collect();
    let meant = [
        "key added: hresolve test",
        "value added: hresolve test \"\" (REG_BINARY, 70000 bytes)",
        r"key added: hresolve test\Sub Ω",
        "value added: hresolve test\\Sub Ω \"Text\" (REG_SZ, 12 bytes)",
    ];
    assert_eq!(found, meant, "{name}");

    let mut edit = after.edit();
    edit.delete_key("Hresolve Test");
    let again = edit.commit(NOW).unwrap().hive;
    assert_eq!(hive::diff(&before.hive(), &again.hive()), Vec::<Difference>::new(), "{name}: deleting undoes it");
    assert_eq!(again.hive().check().len(), old_problems.len(), "{name}");

    let path = places::scratch(&format!("edited-{}", name.replace('/', "-")));
    for hive in [&after, &again] {
        fs::write(&path, hive.bytes()).unwrap();
        compare(&path, libraries);
    }
}

#[test]
fn an_edit_of_each_real_hive_changes_only_what_was_meant() {
    for name in WHOLE.iter().copied().chain(["hivex/special", "yarp/BadListHive"]) {
        let Some(bytes) = places::read(name) else { continue };
        let Recovered::Clean(hive) = recover(bytes, &[]).unwrap() else { panic!("{name} is not clean") };
        // In this one two lists share a key, which hivex refuses to open.
        let libraries = if name.ends_with("BadListHive") { &["regipy"][..] } else { &oracle::ALL };
        if name.ends_with("BadListHive") {
            let mut edit = hive.edit();
            edit.create_key("Elsewhere");
            let done = edit.commit(NOW).unwrap().hive;
            assert_eq!(done.hive().check().len(), hive.hive().check().len());
            continue;
        }
        edit_changes_only_what_was_meant(name, &hive, libraries);
    }
    for name in ["BCD", "SYSTEM", "dissect/SYSTEM"] {
        let Some(path) = places::unpacked(name) else { continue };
        let Recovered::Clean(hive) = recover(fs::read(path).unwrap(), &[]).unwrap() else { panic!("{name} is not clean") };
        let libraries = if name == "BCD" { &oracle::ALL[..] } else { &["hivex"] };
        edit_changes_only_what_was_meant(name, &hive, libraries);
    }
}

#[test]
fn the_largest_keys_of_a_real_hive_can_be_deleted() {
    let Some(path) = places::unpacked("SYSTEM") else { return };
    let Recovered::Clean(hive) = recover(fs::read(path).unwrap(), &[]).unwrap() else { panic!("not clean") };
    let mut edit = hive.edit();
    edit.delete_key("ControlSet002").delete_key(r"ControlSet001\Enum").delete_key(r"ControlSet001\Services\Tcpip");
    let done = edit.commit(NOW).unwrap().hive;
    assert_eq!(done.hive().check(), []);
    assert!(done.hive().open(r"ControlSet001\Enum").unwrap().is_none());
    assert!(Tree::of(&done.hive()).counts().0 < Tree::of(&hive.hive()).counts().0);
    let path = places::scratch("deleted-SYSTEM");
    fs::write(&path, done.bytes()).unwrap();
    compare(&path, &["hivex"]);
}
