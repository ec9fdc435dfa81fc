//! What `fix`, `continue` and `undo` say, as stored and sent (`hresolve/run/1`, `hresolve/undo/1`).

use model::{NotChecked, WhyNot};
use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunVerdict {
    /// Nothing was wrong.
    Healthy,
    /// `--dry-run`: something would be done.
    Planned,
    /// A fresh diagnosis no longer has the treated findings.
    Repaired,
    /// Repaired, and what had failed works: the update was installed, or the person said so.
    Fixed,
    /// Something waits for a restart or the running system.
    Waiting,
    /// Something that was found is still there.
    NotRepaired,
    /// Nothing was found that bears on the code.
    Undetermined,
    /// Refused for a named reason; nothing was changed.
    Refused,
    /// A step failed and could not be taken back completely.
    UndoFailed,
}

impl RunVerdict {
    /// The exit code, as README lists them.
    pub fn exit_code(self) -> u8 {
        match self {
            RunVerdict::Healthy | RunVerdict::Repaired | RunVerdict::Fixed => 0,
            RunVerdict::Planned | RunVerdict::NotRepaired => 1,
            RunVerdict::Waiting | RunVerdict::Undetermined => 4,
            RunVerdict::Refused => 5,
            RunVerdict::UndoFailed => 6,
        }
    }

    /// The word used in JSON and journals.
    pub fn as_str(self) -> &'static str {
        match self {
            RunVerdict::Healthy => "healthy",
            RunVerdict::Planned => "planned",
            RunVerdict::Repaired => "repaired",
            RunVerdict::Fixed => "fixed",
            RunVerdict::Waiting => "waiting",
            RunVerdict::NotRepaired => "not-repaired",
            RunVerdict::Undetermined => "undetermined",
            RunVerdict::Refused => "refused",
            RunVerdict::UndoFailed => "undo-failed",
        }
    }
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunStep {
    /// The guide's id; `try-again` when the update that had failed was tried again.
    pub cause: String,
    /// The thing that is wrong.
    pub object: String,
    /// The action's name.
    pub action: String,
    /// The sentence.
    pub says: String,
    /// `done`, `skipped`, `failed`, `undone`, `undo-failed`, `shown`, `queued`, `consent-needed`, `planned`.
    pub state: String,
    /// What was there.
    pub before: String,
    /// What is there now.
    pub after: String,
    /// What was read back, or why not.
    pub read_back: String,
}

impl RunStep {
    /// A step that was not made, as the journal keeps it for a later report.
    pub(crate) fn left(&self) -> repair::Event {
        repair::Event::Left {
            cause: self.cause.clone(),
            action: self.action.clone(),
            says: self.says.clone(),
            state: self.state.clone(),
            why: self.read_back.clone(),
        }
    }
}

/// What was asked again after a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verified {
    /// The guide's id.
    pub cause: String,
    /// The thing.
    pub object: String,
    /// True when it is right now.
    pub right: bool,
    /// In words.
    pub says: String,
}

/// A usual method that has not been tried: no evidence here, only advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LadderRung {
    /// The guide's id, for `--only`.
    pub cause: String,
    /// Its title.
    pub title: String,
    /// What it would do.
    pub says: Vec<String>,
    /// What it costs.
    pub cost: String,
    /// Windows is restarted, so it also needs `--restart`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub restart: bool,
}

/// The result of `fix` and `continue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunReport {
    /// Always `hresolve/run/1`.
    pub schema: String,
    /// The run's name; absent when nothing was changed and none was begun.
    pub run: Option<String>,
    /// How it ended.
    pub verdict: RunVerdict,
    /// Every step.
    pub steps: Vec<RunStep>,
    /// What was asked again.
    pub verified: Vec<Verified>,
    /// What was left alone, and why.
    pub not_needed: Vec<String>,
    /// What could not be looked at though "right again" cannot be said of it without.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub not_checked: Vec<NotChecked>,
    /// Why it was refused.
    pub why_not: Vec<WhyNot>,
    /// Usual methods that remain, in order; labelled as advice without evidence.
    pub next: Vec<LadderRung>,
    /// What else a person should know about this run.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// Something waits for a restart of Windows; the notes say who does it and what comes then.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub restart_needed: bool,
    /// An earlier interrupted run that was brought back first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub recovered: Vec<String>,
}

impl RunReport {
    /// A report of a run that was refused before it began.
    pub fn refused(verdict: RunVerdict, why_not: Vec<WhyNot>) -> Self {
        RunReport { why_not, ..RunReport::new(verdict) }
    }

    pub(crate) fn new(verdict: RunVerdict) -> Self {
        RunReport {
            schema: "hresolve/run/1".into(),
            run: None,
            verdict,
            steps: Vec::new(),
            verified: Vec::new(),
            not_needed: Vec::new(),
            not_checked: Vec::new(),
            why_not: Vec::new(),
            next: Vec::new(),
            notes: Vec::new(),
            restart_needed: false,
            recovered: Vec::new(),
        }
    }
}

/// One object of an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UndoJsonStep {
    /// The object.
    pub object: String,
    /// `undone`, `already`, `conflict`, `kept` (what Windows did itself).
    pub state: String,
    /// In words.
    pub says: String,
}

/// The result of `undo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UndoJson {
    /// Always `hresolve/undo/1`.
    pub schema: String,
    /// The run.
    pub run: String,
    /// Every object.
    pub steps: Vec<UndoJsonStep>,
    /// Objects left alone, each with what to do by hand.
    pub conflicts: Vec<String>,
    /// `undone`, `nothing-to-undo` or `undo-failed`.
    pub verdict: String,
}

impl UndoJson {
    /// The exit code, as README lists them.
    pub fn exit_code(&self) -> u8 {
        if self.conflicts.is_empty() { 0 } else { 6 }
    }
}
