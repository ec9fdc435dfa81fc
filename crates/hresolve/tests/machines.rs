//! Every practice machine, by the real binary: found, treated, read back by another program, undone; healthy ones untouched.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read files and start the binary"
)]

mod common;

use common::{Machine, Oracle, Values, has_program, hivex_export, skip};
use serde_json::Value;
use session::{Expectation, lab};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn sick() -> Vec<Expectation> {
    expectations().into_iter().filter(|machine| machine.sick).collect()
}

fn expectations() -> Vec<Expectation> {
    lab::machines().iter().map(|machine| Expectation::parse(lab::expected(machine.name).unwrap()).unwrap()).collect()
}

fn findings(json: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    json["findings"].as_array().unwrap().iter().map(|finding| (text(&finding["cause"]), text(&finding["object"]).to_lowercase())).collect()
}

/// What must be found on a machine, as [`findings`] gives it.
fn expected(machine: &Expectation) -> Vec<(String, String)> {
    machine.expect.iter().map(|one| (one.cause.clone(), one.object.to_lowercase())).collect()
}

/// What a run repaired and found right afterwards, as [`findings`] gives it.
fn repaired(json: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let verified = json["verified"].as_array().unwrap().iter().filter(|one| one["right"] == true);
    verified.map(|one| (text(&one["cause"]), text(&one["object"]).to_lowercase())).collect()
}

#[test]
fn there_are_enough_machines() {
    let machines = lab::machines();
    for name in ["healthy-7", "healthy-10-22h2", "healthy-11-24h2", "update-cache-lost"] {
        assert!(machines.iter().any(|machine| machine.name == name), "{name}");
    }
    assert!(machines.iter().filter(|machine| machine.sick).count() >= 30);
}

/// What no disk shows, because only a running Windows has it: `crates/session/tests/clock.rs` gives practice machines a clock.
const SHOWN_ELSEWHERE: [&str; 1] = ["clock-off"];

#[test]
fn every_guide_with_signs_is_shown_by_a_machine() {
    let shown: BTreeSet<String> = sick().into_iter().flat_map(|machine| machine.expect).map(|expected| expected.cause).collect();
    for guide in diagnosis::embedded().iter().filter(|guide| guide.usual.is_none()) {
        assert!(shown.contains(&guide.id) != SHOWN_ELSEWHERE.contains(&guide.id.as_str()), "no machine shows {}", guide.id);
    }
}

#[test]
fn healthy_machines_stay_untouched() {
    for machine in expectations().into_iter().filter(|machine| !machine.sick) {
        let built = Machine::build(&machine.machine);
        let before = common::fingerprint(built.path());
        for words in [&["diagnose", "--json"][..], &["fix", "--yes", "--json"], &["fix", "--yes"], &["--json"]] {
            let ran = built.run(words);
            assert_eq!(ran.exit, 0, "{} {words:?}\n{}{}", machine.machine, ran.stdout, ran.stderr);
        }
        assert_eq!(before, common::fingerprint(built.path()), "{} was changed", machine.machine);
    }
}

#[test]
fn sick_machines_are_found_first_time() {
    for machine in sick() {
        let built = Machine::build(&machine.machine);
        let before = common::fingerprint(built.path());
        let ran = built.run(&["diagnose", "--json"]);
        assert_eq!(ran.exit, i32::from(machine.diagnose_exit), "{}\n{}", machine.machine, ran.stdout);
        let found = findings(&ran.json());
        let wanted = expected(&machine);
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), wanted.iter().collect::<BTreeSet<_>>(), "{}", machine.machine);
        assert!(wanted.contains(&found[0]), "{}: {:?} comes first", machine.machine, found[0]);
        if let Some(code) = machine.code() {
            let ran = built.run(&["diagnose", "--json", &code.to_string()]);
            assert_eq!(ran.exit, 1, "{} with its code", machine.machine);
            assert!(wanted.contains(&findings(&ran.json())[0]), "{} with its code", machine.machine);
        }
        assert_eq!(before, common::fingerprint(built.path()), "diagnose changed {}", machine.machine);
    }
}

