//! Changing a folder: hives are replaced whole and atomically, files are only renamed, linked or made.
//!
//! Nothing here deletes content: the only removals are of an empty folder or a second name that a change of ours made.

use super::{FolderTarget, metadata};
use crate::observe::{self, observe};
use crate::target::{Direction, HiveIntent, HiveState, Target, WritableTarget};
use crate::targets::files::{self, Files, create_fresh, io, sync_parent};
use crate::{HiveName, RegistryPath, Source, StateStore, TargetError, sha256};
use hive::CleanHive;
use model::{Change, KeyTree, Observed, Reading, VolumePath};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::UNIX_EPOCH;

impl WritableTarget for FolderTarget {
    fn apply(
        &mut self,
        changes: &[Change],
        direction: Direction,
        record: &mut dyn FnMut(&HiveIntent) -> Result<(), String>,
    ) -> Result<(), TargetError> {
        let (mut registry, mut files): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|change| change.key().is_some());
        if direction == Direction::Back {
            registry.reverse();
            files.reverse();
        }
        self.change_hives(&registry, direction, record)?;
        for change in files {
            let done = self.files().change(change, direction);
            self.paths.forget();
            done?;
        }
        Ok(())
    }

    fn observe(&self, change: &Change) -> Reading<Observed> {
        observe(self, change)
    }

    fn hive_states(&self, changes: &[Change]) -> Result<Vec<HiveState>, TargetError> {
        let mut names: Vec<HiveName> = Vec::new();
        for change in changes {
            if let Some(key) = change.key() {
                names.push(self.registry_path(key)?.hive);
            }
        }
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| self.hive_state(name.file_name())).collect()
    }

    fn hive_state(&self, hive: &str) -> Result<HiveState, TargetError> {
        let there = self.hive_file(hive)?;
        let metadata = fs::metadata(&there.file).map_err(io("read", &there.file))?;
        let modified = metadata.modified().map_err(io("read the time of", &there.file))?;
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut logs = Vec::new();
        for log in &there.logs {
            if let Reading::Known(hash) = self.paths.sha256(log) {
                logs.push((log.file_name().to_owned(), hash));
            }
        }
        let primary = fs::read(&there.file).map_err(io("read", &there.file))?;
        let modified = (i64::try_from(since.as_secs()).unwrap_or(0), since.subsec_nanos());
        Ok(HiveState { hive: there.path.file_name().to_owned(), primary: sha256(&primary), logs, modified })
    }

    fn hive_bytes(&self, hive: &str) -> Result<Vec<u8>, TargetError> {
        let file = &self.hive_file(hive)?.file;
        fs::read(file).map_err(io("read", file))
    }

    fn restore_hive(&mut self, hive: &str, bytes: &[u8], modified: (i64, u32)) -> Result<(), TargetError> {
        let file = self.hive_file(hive)?.file.clone();
        let temporary = beside(&file, "hresolve-restore");
        replace(&file, &temporary, bytes, Some(modified))?;
        self.reopen(hive)
    }

    fn remove_temporary(&mut self, path: &VolumePath) -> Result<(), TargetError> {
        // Only names of our own making, in their own places: a journal is untrusted input.
        if !is_temporary(path, &self.windows_folder.join("System32").join("config")) {
            return Err(TargetError::Refused { why: format!("{path} is not a temporary file of hresolve") });
        }
        let removed = self.files().remove(path);
        self.paths.forget();
        removed
    }

    fn check_writable(&self, changes: &[Change]) -> Result<(), TargetError> {
        self.folders_of(changes)?.iter().try_for_each(|folder| files::try_writing(folder))
    }

    fn refuses_writes(&self, changes: &[Change]) -> Option<String> {
        // Asked, not tried: before a run has its journal nothing may be made, not even for a moment.
        let folders = self.folders_of(changes).ok()?;
        folders.iter().find_map(|folder| files::may_write(folder).err().map(|error| format!("{}: {error}", folder.display())))
    }

    fn use_source(&mut self, source: Rc<dyn Source>) {
        self.source = Some(source);
    }

    fn offer(&mut self, sha256: &str, content: Vec<u8>) {
        self.offered.insert(sha256.to_owned(), content);
    }

    fn as_target(&self) -> &dyn Target {
        self
    }

    fn store(&self) -> StateStore {
        StateStore::on_volume(self.paths.root())
    }
}

