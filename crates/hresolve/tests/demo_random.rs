//! `demo --random`, many times: faults that were made one by one stand together on one machine. Every draw is compared with what
//! its faults are alone: what is found, what the repair changes, whether "repaired" is true, and that undo gives the first bytes.
//!
//! `HRESOLVE_ROUNDS=100` makes 2,000 draws. A draw that fails is printed with its base and its faults.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read files and start the binary"
)]

mod common;

use common::{HRESOLVE, Machine, Ran};
use serde_json::Value;
use session::{Expectation, lab};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

const DRAWS: u32 = 20;

fn draws() -> u32 {
    DRAWS * std::env::var("HRESOLVE_ROUNDS").ok().and_then(|rounds| rounds.parse::<u32>().ok()).unwrap_or(1)
}

/// Cause, and object in lower case.
type Found = BTreeSet<(String, String)>;

fn findings(diagnosis: &Value) -> Found {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    diagnosis["findings"].as_array().unwrap().iter().map(|finding| (text(&finding["cause"]), text(&finding["object"]).to_lowercase())).collect()
}

/// One fault as it is alone on its machine.
struct Fault {
    name: &'static str,
    base: &'static str,
    expected: Found,
    fix_exit: u8,
    /// What its repair changes.
    changes: BTreeSet<String>,
    /// Whether `diagnose` has nothing more to say after the repair.
    leaves_nothing: bool,
}

impl Fault {
    fn alone(name: &str) -> Fault {
        let info = lab::machines().into_iter().find(|machine| machine.name == name).unwrap();
        let expectation = Expectation::parse(lab::expected(name).unwrap()).unwrap();
        let machine = Machine::build(name);
        assert_eq!(machine.run(&["fix", "--yes"]).exit, i32::from(expectation.fix_exit), "{name}");
        Fault {
            name: info.name,
            base: info.base.unwrap(),
            expected: expectation.expect.iter().map(|finding| (finding.cause.clone(), finding.object.to_lowercase())).collect(),
            fix_exit: expectation.fix_exit,
            changes: changes(machine.path()),
            leaves_nothing: findings(&machine.run(&["diagnose", "--json"]).json()).is_empty(),
        }
    }

    /// Whether the texts that this fault is made of name an object: a service's key, a path, a value.
    fn touches(&self, object: &str) -> bool {
        let texts = lab::texts(self.name).unwrap();
        let all: String = texts.hives.into_iter().map(|(_, text)| text).chain([texts.files]).collect();
        let all = all.to_lowercase().replace('/', "\\");
        let inside = object.strip_prefix("c:\\").or(object.strip_prefix("hklm\\")).unwrap_or(object);
        all.contains(&format!("\\{inside}]")) || all.contains(&format!("\\{inside}\\")) || (inside.contains('\\') && all.contains(inside))
    }
}

/// Every change that the journals of a machine name, without what differs in each run: the new name of what was set aside.
fn changes(machine: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let Ok(runs) = std::fs::read_dir(machine.join("ProgramData/hresolve/runs")) else { return all };
    for run in runs.map(|run| run.unwrap().path().join("journal.jsonl")).filter(|journal| journal.exists()) {
        for line in std::fs::read_to_string(run).unwrap().lines() {
            let event = &serde_json::from_str::<Value>(line).unwrap()["e"];
            for change in event["changes"].as_array().into_iter().flatten() {
                let place = ["key", "name", "path", "from"].iter().filter_map(|field| change[field].as_str()).collect::<Vec<_>>().join("|");
                all.insert(format!("{} {} {}", change["change"].as_str().unwrap(), place.to_lowercase(), change["new"]));
            }
        }
    }
    all
}

/// What is found on the machine with all these faults but one.
fn found_without(base: &str, names: &[&str], one: &str) -> Found {
    let rest: Vec<&str> = names.iter().copied().filter(|name| *name != one).collect();
    let machine = Machine { folder: tempfile::tempdir().unwrap() };
    lab::build_combined(base, &rest, machine.path()).unwrap();
    findings(&machine.run(&["diagnose", "--json"]).json())
}

