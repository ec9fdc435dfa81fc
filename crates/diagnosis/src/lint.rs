//! What a guide must have before it may be shipped.

use crate::guide::Guide;
use crate::template;
use model::{FactDeclaration, Level};
use std::collections::BTreeSet;

/// What the template says where an author has to say something.
const TEMPLATE: [&str; 7] = [
    "One line that says what is wrong",
    "Title of the source (date)",
    "What happened, in plain words, and how one can tell.",
    "Why this is the right thing, in a sentence.",
    "where to click.",
    "What would show that this guide is not the answer.",
    "* The sources, in full.",
];

/// One complaint about a guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The guide's file.
    pub file: String,
    /// What is wrong and how to mend it.
    pub what: String,
}

/// Checks one guide against the facts that probes declare and the actions that exist (name and its settings).
pub fn lint(guide: &Guide, facts: &[&FactDeclaration], actions: &[(&str, &[&str])]) -> Vec<Lint> {
    let mut complaints: Vec<String> = Vec::new();
    let known = |name: &str| facts.iter().any(|fact| fact.name == name);
    let kinds: BTreeSet<&str> = facts.iter().filter_map(|fact| fact.name.split('.').next()).collect();
    if !kinds.contains(guide.each.as_str()) {
        let list: Vec<&str> = kinds.into_iter().collect();
        complaints.push(format!("each is {:?}; use {}", guide.each, list.join(", ")));
    }
    let mut check_fact = |name: &str, place: &str| {
        if !known(name) {
            complaints.push(format!("{place} asks about {name}, which no probe declares; `hresolve guides facts` lists them"));
        } else if !name.starts_with(&format!("{}.", guide.each)) && !name.starts_with("machine.") {
            complaints.push(format!("{place} asks about {name}, but the guide is about each {}", guide.each));
        }
    };
    let signs = [&guide.signs.proved, &guide.signs.likely, &guide.signs.possible];
    for question in signs.into_iter().flatten().chain(&guide.signs.against).chain(&guide.done_when).flat_map(crate::Condition::questions) {
        check_fact(&question.fact, "a condition");
    }
    for name in &guide.signs.show {
        check_fact(name, "show");
    }
    for name in template::names(&guide.object) {
        check_fact(name, "object");
    }
    for name in guide.check.iter().flat_map(|check| template::names(&check.text)) {
        check_fact(name, "check");
    }
    for step in &guide.steps {
        for text in step.spec.settings.values() {
            for name in template::names(text) {
                check_fact(name, "a step");
            }
        }
        for question in step.spec.when.iter().flat_map(crate::Condition::questions) {
            check_fact(&question.fact, "a step's when");
        }
    }
    for step in &guide.steps {
        match actions.iter().find(|(name, _)| *name == step.spec.action) {
            None => complaints.push(format!("there is no action {}", step.spec.action)),
            Some((_, settings)) => {
                for missing in settings.iter().filter(|name| !step.spec.settings.contains_key(**name)) {
                    complaints.push(format!("the action {} needs the setting {missing}", step.spec.action));
                }
                for extra in step.spec.settings.keys().filter(|name| !settings.contains(&name.as_str())) {
                    complaints.push(format!("the action {} has no setting {extra}", step.spec.action));
                }
            }
        }
        if step.heading.is_empty() {
            complaints.push("a step needs a heading above it".into());
        }
    }
    let everything = format!("{}\n{}\n{}", guide.title, guide.sources.join("\n"), guide.body);
    if let Some(left) = TEMPLATE.iter().find(|words| everything.contains(**words)) {
        complaints.push(format!("the template's own words are still in it: {left:?}"));
    }
    if guide.usual.is_none() && signs.iter().all(|sign| sign.is_none()) {
        complaints.push("a guide without signs must be a usual method (usual: N)".into());
    }
    if guide.usual.is_none() && guide.signs.proved.is_none() && guide.check.is_none() {
        complaints.push("nothing here can prove it: say in a check block what a person can look at to be sure".into());
    }
    if guide.usual.is_some() && guide.cost.is_none() {
        complaints.push("a usual method must say what it costs (cost: …)".into());
    }
    if guide.usual.is_some() && guide.steps.iter().any(|step| step.spec.level == Level::Auto) {
        complaints.push("a usual method is never auto".into());
    }
    if guide.usual.is_none() && guide.object.is_empty() {
        complaints.push("name the object that is wrong (object: …)".into());
    }
    if guide.sources.is_empty() {
        complaints.push("name at least one source (sources: …)".into());
    }
    for heading in ["Could be wrong when", "References"] {
        if !guide.body.contains(&format!("## {heading}")) {
            complaints.push(format!("the section \"## {heading}\" is missing"));
        }
    }
    complaints.extend(by_hand(guide));
    if !["none", "low", "medium", "high"].contains(&guide.risk.as_str()) {
        complaints.push(format!("risk is {:?}; use none, low, medium or high", guide.risk));
    }
    if !["full", "partly", "none"].contains(&guide.offline.as_str()) {
        complaints.push(format!("offline is {:?}; use full, partly or none", guide.offline));
    }
    if !["draft", "tested"].contains(&guide.status.as_str()) {
        complaints.push(format!("status is {:?}; use draft or tested", guide.status));
    }
    complaints.into_iter().map(|what| Lint { file: guide.file.clone(), what }).collect()
}

