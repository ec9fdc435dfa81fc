//! A restart in the middle of a run: what waits for it, how Windows goes on by itself afterwards, and the proof then.
//!
//! Windows is restarted only after `--restart`. What goes on by itself removes its own trigger before it begins (Windows does, for a plain
//! value of `RunOnce`), is tried once, and runs from the run's folder, which is closed to others. Windows 7 may run such values already
//! after it installed a device; the run then sees that Windows was not started anew and goes on waiting.
//! Source: "Run and RunOnce Registry Keys" and "RunOnce registry key" (Microsoft).

use crate::fix::{FixRequest, Ui};
use crate::ladder::tried_steps;
use crate::run_report::{RunReport, RunVerdict, Verified};
use crate::session::{Session, SessionError};
use diagnosis::{Found, same_subject};
use model::{Confidence, ErrorCode, Level, Reading};
use repair::{AfterRestart, Event, Journal, Run, RunState, Settings, StepDone};
use target::{Now, RunFolder};

/// The action of steps that need a restart; the trigger is journalled under the same name.
pub(crate) const RESTART: &str = "restart-windows";
/// What Windows runs once for the first administrator who signs in.
const RUN_ONCE: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce";
/// So long a person has to save their work, or to stop it.
const SECONDS: u32 = 60;
/// What a person does who restarts Windows themselves.
const BY_HAND: &str = "Restart Windows (Restart, not Shut down), then: hresolve continue.";

impl Session {
    /// Records what waits for the next start, and has Windows restart and go on when the person agreed to that.
    pub(crate) fn await_restart(
        &mut self,
        run: &mut Run,
        causes: &[Found],
        whole: bool,
        request: &FixRequest,
        report: &mut RunReport,
    ) -> Result<(), SessionError> {
        let one = |found: &Found| {
            let finding = &found.finding;
            AfterRestart { cause: finding.cause.clone(), subject: finding.subject.clone(), object: finding.object.clone(), whole }
        };
        let started = match self.target.started() {
            Reading::Known(started) => started,
            Reading::Unreadable(why) => {
                report.restart_needed = true;
                report
                    .notes
                    .push(format!("{why}, so this run cannot go on after a restart. Restart Windows (Restart, not Shut down), and look again."));
                return Ok(());
            }
            // A dry run, or a disk: nothing runs, so nothing is restarted.
            _ => return Ok(()),
        };
        report.restart_needed = true;
        let causes: Vec<AfterRestart> = causes.iter().map(one).collect();
        let trigger = match causes.first() {
            Some(first) if request.restart => Some(self.set_trigger(run, first)?),
            _ => None,
        };
        run.record(Event::RestartAwaited { started: Some(started), causes, by_itself: matches!(trigger, Some(Ok(()))) })?;
        let afterwards = match &trigger {
            Some(Ok(())) => "When an administrator has signed in afterwards, hresolve goes on by itself, once.".to_owned(),
            Some(Err(why)) => format!("It does not go on by itself ({why}); afterwards: hresolve continue."),
            None => BY_HAND.to_owned(),
        };
        if !request.restart {
            report.notes.push(afterwards);
            return Ok(());
        }
        let says = format!("hresolve restarts Windows to finish a repair (run {}). Save your work. To stop this: shutdown /a", run.id());
        report.notes.push(match self.target.restart(SECONDS, &says) {
            Ok(()) => format!("Windows restarts in {SECONDS} seconds; shutdown /a stops that. {afterwards}"),
            Err(error) => format!("Windows could not be restarted: {error}. {BY_HAND}"),
        });
        Ok(())
    }

