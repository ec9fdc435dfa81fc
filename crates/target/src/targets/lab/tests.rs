//! Tests over all machines: each one builds, the same way each time, and differs from its base only where it says so.

mod defaults;
mod oracles;

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Relative path to a description of everything below a folder: content, link target, read-only attribute.
fn listing(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, out: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            let data = fs::symlink_metadata(&path).unwrap();
            let says = if data.is_symlink() {
                format!("link {}", fs::read_link(&path).unwrap().display())
            } else if data.is_dir() {
                walk(root, &path, out);
                "folder".to_string()
            } else {
                let bytes = fs::read(&path).unwrap();
                let sum = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3));
                format!("file {} {sum:016x} read-only {} dated {:?}", bytes.len(), data.permissions().readonly(), data.modified().unwrap())
            };
            out.insert(name, says);
        }
    }
    let mut out = BTreeMap::new();
    walk(root, root, &mut out);
    out
}

fn built(name: &str) -> (tempfile::TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join(name);
    build(name, &folder).unwrap_or_else(|error| unreachable!("{name}: {error}"));
    (scratch, folder)
}

/// What is packed into the program, compared with the folders it was made from.
#[test]
fn every_text_is_unpacked_as_it_was_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../machines");
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    for machine in machines() {
        let folder = folder.join(machine.name);
        assert_eq!(expected(machine.name).unwrap(), read(folder.join("expected.md")), "{}", machine.name);
        let texts = texts(machine.name).unwrap();
        assert_eq!(texts.files, read(folder.join("files.txt")), "{}", machine.name);
        let written = fs::read_dir(&folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "reg"));
        assert_eq!(texts.hives.len(), written.count(), "{}", machine.name);
        for (hive, text) in texts.hives {
            assert_eq!(text, read(folder.join(format!("{hive}.reg"))), "{}: {hive}", machine.name);
            assert!(!text.is_empty(), "{}: {hive}", machine.name);
        }
    }
}

#[test]
fn every_machine_builds_and_is_small() {
    let all = machines();
    assert!(all.len() >= 40, "only {} machines", all.len());
    for machine in all {
        let (_keep, folder) = built(machine.name);
        let total: u64 = listing(&folder).values().filter_map(|says| says.strip_prefix("file ")?.split(' ').next()?.parse::<u64>().ok()).sum();
        assert!(total < 2 * 1024 * 1024, "{} has {total} bytes", machine.name);
        for file in ["Windows/System32/config/SYSTEM", "Windows/System32/config/SOFTWARE", "Windows/System32/ntdll.dll"] {
            assert!(folder.join(file).is_file(), "{}: {file}", machine.name);
        }
    }
}

#[test]
fn front_matter_of_every_machine_is_complete() {
    for machine in machines() {
        let text = expected(machine.name).unwrap();
        let front = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map(|(front, _)| front).unwrap_or_default();
        for key in ["machine", "base", "windows", "sick", "cites", "expect", "code", "diagnose_exit", "fix_exit"] {
            assert!(front.lines().any(|line| line.starts_with(&format!("{key}:"))), "{}: {key} is missing", machine.name);
        }
        assert!(front.contains(&format!("machine: {}\n", machine.name)), "{}: the name differs from the folder's", machine.name);
        assert_eq!(machine.sick, front.contains("  - cause: "), "{}: sick and expect disagree", machine.name);
        assert!(["6.1.", "6.3.", "10.0."].iter().any(|version| machine.windows.starts_with(version)), "{}", machine.name);
        if let Some(base) = machine.base {
            let base = machines().into_iter().find(|other| other.name == base).unwrap_or_else(|| unreachable!("{}: no base {base}", machine.name));
            assert_eq!((base.base, base.windows, base.sick), (None, machine.windows, false), "{}", machine.name);
        }
    }
}

#[test]
fn building_twice_gives_the_same() {
    for machine in machines() {
        let (_one, first) = built(machine.name);
        let (_two, second) = built(machine.name);
        assert_eq!(listing(&first), listing(&second), "{}", machine.name);
    }
}

/// A machine's own texts and those of its base, base first.
fn layers(machine: &MachineInfo) -> Vec<MachineTexts> {
    machine.base.into_iter().chain([machine.name]).map(|name| texts(name).unwrap()).collect()
}

/// The keys of one hive of a machine, from its texts.
fn keys(machine: &MachineInfo, hive: &str) -> hives::Keys {
    let layers = layers(machine);
    let texts: Vec<(&MachineTexts, &str)> =
        layers.iter().flat_map(|layer| layer.hives.iter().filter(|(name, _)| name == hive).map(move |(_, text)| (layer, text.as_str()))).collect();
    hives::keys(hive, &texts).unwrap()
}

