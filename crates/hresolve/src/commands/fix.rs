//! `hresolve fix`.

use super::time_zone::{self, Chosen};
use super::{open, quoted, scratch, use_source, use_time};
use crate::Outcome;
use crate::cli::{Choices, Consent, Global, TimeOptions, Words};
use crate::elevation::{Rights, rights};
use crate::terminal::Person;
use crate::{output, words};
use session::{FixRequest, RunReport};
use std::path::PathBuf;

/// What a fix was asked for beside what it is about and who consents.
#[derive(Debug, Default)]
pub(crate) struct Fix {
    pub(crate) choices: Choices,
    pub(crate) time: TimeOptions,
    pub(crate) set_time: Option<String>,
    pub(crate) dry_run: bool,
    pub(crate) plan: Option<PathBuf>,
}

pub(crate) fn run(given: &Words, consent: &Consent, fix: &Fix, global: &Global) -> Outcome {
    let choices = &fix.choices;
    let mut meant = words::read(given)?;
    let mut planned_zone = None;
    if let Some(plan) = &fix.plan {
        match super::plan::check(plan, meant.target.as_deref(), choices, global)? {
            Ok((request, time_zone)) => (meant.code, planned_zone) = (request.asked, time_zone),
            Err(report) => {
                show(&report, &meant.target.unwrap_or_default(), global);
                return Ok(report.verdict.exit_code());
            }
        }
    }
    let mut session = open(meant.target.as_deref(), global)?;
    if !fix.dry_run
        && let Rights::Ended(exit) = rights(&session, global)?
    {
        return Ok(exit);
    }
    use_source(&mut session, &choices.source)?;
    // A plan says all that is done, and it was made without asking anybody.
    let no_network = global.no_network || fix.plan.is_some();
    use_time(&mut session, &fix.time, &Global { no_network, ..global.clone() })?;
    if let Some(typed) = &fix.set_time {
        session.set_time(typed)?;
    }
    let mut person = Person::at_terminal(global.quiet, global.json).telling(global.verbose);
    if let Chosen::Listed(exit) = time_zone::choose(&mut session, planned_zone.as_deref().or(choices.time_zone.as_deref()), &mut person, global)? {
        return Ok(exit);
    }
    if let Some(limit) = consent.time_limit {
        session.limit_operations(limit);
    }
    let retry = super::retry(consent, global)?;
    let request =
        FixRequest { asked: meant.code, yes: consent.yes, safe_only: consent.safe_only, only: consent.only.clone(), restart: consent.restart, retry };
    let report = if fix.dry_run {
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
