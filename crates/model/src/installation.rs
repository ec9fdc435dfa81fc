//! A Windows on a disk of this computer, and what stands against using it.

use crate::{WhyNot, WindowsVersion};
use serde::{Deserialize, Serialize};

/// A Windows, or a volume on which there may be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Installation {
    /// What is named to use it: `live`, a drive, a folder. Of a volume that is not mounted, its device.
    pub path: String,
    /// Which Windows it is; nothing where that was not seen.
    pub windows: Option<WindowsVersion>,
    /// True when it can be named as a target now. Whether it can be changed, too, `why_not` says.
    pub usable: bool,
    /// Why it cannot be used; of one that can be, why nothing can be changed in it now.
    pub why_not: Vec<Obstacle>,
    /// What to type, in this order.
    pub how: Vec<String>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Obstacle {
    /// A name for programs: one of the reasons of a run that was refused (`hibernated`, `not-elevated` …), or `not-mounted`, `not-readable`,
    /// `bitlocker`, `refs`, `dirty-volume`, `unclean-journal`.
    pub reason: String,
    /// What it means and what to do, in sentences.
    pub says: String,
}

impl Obstacle {
    /// A reason with its sentences.
    pub fn new(reason: &str, says: impl Into<String>) -> Self {
        Obstacle { reason: reason.into(), says: says.into() }
    }
}

impl From<&WhyNot> for Obstacle {
    fn from(why: &WhyNot) -> Self {
        Obstacle::new(why.name(), why.explain())
    }
}
