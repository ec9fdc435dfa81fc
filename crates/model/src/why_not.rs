//! Why nothing may be changed now: a closed list, each with an explanation and a way out.

use serde::{Deserialize, Serialize};

/// A reason to refuse. Outcomes, not errors: each says what it means and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum WhyNot {
    /// Windows is in the middle of installing updates: `RebootPending` and `pending.xml` both exist.
    RestartPending,
    /// `hiberfil.sys` holds a sleeping Windows (hibernation or Fast Startup).
    Hibernated,
    /// A hive was not closed properly and its logs cannot bring it up to date.
    DirtyHive {
        /// The hive's name, for example `SYSTEM`.
        hive: String,
        /// What is wrong with the logs.
        why: String,
    },
    /// The folder or volume cannot be written.
    ReadOnly {
        /// What the system said.
        why: String,
    },
    /// The place where runs are kept is not safe or cannot be written.
    NoJournal {
        /// What is wrong there.
        why: String,
    },
    /// `Select\Default` and `Select\Current` name different control sets.
    ControlSetsDiffer {
        /// The set of the last run.
        current: u32,
        /// The set of the next boot.
        default: u32,
    },
    /// What was opened is a bundle of logs that somebody sent, not a Windows.
    Bundle,
    /// Another run is working on this target right now.
    Busy,
    /// The running Windows may be changed by administrators only, and this program was started without their rights.
    NotElevated,
    /// The computer runs on a battery that is nearly empty, and a step takes long and must not be cut off.
    BatteryLow {
        /// Its charge in percent.
        percent: u8,
    },
    /// The machine is not what the plan expects.
    PlanMismatch {
        /// What differs.
        why: String,
    },
}

impl WhyNot {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            WhyNot::RestartPending => "restart-pending",
            WhyNot::Hibernated => "hibernated",
            WhyNot::DirtyHive { .. } => "dirty-hive",
            WhyNot::ReadOnly { .. } => "read-only",
            WhyNot::NoJournal { .. } => "no-journal",
            WhyNot::ControlSetsDiffer { .. } => "control-sets-differ",
            WhyNot::Bundle => "bundle",
            WhyNot::Busy => "busy",
            WhyNot::NotElevated => "not-elevated",
            WhyNot::BatteryLow { .. } => "battery-low",
            WhyNot::PlanMismatch { .. } => "plan-mismatch",
        }
    }

    /// What it means and what to do about it, in plain sentences.
    pub fn explain(&self) -> String {
        match self {
            WhyNot::RestartPending => "Windows is in the middle of installing updates (RebootPending and pending.xml are both there). \
                Start this Windows once and let it finish (on the running Windows, `hresolve fix --restart` does that and goes on afterwards), or \
                revert the pending update with DISM /RevertPendingActions, then run hresolve again."
                .into(),
            WhyNot::Hibernated => "This Windows is asleep, not shut down (hiberfil.sys holds a hibernated or Fast Startup session). \
                Changes made now would be lost or would damage it. Start it and choose Shut down while holding Shift, then try again."
                .into(),
            WhyNot::DirtyHive { hive, why } => format!(
                "The registry hive {hive} was not closed properly and cannot be brought up to date ({why}). It was read as it is, \
                but nothing will be written to it. Start this Windows once and shut it down properly, then try again."
            ),
            WhyNot::ReadOnly { why } => {
                format!("This target cannot be written ({why}). Mount it read-write, or run with enough rights, then try again.")
            }
            WhyNot::NoJournal { why } => format!(
                "The undo record cannot be kept ({why}), so nothing was changed. Free or repair that place, or name another with --state-dir."
            ),
            WhyNot::ControlSetsDiffer { current, default } => format!(
                "The last run used control set {current}, the next boot uses {default}. Changes go to {default} only with your consent: add --yes."
            ),
            WhyNot::Bundle => "This is a bundle of logs, not a Windows, so there is nothing in it to repair. `hresolve diagnose` says what \
                it shows and which steps would help. To carry them out, run hresolve on the machine itself or on its mounted volume."
                .into(),
            WhyNot::Busy => "Another hresolve is working on this target. Wait until it has finished, then try again.".into(),
            WhyNot::NotElevated => "Changing the running Windows needs administrator rights, and this program was started without them. Start \
                it from a console that was opened with \"Run as administrator\", then try again."
                .into(),
            WhyNot::BatteryLow { percent } => format!(
                "The computer runs on its battery, which is at {percent} %. Windows' own repairs take long and should not be cut off: plug it in, then try again."
            ),
            WhyNot::PlanMismatch { why } => format!("The machine is not as the plan expects ({why}). Diagnose it again and make a new plan."),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::WhyNot;

    #[test]
    fn names_are_those_of_json() {
        let why = || "x".to_owned();
        for one in [
            WhyNot::RestartPending,
            WhyNot::Hibernated,
            WhyNot::DirtyHive { hive: "SYSTEM".into(), why: why() },
            WhyNot::ReadOnly { why: why() },
            WhyNot::NoJournal { why: why() },
            WhyNot::ControlSetsDiffer { current: 1, default: 2 },
            WhyNot::Bundle,
            WhyNot::Busy,
            WhyNot::NotElevated,
            WhyNot::BatteryLow { percent: 7 },
            WhyNot::PlanMismatch { why: why() },
        ] {
            assert_eq!(serde_json::to_value(&one).unwrap()["reason"], one.name());
        }
    }
}
