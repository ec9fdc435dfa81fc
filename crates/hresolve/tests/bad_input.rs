//! What is no Windows, or a broken one: the exit code of the interface, one clear sentence, nothing written, no hang.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]
#![cfg(unix)]

mod common;
#[path = "common/real.rs"]
mod real;

use common::{HRESOLVE, Machine, Ran, fingerprint, has_program, skip};
use real::{assert_same, bounded};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "Windows/System32/config";

/// Everything below a folder with its times of last write; folders too, because making and removing a file there leaves a trace.
/// Never opens anything, so pipes and unreadable files are fine.
fn times(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        all.insert(path.clone(), format!("{:o} {} {} {}", metadata.mode(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()));
        if metadata.is_dir() {
            waiting.extend(std::fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path()));
        }
    }
    all
}

/// A command of the real program; every verb that opens a target.
fn verbs() -> [&'static [&'static str]; 6] {
    [&[], &["diagnose"], &["diagnose", "0x80070002"], &["fix", "--yes"], &["undo"], &["runs"]]
}

fn command(words: &[&str], target: &Path) -> Command {
    let mut command = Command::new(HRESOLVE);
    command.args(words).arg("--target").arg(target);
    command
}

/// One sentence or two for a person, on standard error, with nothing of the program's inside in it.
fn is_clear(ran: &Ran, what: &str) {
    assert_eq!(ran.stdout, "", "{what}");
    let says = ran.stderr.trim_end();
    assert!(!says.is_empty() && says.ends_with(['.', '?']) && says.lines().count() == 1, "{what}: {says:?}");
    for word in ["panicked", "unwrap", "Err(", "Some(", "None", "Os {", "os error 2)"] {
        assert!(!says.contains(word), "{what}: {says:?}");
    }
}

fn is_json(ran: &Ran, exit: i32, what: &str) {
    let json = ran.json();
    assert!(json.is_object(), "{what}");
    assert_eq!((json["schema"].as_str(), json["exit"].as_i64()), (Some("hresolve/error/1"), Some(exit.into())), "{what}\n{}", ran.stdout);
    assert!(json["error"].as_str().unwrap().len() > 20, "{what}");
}

/// Every verb answers with that exit code, and nothing changes below `root`.
fn refused(what: &str, target: &Path, root: &Path, exit: i32, names: &[&str]) {
    let before = times(root);
    for words in verbs() {
        let what = format!("{what}: {words:?}");
        let ran = bounded(&mut command(words, target));
        assert_eq!(ran.exit, exit, "{what}\n{}{}", ran.stdout, ran.stderr);
        is_clear(&ran, &what);
        for name in names {
            assert!(ran.stderr.contains(name), "{what} does not say {name:?}: {}", ran.stderr);
        }
        let ran = bounded(command(words, target).arg("--json"));
        assert_eq!(ran.exit, exit, "{what} --json");
        is_json(&ran, exit, &what);
    }
    assert_same(&before, &times(root));
}

/// A folder with nothing but SYSTEM and SOFTWARE of a machine: small, so that many can be broken.
fn hives_of(machine: &Machine) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join(CONFIG);
    std::fs::create_dir_all(&config).unwrap();
    for name in ["SYSTEM", "SOFTWARE"] {
        std::fs::copy(machine.path().join(CONFIG).join(name), config.join(name)).unwrap();
    }
    folder
}

/// Opens healthy: what the broken ones below are compared with.
#[test]
fn the_folder_itself_can_be_opened() {
    let folder = hives_of(&Machine::build("healthy-10-22h2"));
    let before = times(folder.path());
    assert_eq!(bounded(&mut command(&["diagnose"], folder.path())).exit, 4);
    for target in [folder.path().join("Windows"), folder.path().join("./Windows/")] {
        assert_eq!(bounded(&mut command(&["diagnose"], &target)).exit, 4, "{}", target.display());
    }
    assert_same(&before, &times(folder.path()));
}

