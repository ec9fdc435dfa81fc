//! Facts and guides in, findings and their steps out.

use crate::condition::{Condition, Truth, lookup};
use crate::guide::Guide;
use crate::template;
use model::{Confidence, ErrorCode, Evidence, Facts, Finding, Level, Subject, WindowsVersion};
use std::collections::BTreeMap;

/// One step of a finding's plan, ready to be described and run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// The action's name.
    pub action: String,
    /// The action's settings with every fact filled in.
    pub settings: BTreeMap<String, String>,
    /// Who decides; already lowered.
    pub level: Level,
    /// Why it can only be shown, when a fact it needs is not there.
    pub blocked: Option<String>,
    /// The heading in the guide.
    pub heading: String,
    /// What only the person can say, when the step needs that.
    pub choice: Choice,
}

/// Something that is never inferred. Facts for it end with `.chosen` and are known only when a person said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The step needs none.
    NotNeeded,
    /// The person said it.
    Made,
    /// Nobody said it yet; how to say it.
    Open(String),
}

/// A finding with its plan. The finding's own `steps` are filled by the session, which knows the actions' words.
#[derive(Debug, Clone)]
pub struct Found {
    /// The finding.
    pub finding: Finding,
    /// What would put it right.
    pub steps: Vec<PlannedStep>,
    /// The guide's place in the order of treatment.
    pub order: u32,
    /// The finding bears on the code that the person asked about.
    pub bears: bool,
}

/// Every finding, those that explain first, then by confidence, then in the order of treatment.
pub fn find(facts: &Facts, guides: &[Guide], windows: &WindowsVersion, asked: Option<ErrorCode>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for guide in guides.iter().filter(|guide| guide.windows.contains(windows)) {
        for subject in facts.of_kind(&guide.each) {
            if let Some(confidence) = confidence(guide, facts, subject) {
                found.push(one(guide, facts, subject, confidence, asked));
            }
        }
    }
    found.sort_by_key(|found| (found.finding.explains.is_empty(), std::cmp::Reverse(found.finding.confidence), found.order));
    found
}

fn confidence(guide: &Guide, facts: &Facts, subject: &Subject) -> Option<Confidence> {
    let holds = |condition: &Option<Condition>| condition.as_ref().is_some_and(|condition| condition.holds(facts, subject) == Truth::True);
    if holds(&guide.signs.proved) {
        Some(Confidence::Proved)
    } else if holds(&guide.signs.likely) {
        Some(Confidence::Likely)
    } else if holds(&guide.signs.possible) {
        Some(Confidence::Possible)
    } else {
        None
    }
}

fn one(guide: &Guide, facts: &Facts, subject: &Subject, confidence: Confidence, asked: Option<ErrorCode>) -> Found {
    let mut explains: Vec<serde_json::Value> = Vec::new();
    if confidence == Confidence::Proved {
        if let Some(code) = asked.filter(|code| guide.produces(*code)) {
            explains.push(code.to_string().into());
        }
        for failure in facts.failures.iter().filter(|failure| !failure.resolved && !failure.transient) {
            let Ok(code) = failure.code.parse::<ErrorCode>() else { continue };
            if guide.produces(code) {
                let text = serde_json::Value::from(failure.code.clone());
                if !explains.contains(&text) {
                    explains.push(text);
                }
                explains.push(failure.id.into());
            }
        }
    }
    let object = template::fill(&guide.object, facts, subject).unwrap_or_else(|_| subject.name.clone());
    let finding = Finding {
        cause: guide.id.clone(),
        title: guide.title.clone(),
        confidence,
        explains,
        codes: guide.codes.iter().map(ErrorCode::to_string).collect(),
        object,
        evidence: evidence(guide, facts, subject, confidence),
        steps: Vec::new(),
        subject: subject.name.clone(),
    };
    let bears = asked.is_some_and(|code| guide.bears_on(code));
    Found { finding, steps: steps(guide, facts, subject, confidence), order: guide.order, bears }
}

