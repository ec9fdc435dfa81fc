//! `hresolve diagnose`, and the front door `hresolve [CODE] [TARGET]`.

use super::fix::Fix;
use super::{open, quoted, use_source, use_time};
use crate::Outcome;
use crate::cli::{Consent, Global, SourceOption, TimeOptions, Words};
use crate::output::Failure;
use crate::progress::Progress;
use crate::terminal::Person;
use crate::{output, words};
use model::Verdict;
use session::{DiagnoseRequest, Diagnosed, Session};

pub(crate) fn run(given: &Words, since: Option<String>, timeline: bool, source: &SourceOption, time: &TimeOptions, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    // A mistyped moment is said before a large bundle is read.
    if let Some(typed) = since.as_deref() {
        session::check_since(typed)?;
    }
    let (_, diagnosed) = show(meant.target.as_deref(), &DiagnoseRequest { asked: meant.code, since, timeline }, source, time, global)?;
    Ok(exit_code(&diagnosed))
}

/// The same, and on a terminal a menu of what to do next.
pub(crate) fn front_door(given: &Words, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let request = DiagnoseRequest { asked: meant.code, ..DiagnoseRequest::default() };
    let (session, diagnosed) = show(meant.target.as_deref(), &request, &SourceOption::default(), &TimeOptions::default(), global)?;
    if diagnosed.diagnosis.target.kind == model::TargetKind::Bundle {
        if !global.json && !diagnosed.found.is_empty() {
            output::text("\nTo treat it, run hresolve on the machine itself or on its mounted volume.\n");
        }
        return Ok(exit_code(&diagnosed));
    }
    let person = Person::at_terminal(global.quiet, global.json);
    let target = meant.target.clone().unwrap_or_default();
    if !person.is_here() || diagnosed.found.is_empty() {
        if !global.json && !diagnosed.found.is_empty() {
            let code = meant.code.map(|code| format!("{code} ")).unwrap_or_default();
            output::text(&format!("\nTo treat it: hresolve fix {code}{}\n", quoted(&target)));
        }
        return Ok(exit_code(&diagnosed));
    }
    drop(session);
    let first = diagnosed.found.first().map(|found| found.finding.cause.clone()).unwrap_or_default();
    loop {
        output::note(
            "\n  1  treat this now, asking before each change\n  2  only say what would be done\n  3  show the guide to follow by hand\n  4  leave everything as it is",
        );
        match person.ask("What now? [1-4]:").as_str() {
            "1" => return super::fix::run(given, &Consent::default(), &Fix::default(), global),
            "2" => {
                super::fix::run(given, &Consent::default(), &Fix { dry_run: true, ..Fix::default() }, global)?;
            }
            "3" => {
                super::guide::run(&first, None, global)?;
            }
            "4" | "" | "q" => return Ok(exit_code(&diagnosed)),
            _ => {}
        }
    }
}

/// Opens the target, reads it and says what was found.
fn show(
    target: Option<&str>,
    request: &DiagnoseRequest,
    source: &SourceOption,
    time: &TimeOptions,
    global: &Global,
) -> Result<(Session, Diagnosed), Failure> {
    let progress = Progress::start(&format!("Opening {}", target.unwrap_or_default()), global);
    let mut session = open(target, global)?;
    use_source(&mut session, source)?;
    use_time(&mut session, time, global)?;
    session.watch(progress.watcher());
    let diagnosed = session.diagnose_as(request)?;
    drop(progress);
    if global.json {
        output::json_line(&diagnosed.diagnosis);
    } else {
        if session.runs_are_hidden() {
            output::text("Only administrators can see whether a run was interrupted or waits here.\n");
        }
        for run in session.interrupted() {
            output::text(&format!("Run {run} was interrupted. `hresolve fix` or `hresolve undo` brings everything it had begun back first.\n"));
        }
        for (run, came) in session.waiting() {
            output::text(&match came {
                Some(true) => format!("Run {run} waited for a restart, which has come. `hresolve continue` does the rest of it and looks again.\n"),
                Some(false) => format!("Run {run} waits for a restart (Restart, not Shut down).\n"),
                None => format!("Run {run} waits for the next start of this Windows.\n"),
            });
        }
        output::text(&session::reports::text::diagnosis(&diagnosed, global.verbose));
    }
    Ok((session, diagnosed))
}

/// The exit code for a diagnosis.
pub(crate) fn exit_code(diagnosed: &Diagnosed) -> u8 {
    match diagnosed.diagnosis.verdict {
        Verdict::Healthy => 0,
        Verdict::Faulty => 1,
        Verdict::Undetermined => 4,
    }
}
