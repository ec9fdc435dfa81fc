//! Where runs are kept: one folder a run, with its journal and the copies that undo needs.
//!
//! The only place that writes beside the target's own files. Never overwrites a file of an earlier run.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a run could not be kept or found.
#[derive(Debug)]
pub enum StoreError {
    /// The system refused.
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The place is not safe: a link, or something that is not a folder.
    Unsafe {
        /// The place.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another hresolve holds the runs of this target.
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// There is no such run.
    NoSuchRun {
        /// The name as given.
        run: String,
    },
    /// A saved copy does not have the checksum that the journal names.
    Damaged {
        /// The copy.
        path: PathBuf,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Io { doing, path, source } => write!(out, "could not {doing} {}: {source}", path.display()),
            StoreError::Unsafe { path, why } => write!(out, "{} is not safe to keep undo records in: {why}", path.display()),
            StoreError::Busy { path } => write!(out, "another hresolve is working here ({} is locked)", path.display()),
            StoreError::NoSuchRun { run } => write!(out, "there is no run named {run:?}; `hresolve runs` lists them"),
            StoreError::Damaged { path } => write!(out, "the saved copy {} is not what was saved", path.display()),
        }
    }
}

impl std::error::Error for StoreError {}

/// The runs of one target.
#[derive(Debug, Clone)]
pub struct StateStore {
    root: PathBuf,
    volume: Option<PathBuf>,
    /// Journal lines that may still be written; for tests of what happens when the disk is full.
    lines_left: Option<Arc<AtomicU64>>,
}

/// Holds the store for one process; freed when dropped or when the process ends in whatever way.
#[derive(Debug)]
pub struct StoreLock {
    _file: fs::File,
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// The run's name: `20261122T140509Z-1a2b3c4d`.
    pub id: String,
    /// The folder.
    pub path: PathBuf,
    lines_left: Option<Arc<AtomicU64>>,
}

impl StateStore {
    /// The store on a mounted Windows volume: `ProgramData\hresolve\runs`.
    pub fn on_volume(volume: &Path) -> Self {
        // An existing ProgramData is used in whatever spelling it has.
        let data = fs::read_dir(volume)
            .ok()
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name())
            .find(|name| crate::names_equal(&name.to_string_lossy(), "ProgramData"))
            .unwrap_or_else(|| "ProgramData".into());
        StateStore { root: volume.join(data).join("hresolve").join("runs"), volume: Some(volume.to_owned()), lines_left: None }
    }

    /// The store in a folder that the person named (`--state-dir`).
    pub fn in_folder(folder: &Path) -> Self {
        StateStore { root: folder.join("runs"), volume: None, lines_left: None }
    }

    /// The same store, in which only so many more journal lines can be written: as if the disk were full then.
    #[must_use]
    pub fn with_room_for(mut self, lines: u64) -> Self {
        self.lines_left = Some(Arc::new(AtomicU64::new(lines)));
        self
    }

    /// The run's folder as a path on the target's own volume; `None` when runs are kept elsewhere.
    pub fn on_target(&self, run: &RunFolder) -> Option<model::VolumePath> {
        let inside = run.path.strip_prefix(self.volume.as_ref()?).ok()?;
        model::VolumePath::parse(&inside.to_string_lossy()).ok()
    }

    /// Whether Windows' own security lets nobody but SYSTEM and Administrators change the run's folder.
    pub fn is_closed(&self, run: &RunFolder) -> bool {
        crate::security::is_closed(&run.path)
    }

    /// Where the runs are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the store's folders, refusing any that is a link, and takes the lock.
    ///
    /// # Errors
    /// When a folder cannot be made or is not safe, or another process holds the lock.
    pub fn lock(&self) -> Result<StoreLock, StoreError> {
        let start = self.volume.clone().unwrap_or_default();
        let below = self.root.strip_prefix(&start).unwrap_or(&self.root);
        let mut path = start;
        for part in below.components() {
            path.push(part);
            match fs::symlink_metadata(&path) {
                // A folder that the person named may lie behind links of their own system; on a foreign volume nothing may.
                Ok(metadata) if metadata.is_symlink() && (self.volume.is_some() || path == self.root) => {
                    return Err(StoreError::Unsafe { path, why: "it is a link".into() });
                }
                Ok(metadata) if metadata.is_symlink() || metadata.is_dir() => {}
                Ok(_) => return Err(StoreError::Unsafe { path, why: "it is not a folder".into() }),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_private(&path)?,
                Err(source) => return Err(StoreError::Io { doing: "look at", path, source }),
            }
        }
        check_owner(&self.root)?;
        // A folder that the person named in Windows is theirs, which its security says; what is ours in it is closed.
        if self.volume.is_some() || !crate::host::is_windows() {
            check_owner(self.root.parent().unwrap_or(&self.root))?;
        }
        let path = self.root.join("lock");
        refuse_link(&path)?;
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| StoreError::Io { doing: "make", path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(StoreLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Busy { path }),
            Err(fs::TryLockError::Error(source)) => Err(StoreError::Io { doing: "lock", path, source }),
        }
    }

    /// True when there are runs, or may be, that this process must not see: those of the running Windows are closed to all but administrators.
    pub fn is_hidden(&self) -> bool {
        matches!(fs::read_dir(&self.root), Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied)
    }

    /// The names of all runs, oldest first; empty when there is no store.
    pub fn runs(&self) -> Vec<RunFolder> {
        let mut runs: Vec<RunFolder> = fs::read_dir(&self.root)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| {
                Some(RunFolder { id: entry.file_name().to_str()?.to_owned(), path: entry.path(), lines_left: self.lines_left.clone() })
            })
            .filter(|run| fs::symlink_metadata(run.path.join("journal.jsonl")).is_ok_and(|metadata| metadata.is_file()))
            .collect();
        runs.sort_by(|a, b| a.id.cmp(&b.id));
        runs
    }

    /// One run by its name or an unambiguous part of it; the newest when none is named.
    ///
    /// # Errors
    /// When there is no such run, or several.
    pub fn find(&self, name: Option<&str>) -> Result<RunFolder, StoreError> {
        let runs = self.runs();
        let Some(name) = name else {
            return runs.last().cloned().ok_or(StoreError::NoSuchRun { run: "newest".into() });
        };
        let mut fitting = runs.iter().filter(|run| run.id == name || run.id.contains(name));
        match (fitting.next(), fitting.next()) {
            (Some(run), None) => Ok(run.clone()),
            _ => Err(StoreError::NoSuchRun { run: name.into() }),
        }
    }

    /// Makes the folder of a new run. Its name sorts by time and differs from every other.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self, now: crate::Now) -> Result<RunFolder, StoreError> {
        let stamp = now.iso().replace([':', '-'], "");
        // Two runs within one second still sort in the order in which they were made.
        let id = format!("{stamp}-{:09}-{:04x}", now.nanos, now.unique & 0xFFFF);
        let run = RunFolder { path: self.root.join(&id), id, lines_left: self.lines_left.clone() };
        make_private(&run.path)?;
        for part in ["before", "after", "evidence", "new"] {
            make_private(&run.path.join(part))?;
        }
        Ok(run)
    }
}

