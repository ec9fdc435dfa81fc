//! The documents are true: the transcript, the table, the links, and every test, crate, command and machine that they name.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly, and these read the documents and start the program"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const DOCUMENTS: [&str; 7] = ["README.md", "ARCHITECTURE.md", "SAFETY.md", "CONTRIBUTING.md", "STYLE.md", "CHANGELOG.md", "docs/try-real-data.md"];
const README_COMMANDS: [&str; 2] = ["cargo run --release -- demo 0x80070002", "cargo test --workspace"];
const NOT_YET: &str = "not yet";
/// How the transcript names the practice machine's folder.
const DEMO_FOLDER: &str = concat!("/t", "mp/hresolve-demo");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| unreachable!("{name}: {error}"))
}

/// Runs the program without a terminal, with its temporary folders in `scratch`.
fn hresolve(words: &[&str], scratch: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hresolve"));
    command.args(words).env("TMPDIR", scratch).stdin(Stdio::null());
    command.output().unwrap()
}

fn says(words: &[&str], scratch: &Path) -> String {
    String::from_utf8(hresolve(words, scratch).stdout).unwrap()
}

/// Every file of the project, relative to its root: all but version control and build results.
fn project_files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().unwrap();
            // A folder, or in a linked worktree a file that names one.
            if name == ".git" {
                continue;
            }
            if kind.is_dir() && name != "target" || kind.is_dir() && path.join("Cargo.toml").is_file() {
                walk(&path, found);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found
}

/// What stands between two marks, each time.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split_once(close)).map(|(inside, _)| inside).collect()
}

/// Text in single backquotes outside fenced blocks.
fn code_spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

/// The lines of fenced blocks of that language.
fn fenced(text: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    between(text, &fence, "\n```").iter().flat_map(|block| block.lines()).map(str::to_owned).collect()
}

/// The rows of the table whose head begins so, as cells.
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let at = text.find(&format!("| {head}")).unwrap_or_else(|| unreachable!("there is no table {head:?}"));
    let rows = text.get(at..).unwrap().lines().take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn paragraphs(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            all.push(String::new());
        } else {
            let last = all.last_mut().unwrap();
            last.push_str(line);
            last.push('\n');
        }
    }
    all.retain(|paragraph| !paragraph.is_empty());
    all
}

/// Replaces runs' names, which hold the moment, by a fixed one.
fn without_run_names(text: &str) -> String {
    let is_run = |word: &str| {
        let parts: Vec<&str> = word.split('-').collect();
        matches!(parts[..], [stamp, nanos, unique] if stamp.len() == 16 && stamp.ends_with('Z') && nanos.len() == 9 && unique.len() == 4)
    };
    let mut out = String::new();
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let rest = piece.get(word.len()..).unwrap_or_default();
        out.push_str(if is_run(word) { "20260101T000000Z-000000000-0000" } else { word });
        out.push_str(rest);
    }
    out
}

/// What the program says, with the folder and the run named as in the documents.
fn normalised(text: &str) -> String {
    let folder = text.lines().find_map(|line| line.strip_prefix("A practice machine was built in ")).unwrap().to_owned();
    without_run_names(&text.replace(&format!("\"{folder}\""), &folder).replace(&folder, DEMO_FOLDER))
}

