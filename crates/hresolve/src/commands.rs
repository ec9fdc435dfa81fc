//! The commands, one file each, and the one place that chooses between them.

mod collect;
mod continue_run;
mod demo;
mod diagnose;
mod explain;
mod fix;
mod forget;
mod guide;
mod guides;
mod lab;
mod plan;
mod report;
mod runs;
mod targets;
pub(crate) mod time_zone;
mod undo;

use self::fix::Fix;
use crate::Outcome;
use crate::cli::{Cli, Command, Consent, Global, SourceOption, TimeOptions};
use crate::output::Failure;
use diagnosis::Guide;
use session::{Network, Retry, Session, TimeSources, host};
use std::path::{Path, PathBuf};

/// Runs the command that was asked for; without one, the front door.
pub(crate) fn run(cli: Cli) -> Outcome {
    let global = cli.global;
    // Options may stand before the command; what it is about may not, or a code would be passed over in silence.
    if let (Some(_), Some(word)) = (&cli.command, cli.words.first()) {
        return Err(Failure::usage(format!(
            "{word:?} stands before the command; what a command is about follows it: hresolve fix 0x80070002 TARGET."
        )));
    }
    match cli.command {
        None => diagnose::front_door(&cli.words, &global),
        Some(Command::Demo { code, random }) => demo::run(code.as_deref(), random, &global),
        Some(Command::Explain { words, target }) => explain::run(&words, target.as_deref(), &global),
        Some(Command::Collect { words, output, full, yes }) => collect::run(&words, &output, full, yes, &global),
        Some(Command::Diagnose { words, since, timeline, source, time }) => diagnose::run(&words, since, timeline, &source, &time, &global),
        Some(Command::Fix { words, consent, choices, time, set_time, dry_run, plan }) => {
            fix::run(&words, &consent, &Fix { choices, time, set_time, dry_run, plan }, &global)
        }
        Some(Command::Plan { words, choices, only, output }) => plan::run(&words, &choices, only.as_deref(), output.as_deref(), &global),
        Some(Command::Continue { words, consent, worked, still_broken }) => continue_run::run(&words, &consent, worked, still_broken, &global),
        Some(Command::Undo { words }) => undo::run(&words, &global),
        Some(Command::Runs { words }) => runs::run(&words, &global),
        Some(Command::Forget { words, older_than, yes }) => forget::run(&words, older_than.as_deref(), yes, &global),
        Some(Command::Targets) => targets::run(&global),
        Some(Command::Guide { about, output }) => guide::run(&about, output.as_deref(), &global),
        Some(Command::Report { words, output }) => report::run(&words, output.as_deref(), &global),
        Some(Command::Guides(command)) => guides::run(command, &global),
        Some(Command::Lab(command)) => lab::run(command, &global),
    }
}

/// Opens the target that was named. Without one: what could be named (exit 2).
fn open(target: Option<&str>, global: &Global) -> Result<Session, Failure> {
    let default = default_target();
    let Some(target) = target.or(default) else { return Err(Failure::usage(targets::which())) };
    let mut session = match Session::open(target, &lab_folder(), global.state_dir.as_deref()) {
        // Asking for what this computer cannot have is a mistake in the words, not a target that is broken.
        Err(error @ session::OpenError::NothingLive) => return Err(Failure::usage(error.to_string())),
        opened => opened?,
    };
    if let Some(folder) = &global.guides {
        session.add_guides(guides_in(folder)?)?;
    }
    Ok(session)
}

/// What is opened when no target is named: in Windows the running one. A rescue system is nothing to repair, and elsewhere there is no
/// Windows that runs.
fn default_target() -> Option<&'static str> {
    (host::is_windows() && !host::is_rescue_system()).then_some("live")
}

/// Lets the session take missing files from what the person named.
fn use_source(session: &mut Session, given: &SourceOption) -> Result<(), Failure> {
    match &given.source {
        Some(path) => Ok(session.use_source(path)?),
        None => Ok(()),
    }
}

/// Tells the session whom it may ask what time it is, and the person when there is nothing to ask about.
///
/// # Errors
/// When both are named, asking and not asking.
fn use_time(session: &mut Session, given: &TimeOptions, global: &Global) -> Result<(), Failure> {
    if global.no_network && given.online {
        return Err(Failure::usage("--online asks other computers and --no-network forbids it; leave one of them out."));
    }
    let mut sources = TimeSources {
        network: match (global.no_network, given.online) {
            (true, _) => Network::Forbidden,
            (false, true) => Network::Allowed,
            (false, false) => Network::IfAgreed,
        },
        ..TimeSources::default()
    };
    if !given.time_server.is_empty() {
        sources.servers.clone_from(&given.time_server);
    }
    if !given.http_date.is_empty() {
        sources.http.clone_from(&given.http_date);
    }
    session.use_time_sources(sources);
    if given.online && !session.has_clock() && !global.quiet && !global.json {
        crate::output::note("No Windows is running there, so it has no clock to compare and nobody was asked.");
    }
    Ok(())
}

/// Whether what failed is to be tried again.
///
/// # Errors
/// When both are named, contacting other computers and not contacting any.
fn retry(given: &Consent, global: &Global) -> Result<Retry, Failure> {
    match &given.retry {
        Some(_) if global.no_network => {
            Err(Failure::usage("--retry has Windows Update contact its servers and --no-network forbids it; leave one of them out."))
        }
        Some(update) => Ok(Retry::Yes(update.clone())),
        None => Ok(Retry::Ask),
    }
}

/// Every guide below a folder; the first that is broken is named with its line.
fn guides_in(folder: &Path) -> Result<Vec<Guide>, Failure> {
    let (facts, actions) = (evidence::declarations(), repair::names_and_settings());
    let read = |path: &PathBuf| -> Result<Guide, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        let guide = Guide::parse(&path.display().to_string(), &text).map_err(|error| Failure::usage(error.to_string()))?;
        match diagnosis::lint(&guide, &facts, &actions).into_iter().next() {
            Some(complaint) => Err(Failure::usage(format!("{}: {}.", complaint.file, complaint.what))),
            None => Ok(guide),
        }
    };
    diagnosis::on_every_core(&guide_files(folder)?, read).into_iter().collect()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {error}.", path.display()))
}

/// The paths of all guides below a folder.
fn guide_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// The guides that are built in, and those of `--guides`.
fn all_guides(global: &Global) -> Result<Vec<Guide>, Failure> {
    let mut guides = diagnosis::embedded();
    if let Some(folder) = &global.guides {
        guides.extend(guides_in(folder)?);
    }
    Ok(guides)
}

/// Where `lab:NAME` machines are built, so that a later call finds the same one.
fn lab_folder() -> PathBuf {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_else(|_| "user".into());
    let safe: String = user.chars().filter(char::is_ascii_alphanumeric).collect();
    std::env::temp_dir().join(format!("hresolve-lab-{safe}"))
}

/// A fresh name for a folder that is removed again at once.
fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("hresolve-scratch-{:08x}", session::now().unique))
}

/// The target's word as it must be typed again.
fn quoted(target: &str) -> String {
    if target.contains(char::is_whitespace) { format!("\"{target}\"") } else { target.to_owned() }
}
