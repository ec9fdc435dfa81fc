//! The commands, one file each, and the one place that chooses between them.

mod continue_run;
mod demo;
mod diagnose;
mod fix;
mod forget;
mod guide;
mod guides;
mod lab;
mod report;
mod runs;
mod undo;

use crate::Outcome;
use crate::cli::{Cli, Command, Global};
use crate::output::Failure;
use session::Session;
use std::path::PathBuf;

/// Runs the command that was asked for; without one, the front door.
pub(crate) fn run(cli: Cli) -> Outcome {
    let global = cli.global;
    match cli.command {
        None => diagnose::front_door(&cli.words, &global),
        Some(Command::Demo { code, random }) => demo::run(code.as_deref(), random, &global),
        Some(Command::Diagnose { words }) => diagnose::run(&words, &global),
        Some(Command::Fix { words, consent, dry_run }) => fix::run(&words, &consent, dry_run, &global),
        Some(Command::Continue { words, consent, worked, still_broken }) => continue_run::run(&words, &consent, worked, still_broken, &global),
        Some(Command::Undo { words }) => undo::run(&words, &global),
        Some(Command::Runs { words }) => runs::run(&words, &global),
        Some(Command::Forget { words, older_than, yes }) => forget::run(&words, older_than.as_deref(), yes, &global),
        Some(Command::Guide { about, output }) => guide::run(&about, output.as_deref(), &global),
        Some(Command::Report { words, output }) => report::run(&words, output.as_deref(), &global),
        Some(Command::Guides(command)) => guides::run(command, &global),
        Some(Command::Lab(command)) => lab::run(command, &global),
    }
}

/// Opens the target that was named. Without one: what could be named (exit 2).
fn open(target: Option<&str>, global: &Global) -> Result<Session, Failure> {
    let Some(target) = target else { return Err(no_target()) };
    if target == "live" {
        return Err(Failure::usage(
            "This version treats a Windows that is not running: name its mounted volume. The running Windows comes in a later version.",
        ));
    }
    Ok(Session::open(target, &lab_folder(), global.state_dir.as_deref())?)
}

fn no_target() -> Failure {
    let found = session::installations();
    let list: Vec<String> = found.iter().map(|one| format!("  hresolve diagnose {}", one.path.display())).collect();
    let mounted =
        if list.is_empty() { "No mounted Windows was found on this computer.".to_owned() } else { format!("Mounted here:\n{}", list.join("\n")) };
    Failure::usage(format!(
        "Which Windows? Name a mounted Windows volume or its Windows folder.\n{mounted}\nTo see how it works on a practice machine: hresolve demo"
    ))
}

/// Where `lab:NAME` machines are built, so that a later call finds the same one.
fn lab_folder() -> PathBuf {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_else(|_| "user".into());
    let safe: String = user.chars().filter(char::is_ascii_alphanumeric).collect();
    std::env::temp_dir().join(format!("hresolve-lab-{safe}"))
}

/// The target's word as it must be typed again.
fn quoted(target: &str) -> String {
    if target.contains(char::is_whitespace) { format!("\"{target}\"") } else { target.to_owned() }
}
