//! Documents that are made from the program: facts, actions, JSON Schemas and the list of ids. `HRESOLVE_BLESS=1` writes them anew; otherwise a
//! difference fails. Real answers of the program are read back as the types that the schemas are made from.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read and write the documents")]

mod accuracy;
mod common;

use common::Machine;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Compares a document with what it should be, or writes it.
fn same(name: &str, wanted: &str) {
    let path = docs().join(name);
    if std::env::var_os("HRESOLVE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "docs/{name} is not what the program gives; write it anew with HRESOLVE_BLESS=1 cargo test -p hresolve --test generated"
    );
}

#[test]
fn facts() {
    let mut out = String::from(
        "# Facts\n\nWhat conditions and texts of guides can ask about. The part before the dot is the kind of subject (`each:` in a guide). A fact is known, absent \
         (looked at, nothing there), not collected (not part of the target) or unreadable; none of the last two is ever \"no\".\n\nMade from the program; do not edit.\n",
    );
    // A probe that only reads failures has none.
    for probe in evidence::ALL.iter().filter(|probe| !probe.facts.is_empty()) {
        write!(out, "\n## {}\n\n| fact | type | meaning |\n|---|---|---|\n", probe.name).unwrap();
        for fact in probe.facts {
            writeln!(out, "| `{}` | {} | {} |", fact.name, format!("{:?}", fact.kind).to_lowercase(), fact.meaning.replace('|', "\\|")).unwrap();
        }
    }
    same("facts.md", &out);
}

#[test]
fn actions() {
    let mut out = String::from(
        "# Actions\n\nWhat steps of guides can do. Every action reads first and plans reversible changes; what is right already is left alone. Names are permanent: they \
         stand in journals.\n\nMade from the program; do not edit.\n\n| action | settings | undo | in words |\n|---|---|---|---|\n",
    );
    for action in repair::ALL {
        let settings: repair::Settings = action.settings.iter().map(|name| ((*name).to_owned(), format!("‹{name}›"))).collect();
        let undo = format!("{:?}", action.undo).to_lowercase();
        writeln!(out, "| `{}` | {} | {undo} | {} |", action.name, action.settings.join(", "), (action.describe)(&settings)).unwrap();
    }
    same("actions.md", &out);
}

/// The words after the first of the lines of `ids.txt` that begin so, such as `guide` or `retired`.
fn listed(list: &str, first: &str) -> BTreeSet<String> {
    list.lines().filter_map(|line| line.strip_prefix(first)?.strip_prefix(' ')).map(str::to_owned).collect()
}

#[test]
fn ids_are_for_ever() {
    let path = docs().join("../knowledge/ids.txt");
    let guides = diagnosis::embedded();
    // A draft may still get another name.
    let tested = guides.iter().filter(|guide| guide.status == "tested").map(|guide| format!("guide {}", guide.id));
    let lasting: BTreeSet<String> = tested.chain(repair::ALL.iter().map(|action| format!("action {}", action.name))).collect();
    let there: BTreeSet<String> = lasting.iter().cloned().chain(guides.iter().map(|guide| format!("guide {}", guide.id))).collect();
    let mut list = std::fs::read_to_string(&path).unwrap();
    let known = |list: &str| -> BTreeSet<String> {
        ["guide", "action"].iter().flat_map(|kind| listed(list, kind).into_iter().map(move |id| format!("{kind} {id}"))).collect()
    };
    if std::env::var_os("HRESOLVE_BLESS").is_some() {
        // Only ever adds.
        let new = lasting.difference(&known(&list)).map(|id| format!("{id}\n")).collect::<String>();
        list.push_str(&new);
        std::fs::write(&path, &list).unwrap();
    }
    let (known, retired) = (known(&list), listed(&list, "retired"));
    let new: Vec<_> = lasting.difference(&known).filter(|id| !retired.contains(*id)).collect();
    assert!(new.is_empty(), "knowledge/ids.txt lacks {new:?}; HRESOLVE_BLESS=1 cargo test -p hresolve --test generated adds them");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "{gone:?}: journals and links hold ids that are gone; give them back, or mark their lines as retired");
    let again: Vec<_> = retired.intersection(&there).collect();
    assert!(again.is_empty(), "{again:?} were retired and must not mean something else now");
}

/// Distinct values, and those with a meaning, by family.
fn families() -> std::collections::BTreeMap<&'static str, (usize, usize)> {
    let mut values = std::collections::BTreeMap::<&str, std::collections::BTreeSet<(u32, codes::Kind)>>::new();
    for entry in codes::entries() {
        values.entry(entry.family).or_default().insert((entry.value, entry.kind));
    }
    let meant =
        |list: &std::collections::BTreeSet<(u32, codes::Kind)>| list.iter().filter(|(value, kind)| codes::meaning(*value, *kind).is_some()).count();
    values.into_iter().map(|(family, list)| (family, (list.len(), meant(&list)))).collect()
}

