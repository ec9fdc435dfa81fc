//! `Windows\Logs\DISM\dism.log`: the commands that were given to DISM, and how each ended.
//!
//! A line is `YYYY-MM-DD HH:MM:SS, Level  DISM   <part>: PID=… TID=… text - Class::Method(hr:0x…)`, the shape of Setup's logs. A command
//! begins with `DISM.EXE: Executing command line:` and ends with `Image session has been closed` or `Ending Dism.exe session`; only
//! two lines say that it failed: `… processed the command line but failed. HRESULT=800F081F`, and `Failed while processing command
//! <name>. - …::ExecuteCmdLine(hr:0x…)`. All other errors and warnings (providers that cannot be loaded, options that a provider does
//! not know) also stand in the logs of commands that ended well, so they are not looked at. What programs do by DISM's interface is
//! not told apart here.

use super::{Entry, Level, Problem, setupact};
use model::{ErrorCode, codes_in};
use std::io::Read;

/// One command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// As it was typed; empty when the log begins in the middle of it.
    pub line_given: String,
    /// It was about the Windows that ran, and not about an image in a folder.
    pub online: bool,
    /// Which part of DISM failed: `DISM Package Manager` …; empty when none is named.
    pub part: String,
    /// The command's name, `cleanup-image`, `add-package`, as the failing line names it; empty when there is none.
    pub name: String,
    /// How it failed; `None` when no line says that it did.
    pub failed: Option<ErrorCode>,
    /// Its end is in the log.
    pub ended: bool,
    /// Local time of the failure, or of the last line.
    pub local: Option<String>,
    /// Line of the failure, or the first one.
    pub line: u64,
    /// The text of the failing line.
    pub text: String,
}

/// More commands than this are not kept: the newest are.
const MOST: usize = 1000;
const LONGEST_COMMAND: usize = 2000;

/// Reads a log of any size. A file cut anywhere gives the commands before the cut.
pub fn parse(input: &mut dyn Read) -> (Vec<Command>, Vec<Problem>) {
    let mut commands = Vec::new();
    let mut open: Option<Command> = None;
    let problems = setupact::each(input, &mut |entry| {
        if entry.component == "DISM" {
            take(&entry, &mut open, &mut commands);
        }
    });
    close(&mut open, &mut commands);
    (commands, problems)
}

fn close(open: &mut Option<Command>, commands: &mut Vec<Command>) {
    if let Some(command) = open.take().filter(|command| !command.line_given.is_empty() || command.failed.is_some()) {
        if commands.len() >= MOST {
            commands.remove(0);
        }
        commands.push(command);
    }
}

fn take(entry: &Entry, open: &mut Option<Command>, commands: &mut Vec<Command>) {
    // What follows the first line belongs to the person's own text, if to anything.
    let text = entry.text.lines().next().unwrap_or_default();
    if let Some((_, given)) = text.split_once("Executing command line:") {
        close(open, commands);
        let given: String = given.trim().chars().take(LONGEST_COMMAND).collect();
        *open = Some(Command { online: has_option(&given, "online"), line_given: given, line: entry.line, ..Command::default() });
    }
    if text.contains("Starting Dism.exe session") {
        close(open, commands);
    }
    let ends = text.contains("Image session has been closed") || text.contains("Ending Dism.exe session");
    if ends && open.is_none() {
        return;
    }
    let command = open.get_or_insert_with(|| Command { line: entry.line, ..Command::default() });
    command.online |= command.line_given.is_empty() && text.contains("Loaded servicing stack for online use");
    if command.failed.is_none() {
        command.local.clone_from(&entry.local);
    }
    if entry.level == Level::Error {
        failure(entry, text, command);
    }
    if ends {
        command.ended = true;
        // Two lines tell the end of one command.
        if text.contains("Ending Dism.exe session") {
            close(open, commands);
        }
    }
}

