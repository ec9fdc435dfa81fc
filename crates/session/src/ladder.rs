//! The usual methods after the proved causes, one rung at a time, and what the person says after trying again.

use crate::fix::{FixRequest, Ui};
use crate::restart::RESTART;
use crate::retry::Retry;
use crate::run_report::{LadderRung, RunReport, RunStep, RunVerdict};
use crate::session::{Session, SessionError};
use diagnosis::{Found, Guide};
use model::{Confidence, ErrorCode, Finding};
use repair::{Event, Journal, Run, RunState, StepDone};
use target::Now;

impl Session {
    /// A usual method as something that can be treated: no evidence, so never more than possible.
    pub(crate) fn rung(&self, guide: &Guide) -> Option<Found> {
        let facts = self.facts();
        let machine = facts.machine()?;
        let mut steps = diagnosis::usual_steps(guide, &facts, machine);
        self.settle(&mut steps);
        Some(Found {
            finding: Finding {
                cause: guide.id.clone(),
                title: guide.title.clone(),
                confidence: Confidence::Possible,
                explains: Vec::new(),
                codes: Vec::new(),
                object: guide.title.clone(),
                evidence: Vec::new(),
                steps: Vec::new(),
                subject: machine.name.clone(),
            },
            steps,
            order: guide.order,
            bears: true,
        })
    }

    /// The usual methods that are not among those already tried.
    pub(crate) fn remaining_rungs(&self, asked: Option<ErrorCode>, tried: &[String]) -> Vec<LadderRung> {
        let facts = self.facts();
        let Some(machine) = facts.machine() else { return Vec::new() };
        self.usual_methods(asked)
            .into_iter()
            .filter(|guide| !tried.contains(&guide.id))
            .map(|guide| {
                let steps = diagnosis::usual_steps(guide, &facts, machine);
                LadderRung {
                    cause: guide.id.clone(),
                    title: guide.title.clone(),
                    says: steps.iter().map(|step| self.view(step).says).collect(),
                    cost: guide.cost.clone().unwrap_or_default(),
                    restart: self.is_running_windows() && steps.iter().any(|step| step.action == RESTART),
                }
            })
            .collect()
    }

    /// The person tried again: it works, or it is still broken. Still broken climbs one rung. When the request says that the update is to be
    /// tried again, that decides instead, as far as it shows anything.
    ///
    /// # Errors
    /// When there is no such run, or its journal cannot be used.
    pub fn continue_run(
        &mut self,
        name: Option<&str>,
        worked: bool,
        request: &FixRequest,
        ui: &mut dyn Ui,
        now: Now,
    ) -> Result<RunReport, SessionError> {
        let folder = self.find_run(name)?;
        let lock = repair::lock(&self.store)?;
        let journal = Journal::open(folder).map_err(repair::UndoError::from)?;
        match journal.state() {
            RunState::Finished => {}
            RunState::Waiting if worked => {}
            // What it is still broken without is the restart.
            RunState::Waiting => {
                drop(lock);
                return self.go_on(&journal.folder.id, request, ui, now);
            }
            RunState::Interrupted => {
                return Err(SessionError::Usage(format!(
                    "Run {} was interrupted; `hresolve fix` or `hresolve undo` brings it back first.",
                    journal.folder.id
                )));
            }
            RunState::Undone | RunState::UndoneWithConflicts => {
                return Err(SessionError::Usage(format!(
                    "Run {} was undone, so there is nothing to go on with; start again with `hresolve fix`.",
                    journal.folder.id
                )));
            }
        }
        let asked: Option<ErrorCode> = repair::summary(&journal).2.and_then(|code| code.parse().ok());
        let mut run = Run::resume(self.store.clone(), lock, journal);
        let left = run.take_back_action(self.target.as_mut(), RESTART)?;
        let mut report = RunReport::new(RunVerdict::Fixed);
        report.run = Some(run.id().to_owned());
        report.steps = tried_steps(&run.journal);
        report.notes.extend(left);
        let mut answer = Some(worked);
        if matches!(request.retry, Retry::Yes(_)) {
            report.why_not = self.refusals(request.yes);
            if !report.why_not.is_empty() {
                report.verdict = RunVerdict::Refused;
                return Ok(report);
            }
            report.verdict = RunVerdict::Undetermined;
            answer = self.prove_update_later(&mut run, &FixRequest { asked, ..request.clone() }, ui, &mut report)?;
        }
        if let Some(worked) = answer {
            run.record(Event::Answered { time: now.iso(), worked })?;
        }
        if answer == Some(false) {
            self.climb(&mut run, asked, request, ui, &mut report)?;
        }
        run.record(Event::Finished { verdict: report.verdict.as_str().into() })?;
        let diagnosed = self.diagnose(asked);
        self.keep_report(&run, &diagnosed, &report);
        Ok(report)
    }

