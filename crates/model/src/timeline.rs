//! What happened on a machine before something broke, in the order of time.

use serde::{Deserialize, Serialize};

/// By which clock a time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The machine's own local time.
    Local,
    /// UTC, because the machine's time zone could not be read.
    Utc,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TimelineEntry {
    /// `YYYY-MM-DDTHH:MM:SS` by that clock.
    pub time: String,
    /// By which clock the time is told. Times of different clocks cannot be put in one order.
    pub clock: Clock,
    /// `failure`, `boot`, `unexpected-shutdown`, `clock`, `service`, `update`, `driver`, `program`, `drive`, `restore-point`, `upgrade`,
    /// `registry` or `file`.
    pub kind: String,
    /// A whole sentence.
    pub says: String,
    /// File, channel or hive.
    pub source: String,
    /// Line, record or key.
    pub at: String,
    /// The first failure with this code on this subject.
    pub first_failure: bool,
    /// How much it says about what broke, from 1; what says least is left out first.
    #[serde(skip)]
    pub weight: u8,
}

/// Which stretch of time the timeline shows, and what it does not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TimelineWindow {
    /// Its begin, `YYYY-MM-DDTHH:MM:SS`.
    pub from: String,
    /// Its end.
    pub to: String,
    /// By which clock both are told.
    pub clock: Clock,
    /// Why it ends there.
    pub why: String,
    /// How many things of this stretch say too little to be in the list.
    pub left_out: usize,
    /// Logs that were not there, or do not reach back to the begin: of them silence says nothing.
    pub gaps: Vec<String>,
}

/// Which evidence was left out because it is too old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SinceUsed {
    /// As it was asked for: `3d`.
    pub asked: String,
    /// The moment, `YYYY-MM-DDTHH:MM:SS`, in the machine's local time.
    pub from: String,
    /// For an age: the newest time in the machine's own evidence, from which it was counted back, and where that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_from: Option<String>,
    /// Failures that were left out.
    pub failures_left_out: usize,
    /// Objects that older log entries name and that were left out.
    pub objects_left_out: usize,
}
