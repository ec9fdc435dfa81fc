//! Runs that are kept: listing, undoing, forgetting, and bringing back interrupted ones.

use crate::run_report::{UndoJson, UndoJsonStep};
use crate::session::{Session, SessionError};
use repair::{Journal, RunState, UndoReport};
use serde::Serialize;
use target::Now;

/// One kept run.
#[derive(Debug, Clone, Serialize)]
pub struct RunSummary {
    /// Its name.
    pub run: String,
    /// When it began, UTC.
    pub time: String,
    /// `finished`, `waiting` (for a restart), `interrupted`, `undone`, `undone-with-conflicts` or `damaged`.
    pub state: String,
    /// The code that the person asked about.
    pub asked: Option<String>,
    /// How many objects it changed.
    pub changes: usize,
    /// Bytes on the disk.
    pub size: u64,
}

/// What bringing interrupted runs back came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Their names.
    pub runs: Vec<String>,
    /// What Windows' own programs did in them, which stays; in sentences.
    pub kept: Vec<String>,
    /// What could not be brought back; in sentences.
    pub conflicts: Vec<String>,
}

impl Session {
    /// Brings every interrupted run back to the state before it. Writes nothing when there is none.
    ///
    /// # Errors
    /// When a journal is damaged, or the store cannot be locked.
    pub fn recover(&mut self, now: Now) -> Result<Recovered, SessionError> {
        let interrupted = self.interrupted();
        if interrupted.is_empty() {
            return Ok(Recovered::default());
        }
        let lock = repair::lock(&self.store)?;
        let mut recovered = Recovered::default();
        // The newest first: an older run's objects may lie below a newer one's.
        for run in self.own_runs().into_iter().rev().filter(|run| interrupted.contains(&run.id)) {
            let report = repair::recover(self.target.as_mut(), &self.store, run, now)?;
            recovered.runs.push(report.run);
            let kept = report.steps.iter().filter(|step| step.state == "kept");
            recovered.kept.extend(kept.map(|step| format!("{} {}", step.object, step.says)));
            recovered
                .conflicts
                .extend(report.conflicts.iter().map(|conflict| format!("{}: {}. {}", conflict.object, conflict.found, conflict.by_hand)));
        }
        drop(lock);
        Ok(recovered)
    }

    /// The runs that were made on this machine. A folder named with `--state-dir` may hold those of others; a run that was made
    /// at another path is only used when it is named.
    pub(crate) fn own_runs(&self) -> Vec<target::RunFolder> {
        let here = (self.target.info().path, self.target.machine());
        let made_here = |run: &target::RunFolder| match Journal::read(run.clone()) {
            Ok((journal, _)) => match journal.events.first() {
                Some(repair::Event::RunStarted { target, machine, .. }) => {
                    self.runs_travel_with_the_disk || (*target == here.0 && *machine == here.1)
                }
                _ => self.runs_travel_with_the_disk,
            },
            Err(_) => self.runs_travel_with_the_disk,
        };
        self.store.runs().into_iter().filter(made_here).collect()
    }

    /// The run of that name, or this machine's newest.
    pub(crate) fn find_run(&self, name: Option<&str>) -> Result<target::RunFolder, SessionError> {
        if self.runs_are_hidden() && self.is_running_windows() {
            return Err(SessionError::Run(repair::RunError::Refused(model::WhyNot::NotElevated)));
        }
        if name.is_none() {
            return self
                .own_runs()
                .pop()
                .ok_or_else(|| SessionError::Usage("No run of this machine is kept here, so there is nothing to go on with or to undo.".into()));
        }
        let run = self.store.find(name)?;
        let (journal, _) = Journal::read(run.clone()).map_err(repair::UndoError::from)?;
        if let Some(repair::Event::RunStarted { machine, windows, target, .. }) = journal.events.first()
            // A computer that was renamed or upgraded since keeps the runs on its own disk.
            && !self.runs_travel_with_the_disk
            && *machine != self.target.machine()
        {
            return Err(SessionError::Usage(format!("Run {} was made on another machine ({windows} in {target}).", run.id)));
        }
        Ok(run)
    }

    /// The names of runs that were cut off and not brought back yet.
    pub fn interrupted(&self) -> Vec<String> {
        let state = |run: &target::RunFolder| Journal::read(run.clone()).map(|(journal, _)| journal.state());
        self.own_runs().iter().filter(|run| matches!(state(run), Ok(RunState::Interrupted))).map(|run| run.id.clone()).collect()
    }

    /// True when runs may be kept here that only administrators can see.
    pub fn runs_are_hidden(&self) -> bool {
        self.store.is_hidden()
    }

    /// Undoes a run, the newest when none is named.
    ///
    /// # Errors
    /// When there is no such run, its journal cannot be used, or the machine must not be written now.
    pub fn undo(&mut self, name: Option<&str>, now: Now) -> Result<UndoJson, SessionError> {
        let run = self.find_run(name)?;
        if let Some(why) = self.refusals(true).into_iter().next() {
            return Err(SessionError::Run(repair::RunError::Refused(why)));
        }
        let lock = repair::lock(&self.store)?;
        let report = repair::undo(self.target.as_mut(), &self.store, run, now)?;
        drop(lock);
        Ok(as_json(report))
    }

    /// Every kept run, oldest first.
    pub fn runs(&self) -> Vec<RunSummary> {
        self.store
            .runs()
            .into_iter()
            .map(|folder| {
                let (run, size) = (folder.id.clone(), folder.size());
                match Journal::read(folder) {
                    Ok((journal, _)) => {
                        let (time, state, asked, changes) = repair::summary(&journal);
                        RunSummary { run, time, state: state.as_str().into(), asked, changes, size }
                    }
                    Err(error) => RunSummary { run, time: String::new(), state: format!("damaged: {error}"), asked: None, changes: 0, size },
                }
            })
            .collect()
    }

    /// Removes runs with their saved copies; they can never be undone afterwards. Interrupted ones are kept.
    ///
    /// # Errors
    /// When a run does not exist or cannot be removed.
    pub fn forget(&self, names: &[String]) -> Result<Vec<String>, SessionError> {
        let _lock = repair::lock(&self.store)?;
        let mut gone = Vec::new();
        for name in names {
            let run = self.store.find(Some(name))?;
            if let Ok((journal, _)) = Journal::read(run.clone())
                && let state @ (RunState::Interrupted | RunState::Waiting) = journal.state()
            {
                let how = if state == RunState::Waiting { "waits for a restart" } else { "was interrupted" };
                return Err(SessionError::Usage(format!("Run {} {how} and must be undone before it is forgotten.", run.id)));
            }
            run.forget()?;
            gone.push(run.id);
        }
        Ok(gone)
    }
}

fn as_json(report: UndoReport) -> UndoJson {
    let verdict = if !report.conflicts.is_empty() {
        "undo-failed"
    } else if report.steps.iter().any(|step| step.state == "undone") {
        "undone"
    } else {
        "nothing-to-undo"
    };
    UndoJson {
        schema: "hresolve/undo/1".into(),
        run: report.run,
        steps: report.steps.into_iter().map(|step| UndoJsonStep { object: step.object, state: step.state.into(), says: step.says }).collect(),
        conflicts: report.conflicts.into_iter().map(|conflict| format!("{}: {}. {}", conflict.object, conflict.found, conflict.by_hand)).collect(),
        verdict: verdict.into(),
    }
}