    /// What remains when nothing is left to try.
    fn nothing_left(&self) -> String {
        format!(
            "Every usual method has been tried or was left out. To show this machine to somebody who helps: `hresolve collect \"{}\" -o evidence.zip` \
             writes what they need into one file, with names replaced. What remains is an in-place repair with installation media of the same \
             version and language.",
            self.target.info().path
        )
    }

    /// One rung further.
    fn climb(
        &mut self,
        run: &mut Run,
        asked: Option<ErrorCode>,
        request: &FixRequest,
        ui: &mut dyn Ui,
        report: &mut RunReport,
    ) -> Result<(), SessionError> {
        let tried: Vec<String> = tried_causes(&run.journal);
        // A rung that was only offered so far can be asked for by name; otherwise the next one is offered.
        let done: Vec<String> = run
            .journal
            .events
            .iter()
            .filter_map(
                |event| if let Event::Started { cause, .. } | Event::OperationStarted { cause, .. } = event { Some(cause.clone()) } else { None },
            )
            .collect();
        let methods = self.usual_methods(asked);
        let named = methods.iter().find(|guide| request.only.as_ref() == Some(&guide.id) && !done.contains(&guide.id));
        let next = named.or_else(|| methods.iter().find(|guide| !tried.contains(&guide.id))).map(|guide| (*guide).clone());
        let Some(guide) = next else {
            report.verdict = RunVerdict::NotRepaired;
            report.not_needed.push(self.nothing_left());
            return Ok(());
        };
        let mut so_far = tried;
        so_far.push(guide.id.clone());
        let why_not = self.refusals(request.yes);
        if !why_not.is_empty() {
            report.verdict = RunVerdict::Refused;
            report.why_not = why_not;
            return Ok(());
        }
        let Some(found) = self.rung(&guide) else { return Ok(()) };
        let before = report.steps.len();
        if self.may_do(&found, request, ui, report) {
            ui.progress(&guide.title);
            report.verdict = self.do_rung(run, &found, request, report, ui)?;
        } else {
            for step in report.steps.iter().skip(before) {
                run.record(step.left())?;
            }
            report.verdict = RunVerdict::NotRepaired;
        }
        report.next = self.remaining_rungs(asked, &so_far);
        Ok(())
    }

    /// A rung has no signs to ask again: after it the person tries, so the verdict stays open.
    fn do_rung(
        &mut self,
        run: &mut Run,
        found: &Found,
        request: &FixRequest,
        report: &mut RunReport,
        ui: &mut dyn Ui,
    ) -> Result<RunVerdict, SessionError> {
        let mut restart = false;
        for step in &found.steps {
            if step.level == model::Level::Show {
                report.steps.push(self.run_step(found, step, "shown", "only a person can do this"));
                continue;
            }
            if step.action == RESTART {
                let left = self.run_step(found, step, "queued", "done after everything else");
                run.record(left.left())?;
                report.steps.push(left);
                restart = true;
                continue;
            }
            let mut said = self.run_step(found, step, "done", "");
            let (done, _) = self.make(run, found, step, ui)?;
            match done {
                StepDone::Done { before, after, .. } => (said.before, said.after, said.read_back) = (before, after.clone(), after),
                StepDone::NotNeeded => (said.state, said.read_back) = ("skipped".into(), "there is nothing to do".into()),
                StepDone::Impossible { why } => (said.state, said.read_back) = ("failed".into(), why),
                StepDone::Failed { why, conflict, .. } => {
                    said.read_back = why;
                    said.state = if conflict.is_some() { "undo-failed".into() } else { "failed".into() };
                }
            }
            let (failed, stuck) = (said.state == "failed", said.state == "undo-failed");
            report.steps.push(said);
            if failed || stuck {
                let left = run.take_back_cause(self.target.as_mut(), &found.finding.cause, &found.finding.subject)?;
                return Ok(if stuck || !left.is_empty() { RunVerdict::UndoFailed } else { RunVerdict::NotRepaired });
            }
        }
        if restart {
            self.await_restart(run, std::slice::from_ref(found), false, request, report)?;
            return Ok(RunVerdict::Waiting);
        }
        Ok(RunVerdict::Undetermined)
    }
}

