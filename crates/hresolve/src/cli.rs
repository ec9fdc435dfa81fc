//! The words of the command line.

use clap::{Args, Parser, Subcommand};
use model::UpdateName;
use std::path::PathBuf;
use std::time::Duration;

/// Finds what Windows Update could not find, puts back exactly that, proves it, and can undo it.
///
/// Give the code you were shown and the Windows it happened on:
///
///   hresolve 0x80070002 /mnt/windows      what is wrong and what would fix it
///   hresolve fix 0x80070002 /mnt/windows  treats what is proved, asking first
///   hresolve undo /mnt/windows            takes everything back
///   hresolve demo                         all of it on a practice machine
///
/// Exit codes:
///   0 healthy or repaired     1 findings, or not repaired   2 wrong usage
///   3 no readable Windows     4 undetermined, or waiting    5 refused, reason named
///   6 an undo left a conflict
#[derive(Debug, Parser)]
#[command(name = "hresolve", version, verbatim_doc_comment, disable_help_subcommand = true)]
#[command(override_usage = "hresolve [OPTIONS] [CODE|SYMPTOM|TARGET]...\n       hresolve [OPTIONS] <COMMAND>")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// One JSON object on standard output and nothing else
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Only what matters: no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Also where everything was read, and what was not looked at
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// No colour (also: the variable `NO_COLOR`); colour never carries meaning alone
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// More guides, from this folder; their steps always ask first
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) guides: Option<PathBuf>,
    /// Keep runs in this folder instead of on the target (ProgramData\hresolve\runs)
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Contact no other computer, whatever else is asked for; `fix` does not offer it either
    #[arg(long, global = true)]
    pub(crate) no_network: bool,
    /// Wait for Enter at the end, so that a window that closes with the program can be read
    // For the window that the program opens for itself with administrator rights; of no use to anybody who types it.
    #[arg(long, global = true, hide = true)]
    pub(crate) keep_window: bool,
    /// Go on in a new window that is kept at the end, and let whoever started this go on at once
    // For what Windows runs after a restart; of no use to anybody who types it.
    #[arg(long, global = true, hide = true)]
    pub(crate) own_window: bool,
}

/// What the person came with, in any order, or named.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Words {
    /// An error code in any spelling, a symptom (`update`), a run, and the target: a mounted Windows volume, its Windows folder, logs that somebody sent (a folder, zip, 7z, cab or tar archive, or a lone file), or lab:NAME; in any order
    #[arg(value_name = "CODE|SYMPTOM|TARGET", allow_negative_numbers = true)]
    pub(crate) words: Vec<String>,
    /// The error code
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    pub(crate) code: Option<String>,
    /// The symptom
    #[arg(long)]
    pub(crate) symptom: Option<String>,
    /// The run
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// The target
    #[arg(long)]
    pub(crate) target: Option<String>,
}

impl Words {
    /// The first of what was given.
    pub(crate) fn first(&self) -> Option<&String> {
        self.words.first().or([&self.code, &self.symptom, &self.run, &self.target].into_iter().flatten().next())
    }
}

/// How a repair is allowed to act.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Consent {
    /// Consent to the steps of proved findings that ask first
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Only steps that lose nothing and whose undo is proven
    #[arg(long, conflicts_with = "yes")]
    pub(crate) safe_only: bool,
    /// Treat only this cause; with --yes also a usual method without evidence
    #[arg(long, value_name = "CAUSE")]
    pub(crate) only: Option<String>,
    /// Restart the running Windows when a repair needs it, after a minute in which `shutdown /a` stops that, and go on afterwards. Nothing else ever restarts it
    #[arg(long)]
    pub(crate) restart: bool,
    /// When the repair of the running Windows is done, have Windows Update search for the update that failed, download it and install it: it contacts Microsoft or the server that this computer is set to ask, and accepts the update's licence. One update, the one you name (KB5034441, or its id) or the one that failed last. A restart is left to you. Without it you are asked at a terminal
    #[arg(long, value_name = "UPDATE", conflicts_with = "safe_only")]
    pub(crate) retry: Option<Option<UpdateName>>,
    /// End a program of Windows (DISM, SFC, the installation of an update) after this time, for example 90s, 30m or 4h; without it after 20 minutes to 3 hours
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(crate) time_limit: Option<Duration>,
}