impl FolderTarget {
    fn files(&self) -> Files<'_> {
        Files { target: self, paths: &self.paths, offered: &self.offered }
    }

    /// The real folders in which these changes make or rename something.
    fn folders_of(&self, changes: &[Change]) -> Result<Vec<PathBuf>, TargetError> {
        let mut folders: Vec<PathBuf> = Vec::new();
        for state in self.hive_states(changes)? {
            folders.extend(self.hive_file(&state.hive)?.file.parent().map(Path::to_owned));
        }
        folders.extend(self.files().folders_of(changes)?);
        folders.sort();
        folders.dedup();
        Ok(folders)
    }

    fn registry_path(&self, key: &str) -> Result<RegistryPath, TargetError> {
        RegistryPath::parse(key, self.windows.control_set).map_err(|why| TargetError::Refused { why })
    }

    fn hive_file(&self, name: &str) -> Result<&super::HiveFile, TargetError> {
        HiveName::from_file_name(name)
            .and_then(|name| self.hives.get(&name))
            .ok_or_else(|| TargetError::Refused { why: format!("there is no hive {name} here that hresolve writes") })
    }

    /// Reads a hive anew after its file was replaced.
    fn reopen(&mut self, name: &str) -> Result<(), TargetError> {
        self.paths.forget();
        let Some(hive) = HiveName::from_file_name(name) else { return Ok(()) };
        let config = self.windows_folder.join("System32").join("config");
        let opened = super::HiveFile::open(&self.paths, &config, hive.file_name())
            .map_err(|error| TargetError::Hive { hive: name.into(), why: error.to_string() })?;
        self.hives.insert(hive, opened);
        Ok(())
    }

    /// All registry changes, one replacement for each hive. Nothing is replaced before every new hive has been made and checked.
    fn change_hives(
        &mut self,
        changes: &[&Change],
        direction: Direction,
        record: &mut dyn FnMut(&HiveIntent) -> Result<(), String>,
    ) -> Result<(), TargetError> {
        let mut by_hive: BTreeMap<HiveName, Vec<(&Change, RegistryPath)>> = BTreeMap::new();
        for change in changes {
            if let Some(key) = change.key() {
                let path = self.registry_path(key)?;
                by_hive.entry(path.hive).or_default().push((change, path));
            }
        }
        let mut ready: Vec<(HiveName, CleanHive)> = Vec::new();
        for (name, changes) in by_hive {
            let hive = self.edited(name, &changes, direction)?;
            ready.push((name, hive));
        }
        for (name, hive) in ready {
            let before = self.hive_state(name.file_name())?;
            let there = self.hive_file(name.file_name())?;
            let file = there.file.clone();
            let temporary = beside(&file, &format!("hresolve-{}", before.primary.get(..8).unwrap_or_default()));
            let temporary_path =
                there.path.parent().unwrap_or_else(|| there.path.clone()).join(&temporary.file_name().unwrap_or_default().to_string_lossy());
            let intent = HiveIntent { before, after: sha256(hive.bytes()), temporary: temporary_path };
            record(&intent).map_err(|why| TargetError::NotRecorded { why })?;
            replace(&file, &temporary, hive.bytes(), None)?;
            self.paths.forget();
            if let Some(there) = self.hives.get_mut(&name) {
                there.replaced_by(hive);
            }
        }
        Ok(())
    }

    /// The hive with the changes made in memory; the hive library has compared the whole tree with what was meant.
    fn edited(&self, name: HiveName, changes: &[(&Change, RegistryPath)], direction: Direction) -> Result<CleanHive, TargetError> {
        let refused = |why: String| TargetError::Hive { hive: name.to_string(), why };
        let there = self.hive_file(name.file_name())?;
        let clean = there.writable().map_err(refused)?;
        let mut edit = clean.edit();
        for (change, path) in changes {
            let (value, before, after) = match change {
                Change::SetValue { name, old, new, .. } => (name, old.as_ref(), Some(new)),
                Change::DeleteValue { name, old, .. } => (name, Some(old), None),
                Change::CreateKey { key } if direction == Direction::Forward => {
                    self.key_can_be_made(key)?;
                    edit.create_key(&path.inside);
                    continue;
                }
                Change::CreateKey { key } => {
                    self.key_is_ours(key, changes)?;
                    edit.delete_key(&path.inside);
                    continue;
                }
                Change::RemoveKey { tree, .. } | Change::PutKey { tree, .. } => {
                    self.tree_is_as_expected(change, tree, direction)?;
                    let puts = matches!(change, Change::PutKey { .. }) == (direction == Direction::Forward);
                    if puts {
                        put_tree(&mut edit, &path.inside, tree);
                    } else {
                        edit.delete_key(&path.inside);
                    }
                    continue;
                }
                _ => continue,
            };
            let (from, to) = if direction == Direction::Forward { (before, after) } else { (after, before) };
            match observe::value(self, &path.to_string(), value, from, to) {
                Reading::Known(Observed::Other(found)) => return Err(TargetError::Unexpected { object: format!("{path}\\{value}"), found }),
                Reading::Known(_) => {}
                Reading::Unreadable(why) => return Err(refused(why)),
                _ => return Err(refused(format!("{path} cannot be read"))),
            }
            match to {
                Some(data) => edit.set_value(&path.inside, value, data.kind, &data.data),
                None => edit.delete_value(&path.inside, value),
            };
        }
        let committed = edit.commit(crate::now().filetime()).map_err(|error| refused(error.to_string()))?;
        Ok(committed.hive)
    }

    /// A whole key is made only where there is none, and removed only while it is exactly what it was. The key above must be there.
    fn tree_is_as_expected(&self, change: &Change, tree: &KeyTree, direction: Direction) -> Result<(), TargetError> {
        let wrong = |found: String| Err(TargetError::Unexpected { object: change.object(self.drive), found });
        let key = change.key().unwrap_or_default();
        // Asked in both directions: what is made by one is removed by the other.
        if let Some(why) = crate::protected::why_key(key, tree) {
            return Err(TargetError::Refused { why: format!("{key} {why}") });
        }
        let above = key.rsplit_once('\\').map_or(key, |(above, _)| above);
        if self.key(above).known().is_none() {
            return wrong(format!("the key {above} that should hold it is not there"));
        }
        let wanted = if direction == Direction::Forward { Observed::Old } else { Observed::New };
        match self.observe(change) {
            Reading::Known(now) if now == wanted => Ok(()),
            Reading::Known(Observed::Other(found)) => wrong(found),
            Reading::Known(_) => wrong("it is not as expected".into()),
            Reading::Unreadable(why) => Err(TargetError::Refused { why }),
            _ => wrong("it cannot be read".into()),
        }
    }

    fn key_can_be_made(&self, key: &str) -> Result<(), TargetError> {
        match self.key(key) {
            Reading::Absent => Ok(()),
            Reading::Known(_) => Err(TargetError::Unexpected { object: key.into(), found: "the key exists already".into() }),
            _ => Err(TargetError::Unexpected { object: key.into(), found: "it cannot be read".into() }),
        }
    }

    /// A key of ours may go only while it holds nothing but what these same changes take back.
    fn key_is_ours(&self, key: &str, changes: &[(&Change, RegistryPath)]) -> Result<(), TargetError> {
        let view = match self.key(key) {
            Reading::Known(view) => view,
            _ => return Err(TargetError::Unexpected { object: key.into(), found: "it is gone or cannot be read".into() }),
        };
        let ours = |wanted: &dyn Fn(&Change) -> bool| changes.iter().any(|(change, _)| wanted(change));
        let value_is_ours = |there: &String| {
            ours(
                &|change| matches!(change, Change::SetValue { key: of, name, old: None, .. } if crate::names_equal(of, key) && crate::names_equal(name, there)),
            )
        };
        let subkey_is_ours =
            |there: &String| ours(&|change| matches!(change, Change::CreateKey { key: of } if crate::names_equal(of, &format!("{key}\\{there}"))));
        if view.values.iter().all(|(name, _)| value_is_ours(name)) && view.subkeys.iter().all(subkey_is_ours) {
            return Ok(());
        }
        Err(TargetError::Unexpected { object: key.into(), found: "something else was put into the key since".into() })
    }
}

