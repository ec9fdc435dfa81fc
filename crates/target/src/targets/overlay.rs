//! A dry run: changes are kept in memory over a target that is only read. Everything else – probes, guides, actions, checks – runs
//! on it unchanged, so what a dry run shows is what a run would do.

use crate::observe::{is_within, observe, value};
use crate::target::{Direction, Entry, EntryKind, Expanded, HiveIntent, HiveState, KeyView, Target, WritableTarget};
use crate::{Now, RegistryPath, Source, StateStore, Stopwatch, TargetError, names_equal};
use model::{
    Change, KeyTree, Observed, Operated, Operation, Reading, RegistryData, Room, TargetInfo, TargetKind, UpdateRecord, VolumePath, WhyNot,
    WindowsVersion,
};
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;
use std::time::Duration;

/// One thing that happened to the file system, as far as this overlay shows it.
enum FileChange {
    Renamed { from: VolumePath, to: VolumePath },
    Made { path: VolumePath },
    Linked { existing: VolumePath, path: VolumePath },
    Removed { path: VolumePath },
    Put { path: VolumePath, content: Rc<[u8]> },
}

/// One thing that happened to the registry; keys are full paths.
enum RegistryChange {
    Set { key: String, name: String, data: RegistryData },
    Deleted { key: String, name: String },
    KeyMade { key: String },
    KeyRemoved { key: String },
}

/// A target under a layer of changes that exist in memory only.
pub struct OverlayTarget {
    below: Box<dyn WritableTarget>,
    store: StateStore,
    files: Vec<FileChange>,
    registry: Vec<RegistryChange>,
    /// The number of the change that shall fail, for tests of what happens then.
    fails_at: Option<usize>,
    applied: usize,
    /// Content that is to be put in its place, by its sha256.
    offered: BTreeMap<String, Rc<[u8]>>,
    /// By how many seconds the clock was set, in memory only.
    clock_moved: i64,
    /// A clock for tests, where there is none below.
    given_clock: Option<GivenClock>,
}

/// A clock that goes with that of this computer.
struct GivenClock {
    /// By how many seconds it is ahead of it.
    ahead: i64,
    /// For how many milliseconds its Windows had been running, and since when.
    running: u64,
    since: Stopwatch,
}

/// Where a path of the overlay lies below it.
enum Place {
    Below(VolumePath),
    NewFolder,
    NewFile(Rc<[u8]>),
    Nowhere,
}

impl OverlayTarget {
    /// A layer over a target; runs are kept in `store`, never on the target.
    pub fn new(below: Box<dyn WritableTarget>, store: StateStore) -> Self {
        OverlayTarget {
            below,
            store,
            files: Vec::new(),
            registry: Vec::new(),
            fails_at: None,
            applied: 0,
            offered: BTreeMap::new(),
            clock_moved: 0,
            given_clock: None,
        }
    }

    /// From now on the change with this number (counted from 0 over the life of the overlay) fails, once.
    pub fn fail_at(&mut self, number: usize) {
        self.fails_at = Some(number);
    }

    /// From now on this is a running Windows for tests of what needs one: it was started so many milliseconds ago, and its clock is so many seconds ahead
    /// of this computer's, whatever it was set to before.
    pub fn give_clock(&mut self, ahead: i64, running: u64) {
        self.clock_moved = 0;
        self.given_clock = Some(GivenClock { ahead, running, since: Stopwatch::start() });
    }

    /// How many single changes were asked for so far, in either direction.
    pub fn applied(&self) -> usize {
        self.applied
    }

