//! `hresolve fix`.

use super::{open, quoted};
use crate::Outcome;
use crate::cli::{Consent, Global, Words};
use crate::terminal::Person;
use crate::{output, words};
use session::{FixRequest, RunReport};

pub(crate) fn run(given: &Words, consent: &Consent, dry_run: bool, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let mut session = open(meant.target.as_deref(), global)?;
    let request = FixRequest { asked: meant.code, yes: consent.yes, safe_only: consent.safe_only, only: consent.only.clone(), dry_run };
    let mut person = Person::at_terminal(global.quiet, global.json);
    let report = session.fix(&request, &mut person, session::now())?;
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
