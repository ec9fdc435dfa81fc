//! The proof of a repair, with a double for Windows Update: when the update that failed is tried again, how that is judged, and what is said.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make folders and may fail loudly")]

mod shared;

use model::{Operated, Operation, Reading, RegistryData, RestorePoint, UpdateName, UpdateRecord, UpdateResult, UpdateStage, UpdateTry};
use session::{FixRequest, Network, Retry, RunReport, RunVerdict, Session, TimeSources};
use shared::{Nobody, Programs, Shared};
use std::cell::RefCell;
use std::rc::Rc;
use target::{StateStore, WritableTarget};

/// KB5033372 failed on it, and what made it fail can be repaired.
const SICK: &str = "driver-queue-left-behind-10";
const KB: &str = "KB5033372";
const TITLE: &str = "2023-12 Cumulative Update for Windows 10 (KB5033372)";
const POLICY: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";

struct Lab {
    folder: tempfile::TempDir,
    runs: tempfile::TempDir,
    tried: Rc<RefCell<Vec<Operation>>>,
}

fn lab() -> Lab {
    let (folder, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    target::lab::build(SICK, folder.path()).unwrap();
    Lab { folder, runs, tried: Rc::default() }
}

impl Lab {
    fn store(&self) -> StateStore {
        StateStore::in_folder(self.runs.path())
    }

    /// This machine as if it ran; every try ends so.
    fn running(&self, end: UpdateTry) -> Shared {
        let tried = self.tried.clone();
        let programs: Programs = Rc::new(RefCell::new(move |operation: &Operation, _| {
            tried.borrow_mut().push(operation.clone());
            Ok(Operated::Tried(end.clone()))
        }));
        let mut running = Shared::over(self.folder.path(), self.runs.path()).running(programs);
        running.3 = RestorePoint::Made { number: 1 };
        running
    }

    fn session(&self, end: UpdateTry) -> Session {
        self.running(end).session(self.store())
    }

    fn fix(&self, session: &mut Session, retry: Retry) -> RunReport {
        session.fix(&FixRequest { yes: true, retry, ..FixRequest::default() }, &mut Nobody, session::now()).unwrap()
    }

    fn journal(&self) -> String {
        let runs = self.store().runs();
        runs.iter().map(|run| std::fs::read_to_string(run.path.join("journal.jsonl")).unwrap()).collect()
    }
}

fn installed(restart: bool, seen: Option<bool>) -> UpdateTry {
    UpdateTry::Installed { title: TITLE.into(), restart, seen, licence: true, errors: None }
}

fn last(report: &RunReport) -> (String, String, String) {
    let step = report.steps.last().unwrap();
    (step.cause.clone(), step.state.clone(), step.read_back.clone())
}

#[test]
fn what_it_shows_decides_the_verdict() {
    let failed = |stage, code| UpdateTry::Failed { stage, title: TITLE.into(), code };
    for (end, verdict, exit, state) in [
        (installed(false, Some(true)), RunVerdict::Fixed, 0, "done"),
        (installed(true, None), RunVerdict::Waiting, 4, "done"),
        (installed(false, Some(false)), RunVerdict::Repaired, 0, "failed"),
        (failed(UpdateStage::Install, 0x800F_0922), RunVerdict::NotRepaired, 1, "failed"),
        (failed(UpdateStage::Download, 0x8007_2EE2), RunVerdict::NotRepaired, 1, "failed"),
        (failed(UpdateStage::Search, 0x8007_0422), RunVerdict::Repaired, 0, "failed"),
        (UpdateTry::TooLong { stage: UpdateStage::Download, stopped: true }, RunVerdict::Repaired, 0, "failed"),
        (UpdateTry::NotOffered { incomplete: None }, RunVerdict::Repaired, 0, "skipped"),
        (UpdateTry::Hidden { title: TITLE.into() }, RunVerdict::Repaired, 0, "skipped"),
        (UpdateTry::AsksForInput { title: TITLE.into() }, RunVerdict::Repaired, 0, "skipped"),
        (UpdateTry::Busy, RunVerdict::Repaired, 0, "skipped"),
        (UpdateTry::RestartFirst, RunVerdict::Waiting, 4, "skipped"),
    ] {
        let lab = lab();
        let report = lab.fix(&mut lab.session(end.clone()), Retry::Yes(None));
        assert_eq!((report.verdict, report.verdict.exit_code()), (verdict, exit), "{end:?}: {report:?}");
        let (cause, is, says) = last(&report);
        assert_eq!((cause.as_str(), is.as_str()), ("try-again", state), "{end:?}: {says}");
        assert_eq!(*lab.tried.borrow(), [Operation::InstallUpdate { update: KB.parse().unwrap() }]);
        if let UpdateTry::Failed { code, .. } = end {
            assert!(says.contains(&format!("0x{code:08X} (")), "{says}");
        }
        // What was repaired before stays repaired.
        assert!(report.verified.iter().all(|verified| verified.right), "{report:?}");
        assert!(!session::reports::text::run(&report, "live").is_empty());
    }
}

/// Somebody at the terminal who wants everything, and how often they were asked about trying again.
struct Willing(u32);

impl session::Ui for Willing {
    fn consent(&mut self, _: &model::Finding, _: &[model::StepView]) -> Option<bool> {
        Some(true)
    }
    fn try_again(&mut self, _: &str) -> Option<bool> {
        self.0 += 1;
        Some(true)
    }
    fn progress(&mut self, _: &str) {}
}

/// Something else was repaired: the update would fail of the same again, so nobody is asked about it.
#[test]
fn nobody_is_asked_about_what_would_fail_again() {
    let lab = lab();
    let mut running = lab.running(installed(false, Some(true)));
    let key = "HKLM\\SYSTEM\\ControlSet001\\Services\\CryptSvc";
    let old = target::Target::value(&running, key, "Start").into_known();
    let off = model::Change::SetValue { key: key.into(), name: "Start".into(), old, new: RegistryData::dword(4) };
    running.apply(&[off], target::Direction::Forward, &mut |_| Ok(())).unwrap();
    let mut session = running.session(lab.store());
    let mut person = Willing(0);
    let only = FixRequest { yes: true, only: Some("update-service-disabled".into()), ..FixRequest::default() };
    let report = session.fix(&only, &mut person, session::now()).unwrap();
    assert_eq!((report.verdict, person.0, lab.tried.borrow().len()), (RunVerdict::Repaired, 0, 0), "{report:?}");
    let rest = FixRequest { yes: true, ..FixRequest::default() };
    let report = session.fix(&rest, &mut person, session::now()).unwrap();
    assert_eq!((report.verdict, person.0, lab.tried.borrow().len()), (RunVerdict::Fixed, 1, 1), "{report:?}");
}

#[test]
fn the_journal_says_so_before_and_after_and_undo_keeps_it() {
    let lab = lab();
    let mut session = lab.session(installed(false, Some(true)));
    let report = lab.fix(&mut session, Retry::Yes(None));
    let journal = lab.journal();
    let started = journal.find("\"event\":\"operation-started\"").unwrap();
    assert!(journal.find("\"operation\":\"install-update\"").unwrap() > started && journal.contains("\"outcome\":\"done\""), "{journal}");
    assert!(report.steps.last().unwrap().read_back.contains("licence was accepted"), "{report:?}");
    let again = session.stored_report(None).unwrap();
    assert_eq!((again.verdict, again.steps.last().unwrap().state.as_str()), (RunVerdict::Fixed, "done"), "{again:?}");
    let undo = session.undo(None, session::now()).unwrap();
    assert!(undo.steps.iter().any(|step| step.state == "kept" && step.object.contains(KB)), "{undo:?}");
}

#[test]
fn without_consent_nothing_is_tried() {
    for retry in [Retry::Ask, Retry::Never] {
        let lab = lab();
        let report = lab.fix(&mut lab.session(installed(false, Some(true))), retry);
        assert_eq!(report.verdict, RunVerdict::Repaired);
        assert!(lab.tried.borrow().is_empty() && report.steps.iter().all(|step| step.cause != "try-again"));
    }
}

/// At the terminal; keeps what was asked.
struct Asked(bool, Vec<String>);

impl session::Ui for Asked {
    fn consent(&mut self, _: &model::Finding, _: &[model::StepView]) -> Option<bool> {
        Some(true)
    }
    fn try_again(&mut self, says: &str) -> Option<bool> {
        self.1.push(says.to_owned());
        Some(self.0)
    }
    fn progress(&mut self, _: &str) {}
}

#[test]
fn a_person_is_asked_and_told_who_is_contacted() {
    for (answer, managed, verdict) in [(true, true, RunVerdict::Fixed), (false, false, RunVerdict::Repaired)] {
        let lab = lab();
        let mut running = lab.running(installed(false, Some(true)));
        if managed {
            set(&mut running, POLICY, "WUServer", text("https://updates.example:8531"));
            set(&mut running, &format!("{POLICY}\\AU"), "UseWUServer", dword(1));
        }
        let mut person = Asked(answer, Vec::new());
        // The server itself is a finding that a person decides on.
        let request = FixRequest { yes: true, only: Some("driver-operations-stale".into()), ..FixRequest::default() };
        let report = running.session(lab.store()).fix(&request, &mut person, session::now()).unwrap();
        assert_eq!((report.verdict, lab.tried.borrow().len()), (verdict, usize::from(answer)), "{report:?}");
        let says = person.1.join("\n");
        assert!(says.contains(KB) && says.contains("licence") && says.contains("cannot take back"), "{says}");
        assert_eq!(says.contains("https://updates.example:8531"), managed, "{says}");
        assert_eq!(person.1.len(), 1);
        // Safe steps alone ask nothing.
        let mut person = Asked(true, Vec::new());
        let safe = FixRequest { safe_only: true, ..FixRequest::default() };
        lab.session(installed(false, Some(true))).fix(&safe, &mut person, session::now()).unwrap();
        assert!(person.1.is_empty());
    }
}

#[test]
fn what_a_policy_forbids_is_not_tried() {
    for name in ["DisableWindowsUpdateAccess", "SetDisableUXWUAccess", "DoNotConnectToWindowsUpdateInternetLocations"] {
        let lab = lab();
        let mut running = lab.running(installed(false, Some(true)));
        set(&mut running, POLICY, name, dword(1));
        let request = FixRequest { yes: true, only: Some("driver-operations-stale".into()), retry: Retry::Yes(None), ..FixRequest::default() };
        let report = running.session(lab.store()).fix(&request, &mut Nobody, session::now()).unwrap();
        assert!(lab.tried.borrow().is_empty());
        assert!(report.notes.iter().any(|note| note.contains(name) && note.contains("not tried again")), "{report:?}");
    }
}

#[test]
fn without_a_network_nothing_is_tried_and_nobody_asked() {
    for retry in [Retry::Ask, Retry::Yes(None)] {
        let lab = lab();
        let mut session = lab.session(installed(false, Some(true)));
        session.use_time_sources(TimeSources { network: Network::Forbidden, ..TimeSources::default() });
        let mut person = Asked(true, Vec::new());
        let report = session.fix(&FixRequest { yes: true, retry, ..FixRequest::default() }, &mut person, session::now()).unwrap();
        assert!(lab.tried.borrow().is_empty() && person.1.is_empty(), "{report:?}");
    }
}

#[test]
fn a_disk_and_a_dry_run_try_nothing() {
    let lab = lab();
    let on_disk = Shared::over(lab.folder.path(), lab.runs.path());
    let report = lab.fix(&mut on_disk.session(lab.store()), Retry::Yes(None));
    assert!(report.notes.iter().any(|note| note.contains("only a running Windows")), "{report:?}");
    let scratch = tempfile::tempdir().unwrap();
    let other = self::lab();
    let request = FixRequest { yes: true, retry: Retry::Yes(None), ..FixRequest::default() };
    let report = other.session(installed(false, Some(true))).dry_run(&request, scratch.path(), &mut Nobody, session::now()).unwrap();
    assert_eq!(report.verdict, RunVerdict::Planned);
    assert!(lab.tried.borrow().is_empty() && other.tried.borrow().is_empty());
}

fn record(result: UpdateResult, code: u32, at: i64) -> UpdateRecord {
    UpdateRecord { title: TITLE.into(), id: None, removed: false, result, code, unmapped: 0, at }
}

/// The year 2040 in UTC, later than everything on the machine.
const LATER: i64 = 2_208_988_800;

#[test]
fn what_is_installed_already_proves_only_what_came_after_the_failure() {
    for (since, verdict, words) in [(true, RunVerdict::Fixed, "after it had failed"), (false, RunVerdict::Repaired, "cannot be told")] {
        let lab = lab();
        let running = lab.running(UpdateTry::AlreadyInstalled { title: TITLE.into() });
        let history = running.6.clone();
        let mut session = running.session(lab.store());
        // Windows installed it by itself while the repair went on; before that it was open.
        let mut person = While(|| {
            if since {
                *history.borrow_mut() = Reading::Known(vec![record(UpdateResult::Succeeded, 0, LATER)]);
            }
        });
        let report = session.fix(&FixRequest { yes: true, retry: Retry::Ask, ..FixRequest::default() }, &mut person, session::now()).unwrap();
        assert_eq!(report.verdict, verdict, "{report:?}");
        assert!(last(&report).2.contains(words), "{report:?}");
    }
}

/// Agrees, and does something at that moment.
struct While<F: FnMut()>(F);

impl<F: FnMut()> session::Ui for While<F> {
    fn consent(&mut self, _: &model::Finding, _: &[model::StepView]) -> Option<bool> {
        Some(true)
    }
    fn try_again(&mut self, _: &str) -> Option<bool> {
        (self.0)();
        Some(true)
    }
    fn progress(&mut self, _: &str) {}
}

#[test]
fn an_update_that_was_installed_since_is_not_tried() {
    let lab = lab();
    let running = lab.running(installed(false, Some(true)));
    *running.6.borrow_mut() = Reading::Known(vec![record(UpdateResult::Succeeded, 0, LATER)]);
    let report = lab.fix(&mut running.session(lab.store()), Retry::Yes(None));
    assert!(lab.tried.borrow().is_empty() && report.verdict != RunVerdict::Fixed, "{report:?}");
}

#[test]
fn the_history_joins_the_failures_and_one_that_cannot_be_read_is_said() {
    let lab = lab();
    let running = lab.running(installed(false, Some(true)));
    let logs = running.session(lab.store()).diagnose(None).diagnosis;
    *running.6.borrow_mut() = Reading::Known(vec![record(UpdateResult::Failed, 0x800F_0922, LATER)]);
    let told = running.session(lab.store()).diagnose(None).diagnosis;
    assert_eq!(told.failures.len(), logs.failures.len() + 1, "{:?}", told.failures);
    assert!(told.failures.iter().any(|failure| failure.code == "0x800F0922" && failure.subject == TITLE && !failure.resolved));
    *running.6.borrow_mut() = Reading::Unreadable("Windows Update could not be asked (0x80070422)".into());
    let told = running.session(lab.store()).diagnose(None).diagnosis;
    let item = told.not_checked.iter().find(|item| item.what == "the history of Windows Update").unwrap();
    assert!(item.why.contains("0x80070422 (ERROR_SERVICE_DISABLED)") && !item.blocking, "{item:?}");
    assert_eq!((told.failures, told.verdict), (logs.failures, logs.verdict));
}

#[test]
fn a_run_that_is_over_is_proved_later() {
    for (end, verdict, answered) in [
        (installed(false, Some(true)), RunVerdict::Fixed, Some(true)),
        (installed(true, None), RunVerdict::Waiting, None),
        (UpdateTry::Failed { stage: UpdateStage::Install, title: TITLE.into(), code: 0x800F_0922 }, RunVerdict::NotRepaired, Some(false)),
        (UpdateTry::Busy, RunVerdict::Undetermined, None),
    ] {
        let lab = lab();
        let mut session = lab.session(end.clone());
        lab.fix(&mut session, Retry::Never);
        let request = FixRequest { retry: Retry::Yes(Some(UpdateName::Article(5_033_372))), ..FixRequest::default() };
        let report = session.continue_run(None, false, &request, &mut Nobody, session::now()).unwrap();
        assert_eq!(report.verdict, verdict, "{end:?}: {report:?}");
        let journal = lab.journal();
        assert!(answered.map(|worked| format!("\"worked\":{worked}")).is_none_or(|words| journal.contains(&words)), "{journal}");
        assert_eq!(journal.contains("\"event\":\"answered\""), answered.is_some());
        // Still broken: the next usual method is offered.
        assert_eq!(report.next.is_empty(), answered != Some(false), "{report:?}");
    }
}

fn set(machine: &mut Shared, key: &str, name: &str, data: RegistryData) {
    let parts: Vec<&str> = key.split('\\').collect();
    for length in 2..=parts.len() {
        let path = parts[..length].join("\\");
        if target::Target::key(machine, &path).known().is_none() {
            machine.apply(&[model::Change::CreateKey { key: path }], target::Direction::Forward, &mut |_| Ok(())).unwrap();
        }
    }
    let change = model::Change::SetValue { key: key.into(), name: name.into(), old: None, new: data };
    machine.apply(&[change], target::Direction::Forward, &mut |_| Ok(())).unwrap();
}

fn dword(number: u32) -> RegistryData {
    RegistryData { kind: model::registry_type::DWORD, data: number.to_le_bytes().to_vec() }
}

fn text(text: &str) -> RegistryData {
    let units = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    RegistryData { kind: model::registry_type::SZ, data: units }
}