    /// Everything that looks different through the overlay than below it, in words; empty when all changes were taken back.
    pub fn differences(&self) -> Vec<String> {
        let mut different = Vec::new();
        for change in &self.registry {
            let (key, name) = match change {
                RegistryChange::Set { key, name, .. } | RegistryChange::Deleted { key, name } => (key, Some(name)),
                RegistryChange::KeyMade { key } | RegistryChange::KeyRemoved { key } => (key, None),
            };
            let same = match name {
                Some(name) => self.value(key, name) == self.below.value(key, name),
                None => self.key(key).known().is_some() == self.below.key(key).known().is_some(),
            };
            if !same {
                different.push(name.map_or(key.clone(), |name| format!("{key}\\{name}")));
            }
        }
        for change in &self.files {
            let paths = match change {
                FileChange::Renamed { from, to } => vec![from, to],
                FileChange::Made { path } | FileChange::Linked { path, .. } | FileChange::Removed { path } | FileChange::Put { path, .. } => {
                    vec![path]
                }
            };
            let seen =
                |target: &dyn Target, path: &VolumePath| (target.entry(path).map(|entry| (entry.kind, entry.size)), target.list(path).into_known());
            different.extend(paths.into_iter().filter(|path| seen(self, path) != seen(self.below.as_target(), path)).map(ToString::to_string));
        }
        different.sort();
        different.dedup();
        different
    }

    fn place(&self, path: &VolumePath) -> Place {
        let mut path = path.clone();
        for change in self.files.iter().rev() {
            match change {
                FileChange::Renamed { from, to } if is_within(&path, to) => {
                    let rest = path.components().iter().skip(to.components().len()).cloned().collect::<Vec<_>>().join("\\");
                    path = from.join(&rest);
                }
                FileChange::Renamed { from, .. } if is_within(&path, from) => return Place::Nowhere,
                FileChange::Made { path: made } if is_within(&path, made) => {
                    return if path.components().len() == made.components().len() { Place::NewFolder } else { Place::Nowhere };
                }
                FileChange::Linked { existing, path: linked } if is_within(&path, linked) => path = existing.clone(),
                FileChange::Removed { path: removed } if is_within(&path, removed) => return Place::Nowhere,
                FileChange::Put { path: put, content } if is_within(&path, put) => {
                    return if path.components().len() == put.components().len() { Place::NewFile(Rc::clone(content)) } else { Place::Nowhere };
                }
                _ => {}
            }
        }
        Place::Below(path)
    }

    fn below<T>(&self, path: &VolumePath, read: impl Fn(&VolumePath) -> Reading<T>, new: impl Fn(&[u8]) -> T) -> Reading<T> {
        match self.place(path) {
            Place::Below(path) => read(&path),
            Place::NewFile(content) => Reading::Known(new(&content)),
            Place::NewFolder => Reading::Unreadable(format!("{path} is a folder")),
            Place::Nowhere => Reading::Absent,
        }
    }

    fn one(&mut self, change: &Change, direction: Direction) -> Result<(), TargetError> {
        let number = self.applied;
        self.applied += 1;
        if self.fails_at == Some(number) {
            self.fails_at = None;
            return Err(TargetError::Refused { why: "this change was told to fail".into() });
        }
        let wanted = if direction == Direction::Forward { Observed::New } else { Observed::Old };
        match self.observe(change) {
            Reading::Known(now) if now == wanted => return Ok(()),
            Reading::Known(Observed::Other(found)) => {
                // A value in a key that an earlier change of the same step makes.
                return Err(TargetError::Unexpected { object: change.object(self.drive()), found });
            }
            Reading::Unreadable(why) => return Err(TargetError::Refused { why }),
            _ => {}
        }
        let forward = direction == Direction::Forward;
        match change {
            Change::SetClock { .. } => return Err(crate::target::not_applied()),
            Change::SetValue { key, name, old, new } => {
                let data = if forward { Some(new) } else { old.as_ref() };
                self.set(key, name, data);
            }
            Change::DeleteValue { key, name, old } => self.set(key, name, (!forward).then_some(old)),
            Change::CreateKey { key } if forward => self.registry.push(RegistryChange::KeyMade { key: key.clone() }),
            Change::CreateKey { key } => self.registry.push(RegistryChange::KeyRemoved { key: key.clone() }),
            Change::RemoveKey { key, tree } | Change::PutKey { key, tree } => {
                if let Some(why) = crate::protected::why_key(key, tree) {
                    return Err(TargetError::Refused { why: format!("{key} {why}") });
                }
                if matches!(change, Change::PutKey { .. }) == forward {
                    self.put_tree(key, tree);
                } else {
                    self.remove_tree(key, tree);
                }
            }
            Change::PutFile { path, .. } if crate::protected::why_no_file(&self.windows_folder(), path).is_some() => {
                let why = crate::protected::why_no_file(&self.windows_folder(), path).unwrap_or_default();
                return Err(TargetError::Refused { why: format!("{} {why}", path.with_drive(self.drive())) });
            }
            Change::PutFile { path, sha256, .. } if forward => {
                let content = self.offered.get(sha256).filter(|content| crate::sha256(content) == *sha256);
                let content = content.ok_or_else(|| TargetError::Refused { why: format!("the content of {path} is not at hand") })?;
                self.files.push(FileChange::Put { path: path.clone(), content: Rc::clone(content) });
            }
            Change::PutFile { path, .. } => self.files.push(FileChange::Removed { path: path.clone() }),
            Change::Rename { from, to, .. } => {
                let (from, to) = if forward { (from, to) } else { (to, from) };
                for path in [from, to] {
                    if let Some(why) = crate::protected::why(&self.windows_folder(), path) {
                        return Err(TargetError::Refused { why: format!("{} {why}", path.with_drive(self.drive())) });
                    }
                }
                if self.entry(to).known().is_some() {
                    return Err(TargetError::Unexpected { object: to.with_drive(self.drive()), found: "something stands there already".into() });
                }
                self.files.push(FileChange::Renamed { from: from.clone(), to: to.clone() });
            }
            Change::CreateFolder { path } if forward => self.files.push(FileChange::Made { path: path.clone() }),
            Change::HardLink { existing, path, .. } if forward => {
                self.files.push(FileChange::Linked { existing: existing.clone(), path: path.clone() })
            }
            Change::CreateFolder { path } | Change::HardLink { path, .. } => self.files.push(FileChange::Removed { path: path.clone() }),
        }
        Ok(())
    }

