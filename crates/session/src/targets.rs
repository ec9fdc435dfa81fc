//! Every Windows on the disks of this computer, as an answer.

use model::Installation;
use serde::{Deserialize, Serialize};

/// The answer of `targets --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TargetsJson {
    /// `hresolve/targets/1`.
    pub schema: String,
    /// The running Windows first, then those that can be used, then those that cannot, and volumes on which there may be one.
    pub targets: Vec<Installation>,
    /// What could not be looked at, and why.
    pub notes: Vec<String>,
}

impl TargetsJson {
    /// Looks at the disks of this computer; nothing is mounted, unlocked or changed.
    pub fn of_this_computer() -> TargetsJson {
        let all = target::installations();
        TargetsJson { schema: "hresolve/targets/1".into(), targets: all.found, notes: all.notes }
    }

    /// True when one of them can be named as a target now.
    pub fn any_usable(&self) -> bool {
        self.targets.iter().any(|one| one.usable)
    }
}
