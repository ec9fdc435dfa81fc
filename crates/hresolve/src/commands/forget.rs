//! `hresolve forget`: removes kept runs after consent.

use super::open;
use crate::Outcome;
use crate::cli::{Global, Words};
use crate::elevation::{Rights, rights};
use crate::output::Failure;
use crate::terminal::Person;
use crate::{output, words};
use model::WhyNot;
use serde::Serialize;

#[derive(Serialize)]
struct ForgetJson {
    schema: &'static str,
    forgotten: Vec<String>,
}

pub(crate) fn run(given: &Words, older_than: Option<&str>, yes: bool, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let session = open(meant.target.as_deref(), global)?;
    let names: Vec<String> = match (&meant.run, older_than) {
        (Some(run), None) => vec![run.clone()],
        (None, Some(age)) => {
            let limit = session::Now { unix: session::now().unix.saturating_sub(seconds(age)?), nanos: 0, unique: 0 }.iso();
            session
                .runs()
                .into_iter()
                .filter(|run| !run.time.is_empty() && run.time < limit && run.state != "interrupted")
                .map(|run| run.run)
                .collect()
        }
        _ => return Err(Failure::usage("Name a run, or an age with --older-than 30d. `hresolve runs` lists what is kept.")),
    };
    match rights(&session, global)? {
        Rights::Ended(exit) => return Ok(exit),
        // The target refuses changes for this reason itself; removing runs is no change of the target.
        Rights::Missing => return Err(Failure { exit: 5, says: WhyNot::NotElevated.explain() }),
        Rights::Enough => {}
    }
    let person = Person::at_terminal(global.quiet, global.json);
    if !names.is_empty() && !yes {
        if !person.is_here() {
            return Err(Failure { exit: 1, says: format!("{} run(s) would be removed and could never be undone again; add --yes.", names.len()) });
        }
        output::note(&format!("These runs can never be undone again: {}", names.join(", ")));
        if !matches!(person.ask("Remove them? [y]es / [n]o:").as_str(), "y" | "yes") {
            return Ok(1);
        }
    }
    let forgotten = if names.is_empty() { Vec::new() } else { session.forget(&names)? };
    if global.json {
        output::json_line(&ForgetJson { schema: "hresolve/forget/1", forgotten });
    } else if forgotten.is_empty() {
        output::text("No run is that old.\n");
    } else {
        output::text(&format!("Forgotten: {}\n", forgotten.join(", ")));
    }
    Ok(0)
}

/// `30d`, `12h`, `45m` in seconds.
fn seconds(age: &str) -> Result<u64, Failure> {
    let wrong = || Failure::usage(format!("{age:?} is not an age; examples: 30d, 12h."));
    let unit = age.chars().last().ok_or_else(wrong)?;
    let number: u64 = age.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    let factor = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).ok_or_else(wrong)
}
