//! Repair: actions, the journal, undo and recovery. Everything that changes a target goes through here.

mod action;
mod actions;
mod journal;
mod run;
mod undo;

pub use action::{Action, PlanChanges, Settings, action, describe, names_and_settings, undo_kind};
pub use actions::{ALL, operation};
pub use journal::{AfterRestart, Event, Journal, JournalError, RunState, SavedHive, summary};
pub use run::{Run, RunError, StepDone, lock};
pub use undo::{Conflict, UndoError, UndoReport, UndoStep, recover, undo};
