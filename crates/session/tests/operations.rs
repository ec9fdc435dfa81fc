//! What only a running Windows can do, with a double for its programs: when they are run, how they are judged, and what is said of them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make folders and may fail loudly")]

mod shared;

use model::{GrownLog, Here, Level, Operated, Operation, RestorePoint, UndoKind, VolumePath, WhyNot};
use session::{FixRequest, RunReport, RunVerdict, Session};
use shared::{Nobody, Programs, Shared};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use target::{StateStore, TargetError};

/// Its files can be brought back by SFC alone.
const SICK: &str = "separate-update-programs-gone-11";
const CAUSE: &str = "separate-update-programs-missing";
const CLEAN: &str = "x [SR] Verifying 1 components\nx [SR] Beginning Verify and Repair transaction\nx [SR] Verify complete\n";

struct Lab {
    folder: tempfile::TempDir,
    runs: tempfile::TempDir,
    asked: Rc<RefCell<Vec<(Operation, Duration)>>>,
}

fn lab() -> Lab {
    let (folder, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    target::lab::build(SICK, folder.path()).unwrap();
    Lab { folder, runs, asked: Rc::default() }
}

impl Lab {
    fn store(&self) -> StateStore {
        StateStore::in_folder(self.runs.path())
    }

    /// A session on this machine as if it ran; `does` is what its programs do.
    fn session(&self, does: impl FnMut(&Path) -> Result<Operated, TargetError> + 'static) -> Session {
        self.running(does).session(self.store())
    }

    fn running(&self, mut does: impl FnMut(&Path) -> Result<Operated, TargetError> + 'static) -> Shared {
        let (asked, folder) = (self.asked.clone(), self.folder.path().to_owned());
        let programs: Programs = Rc::new(RefCell::new(move |operation: &Operation, limit| {
            asked.borrow_mut().push((operation.clone(), limit));
            does(&folder)
        }));
        Shared::over(self.folder.path(), self.runs.path()).running(programs)
    }

    fn fix(&self, session: &mut Session, yes: bool) -> RunReport {
        session.fix(&FixRequest { yes, ..FixRequest::default() }, &mut Nobody, session::now()).unwrap()
    }

    fn journal(&self) -> String {
        let runs = self.store().runs();
        runs.iter().map(|run| std::fs::read_to_string(run.path.join("journal.jsonl")).unwrap()).collect()
    }
}

fn ran(exit_code: u32, text: &str) -> Result<Operated, TargetError> {
    let path = VolumePath::parse("\\Windows\\Logs\\CBS\\CBS.log").unwrap();
    Ok(Operated::Ran { exit_code, logs: vec![GrownLog { path, text: text.into(), whole: true }] })
}

/// What SFC would do: the folder as a healthy machine has it.
fn bring_back(folder: &Path) {
    let healthy = tempfile::tempdir().unwrap();
    target::lab::build("healthy-11-24h2", healthy.path()).unwrap();
    let mut left: Vec<PathBuf> = vec!["Windows/UUS".into()];
    while let Some(path) = left.pop() {
        std::fs::create_dir_all(folder.join(&path)).unwrap();
        for entry in std::fs::read_dir(healthy.path().join(&path)).unwrap().flatten() {
            let below = path.join(entry.file_name());
            if entry.path().is_dir() { left.push(below) } else { assert!(std::fs::copy(entry.path(), folder.join(&below)).is_ok()) }
        }
    }
}

#[test]
fn on_a_disk_it_waits_and_on_a_running_windows_it_asks() {
    let lab = lab();
    let on_disk = Shared::over(lab.folder.path(), lab.runs.path()).session(lab.store()).diagnose(None);
    let step = &on_disk.diagnosis.findings[0].steps[0];
    assert_eq!((step.level, step.here, step.undo), (Level::Show, Here::FirstBoot, UndoKind::None));
    let running = lab.session(|_| ran(0, CLEAN)).diagnose(None);
    let step = &running.diagnosis.findings[0].steps[0];
    assert_eq!((step.level, step.here, step.undo), (Level::Ask, Here::Now, UndoKind::None));
    // Without consent nothing is run.
    let report = lab.fix(&mut lab.session(|_| ran(0, CLEAN)), false);
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::NotRepaired, "consent-needed"));
    assert!(lab.asked.borrow().is_empty());
}

#[test]
fn what_windows_repaired_is_checked_and_kept_by_undo() {
    let lab = lab();
    let mut session = lab.session(|folder| {
        bring_back(folder);
        ran(0, CLEAN)
    });
    session.limit_operations(Duration::from_secs(77));
    let report = lab.fix(&mut session, true);
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::Repaired, "done"), "{report:?}");
    assert_eq!(report.steps[0].after, "SFC found nothing wrong");
    assert_eq!(*lab.asked.borrow(), [(Operation::ScanSystemFiles, Duration::from_secs(77))]);
    let undo = session.undo(None, session::now()).unwrap();
    assert_eq!((undo.verdict.as_str(), undo.steps[0].state.as_str()), ("nothing-to-undo", "kept"), "{undo:?}");
    assert!(session.diagnose(None).found.is_empty());
}

#[test]
fn a_program_that_ends_well_and_repairs_nothing_is_no_repair() {
    let lab = lab();
    let report = lab.fix(&mut lab.session(|_| ran(0, CLEAN)), true);
    assert_eq!(report.verdict, RunVerdict::NotRepaired);
    assert!(!report.verified[0].right && report.steps[0].read_back.contains("signs are still there"), "{report:?}");
    // And one that says so itself, with the name.
    let told = CLEAN.replace("[SR] Verify c", "[SR] Cannot repair member file [l:10]\"x.dll\" of Y\nx [SR] Verify c");
    let report = lab.fix(&mut lab.session(move |_| ran(0, &told)), true);
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::NotRepaired, "failed"));
    assert!(report.steps[0].read_back.contains("x.dll"), "{report:?}");
}

