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

/// What somebody pastes of a log, under a name of its own; the lines have the form of published ones.
#[test]
fn an_excerpt_alone_names_what_failed() {
    let sent = tempfile::tempdir().unwrap();
    let misc = |time: &str, text: &str| format!("2022-11-13\t11:15:{time}:303\t1048\tfd4\tMisc\tWARNING: {text}\r\n");
    let direct = "Proxy List used: <(null)> Bypass List used : <(null)> Auth Schemes used : <>";
    let request = [
        misc("01", &format!("SendRequest failed with hr = 80072ee2. {direct}")),
        misc("01", "WinHttp: SendRequestUsingProxy failed for <http://updates.example:8530/selfupdate/wuident.cab>. error 0x80072ee2"),
        "2022-11-13\t11:15:02:600\t1048\tfd4\tAU\t  # WARNING: Failed to find updates with error code 80072EE2\r\n".to_owned(),
    ]
    .concat();
    let store = "2025-02-27 08:58:35, Error                 CSI    0000000a@2025/2/27:11:58:35.891 (F) Attempting to mark store corrupt with category \
        [l:21 ml:22]'CorruptComponentValue'[gle=0x80004005]\r\n2025-02-27 08:58:35, Error                 CBS    Failed to process single phase execution. \
        [HRESULT = 0x80073712 - ERROR_SXS_COMPONENT_STORE_CORRUPT]\r\n2025-02-27 08:58:35, Info                  CBS    WER: Generating failure report for \
        package: Package_for_ServicingStack_3081~31bf3856ad364e35~amd64~~20348.3081.1.1, status: 0x80073712, failure source: Resolve\r\n";
    let readiness = "Checking System Update Readiness.\r\n(f) CSI Payload File Missing 0x00000000 admparse.dll \
        x86_microsoft-windows-ie-adminkitmostfiles_31bf3856ad364e35_6.0.6000.16386_none_abfb5fd109dad8b8 \
        servicing_31bf3856ad364e35_6.0.6000.16386_none_23ddbf36a8a961bc\r\n";
    for (text, cause, object) in [
        (request.as_str(), "update-connection-failed", "updates.example"),
        (store, "component-store-inconsistent", "the component store"),
        (readiness, "component-file-missing", "_none_abfb5fd109dad8b8\\admparse.dll"),
    ] {
        let path = sent.path().join("pasted.txt");
        std::fs::write(&path, text).unwrap();
        let diagnosed = diagnose(&path);
        let found: Vec<&model::Finding> = diagnosed.found.iter().map(|one| &one.finding).collect();
        assert_eq!(found.len(), 1, "{cause}: {found:#?}");
        assert!(found[0].cause == cause && found[0].object.ends_with(object), "{cause}: {} on {}", found[0].cause, found[0].object);
        assert_ne!(found[0].confidence, model::Confidence::Proved, "nothing was looked at but a log");
    }
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