#[test]
fn a_machine_differs_from_its_base_only_where_it_says_so() {
    for machine in machines() {
        let Some(base) = machine.base else { continue };
        let (_one, base) = built(base);
        let (_two, own) = built(machine.name);
        let (base, own) = (listing(&base), listing(&own));
        let differing: BTreeSet<&String> = base.keys().chain(own.keys()).filter(|name| base.get(*name) != own.get(*name)).collect();
        let named = overlap::named(&texts(machine.name).unwrap()).unwrap();
        assert!(!differing.is_empty(), "{} is its base", machine.name);
        for name in &differing {
            let covered = named.iter().any(|path| *name == path || name.starts_with(&format!("{path}/")) || path.starts_with(&format!("{name}/")));
            assert!(covered, "{}: {name} differs", machine.name);
        }
        // And every hive text changes its hive.
        for (hive, _) in texts(machine.name).unwrap().hives {
            assert!(differing.contains(&hives::path_of(&hive)), "{}: {hive}.reg changes nothing", machine.name);
        }
    }
}

#[test]
fn system32_files_are_hard_links_to_the_component_store() {
    let (_keep, folder) = built("healthy-10-22h2");
    let own = folder.join("Windows/System32/wuaueng.dll");
    let twins: Vec<PathBuf> = fs::read_dir(folder.join("Windows/WinSxS"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("wuaueng.dll"))
        .filter(|path| path.is_file())
        .collect();
    assert_eq!(twins.len(), 2, "the current version and a superseded one: {twins:?}");
    // What is written through one name of a file shows under its other names.
    fs::write(&own, "changed").unwrap();
    assert_eq!(twins.iter().filter(|path| fs::read(path).unwrap() == b"changed").count(), 1);
}

#[test]
fn combined_machines_show_the_faults_of_each() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("combined");
    build_combined("healthy-10-22h2", &["dll-deleted-10", "catalog-database-torn-10", "bits-dll-value-missing-10"], &folder).unwrap();
    assert!(!folder.join("Windows/System32/wuaueng.dll").exists());
    let wrong = build_combined("healthy-10-22h2", &["cryptsvc-off-11"], &scratch.path().join("wrong"));
    assert!(matches!(wrong, Err(LabError::OtherBase { .. })));
    let both = build_combined("healthy-10-22h2", &["blocker-left-a-file-10", "update-history-damaged-10"], &scratch.path().join("both"));
    assert!(matches!(both, Err(LabError::Overlap { .. })));
    assert!(!scratch.path().join("both").exists());
}

/// Of fewer machines most pairs may lie on the same object; `demo --random` does not use such a base.
const ENOUGH_TO_DRAW_FROM: usize = 10;

/// `demo --random` draws from these: every pair that is accepted must also build.
#[test]
fn every_accepted_pair_builds() {
    for base in machines().into_iter().filter(|machine| machine.base.is_none()) {
        let sick: Vec<&str> =
            machines().into_iter().filter(|machine| machine.sick && machine.base == Some(base.name)).map(|machine| machine.name).collect();
        let mut accepted = 0;
        for (index, one) in sick.iter().enumerate() {
            for other in sick.iter().skip(index + 1).filter(|other| can_combine(base.name, &[one, other])) {
                accepted += 1;
                let layers = layers_of(base.name, &[one, other]).unwrap();
                tree_of(&texts(base.name).unwrap(), &layers).unwrap_or_else(|error| unreachable!("{one} and {other}: {error}"));
            }
        }
        assert!(sick.len() < ENOUGH_TO_DRAW_FROM || accepted > sick.len(), "{}: only {accepted} pairs of {}", base.name, sick.len());
    }
}

#[test]
fn a_folder_that_holds_something_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("file"), "mine").unwrap();
    assert!(matches!(build("healthy-7", scratch.path()), Err(LabError::NotEmpty { .. })));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    assert!(matches!(build("no such", &scratch.path().join("new")), Err(LabError::NoSuchMachine { .. })));
}

#[test]
fn a_mistake_in_a_text_names_machine_file_and_line() {
    let base = MachineTexts { name: "made-up".into(), files: "dir Windows\n# then\ndelete Windows/nothing\n".into(), hives: vec![] };
    let error = build_from(&base, &[], &tempfile::tempdir().unwrap().path().join("x")).unwrap_err();
    assert_eq!(error.to_string(), "machines/made-up/files.txt, line 3: Windows/nothing is not there.");
    let reg = "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\n\"x\"=-\n";
    let base = MachineTexts { name: "made-up".into(), files: String::new(), hives: vec![("SYSTEM".into(), reg.into())] };
    let error = build_from(&base, &[], &tempfile::tempdir().unwrap().path().join("x")).unwrap_err();
    assert_eq!(error.to_string(), "machines/made-up/SYSTEM.reg, line 2: the value \"x\" to delete is not there.");
}

#[test]
fn every_folder_of_machines_is_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../machines");
    let mut folders: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, machines().iter().map(|machine| machine.name).collect::<Vec<_>>(), "a folder without expected.md is not a machine");
}
