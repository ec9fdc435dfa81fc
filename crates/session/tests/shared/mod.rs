//! A machine in memory that a session works on while the test looks at it. Used by tests of other crates as well.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses a part; tests may fail loudly")]

use model::{Finding, Operated, Operation, RestorePoint, StepView, TargetKind};
use session::{Session, Ui};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use target::{
    Direction, Entry, Expanded, FolderTarget, HiveIntent, HiveState, KeyView, OverlayTarget, StateStore, Target, TargetError, WritableTarget,
};

/// Nobody can be asked.
pub struct Nobody;

impl Ui for Nobody {
    fn consent(&mut self, _: &Finding, _: &[StepView]) -> Option<bool> {
        None
    }
    fn progress(&mut self, _: &str) {}
}

/// The overlay, shared between the session that uses it and the test that looks at it.
#[derive(Clone)]
pub struct Shared(
    pub Rc<RefCell<OverlayTarget>>,
    model::WindowsVersion,
    Option<Programs>,
    pub RestorePoint,
    pub Vec<model::WhyNot>,
    pub Rc<RefCell<Starts>>,
    /// What Windows Update remembers; a test may add to it while the session works.
    pub Rc<RefCell<model::Reading<Vec<model::UpdateRecord>>>>,
);

/// What a test knows and decides of the starts of a running Windows.
#[derive(Default)]
pub struct Starts {
    /// When the last one was; any other number is another start.
    pub started: u64,
    /// Restarts that were asked for: after how many seconds, and what was said.
    pub asked: Vec<(u32, String)>,
    /// Why this is no moment to change anything.
    pub why_not: Vec<model::WhyNot>,
}

/// What stands for the programs of a running Windows.
pub type Programs = Rc<RefCell<dyn FnMut(&Operation, Duration) -> Result<Operated, TargetError>>>;

impl Shared {
    /// A layer over a built machine.
    pub fn over(folder: &Path, store: &Path) -> Shared {
        let below = FolderTarget::open(folder, TargetKind::Folder).unwrap();
        let windows = below.windows().clone();
        Shared(
            Rc::new(RefCell::new(OverlayTarget::new(Box::new(below), StateStore::in_folder(store)))),
            windows,
            None,
            RestorePoint::NotHere,
            Vec::new(),
            Rc::default(),
            Rc::new(RefCell::new(model::Reading::NotCollected)),
        )
    }

    /// As if this Windows ran, with these programs.
    pub fn running(mut self, programs: Programs) -> Shared {
        self.2 = Some(programs);
        self
    }

    /// A session over it, with its runs in `store`.
    pub fn session(&self, store: StateStore) -> Session {
        Session::over(Box::new(self.clone()), store)
    }
}

impl Target for Shared {
    fn info(&self) -> model::TargetInfo {
        let info = self.0.borrow().info();
        if self.2.is_some() { model::TargetInfo { kind: TargetKind::Live, ..info } } else { info }
    }
    fn windows(&self) -> &model::WindowsVersion {
        &self.1
    }
    fn drive(&self) -> char {
        self.0.borrow().drive()
    }
    fn key(&self, path: &str) -> model::Reading<KeyView> {
        self.0.borrow().key(path)
    }
    fn entry(&self, path: &model::VolumePath) -> model::Reading<Entry> {
        self.0.borrow().entry(path)
    }
    fn read(&self, path: &model::VolumePath, limit: u64) -> model::Reading<Vec<u8>> {
        self.0.borrow().read(path, limit)
    }
    fn read_start(&self, path: &model::VolumePath, length: usize) -> model::Reading<Vec<u8>> {
        self.0.borrow().read_start(path, length)
    }
    fn key_tree(&self, path: &str) -> model::Reading<model::KeyTree> {
        self.0.borrow().key_tree(path)
    }
    fn sha256(&self, path: &model::VolumePath) -> model::Reading<String> {
        self.0.borrow().sha256(path)
    }
    fn list(&self, path: &model::VolumePath) -> model::Reading<Vec<String>> {
        self.0.borrow().list(path)
    }
    fn room(&self) -> model::Reading<model::Room> {
        self.0.borrow().room()
    }
    fn clock(&self) -> model::Reading<target::Now> {
        self.0.borrow().clock()
    }
    fn running(&self) -> model::Reading<u64> {
        self.0.borrow().running()
    }
    fn update_history(&self) -> model::Reading<Vec<model::UpdateRecord>> {
        self.6.borrow().clone()
    }
    fn expand(&self, text: &str) -> Expanded {
        self.0.borrow().expand(text)
    }
    fn why_not(&self) -> Vec<model::WhyNot> {
        let mut why_not = self.0.borrow().why_not();
        why_not.extend(self.5.borrow().why_not.iter().cloned());
        why_not
    }
    fn notes(&self) -> Vec<String> {
        self.0.borrow().notes()
    }
    fn windows_folder(&self) -> model::VolumePath {
        self.0.borrow().windows_folder()
    }
}

