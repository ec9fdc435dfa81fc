//! What every kind of target must do, asked of each kind in the same words: reading, the four answers, and for those that can be
//! changed each kind of change, read back and taken back. A new kind is one line in `KINDS`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make folders and may fail loudly")]

use model::{Change, FileOrigin, KeyTree, Observed, Reading, RegistryData, TargetKind, VolumePath};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use target::{Direction, Entry, EntryKind, Expanded, FolderTarget, HiveIntent, OverlayTarget, StateStore, Target, TargetError, WritableTarget, lab};

const MACHINE: &str = "three-faults-10";
/// A file that the machine has, and one that it has not, below the Windows folder.
const FILE: &str = "System32\\qmgr.dll";
const NO_FILE: &str = "System32\\no such file.dll";
const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";
const WUAUSERV: &str = "HKLM\\SYSTEM\\ControlSet001\\Services\\wuauserv";
const BITS: &str = "HKLM\\SYSTEM\\ControlSet001\\Services\\BITS";

/// A kind of target that shows the practice machine: it is built into the first folder, the second is free.
enum Open {
    /// Reads and writes.
    Writes(fn(&Path, &Path) -> Box<dyn WritableTarget>),
    /// Only reads (such as a disk image that is not unpacked).
    Reads(fn(&Path, &Path) -> Box<dyn Target>),
    /// Only reads, and never knows whether it shows everything: what is not there was not collected.
    ReadsPart(fn(&Path, &Path) -> Box<dyn WritableTarget>),
}

const KINDS: &[(&str, Open)] = &[
    ("folder", Open::Writes(|folder, _| Box::new(FolderTarget::open(folder, TargetKind::Folder).unwrap()))),
    ("folder, for reading", Open::Reads(|folder, scratch| target::open(folder.to_str().unwrap(), scratch).unwrap())),
    ("lab", Open::Writes(|_, scratch| target::open_writable(&format!("lab:{MACHINE}"), scratch).unwrap())),
    (
        "overlay",
        Open::Writes(|folder, scratch| {
            let below = FolderTarget::open(folder, TargetKind::Folder).unwrap();
            Box::new(OverlayTarget::new(Box::new(below), StateStore::in_folder(scratch)))
        }),
    ),
    (LIVE, Open::Writes(|_, scratch| target::open_writable(LIVE, scratch).unwrap())),
    (
        "bundle",
        Open::ReadsPart(|folder, scratch| {
            // Below another folder, as people pack it: a folder with Windows in it is no bundle.
            let sent = scratch.join("sent");
            std::fs::create_dir(&sent).unwrap();
            std::fs::rename(folder.join("Windows"), sent.join("Windows")).unwrap();
            target::open_writable(scratch.to_str().unwrap(), scratch).unwrap()
        }),
    ),
];

/// The Windows in which these tests run. It takes part only where it was made to show the practice machine: `.ci/windows` does that in a Wine
/// prefix of its own and says so. No other Windows is touched.
const LIVE: &str = "live";

fn live_takes_part() -> bool {
    std::env::var("HRESOLVE_LIVE_SHOWS").is_ok_and(|machine| machine == MACHINE)
}

fn those() -> impl Iterator<Item = &'static (&'static str, Open)> {
    let live = live_takes_part();
    KINDS.iter().filter(move |(name, _)| *name != LIVE || live)
}

/// Every kind that shows a whole machine.
fn for_every_kind(read: impl Fn(&str, &dyn Target)) {
    for (name, open) in those() {
        let (folder, scratch) = built();
        match open {
            Open::Writes(open) => read(name, open(folder.path(), scratch.path()).as_target()),
            Open::Reads(open) => read(name, open(folder.path(), scratch.path()).as_ref()),
            Open::ReadsPart(_) => {}
        }
    }
}

fn for_every_kind_that_shows_a_part(mut read: impl FnMut(&str, &mut dyn WritableTarget)) {
    let mut kinds = 0;
    for (name, open) in those() {
        if let Open::ReadsPart(open) = open {
            let (folder, scratch) = built();
            read(name, open(folder.path(), scratch.path()).as_mut());
            kinds += 1;
        }
    }
    assert!(kinds >= 1);
}

