//! Changing the running Windows: values and keys one by one, start types through the service manager, files by their names.
//!
//! Every change is looked at just before it is made. What Windows refuses stays as it is.

use super::system::LiveTarget;
use super::{registry, services};
use crate::observe::observe;
use crate::target::{Direction, HiveIntent, HiveState, Target, WritableTarget};
use crate::targets::files::{self, Files};
use crate::{HiveName, Now, RegistryPath, RunFolder, Source, StateStore, TargetError};
use model::{Change, HeldService, KeyTree, Observed, Operated, Operation, Reading, RegistryData, RestorePoint, VolumePath, WhyNot};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// A failure of the registry or the service manager, with what was being done to what.
fn failed<'a>(doing: &'static str, object: &'a str) -> impl Fn(std::io::Error) -> TargetError + 'a {
    move |source| TargetError::Io { doing, path: PathBuf::from(object), source }
}

impl LiveTarget {
    fn files(&self) -> Files<'_> {
        Files { target: self, paths: &self.paths, offered: &self.offered }
    }

    fn written_path(&self, key: &str) -> Result<RegistryPath, TargetError> {
        self.registry_path(key).map(|(_, path)| path).map_err(|why| TargetError::Refused { why })
    }

    /// One change of the registry. The caller has looked that it is as expected.
    fn change_registry(&self, change: &Change, direction: Direction) -> Result<(), TargetError> {
        let Some(key) = change.key() else { return Ok(()) };
        let path = self.written_path(key)?;
        let object = change.object(self.drive);
        let forward = direction == Direction::Forward;
        match change {
            Change::SetValue { name, old, new, .. } => self.put_value(key, &path, name, if forward { Some(new) } else { old.as_ref() }),
            Change::DeleteValue { name, old, .. } => self.put_value(key, &path, name, if forward { None } else { Some(old) }),
            Change::CreateKey { .. } if forward => registry::create_key(&path).map_err(failed("make the key", &object)),
            Change::CreateKey { .. } => self.remove_empty(key, &path),
            Change::RemoveKey { tree, .. } | Change::PutKey { tree, .. } => {
                if let Some(why) = crate::protected::why_key(key, tree) {
                    return Err(TargetError::Refused { why: format!("{key} {why}") });
                }
                if matches!(change, Change::PutKey { .. }) == forward {
                    self.put_tree(&path, tree, &object)
                } else {
                    registry::delete_tree(&path).map_err(failed("remove the key", &object))
                }
            }
            _ => Ok(()),
        }
    }

    /// Sets a value, or removes it. What the service manager holds in its own memory is changed through it first, so that it is so at
    /// once and not only after the next start; then the value gets exactly the type and bytes that are meant.
    fn put_value(&self, key: &str, path: &RegistryPath, name: &str, data: Option<&RegistryData>) -> Result<(), TargetError> {
        let object = format!("{key}\\{name}");
        if let Some(service) = services::of_key(key, self.windows.control_set) {
            self.through_manager(key, name, || self.tell_manager(key, service, name, data))
                .map_err(failed("have the service manager change", &object))?;
        }
        let now = self.value(key, name).into_known();
        match data {
            _ if now.as_ref() == data => Ok(()),
            Some(data) => registry::set_value(path, name, data).map_err(failed("set", &object)),
            None => registry::delete_value(path, name).map_err(failed("remove", &object)),
        }
    }

    /// Has the service manager change one value of a service's key. What else it wrote there is put back: nothing but what is meant changes.
    pub(super) fn through_manager(&self, key: &str, name: &str, change: impl FnOnce() -> std::io::Result<()>) -> std::io::Result<()> {
        let before = self.key(key).into_known();
        change()?;
        let (Some(before), Some(after), Ok((_, path))) = (before, self.key(key).into_known(), self.registry_path(key)) else { return Ok(()) };
        for (other, _) in after.values.iter().filter(|(other, _)| !crate::names_equal(other, name) && before.value(other).is_none()) {
            registry::delete_value(&path, other)?;
        }
        for (other, data) in before.values.iter().filter(|(other, data)| !crate::names_equal(other, name) && after.value(other) != Some(data)) {
            registry::set_value(&path, other, data)?;
        }
        Ok(())
    }

    fn tell_manager(&self, key: &str, service: &str, name: &str, data: Option<&RegistryData>) -> std::io::Result<()> {
        let is = |wanted: &str| crate::names_equal(name, wanted);
        match data {
            // The manager takes 2, 3 and 4 of services; drivers' 0 and 1 are read at the next start.
            Some(data) if is("Start") => match data.as_dword() {
                Some(start @ 2..=4) => services::set_start(service, start).map(|_| ()),
                _ => Ok(()),
            },
            Some(data) if is("ImagePath") => match data.as_text() {
                Some(program) => services::set_program(service, &program).map(|_| ()),
                None => Ok(()),
            },
            // The manager takes both lists at once.
            _ if is("DependOnService") || is("DependOnGroup") => {
                let list = |wanted: &str| {
                    let now = || self.value(key, wanted).into_known();
                    let meant = if is(wanted) { data.cloned() } else { now() };
                    meant.and_then(|data| data.as_list()).unwrap_or_default()
                };
                services::set_dependencies(service, &list("DependOnService"), &list("DependOnGroup")).map(|_| ())
            }
            _ if is("DelayedAutostart") => services::set_delayed(service, data.and_then(RegistryData::as_dword) == Some(1)).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// A key of ours may go only while nothing is in it.
    fn remove_empty(&self, object: &str, path: &RegistryPath) -> Result<(), TargetError> {
        match self.key(object) {
            Reading::Known(view) if view.values.is_empty() && view.subkeys.is_empty() => {
                registry::delete_tree(path).map_err(failed("remove the key", object))
            }
            Reading::Known(_) => Err(TargetError::Unexpected { object: object.into(), found: "something else was put into the key since".into() }),
            Reading::Unreadable(why) => Err(TargetError::Refused { why }),
            _ => Err(TargetError::Unexpected { object: object.into(), found: "it is gone".into() }),
        }
    }

    /// Makes a whole key; when that fails in the middle, what was made of it goes again.
    fn put_tree(&self, path: &RegistryPath, tree: &KeyTree, object: &str) -> Result<(), TargetError> {
        if self.key(object).known().is_some() {
            return Err(TargetError::Unexpected { object: object.into(), found: "the key exists already".into() });
        }
        registry::put_tree(path, tree).map_err(|error| {
            // The key was not there before, so all of it is ours.
            let _ = registry::delete_tree(path);
            failed("make the key", object)(error)
        })
    }
}

impl WritableTarget for LiveTarget {
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
        let (wanted, already) = match direction {
            Direction::Forward => (Observed::Old, Observed::New),
            Direction::Back => (Observed::New, Observed::Old),
        };
        let mut touched: Vec<HiveName> = Vec::new();
        for change in ordered {
            if change.key().is_none() {
                self.paths.forget();
                let done = self.files().change(change, direction);
                self.paths.forget();
                done?;
                continue;
            }
            match self.observe(change) {
                Reading::Known(now) if now == wanted => {}
                Reading::Known(now) if now == already => continue,
                Reading::Known(Observed::Other(found)) => return Err(TargetError::Unexpected { object: change.object(self.drive), found }),
                Reading::Unreadable(why) => return Err(TargetError::Refused { why }),
                _ => return Err(TargetError::Unexpected { object: change.object(self.drive), found: "it cannot be read".into() }),
            }
            touched.extend(change.key().and_then(|key| self.registry_path(key).ok()).map(|(_, path)| path.hive));
            self.change_registry(change, direction)?;
        }
        touched.sort_unstable();
        touched.dedup();
        for hive in touched {
            registry::flush(hive).map_err(failed("write to the disk", hive.file_name()))?;
        }
        Ok(())
    }

    fn observe(&self, change: &Change) -> Reading<Observed> {
        self.paths.forget();
        observe(self, change)
    }

    /// The registry of a running Windows is not replaced by files, so undo goes object by object.
    fn hive_states(&self, changes: &[Change]) -> Result<Vec<HiveState>, TargetError> {
        changes.iter().filter_map(Change::key).try_for_each(|key| self.written_path(key).map(|_| ()))?;
        Ok(Vec::new())
    }

    fn hive_state(&self, hive: &str) -> Result<HiveState, TargetError> {
        Err(no_hive_files(hive))
    }

    fn hive_bytes(&self, hive: &str) -> Result<Vec<u8>, TargetError> {
        Err(no_hive_files(hive))
    }

    fn restore_hive(&mut self, hive: &str, _: &[u8], _: (i64, u32)) -> Result<(), TargetError> {
        Err(no_hive_files(hive))
    }

    fn remove_temporary(&mut self, path: &VolumePath) -> Result<(), TargetError> {
        // Only names of our own making: a journal is untrusted input. Hives are no files here, so nothing lies beside them.
        let digits = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let name = path.file_name();
        if name != ".hresolve-writable" && !name.strip_prefix(".hresolve-new-").is_some_and(digits) {
            return Err(TargetError::Refused { why: format!("{path} is not a temporary file of hresolve") });
        }
        self.paths.forget();
        let removed = self.files().remove(path);
        self.paths.forget();
        removed
    }

    fn check_writable(&self, changes: &[Change]) -> Result<(), TargetError> {
        self.paths.forget();
        self.files().folders_of(changes)?.iter().try_for_each(|folder| files::try_writing(folder))
    }

    fn in_the_way(&self, changes: &[Change]) -> Result<Vec<HeldService>, TargetError> {
        super::holding::in_the_way(self, changes)
    }

    fn hold(&mut self, held: &[HeldService]) -> Result<(), TargetError> {
        super::holding::hold(self, held)
    }

    fn let_go(&mut self, held: &[HeldService]) -> Result<(), TargetError> {
        super::holding::let_go(self, held)
    }

    fn set_clock(&mut self, to: Now) -> Result<(), TargetError> {
        super::time::set(to)
    }

    fn why_not_operate(&self) -> Vec<WhyNot> {
        super::power::why_not().into_iter().collect()
    }

    fn started(&self) -> Reading<u64> {
        super::restart::started()
    }

    fn goes_on_by_itself(&self, run: &RunFolder) -> Result<String, String> {
        super::restart::goes_on_by_itself(&self.store(), run)
    }

    fn restart(&mut self, seconds: u32, says: &str) -> Result<(), TargetError> {
        super::restart::restart(seconds, says)
    }

    fn restore_point(&mut self, description: &str) -> RestorePoint {
        super::restore_point::make(description)
    }

    fn operate(&mut self, operation: &Operation, limit: Duration, progress: &mut dyn FnMut(&str)) -> Result<Operated, TargetError> {
        let done = super::programs::operate(self, operation, limit, progress);
        self.paths.forget();
        done
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

fn no_hive_files(hive: &str) -> TargetError {
    TargetError::Refused { why: format!("{hive} belongs to a running Windows and is changed value by value, not as a file") }
}
