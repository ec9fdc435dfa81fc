//! A run: steps made one after the other, each journalled before, read back after, and taken back as a unit when it fails.

use crate::action::{Settings, action, describe};
use crate::journal::{Event, Journal};
use crate::undo::{kept, take_back};
use model::{Change, Level, Observed, Operation, Reading, WhyNot};
use std::fmt;
use target::{Direction, Now, StateStore, StoreError, StoreLock, WritableTarget};

/// Why a run cannot begin or go on.
#[derive(Debug)]
pub enum RunError {
    /// A named reason; nothing was changed.
    Refused(WhyNot),
    /// The journal could not be written in the middle of a run; no further step was begun.
    Journal(StoreError),
}

impl fmt::Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Refused(why) => write!(out, "{}", why.explain()),
            RunError::Journal(error) => write!(
                out,
                "The undo record could not be written ({error}), so no further step was begun. What was done before is recorded: \
                 `hresolve undo` takes it back once the place can be written again."
            ),
        }
    }
}

impl std::error::Error for RunError {}

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepDone {
    /// Made and read back.
    Done {
        /// Its number.
        step: u32,
        /// What was there.
        before: String,
        /// What is there now.
        after: String,
        /// How many objects were changed.
        objects: usize,
    },
    /// The object was right already.
    NotNeeded,
    /// It could not be planned or begun; nothing was changed.
    Impossible {
        /// Why.
        why: String,
    },
    /// It was begun and failed; what had been changed was taken back, unless `conflict` says otherwise.
    Failed {
        /// Its number.
        step: u32,
        /// Why.
        why: String,
        /// What could not be taken back.
        conflict: Option<String>,
    },
}

/// A run in progress. Holds the store's lock.
#[derive(Debug)]
pub struct Run {
    /// Its journal.
    pub journal: Journal,
    store: StateStore,
    _lock: StoreLock,
    next: u32,
    short: String,
}

impl Run {
    /// Begins a run: its folder and the first line of its journal are on the disk before this returns.
    ///
    /// # Errors
    /// When the record cannot be kept or another process works on the target; nothing was changed then.
    pub fn begin(
        target: &dyn WritableTarget,
        store: StateStore,
        lock: StoreLock,
        now: Now,
        program: &str,
        asked: Option<String>,
    ) -> Result<Run, RunError> {
        let folder = store.create(now).map_err(refused)?;
        let short = folder.id.rsplit('-').next().unwrap_or_default().to_owned();
        let mut journal = Journal::new(folder);
        let info = target.info();
        let event = Event::RunStarted {
            version: crate::journal::VERSION,
            time: now.iso(),
            program: program.into(),
            target: info.path,
            windows: info.windows.map_or_else(String::new, |windows| windows.to_string()),
            machine: target.machine(),
            asked,
        };
        journal.append(event).map_err(refused)?;
        Ok(Run { journal, store, _lock: lock, next: 1, short })
    }

    /// Goes on with a finished run (the person tried again and it still fails).
    pub fn resume(store: StateStore, lock: StoreLock, journal: Journal) -> Run {
        let next = journal.events.iter().filter(|event| matches!(event, Event::Started { .. } | Event::OperationStarted { .. })).count() as u32 + 1;
        let short = journal.folder.id.rsplit('-').next().unwrap_or_default().to_owned();
        Run { journal, store, _lock: lock, next, short: format!("{short}-{next}") }
    }

    /// The run's name.
    pub fn id(&self) -> &str {
        &self.journal.folder.id
    }