/// Those too: what holds for everything that is shown.
fn for_every_kind_and_part(read: impl Fn(&str, &dyn Target)) {
    for_every_kind(&read);
    for_every_kind_that_shows_a_part(|kind, target| read(kind, target.as_target()));
}

fn for_every_kind_that_writes(write: impl Fn(&str, &mut dyn WritableTarget)) {
    let mut kinds = 0;
    for (name, open) in those() {
        if let Open::Writes(open) = open {
            let (folder, scratch) = built();
            write(name, open(folder.path(), scratch.path()).as_mut());
            kinds += 1;
        }
    }
    assert!(kinds >= 3);
}

fn built() -> (tempfile::TempDir, tempfile::TempDir) {
    let (folder, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lab::build(MACHINE, folder.path()).unwrap();
    (folder, scratch)
}

fn path(text: &str) -> VolumePath {
    VolumePath::parse(text).unwrap()
}

fn known<T: std::fmt::Debug>(reading: Reading<T>, what: &str) -> T {
    match reading {
        Reading::Known(value) => value,
        other => unreachable!("{what}: {other:?}"),
    }
}

/// Everything below the Windows folder and in the services key, as this target shows it.
fn whole(target: &dyn Target) -> BTreeMap<String, String> {
    fn folder(target: &dyn Target, at: &VolumePath, all: &mut BTreeMap<String, String>) {
        // Files that a Windows needs to run at all are its own and not the machine's.
        let own = std::env::var("HRESOLVE_LIVE_OWN").unwrap_or_default();
        for name in known(target.list(at), &at.to_string()) {
            if own.split(';').any(|own| own.eq_ignore_ascii_case(&name)) {
                continue;
            }
            let below = at.join(&name);
            let entry = known(target.entry(&below), &below.to_string());
            assert_eq!(entry.path.to_string(), below.to_string(), "a name from the list keeps its spelling");
            // The registry's own files: what is in them is compared key by key below.
            let content = if at.file_name() == "config" {
                all.insert(below.to_string(), String::new());
                continue;
            } else if entry.kind == EntryKind::File {
                known(target.sha256(&below), &below.to_string())
            } else {
                String::new()
            };
            all.insert(below.to_string(), format!("{:?} {} {} {content}", entry.kind, entry.size, entry.modified * i64::from(!content.is_empty())));
            if entry.kind == EntryKind::Folder {
                folder(target, &below, all);
            }
        }
    }
    fn key(target: &dyn Target, at: &str, all: &mut BTreeMap<String, String>) {
        let view = known(target.key(at), at);
        let mut values = view.values;
        values.sort_by(|one, other| one.0.cmp(&other.0));
        all.insert(at.into(), format!("{values:?}"));
        for name in view.subkeys {
            key(target, &format!("{at}\\{name}"), all);
        }
    }
    let mut all = BTreeMap::new();
    folder(target, &target.windows_folder(), &mut all);
    // A Windows that runs makes keys of its own elsewhere while it runs.
    let roots: &[&str] = if live_takes_part() { &[SERVICES] } else { &["HKLM\\SYSTEM", "HKLM\\SOFTWARE"] };
    roots.iter().for_each(|root| key(target, root, &mut all));
    assert!(all.len() > 150, "only {} things", all.len());
    all
}

#[test]
fn every_kind_shows_the_same_machine() {
    let shown = |target: &dyn Target| {
        assert_eq!(target.info().windows.as_ref(), Some(target.windows()));
        assert!(!target.info().path.is_empty());
        assert_eq!(target.machine().len(), 16);
        (whole(target), (target.machine(), target.windows().clone(), target.drive(), target.why_not(), target.notes()))
    };
    let (folder, _scratch) = built();
    let (first, said) = shown(&FolderTarget::open(folder.path(), TargetKind::Folder).unwrap());
    for_every_kind(|kind, target| {
        let (all, says) = shown(target);
        assert_eq!(says, said, "{kind} says something else of itself");
        assert_eq!(differences(&first, &all), [""; 0], "{kind} shows something else");
    });
}

/// What one target shows and the other does not, or otherwise: a line for each thing.
fn differences(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    differ.map(|name| format!("{name}: {:?}, and not {:?}", other.get(name), one.get(name))).collect()
}

#[test]
fn a_file_is_read_in_four_ways_that_agree() {
    for_every_kind_and_part(|kind, target| {
        let file = target.windows_folder().join(FILE);
        let bytes = known(target.read(&file, 1 << 20), kind);
        let entry: Entry = known(target.entry(&file), kind);
        assert_eq!((entry.kind, entry.size), (EntryKind::File, bytes.len() as u64), "{kind}");
        assert_eq!(known(target.sha256(&file), kind), target::sha256(&bytes), "{kind}");
        assert_eq!(known(target.read_start(&file, 7), kind), bytes[..7], "{kind}");
        assert_eq!(known(target.read_start(&file, 1 << 20), kind), bytes, "{kind}: a start that is longer than the file");
        let mut streamed = Vec::new();
        assert_eq!(target.open(&file).into_known().unwrap().read_to_end(&mut streamed).unwrap(), bytes.len(), "{kind}");
        assert_eq!(streamed, bytes, "{kind}: as a stream");
        assert!(matches!(target.read(&file, bytes.len() as u64 - 1), Reading::Unreadable(_)), "{kind}: larger than the limit");
        assert_eq!(known(target.read(&file, bytes.len() as u64), kind), bytes, "{kind}: exactly the limit");
        let shouted = path(&file.to_string().to_uppercase());
        assert_eq!(known(target.entry(&shouted), kind).path, file, "{kind}: the spelling on the disk");
        assert_eq!(known(target.sha256(&shouted), kind), target::sha256(&bytes), "{kind}");
    });
}

/// The kind of answer, without what is in it.
fn answer<T>(reading: Reading<T>) -> &'static str {
    match reading {
        Reading::Known(_) => "known",
        Reading::Absent => "absent",
        Reading::NotCollected => "not collected",
        Reading::Unreadable(_) => "unreadable",
    }
}