#[test]
fn the_transcript_in_the_readme_is_what_the_program_says() {
    let scratch = tempfile::tempdir().unwrap();
    let ran = hresolve(&["demo", "0x80070002"], scratch.path());
    assert_eq!(ran.status.code(), Some(0));
    let actual = paragraphs(&normalised(&String::from_utf8(ran.stdout).unwrap()));
    let readme = read("README.md");
    let recorded = between(&readme, "<!-- transcript: hresolve demo 0x80070002 -->\n```text\n", "\n```");
    let recorded = paragraphs(recorded.first().expect("README.md has the transcript"));
    let left_out = |paragraph: &String| paragraph.trim() == "…";
    // Blocks between two … must follow each other in the output; the first and the last must be its first and last.
    let mut at = 0;
    for (number, piece) in recorded.split(left_out).enumerate() {
        let found = (at..=actual.len().saturating_sub(piece.len())).find(|start| actual.get(*start..*start + piece.len()) == Some(piece));
        let whole = actual.join("\n");
        let start = found.unwrap_or_else(|| unreachable!("README.md shows\n{}\nbut the program says\n{whole}", piece.join("\n")));
        assert!(number > 0 || start == 0, "the transcript begins later than the output");
        assert!(number == 0 || start > at, "… stands where nothing was left out, before\n{}", piece.join("\n"));
        at = start + piece.len();
    }
    assert_eq!(at, actual.len(), "the transcript ends before the output");
}

#[test]
fn the_readme_has_exactly_its_two_commands() {
    let readme = read("README.md");
    for command in README_COMMANDS {
        assert_eq!(readme.matches(command).count(), 1, "{command}");
    }
    let commands: Vec<&str> = readme.lines().filter(|line| line.starts_with("cargo ")).collect();
    assert_eq!(commands, README_COMMANDS);
    assert!(readme.contains("<!-- place for the second transcript: hresolve demo 0xA00F4292 -->"));
}

#[test]
fn the_readme_names_every_exit_code() {
    let codes: Vec<String> = table(&read("README.md"), "code |").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6"]);
    let help = says(&["--help"], Path::new("."));
    let listed = between(&help, "Exit codes:", "Usage").concat();
    for code in codes {
        assert!(listed.contains(&format!("{code} ")), "--help does not name {code}");
    }
}

#[test]
fn the_table_of_classic_steps_is_true() {
    let scratch = tempfile::tempdir().unwrap();
    let rows = table(&read("README.md"), "classic step of the guides");
    assert!(rows.len() >= 6, "five classic steps and the services");
    let log = scratch.path().join("CBS.log");
    fs::write(&log, "2025-06-01 00:00:00, Info CBS nothing\n").unwrap();
    let live = hresolve(&["diagnose", "live"], scratch.path()).status.code() != Some(2);
    let logs = hresolve(&["diagnose", log.to_str().unwrap()], scratch.path()).status.code() != Some(3);
    let guides = diagnosis::embedded();
    for row in rows {
        let [step, command, on_live, offline, on_logs, test] = &row[..] else { unreachable!("six cells: {row:?}") };
        for (cell, word, offered) in [(on_live, "yes", live), (on_logs, "named", logs)] {
            assert!(cell == NOT_YET || cell == word && offered, "{step}: {cell:?}");
        }
        let linked: Vec<&str> = between(step, "](", ")");
        if offline == NOT_YET {
            assert!(linked.is_empty() && command == NOT_YET && test == NOT_YET, "{step} is half there");
            continue;
        }
        if offline == "by hand" {
            assert!(code_spans(command).iter().any(|span| span.starts_with("hresolve guide ")), "{step} names no guide to follow");
            continue;
        }
        assert_eq!(offline, "yes", "{step}");
        assert!(!linked.is_empty(), "{step} names no guide");
        for link in linked {
            let file = link.strip_prefix("knowledge/guides/").expect("a link to a guide");
            let guide = guides.iter().find(|guide| guide.file == file).unwrap_or_else(|| unreachable!("no guide {file}"));
            assert!(["full", "partly"].contains(&guide.offline.as_str()), "{file} cannot be done offline");
            assert!(!guide.steps.is_empty(), "{file} has no step");
        }
        assert!(code_spans(command).iter().any(|span| span.starts_with("hresolve ")), "{step} names no command");
        assert!(code_spans(test).iter().any(|span| span.contains("::")), "{step} names no test");
    }
}