fn evidence(guide: &Guide, facts: &Facts, subject: &Subject, confidence: Confidence) -> Vec<Evidence> {
    let condition = match confidence {
        Confidence::Proved => &guide.signs.proved,
        Confidence::Likely => &guide.signs.likely,
        Confidence::Possible => &guide.signs.possible,
    };
    let mut list: Vec<Evidence> = Vec::new();
    let mut add = |name: &str, supports: bool| {
        let Some(fact) = lookup(name, facts, subject) else { return };
        let evidence = Evidence { says: fact.says.clone(), source: fact.source.clone(), at: fact.at.clone(), supports };
        if !evidence.says.is_empty() && !list.iter().any(|known| known.says == evidence.says) {
            list.push(evidence);
        }
    };
    for question in condition.iter().flat_map(Condition::questions) {
        // Only what was seen to hold is evidence; the other side of an "any" is not, nor are names and our own table.
        let ours = [".role", ".sourced", ".name", ".known"].iter().any(|ending| question.fact.ends_with(ending));
        if question.holds(facts, subject) == Truth::True && !ours {
            add(&question.fact, true);
        }
    }
    for name in &guide.signs.show {
        if lookup(name, facts, subject).is_some_and(|fact| fact.reading.known().is_some()) {
            add(name, true);
        }
    }
    for condition in guide.signs.against.iter().filter(|condition| condition.holds(facts, subject) == Truth::True) {
        for question in condition.questions() {
            add(&question.fact, false);
        }
    }
    list
}

/// The steps of a usual method, which has no signs: never above `ask`.
pub fn usual_steps(guide: &Guide, facts: &Facts, machine: &Subject) -> Vec<PlannedStep> {
    steps(guide, facts, machine, Confidence::Possible)
}

fn steps(guide: &Guide, facts: &Facts, subject: &Subject, confidence: Confidence) -> Vec<PlannedStep> {
    let mut planned = Vec::new();
    for step in &guide.steps {
        let when = step.spec.when.as_ref().map_or(Truth::True, |when| when.holds(facts, subject));
        if when == Truth::False {
            continue;
        }
        // Weak evidence lowers the promise; it never rises.
        let mut level = if confidence == Confidence::Proved { step.spec.level } else { step.spec.level.lowered_to(Level::Ask) };
        let mut blocked = None;
        if when == Truth::Unknown {
            level = Level::Show;
            blocked = Some("whether it is needed could not be seen".to_owned());
        }
        let mut settings = BTreeMap::new();
        let mut choice = Choice::NotNeeded;
        for (name, text) in &step.spec.settings {
            match template::fill(text, facts, subject) {
                Ok(filled) => {
                    if template::names(text).iter().any(|fact| is_choice(fact)) && choice == Choice::NotNeeded {
                        choice = Choice::Made;
                    }
                    settings.insert(name.clone(), filled);
                }
                Err(fact) if is_choice(&fact) && lookup(&fact, facts, subject).is_some_and(|fact| fact.reading.is_absent()) => {
                    choice = Choice::Open(lookup(&fact, facts, subject).map(|fact| fact.says.clone()).unwrap_or_default());
                    settings.insert(name.clone(), text.clone());
                }
                Err(fact) => {
                    level = Level::Show;
                    blocked = Some(format!("it needs {fact}, which is not known here"));
                    settings.insert(name.clone(), text.clone());
                }
            }
        }
        planned.push(PlannedStep { action: step.spec.action.clone(), settings, level, blocked, heading: step.heading.clone(), choice });
    }
    planned
}

fn is_choice(fact: &str) -> bool {
    fact.ends_with(".chosen")
}

/// Whether two names mean the same thing: to Windows upper and lower case are one, and a name may come back spelled otherwise.
pub fn same_subject(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

/// Whether a finding's signs still hold, proved or likely, in freshly read facts.
pub fn still_wrong(guide: &Guide, facts: &Facts, subject: &str) -> bool {
    facts.of_kind(&guide.each).any(|there| same_subject(&there.name, subject) && confidence(guide, facts, there).is_some())
}

/// Whether the guide's `done-when` holds in freshly read facts; true when the guide names none. A subject that is gone is right
/// when the guide asks nothing more about it.
pub fn is_right(guide: &Guide, facts: &Facts, subject: &str) -> bool {
    match (&guide.done_when, facts.of_kind(&guide.each).find(|there| same_subject(&there.name, subject))) {
        (Some(condition), Some(there)) => condition.holds(facts, there) == Truth::True,
        (Some(_), None) => false,
        (None, _) => true,
    }
}