#[test]
fn the_four_answers_are_told_apart() {
    for_every_kind(|kind, target| {
        let windows = target.windows_folder();
        let all = |at: &VolumePath| {
            [
                answer(target.entry(at)),
                answer(target.read(at, 9)),
                answer(target.read_start(at, 9)),
                answer(target.open(at)),
                answer(target.sha256(at)),
                answer(target.list(at)),
            ]
        };
        // Looked at, nothing there: also below a folder that is not there.
        for nothing in [NO_FILE, "no such folder\\no such file.dll"] {
            assert_eq!(all(&windows.join(nothing)), ["absent"; 6], "{kind}: {nothing}");
        }
        // Something is there, but not a file or not a folder: that is never "nothing".
        assert_eq!(all(&windows), ["known", "unreadable", "unreadable", "unreadable", "unreadable", "known"], "{kind}: a folder");
        assert_eq!(answer(target.list(&windows.join(FILE))), "unreadable", "{kind}: a file is listed");
        assert_eq!(answer(target.key(SERVICES)), "known", "{kind}");
        assert_eq!(answer(target.key(&format!("{SERVICES}\\no such service"))), "absent", "{kind}");
        assert_eq!(answer(target.value(BITS, "no such value")), "absent", "{kind}");
        assert_eq!(answer(target.value(&format!("{SERVICES}\\no such service"), "Start")), "absent", "{kind}");
        assert_ne!(answer(target.key("HKLM\\SAM\\SAM")), "absent", "{kind}: a hive that is not read says nothing about its keys");
        assert_ne!(answer(target.key("HKLM\\SAM\\SAM")), "known", "{kind}");
    });
}

