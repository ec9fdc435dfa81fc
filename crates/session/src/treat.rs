//! Treating causes: each as a unit, with its own check, and all of them together with a last look at the whole machine.

use crate::clock::SET_CLOCK;
use crate::diagnose::Diagnosed;
use crate::fix::Ui;
use crate::operate::{OPERATION, Way};
use crate::restart::RESTART;
use crate::run_report::{RunReport, RunVerdict, Verified};
use crate::session::{Session, SessionError};
use diagnosis::{Found, same_subject};
use model::{Confidence, Level};
use repair::{Event, Run, StepDone};

/// What a cause's treatment came to.
enum Treated {
    Repaired,
    NotRepaired,
    Damaged,
    /// Its rest and its check come after the next start of Windows.
    Restart,
}

/// What the treatment of several causes came to.
#[derive(Debug)]
pub(crate) struct Treatment {
    /// Every one was repaired, or waits for a restart.
    pub(crate) all_right: bool,
    /// Something could not be taken back.
    pub(crate) damaged: bool,
    /// The causes that wait for a restart.
    pub(crate) restart: Vec<Found>,
}

impl Treatment {
    /// True when this is found and the next start is to end it.
    pub(crate) fn waits_for_restart(&self, now: &Found) -> bool {
        self.restart.iter().any(|one| same(one, now))
    }

    /// `right`: nothing is left that should be gone. `waiting`: something else can only be done by a running Windows.
    pub(crate) fn verdict(&self, right: bool, waiting: bool) -> RunVerdict {
        match (self.damaged, self.all_right && right) {
            (true, _) => RunVerdict::UndoFailed,
            (false, true) if waiting || !self.restart.is_empty() => RunVerdict::Waiting,
            (false, true) => RunVerdict::Repaired,
            (false, false) => RunVerdict::NotRepaired,
        }
    }
}

/// The same cause of the same thing.
fn same(one: &Found, other: &Found) -> bool {
    one.finding.cause == other.finding.cause && same_subject(&one.finding.subject, &other.finding.subject)
}

impl Session {
    /// Treats these causes, one after the other.
    pub(crate) fn treat_all(&mut self, run: &mut Run, allowed: &[Found], report: &mut RunReport, ui: &mut dyn Ui) -> Result<Treatment, SessionError> {
        let mut treatment = Treatment { all_right: true, damaged: false, restart: Vec::new() };
        for found in allowed {
            ui.progress(&format!("{}: {}", found.finding.object, found.finding.title));
            match self.treat(run, found, report, ui)? {
                Treated::Repaired => {}
                Treated::NotRepaired => treatment.all_right = false,
                Treated::Damaged => treatment.damaged = true,
                Treated::Restart => treatment.restart.push(found.clone()),
            }
        }
        Ok(treatment)
    }

    /// Whether a fresh diagnosis has none of the treated causes any more and nothing that was not there before.
    pub(crate) fn is_right_now(
        &self,
        fresh: &Diagnosed,
        before: &Diagnosed,
        treated: &[Found],
        treatment: &Treatment,
        report: &mut RunReport,
    ) -> bool {
        let still = |found: &Found| fresh.found.iter().any(|now| same(now, found)) && !treatment.waits_for_restart(found);
        let mut right = !treated.iter().any(still);
        // A treatment must not bring up what was not there before.
        let was_there = |now: &Found| before.found.iter().any(|then| same(then, now));
        for new in fresh.found.iter().filter(|now| now.finding.confidence == Confidence::Proved && !was_there(now)) {
            right = false;
            report.verified.push(Verified {
                cause: new.finding.cause.clone(),
                object: new.finding.object.clone(),
                right: false,
                says: format!("{} was not seen before this run: {}", new.finding.object, new.finding.title),
            });
        }
        report.not_checked = fresh.diagnosis.not_checked.iter().filter(|item| item.blocking).cloned().collect();
        right
    }

