//! Finding files by Windows' rules on a file system that follows other rules.
//!
//! Names are compared without regard to case (Windows' own table); links are followed only inside the volume.

use super::contents;
use crate::target::{Entry, EntryKind};
use model::{Reading, VolumePath};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Windows itself follows at most 63 reparse points on one path.
const MOST_LINKS: u32 = 63;

/// Names of a folder by their upper-case form; more than one name under a form is a clash.
type Index = HashMap<Vec<u16>, Vec<OsString>>;

/// The file system below one root.
pub(crate) struct Paths {
    root: PathBuf,
    /// What was listed. None of these is a link: links are followed before a folder is listed.
    folders: RefCell<HashMap<PathBuf, Rc<Index>>>,
}

/// Where a path leads.
struct Found {
    real: PathBuf,
    /// In the spelling that is on the disk.
    shown: VolumePath,
    /// Of what stands there itself; nothing for the root.
    metadata: Option<fs::Metadata>,
}

impl Paths {
    pub(crate) fn new(root: PathBuf) -> Self {
        Paths { root, folders: RefCell::new(HashMap::new()) }
    }

    pub(in crate::targets) fn root(&self) -> &Path {
        &self.root
    }

    /// Forgets what was listed; called after each change.
    pub(in crate::targets) fn forget(&self) {
        self.folders.borrow_mut().clear();
    }