#[test]
fn a_program_that_is_ended_is_a_failed_step() {
    let lab = lab();
    let ended = |_: &Path| Err(TargetError::Operation { what: "the check".into(), why: "it did not end within 1 seconds and was ended".into() });
    let report = lab.fix(&mut lab.session(ended), true);
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::NotRepaired, "failed"));
    assert!(report.steps[0].read_back.contains("did not end"), "{report:?}");
    let journal = lab.journal();
    assert!(journal.contains("operation-started") && journal.contains("\"outcome\":\"failed\""), "{journal}");
}

#[test]
fn the_journal_is_written_before_and_an_interrupted_operation_is_named() {
    let lab = lab();
    let journal = {
        let runs = lab.store();
        move || runs.runs().iter().map(|run| std::fs::read_to_string(run.path.join("journal.jsonl")).unwrap()).collect::<String>()
    };
    // As if the power went in the middle: what was on the disk then is kept as it was.
    let seen: Rc<RefCell<String>> = Rc::default();
    let then = seen.clone();
    let mut session = lab.session(move |_| {
        then.borrow_mut().push_str(&journal());
        ran(0, CLEAN)
    });
    lab.fix(&mut session, true);
    assert!(seen.borrow().contains("operation-started") && !seen.borrow().contains("operation-ended"), "{}", seen.borrow());
    let run = lab.store().runs().pop().unwrap();
    std::fs::write(run.path.join("journal.jsonl"), seen.borrow().as_bytes()).unwrap();
    assert_eq!(session.interrupted(), std::slice::from_ref(&run.id));
    let report = lab.fix(&mut session, true);
    assert_eq!(report.recovered, [run.id]);
    assert!(report.notes.iter().any(|note| note.contains("SFC") && note.contains("its end is not recorded")), "{report:?}");
}

#[test]
fn a_dry_run_runs_nothing_and_lists_it() {
    let lab = lab();
    let scratch = tempfile::tempdir().unwrap();
    let session = lab.session(|_| ran(0, CLEAN));
    let report = session.dry_run(&FixRequest::default(), scratch.path(), &mut Nobody, session::now()).unwrap();
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::Planned, "planned"), "{report:?}");
    assert_eq!(report.steps[0].cause, CAUSE);
    let session = lab.session(|_| ran(0, CLEAN));
    let plan = session.plan(&FixRequest::default(), scratch.path(), &mut Nobody, session::now()).unwrap();
    assert_eq!(plan.steps.len(), 1);
    assert!(lab.asked.borrow().is_empty(), "a dry run or a plan ran a program");
}

/// Somebody at the terminal who says yes to steps, and this about going on without a restore point.
struct Somebody(bool);

impl session::Ui for Somebody {
    fn consent(&mut self, _: &model::Finding, _: &[model::StepView]) -> Option<bool> {
        Some(true)
    }
    fn without_restore_point(&mut self, _: &str) -> Option<bool> {
        Some(self.0)
    }
    fn progress(&mut self, _: &str) {}
}

#[test]
fn without_a_restore_point_it_is_asked_and_said() {
    let missing = RestorePoint::Missing { why: "it is switched off".into() };
    for (point, person, yes, runs) in [
        (missing.clone(), Somebody(false), false, 0),
        (missing.clone(), Somebody(true), false, 1),
        (missing, Somebody(false), true, 1),
        (RestorePoint::Made { number: 7 }, Somebody(false), false, 1),
    ] {
        let lab = lab();
        let mut running = lab.running(|_| ran(0, CLEAN));
        running.3 = point.clone();
        let mut session = running.session(lab.store());
        let report = session.fix(&FixRequest { yes, ..FixRequest::default() }, &mut { person }, session::now()).unwrap();
        assert_eq!(lab.asked.borrow().len(), runs, "{point:?}");
        assert_eq!(report.notes, [point.says().unwrap()]);
        assert!(lab.journal().contains("\"event\":\"restore-point\""));
        if runs == 0 {
            assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::NotRepaired, "skipped"));
            assert!(session.interrupted().is_empty());
        }
    }
}

#[test]
fn an_almost_empty_battery_refuses_before_anything_is_begun() {
    let lab = lab();
    let mut running = lab.running(|_| ran(0, CLEAN));
    running.4 = vec![WhyNot::BatteryLow { percent: 11 }];
    let report = lab.fix(&mut running.session(lab.store()), true);
    assert_eq!((report.verdict, report.why_not.len()), (RunVerdict::Refused, 1));
    assert!(lab.asked.borrow().is_empty() && lab.store().runs().is_empty());
}

#[test]
fn every_guide_names_an_operation_that_there_is() {
    let mut steps = 0;
    for guide in diagnosis::embedded() {
        for step in guide.steps.iter().filter(|step| step.spec.action == "windows-operation") {
            let operation = repair::operation(&step.spec.action, &step.spec.settings).unwrap();
            // A fact is filled in later; without it the rest must be right.
            assert!(operation.is_ok() || step.spec.settings["operation"].contains('{'), "{}: {operation:?}", guide.id);
            assert_eq!(step.spec.level, Level::Ask, "{}", guide.id);
            steps += 1;
        }
    }
    assert!(steps >= 5);
}
