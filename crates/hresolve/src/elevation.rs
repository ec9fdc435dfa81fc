//! Administrator rights for changes of the running Windows: Windows is asked for them where a person can answer it, and nowhere else.

use crate::cli::Global;
use crate::output::{self, Failure};
use crate::terminal::Person;
use session::Session;
use session::host::{self, Relaunch};
use std::ffi::OsString;
use std::io::IsTerminal;

/// Whether a command that changes something may go on.
pub(crate) enum Rights {
    /// It may.
    Enough,
    /// The program was started once more with administrator rights, did the work, and ended with this code.
    Ended(u8),
    /// They are missing, and nobody here can give them.
    Missing,
}

/// Looks whether this session needs administrator rights that this process lacks; at a console it offers to get them.
///
/// # Errors
/// When Windows was asked and could not start the program.
pub(crate) fn rights(session: &Session, global: &Global) -> Result<Rights, Failure> {
    // Where Windows cannot say, its own refusal says it later.
    if !session.is_running_windows() || host::is_elevated() != Some(false) {
        return Ok(Rights::Enough);
    }
    let person = Person::at_terminal(global.quiet, global.json);
    // Output that goes to a file or a pipe would be lost in the other window.
    if !person.is_here() || !std::io::stdout().is_terminal() || !host::can_show_windows() {
        return Ok(Rights::Missing);
    }
    output::note("Changing this Windows needs administrator rights. Windows will ask you for them, and the work goes on in a second window.");
    if !matches!(person.ask("Go on there? [y]es / [n]o:").as_str(), "y" | "yes") {
        return Ok(Rights::Missing);
    }
    match host::relaunch_elevated(&same_arguments(std::env::args_os().skip(1))) {
        Relaunch::Ended(exit) => Ok(Rights::Ended(u8::try_from(exit).unwrap_or(1))),
        Relaunch::Declined | Relaunch::NotWindows => Ok(Rights::Missing),
        Relaunch::Failed { why } => Err(Failure { exit: 5, says: format!("Windows could not start this program with administrator rights: {why}.") }),
    }
}

/// What the person typed; the new window is to stay until it was read.
fn same_arguments(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    std::iter::once(OsString::from("--keep-window")).chain(typed).collect()
}
