//! What a guide must have before it may be shipped.

use crate::guide::Guide;
use crate::template;
use model::{FactDeclaration, Level};

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
    if guide.title == "One line that says what is wrong" || guide.body.contains("What happened, in plain words, and how one can tell.") {
        complaints.push("the template's own words are still in it".into());
    }
    if guide.usual.is_none() && signs.iter().all(|sign| sign.is_none()) {
        complaints.push("a guide without signs must be a usual method (usual: N)".into());
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
    if !guide.steps.is_empty() && !guide.body.contains("By hand") {
        complaints.push("say how to do it by hand (**By hand**)".into());
    }
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
