//! A Windows volume mounted as a folder, on any operating system.
//!
//! Never follows a link out of the volume, never touches a file that was not asked about.

pub(in crate::targets) mod contents;
mod expand;
pub(super) mod hives;
pub(super) mod metadata;
mod paths;
mod room;
pub(super) mod users;
mod write;

use crate::target::{Entry, Expanded, KeyView, Target};
use crate::targets::identify;
use crate::{HiveName, OpenError, RegistryPath, Source};
use hives::HiveFile;
use model::{KeyTree, Reading, Room, TargetInfo, TargetKind, VolumePath, WhyNot, WindowsVersion};
pub(crate) use paths::Paths;
pub(super) use paths::unix_seconds;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A mounted Windows volume.
pub struct FolderTarget {
    given: PathBuf,
    kind: TargetKind,
    paths: Paths,
    windows_folder: VolumePath,
    hives: BTreeMap<HiveName, HiveFile>,
    windows: WindowsVersion,
    control_set_last: u32,
    drive: char,
    /// Files that every Windows has are there: the absence of another file means something.
    complete: bool,
    source: Option<Rc<dyn Source>>,
    /// Content that is to be put in its place, by its sha256.
    offered: BTreeMap<String, Vec<u8>>,
}

impl FolderTarget {
    /// Opens a mounted Windows volume, or its `Windows` folder.
    ///
    /// # Errors
    /// When it is no Windows, or a hive that must be there is missing, cut short or unreadable.
    pub fn open(given: &Path, kind: TargetKind) -> Result<Self, OpenError> {
        let (root, windows_name) = find_root(given)?;
        let paths = Paths::new(root);
        let windows_folder = VolumePath::parse(&windows_name).map_err(|missing| OpenError::NotWindows { path: given.into(), missing })?;
        let config = windows_folder.join("System32").join("config");
        let mut hives = BTreeMap::new();
        for name in HiveName::ALL {
            match HiveFile::open(&paths, &config, name.file_name()) {
                Ok(hive) => {
                    hives.insert(name, hive);
                }
                Err(_) if name == HiveName::Default => {}
                Err(error) => return Err(error),
            }
        }
        let mut target = FolderTarget {
            // Absolute, because a run recognises its machine by it later, from wherever it is called then.
            given: std::path::absolute(given).unwrap_or_else(|_| given.into()),
            kind,
            paths,
            windows_folder,
            hives,
            windows: WindowsVersion::unknown(),
            control_set_last: 0,
            drive: 'C',
            complete: false,
            source: None,
            offered: BTreeMap::new(),
        };
        target.identify()?;
        Ok(target)
    }

    /// Reads version, control sets and drive letter from the hives.
    fn identify(&mut self) -> Result<(), OpenError> {
        let number = |key: &str, name: &str| self.value(key, name).into_known().and_then(|data| data.as_dword());
        let system_path = || self.hives.get(&HiveName::System).map(|hive| hive.file.clone()).unwrap_or_default();
        let current = number("HKLM\\SYSTEM\\Select", "Current");
        let Some(default) = number("HKLM\\SYSTEM\\Select", "Default") else {
            return Err(OpenError::Hive {
                path: system_path(),
                why: "it has no Select\\Default, so it is not a SYSTEM hive or it is damaged".into(),
            });
        };
        if self.key(&format!("HKLM\\SYSTEM\\ControlSet{default:03}")).known().is_none() {
            return Err(OpenError::Hive { path: system_path(), why: format!("Select\\Default names control set {default}, which does not exist") });
        }
        let Some((windows, drive)) = identify::by_software(self, default) else {
            let path = self.hives.get(&HiveName::Software).map(|hive| hive.file.clone()).unwrap_or_default();
            return Err(OpenError::Hive { path, why: "it has no CurrentBuildNumber, so it is not the SOFTWARE hive of a Windows".into() });
        };
        (self.windows, self.drive) = (windows, drive);
        self.control_set_last = current.unwrap_or(default);
        let system32 = self.windows_folder.join("System32");
        self.complete = ["ntdll.dll", "kernel32.dll"].iter().any(|name| matches!(self.paths.entry(&system32.join(name)), Reading::Known(_)));
        Ok(())
    }

    /// Absence means something only where the file system was copied whole; the registry's own folder is always there.
    fn honest<T>(&self, reading: Reading<T>) -> Reading<T> {
        if reading.is_absent() && !self.complete { Reading::NotCollected } else { reading }
    }
}