impl WritableTarget for Shared {
    fn apply(
        &mut self,
        changes: &[model::Change],
        direction: Direction,
        record: &mut dyn FnMut(&HiveIntent) -> Result<(), String>,
    ) -> Result<(), TargetError> {
        self.0.borrow_mut().apply(changes, direction, record)
    }
    fn observe(&self, change: &model::Change) -> model::Reading<model::Observed> {
        self.0.borrow().observe(change)
    }
    fn hive_states(&self, changes: &[model::Change]) -> Result<Vec<HiveState>, TargetError> {
        self.0.borrow().hive_states(changes)
    }
    fn hive_state(&self, hive: &str) -> Result<HiveState, TargetError> {
        self.0.borrow().hive_state(hive)
    }
    fn hive_bytes(&self, hive: &str) -> Result<Vec<u8>, TargetError> {
        self.0.borrow().hive_bytes(hive)
    }
    fn restore_hive(&mut self, hive: &str, bytes: &[u8], modified: (i64, u32)) -> Result<(), TargetError> {
        self.0.borrow_mut().restore_hive(hive, bytes, modified)
    }
    fn remove_temporary(&mut self, path: &model::VolumePath) -> Result<(), TargetError> {
        self.0.borrow_mut().remove_temporary(path)
    }
    fn set_clock(&mut self, to: target::Now) -> Result<(), TargetError> {
        self.0.borrow_mut().set_clock(to)
    }
    fn started(&self) -> model::Reading<u64> {
        if self.2.is_some() { model::Reading::Known(self.5.borrow().started) } else { model::Reading::NotCollected }
    }
    fn goes_on_by_itself(&self, run: &target::RunFolder) -> Result<String, String> {
        Ok(format!("continue --run {}", run.id))
    }
    fn restart(&mut self, seconds: u32, says: &str) -> Result<(), TargetError> {
        self.5.borrow_mut().asked.push((seconds, says.to_owned()));
        Ok(())
    }
    fn restore_point(&mut self, _: &str) -> RestorePoint {
        self.3.clone()
    }
    fn why_not_operate(&self) -> Vec<model::WhyNot> {
        self.4.clone()
    }
    fn operate(&mut self, operation: &Operation, limit: Duration, progress: &mut dyn FnMut(&str)) -> Result<Operated, TargetError> {
        match &self.2 {
            Some(programs) => {
                progress("50 %");
                let done = (programs.borrow_mut())(operation, limit);
                // What sets the clock changes no file.
                if *operation == Operation::SynchronizeClock {
                    return done;
                }
                if matches!(operation, Operation::InstallUpdate { .. }) {
                    return done;
                }
                // Windows changed its files behind the layer, which remembers what it has listed.
                let (folder, store) = (self.0.borrow().info().path, self.0.borrow().store());
                let below = FolderTarget::open(Path::new(&folder), TargetKind::Folder).unwrap();
                *self.0.borrow_mut() = OverlayTarget::new(Box::new(below), store);
                done
            }
            None => self.0.borrow_mut().operate(operation, limit, progress),
        }
    }
    fn use_source(&mut self, source: std::rc::Rc<dyn target::Source>) {
        self.0.borrow_mut().use_source(source);
    }
    fn offer(&mut self, sha256: &str, content: Vec<u8>) {
        self.0.borrow_mut().offer(sha256, content);
    }
    fn check_writable(&self, changes: &[model::Change]) -> Result<(), TargetError> {
        self.0.borrow().check_writable(changes)
    }
    fn store(&self) -> StateStore {
        self.0.borrow().store()
    }
    fn as_target(&self) -> &dyn Target {
        self
    }
}
