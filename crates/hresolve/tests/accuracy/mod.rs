//! `docs/accuracy.md`: what is found and repaired on every practice machine, measured by doing it in memory. Nothing of it is copied
//! from an `expected.md` but what is wrong with the machine; the floors below fail the test whatever the document says.

mod document;
mod logs_only;
mod reset_script;
// The machine in memory is that of the session's own tests.
#[path = "../../../session/tests/shared/mod.rs"]
mod shared;

use logs_only::LogsOnly;
use model::{ErrorCode, Level};
use session::{Expectation, FixRequest, RunVerdict, Session, lab};
use shared::{Nobody, Shared};
use std::collections::BTreeSet;
use std::sync::Mutex;
use target::WritableTarget;

/// Of 100 sick machines so many must show the right cause first.
const FIRST: usize = 95;
/// The mean number of objects that a repair changes stays below this.
const OBJECTS: usize = 4;

/// Cause, and object in lower case.
type Found = (String, String);

/// What one call of `diagnose` shows.
#[derive(Debug, Clone)]
struct View {
    /// The first finding is one of the machine's causes.
    first: bool,
    /// One of the first three is.
    in_first_three: bool,
    /// Causes with their objects that are not in the list.
    missed: Vec<Found>,
    /// Findings on what is not wrong.
    not_there: Vec<Found>,
    /// Each cause of the machine that was found, with the number of wrong findings before it.
    ranks: Vec<(String, usize)>,
}

/// What became of a sick machine that was treated with `--yes`.
#[derive(Debug, Clone, PartialEq)]
enum Repair {
    /// Verified by a fresh diagnosis, which finds nothing that can be treated.
    Verified,
    /// Some of it was repaired; the rest is for a person or for the running Windows.
    InPart,
    /// Nothing can be done from here.
    ByHand,
}

/// One machine.
#[derive(Debug, Clone)]
struct Score {
    name: String,
    sick: bool,
    /// The guides of its causes, each once.
    causes: BTreeSet<String>,
    plain: View,
    /// With the code that the owner came with.
    coded: Option<View>,
    repair: Repair,
    /// Objects that are different after the repair.
    objects: usize,
    /// The objects that a reset script would change on it.
    reset_script: usize,
    /// After undo every object is as it was.
    undone: bool,
    logs: LogsOnly,
}

fn view(session: &Session, asked: Option<ErrorCode>, wrong: &[Found]) -> View {
    let findings = session.diagnose(asked).diagnosis.findings;
    let found: Vec<Found> = findings.into_iter().map(|finding| (finding.cause, finding.object.to_lowercase())).collect();
    let right = |one: &&Found| wrong.contains(one);
    let before = |at: usize| found.iter().take(at).filter(|one| !right(one)).count();
    View {
        first: found.first().is_some_and(|one| right(&one)),
        in_first_three: found.iter().take(3).any(|one| right(&one)),
        missed: wrong.iter().filter(|one| !found.contains(one)).cloned().collect(),
        not_there: found.iter().filter(|one| !right(one)).cloned().collect(),
        ranks: found.iter().enumerate().filter(|(_, one)| right(one)).map(|(at, one)| (one.0.clone(), before(at))).collect(),
    }
}

/// The objects that the runs of this store changed and that are changed now.
fn changed(layer: &Shared) -> usize {
    let drive = target::Target::drive(layer);
    let runs = layer.store().runs();
    let journals = runs.into_iter().filter_map(|run| repair::Journal::read(run).ok());
    let changes = journals.flat_map(|(journal, _)| journal.in_force()).flat_map(|(_, changes)| changes);
    changes.map(|change| change.object(drive).to_lowercase()).collect::<BTreeSet<String>>().len()
}

