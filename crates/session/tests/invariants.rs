//! Every guide on every practice machine where it yields a plan, in memory: fail at each change, run and undo everything twice,
//! stop at each line of the journal and go on. The end is always "fixed" or "as before", cause by cause, never between.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests make folders and print counts")]

use model::{Confidence, Finding, Level, StepView, TargetKind};
use session::{Expectation, FixRequest, RunVerdict, Session, Ui, lab};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use target::{
    Direction, Entry, Expanded, FolderTarget, HiveIntent, HiveState, KeyView, OverlayTarget, StateStore, Target, TargetError, WritableTarget,
};

struct Nobody;

impl Ui for Nobody {
    fn consent(&mut self, _: &Finding, _: &[StepView]) -> Option<bool> {
        None
    }
    fn progress(&mut self, _: &str) {}
}

/// The overlay, shared between the session that uses it and the test that looks at it.
#[derive(Clone)]
struct Shared(Rc<RefCell<OverlayTarget>>, model::WindowsVersion);

impl Shared {
    fn over(folder: &Path, store: &Path) -> Shared {
        let below = FolderTarget::open(folder, TargetKind::Folder).unwrap();
        let windows = below.windows().clone();
        Shared(Rc::new(RefCell::new(OverlayTarget::new(Box::new(below), StateStore::in_folder(store)))), windows)
    }

    fn session(&self, store: StateStore) -> Session {
        Session::over(Box::new(self.clone()), store)
    }
}