/// Versions of Windows as people call them, each with one that stands for it.
const VERSIONS: [(&str, u32, u32, u32); 4] = [("7", 6, 1, 7601), ("8.1", 6, 3, 9600), ("10", 10, 0, 19045), ("11", 10, 0, 26100)];

/// Every step must also be possible without this program, on every Windows that the guide is for.
fn by_hand(guide: &Guide) -> Vec<String> {
    let sections = guide.sections();
    let mut complaints = Vec::new();
    let mut told = String::new();
    let mut headings: Vec<&str> = guide.steps.iter().map(|step| step.heading.as_str()).filter(|heading| !heading.is_empty()).collect();
    headings.dedup();
    for heading in headings {
        let text: String = sections.iter().filter(|(of, _)| of == heading).map(|(_, text)| text.as_str()).collect();
        match text.split_once("**By hand**") {
            Some((_, how)) => told.push_str(how),
            None => complaints.push(format!("under \"{heading}\" say how to do it by hand (**By hand**)")),
        }
    }
    for (name, major, minor, build) in VERSIONS {
        if !told.is_empty() && guide.windows.contains_version((major, minor, build)) && !told.contains("every Windows") && !names(&told, name) {
            complaints.push(format!("say how it is done by hand in Windows {name} (or \"in every Windows\")"));
        }
    }
    complaints
}

/// Whether a number stands in a text as a word of its own: `10`, but not in `10.0`, `2010` or `110`.
fn names(text: &str, number: &str) -> bool {
    text.match_indices(number).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let mut after = text.get(at + number.len()..).unwrap_or_default().chars();
        let (next, then) = (after.next(), after.next());
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
        !(part(before) || before == Some('.') || part(next) || next == Some('.') && part(then))
    })
}

#[cfg(test)]
mod tests {
    use super::{by_hand, names};

    #[test]
    fn every_built_in_guide_says_how_by_hand() {
        let complaints: Vec<String> = crate::embedded().iter().flat_map(by_hand).collect();
        assert_eq!(complaints, Vec::<String>::new());
    }

    #[test]
    fn a_step_without_words_and_a_version_left_out_are_noticed() {
        let guide = |how: &str| {
            let text = format!(
                "---\nid: x\ntitle: t\nwindows: \">= 6.1\"\nrisk: low\noffline: full\nstatus: draft\n---\n## Do `it`\n\n{how}\n\n```step\naction: by-hand\nlevel: show\ntext: x\n```\n"
            );
            crate::Guide::parse("a/x.md", &text).map(|guide| by_hand(&guide)).unwrap_or_default()
        };
        assert!(guide("Words.").iter().any(|what| what.contains("under \"Do it\"")));
        assert_eq!(guide("**By hand**, in Windows 7, 10 and 11: so.").len(), 1, "8.1 is left out");
        assert_eq!(guide("**By hand**, in every Windows: so."), Vec::<String>::new());
    }

    #[test]
    fn a_number_is_a_word() {
        assert!(names("Windows 10 and 11.", "10") && names("Windows 10 and 11.", "11") && names("7, 8.1, 10", "8.1"));
        assert!(!names("10.0.19045, 2010, 110, 8.10", "10") && !names("8.1", "1") && !names("17", "7"));
    }
}