    fn put_tree(&mut self, key: &str, tree: &KeyTree) {
        self.registry.push(RegistryChange::KeyMade { key: key.to_owned() });
        for (name, data) in &tree.values {
            self.set(key, name, Some(data));
        }
        for (name, below) in &tree.subkeys {
            self.put_tree(&format!("{key}\\{name}"), below);
        }
    }

    fn remove_tree(&mut self, key: &str, tree: &KeyTree) {
        for (name, below) in &tree.subkeys {
            self.remove_tree(&format!("{key}\\{name}"), below);
        }
        self.registry.push(RegistryChange::KeyRemoved { key: key.to_owned() });
    }

    fn set(&mut self, key: &str, name: &str, data: Option<&RegistryData>) {
        let (key, name) = (key.to_owned(), name.to_owned());
        self.registry.push(match data {
            Some(data) => RegistryChange::Set { key, name, data: data.clone() },
            None => RegistryChange::Deleted { key, name },
        });
    }
}

impl Target for OverlayTarget {
    fn info(&self) -> TargetInfo {
        self.below.info()
    }

    fn windows(&self) -> &WindowsVersion {
        self.below.windows()
    }

    fn drive(&self) -> char {
        self.below.drive()
    }

    fn key(&self, path: &str) -> Reading<KeyView> {
        if crate::registry_path::of_user(path).is_some() {
            return self.below.key(path);
        }
        let full = match RegistryPath::parse(path, self.windows().control_set) {
            Ok(path) => path.to_string(),
            Err(why) => return Reading::Unreadable(why),
        };
        let mut now = self.below.key(path);
        let child = |key: &str| key.rsplit_once('\\').filter(|(parent, _)| names_equal(parent, &full)).map(|(_, name)| name.to_owned());
        for change in &self.registry {
            match (change, &mut now) {
                (RegistryChange::KeyMade { key }, _) if names_equal(key, &full) => {
                    now = Reading::Known(KeyView { path: key.clone(), subkeys: Vec::new(), values: Vec::new(), last_written: 0 });
                }
                (RegistryChange::KeyRemoved { key }, _) if names_equal(key, &full) => now = Reading::Absent,
                (RegistryChange::KeyMade { key }, Reading::Known(view)) => view.subkeys.extend(child(key)),
                (RegistryChange::KeyRemoved { key }, Reading::Known(view)) => {
                    if let Some(name) = child(key) {
                        view.subkeys.retain(|there| !names_equal(there, &name));
                    }
                }
                (RegistryChange::Set { key, name, data }, Reading::Known(view)) if names_equal(key, &full) => {
                    match view.values.iter_mut().find(|(there, _)| names_equal(there, name)) {
                        Some((_, now)) => now.clone_from(data),
                        None => view.values.push((name.clone(), data.clone())),
                    }
                }
                (RegistryChange::Deleted { key, name }, Reading::Known(view)) if names_equal(key, &full) => {
                    view.values.retain(|(there, _)| !names_equal(there, name))
                }
                _ => {}
            }
        }
        now
    }

