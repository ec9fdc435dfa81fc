//! `hresolve plan`: what a fix would do, as a file that somebody else runs with `fix --plan FILE`.

use super::time_zone::{self, Chosen};
use super::{open, scratch, use_source};
use crate::Outcome;
use crate::cli::{Choices, Global, Words};
use crate::output::{self, Failure};
use crate::terminal::Person;
use crate::words;
use session::{FixRequest, Plan, RunReport, RunVerdict, Session};
use std::path::Path;

pub(crate) fn run(given: &Words, choices: &Choices, only: Option<&str>, file: Option<&Path>, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let request = FixRequest { asked: meant.code, yes: true, only: only.map(str::to_owned), ..FixRequest::default() };
    let mut session = open(meant.target.as_deref(), global)?;
    use_source(&mut session, &choices.source)?;
    let mut person = Person::at_terminal(true, global.json);
    if let Chosen::Listed(exit) = time_zone::choose(&mut session, choices.time_zone.as_deref(), &mut person, global)? {
        return Ok(exit);
    }
    let plan = make(session, &request, global)?;
    let json = serde_json::to_string_pretty(&plan).unwrap_or_default() + "\n";
    match file {
        Some(file) => {
            std::fs::write(file, json).map_err(|error| Failure::usage(format!("{} cannot be written: {error}.", file.display())))?;
            if !global.quiet {
                output::text(&format!("{} steps for {} in {}. Nothing was changed.\n", plan.steps.len(), plan.windows, file.display()));
            }
        }
        None => output::text(&json),
    }
    Ok(u8::from(!plan.steps.is_empty()))
}

/// The plan that fits the machine now.
fn make(session: Session, request: &FixRequest, global: &Global) -> Result<Plan, Failure> {
    let folder = scratch();
    let plan = session.plan(request, &folder, &mut Person::at_terminal(true, global.json), session::now());
    let _ = std::fs::remove_dir_all(&folder);
    Ok(plan?)
}

/// Reads a plan and compares it with the machine: the request and the time zone that carry it out, or the refusal.
pub(crate) fn check(
    file: &Path,
    target: Option<&str>,
    choices: &Choices,
    global: &Global,
) -> Result<Result<(FixRequest, Option<String>), RunReport>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("{} cannot be read: {error}.", file.display())))?;
    let plan = Plan::parse(&text).map_err(|why| Failure::usage(format!("{}: {why}.", file.display())))?;
    let request = FixRequest { asked: plan.asked, yes: true, ..FixRequest::default() };
    let mut session = open(target, global)?;
    use_source(&mut session, &choices.source)?;
    if let Some(zone) = &plan.time_zone {
        session.choose_time_zone(zone)?;
    }
    let now = make(session, &request, global)?;
    Ok(match plan.difference(&now) {
        None => Ok((request, plan.time_zone)),
        Some(why) => Err(RunReport::refused(RunVerdict::Refused, vec![model::WhyNot::PlanMismatch { why }])),
    })
}
