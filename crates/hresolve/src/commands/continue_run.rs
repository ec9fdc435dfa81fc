//! `hresolve continue`: how it went when the person tried again.

use super::open;
use crate::Outcome;
use crate::cli::{Consent, Global, Words};
use crate::elevation::{Rights, rights};
use crate::output::Failure;
use crate::terminal::Person;
use crate::words;
use session::FixRequest;

pub(crate) fn run(given: &Words, consent: &Consent, worked: bool, still_broken: bool, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let mut person = Person::at_terminal(global.quiet, global.json).telling(global.verbose);
    let mut session = open(meant.target.as_deref(), global)?;
    // Only administrators see the runs of the running Windows.
    if let Rights::Ended(exit) = rights(&session, global)? {
        return Ok(exit);
    }
    let waits = !worked && session.waits(meant.run.as_deref())?;
    let retry = super::retry(consent, global)?;
    let worked = match (worked, still_broken) {
        // Trying it decides.
        _ if consent.retry.is_some() => false,
        (true, _) => true,
        (_, true) => false,
        _ if waits => false,
        _ if person.is_here() => loop {
            match person.ask("You tried again what had failed. Does it work now? [y]es / [n]o:").as_str() {
                "y" | "yes" => break true,
                "n" | "no" => break false,
                "" => return Err(Failure::usage("Say how it went: --worked or --still-broken.")),
                _ => {}
            }
        },
        _ => return Err(Failure::usage("Say how it went when you tried again: --worked or --still-broken; or let it be tried: --retry.")),
    };
    if let Some(limit) = consent.time_limit {
        session.limit_operations(limit);
    }
    let request =
        FixRequest { asked: None, yes: consent.yes, safe_only: consent.safe_only, only: consent.only.clone(), restart: consent.restart, retry };
    let report = session.continue_run(meant.run.as_deref(), worked, &request, &mut person, session::now())?;
    super::fix::show(&report, &meant.target.unwrap_or_default(), global);
    Ok(report.verdict.exit_code())
}
