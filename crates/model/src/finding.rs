//! What a diagnosis says: failures that happened, findings about their causes, and what was not looked at.

use crate::{Confidence, Level};
use serde::{Deserialize, Serialize};

/// One operation that failed on the machine, joined from its own records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Failure {
    /// Number within this diagnosis, from 1.
    pub id: u32,
    /// `update`, `feature-update`, `driver`, `scan`, `download`, `device`, `app` or `boot`.
    pub operation: String,
    /// The code as `0x80070002`.
    pub code: String,
    /// What was being worked on: the update's title or id.
    pub subject: String,
    /// Stage: `scan`, `download`, `install`, `restart`.
    pub phase: String,
    /// Local time of the first such failure, `YYYY-MM-DDTHH:MM:SS`.
    pub first: String,
    /// Local time of the last one.
    pub last: String,
    /// How often.
    pub count: u32,
    /// The same operation succeeded later.
    pub resolved: bool,
    /// A state that passes by itself (another installation running, service stopping).
    pub transient: bool,
    /// File or channel.
    pub source: String,
    /// Line or record.
    pub at: String,
}

/// One piece of evidence for or against a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Evidence {
    /// A whole sentence.
    pub says: String,
    /// Hive, path or channel.
    pub source: String,
    /// Value, line or record.
    pub at: String,
    /// True when it speaks for the finding, false when against.
    #[serde(rename = "for")]
    pub supports: bool,
}

/// Where a step can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Here {
    /// On this target, now.
    Now,
    /// Queued for the first boot.
    FirstBoot,
    /// By a person.
    ByHand,
}

/// What undo gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UndoKind {
    /// The same bytes, names and times.
    Exact,
    /// As good as before, not the same bytes.
    Approximate,
    /// Nothing to undo or not possible.
    None,
}

/// A step as shown to people and scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StepView {
    /// The action's permanent name.
    pub action: String,
    /// Who decides.
    pub level: Level,
    /// The sentence, made from the same data that is run.
    pub says: String,
    /// What undo gives back.
    pub undo: UndoKind,
    /// Where it can be done.
    pub here: Here,
}

/// A cause, found on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// The guide's permanent id.
    pub cause: String,
    /// The guide's title.
    pub title: String,
    /// How sure it is that this state is wrong.
    pub confidence: Confidence,
    /// Codes (text) and failure ids (numbers) that it is shown to have caused.
    pub explains: Vec<serde_json::Value>,
    /// Codes that this cause is known to produce.
    pub codes: Vec<String>,
    /// The thing that is wrong.
    pub object: String,
    /// What speaks for and against it.
    pub evidence: Vec<Evidence>,
    /// What would put it right, least invasive first.
    pub steps: Vec<StepView>,
    /// Which subject it is about, to ask again after a change.
    #[serde(skip)]
    pub subject: String,
}

/// Something that was not looked at, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NotChecked {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
    /// True when "healthy" cannot be said without it.
    pub blocking: bool,
}
