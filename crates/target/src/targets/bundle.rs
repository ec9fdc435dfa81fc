//! Logs that somebody sent: a folder of them, a zip, 7z, cab or tar archive, or a lone file. Only read.
//!
//! Files are put where they belong in a Windows, by path, name or content. What is not in the bundle was not collected; nothing in a
//! bundle is ever absent but keys and values of a registry hive that is there.

mod blob;
mod cab;
mod gather;
mod limits;
mod place;
mod recognise;
pub(super) mod seven;
pub(super) mod tar;
pub(crate) mod unpack;

use crate::target::{Entry, EntryKind, Expanded, KeyView, Target};
use crate::targets::folder::hives::HiveFile;
use crate::targets::identify;
use crate::{HiveName, OpenError, RegistryPath, names_equal};
use gather::{Filed, Gathered, Loose, quoted, upcase};
use hive::Hive;
use model::{Reading, TargetInfo, TargetKind, VolumePath, WhyNot, WindowsVersion};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A bundle of logs.
pub struct BundleTarget {
    given: PathBuf,
    files: BTreeMap<Vec<u16>, Filed>,
    hives: BTreeMap<HiveName, HiveFile>,
    windows_folder: VolumePath,
    windows: WindowsVersion,
    drive: char,
    notes: Vec<String>,
}

impl BundleTarget {
    /// Opens a folder, an archive or a lone file; `None` when nothing that hresolve knows is in it.
    ///
    /// # Errors
    /// When it cannot be read, or when it is an archive or a hive that cannot be used.
    pub fn open(given: &Path) -> Result<Option<Self>, OpenError> {
        let gathered = Gathered::from(given).map_err(|source| OpenError::Io { path: given.into(), source })?;
        let Gathered { files, hives: loose, hive_logs, notes, unknown, .. } = gathered;
        let mut target = BundleTarget {
            given: std::path::absolute(given).unwrap_or_else(|_| given.into()),
            files,
            hives: BTreeMap::new(),
            windows_folder: VolumePath::parse("\\Windows").map_err(|missing| OpenError::NotWindows { path: given.into(), missing })?,
            windows: WindowsVersion::unknown(),
            drive: 'C',
            notes,
        };
        target.load_hives(loose, &hive_logs);
        if target.files.is_empty() {
            // A reason that was found says more than "nothing recognised".
            return match target.notes.is_empty() {
                true => Ok(None),
                false => Err(OpenError::Bundle { path: given.into(), why: target.notes.join(" ") }),
            };
        }
        target.identify();
        let count = target.files.len();
        let unknown = if unknown == 0 { String::new() } else { format!(" {unknown} others are of no kind that hresolve knows.") };
        target.notes.insert(
            0,
            format!(
                "This is a bundle of logs: {count} of its files found {} in Windows.{unknown} What is not in it was not looked at.",
                if count == 1 { "its place" } else { "their places" }
            ),
        );
        Ok(Some(target))
    }

    /// Finds out which hive is which, and brings them up to date from the logs beside them.
    fn load_hives(&mut self, mut loose: Vec<Loose>, logs: &[Loose]) {
        // Of two for one place the first is used: the one that lies in its folder, the newer, the larger.
        loose.sort_by_key(|one| std::cmp::Reverse((one.told.is_some(), one.modified, one.size)));
        for one in loose {
            let shown = quoted(&one.origin);
            if let Err(why) = self.load_hive(one, logs) {
                self.notes.push(format!("The registry hive {shown} was not used: {why}."));
            }
        }
    }

    fn load_hive(&mut self, one: Loose, logs: &[Loose]) -> Result<(), String> {
        let failed = |error: io::Error| error.to_string();
        let bytes = |blob: &blob::Blob| blob.start(limits::LARGEST_HIVE).map_err(failed);
        if one.size > limits::LARGEST_HIVE {
            return Err(format!("it has more than {}", limits::shown(limits::LARGEST_HIVE)));
        }
        let content = bytes(&one.blob)?;
        let parsed = Hive::parse(&content).map_err(|error| error.to_string())?;
        let file_name = one.told.as_ref().map_or_else(|| one.origin.rsplit(['/', '\\', ' ']).next().unwrap_or_default(), VolumePath::file_name);
        let name = which(&parsed, file_name);
        let path = match (&one.told, name) {
            // Copies in other folders (RegBack) stay there: they are not what this Windows runs with.
            (Some(path), _) if !path.parent().is_some_and(|parent| names_equal(parent.file_name(), "config")) => path.clone(),
            (_, Some(name)) => VolumePath::parse(&format!("Windows\\System32\\config\\{}", name.file_name()))?,
            (Some(path), None) if HiveName::from_file_name(path.file_name()).is_none() => path.clone(),
            _ => match place::by_name(file_name) {
                Some(path) if HiveName::from_file_name(path.file_name()).is_none() => path,
                _ => return Err("it holds neither the keys of SYSTEM nor those of SOFTWARE or DEFAULT".into()),
            },
        };
        let key = upcase(&path);
        if self.files.contains_key(&key) {
            return Err(format!("another one, which is newer or larger, was used for {}", path.with_drive('C')));
        }
        let in_config = path.parent().is_some_and(|parent| names_equal(parent.file_name(), "config"));
        if let Some(name) = name.filter(|_| in_config) {
            let mut beside = Vec::new();
            for ending in [".LOG1", ".LOG2", ".LOG"] {
                let wanted = format!("{}{ending}", one.origin);
                for log in logs.iter().filter(|log| names_equal(&log.origin, &wanted)) {
                    beside.push(bytes(&log.blob)?);
                }
            }
            let opened = HiveFile::from_bytes(PathBuf::from(&one.origin), path.clone(), content, Vec::new(), &beside)?;
            self.notes.extend(opened.notes());
            self.hives.insert(name, opened);
        }
        self.files.insert(key, Filed { path, origin: one.origin, size: one.size, modified: one.modified, blob: one.blob });
        Ok(())
    }