fn score(name: &'static str) -> Score {
    let expectation = Expectation::parse(lab::expected(name).unwrap()).unwrap();
    let wrong: Vec<Found> = expectation.expect.iter().map(|one| (one.cause.clone(), one.object.to_lowercase())).collect();
    let (folder, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lab::build(name, folder.path()).unwrap();
    let reset_script = reset_script::objects(folder.path());
    let layer = Shared::over(folder.path(), runs.path());
    let mut session = layer.session(layer.store());
    let plain = view(&session, None, &wrong);
    let code = expectation.code();
    let coded = code.map(|code| view(&session, Some(code), &wrong));
    let report = session.fix(&FixRequest { yes: true, ..FixRequest::default() }, &mut Nobody, session::now()).unwrap();
    let objects = changed(&layer);
    let treatable_left = session.diagnose(None).found.iter().any(|found| found.steps.iter().any(|step| step.level != Level::Show));
    let repair = match report.verdict {
        RunVerdict::Repaired if !treatable_left => Repair::Verified,
        _ if objects > 0 => Repair::InPart,
        _ => Repair::ByHand,
    };
    for run in session.runs().iter().rev() {
        session.undo(Some(&run.run), session::now()).unwrap();
    }
    let undone = layer.0.borrow().differences().is_empty();
    let logs = logs_only::measure(folder.path(), &wrong);
    Score {
        name: name.to_owned(),
        sick: expectation.sick,
        causes: wrong.into_iter().map(|one| one.0).collect(),
        plain,
        coded,
        repair,
        objects,
        reset_script,
        undone,
        logs,
    }
}

/// Every machine, in the order of their names; two at a time.
fn all() -> Vec<Score> {
    let queue = Mutex::new(lab::machines().into_iter().map(|machine| machine.name).collect::<Vec<_>>());
    let scores = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(4) {
            scope.spawn(|| {
                loop {
                    let Some(name) = queue.lock().unwrap().pop() else { break };
                    let one = score(name);
                    scores.lock().unwrap().push(one);
                }
            });
        }
    });
    let mut scores = scores.into_inner().unwrap();
    scores.sort_by(|one, other| one.name.cmp(&other.name));
    scores
}

#[test]
fn accuracy() {
    let scores = all();
    super::same("accuracy.md", &document::text(&scores));
    let sick: Vec<&Score> = scores.iter().filter(|score| score.sick).collect();
    let views = || sick.iter().flat_map(|score| [Some((score, &score.plain)), score.coded.as_ref().map(|view| (score, view))]).flatten();
    let named = |bad: Vec<&str>, what: &str| assert!(bad.is_empty(), "{what}: {bad:?}");
    let count = views().count();
    assert!(views().filter(|(_, view)| view.first).count() * 100 >= FIRST * count, "the right cause is first too seldom");
    named(views().filter(|(_, view)| !view.in_first_three).map(|(score, _)| score.name.as_str()).collect(), "no right cause among the first three");
    named(views().filter(|(_, view)| !view.missed.is_empty()).map(|(score, _)| score.name.as_str()).collect(), "a cause is missed");
    let wrong = |score: &&Score| !score.plain.not_there.is_empty() || score.coded.as_ref().is_some_and(|view| !view.not_there.is_empty());
    named(scores.iter().filter(wrong).map(|score| score.name.as_str()).collect(), "something is found that is not wrong");
    named(scores.iter().filter(|score| !score.sick && score.objects > 0).map(|score| score.name.as_str()).collect(), "a healthy machine was changed");
    named(scores.iter().filter(|score| !score.undone).map(|score| score.name.as_str()).collect(), "undo left something");
    named(scores.iter().filter(|score| score.logs.unfounded).map(|score| score.name.as_str()).collect(), "claimed by logs that do not tell it");
    named(scores.iter().filter(|score| score.logs.healthy).map(|score| score.name.as_str()).collect(), "called healthy by its logs alone");
    let repairs: Vec<usize> = sick.iter().map(|score| score.objects).filter(|objects| *objects > 0).collect();
    assert!(repairs.iter().sum::<usize>() < OBJECTS * repairs.len(), "repairs change too many objects");
}
