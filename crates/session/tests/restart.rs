//! A restart in the middle of a run, with a double for the starts of Windows: what waits, what goes on, once, and what proves it then.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make folders and may fail loudly")]

mod shared;

use model::{GrownLog, Here, Level, Operated, Operation, Reading, VolumePath, WhyNot};
use session::{FixRequest, RunReport, RunVerdict, Session};
use shared::{Nobody, Programs, Shared};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use target::{StateStore, Target};

/// An earlier update waits for the restart that Shut down never was.
const WAITS: (&str, &str) = ("earlier-update-waits-11", "earlier-update-unfinished");
const RUN_ONCE: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce";

struct Lab {
    folder: tempfile::TempDir,
    runs: tempfile::TempDir,
    running: Shared,
}

/// A practice machine as if it ran. Its programs of Windows end with 3010, which says that a restart finishes their work.
fn lab(machine: &str) -> Lab {
    let (folder, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    target::lab::build(machine, folder.path()).unwrap();
    let path = VolumePath::parse("\\Windows\\Logs\\CBS\\CBS.log").unwrap();
    let programs: Programs = Rc::new(RefCell::new(move |_: &Operation, _| {
        Ok(Operated::Ran { exit_code: 3010, logs: vec![GrownLog { path: path.clone(), text: Vec::new(), whole: true }] })
    }));
    let running = Shared::over(folder.path(), runs.path()).running(programs);
    Lab { folder, runs, running }
}

impl Lab {
    fn session(&self) -> Session {
        self.running.session(self.store())
    }

    fn store(&self) -> StateStore {
        StateStore::in_folder(self.runs.path())
    }

    fn fix(&self, request: &FixRequest) -> RunReport {
        self.session().fix(request, &mut Nobody, session::now()).unwrap()
    }

    fn go_on(&self) -> RunReport {
        let run = self.store().runs().pop().unwrap().id;
        self.session().go_on(&run, &yes(true), &mut Nobody, session::now()).unwrap()
    }

    fn state(&self) -> String {
        self.session().runs().pop().unwrap().state
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.store().runs().pop().unwrap().path.join("journal.jsonl")).unwrap()
    }

    fn trigger(&self) -> Reading<String> {
        self.running.value(RUN_ONCE, "hresolve").map(|data| data.as_text().unwrap())
    }

    /// The next start: another number, what Windows runs once is gone from its list, and it has done what waited.
    fn restart(&self, done: impl Fn(&Path)) {
        self.running.5.borrow_mut().started += 1;
        if let Reading::Known(old) = self.running.value(RUN_ONCE, "hresolve") {
            let gone = model::Change::DeleteValue { key: RUN_ONCE.into(), name: "hresolve".into(), old };
            let mut running = self.running.clone();
            target::WritableTarget::apply(&mut running, &[gone], target::Direction::Forward, &mut |_| Ok(())).unwrap();
        }
        done(self.folder.path());
        self.running.look_anew();
    }
}

fn yes(restart: bool) -> FixRequest {
    FixRequest { yes: true, restart, ..FixRequest::default() }
}

fn windows_did_it(folder: &Path) {
    std::fs::remove_file(folder.join("Windows/WinSxS/pending.xml")).unwrap();
}

#[test]
fn a_restart_is_asked_for_by_its_own_word() {
    let lab = lab(WAITS.0);
    let steps = lab.session().diagnose(None).diagnosis.findings[0].steps.clone();
    assert_eq!((steps[0].action.as_str(), steps[0].level, steps[0].here), ("restart-windows", Level::Ask, Here::Now));
    let report = lab.fix(&yes(false));
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::NotRepaired, "consent-needed"));
    assert!(report.steps[0].read_back.contains("--restart"), "{report:?}");
    // The word alone is no consent to the step.
    let report = lab.fix(&FixRequest { restart: true, ..FixRequest::default() });
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::NotRepaired, "consent-needed"));
    assert!(lab.running.5.borrow().asked.is_empty() && lab.store().runs().is_empty());
}

#[test]
fn on_a_disk_it_waits_for_the_start() {
    let lab = lab(WAITS.0);
    let on_disk = Shared::over(lab.folder.path(), lab.runs.path());
    let found = on_disk.session(lab.store()).diagnose(None).diagnosis.findings.remove(0);
    assert_eq!((found.steps[0].level, found.steps[0].here), (Level::Show, Here::FirstBoot));
    let report = on_disk.session(lab.store()).fix(&yes(true), &mut Nobody, session::now()).unwrap();
    assert_eq!((report.verdict, report.restart_needed), (RunVerdict::Waiting, false));
    assert!(lab.store().runs().is_empty());
}

