//! The two traits behind which every kind of machine disappears: one reads, one also changes.

use crate::{Now, RunFolder, Source, StateStore, TargetError};
use model::{
    Change, FileOrigin, HeldService, KeyTree, Observed, Operated, Operation, Reading, RegistryData, RestorePoint, Room, TargetInfo, UpdateRecord,
    VolumePath, WhyNot, WindowsVersion,
};
use std::io::{Cursor, Read};
use std::rc::Rc;
use std::time::Duration;

/// A registry key as it is now.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// The full path, with the control set's number.
    pub path: String,
    /// Names of the subkeys.
    pub subkeys: Vec<String>,
    /// Values in stored order; the default value has an empty name.
    pub values: Vec<(String, RegistryData)>,
    /// When the key was last written, as a Windows file time (100 ns since 1601).
    pub last_written: u64,
}

impl KeyView {
    /// The value of that name; Windows does not tell upper from lower case.
    pub fn value(&self, name: &str) -> Option<&RegistryData> {
        self.values.iter().find(|(there, _)| crate::names_equal(there, name)).map(|(_, data)| data)
    }

    /// True when there is such a subkey.
    pub fn has_subkey(&self, name: &str) -> bool {
        self.subkeys.iter().any(|there| crate::names_equal(there, name))
    }
}

/// What stands at a path, without following a link in the last place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// An ordinary file.
    File,
    /// A folder.
    Folder,
    /// A junction or symbolic link, with its target as stored.
    Link(String),
    /// A reparse point whose content this system cannot read (compressed by WOF, deduplicated, in the cloud …).
    Reparse(String),
    /// A device, a pipe or something else that no Windows volume has.
    Other,
}

/// One directory entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// The path with the spelling that is on the disk.
    pub path: VolumePath,
    /// Size in bytes (files).
    pub size: u64,
    /// Last write, seconds since 1970 UTC.
    pub modified: i64,
}

/// Where an expanded path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expanded {
    /// On this volume.
    Here(VolumePath),
    /// On another drive letter; the rest as text.
    Elsewhere(char, String),
    /// It cannot be told: an unknown variable, a network path.
    Unknown(String),
}

/// The largest file that is held in memory where it cannot be streamed.
pub const LARGEST_HELD: u64 = 256 << 20;

/// The largest registry key, counted with the keys below it, that is removed or made as one.
pub const LARGEST_TREE: usize = 200;

/// A Windows installation that can be read. Reading never changes a byte or a time stamp.
pub trait Target {
    /// Kind, path and Windows version.
    fn info(&self) -> TargetInfo;

    /// The Windows that was found.
    fn windows(&self) -> &WindowsVersion;

    /// The letter by which that Windows calls its own volume.
    fn drive(&self) -> char;

    /// A registry key; `CurrentControlSet` is the set that the next boot uses.
    fn key(&self, path: &str) -> Reading<KeyView>;

    /// A registry key with everything below it, of at most [`LARGEST_TREE`] keys. Where a kind of target knows no security of keys, it
    /// is left out.
    fn key_tree(&self, path: &str) -> Reading<KeyTree> {
        let mut left = LARGEST_TREE;
        tree_by_keys(&|path| self.key(path), path, &mut left)
    }

    /// What stands at a path. Case does not matter; two names that differ only in case are `Unreadable`.
    fn entry(&self, path: &VolumePath) -> Reading<Entry>;

    /// The content of a file of at most `limit` bytes; larger is `Unreadable`.
    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>>;

