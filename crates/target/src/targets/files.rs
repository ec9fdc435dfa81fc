//! Changing files by Windows' names: the same for a mounted folder and for the running system.
//!
//! Nothing here deletes content: the only removals are of an empty folder, a second name, or a file of which the run keeps a copy,
//! each made by a change of ours.

use super::folder::{Paths, metadata};
use crate::TargetError;
use crate::observe::observe;
use crate::sha256;
use crate::target::{Direction, Target};
use model::{Change, Observed, Reading, VolumePath};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The files of one target.
pub(super) struct Files<'a> {
    /// What is looked at, and whose Windows folder and drive letter count.
    pub(super) target: &'a dyn Target,
    /// Where its files are.
    pub(super) paths: &'a Paths,
    /// Content that may be put in its place, by its sha256.
    pub(super) offered: &'a BTreeMap<String, Vec<u8>>,
}

impl Files<'_> {
    /// The real folders in which these changes make or rename something.
    pub(super) fn folders_of(&self, changes: &[Change]) -> Result<Vec<PathBuf>, TargetError> {
        let mut folders: Vec<PathBuf> = Vec::new();
        for change in changes {
            let path = match change {
                Change::Rename { to, .. } => to,
                Change::CreateFolder { path } | Change::HardLink { path, .. } | Change::PutFile { path, .. } => path,
                Change::SetValue { .. }
                | Change::DeleteValue { .. }
                | Change::CreateKey { .. }
                | Change::RemoveKey { .. }
                | Change::PutKey { .. }
                | Change::SetClock { .. } => continue,
            };
            // A folder that one of these changes makes needs its own parent only.
            let parent = path.parent();
            let made = |other: &Change| matches!((other, &parent), (Change::CreateFolder { path }, Some(parent)) if crate::names_equal(&path.to_string(), &parent.to_string()));
            if changes.iter().any(made) {
                continue;
            }
            match parent.map(|parent| self.paths.locate(&parent, true)) {
                Some(Reading::Known(folder)) => folders.push(folder),
                Some(Reading::Unreadable(why)) => return Err(TargetError::Refused { why }),
                _ => {
                    return Err(TargetError::Unexpected {
                        object: path.with_drive(self.target.drive()),
                        found: "the folder that should hold it is not there".into(),
                    });
                }
            }
        }
        folders.sort();
        folders.dedup();
        Ok(folders)
    }

    /// Removes a temporary file of ours; it is no error when there is none. The caller has made sure that it is ours.
    pub(super) fn remove(&self, path: &VolumePath) -> Result<(), TargetError> {
        match self.paths.locate(path, false) {
            Reading::Known(real) => fs::remove_file(&real).map_err(io("remove", &real)),
            Reading::Unreadable(why) => Err(TargetError::Refused { why }),
            _ => Ok(()),
        }
    }

    /// Makes or takes back one change of a file; registry changes are nobody's here.
    ///
    /// # Errors
    /// When the object is not as expected or the system refuses; nothing of the change has happened then.
    pub(super) fn change(&self, change: &Change, direction: Direction) -> Result<(), TargetError> {
        match observe(self.target, change) {
            Reading::Known(Observed::Old) if direction == Direction::Back => return Ok(()),
            Reading::Known(Observed::New) if direction == Direction::Forward => return Ok(()),
            Reading::Known(Observed::Other(found)) => return Err(TargetError::Unexpected { object: change.object(self.target.drive()), found }),
            Reading::Unreadable(why) => return Err(TargetError::Refused { why }),
            _ => {}
        }
        match (change, direction) {
            (Change::SetClock { .. }, _) => Err(crate::target::not_applied()),
            (Change::Rename { from, to, .. }, Direction::Forward) => self.rename(from, to),
            (Change::Rename { from, to, .. }, Direction::Back) => self.rename(to, from),
            (Change::CreateFolder { path }, Direction::Forward) => {
                let place = self.place(path)?;
                fs::create_dir(&place).map_err(io("make the folder", &place))?;
                if let Err(source) = metadata::as_folder_above(&place) {
                    let _ = fs::remove_dir(&place);
                    return Err(io("set the security of the folder", &place)(source));
                }
                sync_parent(&place)
            }
            (Change::CreateFolder { path }, Direction::Back) => {
                let place = self.existing(path)?;
                // Fails on a folder that has content, which is then somebody else's and stays.
                fs::remove_dir(&place).map_err(io("remove the empty folder", &place))?;
                sync_parent(&place)
            }
            (Change::HardLink { existing, path, .. }, Direction::Forward) => {
                let (source, place) = (self.existing(existing)?, self.place(path)?);
                fs::hard_link(&source, &place).map_err(io("give a second name to", &source))?;
                sync_parent(&place)
            }
            (Change::HardLink { path, .. }, Direction::Back) => {
                let place = self.existing(path)?;
                fs::remove_file(&place).map_err(io("remove the second name", &place))?;
                sync_parent(&place)
            }
            (Change::PutFile { path, sha256, .. }, Direction::Forward) => self.put_file(path, sha256),
            (Change::PutFile { path, .. }, Direction::Back) => {
                self.may_hold_files_of_ours(path)?;
                // It is what we put there, byte for byte (observed just before), and the run keeps a copy (its caller has looked).
                let place = self.existing(path)?;
                fs::remove_file(&place).map_err(io("remove the file", &place))?;
                sync_parent(&place)
            }
            (
                Change::SetValue { .. } | Change::DeleteValue { .. } | Change::CreateKey { .. } | Change::RemoveKey { .. } | Change::PutKey { .. },
                _,
            ) => Ok(()),
        }
    }

    fn may_hold_files_of_ours(&self, path: &VolumePath) -> Result<(), TargetError> {
        let why = crate::protected::why_no_file(&self.target.windows_folder(), path);
        why.map_or(Ok(()), |why| Err(TargetError::Refused { why: format!("{} {why}", path.with_drive(self.target.drive())) }))
    }

    /// Writes the content beside its place, reads it back, and gives it its name in one step.
    fn put_file(&self, path: &VolumePath, wanted: &str) -> Result<(), TargetError> {
        self.may_hold_files_of_ours(path)?;
        let content = self.offered.get(wanted).ok_or_else(|| TargetError::Refused { why: format!("the content of {path} is not at hand") })?;
        if sha256(content) != wanted {
            return Err(TargetError::Refused { why: format!("the content of {path} is not what was planned") });
        }
        let place = self.place(path)?;
        let temporary = place.with_file_name(format!(".hresolve-new-{}", wanted.get(..8).unwrap_or_default()));
        let written = (|| {
            let mut out = create_fresh(&temporary).map_err(io("make", &temporary))?;
            out.write_all(content).map_err(io("write", &temporary))?;
            out.sync_all().map_err(io("write to the disk", &temporary))?;
            drop(out);
            metadata::as_folder_above(&temporary).map_err(io("set the security of", &temporary))?;
            if fs::read(&temporary).map_err(io("read back", &temporary))? != *content {
                return Err(TargetError::Unexpected {
                    object: temporary.display().to_string(),
                    found: "what was written reads back differently".into(),
                });
            }
            fs::rename(&temporary, &place).map_err(io("put in its place", &place))
        })();
        if written.is_err() {
            // Best effort: nothing stands at the place yet, and the journal names the file.
            let _ = fs::remove_file(&temporary);
        }
        written.and_then(|()| sync_parent(&place))
    }

    fn rename(&self, from: &VolumePath, to: &VolumePath) -> Result<(), TargetError> {
        for path in [from, to] {
            if let Some(why) = crate::protected::why(&self.target.windows_folder(), path) {
                return Err(TargetError::Refused { why: format!("{} {why}", path.with_drive(self.target.drive())) });
            }
        }
        let source = self.existing(from)?;
        let place = self.place(to)?;
        match self.paths.entry(to) {
            Reading::Absent => {}
            // The same entry under another case is the entry itself.
            Reading::Known(_) if crate::names_equal(&from.to_string(), &to.to_string()) => {}
            _ => return Err(TargetError::Unexpected { object: to.with_drive(self.target.drive()), found: "something stands there already".into() }),
        }
        fs::rename(&source, &place).map_err(io("rename", &source))?;
        sync_parent(&place)
    }

    fn existing(&self, path: &VolumePath) -> Result<PathBuf, TargetError> {
        match self.paths.locate(path, false) {
            Reading::Known(real) => Ok(real),
            Reading::Unreadable(why) => Err(TargetError::Refused { why }),
            _ => Err(TargetError::Unexpected { object: path.with_drive(self.target.drive()), found: "it is not there".into() }),
        }
    }

    fn place(&self, path: &VolumePath) -> Result<PathBuf, TargetError> {
        match self.paths.place_for(path) {
            Reading::Known(real) => Ok(real),
            Reading::Unreadable(why) => Err(TargetError::Refused { why }),
            _ => Err(TargetError::Unexpected {
                object: path.with_drive(self.target.drive()),
                found: "the folder that should hold it is not there".into(),
            }),
        }
    }
}

/// Tries whether a file can be made in a folder.
pub(super) fn try_writing(folder: &Path) -> Result<(), TargetError> {
    let probe = folder.join(".hresolve-writable");
    create_fresh(&probe).map_err(io("write in", folder))?;
    fs::remove_file(&probe).map_err(io("remove", &probe))
}

pub(super) fn io<'a>(doing: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> TargetError + 'a {
    move |source| TargetError::Io { doing, path: path.to_owned(), source }
}

/// Makes a file of ours. What an interrupted run left is replaced; a link that somebody prepared under that name is never followed.
pub(super) fn create_fresh(path: &Path) -> std::io::Result<fs::File> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        fs::remove_file(path)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

/// Whether this user may write in a folder, and its file system can be written, without trying.
#[cfg(unix)]
pub(super) fn may_write(folder: &Path) -> std::io::Result<()> {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).map_err(Into::into)
}

#[cfg(not(unix))]
pub(super) fn may_write(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Makes a rename durable.
pub(super) fn sync_parent(file: &Path) -> Result<(), TargetError> {
    crate::durable::sync_folder_of(file).map_err(io("write to the disk the folder of", file))
}