#[test]
fn after_the_restart_the_signs_are_asked_again_and_only_then() {
    for helped in [true, false] {
        let lab = lab(WAITS.0);
        let report = lab.fix(&yes(true));
        assert_eq!((report.verdict, report.restart_needed), (RunVerdict::Waiting, true), "{report:?}");
        assert_eq!(report.steps[0].state, "queued");
        assert_eq!(lab.running.5.borrow().asked.iter().map(|(seconds, _)| *seconds).collect::<Vec<_>>(), [60]);
        assert!(lab.trigger().known().is_some_and(|command| command.contains("continue --run")));
        assert_eq!((lab.state().as_str(), lab.session().waiting()[0].1), ("waiting", Some(false)));
        // Before it, nothing is done and nothing is written.
        let journal = lab.journal();
        for report in [lab.fix(&yes(true)), lab.go_on()] {
            assert_eq!((report.verdict, report.restart_needed), (RunVerdict::Waiting, true));
        }
        assert_eq!(lab.journal(), journal);
        assert_eq!(lab.running.5.borrow().asked.len(), 1);

        lab.restart(|folder| {
            if helped {
                windows_did_it(folder)
            }
        });
        assert_eq!(lab.session().waiting()[0].1, Some(true));
        let report = lab.go_on();
        assert_eq!(report.verdict, if helped { RunVerdict::Repaired } else { RunVerdict::NotRepaired }, "{report:?}");
        assert_eq!(report.verified[0].right, helped);
        assert_eq!(lab.state(), "finished");
        assert!(lab.session().waiting().is_empty());
        // Once: Windows is not restarted again by itself, whatever came of it.
        assert_eq!(lab.running.5.borrow().asked.len(), 1);
        assert!(lab.trigger().known().is_none());
    }
}

#[test]
fn undo_takes_the_trigger_back() {
    let lab = lab(WAITS.0);
    lab.fix(&yes(true));
    assert!(lab.trigger().known().is_some());
    let forgotten = lab.session().forget(&[lab.store().runs().pop().unwrap().id]);
    assert!(forgotten.unwrap_err().to_string().contains("waits for a restart"));
    let undo = lab.session().undo(None, session::now()).unwrap();
    assert_eq!(undo.verdict, "undone", "{undo:?}");
    assert!(lab.trigger().known().is_none());
    assert_eq!(lab.state(), "undone");
    lab.restart(|_| {});
    assert!(lab.session().waiting().is_empty());
}

#[test]
fn a_person_who_says_that_it_works_ends_the_waiting() {
    let lab = lab(WAITS.0);
    lab.fix(&yes(true));
    let report = lab.session().continue_run(None, true, &yes(false), &mut Nobody, session::now()).unwrap();
    assert_eq!((report.verdict, lab.state().as_str()), (RunVerdict::Fixed, "finished"));
    assert!(lab.trigger().known().is_none());
}

#[test]
fn still_broken_before_the_restart_climbs_no_further() {
    let lab = lab(WAITS.0);
    lab.fix(&yes(true));
    let report = lab.session().continue_run(None, false, &yes(false), &mut Nobody, session::now()).unwrap();
    assert_eq!((report.verdict, report.restart_needed), (RunVerdict::Waiting, true));
    assert_eq!(lab.state(), "waiting");
}

/// What a program of Windows began is finished by the restart; without `--restart` the person does that.
#[test]
fn a_program_that_wants_a_restart_is_proved_after_it() {
    let lab = lab("separate-update-programs-gone-11");
    let report = lab.fix(&yes(false));
    // SFC says nothing by 3010, so its signs decide: still there, and no restart was promised.
    assert_eq!((report.verdict, report.restart_needed), (RunVerdict::NotRepaired, false), "{report:?}");
    let lab = self::lab("store-file-deleted-11");
    let report = lab.fix(&yes(false));
    assert_eq!((report.verdict, report.restart_needed), (RunVerdict::Waiting, true), "{report:?}");
    assert!(report.notes.iter().any(|note| note.contains("hresolve continue")) && lab.trigger().known().is_none(), "{report:?}");
    assert!(lab.running.5.borrow().asked.is_empty());
    lab.restart(|_| {});
    let report = lab.go_on();
    assert_eq!((report.verdict, report.verified[0].right), (RunVerdict::NotRepaired, false), "{report:?}");
}

