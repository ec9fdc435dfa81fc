//! `hresolve runs`.

use super::open;
use crate::Outcome;
use crate::cli::{Global, Words};
use crate::output::Failure;
use crate::{output, words};
use serde::Serialize;
use session::RunSummary;

#[derive(Serialize)]
struct RunsJson {
    schema: &'static str,
    folder: String,
    runs: Vec<RunSummary>,
}

pub(crate) fn run(given: &Words, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let session = open(meant.target.as_deref(), global)?;
    let (runs, folder) = (session.runs(), session.runs_folder().display().to_string());
    if global.json {
        output::json_line(&RunsJson { schema: "hresolve/runs/1", folder, runs });
    } else {
        if session.runs_are_hidden() {
            return Err(Failure { exit: 5, says: format!("The runs in {folder} can be seen by administrators only.") });
        }
        output::text(&session::reports::text::runs(&runs, &folder));
    }
    Ok(0)
}