/// A number with its unit.
fn time_limit(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("write a number and its unit: 90s, 30m or 4h".into()),
    };
    let number: u32 = number.parse().ok().filter(|number| *number > 0).ok_or("write a number and its unit: 90s, 30m or 4h")?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// What only a person can say.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Choices {
    /// The time zone of this computer by its name in Windows, for example "W. Europe Standard Time"; `list` shows all names. Never inferred
    #[arg(long, value_name = "ID|list", num_args = 0..=1, default_missing_value = "")]
    pub(crate) time_zone: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceOption,
}

/// Whether and whom to ask what time it is; for the clock of a running Windows.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TimeOptions {
    /// Compare the clock of a running Windows with time servers. Without it `diagnose` contacts nobody, and `fix` names the servers and asks first. A disk or a bundle has no clock, so nobody is asked
    #[arg(long)]
    pub(crate) online: bool,
    /// Ask this time server instead of time.windows.com, pool.ntp.org, time.cloudflare.com and time.google.com; to be named again for each. At least two must agree. It is told nothing but one packet of the time protocol
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) time_server: Vec<String>,
    /// Take the second opinion, the date of a plain HTTP answer, from this host instead of `www.msftconnecttest.com`. Anybody on the way can forge it, so it never decides
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) http_date: Vec<String>,
}

