//! `fix`: treats every proved finding that bears on the code, least invasive first, each as a unit with its own check.

use crate::clock::SET_CLOCK;
use crate::diagnose::Diagnosed;
use crate::operate::{OPERATION, waits_for_windows};
use crate::restart::RESTART;
use crate::retry::Retry;
use crate::run_report::{RunReport, RunStep, RunVerdict};
use crate::runs::Recovered;
use crate::session::{Session, SessionError};
use diagnosis::{Choice, Found, PlannedStep};
use model::{Confidence, ErrorCode, Finding, Level, StepView, WhyNot};
use repair::{Event, Run};
use target::Now;

/// What the person asked `fix` to do.
#[derive(Debug, Clone, Default)]
pub struct FixRequest {
    /// The code they came with.
    pub asked: Option<ErrorCode>,
    /// Consent to `ask` steps of proved findings.
    pub yes: bool,
    /// Only `auto` steps.
    pub safe_only: bool,
    /// Only this cause; with `yes` also a usual method without evidence.
    pub only: Option<String>,
    /// Restart Windows when that is needed, and go on after it.
    pub restart: bool,
    /// Whether the update that failed is installed again after a repair of the running Windows.
    pub retry: Retry,
}

/// The person, as far as a run needs one.
pub trait Ui {
    /// Asks for consent to the steps of one cause; `None` when nobody can be asked.
    fn consent(&mut self, finding: &Finding, steps: &[StepView]) -> Option<bool>;

    /// Asks which time zone is meant; its name in the list, `None` when nobody can be asked or nobody answers.
    fn time_zone(&mut self, _zones: &[evidence::TimeZone]) -> Option<String> {
        None
    }

    /// Names hosts and asks whether they may be asked what time it is; `None` when nobody can be asked.
    fn may_ask(&mut self, _hosts: &[String]) -> Option<bool> {
        None
    }

    /// Says what the computer's clock says and asks what time it is; `None` when nobody can be asked or nobody answers.
    fn time(&mut self, _clock: &str) -> Option<String> {
        None
    }

    /// Asks whether to go on though Windows made no restore point; `None` when nobody can be asked.
    fn without_restore_point(&mut self, _says: &str) -> Option<bool> {
        None
    }

    /// Says what trying again would do and whom it contacts, and asks for it; `None` when nobody can be asked.
    fn try_again(&mut self, _says: &str) -> Option<bool> {
        None
    }

    /// Says what is being done.
    fn progress(&mut self, says: &str);
}

