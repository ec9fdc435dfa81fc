//! Real hives for the tests: published data, other people's readers, and faults put into hives by other people's tools.
//!
//! Never writes below the data; whatever a test changes lies in its own temporary folder.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "each test file uses a part; tests read files and start programs"
)]

use crate::common::{Ran, skip};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that any call of the program may take; a hang ends here.
const LONGEST: Duration = Duration::from_secs(20);

/// A file of the shared data, unpacked when its name there ends in `.xz`; `None` prints why.
pub fn shared(name: &str) -> Option<Vec<u8>> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("HRESOLVE_SHARED_DATA").map_or_else(default, PathBuf::from);
    let packed = root.join(format!("{name}.xz"));
    if !packed.exists() {
        skip(&format!("{} is not there (HRESOLVE_SHARED_DATA)", packed.display()));
        return None;
    }
    let output = Command::new("xz").args(["-dc", "--"]).arg(&packed).output();
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        _ => {
            skip(&format!("{} cannot be unpacked; is the program xz installed?", packed.display()));
            None
        }
    }
}

/// SYSTEM_B as its computer left it: dirty, with both logs.
pub struct Dirty {
    pub primary: Vec<u8>,
    pub log1: Vec<u8>,
    pub log2: Vec<u8>,
}

impl Dirty {
    pub fn read() -> Option<Dirty> {
        let one = |name: &str| shared(&format!("registry/regipy/{name}"));
        Some(Dirty { primary: one("SYSTEM_B")?, log1: one("SYSTEM_B.LOG1")?, log2: one("SYSTEM_B.LOG2")? })
    }
}

/// Sends a request to the script that the hive crate's tests use. A library that is not installed is skipped with a line; one
/// that cannot read the hive fails the test.
fn ask(library: &str, request: &[&str]) -> Option<String> {
    let python = std::env::var_os("HRESOLVE_ORACLE_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hive/tests/oracle.py");
    let child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        skip("no Python for the oracles (HRESOLVE_ORACLE_PYTHON)");
        return None;
    };
    child.stdin.take().unwrap().write_all(format!("has\t{library}\t-\n{}\n", request.join("\t")).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut answers = answers.lines();
    let has = answers.next().unwrap_or("no answer");
    if !has.starts_with("ok") {
        skip(&format!("{library}: {has}"));
        return None;
    }
    let answer = answers.next().unwrap_or("no answer");
    assert!(answer.starts_with("ok"), "{library}: {request:?}: {answer}");
    Some(answer.to_owned())
}

/// Every key (`key\`) and value (`key\|name`) of a hive as another library reads it. Names are in hexadecimal.
pub fn dump(library: &str, hive: &Path) -> Option<BTreeMap<String, String>> {
    let out = tempfile::NamedTempFile::new().unwrap();
    ask(library, &[library, hive.to_str().unwrap(), out.path().to_str().unwrap()])?;
    let mut all = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    for line in std::fs::read_to_string(out.path()).unwrap().lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        if parts[0] == "K" {
            path.truncate(parts[1].parse::<usize>().unwrap().saturating_sub(1));
            if parts[1] != "0" {
                path.push(parts[2].to_owned());
            }
            assert!(all.insert(format!("{}\\", path.join("\\")), String::new()).is_none(), "{library} sees a key twice");
        } else {
            let before = all.insert(format!("{}\\|{}", path.join("\\"), parts[1]), parts[2..].join(" "));
            assert!(before.is_none(), "{library} sees a value twice");
        }
    }
    Some(all)
}