#[test]
fn codes_and_no_family_shrinks() {
    let families = families();
    // The document that is there is the floor: what it says of a family, the next table must have at least.
    let there = std::fs::read_to_string(docs().join("codes.md")).unwrap_or_default();
    for line in there.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, family, count, meant, ..] = cells[..] else { continue };
        let (Ok(count), Ok(meant)) = (count.parse::<usize>(), meant.parse::<usize>()) else { continue };
        let now = families.get(family.trim_matches('`')).copied().unwrap_or_default();
        assert!(now.0 >= count && now.1 >= meant, "{family} shrank: {now:?}, docs/codes.md says {count} and {meant}");
    }
    let (all, meant) = families.values().fold((0, 0), |(all, meant), one| (all + one.0, meant + one.1));
    let mut distinct: Vec<u32> = codes::entries().map(|entry| entry.value).collect();
    distinct.dedup();
    let mut out = format!(
        "# Error codes\n\nWhat `hresolve explain` knows by name: {all} codes ({} different numbers; the same number is one thing as a Win32 error and another as \
         a stop code), {meant} of them with a meaning in our own words. Codes that wrap another (0x80070002 wraps the Win32 error 2, 0xD0000034 an NTSTATUS) are \
         computed and not counted. Where the names come from: `knowledge/codes/README.md`.\n\nMade from the program; do not edit. A family that shrinks fails a \
         test.\n\n| family | codes | with a meaning | without |\n|---|---|---|---|\n",
        distinct.len()
    );
    for (family, (count, meant)) in &families {
        writeln!(out, "| `{family}` | {count} | {meant} | {} |", count - meant).unwrap();
    }
    same("codes.md", &out);
}

/// What people meet has no hole (of the Camera app no list is published; 12 numbers are all that public sources name): each of these families has at least so many codes, and those that they meet have a meaning each.
#[test]
fn families_are_complete() {
    let families = families();
    for (family, floor) in [
        ("servicing", 130),
        ("windows-update", 440),
        ("upgrade", 50),
        ("delivery-optimization", 25),
        ("camera", 12),
        ("device-problem", 57),
        ("media-foundation", 330),
        ("bug-check", 500),
        ("bits", 120),
        ("setupapi", 85),
    ] {
        let (count, _) = families.get(family).copied().unwrap_or_default();
        assert!(count >= floor, "{family}: {count} codes, at least {floor} are wanted");
    }
    for family in ["servicing", "windows-update", "upgrade", "camera", "device-problem"] {
        let silent: Vec<String> = codes::entries()
            .filter(|entry| entry.family == family && codes::meaning(entry.value, entry.kind).is_none())
            .map(|entry| format!("0x{:08X} {}", entry.value, entry.name))
            .collect();
        assert!(silent.is_empty(), "{family}: {silent:?}");
    }
    let silent: Vec<String> = diagnosis::embedded()
        .iter()
        .flat_map(|guide| guide.codes.clone())
        .filter(|code| codes::explain(&codes::Asked::plain(code.0)).meaning.is_none())
        .map(|code| code.to_string())
        .collect();
    assert!(silent.is_empty(), "codes that guides name, without a meaning: {silent:?}");
}

fn schema<T: schemars::JsonSchema>() -> serde_json::Value {
    sorted(serde_json::to_value(schemars::schema_for!(T)).unwrap())
}

/// Keys by name: what other packages of the workspace switch on in `serde_json` must not change a document.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let by_name: std::collections::BTreeMap<String, serde_json::Value> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            serde_json::Value::Object(by_name.into_iter().collect())
        }
        serde_json::Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn schemas() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("explanation-1.json", schema::<codes::ExplanationJson>()),
        ("collected-1.json", schema::<session::CollectedJson>()),
        ("collection-1.json", schema::<model::Collection>()),
        ("event-1.json", schema::<model::CollectedEvent>()),
        ("events-1.json", schema::<model::CollectedEvents>()),
        ("diagnosis-1.json", schema::<model::Diagnosis>()),
        ("plan-1.json", schema::<session::Plan>()),
        ("run-1.json", schema::<session::RunReport>()),
        ("targets-1.json", schema::<session::TargetsJson>()),
        ("undo-1.json", schema::<session::UndoJson>()),
    ]
}