impl Session {
    /// Treats this machine.
    ///
    /// # Errors
    /// When the named cause is unknown, or the journal cannot be written in the middle.
    pub fn fix(&mut self, request: &FixRequest, ui: &mut dyn Ui, now: Now) -> Result<RunReport, SessionError> {
        let (mut recovered, mut notes) = (Vec::new(), Vec::new());
        if !self.interrupted().is_empty() {
            // Bringing an interrupted run back writes as well, so the same refusals stand against it.
            let why_not = self.refusals(request.yes);
            if !why_not.is_empty() {
                let mut report = RunReport::new(RunVerdict::Refused);
                report.why_not = why_not;
                return Ok(report);
            }
            let Recovered { runs, kept, conflicts } = self.recover(now)?;
            if !conflicts.is_empty() {
                let mut report = RunReport::new(RunVerdict::UndoFailed);
                report.recovered = runs;
                report.notes = kept;
                report.not_needed = conflicts;
                return Ok(report);
            }
            recovered = runs;
            notes = kept;
        }
        if let Some(mut report) = self.waiting_run(request, ui, now)? {
            report.recovered = recovered;
            report.notes.extend(notes);
            return Ok(report);
        }
        self.ask_network(ui);
        ui.progress("Reading the machine");
        let mut diagnosed = self.diagnose(request.asked);
        if !request.safe_only && self.ask_time(&diagnosed.diagnosis, request.asked, ui) {
            diagnosed = self.diagnose(request.asked);
        }
        let mut chosen = self.choose(&diagnosed, request)?;
        if !request.safe_only && self.ask_time_zone(&chosen, ui)? {
            diagnosed = self.diagnose(request.asked);
            chosen = self.choose(&diagnosed, request)?;
        }
        let mut report = RunReport::new(RunVerdict::Healthy);
        report.recovered = recovered;
        report.notes = notes;
        report.not_needed = left_alone(&diagnosed, &chosen, request);
        // Nothing can be tried on a bundle of logs.
        if self.target.info().kind != model::TargetKind::Bundle {
            report.next = self.remaining_rungs(request.asked, &[]);
        }
        if chosen.is_empty() {
            report.verdict = match diagnosed.diagnosis.verdict {
                model::Verdict::Healthy => RunVerdict::Healthy,
                // Findings that may not be treated: not proved, or not bearing on the code.
                model::Verdict::Faulty if request.asked.is_none() => RunVerdict::NotRepaired,
                _ => RunVerdict::Undetermined,
            };
            if report.verdict == RunVerdict::Healthy && request.asked.is_none() {
                report.next.clear();
            }
            if matches!(request.retry, Retry::Yes(_)) {
                report.notes.push("Nothing was repaired, so the update was not tried again.".into());
            }
            return Ok(report);
        }
        let why_not = self.refusals(request.yes);
        // Only the next start ends that, and the person agrees to one.
        let restart_first = request.restart && self.is_running_windows() && why_not == [WhyNot::RestartPending];
        if !why_not.is_empty() && !restart_first {
            report.verdict = RunVerdict::Refused;
            report.why_not = why_not;
            return Ok(report);
        }
        let allowed: Vec<Found> = chosen.iter().filter(|found| self.may_do(found, request, ui, &mut report)).cloned().collect();
        // What only the running Windows can do is not undone work of ours: it waits.
        let waits = |found: &Found| !found.steps.is_empty() && found.steps.iter().all(waits_for_windows);
        let waiting = chosen.iter().any(waits);
        if allowed.is_empty() {
            report.verdict = if chosen.iter().all(waits) { RunVerdict::Waiting } else { RunVerdict::NotRepaired };
            return Ok(report);
        }
        if let Some(why) = self.read_only(&allowed) {
            report.verdict = RunVerdict::Refused;
            report.why_not = vec![WhyNot::ReadOnly { why }];
            report.steps.clear();
            return Ok(report);
        }
        let operates = allowed.iter().flat_map(|found| &found.steps).any(|step| step.action == OPERATION && step.level != Level::Show);
        let why_not = if operates { self.target.why_not_operate() } else { Vec::new() };
        if !why_not.is_empty() {
            report.verdict = RunVerdict::Refused;
            report.why_not = why_not;
            report.steps.clear();
            return Ok(report);
        }
        let mut run = match repair::lock(&self.store).and_then(|lock| {
            Run::begin(self.target.as_ref(), self.store.clone(), lock, now, crate::VERSION, request.asked.map(|code| code.to_string()))
        }) {
            Ok(run) => run,
            Err(repair::RunError::Refused(why)) => {
                report.verdict = RunVerdict::Refused;
                report.why_not = vec![why];
                report.steps.clear();
                return Ok(report);
            }
            Err(error) => return Err(error.into()),
        };
        report.run = Some(run.id().to_owned());
        self.keep_evidence(&run, &diagnosed)?;
        for step in &report.steps {
            run.record(step.left())?;
        }
        if restart_first {
            for found in &allowed {
                report.steps.extend(found.steps.iter().map(|step| self.run_step(found, step, "queued", "done after the next start of Windows")));
            }
            self.await_restart(&mut run, &allowed, true, request, &mut report)?;
            report.verdict = RunVerdict::Waiting;
            run.record(Event::Finished { verdict: report.verdict.as_str().into() })?;
            self.keep_report(&run, &diagnosed, &report);
            return Ok(report);
        }
        if allowed.iter().flat_map(|found| &found.steps).any(|step| step.level == Level::Ask)
            && !self.restore_point(&mut run, request, ui, &mut report)?
        {
            for found in &allowed {
                report
                    .steps
                    .extend(found.steps.iter().map(|step| self.run_step(found, step, "skipped", "you did not want it without a restore point")));
            }
            report.verdict = RunVerdict::NotRepaired;
            run.record(Event::Finished { verdict: report.verdict.as_str().into() })?;
            self.keep_report(&run, &diagnosed, &report);
            return Ok(report);
        }
        let mut treatment = self.treat_all(&mut run, &allowed, &mut report, ui)?;
        treatment.all_right &= chosen.iter().all(|found| waits(found) || allowed.iter().any(|may| may.finding == found.finding));
        // Without a code and a cause the whole machine was meant, and what was left alone because it is not proved is still wrong.
        let whole = request.asked.is_none() && request.only.is_none();
        ui.progress("Checking again");
        let fresh = self.diagnose(request.asked);
        let right = self.is_right_now(&fresh, &diagnosed, &allowed, &treatment, &mut report)
            && (!whole || fresh.found.iter().all(|now| waits(now) || treatment.waits_for_restart(now)));
        report.verdict = treatment.verdict(right, waiting);
        if !treatment.restart.is_empty() {
            self.await_restart(&mut run, &treatment.restart, false, request, &mut report)?;
        }
        self.prove_update(&mut run, (&diagnosed, &allowed), &fresh, request, ui, &mut report)?;
        run.record(Event::Finished { verdict: report.verdict.as_str().into() })?;
        self.keep_report(&run, &diagnosed, &report);
        Ok(report)
    }

