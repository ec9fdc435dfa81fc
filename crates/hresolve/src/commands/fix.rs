//! `hresolve fix`.

use super::time_zone::{self, Chosen};
use super::{open, quoted, scratch, use_source};
use crate::Outcome;
use crate::cli::{Choices, Consent, Global, Words};
use crate::elevation::{Rights, rights};
use crate::terminal::Person;
use crate::{output, words};
use session::{FixRequest, RunReport};
use std::path::Path;

pub(crate) fn run(given: &Words, consent: &Consent, choices: &Choices, dry_run: bool, plan: Option<&Path>, global: &Global) -> Outcome {
    let mut meant = words::read(given)?;
    let mut planned_zone = None;
    if let Some(plan) = plan {
        match super::plan::check(plan, meant.target.as_deref(), choices, global)? {
            Ok((request, time_zone)) => (meant.code, planned_zone) = (request.asked, time_zone),
            Err(report) => {
                show(&report, &meant.target.unwrap_or_default(), global);
                return Ok(report.verdict.exit_code());
            }
        }
    }
    let mut session = open(meant.target.as_deref(), global)?;
    if !dry_run && let Rights::Ended(exit) = rights(&session, global)? {
        return Ok(exit);
    }
    use_source(&mut session, &choices.source)?;
    let mut person = Person::at_terminal(global.quiet, global.json);
    if let Chosen::Listed(exit) = time_zone::choose(&mut session, planned_zone.as_deref().or(choices.time_zone.as_deref()), &mut person, global)? {
        return Ok(exit);
    }
    let request = FixRequest { asked: meant.code, yes: consent.yes, safe_only: consent.safe_only, only: consent.only.clone() };
    let report = if dry_run {
        let scratch = scratch();
        let report = session.dry_run(&request, &scratch, &mut person, session::now());
        let _ = std::fs::remove_dir_all(&scratch);
        report?
    } else {
        session.fix(&request, &mut person, session::now())?
    };
    show(&report, &meant.target.unwrap_or_default(), global);
    Ok(report.verdict.exit_code())
}

/// Writes a run's report in the form that was asked for.
pub(crate) fn show(report: &RunReport, target: &str, global: &Global) {
    if global.json {
        output::json_line(report);
    } else {
        output::text(&session::reports::text::run(report, &quoted(target)));
    }
}
