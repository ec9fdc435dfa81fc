//! `hresolve report`: what a run did, as a file.

use super::open;
use crate::Outcome;
use crate::cli::{Global, Words};
use crate::output::Failure;
use crate::{output, words};
use std::path::Path;

pub(crate) fn run(given: &Words, file: Option<&Path>, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let session = open(meant.target.as_deref(), global)?;
    let report = session.stored_report(meant.run.as_deref())?;
    let ending = file.and_then(Path::extension).and_then(|ending| ending.to_str()).unwrap_or("md");
    let text = match ending {
        _ if global.json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
        "json" => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
        "md" => session::reports::markdown::run(None, &report),
        "html" => super::guide::page("Repair", &session::reports::markdown::run(None, &report)),
        other => return Err(Failure::usage(format!("A report can be .md, .html or .json, not .{other}."))),
    };
    match file {
        Some(file) => std::fs::write(file, text).map_err(|error| Failure::usage(format!("{} cannot be written: {error}.", file.display())))?,
        None => output::text(&text),
    }
    Ok(0)
}
