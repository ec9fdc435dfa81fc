//! With which codes Windows Update failed here and did not make up for it. It is run when all logs were read, so that guides about settings
//! can ask whether what the setting causes has happened.

use crate::probe::fact;
use model::{FactDeclaration, FactKind, Facts, Reading, Value};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[FactDeclaration {
    name: "machine.failed-with",
    kind: FactKind::List,
    meaning: "the codes, as 0x80072EFD, with which a search, a download or an installation failed and did not succeed since; absent when the logs tell of none, not collected when a log could not be read",
}];

pub(super) fn run(_target: &dyn Target, facts: &mut Facts) {
    let mut codes: Vec<String> = Vec::new();
    let mut told: Vec<String> = Vec::new();
    let mut place = None;
    for failure in facts.failures.iter().filter(|failure| !failure.resolved && !failure.transient) {
        if !codes.contains(&failure.code) {
            codes.push(failure.code.clone());
            told.push(format!("{} of {} ({} time(s), the last on {})", failure.code, failure.subject, failure.count, failure.last));
            place.get_or_insert_with(|| (failure.source.clone(), failure.at.clone()));
        }
    }
    let blind = codes.is_empty() && !facts.not_checked.is_empty();
    let reading = match (codes.is_empty(), blind) {
        (false, _) => Reading::Known(Value::List(codes)),
        (true, true) => Reading::NotCollected,
        (true, false) => Reading::Absent,
    };
    let says = if told.is_empty() { "No log tells of a failure that was not made up for".into() } else { format!("Failed and not made up for: {}", told.join("; ")) };
    let (source, at) = place.unwrap_or_else(|| ("logs".into(), "failures".into()));
    if let Some(machine) = facts.subjects.iter_mut().find(|subject| subject.kind == "machine") {
        machine.put("machine.failed-with", fact(reading, says, source, at));
    }
}