    /// Has Windows go on with this run after its next start. The inner error says why it does not.
    fn set_trigger(&mut self, run: &mut Run, first: &AfterRestart) -> Result<Result<(), String>, SessionError> {
        let command = match self.target.goes_on_by_itself(&run.journal.folder) {
            Ok(command) => command,
            Err(why) => return Ok(Err(why)),
        };
        let value = [("key", RUN_ONCE), ("name", "hresolve"), ("type", "sz"), ("data", command.as_str())];
        let settings: Settings = value.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let changes = match run.plan(self.target.as_ref(), "set-registry-value", &settings) {
            Ok(changes) => changes,
            Err(why) => return Ok(Err(why)),
        };
        let said = Settings::from([("text".to_owned(), "Have Windows go on with this run after its next start".to_owned())]);
        let done = run.carry_out(self.target.as_mut(), &first.cause, &first.subject, (RESTART, &said), Level::Ask, changes)?;
        Ok(match done {
            StepDone::Done { .. } | StepDone::NotNeeded => Ok(()),
            StepDone::Impossible { why } | StepDone::Failed { why, .. } => Err(why),
        })
    }

    /// The runs that wait for the next start of this Windows, and whether it came; `None` where that cannot be seen, as on a disk.
    pub fn waiting(&self) -> Vec<(String, Option<bool>)> {
        let waits = |folder: RunFolder| match Journal::read(folder) {
            Ok((journal, _)) if journal.state() == RunState::Waiting => Some((journal.folder.id.clone(), self.came(&journal))),
            _ => None,
        };
        self.own_runs().into_iter().filter_map(waits).collect()
    }

    /// Whether the run of that name, the newest when none is named, waits for a restart.
    ///
    /// # Errors
    /// When there is no such run, or its journal cannot be read.
    pub fn waits(&self, name: Option<&str>) -> Result<bool, SessionError> {
        let (journal, _) = Journal::read(self.find_run(name)?).map_err(repair::UndoError::from)?;
        Ok(journal.state() == RunState::Waiting)
    }

    /// Whether Windows was started anew since this run began to wait.
    fn came(&self, journal: &Journal) -> Option<bool> {
        let then = journal.awaited()?.0?;
        self.target.started().into_known().map(|now| now != then)
    }

    /// A run that waits comes first: it goes on when Windows was started anew, and else it is all there is to say.
    pub(crate) fn waiting_run(&mut self, request: &FixRequest, ui: &mut dyn Ui, now: Now) -> Result<Option<RunReport>, SessionError> {
        match self.waiting().pop() {
            Some((run, Some(_))) => {
                let mut report = self.go_on(&run, request, ui, now)?;
                // Without a code and a cause the whole machine is meant, and that run may have been about less.
                let whole = request.asked.is_none() && request.only.is_none();
                if whole && report.verdict == RunVerdict::Repaired && !self.diagnose(None).found.is_empty() {
                    report.verdict = RunVerdict::NotRepaired;
                    report.notes.push("The run that waited for a restart is finished. Something else is wrong: call fix again.".into());
                }
                Ok(Some(report))
            }
            _ => Ok(None),
        }
    }