/// A line that says that the command failed; the first says most.
fn failure(entry: &Entry, text: &str, command: &mut Command) {
    let whole = text.contains("processed the command line but failed");
    let named = text.split_once("Failed while processing command ").map(|(_, rest)| rest);
    if !whole && named.is_none() {
        return;
    }
    let Some(code) = code(text) else { return };
    if let Some(name) = named {
        command.name = name.split(['.', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    }
    if command.part.is_empty() {
        let part = text.trim_start_matches("DISM.EXE: ");
        let end = part.find(": PID=").or_else(|| part.find(" processed the command line")).unwrap_or(0);
        command.part = part.get(..end).unwrap_or_default().to_owned();
    }
    if command.failed.is_none() {
        command.failed = Some(code);
        command.line = entry.line;
        command.local.clone_from(&entry.local);
        command.text = text.chars().take(400).collect();
    }
}

/// `(hr:0x800f081f)` or `HRESULT=800F081F`.
fn code(text: &str) -> Option<ErrorCode> {
    let after = |mark: &str| text.rsplit_once(mark).map(|(_, rest)| rest);
    let digits = after("(hr:0x").or_else(|| after("HRESULT="))?.trim_start_matches("0x");
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let number = u32::from_str_radix(digits.get(..end)?, 16).ok().filter(|number| number & 0x8000_0000 != 0);
    number.map(ErrorCode).or_else(|| codes_in(text).into_iter().find(|code| code.0 & 0x8000_0000 != 0))
}

/// Whether a command line has such an option: `/online`, `-Online`, `/Source:D:\x`.
pub fn has_option(given: &str, name: &str) -> bool {
    option(given, name).is_some()
}

/// The value of an option, empty for one without.
pub fn option(given: &str, name: &str) -> Option<String> {
    let lower = given.to_ascii_lowercase();
    let found = lower.match_indices(name).find(|(at, _)| {
        let before = lower.get(..*at).unwrap_or_default();
        let after = lower.get(at + name.len()..).unwrap_or_default();
        let begins = before.ends_with(['/', '-']) && before.trim_end_matches(['/', '-']).ends_with([' ', '\t', '"']);
        begins && (after.is_empty() || after.starts_with([' ', '\t', ':', '=', '"']))
    });
    let (at, _) = found?;
    let after = given.get(at + name.len()..).unwrap_or_default();
    let Some(value) = after.strip_prefix([':', '=']) else { return Some(String::new()) };
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([' ', '\t']).next(),
    };
    Some(value.unwrap_or_default().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{Command, option, parse};
    use crate::logs::text_tests;

    fn read(text: &str) -> Vec<Command> {
        parse(&mut text.as_bytes()).0
    }

    pub(crate) const LOG: &str = "2026-01-02 03:04:05, Info                  DISM   DISM.EXE: <----- Starting Dism.exe session ----->\r\n\
        2026-01-02 03:04:05, Info                  DISM   DISM.EXE: Executing command line: \"C:\\Windows\\system32\\Dism.exe\" /Online /Cleanup-Image /RestoreHealth\r\n\
        2026-01-02 03:04:06, Warning               DISM   DISM Provider Store: PID=4 TID=5 Failed to load the provider: C:\\x\\PEProvider.dll. - CDISMProviderStore::Internal_GetProvider(hr:0x8007007e)\r\n\
        2026-01-02 03:14:06, Info                  DISM   DISM Package Manager: PID=4 TID=6  Error in operation: (null) (CBS HRESULT=0x800f081f) - CCbsConUIHandler::Error\r\n\
        2026-01-02 03:14:06, Error                 DISM   DISM Package Manager: PID=4 TID=5 Failed finalizing changes. - CDISMPackageManager::Internal_Finalize(hr:0x800f081f)\r\n\
        2026-01-02 03:14:07, Error                 DISM   DISM Package Manager: PID=4 TID=5 Failed while processing command cleanup-image. - CPackageManagerCLIHandler::ExecuteCmdLine(hr:0x800f081f)\r\n\
        2026-01-02 03:14:07, Error                 DISM   DISM.EXE: DISM Package Manager processed the command line but failed. HRESULT=800F081F\r\n\
        2026-01-02 03:14:08, Info                  DISM   DISM.EXE: Image session has been closed. Reboot required=no.\r\n\
        2026-01-02 03:14:08, Info                  DISM   DISM.EXE: <----- Ending Dism.exe session ----->\r\n";

    #[test]
    fn a_command_tells_what_it_was_and_how_it_failed() {
        let [command] = &read(LOG)[..] else { unreachable!("one command") };
        assert_eq!((command.failed.map(|code| code.0), command.online, command.ended), (Some(0x800F_081F), true, true));
        assert_eq!((command.part.as_str(), command.name.as_str(), command.line), ("DISM Package Manager", "cleanup-image", 6));
        assert_eq!(command.local.as_deref(), Some("2026-01-02T03:14:07"));
        assert!(command.line_given.ends_with("/RestoreHealth"));
    }

    #[test]
    fn errors_of_parts_are_no_failure_of_the_command() {
        let good: String =
            LOG.lines().filter(|line| !line.contains("Failed while") && !line.contains("but failed")).map(|line| format!("{line}\n")).collect();
        let [command] = &read(&good)[..] else { unreachable!("one command") };
        assert_eq!((command.failed, command.ended), (None, true));
        // Stopped in the middle: neither failed nor done.
        let cut = good.split("2026-01-02 03:14:08").next().unwrap();
        assert_eq!((read(cut)[0].failed, read(cut)[0].ended), (None, false));
    }

    #[test]
    fn an_excerpt_without_its_command_is_about_this_windows_only_when_it_says_so() {
        let end = LOG.lines().nth(5).unwrap();
        let [command] = &read(end)[..] else { unreachable!("one command") };
        assert_eq!((command.failed.map(|code| code.0), command.online), (Some(0x800F_081F), false));
        let online = "2026-01-02 03:04:05, Info   DISM   DISM Package Manager: PID=4 TID=5 Loaded servicing stack for online use only. - X\n";
        assert!(read(&format!("{online}{end}"))[0].online);
        assert!(!read(&LOG.replace("/Online", "/Image:D:\\mount"))[0].online);
    }

    #[test]
    fn options_are_told_from_paths() {
        let given = "\"C:\\x\\Dism.exe\" -Online /Add-Package /PackagePath:\"D:\\my files\\windows10.0-kb5034441-x64.cab\" /Source:E:\\ /online-not";
        assert_eq!(option(given, "online").as_deref(), Some(""));
        assert_eq!(option(given, "packagepath").as_deref(), Some("D:\\my files\\windows10.0-kb5034441-x64.cab"));
        assert_eq!(option(given, "source").as_deref(), Some("E:\\"));
        assert_eq!(option("dism /image:C:\\online /get-packages", "online"), None);
        assert_eq!(option("dism /image:C:/online", "online"), None);
    }

    #[test]
    fn spoilt_logs_end_and_a_cut_gives_what_is_before_it() {
        text_tests::spoil("dism.log", &text_tests::seeds(LOG, &["cmtraceopen/dism"]), |bytes| {
            parse(&mut &bytes[..]);
        });
        let twice = LOG.repeat(2);
        for cut in LOG.len()..=twice.len() {
            assert_eq!(read(&twice[..cut])[0], read(LOG)[0], "cut at {cut}");
        }
    }
}
