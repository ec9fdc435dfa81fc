//! What a probe is, and how all of them are run.

use crate::logs::Problem;
use crate::probes::ALL;
use model::{Fact, FactDeclaration, Facts, NotChecked, Reading, Value, VolumePath};
use std::io::Read;
use target::Target;

/// Reads one part of a target.
pub struct Probe {
    /// Its name, which is also its file's.
    pub name: &'static str,
    /// The facts it delivers.
    pub facts: &'static [FactDeclaration],
    /// Reads the target and adds subjects, failures and what it could not look at.
    pub run: fn(&dyn Target, &mut Facts),
}

/// Probes that compare what they read with what failed, so they are run when every failure is known.
const AFTER_FAILURES: [&str; 4] = ["connections", "failed_codes", "recovery_updates", "taken_files"];

/// The probe that compares what it reads with what each log says failed, before that is joined.
const AFTER_LOGS: &str = "update_history";

/// Runs every probe.
pub fn read_all(target: &dyn Target) -> Facts {
    let mut facts = Facts::default();
    let late = |probe: &&Probe| AFTER_FAILURES.contains(&probe.name);
    let last = |probe: &&Probe| AFTER_LOGS == probe.name;
    for probe in ALL.iter().filter(|probe| !late(probe) && !last(probe)).chain(ALL.iter().filter(last)) {
        (probe.run)(target, &mut facts);
    }
    facts.failures = crate::failures::join(std::mem::take(&mut facts.failures));
    for (number, failure) in (1..).zip(facts.failures.iter_mut()) {
        failure.id = number;
    }
    for probe in ALL.iter().filter(late) {
        (probe.run)(target, &mut facts);
    }
    facts
}

/// Every fact that any probe declares, by name.
pub fn declarations() -> Vec<&'static FactDeclaration> {
    let mut all: Vec<&FactDeclaration> = ALL.iter().flat_map(|probe| probe.facts).collect();
    all.sort_by_key(|declaration| declaration.name);
    all
}

/// Reads a log of any size as a stream; what could not be read of it is said. `what` is what people call it.
pub(crate) fn read_log(target: &dyn Target, path: &VolumePath, what: &str, facts: &mut Facts, read: &mut dyn FnMut(&mut dyn Read) -> Vec<Problem>) {
    let mut not_checked = |why: String| {
        facts.not_checked.push(NotChecked { what: format!("{what} ({})", path.with_drive(target.drive())), why, blocking: false });
    };
    match target.open(path) {
        Reading::Known(mut input) => {
            if let Some(failed) = read(&mut *input).into_iter().find(|problem| problem.line == 0) {
                not_checked(failed.what);
            }
        }
        Reading::Unreadable(why) => not_checked(why),
        Reading::Absent | Reading::NotCollected => {}
    }
}

/// A fact from a reading, with the sentence for people and the place.
pub(crate) fn fact(reading: Reading<Value>, says: impl Into<String>, source: impl Into<String>, at: impl Into<String>) -> Fact {
    Fact { reading, says: says.into(), source: source.into(), at: at.into() }
}

/// A known text.
pub(crate) fn text(value: impl Into<String>) -> Reading<Value> {
    Reading::Known(Value::Text(value.into()))
}