    /// Records something that is not a change.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn record(&mut self, event: Event) -> Result<(), RunError> {
        self.journal.append(event).map_err(RunError::Journal)
    }

    /// Keeps a copy of evidence in the run's folder, before the first change.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_evidence(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        self.journal.folder.save(&format!("evidence/{name}"), bytes).map_err(RunError::Journal)
    }

    /// The changes a step would make now.
    ///
    /// # Errors
    /// A sentence: why it cannot be done here.
    pub fn plan(&self, target: &dyn WritableTarget, name: &str, settings: &Settings) -> Result<Vec<Change>, String> {
        let action = action(name).ok_or_else(|| format!("there is no action {name}"))?;
        (action.changes)(target.as_target(), settings, &self.short)
    }

    /// Makes one step.
    ///
    /// # Errors
    /// Only when the journal cannot be written; every other failure is an outcome, and its changes have been taken back.
    pub fn step(
        &mut self,
        target: &mut dyn WritableTarget,
        cause: &str,
        subject: &str,
        name: &str,
        settings: &Settings,
        level: Level,
    ) -> Result<StepDone, RunError> {
        match self.plan(target, name, settings) {
            Ok(changes) if changes.is_empty() => Ok(StepDone::NotNeeded),
            Ok(changes) => self.carry_out(target, cause, subject, (name, settings), level, changes),
            Err(why) => Ok(StepDone::Impossible { why }),
        }
    }

    /// Makes a step whose changes are known.
    ///
    /// # Errors
    /// As [`Run::step`].
    pub fn carry_out(
        &mut self,
        target: &mut dyn WritableTarget,
        cause: &str,
        subject: &str,
        (name, settings): (&str, &Settings),
        level: Level,
        changes: Vec<Change>,
    ) -> Result<StepDone, RunError> {
        if let Err(why) = self.save_hives(target, &changes)? {
            return Ok(StepDone::Impossible { why });
        }
        if let Err(why) = self.keep_contents(target, &changes)? {
            return Ok(StepDone::Impossible { why });
        }
        let step = self.next;
        self.next += 1;
        self.record(Event::Started {
            step,
            cause: cause.into(),
            subject: subject.into(),
            action: name.into(),
            says: describe(name, settings),
            level,
            changes: changes.clone(),
        })?;
        if let Err(why) = make(target, &changes, &mut self.journal) {
            return self.fail(target, step, &changes, why);
        }
        self.record(Event::Done { step })?;
        let drive = target.drive();
        let told: Vec<(String, String)> = changes.iter().map(|change| change.before_after(drive)).collect();
        let join = |pick: fn(&(String, String)) -> &String| told.iter().map(pick).cloned().collect::<Vec<_>>().join("; ");
        Ok(StepDone::Done { step, before: join(|pair| &pair.0), after: join(|pair| &pair.1), objects: changes.len() })
    }

    /// Records that a program of Windows is about to be run; its number, for [`Run::end_operation`].
    ///
    /// # Errors
    /// When the journal cannot be written; nothing may be run then.
    pub fn begin_operation(
        &mut self,
        cause: &str,
        subject: &str,
        (action, settings): (&str, &Settings),
        level: Level,
        operation: &Operation,
    ) -> Result<u32, RunError> {
        let step = self.next;
        self.next += 1;
        self.record(Event::OperationStarted {
            step,
            cause: cause.into(),
            subject: subject.into(),
            action: action.into(),
            says: describe(action, settings),
            level,
            operation: operation.clone(),
        })?;
        Ok(step)
    }

    /// Records what it came to.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn end_operation(&mut self, step: u32, outcome: &str, exit_code: Option<u32>, says: &str) -> Result<(), RunError> {
        self.record(Event::OperationEnded { step, outcome: outcome.into(), exit_code, says: says.into() })
    }

    fn fail(&mut self, target: &mut dyn WritableTarget, step: u32, changes: &[Change], why: String) -> Result<StepDone, RunError> {
        self.record(Event::Failed { step, why: why.clone() })?;
        let conflict = self.take_back_step(target, step, changes)?;
        Ok(StepDone::Failed { step, why, conflict })
    }

    fn take_back_step(&mut self, target: &mut dyn WritableTarget, step: u32, changes: &[Change]) -> Result<Option<String>, RunError> {
        let (_, conflicts) = take_back(target, &self.store, &mut self.journal, changes);
        if conflicts.is_empty() {
            self.record(Event::TakenBack { step })?;
            return Ok(None);
        }
        Ok(Some(conflicts.iter().map(|conflict| format!("{}: {}", conflict.object, conflict.found)).collect::<Vec<_>>().join("; ")))
    }

    /// Takes back every step of a cause, last first.
    ///
    /// # Errors
    /// When the journal cannot be written. What could not be taken back is returned as sentences.
    pub fn take_back_cause(&mut self, target: &mut dyn WritableTarget, cause: &str, subject: &str) -> Result<Vec<String>, RunError> {
        self.take_back_steps(target, |of, about, _| of == cause && about == subject)
    }

    /// Takes back every step of one action, last first.
    ///
    /// # Errors
    /// As [`Run::take_back_cause`].
    pub fn take_back_action(&mut self, target: &mut dyn WritableTarget, action: &str) -> Result<Vec<String>, RunError> {
        self.take_back_steps(target, |_, _, done| done == action)
    }

    /// The steps are chosen by cause, subject and action.
    fn take_back_steps(&mut self, target: &mut dyn WritableTarget, chosen: impl Fn(&str, &str, &str) -> bool) -> Result<Vec<String>, RunError> {
        let in_force = self.journal.in_force();
        let chosen: Vec<u32> = self
            .journal
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Started { step, cause, subject, action, .. } if chosen(cause, subject, action) => Some(*step),
                _ => None,
            })
            .collect();
        let mut left = Vec::new();
        for (step, changes) in in_force.iter().rev().filter(|(step, _)| chosen.contains(step)) {
            left.extend(self.take_back_step(target, *step, changes)?);
        }
        Ok(left)
    }

    /// The content of each file that is put in its place is in the run's folder before that happens: undo takes the file away only then.
    /// The inner error is a sentence.
    fn keep_contents(&self, target: &mut dyn WritableTarget, changes: &[Change]) -> Result<Result<(), String>, RunError> {
        for change in changes {
            let Change::PutFile { path, sha256, from, .. } = change else { continue };
            let content = match target.content(from) {
                Reading::Known(content) if target::sha256(&content) == *sha256 => content,
                Reading::Known(_) => return Ok(Err(format!("what should become {} changed while it was read", path.with_drive(target.drive())))),
                Reading::Unreadable(why) => return Ok(Err(why)),
                _ => return Ok(Err(format!("what should become {} is not at hand", path.with_drive(target.drive())))),
            };
            self.journal.folder.save(&kept(sha256), &content).map_err(RunError::Journal)?;
            target.offer(sha256, content);
        }
        Ok(Ok(()))
    }

    /// A copy of each hive's primary file is on the disk before the first change to it. The inner error is a sentence.
    fn save_hives(&mut self, target: &dyn WritableTarget, changes: &[Change]) -> Result<Result<(), String>, RunError> {
        let states = match target.hive_states(changes) {
            Ok(states) => states,
            Err(error) => return Ok(Err(error.to_string())),
        };
        for state in states {
            if self.journal.saved_hives().iter().any(|saved| saved.hive == state.hive) {
                continue;
            }
            let bytes = match target.hive_bytes(&state.hive) {
                Ok(bytes) => bytes,
                Err(error) => return Ok(Err(error.to_string())),
            };
            if target::sha256(&bytes) != state.primary {
                return Ok(Err(format!("the hive {} changed while it was read", state.hive)));
            }
            self.journal.folder.save(&format!("before/{}", state.hive), &bytes).map_err(RunError::Journal)?;
            self.record(Event::HiveSaved { hive: state.into() })?;
        }
        Ok(Ok(()))
    }
}