#[test]
fn steps_that_are_not_there_yet_are_marked_so() {
    let rows = table(&read("README.md"), "classic step of the guides");
    let not_yet = |word: &str| rows.iter().any(|row| row[0].contains(word) && row[3] == NOT_YET);
    let steps: String = diagnosis::embedded().iter().flat_map(|guide| &guide.steps).map(|step| format!("{:?}", step.spec)).collect();
    for (word, sign) in [("clock", "w32tm"), ("AllowOSUpgrade", "AllowOSUpgrade"), ("troubleshooter", "msdt"), ("driver", "install-driver")] {
        assert_eq!(not_yet(word), !steps.contains(sign), "README.md and the guides differ about {word}");
    }
}

#[test]
fn every_link_leads_to_a_file() {
    let mut links = 0;
    for document in DOCUMENTS {
        let folder = root().join(document).parent().unwrap().to_owned();
        for link in between(&read(document), "](", ")") {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.starts_with("https://") {
                continue;
            }
            assert!(folder.join(file).exists(), "{document} links to {link}");
            links += 1;
        }
    }
    assert!(links > 20);
}

#[test]
fn every_test_that_is_named_exists() {
    let mut named = 0;
    for document in DOCUMENTS {
        for span in code_spans(&read(document)) {
            let Some((file, test)) = span.split_once(".rs::").filter(|(file, _)| file.starts_with("crates/")) else { continue };
            let text = read(&format!("{file}.rs"));
            let at = text.find(&format!("fn {test}(")).unwrap_or_else(|| unreachable!("{document}: {span} does not exist"));
            let before: Vec<&str> = text.get(..at).unwrap().trim_end().lines().rev().take(6).collect();
            let own = before.iter().take_while(|line| !line.trim().is_empty() && line.trim() != "}");
            assert!(own.clone().any(|line| line.trim() == "#[test]"), "{document}: {span} is not a test");
            named += 1;
        }
    }
    assert!(named > 30, "only {named} tests are named");
}

/// The crates of the workspace: folder to the other crates it depends on.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        let dependencies = between(&manifest, "[dependencies]", "[dev-dependencies]").first().map_or_else(
            || manifest.split_once("[dependencies]").map_or_else(String::new, |(_, rest)| rest.to_owned()),
            |inside| (*inside).to_owned(),
        );
        let own = dependencies.lines().filter(|line| line.contains("path = \"../")).filter_map(|line| line.split(' ').next());
        all.insert(name, own.map(str::to_owned).collect());
    }
    all
}

#[test]
fn the_map_shows_every_crate_and_what_it_may_depend_on() {
    let mapped: BTreeMap<String, BTreeSet<String>> = table(&read("ARCHITECTURE.md"), "crate | what it is")
        .into_iter()
        .map(|row| {
            let name = row[0].trim_matches('`').strip_prefix("crates/").unwrap().to_owned();
            let others = row[2].split(',').map(str::trim).filter(|other| *other != "–").map(str::to_owned);
            (name, others.collect())
        })
        .collect();
    assert_eq!(mapped, crates());
}

#[test]
fn the_map_shows_every_folder_that_exists() {
    for row in table(&read("ARCHITECTURE.md"), "folder | what it is") {
        let path = row[0].trim_matches('`').split('<').next().unwrap().to_owned();
        assert!(root().join(&path).exists(), "{path}");
    }
}

/// The one folder that may hold unsafe code, and code that is compiled for Windows alone.
const LIVE: &str = "crates/target/src/targets/live/";

/// Whether a line of Rust is unsafe code, or says that something is compiled for Windows, or not for it.
fn is_for_live_only(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let words: Vec<&str> =
        code.split(|letter: char| !letter.is_alphanumeric() && !['_', '-'].contains(&letter)).filter(|word| !word.is_empty()).collect();
    let condition = words.iter().position(|word| ["cfg", "cfg_attr", "target_os", "target_family"].contains(word));
    // `unsafe_code` is the name of the lint that forbids it, and another word.
    words.contains(&"unsafe") || condition.is_some_and(|at| words.iter().skip(at).any(|word| *word == "windows"))
}

