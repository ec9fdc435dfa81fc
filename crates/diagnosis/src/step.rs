//! A step of a guide as data: which action, with what, and who decides.

use crate::condition::Condition;
use model::Level;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One ```` ```step ```` block.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StepSpec {
    /// The action's permanent name.
    pub action: String,
    /// The promise this step makes at most.
    pub level: Level,
    /// The step belongs to the plan only when this holds.
    #[serde(default)]
    pub when: Option<Condition>,
    /// The action's own settings; `{fact}` stands for a fact's value.
    #[serde(flatten)]
    pub settings: BTreeMap<String, String>,
}