fn refused(error: StoreError) -> RunError {
    match error {
        StoreError::Busy { .. } => RunError::Refused(WhyNot::Busy),
        other => RunError::Refused(WhyNot::NoJournal { why: other.to_string() }),
    }
}

/// Takes the store's lock, or says why not.
///
/// # Errors
/// When the place is not safe, cannot be written, or is in use.
pub fn lock(store: &StateStore) -> Result<StoreLock, RunError> {
    store.lock().map_err(refused)
}

/// Makes the changes and reads each back.
fn make(target: &mut dyn WritableTarget, changes: &[Change], journal: &mut Journal) -> Result<(), String> {
    target.check_writable(changes).map_err(|error| error.to_string())?;
    apply(target, changes, Direction::Forward, journal)?;
    for change in changes {
        match target.observe(change) {
            Reading::Known(Observed::New) => {}
            Reading::Known(Observed::Old) => return Err(format!("{} reads back as before", change.object(target.drive()))),
            Reading::Known(Observed::Other(found)) => return Err(format!("{} reads back differently: {found}", change.object(target.drive()))),
            Reading::Unreadable(why) => return Err(format!("{} could not be read back: {why}", change.object(target.drive()))),
            _ => return Err(format!("{} could not be read back", change.object(target.drive()))),
        }
    }
    Ok(())
}