    /// Goes on with a run that waits for a restart: does what is left and asks the signs of its causes again.
    ///
    /// # Errors
    /// When there is no such run, or its journal cannot be used.
    pub fn go_on(&mut self, name: &str, request: &FixRequest, ui: &mut dyn Ui, now: Now) -> Result<RunReport, SessionError> {
        let folder = self.find_run(Some(name))?;
        let lock = repair::lock(&self.store)?;
        let journal = Journal::open(folder).map_err(repair::UndoError::from)?;
        let mut report = RunReport::new(RunVerdict::Waiting);
        report.run = Some(journal.folder.id.clone());
        match self.came(&journal) {
            Some(true) => {}
            Some(false) => {
                report.restart_needed = true;
                report.notes.push(format!("This run waits for a restart, and Windows was not started anew since. {BY_HAND}"));
                return Ok(report);
            }
            None => {
                report.notes.push("This run waits for the next start of the Windows on this disk, and goes on there.".into());
                return Ok(report);
            }
        }
        let why_not = self.refusals(request.yes);
        if !why_not.is_empty() {
            return Ok(RunReport { run: report.run, ..RunReport::refused(RunVerdict::Refused, why_not) });
        }
        let causes = journal.awaited().map(|(_, causes)| causes.to_vec()).unwrap_or_default();
        let asked: Option<ErrorCode> = repair::summary(&journal).2.and_then(|code| code.parse().ok());
        let mut run = Run::resume(self.store.clone(), lock, journal);
        run.record(Event::GoneOn { time: now.iso() })?;
        // Where the person was faster than Windows, the trigger is still there.
        let left = run.take_back_action(self.target.as_mut(), RESTART)?;
        report.notes.extend(left);
        report.steps = tried_steps(&run.journal);
        report.steps.retain(|step| step.state != "queued");
        ui.progress("Reading the machine");
        let before = self.diagnose(asked);
        let mut to_treat = Vec::new();
        let (mut proved, mut only_the_person_knows) = (true, false);
        for cause in &causes {
            only_the_person_knows |= self.guide(&cause.cause).is_some_and(|guide| guide.usual.is_some());
            let is_it = |found: &&Found| found.finding.cause == cause.cause && same_subject(&found.finding.subject, &cause.subject);
            match before.found.iter().find(is_it) {
                // A journal is untrusted: what it names is treated as far as it is proved now.
                Some(found) if found.finding.confidence == Confidence::Proved && !after_restart(found, cause.whole).is_empty() => {
                    to_treat.push(Found { steps: after_restart(found, cause.whole), ..found.clone() });
                }
                _ => proved &= self.prove(&mut run, cause, &mut report)?,
            }
        }
        let mut treatment = self.treat_all(&mut run, &to_treat, &mut report, ui)?;
        treatment.all_right &= proved;
        ui.progress("Checking again");
        let fresh = self.diagnose(asked);
        let right = self.is_right_now(&fresh, &before, &to_treat, &treatment, &mut report);
        report.verdict = match treatment.verdict(right, false) {
            RunVerdict::Repaired if only_the_person_knows => RunVerdict::Undetermined,
            verdict => verdict,
        };
        if !treatment.restart.is_empty() {
            // Once was enough by itself; another restart is for the person to say.
            self.await_restart(&mut run, &treatment.restart, false, request, &mut report)?;
        }
        self.prove_update(&mut run, (&before, &to_treat), &fresh, &FixRequest { asked, ..request.clone() }, ui, &mut report)?;
        run.record(Event::Finished { verdict: report.verdict.as_str().into() })?;
        self.keep_report(&run, &fresh, &report);
        Ok(report)
    }

    /// The proof after the restart, where nothing is left to do: the signs are gone. If they are not, the changes of the cause are taken back.
    fn prove(&mut self, run: &mut Run, cause: &AfterRestart, report: &mut RunReport) -> Result<bool, SessionError> {
        if self.guide(&cause.cause).is_some_and(|guide| guide.usual.is_some()) {
            return Ok(true);
        }
        let (right, says) = self.check(&cause.cause, &cause.subject, &cause.object);
        run.record(Event::Verified { cause: cause.cause.clone(), object: cause.object.clone(), right, says: says.clone() })?;
        report.verified.push(Verified { cause: cause.cause.clone(), object: cause.object.clone(), right, says });
        if !right {
            let left = run.take_back_cause(self.target.as_mut(), &cause.cause, &cause.subject)?;
            report.notes.extend(left);
        }
        Ok(right)
    }
}

/// The steps of a cause that come after the restart: all of them but restarts when nothing was begun before it, else those behind the last one.
fn after_restart(found: &Found, whole: bool) -> Vec<diagnosis::PlannedStep> {
    let restart = found.steps.iter().rposition(|step| step.action == RESTART);
    let rest = match restart {
        Some(at) if !whole => found.steps.get(at + 1..).unwrap_or_default(),
        None if !whole => &[],
        _ => &found.steps,
    };
    rest.iter().filter(|step| step.action != RESTART && step.level != Level::Show).cloned().collect()
}