/// Refuses a link where a file of ours belongs: what travels with a disk may have been prepared by somebody.
fn refuse_link(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(StoreError::Unsafe { path: path.to_owned(), why: "it is not an ordinary file".into() }),
        _ => Ok(()),
    }
}

/// Refuses a folder that belongs to another user or that others may write: its journals could be forged. On ntfs-3g the owner and
/// rights that Linux shows are the mount's, not the disk's; there the Windows security counts.
fn check_owner(path: &Path) -> Result<(), StoreError> {
    if crate::security::is_kept(path) {
        return match crate::security::open_to_others(path) {
            Some(why) => Err(StoreError::Unsafe { path: path.to_owned(), why }),
            None => Ok(()),
        };
    }
    check_unix_owner(path)
}

#[cfg(unix)]
fn check_unix_owner(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(path).map_err(|source| StoreError::Io { doing: "look at", path: path.to_owned(), source })?;
    let me = rustix::process::geteuid().as_raw();
    if metadata.uid() != me && metadata.uid() != 0 {
        return Err(StoreError::Unsafe { path: path.to_owned(), why: format!("it belongs to another user (number {})", metadata.uid()) });
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(StoreError::Unsafe { path: path.to_owned(), why: "others may write in it".into() });
    }
    Ok(())
}

/// Windows without administrator rights: what others put there gives them no rights that this process has.
#[cfg(not(unix))]
fn check_unix_owner(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Makes one folder that only this user can enter; with administrator rights in Windows, that only administrators can.
fn make_private(path: &Path) -> Result<(), StoreError> {
    private_builder().create(path).map_err(|source| StoreError::Io { doing: "make the folder", path: path.to_owned(), source })?;
    crate::security::close(path).map_err(|source| StoreError::Io { doing: "close to other users the folder", path: path.to_owned(), source })?;
    // Between the two, others could have put something into it.
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::Unsafe { path: path.to_owned(), why: "somebody put something into it while it was made".into() }),
        Err(source) => Err(StoreError::Io { doing: "look into", path: path.to_owned(), source }),
    }
}

#[cfg(unix)]
fn private_builder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(not(unix))]
fn private_builder() -> fs::DirBuilder {
    fs::DirBuilder::new()
}