/// Applies changes in one direction. Services that would be in the way are kept from running meanwhile; how they were is journalled
/// before, as is every replacement of a hive file.
fn apply(target: &mut dyn WritableTarget, changes: &[Change], direction: Direction, journal: &mut Journal) -> Result<(), String> {
    while_held(target, changes, journal, |target, journal| apply_now(target, changes, direction, journal))
}

/// Does something while the services that would be in the way of these changes are kept from running. Nothing in it may hold services again.
pub(crate) fn while_held<T>(
    target: &mut dyn WritableTarget,
    changes: &[Change],
    journal: &mut Journal,
    make: impl FnOnce(&mut dyn WritableTarget, &mut Journal) -> Result<T, String>,
) -> Result<T, String> {
    let held = target.in_the_way(changes).map_err(|error| error.to_string())?;
    if held.is_empty() {
        return make(target, journal);
    }
    journal.append(Event::ServicesHeld { services: held.clone() }).map_err(|error| error.to_string())?;
    let done = target.hold(&held).map_err(|error| error.to_string()).and_then(|()| make(target, journal));
    let let_go = target.let_go(&held).map_err(|error| error.to_string());
    if let_go.is_ok() {
        journal.append(Event::ServicesLetGo).map_err(|error| error.to_string())?;
    }
    done.and_then(|done| let_go.map(|()| done))
}

/// Applies changes with nothing kept from running: the caller has seen to that.
pub(crate) fn apply_now(target: &mut dyn WritableTarget, changes: &[Change], direction: Direction, journal: &mut Journal) -> Result<(), String> {
    if let [change @ Change::SetClock { from, to, .. }] = changes {
        let by = if direction == Direction::Forward { to.saturating_sub(*from) } else { from.saturating_sub(*to) };
        return set_clock(target, change, by, direction);
    }
    let mut record = |intent: &target::HiveIntent| {
        let event = Event::HiveIntended {
            hive: intent.before.hive.clone(),
            from: intent.before.primary.clone(),
            to: intent.after.clone(),
            temporary: intent.temporary.to_string(),
        };
        journal.append(event).map_err(|error| error.to_string())
    };
    target.apply(changes, direction, &mut record).map_err(|error| error.to_string())
}

/// Sets the clock by so many seconds from what it says at this moment: time has passed since the change was planned.
fn set_clock(target: &mut dyn WritableTarget, change: &Change, by: i64, direction: Direction) -> Result<(), String> {
    let (wanted, expected) = if direction == Direction::Forward { (Observed::New, Observed::Old) } else { (Observed::Old, Observed::New) };
    match target.observe(change) {
        Reading::Known(now) if now == wanted => return Ok(()),
        Reading::Known(now) if now == expected => {}
        Reading::Known(Observed::Other(found)) | Reading::Unreadable(found) => return Err(found),
        _ => return Err("the clock cannot be read".into()),
    }
    let Reading::Known(now) = target.clock() else { return Err("the clock cannot be read".into()) };
    let unix = now.unix.checked_add_signed(by).ok_or_else(|| "that is before 1970".to_owned())?;
    target.set_clock(Now { unix, ..now }).map_err(|error| error.to_string())
}
