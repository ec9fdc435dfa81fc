//! The harder question: somebody sends the logs of a machine and nothing else. No hive, no file of Windows; what can be said then?

use super::Found;
use model::{Confidence, Verdict};
use session::Session;
use std::path::Path;

/// Where logs lie; everything below is sent.
const LOGS: [&str; 8] = [
    "$WINDOWS.~BT/Sources/Panther",
    "$WINDOWS.~BT/Sources/Rollback",
    "Windows/Logs",
    "Windows/Panther",
    "Windows/System32/winevt/Logs",
    "Windows/INF/setupapi.dev.log",
    "Windows/SoftwareDistribution/ReportingEvents.log",
    "Windows/WindowsUpdate.log",
];

/// What the logs alone show.
#[derive(Debug, Clone, Default)]
pub(super) struct LogsOnly {
    /// A log tells that something failed.
    pub failure: bool,
    /// The first finding is by a guide of one of the machine's causes. Its object is called as the log calls it, which may be less exact.
    pub first: bool,
    /// Something else is offered as a possibility, and nothing more.
    pub possible: bool,
    /// Nothing is found, and that nothing is wrong is not said either.
    pub undetermined: bool,
    /// It is called healthy, which nobody can know.
    pub healthy: bool,
    /// What is likely or proved by these logs and not wrong with the machine.
    pub not_there: Vec<Found>,
    /// Some of that is called proved, or rests on no line of a log. What a log names and what was put right since, where no log tells, may look
    /// likely; nothing else may.
    pub unfounded: bool,
}

/// Sends the logs of a built machine and has them diagnosed.
pub(super) fn measure(machine: &Path, wrong: &[Found]) -> LogsOnly {
    let (sent, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for log in LOGS.iter().filter(|log| machine.join(log).exists()) {
        copy(&machine.join(log), &sent.path().join(log));
    }
    let session =
        Session::open(sent.path().to_str().unwrap(), scratch.path(), None).unwrap_or_else(|error| unreachable!("{}: {error}", machine.display()));
    let diagnosis = session.diagnose(None).diagnosis;
    let right = |one: &&model::Finding| wrong.iter().any(|(cause, _)| *cause == one.cause);
    let others = || diagnosis.findings.iter().filter(|one| !right(one));
    let claimed = || others().filter(|one| one.confidence != Confidence::Possible);
    let log = |one: &model::Finding| one.evidence.iter().any(|evidence| evidence.says.contains("log says") || evidence.says.contains("Failed"));
    let first = diagnosis.findings.first().is_some_and(|one| right(&one));
    LogsOnly {
        failure: diagnosis.failures.iter().any(|failure| !failure.resolved),
        first,
        possible: !first && others().next().is_some(),
        undetermined: diagnosis.verdict == Verdict::Undetermined,
        healthy: diagnosis.verdict == Verdict::Healthy,
        not_there: claimed().map(|one| (one.cause.clone(), one.object.to_lowercase())).collect(),
        unfounded: claimed().any(|one| one.confidence == Confidence::Proved || !log(one)),
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    if !from.is_dir() {
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}