    /// A file as a stream, for logs that are too large to be held. A kind of target that has no streams of its own reads the
    /// file into memory, up to [`LARGEST_HELD`].
    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        self.read(path, LARGEST_HELD).map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read + '_>)
    }

    /// The files packed in a cabinet, such as a servicing log that Windows has set aside: `take` gets the name and the content of
    /// each. When the answer is `Unreadable`, those before the damage were handed over.
    fn unpack(&self, path: &VolumePath, take: &mut dyn FnMut(&str, &mut dyn Read)) -> Reading<()> {
        unpack_stream(self.open(path), path, take)
    }

    /// At most the first `length` bytes of a file of any size.
    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>>;

    /// sha256 of a file of any size.
    fn sha256(&self, path: &VolumePath) -> Reading<String>;

    /// The names in a folder. A bundle lists only folders of logs, where a name that is missing says nothing; of every other folder it
    /// says `NotCollected`.
    fn list(&self, path: &VolumePath) -> Reading<Vec<String>>;

    /// The room on the volume, in bytes; `NotCollected` where the files do not lie on a Windows volume of their own, because the room
    /// around a copy says nothing about the drive that it was made of.
    fn room(&self) -> Reading<Room> {
        Reading::NotCollected
    }

    /// What the clock of this Windows says now; `NotCollected` where no Windows is running: a disk does not say what time its computer
    /// thinks it is, and the clock of the computer that reads it says nothing about it.
    fn clock(&self) -> Reading<Now> {
        Reading::NotCollected
    }

    /// For how many milliseconds this Windows has been running, by a counter that does not change when the clock is set.
    fn running(&self) -> Reading<u64> {
        Reading::NotCollected
    }

    /// What Windows Update itself remembers of installed and removed updates, newest first, at most some hundred. Only a running Windows can
    /// be asked, and nothing is started for it: while its service does not run, the answer is `Unreadable`.
    fn update_history(&self) -> Reading<Vec<UpdateRecord>> {
        Reading::NotCollected
    }

    /// Expands `%SystemRoot%`, `\SystemRoot\`, `\??\C:\` … from this machine's own registry.
    fn expand(&self, text: &str) -> Expanded;

    /// Why nothing may be changed here now; empty when changes are possible.
    fn why_not(&self) -> Vec<WhyNot>;

    /// Sentences about how the target was read that a person should know (a replayed hive, a partial copy).
    fn notes(&self) -> Vec<String>;

    /// What the person named with `--source`: files of another, whole Windows of the same build.
    fn source(&self) -> Option<&dyn Source> {
        None
    }

    /// The content of a file that is to be put in its place.
    fn content(&self, from: &FileOrigin) -> Reading<Vec<u8>> {
        match (from, self.source()) {
            (FileOrigin::Volume(path), _) => self.read(path, LARGEST_HELD),
            (FileOrigin::Source(name), Some(source)) => source.read(name),
            (FileOrigin::Source(_), None) => Reading::NotCollected,
        }
    }

    /// Convenience: one value of a key.
    fn value(&self, key: &str, name: &str) -> Reading<RegistryData> {
        self.key(key).and_then(|view| view.value(name).cloned().into())
    }

    /// By what this machine is recognised among others: a hash over its name, installation date and machine number.
    fn machine(&self) -> String {
        let version = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
        let places = [
            ("HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName", "ComputerName"),
            (version, "InstallDate"),
            (version, "ProductId"),
            ("HKLM\\SOFTWARE\\Microsoft\\Cryptography", "MachineGuid"),
        ];
        let shown: Vec<String> =
            places.iter().map(|(key, name)| self.value(key, name).into_known().map_or(String::new(), |data| data.show())).collect();
        crate::sha256(shown.join("\n").as_bytes()).get(..16).unwrap_or_default().to_owned()
    }

    /// What was read before counts no more: called before everything is read again. Where others work on the files at the same time, names
    /// that were listed before are forgotten.
    fn look_anew(&self) {}

    /// The Windows folder on this volume, usually `\Windows`.
    fn windows_folder(&self) -> VolumePath;
}