#[test]
fn a_part_shows_what_the_whole_shows_and_never_that_something_is_absent() {
    let (folder, _scratch) = built();
    let whole = FolderTarget::open(folder.path(), TargetKind::Folder).unwrap();
    for_every_kind_that_shows_a_part(|kind, part| {
        assert_eq!(part.windows(), whole.windows(), "{kind}");
        assert_eq!(part.machine(), whole.machine(), "{kind}");
        let mut files = 0;
        for name in self::whole(&whole).keys().filter(|name| name.starts_with('\\')) {
            let at = path(name);
            let Reading::Known(entry) = part.entry(&at) else {
                assert_eq!(answer(part.list(&at)), "not collected", "{kind}: {name}: a list of some names would prove that others are not there");
                continue;
            };
            assert_eq!(Some(&entry.kind), whole.entry(&at).known().map(|there| &there.kind), "{kind}: {name}");
            if entry.kind == EntryKind::File {
                assert_eq!(part.sha256(&at), whole.sha256(&at), "{kind}: {name}");
                files += 1;
            } else {
                // Folders of logs.
                let all = known(whole.list(&at), kind);
                assert!(known(part.list(&at), kind).iter().all(|name| all.contains(name)), "{kind}: {name}");
            }
        }
        assert!(files > 20, "{kind}: {files}");
        for nothing in [whole.windows_folder().join(NO_FILE), path("no such folder\\no such file.dll"), path("\\"), whole.windows_folder()] {
            assert_eq!(answer(part.entry(&nothing)), "not collected", "{kind}");
            assert_eq!(answer(part.read(&nothing, 9)), "not collected", "{kind}");
            assert_eq!(answer(part.list(&nothing)), "not collected", "{kind}");
        }
        // Inside a hive that is there, absent is absent.
        assert_eq!(answer(part.key(&format!("{SERVICES}\\no such service"))), "absent", "{kind}");
        assert_eq!(answer(part.value(BITS, "no such value")), "absent", "{kind}");
        assert_ne!(answer(part.key("HKLM\\SAM\\SAM")), "absent", "{kind}");
        // Nothing can be done to it, and it says so.
        assert!(!part.why_not().is_empty(), "{kind}");
        let change = [Change::SetValue { key: BITS.into(), name: "Start".into(), old: None, new: RegistryData::dword(4) }];
        assert!(apply(part, &change, Direction::Forward).is_err(), "{kind}");
        assert!(part.hive_states(&change).is_err() && part.check_writable(&change).is_err(), "{kind}");
        assert!(part.store().runs().is_empty(), "{kind}");
    });
}

#[test]
fn a_copy_without_the_files_of_windows_is_not_collected() {
    let (folder, scratch) = built();
    for name in ["ntdll.dll", "kernel32.dll"] {
        std::fs::remove_file(folder.path().join("Windows/System32").join(name)).ok();
    }
    let below = FolderTarget::open(folder.path(), TargetKind::Folder).unwrap();
    let gone = below.windows_folder().join(NO_FILE);
    assert_eq!(answer(below.entry(&gone)), "not collected");
    let overlay = OverlayTarget::new(Box::new(below), StateStore::in_folder(scratch.path()));
    assert_eq!([answer(overlay.entry(&gone)), answer(overlay.read(&gone, 9)), answer(overlay.list(&gone))], ["not collected"; 3]);
}

#[test]
fn keys_are_found_in_any_case_and_by_the_current_set() {
    for_every_kind_and_part(|kind, target| {
        let current = known(target.key(&format!("{SERVICES}\\BITS")), kind);
        assert_eq!(current.path, BITS, "{kind}: the set's number is in the path");
        let shouted = known(target.key(&BITS.to_uppercase()), kind);
        assert_eq!(shouted.values, current.values, "{kind}");
        assert_eq!(known(target.value(BITS, "START"), kind), *current.value("Start").unwrap(), "{kind}");
    });
}