#[test]
fn what_is_no_windows() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    refused("an empty folder", root, root, 3, &["not a Windows"]);
    refused("a missing path", &root.join("nothing/here"), root, 3, &["nothing at"]);
    std::fs::write(root.join("disk.img"), vec![0_u8; 1 << 20]).unwrap();
    refused("an image", &root.join("disk.img"), root, 3, &["disk.img", "Mount"]);
    refused("below a file", &root.join("disk.img/Windows"), root, 3, &["disk.img"]);
    std::fs::create_dir_all(root.join("half/Windows/System32")).unwrap();
    refused("a Windows folder without config", &root.join("half"), root, 3, &["not a Windows"]);
    std::fs::create_dir_all(root.join("config/Windows/System32/config")).unwrap();
    refused("an empty config", &root.join("config"), root, 3, &["SYSTEM", "missing"]);
    std::fs::create_dir_all(root.join("file/Windows/System32")).unwrap();
    std::fs::write(root.join("file/Windows/System32/config"), b"x").unwrap();
    refused("config is a file", &root.join("file"), root, 3, &[]);
    let status = Command::new("mkfifo").arg(root.join("pipe")).status();
    if status.is_ok_and(|status| status.success()) {
        refused("a pipe", &root.join("pipe"), root, 3, &["pipe"]);
    }
    refused("a device", Path::new("/dev/null"), root, 3, &["/dev/null"]);
}

#[test]
fn words_that_name_no_target() {
    for (words, exit) in [
        (&["diagnose"][..], 2),
        (&["fix", "--yes"], 2),
        (&["diagnose", "live"], 2),
        (&["diagnose", "lab:no-such-machine"], 2),
        (&["diagnose", "--target", ""], 3),
        // What stands before a command would be passed over.
        (&["0x80070002", "--quiet", "fix", "--yes"], 2),
        (&["--target", "lab:three-faults-10", "fix", "--yes"], 2),
    ] {
        let ran = bounded(Command::new(HRESOLVE).args(words));
        assert_eq!(ran.exit, exit, "{words:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{words:?}");
        let ran = bounded(Command::new(HRESOLVE).args(words).arg("--json"));
        is_json(&ran, exit, &format!("{words:?}"));
    }
}

#[test]
fn options_of_every_command_may_stand_before_it() {
    let machine = Machine::build("two-faults-10");
    let (before, after) = (machine.run(&["--json", "--verbose", "diagnose"]), machine.run(&["diagnose", "--json", "--verbose"]));
    assert_eq!((before.exit, before.json()["findings"].clone()), (1, after.json()["findings"].clone()));
}

#[test]
fn a_hive_that_is_missing_empty_or_garbage() {
    let machine = Machine::build("healthy-10-22h2");
    for name in ["SYSTEM", "SOFTWARE"] {
        let folder = hives_of(&machine);
        let (root, hive) = (folder.path(), folder.path().join(CONFIG).join(name));
        let good = std::fs::read(&hive).unwrap();
        std::fs::remove_file(&hive).unwrap();
        refused("missing", root, root, 3, &[name, "missing"]);
        std::fs::create_dir(&hive).unwrap();
        refused("a folder", root, root, 3, &[name]);
        std::fs::remove_dir(&hive).unwrap();
        if Command::new("mkfifo").arg(&hive).status().is_ok_and(|status| status.success()) {
            refused("a pipe", root, root, 3, &[name]);
            std::fs::remove_file(&hive).unwrap();
        }
        let mut scattered = good.clone();
        for at in (4096..scattered.len()).step_by(37) {
            scattered[at] ^= 0xa5;
        }
        let text = b"this is not a registry hive\n".repeat(400);
        for (what, bytes) in [("zero length", &[][..]), ("zeroes", &vec![0; 8192]), ("text", &text), ("garbage after the header", &scattered)] {
            std::fs::write(&hive, bytes).unwrap();
            refused(what, root, root, 3, &[name]);
        }
        // The header alone, with a size that lies.
        let mut lying = good[..4096].to_vec();
        lying[40..44].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
        std::fs::write(&hive, &lying).unwrap();
        refused("a header with a size of 2 GB", root, root, 3, &[name]);
    }
}