    /// The steps of one cause, then its check; taken back as a unit when a step fails or the check does.
    fn treat(&mut self, run: &mut Run, found: &Found, report: &mut RunReport, ui: &mut dyn Ui) -> Result<Treated, SessionError> {
        let (cause, subject) = (found.finding.cause.clone(), found.finding.subject.clone());
        let first = report.steps.len();
        let mut failed: Option<String> = None;
        let mut damaged = false;
        let mut changed = false;
        let (mut not_run, mut restart) = (false, false);
        let mut restart_comes = false;
        for step in &found.steps {
            restart_comes |= step.action == RESTART && step.level != Level::Show;
            if restart_comes || step.level == Level::Show {
                let (state, why) = match &step.blocked {
                    _ if restart_comes => ("queued", "done after the next start of Windows"),
                    Some(why) => ("shown", why.as_str()),
                    None => ("shown", "only a person can do this"),
                };
                let left = self.run_step(found, step, state, why);
                run.record(left.left())?;
                report.steps.push(left);
                continue;
            }
            let (done, way) = self.make(run, found, step, ui)?;
            not_run |= way == Way::NotRun;
            restart |= way == (Way::Program { restart: true });
            if step.action == SET_CLOCK {
                self.clock.clock_was_set();
            }
            let mut said = self.run_step(found, step, "done", "");
            match done {
                StepDone::Done { before, after, .. } => {
                    changed = true;
                    said.read_back.clone_from(&after);
                    (said.before, said.after) = (before, after);
                }
                StepDone::NotNeeded => {
                    said.state = "skipped".into();
                    said.read_back = "it is right already".into();
                }
                StepDone::Impossible { why } => {
                    said.state = "failed".into();
                    said.read_back.clone_from(&why);
                    failed = Some(why);
                }
                StepDone::Failed { why, conflict, .. } => {
                    said.state = if conflict.is_some() { "undo-failed".into() } else { "failed".into() };
                    said.read_back = conflict.as_ref().map_or_else(|| why.clone(), |conflict| format!("{why}; could not be taken back: {conflict}"));
                    damaged |= conflict.is_some();
                    failed = Some(why);
                }
            }
            report.steps.push(said);
            if failed.is_some() {
                break;
            }
        }
        if restart_comes && failed.is_none() {
            // Its signs are asked again after that start.
            return Ok(Treated::Restart);
        }
        if not_run {
            // Nothing was done that could be checked.
            return Ok(Treated::NotRepaired);
        }
        if found.finding.confidence == Confidence::Possible && found.finding.evidence.is_empty() && failed.is_none() {
            // A usual method has no signs to ask again; only the person can say whether it helped.
            return Ok(if changed { Treated::Repaired } else { Treated::NotRepaired });
        }
        let (right, says) = match &failed {
            None => self.check(&cause, &subject, &found.finding.object),
            Some(why) => (false, format!("not checked, because a step failed: {why}")),
        };
        run.record(Event::Verified { cause: cause.clone(), object: found.finding.object.clone(), right, says: says.clone() })?;
        report.verified.push(Verified { cause: cause.clone(), object: found.finding.object.clone(), right, says });
        if right {
            return Ok(Treated::Repaired);
        }
        if restart && failed.is_none() {
            return Ok(Treated::Restart);
        }
        let left = run.take_back_cause(self.target.as_mut(), &cause, &subject)?;
        if found.steps.iter().any(|step| step.action == SET_CLOCK) {
            self.clock.clock_was_set();
        }
        damaged |= !left.is_empty();
        for step in report.steps.iter_mut().skip(first).filter(|step| step.state == "done") {
            if step.action == OPERATION {
                step.read_back = "what Windows did stays, though the signs are still there".into();
                continue;
            }
            step.state = if left.is_empty() { "undone".into() } else { "undo-failed".into() };
            step.read_back = if left.is_empty() { "taken back, because the check failed".into() } else { left.join("; ") };
        }
        Ok(if damaged { Treated::Damaged } else { Treated::NotRepaired })
    }

    /// Asks the opening signs of a cause again, in freshly read facts.
    pub(crate) fn check(&self, cause: &str, subject: &str, object: &str) -> (bool, String) {
        let Some(guide) = self.guide(cause) else { return (false, "the guide is gone".into()) };
        let facts = self.facts();
        if diagnosis::still_wrong(guide, &facts, subject) {
            return (false, format!("{object}: the signs are still there"));
        }
        if !diagnosis::is_right(guide, &facts, subject) {
            return (false, format!("{object}: the signs are gone, but what should hold now does not"));
        }
        (true, format!("{object}: the signs are gone"))
    }
}