#[test]
fn unsafe_code_and_code_for_windows_stay_in_one_folder() {
    let mut in_live = 0;
    for file in project_files().iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")) {
        // These words stand in this test.
        if file.ends_with("crates/hresolve/tests/documents.rs") {
            continue;
        }
        let text = fs::read_to_string(root().join(file)).unwrap();
        let found = text.lines().filter(|line| is_for_live_only(line));
        if file.strip_prefix(root()).unwrap_or(file).starts_with(LIVE) {
            in_live += found.count();
        } else {
            assert_eq!(found.collect::<Vec<_>>(), Vec::<&str>::new(), "{} is not in {LIVE}", file.display());
        }
    }
    assert!(in_live > 5, "only {in_live} lines in {LIVE}: is it still looked at?");
}

#[test]
fn what_is_for_windows_alone_is_recognised() {
    let unsafe_word = concat!("uns", "afe");
    for line in [
        "#[cfg(windows)]",
        "    #[cfg(not(windows))]",
        "#[cfg(any(windows, test))]",
        "#![cfg_attr(windows, allow(dead_code))]",
        "    let here = cfg!(windows);",
        "#[cfg(target_os = \"windows\")]",
        "#[cfg(all(test, target_family = \"windows\"))]",
        &format!("    {unsafe_word} {{ call() }}"),
        &format!("pub {unsafe_word} fn call() {{}}"),
        &format!("{unsafe_word} impl Send for Key {{}}"),
    ] {
        assert!(is_for_live_only(line), "{line}");
    }
    for line in
        ["#[cfg(unix)]", "let windows = cfg!(test_of_windows);", "// cfg(windows) in words", "#[cfg(test)]", "fn windows() {}", "allow(unsafe_code)"]
    {
        assert!(!is_for_live_only(line), "{line}");
    }
}

/// Consoles before Windows 10 would show escape codes, so the program writes none.
#[test]
fn no_escape_codes_are_written() {
    for file in project_files().iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")) {
        let path = file.strip_prefix(root()).unwrap_or(file);
        if !["crates/hresolve/src", "crates/session/src"].iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let text = fs::read_to_string(root().join(file)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_lowercase();
        for escape in ["\\x1b", "\\u{1b}", "\\u{001b}", "\u{1b}"] {
            assert!(!code.contains(escape), "{} writes an escape code", path.display());
        }
    }
    let scratch = tempfile::tempdir().unwrap();
    for words in [&["--help"][..], &["fix", "--help"], &["--no-such-option"]] {
        let said = hresolve(words, scratch.path());
        assert!(!said.stdout.contains(&0x1b) && !said.stderr.contains(&0x1b), "{words:?}");
    }
}

/// Calls in documents: spans and lines of `sh` blocks that begin with the program, as words after its name.
fn calls(text: &str) -> Vec<String> {
    let lines = code_spans(text).into_iter().chain(fenced(text, "sh"));
    lines
        .filter_map(|line| {
            let line = line.split(" #").next().unwrap_or_default().trim().to_owned();
            let line = line.strip_prefix("sudo ").unwrap_or(&line);
            let after_cargo = line.strip_prefix("cargo run ").and_then(|rest| rest.split_once("-- ")).map(|(_, words)| words);
            line.strip_prefix("hresolve ").or(after_cargo).map(str::to_owned)
        })
        .collect()
}