    /// Does everything that `fix` would do with full consent, on a layer in memory: what it shows is what a run would do, its checks
    /// included. The machine is only read; `scratch` takes the layer's own journal.
    ///
    /// # Errors
    /// As [`Session::fix`].
    pub fn dry_run(self, request: &FixRequest, scratch: &std::path::Path, ui: &mut dyn Ui, now: Now) -> Result<RunReport, SessionError> {
        let store = target::StateStore::in_folder(scratch);
        let layer = target::OverlayTarget::new(self.target, store.clone());
        let mut session = Session {
            target: Box::new(layer),
            store,
            guides: self.guides,
            open_ms: self.open_ms,
            runs_travel_with_the_disk: true,
            time_zone: self.time_zone,
            clock: self.clock,
            operation_limit: self.operation_limit,
            watcher: None,
        };
        let agreed = FixRequest { yes: !request.safe_only, only: request.only.clone(), retry: Retry::Never, ..request.clone() };
        let mut report = session.fix(&agreed, ui, now)?;
        report.run = None;
        let planned = report.steps.iter().any(|step| step.state == "done");
        for step in report.steps.iter_mut().filter(|step| step.state == "done") {
            step.state = "planned".into();
            step.read_back.clear();
        }
        if planned || matches!(report.verdict, RunVerdict::Waiting | RunVerdict::NotRepaired) {
            report.verdict = RunVerdict::Planned;
        }
        Ok(report)
    }

    /// The findings to treat, or the usual method that was named.
    fn choose(&self, diagnosed: &Diagnosed, request: &FixRequest) -> Result<Vec<Found>, SessionError> {
        if let Some(only) = &request.only {
            let found: Vec<Found> = diagnosed.found.iter().filter(|found| found.finding.cause == *only).cloned().collect();
            if !found.is_empty() {
                return Ok(found);
            }
            let guide = self
                .guide(only)
                .ok_or_else(|| SessionError::Usage(format!("There is no guide named {only:?}; `hresolve guides list` lists them.")))?;
            return Ok(if guide.usual.is_some() { self.rung(guide).into_iter().collect() } else { Vec::new() });
        }
        // What the person decided in this very call is meant, whatever code they came with.
        let said = |step: &PlannedStep| step.action == SET_CLOCK && self.clock.was_said();
        let decided = |found: &Found| found.steps.iter().any(|step| step.choice == Choice::Made || said(step));
        let treatable = |found: &&Found| found.finding.confidence == Confidence::Proved && (request.asked.is_none() || found.bears || decided(found));
        let mut chosen: Vec<Found> = diagnosed.found.iter().filter(treatable).cloned().collect();
        chosen.sort_by_key(|found| found.order);
        Ok(chosen)
    }

    /// Asks for the time zone when a step needs it and nobody named it; true when it is named now.
    fn ask_time_zone(&mut self, chosen: &[Found], ui: &mut dyn Ui) -> Result<bool, SessionError> {
        if !chosen.iter().flat_map(|found| &found.steps).any(|step| matches!(step.choice, Choice::Open(_))) {
            return Ok(false);
        }
        match ui.time_zone(&self.time_zones()) {
            Some(zone) => self.choose_time_zone(&zone).map(|()| true),
            None => Ok(false),
        }
    }

    /// Why nothing may be changed now, as far as it stands against this call.
    pub(crate) fn refusals(&self, yes: bool) -> Vec<WhyNot> {
        let stands = |reason: &WhyNot| match reason {
            WhyNot::ControlSetsDiffer { .. } => !yes,
            // Only these two hives are written.
            WhyNot::DirtyHive { hive, .. } => hive == "SYSTEM" || hive == "SOFTWARE",
            _ => true,
        };
        self.target.why_not().into_iter().filter(stands).collect()
    }

    /// Why nothing can be written where the steps would write, when that is so.
    fn read_only(&self, allowed: &[Found]) -> Option<String> {
        let steps = allowed.iter().flat_map(|found| &found.steps).filter(|step| step.level != Level::Show);
        let planned = |step: &PlannedStep| {
            repair::action(&step.action).and_then(|action| (action.changes)(self.target.as_target(), &step.settings, "try").ok())
        };
        let changes: Vec<model::Change> = steps.filter_map(planned).flatten().collect();
        self.target.refuses_writes(&changes)
    }

