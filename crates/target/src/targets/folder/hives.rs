//! The registry hives of a folder: opened with their logs, replayed in memory, never changed by reading.

use super::paths::Paths;
use crate::OpenError;
use crate::target::{KeyView, LARGEST_TREE};
use hive::{CleanHive, Hive, Recovered};
use model::{KeyTree, Reading, RegistryData, VolumePath};
use std::path::PathBuf;

/// Larger than any hive Windows loads (2 GB is its own limit); a guard against a wrong file.
const LARGEST: u64 = 2 << 30;

/// One hive with its logs.
pub(in crate::targets) struct HiveFile {
    /// The primary file's real path.
    pub(in crate::targets) file: PathBuf,
    /// The same inside the volume.
    pub(in crate::targets) path: VolumePath,
    /// The logs that exist, inside the volume.
    pub(in crate::targets) logs: Vec<VolumePath>,
    name: String,
    state: State,
}

enum State {
    Clean(CleanHive),
    Replayed(CleanHive),
    /// Read as it is; never written.
    Dirty {
        bytes: Vec<u8>,
        why: String,
    },
}

impl HiveFile {
    /// Opens a hive's file in its folder (`config\SYSTEM`, `Users\anna\NTUSER.DAT`) and its logs.
    pub(in crate::targets::folder) fn open(paths: &Paths, folder: &VolumePath, name: &str) -> Result<Self, OpenError> {
        let path = folder.join(name);
        let shown = PathBuf::from(path.with_drive('C'));
        let broken = |path: &PathBuf, why: String| OpenError::Hive { path: path.clone(), why };
        let file = match paths.locate(&path, false) {
            Reading::Known(file) => file,
            Reading::Unreadable(why) => return Err(broken(&shown, why)),
            _ => return Err(broken(&shown, "it is missing".into())),
        };
        let bytes = match paths.read(&path, LARGEST) {
            Reading::Known(bytes) => bytes,
            Reading::Unreadable(why) => return Err(broken(&file, why)),
            _ => return Err(broken(&file, "it is missing".into())),
        };
        let mut logs = Vec::new();
        let mut log_bytes = Vec::new();
        // Windows Vista to 11 keep LOG1 and LOG2; a lone LOG is the older way.
        for ending in [".LOG1", ".LOG2", ".LOG"] {
            let log = folder.join(&format!("{name}{ending}"));
            match paths.read(&log, LARGEST) {
                Reading::Known(bytes) => {
                    logs.push(log);
                    log_bytes.push(bytes);
                }
                Reading::Unreadable(why) => return Err(broken(&file, format!("its log cannot be read: {why}"))),
                _ => {}
            }
        }
        HiveFile::from_bytes(file.clone(), path, bytes, logs, &log_bytes).map_err(|why| broken(&file, why))
    }

    /// A hive from its bytes and those of its logs, wherever they come from.
    pub(in crate::targets) fn from_bytes(
        file: PathBuf,
        path: VolumePath,
        bytes: Vec<u8>,
        logs: Vec<VolumePath>,
        log_bytes: &[Vec<u8>],
    ) -> Result<Self, String> {
        let slices: Vec<&[u8]> = log_bytes.iter().map(Vec::as_slice).filter(|log| !log.is_empty()).collect();
        let state = match hive::recover(bytes, &slices).map_err(|error| error.to_string())? {
            Recovered::Clean(hive) => State::Clean(hive),
            Recovered::Replayed { hive, .. } => State::Replayed(hive),
            Recovered::DirtyWithoutLogs { bytes, why } => State::Dirty { bytes, why },
        };
        let opened = HiveFile { file, name: path.file_name().to_owned(), path, logs, state };
        opened.check()?;
        Ok(opened)
    }

    /// A hive that is cut short or has no root key cannot stand for a Windows.
    fn check(&self) -> Result<(), String> {
        let bytes = self.bytes();
        let hive = Hive::parse(bytes).map_err(|error| error.to_string())?;
        let wanted = 4096 + u64::from(hive.base_block().bins_size);
        if (bytes.len() as u64) < wanted {
            return Err(format!("it was cut short: it says that it has {wanted} bytes, but only {} are there", bytes.len()));
        }
        hive.root().map(|_| ()).map_err(|error| error.to_string())
    }

