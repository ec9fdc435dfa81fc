//! A target that is only read, where one that can be changed is expected: every change is refused. What says so to people is the
//! target's own `why_not`, long before a change is tried.

use crate::target::{Direction, Entry, Expanded, HiveIntent, HiveState, KeyView, Target, WritableTarget};
use crate::{Now, StateStore, TargetError};
use model::{Change, Observed, Reading, Room, TargetInfo, UpdateRecord, VolumePath, WhyNot, WindowsVersion};
use std::io::Read;

/// A target on which nothing can be done.
pub(crate) struct ReadOnlyTarget<T>(pub(crate) T);

/// The answer to every attempt.
fn refused() -> TargetError {
    TargetError::Refused { why: "this target is only read".into() }
}

impl<T: Target> Target for ReadOnlyTarget<T> {
    fn info(&self) -> TargetInfo {
        self.0.info()
    }

    fn windows(&self) -> &WindowsVersion {
        self.0.windows()
    }

    fn drive(&self) -> char {
        self.0.drive()
    }

    fn key(&self, path: &str) -> Reading<KeyView> {
        self.0.key(path)
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        self.0.entry(path)
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        self.0.read(path, limit)
    }

    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        self.0.open(path)
    }

    fn unpack(&self, path: &VolumePath, take: &mut dyn FnMut(&str, &mut dyn Read)) -> Reading<()> {
        self.0.unpack(path, take)
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.0.read_start(path, length)
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        self.0.sha256(path)
    }

    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        self.0.list(path)
    }

    fn room(&self) -> Reading<Room> {
        self.0.room()
    }

    fn clock(&self) -> Reading<Now> {
        self.0.clock()
    }

    fn update_history(&self) -> Reading<Vec<UpdateRecord>> {
        self.0.update_history()
    }

    fn running(&self) -> Reading<u64> {
        self.0.running()
    }

    fn expand(&self, text: &str) -> Expanded {
        self.0.expand(text)
    }

    fn why_not(&self) -> Vec<WhyNot> {
        self.0.why_not()
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes()
    }

    fn windows_folder(&self) -> VolumePath {
        self.0.windows_folder()
    }
}

impl<T: Target> WritableTarget for ReadOnlyTarget<T> {
    fn apply(&mut self, _: &[Change], _: Direction, _: &mut dyn FnMut(&HiveIntent) -> Result<(), String>) -> Result<(), TargetError> {
        Err(refused())
    }

    fn observe(&self, change: &Change) -> Reading<Observed> {
        crate::observe::observe(self, change)
    }

    fn hive_states(&self, _: &[Change]) -> Result<Vec<HiveState>, TargetError> {
        Err(refused())
    }

    fn hive_state(&self, _: &str) -> Result<HiveState, TargetError> {
        Err(refused())
    }

    fn hive_bytes(&self, _: &str) -> Result<Vec<u8>, TargetError> {
        Err(refused())
    }

    fn restore_hive(&mut self, _: &str, _: &[u8], _: (i64, u32)) -> Result<(), TargetError> {
        Err(refused())
    }

    fn remove_temporary(&mut self, _: &VolumePath) -> Result<(), TargetError> {
        Err(refused())
    }

    // Nothing is ever put into what is only read.
    fn use_source(&mut self, _: std::rc::Rc<dyn crate::Source>) {}

    fn offer(&mut self, _: &str, _: Vec<u8>) {}

    fn check_writable(&self, _: &[Change]) -> Result<(), TargetError> {
        Err(refused())
    }

    fn refuses_writes(&self, _: &[Change]) -> Option<String> {
        Some("it is only read".into())
    }

    fn store(&self) -> StateStore {
        // No such folder can be there, so no run is found and none is kept.
        StateStore::in_folder(&std::path::Path::new(&self.info().path).join("no runs are kept in what is only read"))
    }

    fn as_target(&self) -> &dyn Target {
        self
    }
}