#[test]
fn paths_are_expanded_by_the_machines_own_registry() {
    for_every_kind_and_part(|kind, target| {
        let system32 = target.windows_folder().join("System32");
        for text in ["%SystemRoot%\\System32", "\\SystemRoot\\System32", "\\??\\C:\\Windows\\System32", "C:\\Windows\\System32"] {
            assert_eq!(target.expand(text), Expanded::Here(system32.clone()), "{kind}: {text}");
        }
        assert_eq!(target.expand("Q:\\x"), Expanded::Elsewhere('Q', "\\x".into()), "{kind}");
        assert!(matches!(target.expand("%NoSuchVariable%\\x"), Expanded::Unknown(_)), "{kind}");
    });
}

/// One of each kind of change, as actions plan them.
fn one_of_each(target: &dyn Target) -> Vec<Change> {
    let windows = target.windows_folder();
    let hash = |at: &VolumePath| known(target.sha256(at), "hash");
    let (old_name, file) = (windows.join("System32\\wuaueng.dll.old"), windows.join(FILE));
    let key = format!("{BITS}\\Suite");
    vec![
        Change::SetValue { key: BITS.into(), name: "Start".into(), old: target.value(BITS, "Start").into_known(), new: RegistryData::dword(4) },
        Change::SetValue { key: BITS.into(), name: "Suite".into(), old: None, new: RegistryData::list(&["one", "two"]) },
        Change::DeleteValue { key: BITS.into(), name: "ObjectName".into(), old: known(target.value(BITS, "ObjectName"), "ObjectName") },
        Change::CreateKey { key: key.clone() },
        Change::SetValue { key, name: "In it".into(), old: None, new: RegistryData::text(1, "Grüße") },
        Change::Rename { identity: Some(hash(&old_name)), from: old_name, to: windows.join("System32\\wuaueng.dll") },
        Change::Rename { from: windows.join("SoftwareDistribution"), to: windows.join("SoftwareDistribution.suite"), identity: None },
        Change::CreateFolder { path: windows.join("Suite") },
        Change::HardLink { sha256: hash(&file), existing: file.clone(), path: windows.join("System32\\second name.dll") },
        Change::RemoveKey { key: WUAUSERV.into(), tree: known(target.key_tree(WUAUSERV), "tree") },
        Change::PutKey { key: "HKLM\\SYSTEM\\ControlSet001\\Services\\Copied".into(), tree: known(target.key_tree(WUAUSERV), "tree") },
        Change::PutFile { sha256: hash(&file), from: FileOrigin::Volume(file), path: windows.join("System32\\copied.dll") },
    ]
}

fn apply(target: &mut dyn WritableTarget, changes: &[Change], direction: Direction) -> Result<(), TargetError> {
    target.apply(changes, direction, &mut |_: &HiveIntent| Ok(()))
}

