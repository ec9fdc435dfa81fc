//! Steps that Windows' own programs do on a running Windows: run, judged by what they left behind, journalled on both sides.

use crate::fix::{FixRequest, Ui};
use crate::restart::RESTART;
use crate::run_report::RunReport;
use crate::session::{Session, SessionError};
use diagnosis::{Found, PlannedStep};
use evidence::Outcome;
use model::{Level, Operated, Operation, RestorePoint, TargetKind};
use repair::{Event, Run, StepDone};

/// The action of steps that are always for a person at the running Windows.
const IN_WINDOWS: &str = "in-windows";
/// The action of steps that hresolve has the running Windows do.
pub(crate) const OPERATION: &str = "windows-operation";

/// How a step was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By changes that can be taken back.
    Changes,
    /// By a program of Windows.
    Program {
        /// It wants a restart before everything is in its place.
        restart: bool,
    },
    /// Not at all: a dry run only says that it would be.
    NotRun,
}

/// True when a step waits until this Windows is started, and is then done there.
pub(crate) fn waits_for_windows(step: &PlannedStep) -> bool {
    step.action == IN_WINDOWS || (matches!(step.action.as_str(), OPERATION | RESTART) && step.level == Level::Show)
}

impl Session {
    /// Lowers what only a running Windows can do to what it is here: on a disk it waits, and where this Windows lacks it, it is shown.
    pub(crate) fn settle(&self, steps: &mut [PlannedStep]) {
        let info = self.target.info();
        for step in steps.iter_mut().filter(|step| step.level != Level::Show) {
            if step.action == RESTART && info.kind != TargetKind::Live {
                step.level = Level::Show;
            }
            let Some(operation) = repair::operation(&step.action, &step.settings) else { continue };
            let possible = operation.map(|operation| self.with_source(operation)).and_then(|operation| {
                operation.available(self.target.windows())?;
                let forbidden = operation.contacts_others() && self.clock.network_is_forbidden();
                if forbidden { Err("it would contact other computers, which --no-network forbids".to_owned()) } else { Ok(()) }
            });
            match possible {
                Ok(()) if info.kind == TargetKind::Live => {}
                Ok(()) => step.level = Level::Show,
                Err(why) => (step.level, step.blocked) = (Level::Show, Some(why)),
            }
        }
    }

    /// Makes one step, and says how.
    pub(crate) fn make(&mut self, run: &mut Run, found: &Found, step: &PlannedStep, ui: &mut dyn Ui) -> Result<(StepDone, Way), SessionError> {
        let finding = &found.finding;
        let Some(operation) = repair::operation(&step.action, &step.settings) else {
            let done = run.step(self.target.as_mut(), &finding.cause, &finding.subject, &step.action, &step.settings, step.level)?;
            return Ok((done, Way::Changes));
        };
        let operation = match operation {
            Ok(operation) => self.with_source(operation),
            Err(why) => return Ok((StepDone::Impossible { why }, Way::Changes)),
        };
        let number = run.begin_operation(&finding.cause, &finding.subject, (&step.action, &step.settings), step.level, &operation)?;
        let limit = self.operation_limit.unwrap_or(operation.time_limit());
        let what = operation.says(self.target.drive());
        ui.progress(&format!("{what} begins; it may take up to {}", minutes(limit)));
        let (exit_code, logs) = match self.target.operate(&operation, limit, &mut |says| ui.progress(says)) {
            Ok(Operated::Ran { exit_code, logs }) => (exit_code, logs),
            Ok(Operated::Tried(_)) => {
                let why = "no step of a guide installs an update".to_owned();
                run.end_operation(number, "failed", None, &why)?;
                return Ok((StepDone::Failed { step: number, why, conflict: None }, Way::Program { restart: false }));
            }
            Ok(Operated::NotRun) => {
                run.end_operation(number, "not-run", None, "a dry run")?;
                return Ok((StepDone::Done { step: number, before: String::new(), after: String::new(), objects: 0 }, Way::NotRun));
            }
            Err(error) => {
                let why = error.to_string();
                run.end_operation(number, "failed", None, &why)?;
                return Ok((StepDone::Failed { step: number, why, conflict: None }, Way::Program { restart: false }));
            }
        };
        if operation == Operation::SynchronizeClock {
            self.clock.clock_was_set();
        }
        let result = evidence::judge_operation(&operation, exit_code, &logs);
        run.end_operation(number, result.outcome.as_str(), Some(exit_code), &result.says)?;
        let done = match result.outcome {
            // What is not known from the log is asked of the machine next.
            Outcome::Done | Outcome::Unknown => StepDone::Done { step: number, before: String::new(), after: result.says, objects: 0 },
            Outcome::NotDone => StepDone::Failed { step: number, why: result.says, conflict: None },
        };
        Ok((done, Way::Program { restart: result.restart }))
    }

    /// A restore point before the first step that asks; false when there is none and the person stops here.
    pub(crate) fn restore_point(
        &mut self,
        run: &mut Run,
        request: &FixRequest,
        ui: &mut dyn Ui,
        report: &mut RunReport,
    ) -> Result<bool, SessionError> {
        if self.target.info().kind == TargetKind::Live {
            ui.progress("Windows is asked for a restore point");
        }
        let point = self.target.restore_point(&format!("hresolve {}", run.id()));
        let Some(says) = point.says() else { return Ok(true) };
        let there = !matches!(point, RestorePoint::Missing { .. });
        run.record(Event::RestorePoint { there, says: says.clone() })?;
        report.notes.push(says.clone());
        Ok(there || request.yes || ui.without_restore_point(&says) == Some(true))
    }

    /// The files that the person named serve Windows' own repair as well.
    fn with_source(&self, operation: Operation) -> Operation {
        match operation {
            Operation::RepairComponentStore { source: None } => {
                let source = self.target.source().and_then(target::Source::windows_folder);
                Operation::RepairComponentStore { source: source.map(|folder| folder.display().to_string()) }
            }
            other => other,
        }
    }
}

pub(crate) fn minutes(limit: std::time::Duration) -> String {
    match limit.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    }
}
