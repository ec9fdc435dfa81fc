//! Diagnosis: facts read, compared with guides, and put into the shape that is stored and sent.

use crate::session::Session;
use diagnosis::{Choice, Found, PlannedStep};
use model::{Diagnosis, ErrorCode, Facts, Here, Level, NotChecked, Reading, StepView, UndoKind, Verdict};
use target::Stopwatch;

/// A diagnosis with the plans that belong to its findings, in the same order.
#[derive(Debug, Clone)]
pub struct Diagnosed {
    /// What is stored and sent.
    pub diagnosis: Diagnosis,
    /// The findings with their plans.
    pub found: Vec<Found>,
    /// The code that was asked about.
    pub asked: Option<ErrorCode>,
    /// Sentences about how the target was read.
    pub notes: Vec<String>,
}

/// What this version does not look at, so that nobody takes silence for health.
const OUT_OF_SCOPE: [&str; 5] = [
    "the content of the component store, but for what the logs name",
    "event logs, but for failed updates, services, databases of updating and the computer's drives",
    "drivers and devices, but for failed installations",
    "network, proxy, update servers and certificates",
    "people's own registry hives, but for the places of their folders",
];

/// A file that no Windows has: a target that does not say that it is absent does not hold a whole Windows.
pub(crate) fn never_there(target: &dyn target::Target) -> model::VolumePath {
    target.windows_folder().join("System32").join("hresolve-is-not-here")
}

impl Session {
    /// Reads the machine and compares it with the guides. Changes nothing.
    pub fn diagnose(&self, asked: Option<ErrorCode>) -> Diagnosed {
        let watch = Stopwatch::start();
        let facts = self.facts();
        let read = watch.milliseconds();
        let mut diagnosed = self.judge(&facts, asked);
        diagnosed.diagnosis.timing_ms = model::Timing { open: self.open_ms, read, diagnose: watch.milliseconds().saturating_sub(read) };
        diagnosed
    }

    /// The same from facts that were read already.
    pub(crate) fn judge(&self, facts: &Facts, asked: Option<ErrorCode>) -> Diagnosed {
        let mut found = diagnosis::find(facts, &self.guides, self.target.windows(), asked);
        for one in &mut found {
            one.finding.steps = one.steps.iter().map(|step| self.view(step)).collect();
        }
        let mut not_checked = facts.not_checked.clone();
        not_checked.extend(self.unread());
        let unexplained = facts.failures.iter().any(|failure| !failure.resolved && !failure.transient);
        let verdict = if !found.is_empty() {
            Verdict::Faulty
        } else if unexplained || asked.is_some() || not_checked.iter().any(|item| item.blocking) {
            Verdict::Undetermined
        } else {
            Verdict::Healthy
        };
        let diagnosis = Diagnosis {
            schema: "hresolve/diagnosis/1".into(),
            target: self.target.info(),
            asked: asked.map(|code| code.to_string()),
            verdict,
            failures: facts.failures.clone(),
            findings: found.iter().map(|one| one.finding.clone()).collect(),
            not_checked,
            out_of_scope: OUT_OF_SCOPE.iter().map(|what| (*what).to_owned()).collect(),
            timing_ms: model::Timing::default(),
        };
        Diagnosed { diagnosis, found, asked, notes: self.target.notes() }
    }

    /// What the kind of target keeps from being seen; "healthy" cannot be said then.
    fn unread(&self) -> Vec<NotChecked> {
        let mut list = Vec::new();
        for reason in self.target.why_not() {
            if let model::WhyNot::DirtyHive { hive, why } = reason {
                list.push(NotChecked { what: format!("the newest state of the registry hive {hive}"), why, blocking: true });
            }
        }
        let shows_all = !matches!(self.target.entry(&never_there(self.target.as_target())), Reading::NotCollected);
        if !shows_all && self.target.info().kind == model::TargetKind::Bundle {
            list.extend(self.not_in_bundle());
        } else if !shows_all {
            list.push(NotChecked {
                what: "the files of Windows".into(),
                why: "the folder holds the registry but not a whole Windows".into(),
                blocking: true,
            });
        }
        list
    }

    /// A bundle never shows a whole Windows.
    fn not_in_bundle(&self) -> Vec<NotChecked> {
        let missing = |what: String| NotChecked { what, why: "it is not in the bundle".into(), blocking: true };
        let hives = ["SYSTEM", "SOFTWARE"].into_iter().filter(|hive| matches!(self.target.key(&format!("HKLM\\{hive}")), Reading::NotCollected));
        let files = missing("the files of Windows, but for those that were packed".into());
        hives.map(|hive| missing(format!("the registry hive {hive}"))).chain([files]).collect()
    }

    /// A step as people and scripts see it.
    pub(crate) fn view(&self, step: &PlannedStep) -> StepView {
        let mut says = repair::describe(&step.action, &step.settings);
        if let Some(why) = &step.blocked {
            says = format!("{says} (cannot be done from here: {why})");
        }
        if let Choice::Open(how) = &step.choice {
            says = format!("{says}: {how}");
        }
        let here = match step.level {
            Level::Show if step.action == "in-windows" => Here::FirstBoot,
            Level::Show => Here::ByHand,
            // Nothing is done to a bundle.
            Level::Ask | Level::Auto if self.target.info().kind == model::TargetKind::Bundle => Here::ByHand,
            Level::Ask | Level::Auto => Here::Now,
        };
        let undo = if step.level == Level::Show { UndoKind::None } else { repair::undo_kind(&step.action) };
        StepView { action: step.action.clone(), level: step.level, says, undo, here }
    }
}