#[test]
fn a_hive_cut_short_anywhere() {
    let machine = Machine::build("healthy-10-22h2");
    for name in ["SYSTEM", "SOFTWARE"] {
        let folder = hives_of(&machine);
        let (root, hive) = (folder.path(), folder.path().join(CONFIG).join(name));
        let good = std::fs::read(&hive).unwrap();
        let edges = [1, 3, 4, 47, 511, 512, 4095, 4096, 4097, 4128, 8191, good.len() - 4097, good.len() - 4096, good.len() - 512, good.len() - 1];
        let spread = (1..24).map(|part| good.len() * part / 24);
        for length in edges.into_iter().chain(spread) {
            std::fs::write(&hive, &good[..length]).unwrap();
            let before = times(root);
            for words in [&["diagnose"][..], &["fix", "--yes"], &["undo"]] {
                let ran = bounded(&mut command(words, root));
                assert_eq!(ran.exit, 3, "{name} cut to {length} of {}: {words:?}\n{}{}", good.len(), ran.stdout, ran.stderr);
                is_clear(&ran, &format!("{name} cut to {length}"));
                assert!(ran.stderr.contains(name), "{}", ran.stderr);
            }
            assert_same(&before, &times(root));
        }
    }
}

/// A real hive, dirty, with its logs, cut anywhere: opened as far as Windows would, or refused; never a panic, never written by `diagnose`.
#[test]
fn a_real_dirty_hive_or_log_cut_short() {
    let Some(dirty) = real::Dirty::read() else { return };
    let machine = Machine::build("healthy-10-1709");
    real::older_than_the_hive(machine.path());
    let config = machine.path().join(CONFIG);
    let whole = [("SYSTEM", &dirty.primary), ("SYSTEM.LOG1", &dirty.log1), ("SYSTEM.LOG2", &dirty.log2)];
    for (cut, bytes) in whole {
        for part in [0, 1, 3, 8, 15] {
            for (name, bytes) in whole {
                std::fs::write(config.join(name), bytes).unwrap();
            }
            std::fs::write(config.join(cut), &bytes[..bytes.len() * part / 16 + usize::from(part > 0)]).unwrap();
            let before = times(machine.path());
            let ran = bounded(&mut command(&["diagnose"], machine.path()));
            assert!(matches!(ran.exit, 0 | 3 | 4), "{cut} cut to {part}/16: exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
            if cut == "SYSTEM" {
                assert_eq!(ran.exit, 3, "the hive is cut to {part}/16\n{}", ran.stdout);
                is_clear(&ran, cut);
            }
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            assert_same(&before, &times(machine.path()));
        }
    }
}

/// What a test does to a hive.
type Change<'c> = &'c dyn Fn(&mut hive::Edit<'_>);

/// A machine in a hive's own words: `SOFTWARE` without a version, `Select` that names what is not there.
#[test]
fn hives_that_do_not_describe_a_windows() {
    let machine = Machine::build("healthy-10-22h2");
    let now = 0;
    let edited = |name: &str, change: Change<'_>| {
        let folder = hives_of(&machine);
        let path = folder.path().join(CONFIG).join(name);
        let hive::Recovered::Clean(clean) = hive::recover(std::fs::read(&path).unwrap(), &[]).unwrap() else { unreachable!("it is clean") };
        let mut edit = clean.edit();
        change(&mut edit);
        std::fs::write(&path, edit.commit(now).unwrap().hive.bytes()).unwrap();
        folder
    };
    let version = r"Microsoft\Windows NT\CurrentVersion";
    let cases: [(&str, &str, Change<'_>, &str); 6] = [
        (
            "no version key",
            "SOFTWARE",
            &|edit| {
                edit.delete_key(version);
            },
            "CurrentBuildNumber",
        ),
        (
            "no build number",
            "SOFTWARE",
            &|edit| {
                edit.delete_value(version, "CurrentBuildNumber").delete_value(version, "CurrentBuild");
            },
            "CurrentBuildNumber",
        ),
        (
            "no Select",
            "SYSTEM",
            &|edit| {
                edit.delete_key("Select");
            },
            "Select",
        ),
        (
            "no Default",
            "SYSTEM",
            &|edit| {
                edit.delete_value("Select", "Default");
            },
            "Select",
        ),
        (
            "a missing control set",
            "SYSTEM",
            &|edit| {
                edit.set_value("Select", "Default", 4, &7_u32.to_le_bytes());
            },
            "control set 7",
        ),
        (
            "a control set of the wrong type",
            "SYSTEM",
            &|edit| {
                edit.set_value("Select", "Default", 1, &hive::encode_sz("1"));
            },
            "Select",
        ),
    ];
    for (what, name, change, says) in cases {
        let folder = edited(name, change);
        refused(what, folder.path(), folder.path(), 3, &[name, says]);
    }
    // The two hives in each other's place.
    let folder = hives_of(&machine);
    let config = folder.path().join(CONFIG);
    std::fs::rename(config.join("SYSTEM"), config.join("x")).unwrap();
    std::fs::rename(config.join("SOFTWARE"), config.join("SYSTEM")).unwrap();
    std::fs::rename(config.join("x"), config.join("SOFTWARE")).unwrap();
    refused("hives exchanged", folder.path(), folder.path(), 3, &["SYSTEM"]);
}

#[test]
fn names_that_differ_only_in_case() {
    let machine = Machine::build("healthy-10-22h2");
    let folder = hives_of(&machine);
    let config = folder.path().join(CONFIG);
    std::fs::copy(config.join("SYSTEM"), config.join("system")).unwrap();
    refused("SYSTEM and system", folder.path(), folder.path(), 3, &["case"]);
    let folder = hives_of(&machine);
    std::fs::create_dir(folder.path().join("windows")).unwrap();
    refused("Windows and windows", folder.path(), folder.path(), 3, &["case"]);
    // One name in another spelling is what Windows means.
    let folder = hives_of(&machine);
    std::fs::rename(folder.path().join(CONFIG), folder.path().join("Windows/System32/CONFIG")).unwrap();
    std::fs::rename(folder.path().join("Windows/System32"), folder.path().join("Windows/SYSTEM32")).unwrap();
    std::fs::rename(folder.path().join("Windows"), folder.path().join("WINDOWS")).unwrap();
    assert_eq!(bounded(&mut command(&["diagnose"], folder.path())).exit, 4);
}

#[test]
fn links_in_circles_and_out_of_the_volume() {
    let machine = Machine::build("healthy-10-22h2");
    let elsewhere = hives_of(&machine);
    let outside = times(elsewhere.path());
    let circle = |root: &Path| {
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
    };
    let folder = tempfile::tempdir().unwrap();
    circle(folder.path());
    refused("a circle of links", &folder.path().join("a"), folder.path(), 3, &["a"]);

    let folder = tempfile::tempdir().unwrap();
    symlink("Windows", folder.path().join("Windows")).unwrap();
    refused("Windows leads to itself", folder.path(), folder.path(), 3, &["circle"]);

    for (what, name, keep) in
        [("Windows", "Windows", ""), ("config", CONFIG, "Windows/System32"), ("SYSTEM", "Windows/System32/config/SYSTEM", CONFIG)]
    {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(keep)).unwrap();
        if what == "SYSTEM" {
            std::fs::copy(elsewhere.path().join(CONFIG).join("SOFTWARE"), folder.path().join(CONFIG).join("SOFTWARE")).unwrap();
        }
        symlink(elsewhere.path().join(name), folder.path().join(name)).unwrap();
        refused(&format!("{what} lies outside"), folder.path(), folder.path(), 3, &["volume"]);
        std::fs::remove_file(folder.path().join(name)).unwrap();
        let up = "../".repeat(name.matches('/').count() + 1);
        let relative = format!("{up}{}/{name}", elsewhere.path().file_name().unwrap().to_str().unwrap());
        symlink(relative, folder.path().join(name)).unwrap();
        refused(&format!("{what} lies outside, by .."), folder.path(), folder.path(), 3, &["volume"]);
    }
    assert_same(&outside, &times(elsewhere.path()));
}

/// `fix` on a machine with a fault, whose fault lies behind links out of the volume: nothing is written there.
#[test]
fn a_repair_does_not_leave_the_volume() {
    let machine = Machine::build("update-cache-lost");
    let outside = tempfile::tempdir().unwrap();
    let real = machine.path().join("Windows/SoftwareDistribution");
    let moved = outside.path().join("SoftwareDistribution");
    let status = Command::new("mv").args([&real, &moved]).status().unwrap();
    assert!(status.success());
    symlink(&moved, &real).unwrap();
    let before = times(outside.path());
    for words in [&["diagnose"][..], &["fix", "--yes"], &["fix", "--yes", "0x80070002"], &["undo"]] {
        let ran = bounded(&mut command(words, machine.path()));
        assert!((0..=6).contains(&ran.exit), "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert_same(&before, &times(outside.path()));
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// The program as a user without rights: a copy that this user can reach.
struct Nobody {
    folder: tempfile::TempDir,
}

impl Nobody {
    fn new() -> Option<Nobody> {
        if !is_root() || !has_program("setpriv") {
            skip("dropping root's rights needs root and the program setpriv");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::copy(HRESOLVE, folder.path().join("hresolve")).unwrap();
        let nobody = Nobody { folder };
        let ran = bounded(nobody.command(&["--version"]).env("HOME", "/"));
        if ran.exit != 0 {
            skip(&format!("user 65534 cannot start the program from {}: {}", nobody.folder.path().display(), ran.stderr));
            return None;
        }
        Some(nobody)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(self.folder.path().join("hresolve")).args(words);
        command
    }
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read() {
    let Some(nobody) = Nobody::new() else { return };
    let machine = Machine::build("healthy-10-22h2");
    for (what, name, closed, open) in [
        ("the hive", "Windows/System32/config/SYSTEM", 0o600, 0o644),
        ("the other hive", "Windows/System32/config/SOFTWARE", 0o000, 0o644),
        ("the config folder", CONFIG, 0o700, 0o755),
        ("the Windows folder", "Windows", 0o700, 0o755),
        ("the volume", "", 0o700, 0o755),
    ] {
        let folder = hives_of(&machine);
        mode(folder.path(), 0o755);
        assert_eq!(bounded(nobody.command(&["diagnose"]).arg(folder.path())).exit, 4, "it can be read at first");
        let place = folder.path().join(name);
        mode(&place, closed);
        let before = times(folder.path());
        for words in verbs() {
            let ran = bounded(nobody.command(words).arg("--target").arg(folder.path()));
            assert_eq!(ran.exit, 3, "{what}: {words:?}\n{}{}", ran.stdout, ran.stderr);
            is_clear(&ran, what);
            assert!(ran.stderr.to_lowercase().contains("permission"), "{what}: {}", ran.stderr);
            let ran = bounded(nobody.command(words).arg("--json").arg("--target").arg(folder.path()));
            assert_eq!(ran.exit, 3, "{what}: {words:?}");
            is_json(&ran, 3, what);
        }
        assert_same(&before, &times(folder.path()));
        mode(&place, open);
    }
}

/// Everything can be read, nothing can be written: diagnosed, and refused by name.
#[test]
fn what_may_not_be_written() {
    let Some(nobody) = Nobody::new() else { return };
    let machine = Machine::build("updates-switched-off-10");
    mode(machine.path(), 0o755);
    let before = fingerprint(machine.path());
    let ran = bounded(nobody.command(&["diagnose", "--json"]).arg(machine.path()));
    assert_eq!(ran.exit, 1, "{}{}", ran.stdout, ran.stderr);
    let ran = bounded(nobody.command(&["fix", "--yes", "--json"]).arg(machine.path()));
    assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (5, Some("refused")), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.to_lowercase().contains("permission"), "{}", ran.stdout);
    assert_same(&before, &fingerprint(machine.path()));

    // Runs kept elsewhere: the record can be written, the machine cannot; the run says so and nothing is changed.
    let state = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(state.path(), Some(65534), Some(65534)).unwrap();
    let ran = bounded(nobody.command(&["fix", "--yes", "--json", "--state-dir"]).arg(state.path()).arg(machine.path()));
    assert!(matches!(ran.exit, 1 | 5), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.to_lowercase().contains("permission"), "{}", ran.stdout);
    assert_same(&before, &fingerprint(machine.path()));
}
