//! A real NTFS volume, mounted by ntfs-3g from an image on a loop device: what Windows keeps about files survives a repair.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests mount, read files and start the binary"
)]

mod common;

use common::{has_program, note, run};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Volume {
    image: tempfile::TempDir,
    at: tempfile::TempDir,
}

impl Volume {
    /// An NTFS volume with a practice machine on it; `None`, with a printed reason, where that cannot be made.
    fn with(machine: &str) -> Option<Volume> {
        for program in ["mkntfs", "ntfs-3g", "umount"] {
            if !has_program(program) {
                common::skip(&format!("{program} is not installed (package ntfs-3g)"));
                return None;
            }
        }
        if !Path::new("/dev/fuse").exists() || Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
            note("mounting needs the superuser and /dev/fuse");
            return None;
        }
        let volume = Volume { image: tempfile::tempdir().unwrap(), at: tempfile::tempdir().unwrap() };
        let file = volume.image.path().join("ntfs.img");
        std::fs::File::create(&file).unwrap().set_len(96 << 20).unwrap();
        assert!(Command::new("mkntfs").args(["-F", "-q", "-Q"]).arg(&file).output().unwrap().status.success());
        volume.mount();
        let built = tempfile::tempdir().unwrap();
        session::lab::build(machine, built.path()).unwrap();
        assert!(Command::new("cp").arg("-a").arg(format!("{}/.", built.path().display())).arg(volume.at.path()).status().unwrap().success());
        Some(volume)
    }

    fn mount(&self) {
        let mounted = Command::new("ntfs-3g")
            .args(["-o", "norecover,noexec,nodev"])
            .arg(self.image.path().join("ntfs.img"))
            .arg(self.at.path())
            .output()
            .unwrap();
        assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
    }

    fn unmount(&self) {
        assert!(Command::new("umount").arg(self.at.path()).status().unwrap().success());
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.at.path().join(inside)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.at.path()).status();
    }
}

const KEPT: [&str; 3] = ["system.ntfs_acl", "system.ntfs_attrib_be", "system.ntfs_crtime_be"];
const HIVE: &str = "Windows/System32/config/SYSTEM";

fn kept(path: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    KEPT.iter().filter_map(|name| Some((*name, xattr::get(path, name).ok()??))).collect()
}

