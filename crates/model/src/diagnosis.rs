//! The result of `diagnose`, as stored and sent (`hresolve/diagnosis/1`).

use crate::{Failure, Finding, NotChecked, SinceUsed, TargetKind, TimelineEntry, TimelineWindow, WindowsVersion};
use serde::{Deserialize, Serialize};

/// The overall answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing found, and nothing that matters was left unread.
    Healthy,
    /// At least one finding.
    Faulty,
    /// Something failed or was asked about, and no cause was found, or something that matters could not be read.
    Undetermined,
}

/// Which target was diagnosed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TargetInfo {
    /// Its kind.
    pub kind: TargetKind,
    /// The path as given.
    pub path: String,
    /// Its Windows, when that could be read.
    pub windows: Option<WindowsVersion>,
}

/// How long each part took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Timing {
    /// Opening the target.
    pub open: u64,
    /// Reading facts.
    pub read: u64,
    /// Comparing facts with guides.
    pub diagnose: u64,
}

/// Everything that a diagnosis says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Diagnosis {
    /// Always `hresolve/diagnosis/1`.
    pub schema: String,
    /// What was looked at.
    pub target: TargetInfo,
    /// The code the person asked about, as `0x80070002`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Which evidence was left out as too old; only with `--since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<SinceUsed>,
    /// The overall answer.
    pub verdict: Verdict,
    /// What failed on the machine.
    pub failures: Vec<Failure>,
    /// Causes found; those that explain come first, in the order of treatment.
    pub findings: Vec<Finding>,
    /// Where nothing proved explains what was found: the cheapest look that decides between two causes, or about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_check: Option<NextCheck>,
    /// What was not looked at.
    pub not_checked: Vec<NotChecked>,
    /// What this version does not check on this kind of target.
    pub out_of_scope: Vec<String>,
    /// What happened before it first broke, in the order of time; only with `--timeline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Vec<TimelineEntry>>,
    /// Which stretch of time that is; only with `--timeline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline_window: Option<TimelineWindow>,
    /// How long it took.
    pub timing_ms: Timing,
}

/// A look that a person can take to decide between causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NextCheck {
    /// Guide ids: the cause that is decided about, and the one that competes with it, if any.
    pub between: Vec<String>,
    /// About how many minutes it takes.
    pub minutes: u32,
    /// What to look at, and what it means.
    pub says: String,
}
