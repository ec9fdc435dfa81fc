//! Hives of practice machines sent alone: what a bundle shows is what the whole machine shows, as far as the registry proves it, and
//! nothing is found because files are not there.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "tests make folders and print counts")]

use model::{TargetKind, Verdict, WhyNot};
use session::{Diagnosed, FixRequest, RunVerdict, Session, Ui, lab};
use std::collections::BTreeSet;
use std::path::Path;

struct Nobody;

impl Ui for Nobody {
    fn consent(&mut self, _: &model::Finding, _: &[model::StepView]) -> Option<bool> {
        None
    }
    fn progress(&mut self, _: &str) {}
}

/// Cause, subject and confidence of every finding; with the sources of its evidence.
fn found(diagnosed: &Diagnosed) -> BTreeSet<(String, String, String)> {
    diagnosed.found.iter().map(|one| (one.finding.cause.clone(), one.finding.subject.clone(), one.finding.confidence.as_str().to_owned())).collect()
}

/// Without the logs a part may be less certain than the whole, never more.
fn weaker_or_same(part: &str, whole: &str) -> bool {
    const ORDER: [&str; 3] = ["possible", "likely", "proved"];
    let place = |word: &str| ORDER.iter().position(|known| *known == word);
    place(part).is_some_and(|part| place(whole).is_some_and(|whole| part <= whole))
}

/// The findings whose evidence lies in these hives alone.
fn proved_by(diagnosed: &Diagnosed, hives: &[&str]) -> BTreeSet<(String, String, String)> {
    let mut all = found(diagnosed);
    for one in &diagnosed.found {
        if !one.finding.evidence.iter().all(|evidence| hives.contains(&evidence.source.as_str())) {
            all.retain(|(cause, subject, _)| (cause, subject) != (&one.finding.cause, &one.finding.subject));
        }
    }
    all
}

fn diagnose(path: &Path) -> Diagnosed {
    Session::open(path.to_str().unwrap(), path, None).unwrap_or_else(|error| unreachable!("{}: {error}", path.display())).diagnose(None)
}

#[test]
fn hives_alone_show_what_the_registry_proves_and_nothing_else() {
    let (mut alone, mut both, mut whole_count, mut missed, mut too_much) = (0, 0, 0, Vec::new(), Vec::new());
    for machine in lab::machines() {
        let (folder, sent) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        lab::build(machine.name, folder.path()).unwrap();
        let Ok(session) = Session::open(folder.path().to_str().unwrap(), folder.path(), None) else { continue };
        let whole = session.diagnose(None);
        let config = folder.path().join("Windows/System32/config");
        std::fs::copy(config.join("SYSTEM"), sent.path().join("SYSTEM")).unwrap();
        let lone = diagnose(&sent.path().join("SYSTEM"));
        std::fs::copy(config.join("SOFTWARE"), sent.path().join("software of the pc.hiv")).unwrap();
        let two = diagnose(sent.path());
        whole_count += whole.found.len();
        for (what, part, count) in [("SYSTEM alone", &lone, &mut alone), ("both hives", &two, &mut both)] {
            // That a reset script left the services so is seen in a folder; in its absence each is told of by itself, which is as true.
            let script = whole.found.iter().any(|one| one.finding.cause == "reset-script-half-finished");
            let told = |one: &(String, String, String)| {
                found(&whole).iter().any(|all| (&all.0, &all.1) == (&one.0, &one.1) && weaker_or_same(&one.2, &all.2))
            };
            let more = found(part).into_iter().filter(|one| !(told(one) || script && one.0 == "update-service-disabled"));
            too_much.extend(more.map(|one| format!("{}: {what} shows {one:?}", machine.name)));
            *count += part.found.len();
            assert_eq!(part.diagnosis.target.kind, TargetKind::Bundle);
            assert_ne!(part.diagnosis.verdict, Verdict::Healthy, "{}: {what}: nobody saw the files", machine.name);
            assert!(part.diagnosis.not_checked.iter().any(|item| item.blocking && item.what.contains("files of Windows")));
        }
        assert!(lone.diagnosis.not_checked.iter().any(|item| item.blocking && item.what.contains("SOFTWARE")));
        missed.extend(
            proved_by(&whole, &["SYSTEM", "SOFTWARE"])
                .difference(&found(&two))
                .map(|(cause, subject, how)| format!("{}: {cause} ({subject}, {how})", machine.name)),
        );
    }
    println!("findings: {whole_count} on whole machines, {both} from both hives, {alone} from SYSTEM alone; missed:\n{}", missed.join("\n"));
    assert!(too_much.is_empty(), "{too_much:#?}");
    assert!(alone >= 20 && both > alone);
}