/// Findings whose steps are all for a person.
fn left_to_a_person(diagnosis: &Value) -> Found {
    let all = diagnosis["findings"].as_array().unwrap().iter();
    let left = all.filter(|finding| finding["steps"].as_array().unwrap().iter().all(|step| step["level"] == "show"));
    findings(&serde_json::json!({ "findings": left.collect::<Vec<_>>() }))
}

#[derive(Debug, Default)]
struct Counts {
    repaired: u32,
    waits_or_needs_a_person: u32,
    /// Of these, machines that nothing was changed on: they are, or seem to be, in the middle of an update.
    refused: u32,
    undone: u32,
    /// Findings that another fault hid at first, and a later fix treated.
    hidden_then_treated: u32,
    /// Findings that another fault hides as long as a person has not put that right; the machine is not called repaired.
    hidden_and_not_repaired: u32,
    /// Objects that one fault broke and that are found under another cause, because of what another fault left.
    other_cause: u32,
}

fn in_folder(folder: &Path, words: &[&str]) -> Ran {
    Command::new(HRESOLVE).args(words).env("TMPDIR", folder).stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn random_faults_together_are_found_repaired_and_undone() {
    let mut alone: BTreeMap<String, Fault> = BTreeMap::new();
    let (mut counts, mut combinations, mut failed) = (Counts::default(), BTreeSet::new(), 0);
    for _ in 0..draws() {
        let scratch = tempfile::tempdir().unwrap();
        let demo = in_folder(scratch.path(), &["demo", "--random", "--json"]);
        let json = demo.json();
        let names: Vec<String> = json["faults"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        for name in &names {
            if !alone.contains_key(name) {
                alone.insert(name.clone(), Fault::alone(name));
            }
        }
        let faults: Vec<&Fault> = names.iter().map(|name| &alone[name]).collect();
        let folder = json["folder"].as_str().unwrap();
        // Every draw is looked at, also after one that failed.
        let compared = catch_unwind(AssertUnwindSafe(|| compare(&faults, &json, Path::new(folder), scratch.path(), &mut counts)));
        failed += u32::from(compared.is_err());
        combinations.insert(names.into_iter().collect::<BTreeSet<_>>());
    }
    println!("{} draws, {} different combinations of {} faults: {counts:#?}", draws(), combinations.len(), alone.len());
    assert_eq!(failed, 0, "draws failed, see above");
}

fn compare(faults: &[&Fault], demo: &Value, folder: &Path, scratch: &Path, counts: &mut Counts) {
    let names: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
    let (base, target) = (faults[0].base, folder.to_str().unwrap());
    let what = format!("{names:?} on {base}");
    let found = findings(&demo["before"]);
    let expected: Found = faults.iter().flat_map(|fault| fault.expected.clone()).collect();
    let others: Found = found.difference(&expected).cloned().collect();
    for (cause, object) in &others {
        // One of the faults did break it; which story is told may depend on what the others left.
        let broken = expected.difference(&found).any(|(_, broken)| broken == object);
        assert!(broken, "{what}: {cause} on {object}, which nobody broke");
        counts.other_cause += 1;
    }
    let missed = expected.difference(&found);
    let hidden: Found = missed.filter(|(_, object)| !others.iter().any(|(_, other)| other == object)).cloned().collect();
    // Fixed until there is nothing left that can be done here.
    let mut verdict = demo["run"]["verdict"].as_str().unwrap().to_owned();
    let (mut after, mut later) = (demo["after"].clone(), Found::new());
    for _ in 0..4 {
        later.extend(findings(&after));
        let next = in_folder(scratch, &["fix", "--yes", "--json", target]).json();
        if next["run"].is_null() {
            break;
        }
        verdict = next["verdict"].as_str().unwrap().to_owned();
        after = in_folder(scratch, &["diagnose", "--json", target]).json();
    }
    later.extend(findings(&after));
    // Another fault hides it: that one lies on the same object, with it gone the finding is there, or it is still there and needs
    // a person (work that waits for a restart explains the flag that asks for one).
    for (cause, object) in &hidden {
        let finding = (cause.clone(), object.clone());
        let others = || faults.iter().filter(|fault| !fault.expected.contains(&finding));
        let left = findings(&after);
        let waits =
            |other: &&&Fault| other.expected.iter().any(|one| left.contains(one)) && found_without(base, &names, other.name).contains(&finding);
        let hides = others().any(|fault| fault.touches(object)) || later.contains(&finding);
        let open = || verdict != "repaired" && others().any(|other| waits(&other));
        assert!(hides || open(), "{what}: {cause} on {object} was not found, no other fault touches it, and no repair brings it to light");
    }
    let made = changes(folder);
    let missing: BTreeSet<&String> = faults.iter().flat_map(|fault| &fault.changes).filter(|change| !made.contains(*change)).collect();
    let repaired = verdict == "repaired";
    if repaired {
        assert!(missing.is_empty(), "{what} is called repaired, but these repairs were not made: {missing:#?}");
        assert!(findings(&after).is_empty(), "{what} is called repaired, but a diagnosis finds {:?}", findings(&after));
        assert!(faults.iter().all(|fault| fault.fix_exit == 0 && fault.leaves_nothing), "{what} is called repaired, but not all of it can be");
        counts.hidden_then_treated += hidden.intersection(&later).count() as u32;
    } else {
        assert!(faults.iter().any(|fault| fault.fix_exit != 0), "{what} ends as {verdict}");
        // What another fault turns into advice (an update server makes it a managed machine, whose policies are not touched).
        let left = left_to_a_person(&after);
        let open = |change: &&&String| {
            let owners: Vec<&&Fault> = faults.iter().filter(|fault| fault.changes.contains(**change)).collect();
            !owners.iter().any(|fault| fault.expected.iter().any(|finding| hidden.contains(finding) || left.contains(finding)))
        };
        let missing: Vec<_> = missing.iter().filter(open).collect();
        if verdict == "refused" {
            // Two faults together may look like an update in the middle of its work, which nobody touches.
            assert!(made.is_empty() && !demo["run"]["why_not"].as_array().unwrap().is_empty(), "{what}: refused, but changed: {made:#?}");
            counts.refused += 1;
        } else {
            assert!(missing.is_empty(), "{what}: these repairs were not made: {missing:#?}");
        }
        counts.hidden_and_not_repaired += hidden.difference(&later).count() as u32;
        counts.hidden_then_treated += hidden.intersection(&later).count() as u32;
    }
    let union: BTreeSet<&String> = faults.iter().flat_map(|fault| &fault.changes).collect();
    let more: Vec<&String> = made.iter().filter(|change| !union.contains(change)).collect();
    assert!(more.is_empty(), "{what}: changed what no fault alone needs: {more:#?}");
    *(if repaired { &mut counts.repaired } else { &mut counts.waits_or_needs_a_person }) += 1;

    // The newest run first, until none is left.
    while in_folder(scratch, &["undo", "--json", target]).json()["verdict"] == "undone" {
        let runs = in_folder(scratch, &["runs", "--json", target]).json();
        let run = runs["runs"].as_array().unwrap().last().unwrap()["run"].as_str().unwrap().to_owned();
        assert_eq!(in_folder(scratch, &["forget", "--yes", &run, target]).exit, 0, "{what}");
    }
    let fresh = tempfile::tempdir().unwrap();
    lab::build_combined(base, &names, fresh.path()).unwrap();
    let machine = Machine { folder: fresh };
    let mut now = common::fingerprint(folder);
    now.retain(|path, _| !path.starts_with("ProgramData/hresolve"));
    assert_eq!(now, machine.fingerprint(), "{what}: undo did not give the first bytes");
    counts.undone += 1;
}
