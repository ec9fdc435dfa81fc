//! What the integration tests share: practice machines on disk, the real binary, and a fingerprint of a whole folder.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "each test file uses a part; tests read files and start the binary"
)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The hresolve binary that cargo built for this test.
pub const HRESOLVE: &str = env!("CARGO_BIN_EXE_hresolve");

/// A practice machine in a folder that goes away with it.
pub struct Machine {
    pub folder: tempfile::TempDir,
}

impl Machine {
    /// Builds the embedded machine of that name.
    pub fn build(name: &str) -> Machine {
        let folder = tempfile::tempdir().unwrap();
        session::lab::build(name, folder.path()).unwrap_or_else(|error| unreachable!("{name}: {error}"));
        Machine { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs hresolve with these words and the folder as target.
    pub fn run(&self, words: &[&str]) -> Ran {
        let mut all: Vec<&str> = words.to_vec();
        let folder = self.path().to_str().unwrap();
        all.push(folder);
        run(&all)
    }

    /// Every file, folder and link, without `ProgramData/hresolve`.
    pub fn fingerprint(&self) -> BTreeMap<PathBuf, String> {
        let mut all = fingerprint(self.path());
        all.retain(|path, _| !path.starts_with("ProgramData/hresolve"));
        all
    }
}

/// What a call gave.
pub struct Ran {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| unreachable!("not one JSON object ({error}): {}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs hresolve without a terminal.
pub fn run(words: &[&str]) -> Ran {
    Command::new(HRESOLVE).args(words).stdin(std::process::Stdio::null()).output().unwrap().into()
}

/// For each entry below a folder: its kind, content hash, and time of last write. Folders' own times change with their content and
/// are left out.
pub fn fingerprint(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    collect(root, root, &mut all);
    all
}

fn collect(root: &Path, folder: &Path, all: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_owned();
        if metadata.is_symlink() {
            all.insert(name, format!("link {}", std::fs::read_link(&path).unwrap().display()));
        } else if metadata.is_dir() {
            all.insert(name, "folder".into());
            collect(root, &path, all);
        } else {
            let hash = target::sha256(&std::fs::read(&path).unwrap());
            all.insert(name, format!("file {hash} {:?} {:?}", metadata.modified().unwrap(), metadata.permissions()));
        }
    }
}

/// Prints why a test is skipped; fails instead when skipping is not allowed.
pub fn skip(why: &str) {
    println!("skipped: {why}");
    assert!(std::env::var_os("HRESOLVE_REQUIRE_ORACLES").is_none(), "this must not be skipped here: {why}");
}

/// Prints what a test could not show here, where no oracle is missing.
pub fn note(what: &str) {
    println!("skipped: {what}");
}

/// True when a program can be started.
pub fn has_program(name: &str) -> bool {
    Command::new("which").arg(name).output().is_ok_and(|output| output.status.success())
}

/// A hive as text by hivexregedit: key paths and values, an independent reading.
pub fn hivex_export(hive: &Path) -> Option<String> {
    let output = Command::new("hivexregedit").args(["--export", "--unsafe-printable-strings", hive.to_str()?, "\\"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Other people's readers of hives, through the oracle script of the hive crate.
pub struct Oracle {
    _child: std::process::Child,
    input: std::process::ChildStdin,
    output: std::io::BufReader<std::process::ChildStdout>,
    scratch: tempfile::TempDir,
}

/// `key\\path` and value name to type and data in hexadecimal.
pub type Values = BTreeMap<(String, String), (String, String)>;

impl Oracle {
    /// Starts the script; `None`, with a printed reason, when Python or a library is missing.
    pub fn start() -> Option<Oracle> {
        let python = std::env::var("HRESOLVE_ORACLE_PYTHON").unwrap_or_else(|_| "python3".into());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hive/tests/oracle.py");
        let child = Command::new(python).arg(script).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                skip(&format!("no Python for the oracle script: {error}"));
                return None;
            }
        };
        let (input, output) = (child.stdin.take().unwrap(), std::io::BufReader::new(child.stdout.take().unwrap()));
        let mut oracle = Oracle { _child: child, input, output, scratch: tempfile::tempdir().unwrap() };
        for library in ["regipy", "dissect"] {
            if let Err(why) = oracle.ask(&format!("has\t{library}\t-")) {
                skip(&format!("{library} is not there: {why}"));
                return None;
            }
        }
        Some(oracle)
    }

    fn ask(&mut self, request: &str) -> Result<(), String> {
        use std::io::{BufRead, Write};
        writeln!(self.input, "{request}").map_err(|error| error.to_string())?;
        self.input.flush().map_err(|error| error.to_string())?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).map_err(|error| error.to_string())?;
        if answer.starts_with("ok") { Ok(()) } else { Err(answer) }
    }

    /// Every value of a hive as that library reads it.
    pub fn values(&mut self, library: &str, hive: &Path) -> Values {
        let out = self.scratch.path().join("dump");
        self.ask(&format!("{library}\t{}\t{}", hive.display(), out.display())).unwrap();
        let mut path: Vec<String> = Vec::new();
        let mut values = Values::new();
        let unhex = |hex: &str| {
            let bytes: Vec<u8> = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        for line in std::fs::read_to_string(out).unwrap().lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            if fields[0] == "K" {
                let depth: usize = fields[1].parse().unwrap();
                path.truncate(depth);
                path.push(unhex(fields.get(2).copied().unwrap_or_default()));
            } else {
                values.insert((path.join("\\"), unhex(fields[1])), (fields[2].to_owned(), fields.get(3).copied().unwrap_or_default().to_owned()));
            }
        }
        values
    }
}