    fn key_tree(&self, path: &str) -> Reading<KeyTree> {
        // Security is known below only, so a key that no change has touched is asked for there.
        let full = RegistryPath::parse(path, self.windows().control_set).map_or(path.to_owned(), |path| path.to_string());
        let touches = |key: &String| {
            let (longer, shorter) = if key.len() > full.len() { (key, &full) } else { (&full, key) };
            longer.get(..shorter.len()).is_some_and(|start| names_equal(start, shorter))
        };
        let touched = self.registry.iter().any(|change| match change {
            RegistryChange::Set { key, .. }
            | RegistryChange::Deleted { key, .. }
            | RegistryChange::KeyMade { key }
            | RegistryChange::KeyRemoved { key } => touches(key),
        });
        if touched { crate::target::tree_by_keys(&|path| self.key(path), path, &mut { crate::LARGEST_TREE }) } else { self.below.key_tree(path) }
    }

    fn source(&self) -> Option<&dyn Source> {
        self.below.source()
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        match self.place(path) {
            Place::Below(below) => self.below.entry(&below).map(|entry| {
                // The name is the overlay's; the folders above keep the spelling they have below.
                let moved = !names_equal(&below.to_string(), &path.to_string());
                Entry { path: if moved { path.clone() } else { entry.path.clone() }, ..entry }
            }),
            Place::NewFolder => Reading::Known(Entry { kind: EntryKind::Folder, path: path.clone(), size: 0, modified: 0 }),
            Place::NewFile(content) => Reading::Known(Entry { kind: EntryKind::File, path: path.clone(), size: content.len() as u64, modified: 0 }),
            Place::Nowhere => Reading::Absent,
        }
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        self.below(path, |path| self.below.read(path, limit), <[u8]>::to_vec)
    }

    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        match self.place(path) {
            Place::Below(path) => self.below.open(&path),
            Place::NewFile(content) => Reading::Known(Box::new(std::io::Cursor::new(content.to_vec()))),
            Place::NewFolder => Reading::Unreadable(format!("{path} is a folder")),
            Place::Nowhere => Reading::Absent,
        }
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.below(path, |path| self.below.read_start(path, length), |content| content.get(..length).unwrap_or(content).to_vec())
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        self.below(path, |path| self.below.sha256(path), crate::sha256)
    }

    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        let names = match self.place(path) {
            Place::Below(below) => self.below.list(&below),
            Place::NewFolder => Reading::Known(Vec::new()),
            Place::NewFile(_) => Reading::Unreadable(format!("{path} is not a folder")),
            Place::Nowhere => Reading::Absent,
        };
        names.map(|mut names| {
            let made = self.files.iter().filter_map(|change| match change {
                FileChange::Renamed { to: made, .. }
                | FileChange::Made { path: made }
                | FileChange::Linked { path: made, .. }
                | FileChange::Put { path: made, .. } => Some(made),
                FileChange::Removed { .. } => None,
            });
            for made in made.filter(|made| made.parent().is_some_and(|parent| names_equal(&parent.to_string(), &path.to_string()))) {
                if !names.iter().any(|there| names_equal(there, made.file_name())) {
                    names.push(made.file_name().to_owned());
                }
            }
            names.retain(|name| self.entry(&path.join(name)).known().is_some());
            names.sort_unstable();
            names
        })
    }

    fn room(&self) -> Reading<Room> {
        self.below.room()
    }

    fn clock(&self) -> Reading<Now> {
        let below = match &self.given_clock {
            Some(given) => {
                let now = crate::now();
                Reading::Known(Now { unix: now.unix.saturating_add_signed(given.ahead), ..now })
            }
            None => self.below.clock(),
        };
        below.map(|now| Now { unix: now.unix.saturating_add_signed(self.clock_moved), ..now })
    }

    fn update_history(&self) -> Reading<Vec<UpdateRecord>> {
        self.below.update_history()
    }

    fn running(&self) -> Reading<u64> {
        match &self.given_clock {
            Some(given) => Reading::Known(given.running.saturating_add(given.since.milliseconds())),
            None => self.below.running(),
        }
    }

    fn expand(&self, text: &str) -> Expanded {
        crate::targets::folder::expand_on(self, text)
    }

    fn look_anew(&self) {
        self.below.look_anew();
    }

    fn why_not(&self) -> Vec<WhyNot> {
        self.below.why_not()
    }

    fn notes(&self) -> Vec<String> {
        self.below.notes()
    }

    fn windows_folder(&self) -> VolumePath {
        self.below.windows_folder()
    }
}