/// The lines of an export that differ, key by key.
fn registry_difference(before: &str, after: &str) -> Vec<String> {
    let lines = |text: &str| -> BTreeSet<String> {
        let mut key = String::new();
        text.lines()
            .map(|line| {
                if line.starts_with('[') {
                    key = line.to_owned();
                }
                format!("{key} {line}")
            })
            .collect()
    };
    lines(before).symmetric_difference(&lines(after)).cloned().collect()
}

fn exports(machine: &Path) -> BTreeMap<String, String> {
    let config = machine.join("Windows/System32/config");
    ["SYSTEM", "SOFTWARE", "DEFAULT"].iter().filter_map(|name| Some(((*name).to_owned(), hivex_export(&config.join(name))?))).collect()
}

/// What the journal says was changed: `(key, value)` of the registry, and the names of files.
fn journalled(run: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut values, mut files) = (BTreeSet::new(), BTreeSet::new());
    for line in std::fs::read_to_string(run.join("journal.jsonl")).unwrap().lines() {
        let event = &serde_json::from_str::<Value>(line).unwrap()["e"];
        for change in event["changes"].as_array().into_iter().flatten() {
            let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
            match change["change"].as_str().unwrap() {
                "set-value" | "delete-value" => values.insert(format!("{}\\{}", text("key"), text("name"))),
                "create-key" => values.insert(text("key")),
                // Whatever lies below a key that was removed or made whole.
                "remove-key" | "put-key" => values.insert(format!("{}\\**", text("key"))),
                "rename" => files.insert(text("from")) | files.insert(text("to")),
                _ => files.insert(text("path")),
            };
        }
    }
    (values, files)
}

#[test]
fn sick_machines_are_repaired_and_undone() {
    let oracle = has_program("hivexregedit");
    if !oracle {
        skip("hivexregedit (package libhivex-bin) is not installed, so the registry is not read back by another program");
    }
    let mut changed_objects = 0;
    for machine in sick() {
        let name = &machine.machine;
        let built = Machine::build(name);
        let first = built.fingerprint();
        let registry = exports(built.path());
        let ran = built.run(&["fix", "--yes", "--json"]);
        assert_eq!(ran.exit, i32::from(machine.fix_exit), "{name}\n{}{}", ran.stdout, ran.stderr);
        let json = ran.json();
        let Some(run) = json["run"].as_str() else {
            // 4: it waits for the running Windows; 1: only a person can do it, or there is no proof.
            assert!(matches!(machine.fix_exit, 1 | 4), "{name} was not treated");
            assert_eq!(first, built.fingerprint(), "{name} was changed without a run");
            continue;
        };
        let run = built.path().join("ProgramData/hresolve/runs").join(run);
        let (values, files) = journalled(&run);
        changed_objects += values.len() + files.len();
        // Nothing but what the journal names is different, by the file system and by another reader of hives.
        let after = built.fingerprint();
        for (path, _) in first.iter().filter(|(path, there)| after.get(*path) != Some(there)) {
            assert!(allowed(path, &files, &values), "{name}: {} changed", path.display());
        }
        for (path, _) in after.iter().filter(|(path, _)| !first.contains_key(*path)) {
            assert!(allowed(path, &files, &values), "{name}: {} is new", path.display());
        }
        if oracle {
            for (hive, now) in exports(built.path()) {
                for line in registry_difference(&registry[&hive], &now) {
                    assert!(values.iter().any(|value| names(&line, value)), "{name}: {hive}: {line}");
                }
            }
        }
        // A fresh diagnosis has what was expected but what was verified as repaired, and nothing else; a second fix has nothing to do.
        let mut left = findings(&built.run(&["diagnose", "--json"]).json());
        let repaired = repaired(&json);
        assert!(!repaired.is_empty(), "{name}: nothing was verified");
        let mut wanted = expected(&machine);
        wanted.retain(|one| !repaired.contains(one));
        left.sort();
        wanted.sort();
        assert_eq!(left, wanted, "{name} after the repair of {repaired:?}");
        assert!(left.is_empty() || machine.fix_exit != 0, "{name} after the repair: {left:?}");
        let second = built.run(&["fix", "--yes", "--json"]);
        assert!(second.json()["run"].is_null(), "{name}: a second fix did something\n{}", second.stdout);
        assert_eq!(after, built.fingerprint(), "{name}: the second fix changed something");
        let undo = built.run(&["undo", "--json"]);
        assert_eq!(undo.exit, 0, "{name}\n{}{}", undo.stdout, undo.stderr);
        assert_eq!(first, built.fingerprint(), "{name} is not as before");
        let undone = built.run(&["undo", "--json"]);
        assert_eq!((undone.exit, undone.json()["verdict"].as_str()), (0, Some("nothing-to-undo")), "{name}");
        assert_eq!(first, built.fingerprint(), "{name}: the second undo changed something");
        // And it can be repaired again.
        assert_eq!(built.run(&["fix", "--yes", "--json"]).exit, i32::from(machine.fix_exit), "{name}, the second time");
    }
    println!("{changed_objects} objects changed on {} machines", sick().len());
}