#[test]
fn every_call_in_the_documents_is_understood() {
    let scratch = tempfile::tempdir().unwrap();
    let help = |words: &[&str]| says(&[words, &["--help"]].concat(), scratch.path());
    let commands = |text: &str| -> Vec<String> {
        let listed = text.split_once("\nCommands:\n").map_or("", |(_, rest)| rest).split("\n\n").next().unwrap_or_default().to_owned();
        listed
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect()
    };
    let top = commands(&help(&[]));
    assert!(top.len() >= 10, "{top:?}");
    let mut checked = 0;
    for document in DOCUMENTS {
        for call in calls(&read(document)) {
            let words: Vec<&str> = call.split_whitespace().collect();
            let mut path: Vec<&str> = Vec::new();
            if top.iter().any(|command| *command == words[0]) {
                path.push(words[0]);
            } else {
                assert!(words[0].starts_with("0x") || words[0].starts_with('-'), "{document}: {call:?} begins with no command");
            }
            let text = help(&path);
            let inner = commands(&text);
            let text = match words.get(1).filter(|_| !path.is_empty() && !inner.is_empty()) {
                Some(word) => {
                    assert!(inner.iter().any(|command| command == word), "{document}: {call:?}: there is no {word}");
                    path.push(word);
                    help(&path)
                }
                None => text,
            };
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(text.contains(option), "{document}: {call:?}: there is no {option}");
            }
            checked += 1;
        }
    }
    assert!(checked > 25, "only {checked} calls");
}

#[test]
fn every_machine_in_the_documents_exists() {
    let made_in_the_walk = "orchestrator-not-delayed-10";
    for document in DOCUMENTS {
        let text = read(document);
        let named = between(&text, "lab build ", " ")
            .into_iter()
            .chain(between(&text, "lab:", "\n").into_iter().map(|rest| rest.split(['`', ' ', ')', '.']).next().unwrap()));
        for name in named.filter(|name| *name != "NAME" && *name != made_in_the_walk) {
            assert!(session::lab::expected(name).is_some(), "{document} names the machine {name}");
        }
    }
}

/// Journal lines of a run of `fix`, `continue`, `undo` on a practice machine.
fn journal_lines() -> Vec<serde_json::Value> {
    let scratch = tempfile::tempdir().unwrap();
    let mut lines = Vec::new();
    for name in ["three-faults-10", "wu10man-prefix-10"] {
        let folder = scratch.path().join(name);
        session::lab::build(name, &folder).unwrap();
        let target = folder.to_str().unwrap();
        for words in [&["fix", "--yes", target][..], &["continue", "--worked", target], &["undo", target]] {
            hresolve(words, scratch.path());
        }
        for run in fs::read_dir(folder.join("ProgramData/hresolve/runs")).unwrap().flatten() {
            let Ok(text) = fs::read_to_string(run.path().join("journal.jsonl")) else { continue };
            lines.extend(text.lines().map(|line| {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                let event = line.split_once("\"e\":").unwrap().1.strip_suffix('}').unwrap();
                assert_eq!(value["len"], event.len(), "SAFETY.md says that len is the length of the event's text");
                assert!(target::sha256(event.as_bytes()).starts_with(value["sum"].as_str().unwrap()) && value["sum"].as_str().unwrap().len() == 16);
                value
            }));
        }
    }
    lines
}

