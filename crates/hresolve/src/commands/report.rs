//! `hresolve report`: what a run did, or what a diagnosis found, as a file.

use super::open;
use crate::Outcome;
use crate::cli::{Global, Words};
use crate::output::Failure;
use crate::{output, words};
use model::Diagnosis;
use std::path::Path;

pub(crate) fn run(given: &Words, file: Option<&Path>, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let (title, markdown, json) = match meant.target.as_deref().and_then(kept_diagnosis) {
        Some(diagnosis) => {
            let diagnosis = diagnosis?;
            ("Diagnosis", session::reports::markdown::diagnosis(&diagnosis), serde_json::to_string_pretty(&diagnosis))
        }
        None => {
            let report = open(meant.target.as_deref(), global)?.stored_report(meant.run.as_deref())?;
            ("Repair", session::reports::markdown::run(None, &report), serde_json::to_string_pretty(&report))
        }
    };
    let json = json.unwrap_or_default() + "\n";
    let ending = file.and_then(Path::extension).and_then(|ending| ending.to_str()).unwrap_or("md");
    let text = match ending {
        _ if global.json => json,
        "json" => json,
        "md" => markdown,
        "html" => super::guide::page(title, &markdown),
        other => return Err(Failure::usage(format!("A report can be .md, .html or .json, not .{other}."))),
    };
    match file {
        Some(file) => std::fs::write(file, text).map_err(|error| Failure::usage(format!("{} cannot be written: {error}.", file.display())))?,
        None => output::text(&text),
    }
    Ok(0)
}

/// What `diagnose --json` wrote into a file; `None` when the name is not that of such a file. It may come from anybody: it is only shown.
fn kept_diagnosis(name: &str) -> Option<Result<Diagnosis, Failure>> {
    let path = Path::new(name);
    if !path.is_file() || !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        return None;
    }
    let wrong = |why: String| Failure::usage(format!("{name} is not what `hresolve diagnose --json` writes: {why}."));
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(Err(Failure::usage(format!("{name} cannot be read: {error}.")))),
    };
    // PowerShell writes what is redirected into a file as UTF-16.
    let parsed: Result<Diagnosis, _> = serde_json::from_str(&evidence::logs::decode(&bytes));
    Some(parsed.map_err(|error| wrong(error.to_string())).and_then(|diagnosis| match diagnosis.schema.as_str() {
        "hresolve/diagnosis/1" => Ok(diagnosis),
        other => Err(wrong(format!("its schema is {other:?}"))),
    }))
}