#[test]
fn every_kind_of_change_is_made_read_back_and_taken_back() {
    for_every_kind_that_writes(|kind, target| {
        let before = whole(target.as_target());
        let changes = one_of_each(target.as_target());
        let file = target.windows_folder().join(FILE);
        let content = known(target.read(&file, 1 << 20), "content");
        let tree = known(target.key_tree(WUAUSERV), "tree");
        assert!(tree.keys() > 1 && tree.all_values() > 3, "{kind}: {tree:?}");
        target.check_writable(&changes).unwrap();
        // A file is put only with content that was handed over and is what was planned.
        let put = changes.iter().find(|change| matches!(change, Change::PutFile { .. })).unwrap();
        assert!(apply(target, std::slice::from_ref(put), Direction::Forward).is_err(), "{kind}: nothing was handed over");
        target.offer(&target::sha256(&content), b"something else".to_vec());
        assert!(apply(target, std::slice::from_ref(put), Direction::Forward).is_err(), "{kind}: something else was handed over");
        assert!(whole(target.as_target()) == before, "{kind}: what was refused changed something");
        target.offer(&target::sha256(&content), content.clone());
        for change in &changes {
            assert_eq!(target.observe(change), Reading::Known(Observed::Old), "{kind}: {change:?}");
            apply(target, std::slice::from_ref(change), Direction::Forward).unwrap_or_else(|error| unreachable!("{kind}: {change:?}: {error}"));
            assert_eq!(target.observe(change), Reading::Known(Observed::New), "{kind}: {change:?}");
        }
        let windows = target.windows_folder();
        let after = whole(target.as_target());
        // Read back by the plain reading methods, not by `observe`.
        assert_eq!(target.value(BITS, "Start"), Reading::Known(RegistryData::dword(4)), "{kind}");
        assert_eq!(known(target.value(BITS, "Suite"), kind).as_list().unwrap(), ["one", "two"], "{kind}");
        assert!(target.value(BITS, "ObjectName").is_absent(), "{kind}");
        assert!(known(target.key(BITS), kind).has_subkey("Suite"), "{kind}");
        assert_eq!(known(target.value(&format!("{BITS}\\Suite"), "In it"), kind).as_text().unwrap(), "Grüße", "{kind}");
        assert!(target.entry(&windows.join("System32\\wuaueng.dll.old")).is_absent(), "{kind}");
        assert!(target.list(&windows.join("SoftwareDistribution")).is_absent(), "{kind}");
        assert_eq!(known(target.list(&windows.join("Suite")), kind), [""; 0], "{kind}");
        assert_eq!(target.sha256(&windows.join("System32\\second name.dll")), target.sha256(&windows.join(FILE)), "{kind}");
        assert!(target.key(WUAUSERV).is_absent() && target.key(&format!("{WUAUSERV}\\Parameters")).is_absent(), "{kind}");
        assert!(!known(target.key(SERVICES), kind).has_subkey("wuauserv"), "{kind}");
        assert_eq!(known(target.key_tree(&format!("{SERVICES}\\Copied")), kind).subkeys.len(), tree.subkeys.len(), "{kind}");
        assert_eq!(known(target.read(&windows.join("System32\\copied.dll"), 1 << 20), kind), content, "{kind}");
        for change in changes.iter().rev() {
            apply(target, std::slice::from_ref(change), Direction::Back).unwrap_or_else(|error| unreachable!("{kind}: {change:?}: {error}"));
            assert_eq!(target.observe(change), Reading::Known(Observed::Old), "{kind}: {change:?}");
        }
        assert!(whole(target.as_target()) == before, "{kind}: as before");
        // All in one call gives the same as one by one. A file that is put bears the time at which it was written, so of that one
        // only the content is compared.
        apply(target, &changes, Direction::Forward).unwrap();
        let without_the_put_file = |mut all: BTreeMap<String, String>| {
            assert!(all.remove(&windows.join("System32\\copied.dll").to_string()).is_some(), "{kind}");
            all
        };
        assert!(without_the_put_file(whole(target.as_target())) == without_the_put_file(after), "{kind}: at once");
        assert_eq!(known(target.read(&windows.join("System32\\copied.dll"), 1 << 20), kind), content, "{kind}: at once");
        apply(target, &changes, Direction::Back).unwrap();
        assert!(whole(target.as_target()) == before, "{kind}: as before, at once");
    });
}

