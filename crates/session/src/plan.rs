//! A plan: what a fix would do, written down so that somebody else can have it done – and only while the machine is still as it
//! was when the plan was made.
//!
//! A plan is untrusted input: it names guides and expected states, never commands. What runs is always what this program's own
//! guides give now; the plan can only stop it.

use crate::fix::{FixRequest, Ui};
use crate::session::{Session, SessionError};
use model::{Change, ErrorCode};
use repair::{Event, Journal};
use serde::{Deserialize, Serialize};
use std::path::Path;
use target::Now;

/// The state of one hive that the plan expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlanHive {
    /// `SYSTEM` or `SOFTWARE`.
    pub hive: String,
    /// sha256 of the primary file.
    pub sha256: String,
    /// sha256 of each log by name.
    pub logs: Vec<(String, String)>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlanStep {
    /// The guide's id.
    pub cause: String,
    /// What it is about.
    pub subject: String,
    /// The action's name.
    pub action: String,
    /// The sentence.
    pub says: String,
    /// The changes, with what is expected to be there before.
    pub changes: Vec<Change>,
}

/// What a fix would do (`hresolve/plan/1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// Always `hresolve/plan/1`.
    pub schema: String,
    /// When it was made, UTC.
    pub made: String,
    /// By which hresolve.
    pub program: String,
    /// By what the machine is recognised.
    pub machine: String,
    /// Its Windows, for people.
    pub windows: String,
    /// The code that was asked about.
    pub asked: Option<ErrorCode>,
    /// The time zone that the person named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The hives as they were.
    pub hives: Vec<PlanHive>,
    /// What would be done, in order.
    pub steps: Vec<PlanStep>,
}

impl Plan {
    /// Parses a plan file.
    ///
    /// # Errors
    /// A sentence: why it is not a plan that this version reads.
    pub fn parse(text: &str) -> Result<Plan, String> {
        let plan: Plan = serde_json::from_str(text).map_err(|error| format!("this is not a plan that this version reads: {error}"))?;
        if plan.schema == "hresolve/plan/1" {
            Ok(plan)
        } else {
            Err(format!("this plan has the format {:?}; this version reads hresolve/plan/1", plan.schema))
        }
    }

    /// How the plan that would be made now differs; `None` when it does not.
    pub fn difference(&self, now: &Plan) -> Option<String> {
        if self.machine != now.machine {
            return Some(format!("it was made for another machine ({})", self.windows));
        }
        for hive in &self.hives {
            match now.hives.iter().find(|there| there.hive == hive.hive) {
                Some(there) if there == hive => {}
                _ => return Some(format!("the registry hive {} has changed since the plan was made", hive.hive)),
            }
        }
        let same = |one: &PlanStep, other: &PlanStep| {
            (&one.cause, &one.subject, &one.action) == (&other.cause, &other.subject, &other.action)
                && unnamed(&one.changes) == unnamed(&other.changes)
        };
        if self.steps.len() != now.steps.len() {
            return Some(format!("it has {} steps, but {} are needed now", self.steps.len(), now.steps.len()));
        }
        let different = self.steps.iter().zip(&now.steps).find(|(one, other)| !same(one, other));
        different.map(|(one, _)| format!("the step \"{}\" does not fit the machine any more", one.says))
    }
}

/// Changes without the part of a name that differs from run to run (`SoftwareDistribution.hresolve-1a2b`).
fn unnamed(changes: &[Change]) -> Vec<String> {
    let one = |change: &Change| {
        let text = serde_json::to_string(change).unwrap_or_default();
        match text.split_once(".hresolve-") {
            Some((before, after)) => format!("{before}.hresolve-{}", after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-')),
            None => text,
        }
    };
    changes.iter().map(one).collect()
}

impl Session {
    /// What a fix with full consent would do now. The machine is only read; `scratch` takes the journal of the layer in memory.
    ///
    /// # Errors
    /// As [`Session::fix`]; also when the machine may not be changed now.
    pub fn plan(mut self, request: &FixRequest, scratch: &Path, ui: &mut dyn Ui, now: Now) -> Result<Plan, SessionError> {
        // By how much a clock is off is true for a moment, and a plan is for later.
        self.clock.forbid_network();
        let mut hives = Vec::new();
        for hive in ["SYSTEM", "SOFTWARE"] {
            if let Ok(state) = self.target.hive_state(hive) {
                hives.push(PlanHive { hive: state.hive, sha256: state.primary, logs: state.logs });
            }
        }
        let (machine, windows) = (self.target.machine(), self.target.windows().to_string());
        let time_zone = self.time_zone.clone();
        let report = self.dry_run(request, scratch, ui, now)?;
        // A plan without steps would say that nothing needs to be done.
        if let Some(why) = report.why_not.into_iter().next() {
            return Err(SessionError::Run(repair::RunError::Refused(why)));
        }
        let store = target::StateStore::in_folder(scratch);
        let mut steps = Vec::new();
        if let Ok(run) = store.find(None) {
            let (journal, _) = Journal::read(run).map_err(repair::UndoError::from)?;
            let kept: Vec<u32> = journal.in_force().into_iter().map(|(step, _)| step).collect();
            for event in journal.events {
                match event {
                    Event::Started { step, cause, subject, action, says, changes, .. } if kept.contains(&step) => {
                        steps.push(PlanStep { cause, subject, action, says, changes });
                    }
                    Event::OperationStarted { cause, subject, action, says, .. } => {
                        steps.push(PlanStep { cause, subject, action, says, changes: Vec::new() });
                    }
                    _ => {}
                }
            }
        }
        Ok(Plan {
            schema: "hresolve/plan/1".into(),
            made: now.iso(),
            program: crate::VERSION.into(),
            machine,
            windows,
            asked: request.asked,
            time_zone,
            hives,
            steps,
        })
    }
}
