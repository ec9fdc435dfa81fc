//! The proof of a repair: the update that failed is installed again by Windows Update, with consent, and what that shows decides the verdict.
//!
//! One update and no other. What a policy forbids is not tried, what somebody hid stays hidden, and nothing of the installation is taken back.

use crate::diagnose::Diagnosed;
use crate::fix::{FixRequest, Ui};
use crate::run_report::{RunReport, RunStep, RunVerdict};
use crate::session::{Session, SessionError};
use diagnosis::Found;
use evidence::{Proof, TryResult, TryState};
use model::{Confidence, Failure, Finding, Level, Operated, Operation, RegistryData, UpdateName, UpdateRecord, UpdateTry};
use repair::{Run, Settings};

/// What stands in reports and journals where else a guide's id does.
pub(crate) const TRY_AGAIN: &str = "try-again";
const POLICY: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";

/// Whether what failed is tried again after a repair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Retry {
    /// The person at the terminal is asked.
    #[default]
    Ask,
    /// Yes: this update, or without a name the one that failed.
    Yes(Option<UpdateName>),
    /// No.
    Never,
}

/// What is tried again.
#[derive(Debug)]
struct Failed {
    update: UpdateName,
    /// As the log calls it.
    subject: String,
    /// Other updates that failed; they are not tried.
    others: Vec<String>,
}

impl Session {
    /// After a repair: has the update that failed installed again, when that is wanted and possible, and lets the verdict follow from it.
    pub(crate) fn prove_update(
        &mut self,
        run: &mut Run,
        (before, treated): (&Diagnosed, &[Found]),
        now: &Diagnosed,
        request: &FixRequest,
        ui: &mut dyn Ui,
        report: &mut RunReport,
    ) -> Result<(), SessionError> {
        if request.retry == Retry::Never || (request.retry == Retry::Ask && request.safe_only) {
            return Ok(());
        }
        let failed = match report.verdict {
            RunVerdict::Repaired => self.what_failed(now, &explained(before, treated), request),
            RunVerdict::Waiting => Err("something waits for a restart. After it, `hresolve continue --retry` tries".into()),
            _ => Err("not everything is repaired".into()),
        };
        let failed = match (failed, &request.retry) {
            (Ok(failed), Retry::Ask) if ui.try_again(&self.question(&failed)) != Some(true) => return Ok(()),
            (Ok(failed), _) => failed,
            (Err(why), Retry::Yes(_)) => {
                report.notes.push(not_tried(&why));
                return Ok(());
            }
            (Err(_), _) => return Ok(()),
        };
        self.try_again(run, &failed, ui, report)?;
        Ok(())
    }

    /// The same for a run that is over: `Some` when it shows whether it works now.
    pub(crate) fn prove_update_later(
        &mut self,
        run: &mut Run,
        request: &FixRequest,
        ui: &mut dyn Ui,
        report: &mut RunReport,
    ) -> Result<Option<bool>, SessionError> {
        let now = self.diagnose(request.asked);
        match self.what_failed(&now, &[], request) {
            Ok(failed) => Ok(match self.try_again(run, &failed, ui, report)? {
                Proof::Works => Some(true),
                Proof::Fails => Some(false),
                Proof::AfterRestart | Proof::Nothing => None,
            }),
            Err(why) => {
                report.notes.push(not_tried(&why));
                Ok(None)
            }
        }
    }

    /// The update to try: the one that was named, else the one that failed last, before all of those that what was treated explains, and after
    /// them those that something explains which is still proved to be wrong: they would fail again. The error says why none can be tried.
    fn what_failed(&self, now: &Diagnosed, treated: &[&Failure], request: &FixRequest) -> Result<Failed, String> {
        if !self.is_running_windows() {
            return Err("only a running Windows can install it".into());
        }
        if self.clock.network_is_forbidden() {
            return Err("no other computer may be contacted".into());
        }
        if let Some(why) = self.forbidden() {
            return Err(why);
        }
        if let Some(why) = self.target.why_not_operate().first() {
            return Err(why.explain().trim_end_matches('.').to_owned());
        }
        let history = self.target.update_history().into_known().unwrap_or_default();
        let mut named = named(&now.diagnosis.failures, &history);
        if let Retry::Yes(Some(update)) = &request.retry {
            let subject = named.iter().find(|(_, name)| name == update).map_or_else(|| update.to_string(), |(failure, _)| failure.subject.clone());
            return Ok(Failed { update: update.clone(), subject, others: Vec::new() });
        }
        let asked = request.asked.map(|code| code.to_string());
        let proved = |finding: &&Finding| finding.confidence == Confidence::Proved;
        let fails_again = |failure: &Failure| now.diagnosis.findings.iter().filter(proved).any(|finding| explains(finding, failure));
        let was_treated = |failure: &Failure| treated.iter().any(|one| (&one.code, &one.subject) == (&failure.code, &failure.subject));
        let bears = |failure: &Failure| asked.as_ref() == Some(&failure.code) || was_treated(failure);
        // Nobody is asked about what would fail again; who names the word has it tried all the same, last.
        named.retain(|(failure, _)| request.retry != Retry::Ask || !fails_again(failure));
        named.sort_by_key(|(failure, _)| (fails_again(failure), std::cmp::Reverse(bears(failure)), std::cmp::Reverse(failure.last.clone())));
        let mut named = named.into_iter();
        let (failure, update) = named.next().ok_or("no log names an update that failed and was not installed since")?;
        let others = named.filter(|(_, name)| *name != update).map(|(_, name)| name.to_string()).collect();
        Ok(Failed { update, subject: failure.subject.clone(), others })
    }