#[test]
fn what_is_not_as_expected_is_refused_and_stays() {
    for_every_kind_that_writes(|kind, target| {
        let before = whole(target.as_target());
        let windows = target.windows_folder();
        let file_hash = target.sha256(&windows.join(FILE)).into_known();
        let wrong = [
            Change::SetValue { key: BITS.into(), name: "Start".into(), old: Some(RegistryData::dword(77)), new: RegistryData::dword(4) },
            Change::SetValue { key: format!("{BITS}\\Nowhere"), name: "x".into(), old: Some(RegistryData::dword(1)), new: RegistryData::dword(2) },
            Change::DeleteValue { key: BITS.into(), name: "Start".into(), old: RegistryData::dword(77) },
            Change::Rename { identity: file_hash, from: windows.join(FILE), to: windows.join("System32\\wuaueng.dll.old") },
            Change::Rename { from: windows.join(FILE), to: windows.join(NO_FILE), identity: Some("0".repeat(64)) },
            Change::CreateFolder { path: windows.join(FILE) },
            Change::HardLink { existing: windows.join(FILE), path: windows.join("System32\\wuaueng.dll.old"), sha256: "0".repeat(64) },
            // A key that is not what it was when this was planned, one that is there already, and one that holds too much.
            Change::RemoveKey { key: WUAUSERV.into(), tree: KeyTree::default() },
            Change::PutKey { key: WUAUSERV.into(), tree: KeyTree::default() },
            Change::RemoveKey {
                key: "HKLM\\SYSTEM\\ControlSet001\\Services".into(),
                tree: target.key_tree(SERVICES).into_known().unwrap_or_default(),
            },
            // Nothing is put over what is there, nor among the hives.
            Change::PutFile { path: windows.join(FILE), sha256: "0".repeat(64), from: FileOrigin::Source("x".into()) },
            Change::PutFile { path: windows.join("System32\\config\\new"), sha256: "0".repeat(64), from: FileOrigin::Source("x".into()) },
            // What Windows needs is never renamed.
            Change::Rename { from: windows.join("System32"), to: windows.join("System33"), identity: None },
        ];
        for change in &wrong {
            assert!(apply(target, std::slice::from_ref(change), Direction::Forward).is_err(), "{kind}: {change:?}");
            assert!(whole(target.as_target()) == before, "{kind}: {change:?} changed something");
        }
    });
}

#[test]
fn a_hive_that_is_a_file_is_replaced_only_after_it_was_recorded_and_comes_back_by_bytes() {
    let mut with_files = 0;
    for (kind, open) in those() {
        let Open::Writes(open) = open else { continue };
        let (folder, scratch) = built();
        let mut target = open(folder.path(), scratch.path());
        let change = [Change::SetValue { key: BITS.into(), name: "Suite".into(), old: None, new: RegistryData::dword(1) }];
        let states = target.hive_states(&change).unwrap();
        // No files: the live registry, and a layer in memory.
        let [first] = &states[..] else { continue };
        with_files += 1;
        let bytes = target.hive_bytes(&first.hive).unwrap();
        assert_eq!(target::sha256(&bytes), first.primary, "{kind}");
        let refused = target.apply(&change, Direction::Forward, &mut |_: &HiveIntent| Err("no room".into()));
        assert!(refused.is_err(), "{kind}");
        assert_eq!(&target.hive_state(&first.hive).unwrap(), first, "{kind}: not recorded, so not written");
        let mut announced = Vec::new();
        target
            .apply(&change, Direction::Forward, &mut |intent: &HiveIntent| {
                announced.push((intent.before.primary.clone(), intent.after.clone()));
                Ok(())
            })
            .unwrap();
        let second = target.hive_state(&first.hive).unwrap();
        assert_eq!(announced, [(first.primary.clone(), second.primary.clone())], "{kind}");
        assert_ne!(first.primary, second.primary, "{kind}");
        target.restore_hive(&first.hive, &bytes, first.modified).unwrap();
        assert_eq!(&target.hive_state(&first.hive).unwrap(), first, "{kind}: bytes and time of last write");
        assert!(target.value(BITS, "Suite").is_absent(), "{kind}");
    }
    assert!(with_files >= 2);
}

#[test]
fn no_disk_and_no_bundle_has_a_clock() {
    for_every_kind_and_part(|kind, target| {
        if kind == LIVE {
            return;
        }
        assert_eq!((answer(target.clock()), answer(target.running())), ("not collected", "not collected"), "{kind}");
    });
    for_every_kind_that_writes(|kind, target| {
        if kind == LIVE {
            return;
        }
        let before = whole(target.as_target());
        assert!(target.set_clock(target::now()).is_err(), "{kind}");
        let change = Change::SetClock { from: 0, to: 86_400, running: 0 };
        assert_eq!(answer(target.observe(&change)), "not collected", "{kind}");
        for direction in [Direction::Forward, Direction::Back] {
            assert!(apply(target, std::slice::from_ref(&change), direction).is_err(), "{kind}: a clock is never set among other changes");
        }
        assert_eq!(before, whole(target.as_target()), "{kind}");
    });
}