impl Target for Shared {
    fn info(&self) -> model::TargetInfo {
        self.0.borrow().info()
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
    fn expand(&self, text: &str) -> Expanded {
        self.0.borrow().expand(text)
    }
    fn why_not(&self) -> Vec<model::WhyNot> {
        self.0.borrow().why_not()
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

fn request() -> FixRequest {
    FixRequest { yes: true, ..FixRequest::default() }
}

/// The proved findings with something that can be done about them, as cause and subject.
fn treatable(session: &Session) -> BTreeSet<(String, String)> {
    let doable =
        |found: &&diagnosis::Found| found.finding.confidence == Confidence::Proved && found.steps.iter().any(|step| step.level != Level::Show);
    session.diagnose(None).found.iter().filter(doable).map(|found| (found.finding.cause.clone(), found.finding.subject.clone())).collect()
}

/// Runs `check` on every sick machine that yields a plan, with an empty place for runs.
fn on_every_machine(check: impl Fn(&str, &Path, &Path)) {
    for machine in lab::machines().iter().filter(|machine| machine.sick) {
        if Expectation::parse(lab::expected(machine.name).unwrap()).unwrap().fix_exit != 0 {
            continue;
        }
        let (folder, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        lab::build(machine.name, folder.path()).unwrap();
        check(machine.name, folder.path(), runs.path());
    }
}

/// How many single changes a whole fix makes.
fn changes_of_a_fix(folder: &Path, runs: &Path) -> usize {
    let layer = Shared::over(folder, &runs.join("count"));
    let mut session = layer.session(layer.store());
    assert_eq!(session.fix(&request(), &mut Nobody, session::now()).unwrap().verdict, RunVerdict::Repaired);
    layer.0.borrow().applied()
}

#[test]
fn failing_at_each_change_leaves_every_cause_fixed_or_as_before() {
    let failed = RefCell::new(0);
    on_every_machine(|name, folder, runs| {
        for number in 0..changes_of_a_fix(folder, runs) {
            let layer = Shared::over(folder, &runs.join(number.to_string()));
            let mut session = layer.session(layer.store());
            let wanted = treatable(&session);
            layer.0.borrow_mut().fail_at(number);
            let report = session.fix(&request(), &mut Nobody, session::now()).unwrap();
            assert_eq!(report.verdict, RunVerdict::NotRepaired, "{name} failing at {number}: {report:#?}");
            let left = treatable(&session);
            assert!(!left.is_empty() && left.is_subset(&wanted), "{name} failing at {number}: {left:?}");
            // What a cause that is left had changed was taken back: its steps are not in force any more.
            for step in &report.steps {
                let subject_left =
                    left.iter().any(|(cause, _)| *cause == step.cause) && report.verified.iter().any(|v| v.object == step.object && !v.right);
                assert!(!(subject_left && step.state == "done"), "{name} failing at {number}: {} stayed", step.says);
            }
            // The next fix finishes the work, and undoing both runs gives the machine back.
            assert_eq!(
                session.fix(&request(), &mut Nobody, session::now()).unwrap().verdict,
                RunVerdict::Repaired,
                "{name} after failing at {number}"
            );
            for run in session.runs().iter().rev() {
                assert!(session.undo(Some(&run.run), session::now()).unwrap().conflicts.is_empty(), "{name}");
            }
            assert_eq!(layer.0.borrow().differences(), Vec::<String>::new(), "{name} failing at {number}");
            *failed.borrow_mut() += 1;
        }
    });
    println!("{} failures put in", failed.borrow());
    assert!(*failed.borrow() > 40);
}

#[test]
fn twice_is_once() {
    on_every_machine(|name, folder, runs| {
        let layer = Shared::over(folder, runs);
        let mut session = layer.session(layer.store());
        assert_eq!(session.fix(&request(), &mut Nobody, session::now()).unwrap().verdict, RunVerdict::Repaired, "{name}");
        let (applied, differences) = (layer.0.borrow().applied(), layer.0.borrow().differences());
        let second = session.fix(&request(), &mut Nobody, session::now()).unwrap();
        assert!(second.run.is_none(), "{name}: a second fix did something");
        assert_eq!((applied, differences), (layer.0.borrow().applied(), layer.0.borrow().differences()), "{name}");
        assert_eq!(session.undo(None, session::now()).unwrap().verdict, "undone", "{name}");
        assert_eq!(layer.0.borrow().differences(), Vec::<String>::new(), "{name}");
        let applied = layer.0.borrow().applied();
        assert_eq!(session.undo(None, session::now()).unwrap().verdict, "nothing-to-undo", "{name}");
        assert_eq!(applied, layer.0.borrow().applied(), "{name}: the second undo did something");
    });
}

#[test]
fn each_single_change_made_and_taken_back_twice_is_made_and_taken_back_once() {
    on_every_machine(|name, folder, runs| {
        let layer = Shared::over(folder, runs);
        let mut session = layer.session(layer.store());
        session.fix(&request(), &mut Nobody, session::now()).unwrap();
        let run = layer.store().find(None).unwrap();
        let (journal, _) = repair::Journal::read(run).unwrap();
        let changes: Vec<model::Change> = journal.in_force().into_iter().flat_map(|(_, changes)| changes).collect();
        let mut overlay = layer.0.borrow_mut();
        let fixed = overlay.differences();
        let mut nothing = |_: &HiveIntent| Ok(());
        // Of several changes of one object only the last is in force as it is.
        for change in changes.iter().filter(|change| overlay.observe(change) == model::Reading::Known(model::Observed::New)).collect::<Vec<_>>() {
            overlay.apply(std::slice::from_ref(change), Direction::Forward, &mut nothing).unwrap();
        }
        assert_eq!(fixed, overlay.differences(), "{name}: making it again changed something");
        for change in changes.iter().rev() {
            for _ in 0..2 {
                overlay.apply(std::slice::from_ref(change), Direction::Back, &mut nothing).unwrap();
            }
        }
        assert_eq!(overlay.differences(), Vec::<String>::new(), "{name}");
    });
}

#[test]
fn a_journal_that_ends_at_any_line_is_brought_back_or_gone_on_with() {
    let stops = RefCell::new(0);
    on_every_machine(|name, folder, runs| {
        let whole = {
            let layer = Shared::over(folder, &runs.join("whole"));
            let mut session = layer.session(layer.store());
            session.fix(&request(), &mut Nobody, session::now()).unwrap();
            repair::Journal::read(layer.store().find(None).unwrap()).unwrap().0.events.len() as u64
        };
        for lines in 0..whole {
            for then_undo in [false, true] {
                let layer = Shared::over(folder, &runs.join(format!("{lines}-{then_undo}")));
                // The disk is full after so many lines: the run ends there, whatever it was doing.
                let stopped = layer.session(layer.store().with_room_for(lines)).fix(&request(), &mut Nobody, session::now());
                assert!(
                    stopped.is_err() || stopped.is_ok_and(|report| report.verdict == RunVerdict::Refused && lines == 0),
                    "{name} after {lines} lines"
                );
                let mut session = layer.session(layer.store());
                if then_undo {
                    if lines > 0 {
                        assert!(session.undo(None, session::now()).unwrap().conflicts.is_empty(), "{name} after {lines} lines");
                    }
                    assert_eq!(layer.0.borrow().differences(), Vec::<String>::new(), "{name}: undo after {lines} lines");
                } else {
                    let report = session.fix(&request(), &mut Nobody, session::now()).unwrap();
                    assert!(matches!(report.verdict, RunVerdict::Repaired | RunVerdict::Healthy), "{name} after {lines} lines: {report:#?}");
                    assert!(treatable(&session).is_empty(), "{name} after {lines} lines");
                }
                *stops.borrow_mut() += 1;
            }
        }
    });
    println!("{} stops", stops.borrow());
    assert!(*stops.borrow() > 200);
}
