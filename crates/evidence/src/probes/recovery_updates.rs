//! Updates of the recovery environment that failed, and what `ReAgent.xml` says about it. How large its partition is and where it lies is not
//! seen from a folder, and that is said. It is run when all failures are known.

use crate::failures::kb;
use crate::logs::reagent;
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "recovery-update.title", kind: FactKind::Text, meaning: "the update of the recovery environment that failed and was not made up for" },
    FactDeclaration { name: "recovery-update.code", kind: FactKind::Text, meaning: "its code, as 0x80070643" },
    FactDeclaration {
        name: "recovery-update.environment",
        kind: FactKind::Text,
        meaning: "what ReAgent.xml says about the recovery environment: on, off (there is nothing to update), lost (the file is missing or damaged) or unclear",
    },
];

/// Updates of the recovery environment alone (Microsoft's articles of January 2024).
const UPDATES: [&str; 3] = ["KB5034439", "KB5034440", "KB5034441"];
/// As the events' probe names what WinREAgent 4502 tells.
const AGENT: &str = "recovery environment (Windows RE)";
const LARGEST: u64 = 1 << 20;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let about = |subject: &str| subject.contains(AGENT) || kb(subject).is_some_and(|kb| UPDATES.contains(&kb.as_str()));
    let open = facts.failures.iter().find(|failure| !failure.resolved && !failure.transient && about(&failure.subject));
    let Some(failure) = open else { return };
    let title = kb(&failure.subject).unwrap_or_else(|| AGENT.to_owned());
    let mut subject = Subject::new("recovery-update", &title);
    let says = format!("{} failed with {} ({} time(s), the last on {})", failure.subject, failure.code, failure.count, failure.last);
    subject.put("recovery-update.title", fact(text(&title), says, &failure.source, &failure.at));
    subject.put("recovery-update.code", fact(text(&failure.code), format!("The code is {}", failure.code), &failure.source, &failure.at));
    let path = target.windows_folder().join("System32\\Recovery\\ReAgent.xml");
    let (state, says) = match target.read(&path, LARGEST) {
        Reading::Known(bytes) => match reagent::parse(&bytes).map(|settings| settings.on) {
            Some(Some(true)) => ("on", "ReAgent.xml says that the recovery environment is on"),
            Some(Some(false)) => ("off", "ReAgent.xml says that the recovery environment is off, so there is nothing to update"),
            Some(None) => ("unclear", "ReAgent.xml does not say whether the recovery environment is on"),
            None => ("lost", "ReAgent.xml holds no settings of the recovery environment"),
        },
        Reading::Absent => ("lost", "ReAgent.xml, which says where the recovery environment lies, does not exist"),
        Reading::NotCollected | Reading::Unreadable(_) => ("unclear", "ReAgent.xml could not be read"),
    };
    subject.put("recovery-update.environment", fact(text(state), says, path.with_drive(target.drive()), "InstallState"));
    facts.subjects.push(subject);
    let why = "partitions are not seen from a folder; a size of 250 MB free is asked for".to_owned();
    facts.not_checked.push(NotChecked { what: "how large the recovery partition is, and whether it follows the one of Windows".into(), why, blocking: false });
}
