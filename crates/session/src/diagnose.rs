//! Diagnosis: facts read, compared with guides, and put into the shape that is stored and sent.

use crate::session::{Session, SessionError};
use diagnosis::{Choice, Found, PlannedStep};
use model::{Diagnosis, ErrorCode, Facts, Here, Level, NotChecked, Reading, StepView, UndoKind, Value, Verdict};
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
const OUT_OF_SCOPE: [&str; 6] = [
    "the content of the component store and of its registry hive, but for what the logs name",
    "event logs, but for failed updates, services, databases of updating, the computer's drives and files that Defender took away",
    "drivers and devices, but for failed installations",
    "whether names, proxies and servers answer; the list of certificates; permissions of files and keys",
    "other drives, the EFI system partition and the boot configuration",
    "people's own registry hives, but for the places of their folders",
];

/// The moment that a person typed, with their words.
fn since_when(typed: &str) -> Result<(evidence::Since, &str), SessionError> {
    let since = evidence::Since::parse(typed);
    let wrong = || SessionError::Usage(format!("--since {typed:?} is no moment. It takes {}.", evidence::SINCE_FORMS));
    Ok((since.ok_or_else(wrong)?, typed))
}

/// Whether a typed moment can be understood.
///
/// # Errors
/// The accepted forms, when not.
pub fn check_since(typed: &str) -> Result<(), SessionError> {
    since_when(typed).map(|_| ())
}

/// That older evidence was left out, as something that was not looked at.
fn too_old(used: &model::SinceUsed) -> NotChecked {
    let counted = used
        .counted_from
        .as_ref()
        .map(|newest| format!(", counted back from the newest time in this machine's evidence, {}", newest.replacen('T', " ", 1)));
    NotChecked {
        what: format!("what logs told last before {}", used.from.replace('T', " ")),
        why: format!(
            "--since {} leaves it out{}: {} failure(s) and {} object(s) that logs name",
            used.asked,
            counted.unwrap_or_default(),
            used.failures_left_out,
            used.objects_left_out
        ),
        blocking: false,
    }
}

/// A file that no Windows has: a target that does not say that it is absent does not hold a whole Windows.
pub(crate) fn never_there(target: &dyn target::Target) -> model::VolumePath {
    target.windows_folder().join("System32").join("hresolve-is-not-here")
}

/// What a diagnosis is asked for.
#[derive(Debug, Clone, Default)]
pub struct DiagnoseRequest {
    /// The code that the person came with.
    pub asked: Option<ErrorCode>,
    /// Leave out what logs told last before then; as typed, one of [`evidence::SINCE_FORMS`].
    pub since: Option<String>,
    /// Also show what happened before it first broke.
    pub timeline: bool,
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

    /// The same, with old evidence left out before the guides see it, and with what happened before it first broke.
    ///
    /// # Errors
    /// When the moment from which evidence counts cannot be understood or counted back from anything.
    pub fn diagnose_as(&self, request: &DiagnoseRequest) -> Result<Diagnosed, SessionError> {
        if !request.timeline && request.since.is_none() {
            return Ok(self.diagnose(request.asked));
        }
        let since = request.since.as_deref().map(since_when).transpose()?;
        let watch = Stopwatch::start();
        let mut facts = self.facts();
        let mut history = self.reading(evidence::history);
        let mut used = None;
        if let Some((since, typed)) = since {
            used = Some(evidence::leave_out(self.target.as_target(), &mut facts, &history, since, typed).map_err(SessionError::Usage)?);
        }
        let read = watch.milliseconds();
        let mut diagnosed = self.judge(&facts, request.asked);
        if let Some(used) = used {
            diagnosed.diagnosis.not_checked.push(too_old(&used));
            diagnosed.diagnosis.since = Some(used);
        }
        if request.timeline {
            self.add_timeline(&facts, &mut history, &mut diagnosed);
        }
        diagnosed.diagnosis.timing_ms = model::Timing { open: self.open_ms, read, diagnose: watch.milliseconds().saturating_sub(read) };
        Ok(diagnosed)
    }

    fn add_timeline(&self, facts: &Facts, history: &mut evidence::History, diagnosed: &mut Diagnosed) {
        for found in &diagnosed.found {
            let finding = &found.finding;
            let subject = self.guide(&finding.cause).and_then(|guide| facts.subject(&guide.each, &finding.subject));
            let texts = subject.into_iter().flat_map(|subject| subject.facts()).filter_map(|(_, fact)| match fact.reading.known() {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            });
            evidence::add_written(self.target.as_target(), history, finding, &texts.collect::<Vec<String>>());
        }
        let findings: Vec<&model::Finding> = diagnosed.found.iter().map(|found| &found.finding).collect();
        let since = diagnosed.diagnosis.since.as_ref().map(|used| used.from.as_str());
        let about = evidence::About { failures: &facts.failures, findings: &findings, asked: diagnosed.asked, since };
        let (timeline, window) = evidence::timeline(history, &about);
        diagnosed.diagnosis.timeline = Some(timeline);
        diagnosed.diagnosis.timeline_window = window;
    }

    /// The same from facts that were read already.
    pub(crate) fn judge(&self, facts: &Facts, asked: Option<ErrorCode>) -> Diagnosed {
        let mut found = diagnosis::find(facts, &self.guides, self.target.windows(), asked);
        for one in &mut found {
            self.settle(&mut one.steps);
            one.finding.steps = one.steps.iter().map(|step| self.view(step)).collect();
        }
        let mut not_checked = facts.not_checked.clone();
        not_checked.extend(self.unread());
        self.weigh_clock(&mut not_checked, &facts.failures, asked);
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
            since: None,
            verdict,
            failures: facts.failures.clone(),
            findings: found.iter().map(|one| one.finding.clone()).collect(),
            next_check: diagnosis::next_check(&found, &self.guides, facts),
            not_checked,
            out_of_scope: OUT_OF_SCOPE.iter().map(|what| (*what).to_owned()).collect(),
            timeline: None,
            timeline_window: None,
            timing_ms: model::Timing::default(),
        };
        let notes = self.target.notes().into_iter().chain(crate::clock::right(facts)).collect();
        Diagnosed { diagnosis, found, asked, notes }
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
            Level::Show if crate::operate::waits_for_windows(step) && step.blocked.is_none() => Here::FirstBoot,
            Level::Show => Here::ByHand,
            // Nothing is done to a bundle.
            Level::Ask | Level::Auto if self.target.info().kind == model::TargetKind::Bundle => Here::ByHand,
            Level::Ask | Level::Auto => Here::Now,
        };
        let undo = if step.level == Level::Show { UndoKind::None } else { repair::undo_kind(&step.action) };
        StepView { action: step.action.clone(), level: step.level, says, undo, here }
    }
}