/// A key with everything below it, key by key.
pub(crate) fn tree_by_keys(key: &dyn Fn(&str) -> Reading<KeyView>, path: &str, left: &mut usize) -> Reading<KeyTree> {
    if *left == 0 {
        return Reading::Unreadable(format!("{path} and what lies beside it are more than {LARGEST_TREE} keys"));
    }
    *left -= 1;
    let view = match key(path) {
        Reading::Known(view) => view,
        Reading::Absent => return Reading::Absent,
        Reading::NotCollected => return Reading::NotCollected,
        Reading::Unreadable(why) => return Reading::Unreadable(why),
    };
    let mut tree = KeyTree { security: None, values: view.values, subkeys: Vec::new() };
    for name in view.subkeys {
        match tree_by_keys(key, &format!("{path}\\{name}"), left) {
            Reading::Known(below) => tree.subkeys.push((name, below)),
            Reading::Unreadable(why) => return Reading::Unreadable(why),
            _ => return Reading::Unreadable(format!("{path}\\{name} is listed and cannot be opened")),
        }
    }
    Reading::Known(tree)
}

/// Unpacks what was opened as a cabinet.
pub(crate) fn unpack_stream(opened: Reading<Box<dyn Read + '_>>, path: &VolumePath, take: &mut dyn FnMut(&str, &mut dyn Read)) -> Reading<()> {
    opened.and_then(|mut packed| match crate::targets::bundle::unpack::cabinet(&mut *packed, take) {
        Ok(()) => Reading::Known(()),
        Err(error) => Reading::Unreadable(format!("{path}: {error}")),
    })
}

/// A clock is set by [`WritableTarget::set_clock`], never among other changes.
pub(crate) fn not_applied() -> TargetError {
    TargetError::Refused { why: "the clock is set by itself, not among other changes".into() }
}

/// Whether a change is made or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From old to new.
    Forward,
    /// From new to old.
    Back,
}

/// The state of one hive's files, by which undo recognises its own work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiveState {
    /// The hive's file name, for example `SYSTEM`.
    pub hive: String,
    /// sha256 of the primary file.
    pub primary: String,
    /// sha256 of each log that exists, with its file name.
    pub logs: Vec<(String, String)>,
    /// Last write of the primary file: seconds since 1970 and nanoseconds.
    pub modified: (i64, u32),
}

/// What is about to happen to a hive file; recorded before it happens.
#[derive(Debug, Clone)]
pub struct HiveIntent {
    /// The state now.
    pub before: HiveState,
    /// The sha256 that the primary file will have.
    pub after: String,
    /// The temporary file beside it, to be removed if the program dies before the rename.
    pub temporary: VolumePath,
}

/// A Windows installation that can be changed. Every method is all or nothing.
pub trait WritableTarget: Target {
    /// Makes or takes back changes; registry changes of one hive are one replacement of its file.
    ///
    /// `record` is called before each hive file is replaced; when it fails, nothing is changed.
    ///
    /// # Errors
    /// When an object is not as the change expects, the system refuses, or the intent cannot be recorded. Changes before the
    /// failing one may have been made: the caller observes each and takes them back.
    fn apply(
        &mut self,
        changes: &[Change],
        direction: Direction,
        record: &mut dyn FnMut(&HiveIntent) -> Result<(), String>,
    ) -> Result<(), TargetError>;

    /// What the object of a change looks like now.
    fn observe(&self, change: &Change) -> Reading<Observed>;

    /// The state of the hive files that these changes touch; empty where the registry is not kept in files (live).
    ///
    /// # Errors
    /// When a hive file cannot be read.
    fn hive_states(&self, changes: &[Change]) -> Result<Vec<HiveState>, TargetError>;

    /// The state of one hive's files now.
    ///
    /// # Errors
    /// When the hive does not exist or cannot be read.
    fn hive_state(&self, hive: &str) -> Result<HiveState, TargetError>;

    /// The bytes of a hive's primary file.
    ///
    /// # Errors
    /// When it cannot be read.
    fn hive_bytes(&self, hive: &str) -> Result<Vec<u8>, TargetError>;

    /// Puts the primary file back byte for byte, with its time of last write.
    ///
    /// # Errors
    /// When the system refuses or the bytes read back differ.
    fn restore_hive(&mut self, hive: &str, bytes: &[u8], modified: (i64, u32)) -> Result<(), TargetError>;

    /// Removes a temporary file that an interrupted replacement left behind; it is no error when there is none.
    ///
    /// # Errors
    /// When it exists and cannot be removed.
    fn remove_temporary(&mut self, path: &VolumePath) -> Result<(), TargetError>;