#[test]
fn a_database_sent_without_its_logs_does_not_lack_them() {
    let (folder, sent) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lab::build("healthy-unclean-shutdown-10", folder.path()).unwrap();
    std::fs::copy(folder.path().join("Windows/SoftwareDistribution/DataStore/DataStore.edb"), sent.path().join("DataStore.edb")).unwrap();
    std::fs::copy(folder.path().join("ProgramData/Microsoft/Network/Downloader/qmgr.db"), sent.path().join("qmgr.db")).unwrap();
    // Guides are for versions of Windows, so it must be known which one this is.
    std::fs::copy(folder.path().join("Windows/System32/config/SOFTWARE"), sent.path().join("SOFTWARE")).unwrap();
    let diagnosed = diagnose(sent.path());
    assert!(diagnosed.diagnosis.target.windows.is_some());
    assert!(diagnosed.found.is_empty(), "{:?}", found(&diagnosed));
    // What is wrong in the file itself is found.
    lab::build("download-queue-torn-10", &folder.path().join("torn")).unwrap();
    std::fs::copy(folder.path().join("torn/ProgramData/Microsoft/Network/Downloader/qmgr.db"), sent.path().join("qmgr.db")).unwrap();
    let causes: Vec<String> = diagnose(sent.path()).found.iter().map(|one| one.finding.cause.clone()).collect();
    assert_eq!(causes, ["download-queue-damaged"]);
}

#[test]
fn a_bundle_is_diagnosed_and_never_treated() {
    let (folder, sent) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lab::build("three-faults-10", folder.path()).unwrap();
    for hive in ["SYSTEM", "SOFTWARE"] {
        std::fs::copy(folder.path().join("Windows/System32/config").join(hive), sent.path().join(hive)).unwrap();
    }
    let before: Vec<_> = ["SYSTEM", "SOFTWARE"].map(|hive| std::fs::read(sent.path().join(hive)).unwrap()).into();
    let open = || Session::open(sent.path().to_str().unwrap(), folder.path(), None).unwrap();
    assert!(!open().diagnose(None).found.is_empty());
    assert!(open().diagnose(None).diagnosis.findings.iter().flat_map(|finding| &finding.steps).all(|step| step.here != model::Here::Now));
    let request = FixRequest { yes: true, ..FixRequest::default() };
    let report = open().fix(&request, &mut Nobody, session::now()).unwrap();
    assert_eq!((report.verdict, report.verdict.exit_code()), (RunVerdict::Refused, 5));
    assert_eq!(report.why_not, [WhyNot::Bundle]);
    assert!(report.next.is_empty(), "nothing else can be tried on it either");
    let scratch = tempfile::tempdir().unwrap();
    assert!(open().plan(&request, scratch.path(), &mut Nobody, session::now()).is_err());
    assert!(open().undo(None, session::now()).is_err());
    assert!(open().runs().is_empty());
    let after: Vec<_> = ["SYSTEM", "SOFTWARE"].map(|hive| std::fs::read(sent.path().join(hive)).unwrap()).into();
    assert!(before == after);
    assert_eq!(std::fs::read_dir(sent.path()).unwrap().count(), 2);
}