/// A path of the file system that the journal names, or a hive in which it names a value.
fn allowed(path: &Path, files: &BTreeSet<String>, values: &BTreeSet<String>) -> bool {
    let windows = format!("\\{}", path.to_string_lossy().replace('/', "\\")).to_lowercase();
    let named = files.iter().map(|file| file.to_lowercase()).any(|file| windows == file || windows.starts_with(&format!("{file}\\")));
    let hive = windows.strip_prefix("\\windows\\system32\\config\\");
    named
        || hive.is_some_and(|hive| {
            values.iter().any(|value| value.to_lowercase().replace("hku\\.default", "hklm\\default").starts_with(&format!("hklm\\{hive}\\")))
        })
        || windows == "\\programdata"
}

/// True when an exported line `[\key] "value"=…` belongs to that value.
fn names(line: &str, value: &str) -> bool {
    if let Some(tree) = value.strip_suffix("\\**") {
        let inside = tree.splitn(3, '\\').nth(2).unwrap_or_default().to_lowercase();
        let key = line.to_lowercase();
        return [']', '\\'].iter().any(|end| key.starts_with(&format!("[\\{inside}{end}")));
    }
    // A new key is a head and a blank line in the export.
    let created = value.splitn(3, '\\').nth(2).unwrap_or_default().to_lowercase();
    if line.to_lowercase().strip_prefix(&format!("[\\{created}] ")).is_some_and(|rest| rest.is_empty() || rest == format!("[\\{created}]")) {
        return true;
    }
    let (key, name) = value.rsplit_once('\\').unwrap();
    let inside = key.split_once('\\').and_then(|(_, rest)| rest.split_once('\\')).map_or("", |(_, inside)| inside);
    line.to_lowercase().contains(&format!("[\\{}]", inside.to_lowercase())) && line.to_lowercase().contains(&format!("\"{}\"=", name.to_lowercase()))
}

const HIVES: [&str; 3] = ["SYSTEM", "SOFTWARE", "DEFAULT"];

type Meant = BTreeMap<(String, String, String), Option<(String, String)>>;

/// Every value of a whole key that is put there, or gone.
fn meant_tree(meant: &mut Meant, hive: &str, key: &str, tree: &Value, put: bool) {
    for value in tree["values"].as_array().into_iter().flatten() {
        let data = (value[1]["type"].to_string(), value[1]["data"].as_str().unwrap().to_owned());
        meant.insert((hive.to_owned(), key.to_owned(), value[0].as_str().unwrap().to_lowercase()), put.then_some(data));
    }
    for below in tree["subkeys"].as_array().into_iter().flatten() {
        meant_tree(meant, hive, &format!("{key}\\{}", below[0].as_str().unwrap().to_lowercase()), &below[1], put);
    }
}