/// Makes a key with everything below it. Security first, so that no moment is open that was not open before.
fn put_tree(edit: &mut hive::Edit<'_>, path: &str, tree: &KeyTree) {
    edit.create_key(path);
    if let Some(security) = &tree.security {
        edit.set_security(path, security);
    }
    for (name, data) in &tree.values {
        edit.set_value(path, name, data.kind, &data.data);
    }
    for (name, below) in &tree.subkeys {
        put_tree(edit, &format!("{path}\\{name}"), below);
    }
}

/// `SYSTEM.hresolve-1a2b3c4d` and `SYSTEM.hresolve-restore` beside the hives, and the empty file of [`WritableTarget::check_writable`].
fn is_temporary(path: &VolumePath, config: &VolumePath) -> bool {
    let name = path.file_name();
    let digits = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if name == ".hresolve-writable" || name.strip_prefix(".hresolve-new-").is_some_and(digits) {
        return true;
    }
    let in_config = path.parent().is_some_and(|parent| crate::names_equal(&parent.to_string(), &config.to_string()));
    let Some((hive, ending)) = name.split_once(".hresolve-") else { return false };
    let ours = ending == "restore" || digits(ending);
    in_config && ours && HiveName::from_file_name(hive).is_some()
}

/// `SYSTEM` and `x` give `SYSTEM.x` in the same folder.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(ending);
    file.with_file_name(name)
}

/// Writes a file's new content beside it, reads it back, gives it the old one's security, and puts it in its place in one step.
fn replace(file: &Path, temporary: &Path, bytes: &[u8], modified: Option<(i64, u32)>) -> Result<(), TargetError> {
    let written = write_and_check(file, temporary, bytes, modified);
    let result = written.and_then(|()| fs::rename(temporary, file).map_err(io("replace", file)));
    match result {
        Ok(()) => sync_parent(file),
        Err(error) => {
            // Best effort: the original is untouched either way, and the journal names the file.
            let _ = fs::remove_file(temporary);
            Err(error)
        }
    }
}

fn write_and_check(file: &Path, temporary: &Path, bytes: &[u8], modified: Option<(i64, u32)>) -> Result<(), TargetError> {
    let mut out = create_fresh(temporary).map_err(io("make", temporary))?;
    out.write_all(bytes).map_err(io("write", temporary))?;
    metadata::copy(file, temporary)?;
    out.sync_all().map_err(io("write to the disk", temporary))?;
    drop(out);
    let back = fs::read(temporary).map_err(io("read back", temporary))?;
    if back != bytes {
        return Err(TargetError::Unexpected { object: temporary.display().to_string(), found: "what was written reads back differently".into() });
    }
    metadata::times(file, temporary, modified)
}