    /// Whether a cause may be treated; when not, its steps are put into the report with the reason.
    pub(crate) fn may_do(&self, found: &Found, request: &FixRequest, ui: &mut dyn Ui, report: &mut RunReport) -> bool {
        let doable: Vec<&PlannedStep> = found.steps.iter().filter(|step| step.level != Level::Show).collect();
        let views: Vec<StepView> = doable.iter().map(|step| self.view(step)).collect();
        let asks = doable.iter().any(|step| step.level == Level::Ask);
        let proved = found.finding.confidence == Confidence::Proved;
        let open = doable.iter().find_map(|step| if let Choice::Open(how) = &step.choice { Some(how.clone()) } else { None });
        let named = request.only.as_deref() == Some(found.finding.cause.as_str());
        let (allowed, state, why) = if doable.is_empty() {
            (false, "shown", "only a person can do this".to_owned())
        } else if asks && request.safe_only {
            (false, "skipped", "--safe-only leaves out steps that need consent".to_owned())
        } else if let Some(how) = open {
            (false, "consent-needed", how)
        } else if !request.restart && doable.iter().any(|step| step.action == RESTART) {
            (false, "consent-needed", "it needs a restart: add --restart, or restart Windows yourself and look again".into())
        } else if !asks || (request.yes && (proved || named)) {
            (true, "", String::new())
        } else {
            match ui.consent(&found.finding, &views) {
                Some(true) => (true, "", String::new()),
                Some(false) => (false, "skipped", "you said no".to_owned()),
                None => (false, "consent-needed", consent_words(&found.finding.cause, proved)),
            }
        };
        if !allowed {
            for step in &found.steps {
                let state = if step.level == Level::Show { "shown" } else { state };
                report.steps.push(self.run_step(found, step, state, &why));
            }
        }
        allowed
    }

    pub(crate) fn run_step(&self, found: &Found, step: &PlannedStep, state: &str, why: &str) -> RunStep {
        // Why it waits stands beside it.
        let open = matches!(step.choice, Choice::Open(_)) && step.blocked.is_none();
        RunStep {
            cause: found.finding.cause.clone(),
            object: found.finding.object.clone(),
            action: step.action.clone(),
            says: if open { repair::describe(&step.action, &step.settings) } else { self.view(step).says },
            state: state.into(),
            before: String::new(),
            after: String::new(),
            read_back: why.into(),
        }
    }

    /// Evidence is copied before the first write.
    fn keep_evidence(&self, run: &Run, diagnosed: &Diagnosed) -> Result<(), SessionError> {
        let json = serde_json::to_vec_pretty(&diagnosed.diagnosis).unwrap_or_default();
        run.save_evidence("diagnosis.json", &json)?;
        let log = self.target.windows_folder().join("SoftwareDistribution").join("ReportingEvents.log");
        if let model::Reading::Known(bytes) = self.target.read(&log, 64 << 20) {
            run.save_evidence("ReportingEvents.log", &bytes)?;
        }
        Ok(())
    }

    /// The report for people, beside the journal. The repair stands even when this cannot be written.
    pub(crate) fn keep_report(&self, run: &Run, diagnosed: &Diagnosed, report: &RunReport) {
        let text = crate::reports::markdown::run(Some(&diagnosed.diagnosis), report);
        let _ = run.journal.folder.write("report.md", text.as_bytes());
        let _ = run.journal.folder.write("report.json", &serde_json::to_vec_pretty(report).unwrap_or_default());
    }
}

fn consent_words(cause: &str, proved: bool) -> String {
    if proved {
        "it needs your consent: add --yes".into()
    } else {
        format!("there is no proof for it here: add --yes --only {cause} to do it all the same")
    }
}

/// What is left alone, and why.
fn left_alone(diagnosed: &Diagnosed, chosen: &[Found], request: &FixRequest) -> Vec<String> {
    let mut left = Vec::new();
    for found in &diagnosed.found {
        let finding = &found.finding;
        if chosen.iter().any(|chosen| chosen.finding.cause == finding.cause && chosen.finding.object == finding.object) {
            continue;
        }
        let why = if request.only.is_some() {
            "another cause was named".to_owned()
        } else if finding.confidence != Confidence::Proved {
            format!("only {}; add --only {} to treat it", finding.confidence.as_str(), finding.cause)
        } else {
            format!(
                "wrong, but not shown to bear on {}; run fix without a code to treat it",
                request.asked.map(|code| code.to_string()).unwrap_or_default()
            )
        };
        left.push(format!("{}: {} ({why})", finding.object, finding.title));
    }
    left
}