/// While servicing waits nothing may be changed; the person who agrees to a restart has everything done after it.
#[test]
fn what_only_a_restart_unblocks_is_done_after_it() {
    let lab = lab("cryptsvc-off-11");
    lab.running.5.borrow_mut().why_not = vec![WhyNot::RestartPending];
    let report = lab.fix(&yes(false));
    assert_eq!(report.verdict, RunVerdict::Refused);
    let before = lab.running.key("HKLM\\SYSTEM\\CurrentControlSet\\Services\\CryptSvc").into_known().unwrap().values;
    let report = lab.fix(&yes(true));
    assert_eq!(report.verdict, RunVerdict::Waiting, "{report:?}");
    assert!(report.steps.iter().all(|step| step.state == "queued"), "{report:?}");
    assert_eq!(lab.running.key("HKLM\\SYSTEM\\CurrentControlSet\\Services\\CryptSvc").into_known().unwrap().values, before);
    // It came, and still waits: refused again, and the run goes on waiting.
    lab.restart(|_| {});
    assert_eq!((lab.go_on().verdict, lab.state().as_str()), (RunVerdict::Refused, "waiting"));
    lab.running.5.borrow_mut().why_not.clear();
    let report = lab.go_on();
    assert_eq!((report.verdict, report.steps[0].state.as_str()), (RunVerdict::Repaired, "done"), "{report:?}");
    let undo = lab.session().undo(None, session::now()).unwrap();
    assert_eq!((undo.verdict.as_str(), undo.conflicts.len()), ("undone", 0), "{undo:?}");
    assert_eq!(lab.running.key("HKLM\\SYSTEM\\CurrentControlSet\\Services\\CryptSvc").into_known().unwrap().values, before);
}

/// The power goes at any line of what comes after the restart: brought back by the next fix, which then does it all.
#[test]
fn what_goes_on_can_be_cut_off_anywhere() {
    let start = |lab: &Lab| lab.running.value("HKLM\\SYSTEM\\CurrentControlSet\\Services\\CryptSvc", "Start").into_known().unwrap();
    let mut tried = 0;
    for lines in 1.. {
        let lab = lab("cryptsvc-off-11");
        let disabled = start(&lab);
        lab.running.5.borrow_mut().why_not = vec![WhyNot::RestartPending];
        lab.fix(&yes(true));
        lab.running.5.borrow_mut().why_not.clear();
        lab.restart(|_| {});
        let waited = lab.journal().lines().count();
        assert_eq!(lab.go_on().verdict, RunVerdict::Repaired);
        let whole = lab.journal();
        if waited + lines >= whole.lines().count() {
            break;
        }
        let kept: Vec<&str> = whole.lines().take(waited + lines).collect();
        let path = lab.store().runs().pop().unwrap().path.join("journal.jsonl");
        std::fs::write(&path, kept.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        // A change that is not announced was not made.
        let announced = kept.iter().skip(waited).any(|line| line.contains("\"event\":\"started\""));
        assert_eq!(lab.state(), "interrupted", "after {lines} lines");
        let recovered = lab.session().recover(session::now()).unwrap();
        assert_eq!((recovered.runs.len(), recovered.conflicts.len()), (1, 0));
        if announced {
            assert_eq!(start(&lab), disabled, "after {lines} lines");
            assert_eq!(lab.fix(&yes(false)).verdict, RunVerdict::Repaired);
            tried += 1;
        }
    }
    assert!(tried >= 3, "{tried}");
}

/// As a usual method it proves nothing: afterwards the person tries.
#[test]
fn as_usual_advice_the_person_says_whether_it_helped() {
    let lab = lab("healthy-11-24h2");
    let request = FixRequest { only: Some("restart-windows".into()), ..yes(true) };
    let report = lab.fix(&request);
    assert_eq!(report.verdict, RunVerdict::Waiting, "{report:?}");
    lab.restart(|_| {});
    assert_eq!(lab.go_on().verdict, RunVerdict::Undetermined);
    let report = lab.session().continue_run(None, true, &yes(false), &mut Nobody, session::now()).unwrap();
    assert_eq!(report.verdict, RunVerdict::Fixed);
}