impl WritableTarget for OverlayTarget {
    fn apply(
        &mut self,
        changes: &[Change],
        direction: Direction,
        _record: &mut dyn FnMut(&HiveIntent) -> Result<(), String>,
    ) -> Result<(), TargetError> {
        let mut ordered: Vec<&Change> = changes.iter().collect();
        if direction == Direction::Back {
            ordered.reverse();
        }
        for change in ordered {
            if let (Change::CreateKey { key }, Direction::Back) = (change, direction)
                && self.key(key).known().is_some_and(|view| !view.values.is_empty() || !view.subkeys.is_empty())
            {
                return Err(TargetError::Unexpected { object: key.clone(), found: "something else was put into the key since".into() });
            }
            self.one(change, direction)?;
        }
        Ok(())
    }

    fn observe(&self, change: &Change) -> Reading<Observed> {
        match change {
            Change::SetValue { key, name, old, new } => value(self, key, name, old.as_ref(), Some(new)),
            other => observe(self, other),
        }
    }

    fn hive_states(&self, _changes: &[Change]) -> Result<Vec<HiveState>, TargetError> {
        // Nothing of this registry is in files.
        Ok(Vec::new())
    }

    fn hive_state(&self, hive: &str) -> Result<HiveState, TargetError> {
        Err(TargetError::Refused { why: format!("a dry run keeps no file for the hive {hive}") })
    }

    fn hive_bytes(&self, hive: &str) -> Result<Vec<u8>, TargetError> {
        self.below.hive_bytes(hive)
    }

    fn restore_hive(&mut self, hive: &str, _bytes: &[u8], _modified: (i64, u32)) -> Result<(), TargetError> {
        Err(TargetError::Refused { why: format!("a dry run does not write the hive {hive}") })
    }

    fn remove_temporary(&mut self, _path: &VolumePath) -> Result<(), TargetError> {
        Ok(())
    }

    fn set_clock(&mut self, to: Now) -> Result<(), TargetError> {
        self.applied += 1;
        if self.fails_at == Some(self.applied - 1) {
            self.fails_at = None;
            return Err(TargetError::Refused { why: "this change was told to fail".into() });
        }
        let Reading::Known(now) = self.clock() else { return Err(TargetError::Refused { why: "there is no clock below that could be set".into() }) };
        self.clock_moved = self.clock_moved.saturating_add(i64::try_from(i128::from(to.unix) - i128::from(now.unix)).unwrap_or_default());
        Ok(())
    }

    fn why_not_operate(&self) -> Vec<WhyNot> {
        self.below.why_not_operate()
    }

    fn operate(&mut self, operation: &Operation, limit: Duration, progress: &mut dyn FnMut(&str)) -> Result<Operated, TargetError> {
        match self.info().kind {
            // It would be run, and what it would find cannot be told without running it.
            TargetKind::Live => Ok(Operated::NotRun),
            _ => self.below.operate(operation, limit, progress),
        }
    }

    fn use_source(&mut self, source: Rc<dyn Source>) {
        self.below.use_source(source);
    }

    fn offer(&mut self, sha256: &str, content: Vec<u8>) {
        self.offered.insert(sha256.to_owned(), content.into());
    }

    fn check_writable(&self, _changes: &[Change]) -> Result<(), TargetError> {
        Ok(())
    }

    fn store(&self) -> StateStore {
        self.store.clone()
    }

    fn as_target(&self) -> &dyn Target {
        self
    }
}