/// A descriptor that nobody gets by chance: the owner is SYSTEM, only SYSTEM has rights.
fn only_system() -> Vec<u8> {
    let sid = [1_u8, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    let mut out = vec![1, 0, 0x04, 0x90, 48, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
    out.extend([2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, 0xff, 0x01, 0x1f, 0]);
    out.extend(sid);
    out.extend(sid);
    out.extend(sid);
    out
}

#[test]
fn a_replaced_hive_keeps_what_windows_keeps_about_it() {
    let Some(volume) = Volume::with("three-faults-10") else { return };
    let hive = volume.path(HIVE);
    xattr::set(&hive, "system.ntfs_acl", &only_system()).unwrap();
    // Hidden, system and archive, big-endian.
    xattr::set(&hive, "system.ntfs_attrib_be", &[0, 0, 0, 0x26]).unwrap();
    xattr::set(&hive, "system.ntfs_crtime_be", &[0x01, 0xd0, 0, 0, 0, 0, 0, 0]).unwrap();
    let before = kept(&hive);
    assert_eq!(before.len(), 3, "ntfs-3g keeps all three");
    let first = common::fingerprint(volume.at.path());
    let target = volume.at.path().to_str().unwrap().to_owned();
    let fixed = run(&["fix", "--yes", "--json", &target]);
    assert_eq!(fixed.exit, 0, "{}{}", fixed.stdout, fixed.stderr);
    assert_eq!(before, kept(&hive), "after the repair");
    // What is read after a fresh mount is what is on the disk.
    volume.unmount();
    volume.mount();
    assert_eq!(before, kept(&hive));
    let runs = volume.path("ProgramData/hresolve/runs");
    let run_folder = std::fs::read_dir(&runs).unwrap().flatten().map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    for ours in
        [volume.path("ProgramData/hresolve"), runs.clone(), run_folder.clone(), run_folder.join("journal.jsonl"), run_folder.join("before/SYSTEM")]
    {
        let acl = xattr::get(&ours, "system.ntfs_acl").unwrap().unwrap();
        let names_everyone = acl.windows(12).any(|part| part == [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        let names_users = acl.windows(16).any(|part| part == [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 33, 2, 0, 0]);
        assert!(!names_everyone && !names_users, "{} is open to standard users", ours.display());
    }
    assert_eq!(run(&["undo", "--json", &target]).exit, 0);
    let mut after = common::fingerprint(volume.at.path());
    after.retain(|path, _| !path.starts_with("ProgramData/hresolve"));
    let different: Vec<_> =
        first.iter().filter(|(path, there)| after.get(*path) != Some(there)).map(|(path, there)| (path, there, after.get(path))).collect();
    assert!(different.is_empty() && first.len() == after.len(), "undo on NTFS: {different:#?}");
    assert_eq!(before, kept(&hive), "after undo");
}

#[test]
fn a_runs_folder_that_everybody_may_write_is_refused() {
    let Some(volume) = Volume::with("updates-switched-off-10") else { return };
    // Made by ntfs-3g without a descriptor of its own: everybody has full access.
    std::fs::create_dir_all(volume.path("ProgramData/hresolve/runs")).unwrap();
    let target = volume.at.path().to_str().unwrap().to_owned();
    let before = std::fs::read(volume.path(HIVE)).unwrap();
    let ran = run(&["fix", "--yes", "--json", &target]);
    assert_eq!((ran.exit, ran.json()["why_not"][0]["reason"].as_str()), (5, Some("no-journal")), "{}", ran.stdout);
    assert_eq!(before, std::fs::read(volume.path(HIVE)).unwrap());
}

#[test]
fn a_compressed_system_file_is_there_though_it_cannot_be_read() {
    let Some(volume) = Volume::with("healthy-10-22h2") else { return };
    // A WOF reparse point (tag 0x80000017), as CompactOS makes of system files; ntfs-3g cannot read its content.
    let mut data = 0x8000_0017_u32.to_le_bytes().to_vec();
    data.extend([16, 0, 0, 0]);
    data.extend([1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    let dll = volume.path("Windows/System32/wuaueng.dll");
    // A file of its own: not one that the component store shares.
    std::fs::remove_file(&dll).unwrap();
    std::fs::write(&dll, b"").unwrap();
    xattr::set(&dll, "system.ntfs_reparse_data", &data).unwrap();
    volume.unmount();
    volume.mount();
    let target = volume.at.path().to_str().unwrap().to_owned();
    let ran = run(&["diagnose", "--json", &target]);
    assert_eq!(ran.json()["findings"].as_array().unwrap().len(), 0, "{}", ran.stdout);
    assert_eq!(run(&["fix", "--yes", "--json", &target]).json()["run"], serde_json::Value::Null);
}

#[test]
fn a_new_folder_is_no_more_open_than_the_one_above() {
    let Some(volume) = Volume::with("temp-folder-deleted-7") else { return };
    xattr::set(volume.path("Windows"), "system.ntfs_acl", &only_system()).unwrap();
    let target = volume.at.path().to_str().unwrap().to_owned();
    let ran = run(&["fix", "--yes", "--json", &target]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    volume.unmount();
    volume.mount();
    assert_eq!(xattr::get(volume.path("Windows/Temp"), "system.ntfs_acl").unwrap().unwrap(), only_system());
    assert_eq!(run(&["undo", &target]).exit, 0);
    assert!(!volume.path("Windows/Temp").exists());
}

#[test]
fn the_room_on_a_mounted_volume_is_its_own() {
    let Some(volume) = Volume::with("drive-full-10") else { return };
    let ran = run(&["diagnose", "--json", volume.at.path().to_str().unwrap()]);
    let finding = &ran.json()["findings"][0];
    assert_eq!((finding["cause"].as_str(), finding["confidence"].as_str()), (Some("drive-was-full"), Some("proved")), "{}", ran.stdout);
    // A folder on it is no volume, so nothing is known of the drive that it is a copy of.
    std::fs::create_dir(volume.path("copy")).unwrap();
    session::lab::build("drive-full-10", &volume.path("copy")).unwrap();
    let ran = run(&["diagnose", "--json", volume.path("copy").to_str().unwrap()]);
    assert_eq!(ran.json()["findings"][0]["confidence"].as_str(), Some("likely"), "{}", ran.stdout);
}

/// A loop device over an image; given back when dropped.
struct Loop(String);

impl Loop {
    fn over(image: &Path) -> Option<Loop> {
        let done = Command::new("losetup").args(["--find", "--show"]).arg(image).output().ok()?;
        if !done.status.success() {
            note(&format!("there is no loop device: {}", String::from_utf8_lossy(&done.stderr)));
            return None;
        }
        Some(Loop(String::from_utf8(done.stdout).unwrap().trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

#[test]
fn a_volume_is_listed_as_it_is_mounted_or_with_the_command_that_mounts_it() {
    let Some(volume) = Volume::with("healthy-10-22h2") else { return };
    let at = volume.at.path().to_str().unwrap().to_owned();
    let listed = |path: &str| {
        let ran = run(&["targets", "--json"]);
        let found = ran.json()["targets"].as_array().unwrap().iter().find(|one| one["path"] == path).cloned();
        (ran.exit, found)
    };
    let (exit, found) = listed(&at);
    let found = found.unwrap();
    assert_eq!((exit, found["usable"].as_bool(), found["windows"]["build"].as_u64()), (0, Some(true), Some(19045)), "{found:#}");
    assert_eq!(found["why_not"].as_array().unwrap().len(), 0, "{found:#}");
    let says = run(&["diagnose"]);
    assert!(says.exit == 2 && says.stderr.contains(&format!("hresolve diagnose {at}")), "{}", says.stderr);
    std::fs::write(volume.path("hiberfil.sys"), b"hibr").unwrap();
    let (_, found) = listed(&at);
    assert_eq!(found.unwrap()["why_not"][0]["reason"], "hibernated");
    std::fs::remove_file(volume.path("hiberfil.sys")).unwrap();
    volume.unmount();
    assert_eq!(listed(&at).1, None);
    let Some(device) = Loop::over(&volume.image.path().join("ntfs.img")) else { return };
    let (_, found) = listed(&device.0);
    let found = found.unwrap();
    assert_eq!((found["usable"].as_bool(), found["why_not"][0]["reason"].as_str()), (Some(false), Some("not-mounted")), "{found:#}");
    // The words that are printed do it, but for the folder.
    let typed = found["how"][1].as_str().unwrap().to_owned();
    let words: Vec<&str> = typed.split(' ').skip(1).collect();
    let (folder, command) = words.split_last().unwrap();
    assert_eq!(*folder, format!("/mnt/{}", device.0.trim_start_matches("/dev/")));
    let done = Command::new(command[0]).args(&command[1..]).arg(&at).output().unwrap();
    assert!(done.status.success(), "{typed}: {}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(listed(&at).1.unwrap()["usable"].as_bool(), Some(true));
    assert_eq!(listed(&device.0).1, None, "what is mounted is not listed twice");
    volume.unmount();
}