/// Where missing files of Windows may come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SourceOption {
    /// Another whole Windows of the same build, from which missing files may be taken when version, processor and hash fit: a folder (a mounted installation image, an unpacked update) or an install.wim
    #[arg(long, value_name = "PATH")]
    pub(crate) source: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Builds a practice machine in a kept temporary folder and runs diagnose, fix, diagnose on it
    Demo {
        /// The code the person came with
        #[arg(allow_negative_numbers = true)]
        code: Option<String>,
        /// Faults by chance, revealed only after the diagnosis
        #[arg(long)]
        random: bool,
    },
    /// Says what a code is called and what it means; with `-` names every code in a text that is piped in
    ///
    /// Any spelling will do: 0x80070002, 80070002, -2147024894, 2147942402, `WU_E_DS_NODATA`, "Code 39", 0x8007000D-0x2000C, or
    /// a sentence with codes in it. `hresolve explain - < CBS.log` copies the log and writes the name behind each code.
    #[command(verbatim_doc_comment)]
    Explain {
        /// The code, or words with codes in them; `-` reads a text from standard input
        #[arg(value_name = "CODE|TEXT|-", allow_negative_numbers = true)]
        words: Vec<String>,
        /// Also what this Windows says itself, in its languages: a mounted volume, its Windows folder, or lab:NAME
        #[arg(long)]
        target: Option<String>,
    },
    /// Writes one bundle with the evidence and nothing else, to send to somebody who helps; `diagnose` reads it, too
    ///
    /// It holds what the diagnosis asks of this Windows, and logs. Names of people and computers, account numbers, addresses and numbers of
    /// this Windows are replaced by stand-ins. Passwords and the hives SAM and SECURITY are never in it. Look through it before you send it.
    Collect {
        #[command(flatten)]
        words: Words,
        /// The zip archive to write
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// Replace nothing, and add event logs and registry hives as they are
        #[arg(long)]
        full: bool,
        /// Replace the file when it exists
        #[arg(long, short)]
        yes: bool,
    },
    /// Says what is wrong, what proves it, and what would fix it; changes nothing
    ///
    /// Of logs that somebody sent nothing is ever unpacked to the disk but into nameless temporary files. Left out with a sentence are
    /// files of more than 2 GiB, what would take more than 4 GiB in all or 250 times its size unpacked, more than 100,000 files,
    /// archives in more than three archives, links, pipes, devices, and names that lead out of the bundle.
    Diagnose {
        #[command(flatten)]
        words: Words,
        /// Leave out what logs told last before then: 2026-01-31, 2026-01-31T14:30 by the machine's own clock, or 3d or 12h before the newest time in its evidence. What is wrong now is shown all the same
        #[arg(long, value_name = "T", allow_hyphen_values = true)]
        since: Option<String>,
        #[command(flatten)]
        source: SourceOption,
        /// Also what happened in the seven days before it first broke, from all logs, in the order of time
        #[arg(long)]
        timeline: bool,
        #[command(flatten)]
        time: TimeOptions,
    },
    /// Treats every proved finding that bears on the code, least invasive first, each with its own check
    Fix {
        #[command(flatten)]
        words: Words,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        choices: Choices,
        #[command(flatten)]
        time: TimeOptions,
        /// What time it is now, for a running Windows without a network: 2026-11-23 14:05 by its time zone, or 2026-11-23 13:05Z in UTC. Never inferred; nobody is asked over the network then
        #[arg(long, value_name = "TIME", conflicts_with_all = ["online", "plan"])]
        set_time: Option<String>,
        /// Say what would be done; do nothing
        #[arg(long, conflicts_with = "retry")]
        dry_run: bool,
        /// Do what this plan says, and nothing when the machine is not as the plan expects
        #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "only", "code", "time_zone", "online", "retry"])]
        plan: Option<PathBuf>,
    },
    /// Writes what a fix would do into a file that somebody else runs with `fix --plan FILE`
    Plan {
        #[command(flatten)]
        words: Words,
        #[command(flatten)]
        choices: Choices,
        /// Plan only this cause
        #[arg(long, value_name = "CAUSE")]
        only: Option<String>,
        /// The file to write
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Tells how it went when you tried again: --worked ends the run, --still-broken climbs one step further, --retry tries for you
    ///
    /// A run that waits for a restart goes on after it, without any of them: what was left is done, and what was wrong is looked at again.
    Continue {
        #[command(flatten)]
        words: Words,
        #[command(flatten)]
        consent: Consent,
        /// It works now
        #[arg(long, conflicts_with_all = ["still_broken", "retry"])]
        worked: bool,
        /// It is still broken
        #[arg(long, conflicts_with = "retry")]
        still_broken: bool,
    },
    /// Takes a run back: the newest, or the one you name
    Undo {
        #[command(flatten)]
        words: Words,
    },
    /// Lists the runs that are kept, with state and size
    Runs {
        #[command(flatten)]
        words: Words,
    },
    /// Lists every Windows on the disks of this computer, and why one cannot be used
    ///
    /// In Windows the running one first, then those on other drives; elsewhere what is mounted, and volumes that would have to be mounted or
    /// unlocked first, with the commands for it. Nothing is mounted, unlocked or changed. Exit code 0 when one can be used, 3 when none can.
    Targets,
    /// Removes kept runs and their saved copies; they cannot be undone afterwards
    Forget {
        #[command(flatten)]
        words: Words,
        /// Every run older than this, for example 30d
        #[arg(long, value_name = "AGE")]
        older_than: Option<String>,
        /// Consent to the removal
        #[arg(long, short)]
        yes: bool,
    },
    /// Shows the guide for a code or a cause, to follow by hand
    Guide {
        /// An error code or the id of a cause
        #[arg(value_name = "CODE|CAUSE", allow_negative_numbers = true)]
        about: String,
        /// Write to this file: .md or .html
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Writes the report of a run, or of a file that `diagnose --json` wrote: .md, .html or .json by ending
    Report {
        #[command(flatten)]
        words: Words,
        /// The file to write
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// For contributors: the guides
    #[command(subcommand)]
    Guides(GuidesCommand),
    /// For contributors: the practice machines
    #[command(subcommand)]
    Lab(LabCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum GuidesCommand {
    /// Every guide with its codes and status
    List,
    /// A new guide from the template
    New {
        /// Area and id: services/update-service-tired
        id: String,
        /// The guides' folder
        #[arg(long, default_value = "knowledge/guides", value_name = "DIR")]
        folder: PathBuf,
    },
    /// Checks guides: those built in, or the files you name
    Lint {
        /// Guide files
        files: Vec<PathBuf>,
    },
    /// Runs every guide against every practice machine and compares with what is expected
    Test,
    /// Every fact that conditions can ask about
    Facts,
    /// Every action that steps can use
    Actions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// Every practice machine
    List,
    /// Builds one into a folder
    Build {
        /// The machine's name
        name: String,
        /// An absent or empty folder
        #[arg(long, short, value_name = "DIR")]
        output: PathBuf,
    },
}