    fn index(&self, folder: &Path) -> Result<Rc<Index>, std::io::Error> {
        if let Some(index) = self.folders.borrow().get(folder) {
            return Ok(Rc::clone(index));
        }
        let mut index = Index::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            index.entry(crate::names::upcase_name(&name.to_string_lossy())).or_default().push(name);
        }
        let index = Rc::new(index);
        self.folders.borrow_mut().insert(folder.to_owned(), Rc::clone(&index));
        Ok(index)
    }

    /// The real path of a volume path; links before the last component are followed, the last one only on request.
    pub(crate) fn locate(&self, path: &VolumePath, follow_last: bool) -> Reading<PathBuf> {
        let mut links = 0;
        self.walk(path.components().to_vec(), follow_last, &mut links).map(|found| found.real)
    }

    fn walk(&self, wanted: Vec<String>, follow_last: bool, links: &mut u32) -> Reading<Found> {
        let mut real = self.root.clone();
        let mut spelled: Vec<String> = Vec::new();
        let mut of_last = None;
        for (at, name) in wanted.iter().enumerate() {
            let last = at + 1 == wanted.len();
            let index = match self.index(&real) {
                Ok(index) => index,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Reading::Absent,
                Err(error) => return Reading::Unreadable(format!("{}: {error}", real.display())),
            };
            let there = match index.get(&crate::names::upcase_name(name)).map(Vec::as_slice) {
                None => return Reading::Absent,
                Some([one]) => one,
                Some(_) => return Reading::Unreadable(format!("{} holds two names that differ only in case from {name:?}", real.display())),
            };
            let next = real.join(there);
            // A folder that was listed is one, and no link: Windows is slow to answer that, so it is not asked again for each file in it.
            if !last && self.folders.borrow().contains_key(&next) {
                spelled.push(there.to_string_lossy().into_owned());
                real = next;
                continue;
            }
            let metadata = match fs::symlink_metadata(&next) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => return Reading::Absent,
                Err(error) => return Reading::Unreadable(format!("{}: {error}", next.display())),
            };
            if metadata.is_symlink() && (!last || follow_last) {
                *links += 1;
                if *links > MOST_LINKS {
                    return Reading::Unreadable(format!("{} goes round in a circle of links", next.display()));
                }
                let target = match fs::read_link(&next) {
                    Ok(target) => target,
                    Err(error) => return Reading::Unreadable(format!("{}: {error}", next.display())),
                };
                let mut onward = match self.link_components(&spelled, &target) {
                    Ok(components) => components,
                    Err(why) => return Reading::Unreadable(why),
                };
                onward.extend(wanted.iter().skip(at + 1).cloned());
                return self.walk(onward, follow_last, links);
            }
            // Nothing can stand below a file. Systems answer that in different words, so they are not asked.
            if !last && !metadata.is_dir() {
                return Reading::Absent;
            }
            spelled.push(there.to_string_lossy().into_owned());
            real = next;
            of_last = Some(metadata);
        }
        let shown = VolumePath::parse(&spelled.join("\\"));
        match shown {
            Ok(shown) => Reading::Known(Found { real, shown, metadata: of_last }),
            Err(why) => Reading::Unreadable(why),
        }
    }

    /// A link's target as components from the root, or why it may not be followed.
    fn link_components(&self, folder: &[String], target: &Path) -> Result<Vec<String>, String> {
        let text = target.to_string_lossy();
        let leaves = || format!("the link to {text} leads out of this volume and was not followed");
        let (mut parts, rest) = if target.is_absolute() {
            // ntfs-3g shows an absolute junction inside the volume as a path below the mount point.
            (Vec::new(), target.strip_prefix(&self.root).map_err(|_| leaves())?.to_path_buf())
        } else {
            (folder.to_vec(), target.to_path_buf())
        };
        for component in rest.components() {
            match component {
                std::path::Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir => {
                    if parts.pop().is_none() {
                        return Err(leaves());
                    }
                }
                _ => return Err(leaves()),
            }
        }
        Ok(parts)
    }

    /// What stands at a path, without following a link in the last place.
    pub(in crate::targets) fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        let Found { real, shown, metadata } = match self.walk(path.components().to_vec(), false, &mut 0) {
            Reading::Known(found) => found,
            Reading::Absent => return Reading::Absent,
            Reading::NotCollected => return Reading::NotCollected,
            Reading::Unreadable(why) => return Reading::Unreadable(why),
        };
        let metadata = match metadata.map_or_else(|| fs::symlink_metadata(&real), Ok) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Reading::Absent,
            Err(error) => return Reading::Unreadable(format!("{}: {error}", real.display())),
        };
        let kind = if metadata.is_symlink() {
            match fs::read_link(&real) {
                // ntfs-3g shows reparse points that it cannot resolve as links with this text (plugins not installed).
                Ok(target) if target.to_string_lossy().starts_with("unsupported reparse") => {
                    EntryKind::Reparse(target.to_string_lossy().into_owned())
                }
                Ok(target) => EntryKind::Link(target.to_string_lossy().into_owned()),
                Err(error) => return Reading::Unreadable(format!("{}: {error}", real.display())),
            }
        } else if metadata.is_dir() {
            EntryKind::Folder
        } else if metadata.is_file() {
            EntryKind::File
        } else {
            EntryKind::Other
        };
        let modified = metadata.modified().ok().map_or(0, unix_seconds);
        // What a folder or a link takes on its file system differs from one to the next and says nothing about Windows.
        let size = if kind == EntryKind::File { metadata.len() } else { 0 };
        Reading::Known(Entry { kind, path: shown, size, modified })
    }

    pub(in crate::targets) fn open_file(&self, path: &VolumePath) -> Reading<(fs::File, u64)> {
        self.walk(path.components().to_vec(), true, &mut 0).and_then(|Found { real, metadata, .. }| {
            let problem = |error: std::io::Error| match error.kind() {
                ErrorKind::NotFound => Reading::Absent,
                _ => Reading::Unreadable(format!("{}: {error}", real.display())),
            };
            // Opening a pipe would wait for ever, so the kind is asked first. What stands there is no link: the walk has followed it.
            match metadata.map_or_else(|| fs::metadata(&real), Ok) {
                Ok(metadata) if metadata.is_file() => match fs::File::open(&real) {
                    Ok(file) => Reading::Known((file, metadata.len())),
                    Err(error) => problem(error),
                },
                Ok(_) => Reading::Unreadable(format!("{} is not a file", real.display())),
                Err(error) => problem(error),
            }
        })
    }

    pub(crate) fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        self.open_file(path).and_then(|(file, size)| contents::whole(file, size, path, limit))
    }

    pub(in crate::targets) fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.open_file(path).and_then(|(file, _)| contents::start(file, path, length))
    }

    pub(in crate::targets) fn sha256(&self, path: &VolumePath) -> Reading<String> {
        self.open_file(path).and_then(|(file, _)| contents::sha256(file, path))
    }

    pub(in crate::targets) fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        self.locate(path, true).and_then(|real| match self.index(&real) {
            Ok(index) => {
                let mut names: Vec<String> = index.values().flatten().map(|name| name.to_string_lossy().into_owned()).collect();
                names.sort_unstable();
                Reading::Known(names)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Reading::Absent,
            Err(error) => Reading::Unreadable(format!("{path}: {error}")),
        })
    }

    /// The real path at which a new entry would be made: its folder must exist, the name keeps its given spelling.
    pub(in crate::targets) fn place_for(&self, path: &VolumePath) -> Reading<PathBuf> {
        match path.parent() {
            Some(parent) => self.locate(&parent, true).map(|folder| folder.join(path.file_name())),
            None => Reading::Unreadable("the root of the volume cannot be made or renamed".into()),
        }
    }
}

/// Seconds since 1970, negative before.
pub(in crate::targets) fn unix_seconds(time: std::time::SystemTime) -> i64 {
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}