impl RunFolder {
    /// Appends one whole line to the journal and waits until it is on the disk.
    ///
    /// # Errors
    /// When it could not be written: the caller must not change anything then.
    pub fn append(&self, line: &str) -> Result<(), StoreError> {
        let path = self.path.join("journal.jsonl");
        let io = |doing: &'static str| {
            let path = path.clone();
            move |source| StoreError::Io { doing, path, source }
        };
        refuse_link(&path)?;
        if let Some(left) = &self.lines_left
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
        {
            return Err(io("write")(std::io::ErrorKind::StorageFull.into()));
        }
        let new = !path.exists();
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(io("open"))?;
        if new {
            crate::security::close(&path).map_err(io("close to other users"))?;
        }
        file.write_all(format!("{line}\n").as_bytes()).map_err(io("write"))?;
        file.sync_all().map_err(io("write to the disk"))?;
        // The name of a new journal, and that of its run, must be on the disk as well.
        crate::durable::sync_folder_of(&path).and_then(|()| crate::durable::sync_folder_of(&self.path)).map_err(io("write to the disk"))
    }

    /// The whole journal; a torn last line is the reader's business.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn journal(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.path.join("journal.jsonl");
        fs::read(&path).map_err(|source| StoreError::Io { doing: "read", path, source })
    }

    /// Cuts a torn last line off the journal, so that the next line starts on its own.
    ///
    /// # Errors
    /// When the file cannot be changed.
    pub fn cut_journal(&self, length: u64) -> Result<(), StoreError> {
        let path = self.path.join("journal.jsonl");
        refuse_link(&path)?;
        // A journal that is whole keeps its time of last write, too.
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == length) {
            return Ok(());
        }
        let file = fs::OpenOptions::new().write(true).open(&path);
        file.and_then(|file| file.set_len(length).and_then(|()| file.sync_all())).map_err(|source| StoreError::Io { doing: "cut", path, source })
    }

    /// Saves a copy below the run (`before/SYSTEM`), never over an existing one, and waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written or exists with other content.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path.join(name);
        refuse_link(&path)?;
        if path.exists() {
            return match fs::read(&path) {
                Ok(there) if there == bytes => Ok(()),
                _ => Err(StoreError::Unsafe { path, why: "a different copy is already there".into() }),
            };
        }
        let partial = path.with_extension("partial");
        refuse_link(&partial)?;
        // Closed to others before the first byte is in it.
        let written = fs::File::create(&partial)
            .and_then(|mut file| crate::security::close(&partial).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_all()));
        written.and_then(|()| fs::rename(&partial, &path)).and_then(|()| crate::durable::sync_folder_of(&path)).map_err(|source| StoreError::Io {
            doing: "save",
            path,
            source,
        })
    }

    /// Puts a copy of this program into the run's folder, closed to others, for what goes on with the run later; its path.
    ///
    /// # Errors
    /// When the program cannot be read, or the copy not be written.
    pub fn keep_program(&self) -> Result<PathBuf, StoreError> {
        let folder = self.path.join("program");
        let own = std::env::current_exe().and_then(fs::read).map_err(|source| StoreError::Io {
            doing: "read this program for",
            path: folder.clone(),
            source,
        })?;
        if !folder.is_dir() {
            make_private(&folder)?;
        }
        self.save("program/hresolve.exe", &own)?;
        Ok(folder.join("hresolve.exe"))
    }

    /// Writes a file of the run that may change (`report.md`).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path.join(name);
        refuse_link(&path)?;
        let closed = fs::File::create(&path).and_then(|mut file| crate::security::close(&path).and_then(|()| file.write_all(bytes)));
        closed.map_err(|source| StoreError::Io { doing: "write", path, source })
    }

    /// A saved copy, checked against its sha256.
    ///
    /// # Errors
    /// When it is missing or not what was saved.
    pub fn load(&self, name: &str, sha256: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.path.join(name);
        refuse_link(&path)?;
        let bytes = fs::read(&path).map_err(|source| StoreError::Io { doing: "read", path: path.clone(), source })?;
        if crate::sha256(&bytes) == sha256 { Ok(bytes) } else { Err(StoreError::Damaged { path }) }
    }

    /// The bytes that the run's folder takes on the disk.
    pub fn size(&self) -> u64 {
        fn below(folder: &Path) -> u64 {
            fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| match entry.file_type() {
                    Ok(kind) if kind.is_dir() => below(&entry.path()),
                    _ => entry.metadata().map_or(0, |metadata| metadata.len()),
                })
                .sum()
        }
        below(&self.path)
    }

    /// Removes the run with its saved copies; undo is not possible afterwards.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn forget(&self) -> Result<(), StoreError> {
        fs::remove_dir_all(&self.path).map_err(|source| StoreError::Io { doing: "remove", path: self.path.clone(), source })
    }
}