/// What the journal means each value to be: hive, key inside it and name, all in lower case, to type and data; `None` for "gone".
fn meant(run: &Path) -> Meant {
    let mut meant = Meant::new();
    for line in std::fs::read_to_string(run.join("journal.jsonl")).unwrap().lines() {
        let event = &serde_json::from_str::<Value>(line).unwrap()["e"];
        for change in event["changes"].as_array().into_iter().flatten().filter(|change| change["key"].is_string()) {
            let lower = |name: &str| change[name].as_str().unwrap().to_lowercase();
            if change["tree"].is_object() {
                let (hive, inside) = change["key"].as_str().unwrap().trim_start_matches("HKLM\\").split_once('\\').unwrap();
                meant_tree(&mut meant, &hive.to_lowercase(), &format!("\\{inside}").to_lowercase(), &change["tree"], change["change"] == "put-key");
                continue;
            }
            if !change["name"].is_string() {
                continue;
            }
            let key = lower("key").replace("hku\\.default", "hklm\\default");
            let (hive, inside) = key.trim_start_matches("hklm\\").split_once('\\').unwrap();
            let new = change["new"].as_object().map(|new| (new["type"].to_string(), new["data"].as_str().unwrap().to_owned()));
            meant.insert((hive.to_owned(), format!("\\{inside}"), lower("name")), new);
        }
    }
    meant
}

#[test]
fn two_other_libraries_read_the_meant_values_and_nothing_else_new() {
    let Some(mut oracle) = Oracle::start() else { return };
    let mut compared = 0;
    for machine in sick() {
        let built = Machine::build(&machine.machine);
        let config = built.path().join("Windows/System32/config");
        let read = |oracle: &mut Oracle| -> Vec<Values> {
            HIVES
                .iter()
                .flat_map(|hive| ["regipy", "dissect"].map(|library| (*hive, library)))
                .map(|(hive, library)| oracle.values(library, &config.join(hive)))
                .collect()
        };
        let before = read(&mut oracle);
        let ran = built.run(&["fix", "--yes", "--json"]);
        let Some(run) = ran.json()["run"].as_str().map(str::to_owned) else { continue };
        let meant = meant(&built.path().join("ProgramData/hresolve/runs").join(run));
        for (number, (before, after)) in before.iter().zip(read(&mut oracle)).enumerate() {
            let hive = HIVES[number / 2].to_lowercase();
            let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            let different = all
                .into_iter()
                .filter(|place| before.get(*place) != after.get(*place))
                .map(|(key, name)| (hive.clone(), key.to_lowercase(), name.to_lowercase()));
            let wanted: BTreeSet<_> = meant.keys().filter(|(of, _, _)| *of == hive).cloned().collect();
            assert_eq!(different.collect::<BTreeSet<_>>(), wanted, "{}", machine.machine);
            for ((key, name), value) in &after {
                if let Some(new) = meant.get(&(hive.clone(), key.to_lowercase(), name.to_lowercase())) {
                    assert_eq!(Some(value), new.as_ref(), "{}: {key}\\{name}", machine.machine);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared >= 40, "only {compared} values were compared");
}

#[test]
fn without_consent_only_safe_steps_are_made() {
    for machine in sick() {
        let built = Machine::build(&machine.machine);
        let before: BTreeMap<PathBuf, String> = built.fingerprint();
        let ran = built.run(&["fix", "--json"]);
        let json = ran.json();
        let steps = json["steps"].as_array().unwrap();
        let waits = steps.iter().any(|step| step["state"] == "consent-needed");
        for step in steps.iter().filter(|step| step["state"] == "done") {
            let action = step["action"].as_str().unwrap();
            assert!(matches!(action, "set-registry-value" | "add-to-list"), "{}: {action} was made without consent", machine.machine);
        }
        if waits {
            assert_eq!(ran.exit, 1, "{}\n{}", machine.machine, ran.stdout);
        }
        if json["run"].is_null() {
            assert_eq!(before, built.fingerprint(), "{}", machine.machine);
        }
    }
}

#[test]
fn a_dry_run_changes_nothing() {
    for machine in sick() {
        let built = Machine::build(&machine.machine);
        let before = common::fingerprint(built.path());
        let ran = built.run(&["fix", "--dry-run", "--json"]);
        assert_eq!((ran.exit, ran.json()["verdict"].as_str()), (1, Some("planned")), "{}\n{}", machine.machine, ran.stdout);
        assert_eq!(before, common::fingerprint(built.path()), "{}", machine.machine);
    }
}

#[test]
fn both_codes_have_the_same_ladder() {
    let ladder = |code: &str| -> Vec<String> {
        let ran = common::run(&["guide", code, "--json"]);
        ran.json()["guides"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let one = ladder("0x80070002");
    assert_eq!(one, ladder("-2147024893"));
    assert!(one.len() > 10);
}
