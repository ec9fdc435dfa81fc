//! Every guide on every practice machine where it yields a plan, in memory: fail at each change, run and undo everything twice,
//! stop at each line of the journal and go on. The end is always "fixed" or "as before", cause by cause, never between.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests make folders and print counts")]

mod shared;

use model::{Confidence, Level};
use session::{Expectation, FixRequest, RunVerdict, Session, lab};
use shared::{Nobody, Shared};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use target::{Direction, HiveIntent, WritableTarget};

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