    /// What stands against it by policy, as a sentence without a full stop.
    fn forbidden(&self) -> Option<String> {
        let set = |name: &str| self.target.value(POLICY, name).known().and_then(RegistryData::as_dword) == Some(1);
        let name = ["DisableWindowsUpdateAccess", "SetDisableUXWUAccess"].into_iter().find(|name| set(name));
        let name = name.or_else(|| {
            let offline = "DoNotConnectToWindowsUpdateInternetLocations";
            (set(offline) && self.server().is_none()).then_some(offline)
        })?;
        Some(format!("by the policy {name} nobody may search for updates on this computer. Whoever manages it can change that"))
    }

    /// The update server of an organisation, when this computer is set to ask one.
    fn server(&self) -> Option<String> {
        let used = self.target.value(&format!("{POLICY}\\AU"), "UseWUServer").known().and_then(RegistryData::as_dword) == Some(1);
        let address = self.target.value(POLICY, "WUServer").into_known().and_then(|data| data.as_text())?;
        (used && !address.trim().is_empty()).then(|| address.trim().to_owned())
    }

    /// What a person is asked: what would happen, and who is contacted.
    fn question(&self, failed: &Failed) -> String {
        let microsoft = || "Microsoft's servers, or where this computer is set to ask".to_owned();
        let server = self.server().map_or_else(microsoft, |server| format!("the server {server}, as a policy says"));
        format!(
            "Whether it works now, only the update itself can show. Windows Update would search for {}, download it and install it: {}. It contacts {server}. \
             Its licence is accepted with that. What it installs hresolve cannot take back, and nothing is restarted.",
            failed.update, failed.subject
        )
    }

    /// Has it installed, journalled on both sides.
    fn try_again(&mut self, run: &mut Run, failed: &Failed, ui: &mut dyn Ui, report: &mut RunReport) -> Result<Proof, SessionError> {
        let operation = Operation::InstallUpdate { update: failed.update.clone() };
        let says = format!("Have Windows Update install {} again", failed.update);
        let settings = Settings::from([("text".to_owned(), says.clone())]);
        let action = crate::operate::OPERATION;
        let number = run.begin_operation(TRY_AGAIN, &failed.subject, (action, &settings), Level::Ask, &operation)?;
        let limit = self.operation_limit.unwrap_or(operation.time_limit());
        ui.progress(&format!("{} begins; it may take up to {}", operation.says(self.target.drive()), crate::operate::minutes(limit)));
        let result = match self.target.operate(&operation, limit, &mut |says| ui.progress(says)) {
            Ok(Operated::Tried(tried)) => self.judge_try(failed, &tried),
            Ok(Operated::NotRun | Operated::Ran { .. }) => {
                TryResult { proof: Proof::Nothing, state: TryState::Skipped, says: "nothing was tried".into() }
            }
            Err(error) => TryResult { proof: Proof::Nothing, state: TryState::Failed, says: error.to_string() },
        };
        run.end_operation(number, result.state.outcome(), None, &result.says)?;
        report.steps.push(RunStep {
            cause: TRY_AGAIN.into(),
            object: failed.subject.clone(),
            action: action.into(),
            says,
            state: result.state.step().into(),
            before: String::new(),
            after: if result.state == TryState::Done { result.says.clone() } else { String::new() },
            read_back: result.says,
        });
        if !failed.others.is_empty() {
            report.notes.push(format!("Other updates failed, too, and were not tried again: {}.", failed.others.join(", ")));
        }
        report.verdict = match result.proof {
            Proof::Works => RunVerdict::Fixed,
            Proof::AfterRestart => RunVerdict::Waiting,
            Proof::Fails => RunVerdict::NotRepaired,
            Proof::Nothing => report.verdict,
        };
        Ok(result.proof)
    }

    /// An update that is installed already proves something only when it was installed after it had failed.
    fn judge_try(&self, failed: &Failed, tried: &UpdateTry) -> TryResult {
        let result = evidence::judge_update(&failed.update, tried);
        if !matches!(tried, UpdateTry::AlreadyInstalled { .. }) {
            return result;
        }
        let failures = self.facts().failures;
        let mut of_it = failures.iter().filter(|failure| evidence::is_same_update(&failure.subject, &failed.subject)).peekable();
        if of_it.peek().is_some() && of_it.all(|failure| failure.resolved) {
            let says = format!("{}. Its history says that it was installed after it had failed", result.says);
            return TryResult { proof: Proof::Works, state: TryState::Done, says };
        }
        TryResult { says: format!("{}. Whether it was installed before it failed or after cannot be told", result.says), ..result }
    }
}

fn not_tried(why: &str) -> String {
    format!("The update was not tried again: {why}.")
}

/// The failures of updates that are not over, each with the name by which its update can be asked for.
fn named<'a>(failures: &'a [Failure], history: &[UpdateRecord]) -> Vec<(&'a Failure, UpdateName)> {
    let open = failures.iter().filter(|failure| !failure.resolved);
    open.filter_map(|failure| Some((failure, evidence::update_of(failure, history)?))).collect()
}

/// The failures that these findings were shown to cause.
fn explained<'a>(before: &'a Diagnosed, treated: &[Found]) -> Vec<&'a Failure> {
    let by_treated = |failure: &&Failure| treated.iter().any(|found| explains(&found.finding, failure));
    before.diagnosis.failures.iter().filter(by_treated).collect()
}

fn explains(finding: &Finding, failure: &Failure) -> bool {
    finding.explains.iter().any(|one| one.as_u64() == Some(failure.id.into()) || one.as_str() == Some(failure.code.as_str()))
}