#[test]
fn the_journal_is_as_safety_describes_it() {
    let safety = read("SAFETY.md");
    let rows = |head: &str| -> BTreeMap<String, String> {
        table(&safety, head).into_iter().map(|row| (row[0].trim_matches('`').to_owned(), row[row.len() - 1].clone())).collect()
    };
    let (outer, events, changes) = (rows("field | holds"), rows("event | says"), rows("change | fields"));
    // The enums themselves: every kind is described, and nothing else is.
    let kinds =
        |file: &str, name: &str| -> BTreeSet<String> {
            let text = read(file);
            let body = between(&text, &format!("pub enum {name} {{\n"), "\n}\n").first().map(|body| (*body).to_owned()).unwrap();
            let starts = body.lines().filter(|line| line.starts_with("    ") && line.chars().nth(4).is_some_and(|c| c.is_ascii_uppercase()));
            starts
                .map(|line| {
                    let word: String = line.trim().chars().take_while(char::is_ascii_alphanumeric).collect();
                    word.char_indices()
                        .map(|(at, c)| {
                            if at > 0 && c.is_ascii_uppercase() { format!("-{}", c.to_ascii_lowercase()) } else { c.to_ascii_lowercase().to_string() }
                        })
                        .collect()
                })
                .collect()
        };
    assert_eq!(events.keys().cloned().collect::<BTreeSet<_>>(), kinds("crates/repair/src/journal.rs", "Event"));
    assert_eq!(changes.keys().cloned().collect::<BTreeSet<_>>(), kinds("crates/model/src/change.rs", "Change"));
    let refusals: BTreeSet<String> = rows("name | when").into_keys().collect();
    assert_eq!(refusals, kinds("crates/model/src/why_not.rs", "WhyNot"));
    // And what a real run writes: every field is described.
    let named = |text: &str, field: &str| text.contains(&format!("`{field}`"));
    let lines = journal_lines();
    assert!(lines.len() > 20);
    for line in lines {
        for field in line.as_object().unwrap().keys() {
            assert!(outer.contains_key(field), "the journal has {field}");
        }
        let event = line["e"].as_object().unwrap();
        let kind = event["event"].as_str().unwrap();
        for field in event.keys().filter(|field| *field != "event") {
            assert!(named(&events[kind], field), "{kind} has {field}");
        }
        for change in event.get("changes").and_then(|all| all.as_array()).into_iter().flatten() {
            let change = change.as_object().unwrap();
            let kind = change["change"].as_str().unwrap();
            for field in change.keys().filter(|field| *field != "change") {
                assert!(named(&changes[kind], field), "{kind} has {field}");
            }
        }
    }
}

#[test]
fn every_variable_for_tests_is_explained() {
    let word = concat!("HRESOLVE", "_");
    let names = |text: &str| -> BTreeSet<String> {
        let rest = text
            .split(word)
            .skip(1)
            .map(|rest| rest.chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_').collect::<String>());
        rest.filter(|name| !name.is_empty()).map(|name| format!("{word}{name}")).collect()
    };
    let explained: BTreeSet<String> =
        table(&read("CONTRIBUTING.md"), "variable | what").into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let mut used = BTreeSet::new();
    for file in project_files().iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs") && !file.ends_with("tests/documents.rs")) {
        let text = fs::read_to_string(file).unwrap();
        used.extend(text.lines().filter(|line| line.contains("env::var")).flat_map(names));
    }
    assert_eq!(explained, used);
}

#[test]
fn no_file_names_a_place_on_one_computer() {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/t", "mp/")];
    for file in project_files() {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (number, line) in text.lines().enumerate() {
            let line = line.replace(DEMO_FOLDER, "");
            for place in places {
                assert!(!line.contains(place), "{}:{}: {place}", file.display(), number + 1);
            }
        }
    }
}

#[test]
fn the_licences_are_there_and_named() {
    assert!(read("Cargo.toml").contains("license = \"MIT OR Apache-2.0\""));
    let (mit, apache) = (read("LICENSE-MIT"), read("LICENSE-APACHE"));
    assert!(mit.starts_with("MIT License") && apache.contains("Apache License") && apache.contains("END OF TERMS AND CONDITIONS"));
    for licence in [mit, apache] {
        assert!(licence.contains("the hresolve contributors"));
    }
}

#[test]
fn safety_names_every_folder_that_is_never_renamed() {
    let safety = read("SAFETY.md");
    let rule = between(&safety, "* By a rename,", "\n* ").concat();
    let source = read("crates/target/src/protected.rs");
    let folders = between(&source, "const FOLDERS", "];").concat();
    let names: Vec<&str> = folders.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 5);
    for name in names {
        let last = name.rsplit('\\').next().unwrap();
        assert!(rule.contains(&format!("`{last}`")), "SAFETY.md does not name {name}");
    }
}