/// What is in only one of two dumps, or differs.
pub fn dump_difference(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> BTreeSet<String> {
    before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

/// A value as [`dump`] names it.
pub fn dumped(key: &str, value: &str) -> String {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}\\|{}", key.split('\\').map(hex).collect::<Vec<_>>().join("\\"), hex(value))
}

/// Values of a dump, without the keys.
pub fn count(dump: &BTreeMap<String, String>) -> (usize, usize) {
    let values = dump.keys().filter(|key| key.contains('|')).count();
    (dump.len() - values, values)
}

/// regipy applies the logs and gives the recovered hive.
pub fn regipy_replays(folder: &Path, dirty: &Dirty) -> Option<PathBuf> {
    let names = ["r", "r.LOG1", "r.LOG2", "r.out"].map(|name| folder.join(name));
    for (name, bytes) in names.iter().zip([&dirty.primary, &dirty.log1, &dirty.log2]) {
        std::fs::write(name, bytes).unwrap();
    }
    let [primary, log1, log2, out] = [0, 1, 2, 3].map(|index| names[index].to_str().unwrap());
    // regipy 6.5 applies its second log first, whatever the sequence numbers say; so it is given the earlier one there.
    ask("regipy", &["replay", primary, out, log2, log1])?;
    Some(names[3].clone())
}

/// Puts text of the kind `.reg` into a hive with hivexregedit, an independent writer. False prints why not.
pub fn hivex_merge(hive: &Path, text: &str) -> bool {
    let mut reg = tempfile::NamedTempFile::new().unwrap();
    reg.write_all(format!("Windows Registry Editor Version 5.00\n\n{text}\n").as_bytes()).unwrap();
    let Ok(output) = Command::new("hivexregedit").arg("--merge").arg(hive).arg(reg.path()).output() else {
        skip("hivexregedit (package libhivex-bin) is not installed");
        return false;
    };
    assert!(output.status.success(), "hivexregedit: {}", String::from_utf8_lossy(&output.stderr));
    true
}

/// Runs hivexsh commands that write a hive. False prints why not.
pub fn hivexsh(hive: &Path, commands: &str) -> bool {
    let child = Command::new("hivexsh").arg("-w").arg(hive).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        skip("hivexsh (package libhivex-bin) is not installed");
        return false;
    };
    child.stdin.take().unwrap().write_all(format!("{commands}\ncommit\nquit\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "hivexsh: {said}");
    true
}

/// A value as hivexsh prints it.
pub fn hivexget(hive: &Path, key: &str, value: &str) -> String {
    let output = Command::new("hivexget").arg(hive).args([key, value]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// REG_EXPAND_SZ in the notation of `.reg` files.
pub fn hex2(text: &str) -> String {
    let bytes: Vec<String> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect();
    format!("hex(2):{}", bytes.join(","))
}

/// Runs a command and ends it when it takes too long. Output goes through files, so that nothing can block on a pipe.
pub fn bounded(command: &mut Command) -> Ran {
    let mut files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    let [out, error] = [files[0].try_clone().unwrap(), files[1].try_clone().unwrap()];
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(error).spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
            unreachable!("{command:?} did not end within {LONGEST:?}");
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let mut read = |index: usize| {
        use std::io::{Read, Seek};
        let file: &mut std::fs::File = &mut files[index];
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ran { exit: status.code().unwrap_or(-1), stdout: read(0), stderr: read(1) }
}

/// Copies a folder with its links and times of last write.
pub fn copy_tree(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}

/// The paths that differ between two fingerprints.
pub fn changed(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) -> Vec<PathBuf> {
    let all: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    all.into_iter().filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

/// Fails with the differences only.
#[track_caller]
pub fn assert_same(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) {
    let show = |path: PathBuf| format!("{}: {:?} -> {:?}", path.display(), before.get(&path), after.get(&path));
    let different: Vec<String> = changed(before, after).into_iter().map(show).collect();
    assert!(different.is_empty(), "changed:\n{}", different.join("\n"));
}

/// Dates the Windows around a published SYSTEM hive before that hive. Otherwise the last shutdown in it would lie before the day on
/// which this Windows was built, which is rightly found (clock-wrong), but says nothing about the published hive.
pub fn older_than_the_hive(root: &Path) {
    let config = root.join("Windows/System32/config");
    let software = config.join("SOFTWARE");
    let hive::Recovered::Clean(clean) = hive::recover(std::fs::read(&software).unwrap(), &[]).unwrap() else {
        unreachable!("a practice machine's SOFTWARE is clean");
    };
    let mut edit = clean.edit();
    edit.set_value(r"Microsoft\Windows NT\CurrentVersion", "BuildLabEx", 1, &hive::encode_sz("7600.16385.amd64fre.win7_rtm.090713-1255"));
    std::fs::write(&software, edit.commit(0).unwrap().hive.bytes()).unwrap();
    let date = std::time::UNIX_EPOCH + Duration::from_secs(1_247_529_600);
    let mut waiting = vec![root.join("Windows")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() {
                std::fs::OpenOptions::new().append(true).open(entry.path()).unwrap().set_modified(date).unwrap();
            }
        }
    }
}