/// The volume's root folder and the name of the Windows folder in it.
fn find_root(given: &Path) -> Result<(PathBuf, String), OpenError> {
    let metadata = std::fs::metadata(given).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => OpenError::NotFound { path: given.into() },
        _ => OpenError::Io { path: given.into(), source },
    })?;
    if !metadata.is_dir() {
        return Err(OpenError::NotOffered {
            path: given.into(),
            what: "a file in which no log, event log, registry hive or archive of them was recognised".into(),
        });
    }
    let config = |root: &Path, windows: &str| {
        let paths = Paths::new(root.to_owned());
        let path = VolumePath::parse(&format!("{windows}\\System32\\config"));
        path.map(|path| paths.entry(&path)).unwrap_or(Reading::Absent)
    };
    let mut unreadable = None;
    for windows in ["Windows", "WINNT"] {
        match config(given, windows) {
            Reading::Known(_) => return Ok((given.to_owned(), windows.to_owned())),
            Reading::Unreadable(why) => unreadable = Some(why),
            _ => {}
        }
    }
    // The Windows folder itself was named.
    let whole = given.canonicalize().map_err(|source| OpenError::Io { path: given.into(), source })?;
    if let (Some(parent), Some(name)) = (whole.parent(), whole.file_name().and_then(|name| name.to_str()))
        && matches!(config(parent, name), Reading::Known(_))
    {
        return Ok((parent.to_owned(), name.to_owned()));
    }
    match unreadable {
        Some(why) => Err(OpenError::Hive { path: given.join("Windows/System32/config"), why }),
        None => Err(OpenError::NotWindows { path: given.into(), missing: "Windows/System32/config".into() }),
    }
}

/// Expands a text by another target's registry: the overlay's is not the folder's.
pub(crate) fn expand_on(target: &dyn Target, text: &str) -> Expanded {
    expand::expand(target, text)
}

impl Target for FolderTarget {
    fn info(&self) -> TargetInfo {
        TargetInfo { kind: self.kind, path: self.given.display().to_string(), windows: Some(self.windows.clone()) }
    }

    fn windows(&self) -> &WindowsVersion {
        &self.windows
    }

    fn drive(&self) -> char {
        self.drive
    }

    fn key(&self, path: &str) -> Reading<KeyView> {
        if let Some((user, inside)) = crate::registry_path::of_user(path) {
            return self.honest(users::key(self, &self.paths, user, inside, path));
        }
        let path = match RegistryPath::parse(path, self.windows.control_set) {
            Ok(path) => path,
            Err(why) => return Reading::Unreadable(why),
        };
        match self.hives.get(&path.hive) {
            Some(hive) => hive.key(&path.inside, &path.to_string()),
            None => Reading::NotCollected,
        }
    }

    fn key_tree(&self, path: &str) -> Reading<KeyTree> {
        let path = match RegistryPath::parse(path, self.windows.control_set) {
            Ok(path) => path,
            Err(why) => return Reading::Unreadable(why),
        };
        self.hives.get(&path.hive).map_or(Reading::NotCollected, |hive| hive.tree(&path.inside, &path.to_string()))
    }

    fn source(&self) -> Option<&dyn Source> {
        self.source.as_deref()
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        self.honest(self.paths.entry(path))
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        self.honest(self.paths.read(path, limit))
    }

    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        self.honest(self.paths.open_file(path).map(|(file, _)| Box::new(file) as Box<dyn Read + '_>))
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.honest(self.paths.read_start(path, length))
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        self.honest(self.paths.sha256(path))
    }

    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        self.honest(self.paths.list(path))
    }

    fn room(&self) -> Reading<Room> {
        room::of(self.paths.root())
    }

    fn expand(&self, text: &str) -> Expanded {
        expand::expand(self, text)
    }

    fn why_not(&self) -> Vec<WhyNot> {
        let mut reasons = Vec::new();
        // A sleeping Windows keeps its memory in hiberfil.sys; the first four bytes are its signature.
        let hiberfil = VolumePath::parse("\\hiberfil.sys").unwrap_or_else(|_| self.windows_folder.clone());
        if let Reading::Known(start) = self.paths.read_start(&hiberfil, 4)
            && start.eq_ignore_ascii_case(b"hibr")
        {
            reasons.push(WhyNot::Hibernated);
        }
        let servicing = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending";
        let pending = self.windows_folder.join("WinSxS").join("pending.xml");
        if self.key(servicing).known().is_some() && self.paths.entry(&pending).known().is_some() {
            reasons.push(WhyNot::RestartPending);
        }
        for (name, hive) in &self.hives {
            if let Some(why) = hive.not_writable() {
                reasons.push(WhyNot::DirtyHive { hive: name.to_string(), why });
            }
        }
        if self.control_set_last != self.windows.control_set {
            reasons.push(WhyNot::ControlSetsDiffer { current: self.control_set_last, default: self.windows.control_set });
        }
        reasons
    }

    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.hives.values().flat_map(HiveFile::notes).collect();
        if !self.complete {
            notes.push(
                "This folder holds the registry but not the files of a whole Windows (System32\\ntdll.dll is not there), so a file that is \
                 missing here says nothing."
                    .into(),
            );
        }
        notes
    }

    fn windows_folder(&self) -> VolumePath {
        self.windows_folder.clone()
    }
}