    fn bytes(&self) -> &[u8] {
        match &self.state {
            State::Clean(hive) | State::Replayed(hive) => hive.bytes(),
            State::Dirty { bytes, .. } => bytes,
        }
    }

    /// The hive that may be written, or why it may not.
    pub(in crate::targets) fn writable(&self) -> Result<&CleanHive, String> {
        match &self.state {
            State::Clean(hive) | State::Replayed(hive) => Ok(hive),
            State::Dirty { why, .. } => Err(why.clone()),
        }
    }

    /// After a successful replacement of the file.
    pub(in crate::targets) fn replaced_by(&mut self, hive: CleanHive) {
        self.state = State::Clean(hive);
    }

    pub(in crate::targets) fn not_writable(&self) -> Option<String> {
        self.writable().err()
    }

    pub(in crate::targets) fn notes(&self) -> Vec<String> {
        match &self.state {
            State::Clean(_) => Vec::new(),
            State::Replayed(_) => {
                vec![format!(
                    "The hive {} was not closed properly; it was brought up to date in memory from its logs, as Windows does at the next start.",
                    self.name
                )]
            }
            State::Dirty { why, .. } => {
                vec![format!(
                    "The hive {} was not closed properly and its logs do not help ({why}); it was read as it is and will not be written.",
                    self.name
                )]
            }
        }
    }

    /// A key with everything below it, security included.
    pub(in crate::targets) fn tree(&self, inside: &str, path: &str) -> Reading<KeyTree> {
        let found = Hive::parse(self.bytes()).and_then(|hive| hive.open(inside)?.map(|key| tree(&key, &mut { LARGEST_TREE })).transpose());
        match found {
            Ok(Some(Ok(tree))) => Reading::Known(tree),
            Ok(Some(Err(why))) => Reading::Unreadable(format!("{path} {why}")),
            Ok(None) => Reading::Absent,
            Err(error) => Reading::Unreadable(format!("{path}: {error}")),
        }
    }

    /// One key, with all its values: its place inside the hive, and the whole path to be shown.
    pub(in crate::targets) fn key(&self, inside: &str, path: &str) -> Reading<KeyView> {
        let unreadable = |error: hive::Error| Reading::Unreadable(format!("{path}: {error}"));
        let hive = match Hive::parse(self.bytes()) {
            Ok(hive) => hive,
            Err(error) => return unreadable(error),
        };
        let key = match hive.open(inside) {
            Ok(Some(key)) => key,
            Ok(None) => return Reading::Absent,
            Err(error) => return unreadable(error),
        };
        let mut view = KeyView { path: path.to_string(), subkeys: Vec::new(), values: Vec::new(), last_written: key.last_written() };
        for subkey in key.subkeys() {
            match subkey {
                Ok(subkey) => view.subkeys.push(subkey.name()),
                Err(error) => return unreadable(error),
            }
        }
        for value in key.values() {
            let value = match value {
                Ok(value) => value,
                Err(error) => return unreadable(error),
            };
            match value.data() {
                Ok(data) => view.values.push((value.name(), RegistryData { kind: value.data_type(), data: data.into_owned() })),
                Err(error) => return unreadable(error),
            }
        }
        Reading::Known(view)
    }
}

/// The outer error is damage; the inner one, a sentence's end, says what could not be made again if it were removed.
fn tree(key: &hive::Key<'_>, left: &mut usize) -> Result<Result<KeyTree, String>, hive::Error> {
    if *left == 0 {
        return Ok(Err(format!("holds more than {LARGEST_TREE} keys")));
    }
    *left -= 1;
    if key.class()?.is_some() {
        return Ok(Err(format!("holds {}, which has a class name", key.name())));
    }
    let mut whole = KeyTree { security: key.security()?.map(<[u8]>::to_vec), ..KeyTree::default() };
    for value in key.values() {
        let value = value?;
        whole.values.push((value.name(), RegistryData { kind: value.data_type(), data: value.data()?.into_owned() }));
    }
    for subkey in key.subkeys() {
        let subkey = subkey?;
        match tree(&subkey, left)? {
            Ok(below) => whole.subkeys.push((subkey.name(), below)),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(whole))
}