/// The causes of a run, done or left.
fn tried_causes(journal: &Journal) -> Vec<String> {
    let mut causes = Vec::new();
    for event in &journal.events {
        if let Event::Started { cause, .. } | Event::OperationStarted { cause, .. } | Event::Left { cause, .. } = event
            && !causes.contains(cause)
        {
            causes.push(cause.clone());
        }
    }
    causes
}

/// What the run did before, from its journal, for the report.
pub(crate) fn tried_steps(journal: &Journal) -> Vec<RunStep> {
    let mut steps: Vec<(u32, RunStep)> = Vec::new();
    for event in &journal.events {
        match event {
            // What has Windows go on by itself is no treatment.
            Event::Started { action, .. } if action == RESTART => {}
            Event::Started { step, cause, subject, action, says, changes, .. } => {
                let told: Vec<(String, String)> = changes.iter().map(|change| change.before_after('C')).collect();
                let join = |pick: fn(&(String, String)) -> &String| told.iter().map(pick).cloned().collect::<Vec<_>>().join("; ");
                let (before, after) = (join(|pair| &pair.0), join(|pair| &pair.1));
                let done = RunStep {
                    cause: cause.clone(),
                    object: subject.clone(),
                    action: action.clone(),
                    says: says.clone(),
                    state: "done".into(),
                    before,
                    after: after.clone(),
                    read_back: after,
                };
                steps.push((*step, done));
            }
            Event::OperationStarted { step, cause, subject, action, says, .. } => {
                let begun = RunStep {
                    cause: cause.clone(),
                    object: subject.clone(),
                    action: action.clone(),
                    says: says.clone(),
                    state: "failed".into(),
                    before: String::new(),
                    after: String::new(),
                    read_back: "its end is not recorded".into(),
                };
                steps.push((*step, begun));
            }
            Event::OperationEnded { step, outcome, says, .. } => {
                for (_, said) in steps.iter_mut().filter(|(number, _)| number == step) {
                    said.read_back.clone_from(says);
                    if outcome == "not-run" {
                        said.state = "skipped".into();
                    }
                    if matches!(outcome.as_str(), "done" | "unknown") {
                        (said.state, said.after) = ("done".into(), says.clone());
                    }
                }
            }
            Event::Failed { step, why } => {
                for (_, said) in steps.iter_mut().filter(|(number, _)| number == step) {
                    (said.state, said.read_back) = ("failed".into(), why.clone());
                }
            }
            Event::TakenBack { step } => {
                for (_, said) in steps.iter_mut().filter(|(number, said)| number == step && said.state == "done") {
                    said.state = "undone".into();
                }
            }
            Event::Left { cause, action, says, state, why } => {
                let left = RunStep {
                    cause: cause.clone(),
                    object: String::new(),
                    action: action.clone(),
                    says: says.clone(),
                    state: state.clone(),
                    before: String::new(),
                    after: String::new(),
                    read_back: why.clone(),
                };
                steps.push((0, left));
            }
            _ => {}
        }
    }
    steps.into_iter().map(|(_, step)| step).collect()
}

impl Session {
    /// What a stored run did, as its report.
    ///
    /// # Errors
    /// When there is no such run, or its journal cannot be read.
    pub fn stored_report(&self, name: Option<&str>) -> Result<RunReport, SessionError> {
        let folder = self.find_run(name)?;
        let (journal, _) = Journal::read(folder).map_err(repair::UndoError::from)?;
        let verdict = journal
            .events
            .iter()
            .rev()
            .find_map(|event| if let Event::Finished { verdict } = event { serde_json::from_value(verdict.clone().into()).ok() } else { None });
        let mut report = RunReport::new(verdict.unwrap_or(RunVerdict::NotRepaired));
        report.run = Some(journal.folder.id.clone());
        report.steps = tried_steps(&journal);
        report.verified = journal
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Verified { cause, object, right, says } => {
                    Some(crate::Verified { cause: cause.clone(), object: object.clone(), right: *right, says: says.clone() })
                }
                _ => None,
            })
            .collect();
        if matches!(journal.state(), RunState::Undone | RunState::UndoneWithConflicts) {
            report.not_needed.push("This run was undone.".into());
        }
        Ok(report)
    }
}