    fn identify(&mut self) {
        let select = |name: &str| self.value("HKLM\\SYSTEM\\Select", name).into_known().and_then(|data| data.as_dword());
        let set = select("Default").unwrap_or_default();
        // `CurrentControlSet` needs the set from now on.
        self.windows.control_set = set;
        match identify::by_software(self, set) {
            Some((windows, drive)) => (self.windows, self.drive) = (windows, drive),
            None => self.windows = identify::by_services(self, set),
        }
        if self.windows.build == 0 {
            let seen = if self.windows.major == 10 { " By its services it is Windows 10, 11 or a server of their time." } else { "" };
            self.notes.push(format!(
                "The bundle does not say which Windows it is from (the hive SOFTWARE would).{seen} What differs between versions was not judged."
            ));
        }
    }

    fn file(&self, path: &VolumePath) -> Reading<&Filed> {
        self.files.get(&upcase(path)).map_or(Reading::NotCollected, Reading::Known)
    }

    fn content<T>(&self, path: &VolumePath, read: impl FnOnce(&Filed) -> io::Result<T>) -> Reading<T> {
        self.file(path).and_then(|file| match read(file) {
            Ok(value) => Reading::Known(value),
            Err(error) => Reading::Unreadable(format!("{} of the bundle: {error}", quoted(&file.origin))),
        })
    }
}

/// Which hive this is, by its keys; `None` for the others (SAM, COMPONENTS, people's own …).
fn which(hive: &Hive, file_name: &str) -> Option<HiveName> {
    let has = |path: &str| matches!(hive.open(path), Ok(Some(_)));
    let was_named = hive.base_block().file_name.to_ascii_uppercase();
    match () {
        () if has("Select") && (has("ControlSet001") || has("ControlSet002") || has("ControlSet003")) => Some(HiveName::System),
        () if has("Microsoft\\Windows NT\\CurrentVersion") => Some(HiveName::Software),
        // It has the keys of any user's hive, so only a name tells: its own, or the one that it had in Windows.
        () if names_equal(file_name, "DEFAULT") || was_named.ends_with("\\CONFIG\\DEFAULT") => Some(HiveName::Default),
        () => None,
    }
}

impl Target for BundleTarget {
    fn info(&self) -> TargetInfo {
        let windows = (self.windows.build != 0).then(|| self.windows.clone());
        TargetInfo { kind: TargetKind::Bundle, path: self.given.display().to_string(), windows }
    }

    fn windows(&self) -> &WindowsVersion {
        &self.windows
    }

    fn drive(&self) -> char {
        self.drive
    }

    fn key(&self, path: &str) -> Reading<KeyView> {
        // People's own hives are not looked for in bundles.
        if crate::registry_path::of_user(path).is_some() {
            return Reading::NotCollected;
        }
        let path = match RegistryPath::parse(path, self.windows.control_set) {
            Ok(path) => path,
            Err(why) => return Reading::Unreadable(why),
        };
        self.hives.get(&path.hive).map_or(Reading::NotCollected, |hive| hive.key(&path.inside, &path.to_string()))
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        if self.list(path).known().is_some() {
            return Reading::Known(Entry { kind: EntryKind::Folder, path: path.clone(), size: 0, modified: 0 });
        }
        self.file(path).map(|file| Entry { kind: EntryKind::File, path: file.path.clone(), size: file.size, modified: file.modified })
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        let bytes = self.content(path, |file| file.blob.start(limit.saturating_add(1)));
        bytes.and_then(|bytes| match bytes.len() as u64 > limit {
            true => Reading::Unreadable(format!("{path} is larger than {limit} bytes")),
            false => Reading::Known(bytes),
        })
    }

    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        self.content(path, |file| file.blob.stream())
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.content(path, |file| file.blob.start(length as u64))
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        use sha2::Digest;
        self.content(path, |file| {
            file.blob.with(|content| {
                let mut hash = sha2::Sha256::new();
                let mut block = vec![0_u8; 1 << 16];
                let mut content = content.take(limits::LARGEST_MEMBER);
                loop {
                    match content.read(&mut block)? {
                        0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
                        count => hash.update(block.get(..count).unwrap_or_default()),
                    }
                }
            })
        })
    }

    /// Only of folders where Windows keeps logs: of every other folder, a list of what happens to be in the bundle would be taken
    /// for all that there is.
    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        if !place::holds_logs(path) {
            return Reading::NotCollected;
        }
        let depth = path.components().len();
        let mut names: Vec<String> = self
            .files
            .values()
            .filter(|file| file.path.components().len() > depth && crate::observe::is_within(&file.path, path))
            .filter_map(|file| file.path.components().get(depth).cloned())
            .collect();
        names.sort_unstable();
        names.dedup_by(|one, other| names_equal(one, other));
        if names.is_empty() { Reading::NotCollected } else { Reading::Known(names) }
    }

    fn expand(&self, text: &str) -> Expanded {
        crate::targets::folder::expand_on(self, text)
    }

    fn why_not(&self) -> Vec<WhyNot> {
        let dirty = |(name, hive): (&HiveName, &HiveFile)| hive.not_writable().map(|why| WhyNot::DirtyHive { hive: name.to_string(), why });
        std::iter::once(WhyNot::Bundle).chain(self.hives.iter().filter_map(dirty)).collect()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn windows_folder(&self) -> VolumePath {
        self.windows_folder.clone()
    }
}