#[test]
fn schemas_are_published() {
    for (name, schema) in schemas() {
        same(&format!("schema/{name}"), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    }
}

/// The answer as the type that its schema is made from, and back: nothing is lost, nothing is added.
fn fits<T: serde::Serialize + serde::de::DeserializeOwned>(what: &str, answer: &serde_json::Value) {
    let read: T = serde_json::from_value(answer.clone()).unwrap_or_else(|error| unreachable!("{what}: {error}\n{answer:#}"));
    assert_eq!(&serde_json::to_value(read).unwrap(), answer, "{what}");
}

#[test]
fn real_answers_are_what_the_schemas_describe() {
    for name in ["three-faults-10", "update-cache-lost", "healthy-7", "download-folder-cleaned-10"] {
        let machine = Machine::build(name);
        fits::<model::Diagnosis>("diagnosis", &machine.run(&["diagnose", "0x80070002", "--json"]).json());
        fits::<session::Plan>("plan", &machine.run(&["plan"]).json());
        fits::<session::RunReport>("dry run", &machine.run(&["fix", "--dry-run", "--json"]).json());
        fits::<session::RunReport>("run", &machine.run(&["fix", "--yes", "--json"]).json());
        if !name.starts_with("healthy") && !name.starts_with("download") {
            fits::<session::RunReport>("continued run", &machine.run(&["continue", "--still-broken", "--json"]).json());
            fits::<session::UndoJson>("undo", &machine.run(&["undo", "--json"]).json());
        }
    }
}

#[test]
fn contributing_lists_every_kind_of_subject() {
    let text = std::fs::read_to_string(docs().join("../CONTRIBUTING.md")).unwrap();
    let (_, after) = text.split_once("| `each` |").unwrap();
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|')).map(|line| line.split('`').nth(1).unwrap().to_owned());
    let kinds: std::collections::BTreeSet<String> =
        evidence::declarations().iter().map(|fact| fact.name.split('.').next().unwrap().to_owned()).collect();
    assert_eq!(rows.collect::<Vec<_>>(), kinds.into_iter().collect::<Vec<_>>(), "the table of `each` in CONTRIBUTING.md");
}

/// The rows of the cause catalogue by family, with their numbers as ranges, both ends included. The catalogue itself is not kept here; its numbers are permanent.
const ROWS: [(&str, &[(u32, u32)]); 7] = [
    ("NF", &[(1, 18), (20, 26), (30, 35), (40, 48), (50, 54), (60, 68)]),
    ("CS", &[(1, 18)]),
    ("SV", &[(1, 15)]),
    ("MS", &[(1, 6)]),
    ("SP", &[(1, 5)]),
    ("NW", &[(1, 10)]),
    ("UP", &[(1, 14)]),
];

#[test]
fn every_row_of_the_catalogue_is_a_guide_or_explained() {
    let page = std::fs::read_to_string(docs().join("not-automated.md")).unwrap();
    let guides = diagnosis::embedded();
    // One line of the page may stand for several rows: "| NW-01, SV-12 |".
    let explained: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")).flat_map(|(rows, _)| rows.split(", ")).collect();
    let known: BTreeSet<String> = ROWS
        .iter()
        .flat_map(|(family, ranges)| ranges.iter().flat_map(move |(low, high)| (*low..=*high).map(move |number| format!("{family}-{number:02}"))))
        .collect();
    assert_eq!(known.len(), 122);
    let covered = |row: &str| explained.contains(row) || guides.iter().any(|guide| guide.catalogue.iter().any(|listed| listed == row));
    let missing: Vec<_> = known.iter().filter(|row| !covered(row)).collect();
    assert!(missing.is_empty(), "{missing:?} are neither a guide (`catalogue:`) nor in docs/not-automated.md");
    // A guide cannot cite a row of these families that does not exist.
    let invented =
        |row: &&String| row.split_once('-').is_some_and(|(family, _)| ROWS.iter().any(|(known, _)| *known == family)) && !known.contains(*row);
    let invented: Vec<_> = guides.iter().flat_map(|guide| &guide.catalogue).filter(invented).collect();
    assert!(invented.is_empty(), "{invented:?} are no rows of the catalogue");
}

#[test]
fn guides_named_in_the_list_of_what_is_not_automated_exist() {
    let page = std::fs::read_to_string(docs().join("not-automated.md")).unwrap();
    let guides = diagnosis::embedded();
    for named in page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.starts_with("update-") || word.starts_with("automatic-") || word.starts_with("set-aside-"))
    {
        assert!(guides.iter().any(|guide| guide.id == named), "docs/not-automated.md names the guide {named}");
    }
}