    /// The services that would keep these changes from being made, as they are now; none where nothing runs.
    ///
    /// # Errors
    /// When they cannot be asked about.
    fn in_the_way(&self, _changes: &[Change]) -> Result<Vec<HeldService>, TargetError> {
        Ok(Vec::new())
    }

    /// Keeps these services from running: disables and stops them. The caller has recorded how they were.
    ///
    /// # Errors
    /// When one refuses; the caller lets all of them go again.
    fn hold(&mut self, _held: &[HeldService]) -> Result<(), TargetError> {
        Ok(())
    }

    /// Gives these services their start types back and has those run again that ran.
    ///
    /// # Errors
    /// When one refuses; the others have been let go all the same.
    fn let_go(&mut self, _held: &[HeldService]) -> Result<(), TargetError> {
        Ok(())
    }

    /// Sets the clock of the running Windows.
    ///
    /// # Errors
    /// Refused where no Windows is running, or where its clock belongs to somebody else.
    fn set_clock(&mut self, _to: Now) -> Result<(), TargetError> {
        Err(TargetError::Refused { why: "this is no running Windows, so it has no clock that could be set".into() })
    }

    /// Why Windows' own programs should not be run now; changes of values and files may be possible all the same.
    fn why_not_operate(&self) -> Vec<WhyNot> {
        Vec::new()
    }

    /// Has a running Windows make a restore point, and looks whether it is there. Nothing is made where none runs.
    fn restore_point(&mut self, _description: &str) -> RestorePoint {
        RestorePoint::NotHere
    }

    /// Has Windows do what only it can do while it runs, and waits for its end, at most as long as `limit`. `progress` gets sentences.
    /// Nothing of it can be taken back; what it came to is for the caller to judge.
    ///
    /// # Errors
    /// When nothing runs here, the program cannot be started, or it took too long and was ended.
    fn operate(&mut self, operation: &Operation, _limit: Duration, _progress: &mut dyn FnMut(&str)) -> Result<Operated, TargetError> {
        Err(TargetError::Refused { why: format!("{} needs the running Windows", operation.says(self.drive())) })
    }

    /// When the Windows that runs was started, as a Windows file time; another number after every start. Sleep and the fast start, which are
    /// none, leave it as it is, and so does setting the clock.
    fn started(&self) -> Reading<u64> {
        Reading::NotCollected
    }

    /// The command line by which Windows would go on with this run after its next start. What it runs is in the run's folder when this
    /// returns, closed to everybody who could not change Windows anyway.
    ///
    /// # Errors
    /// A sentence: why that cannot be here.
    fn goes_on_by_itself(&self, _run: &RunFolder) -> Result<String, String> {
        Err("no Windows is running here".into())
    }

    /// Has the running Windows restart after so many seconds, in which a person can still stop it; `says` is shown to whoever is there.
    ///
    /// # Errors
    /// When nothing runs here, or Windows refuses.
    fn restart(&mut self, _seconds: u32, _says: &str) -> Result<(), TargetError> {
        Err(TargetError::Refused { why: "this is no running Windows, so there is nothing to restart".into() })
    }

    /// From now on [`Target::source`] is this.
    fn use_source(&mut self, source: Rc<dyn Source>);

    /// Hands over the content of a file that a later [`Change::PutFile`] puts in its place; it is recognised by its sha256.
    fn offer(&mut self, sha256: &str, content: Vec<u8>);

    /// Tries whether files can be made where these changes need it.
    ///
    /// # Errors
    /// What the system said.
    fn check_writable(&self, changes: &[Change]) -> Result<(), TargetError>;

    /// Why these changes could not be written here at all (read-only, no permission), as far as that can be told without trying.
    fn refuses_writes(&self, _changes: &[Change]) -> Option<String> {
        None
    }

    /// Where runs on this target are kept unless the person names another place.
    fn store(&self) -> StateStore;

    /// The same machine, for reading.
    fn as_target(&self) -> &dyn Target;
}
