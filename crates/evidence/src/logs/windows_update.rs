//! `Windows\WindowsUpdate.log`: the update client of Windows 7 and 8.1, and what `Get-WindowsUpdateLog` makes in 10 and 11.
//!
//! 7 and 8.1, tab separated: date, time with milliseconds after a third colon, process, thread (hexadecimal), component, text.
//! 10 and 11, blanks: `2026/01/02 03:04:05.1234567 1234  5678  Agent           text`. The text is English in every Windows; only
//! its fixed words and its codes are read.

use super::{Entry, Level, Lines, MOST_PROBLEMS, Problem, civil_time};
use model::{ErrorCode, codes_in};
use std::io::Read;

/// Reads a log of any size and gives each entry; lines without a head belong to the entry before.
pub fn each(input: &mut dyn Read, give: &mut dyn FnMut(Entry)) -> Vec<Problem> {
    let mut lines = Lines::new(input);
    let mut problems = Vec::new();
    let mut open: Option<Entry> = None;
    loop {
        let (number, line) = match lines.next_line() {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) => {
                problems.push(Problem { line: 0, what: format!("reading failed: {error}") });
                break;
            }
        };
        let line = line.trim_end_matches(['\r', '\0', ' ']);
        if line.trim().is_empty() {
            continue;
        }
        if let Some(entry) = head(number, line) {
            if let Some(done) = open.replace(entry) {
                give(done);
            }
        } else if let Some(entry) = open.as_mut().filter(|entry| entry.text.len() < 16 * 1024) {
            entry.text.push('\n');
            entry.text.push_str(line.trim());
        } else if problems.len() < MOST_PROBLEMS {
            problems.push(Problem { line: number, what: "the line belongs to no entry".to_owned() });
        }
    }
    open.into_iter().for_each(give);
    problems
}

/// Reads a whole log.
pub fn parse(input: &mut dyn Read) -> (Vec<Entry>, Vec<Problem>) {
    let mut entries = Vec::new();
    let problems = each(input, &mut |entry| entries.push(entry));
    (entries, problems)
}

fn head(line: u64, text: &str) -> Option<Entry> {
    let local = civil_time(text, b"-/", b" \t")?;
    // Fractions of the second, then process and thread, then the component.
    let mut rest = text.get(19..)?.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':' || c == '.');
    for _ in 0..2 {
        rest = rest.trim_start();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if !word.is_empty() && word.len() <= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            rest = after;
        }
    }
    let rest = rest.trim_start();
    let (component, message) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let message = message.trim();
    let level = if message.starts_with("FATAL") || message.contains("*FAILED*") {
        Level::Error
    } else if message.starts_with("WARNING") {
        Level::Warning
    } else {
        Level::Info
    };
    Some(Entry { line, local: Some(local), level, component: component.to_owned(), text: message.to_owned() })
}

/// The end of a search, a download or an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `scan`, `download` or `update`.
    pub operation: &'static str,
    /// The update's GUID and revision or its title, when the line names it.
    pub subject: String,
    /// 0 for success.
    pub code: ErrorCode,
}

/// Finds the ends of operations in entries that come in the order of the log. Warnings on the way are none.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// What the agent is doing: it names the operation when it begins, and only the code when it ends.
    doing: Option<&'static str>,
}

impl Outcomes {
    /// What the next entry says about the end of an operation.
    pub fn take(&mut self, entry: &Entry) -> Option<Outcome> {
        let text = entry.text.as_str();
        let lower = text.to_lowercase();
        let code = codes_in(text).into_iter().find(|code| code.0 >= 0x8000_0000);
        let found = |operation, subject: String, code| Some(Outcome { operation, subject, code });
        match entry.component.as_str() {
            // Its fields are separated by tabs: {event}, time, 1, number, type, {update}, revision, result, caller …
            "Report" if text.starts_with("REPORT EVENT:") => {
                let fields: Vec<&str> = text.split('\t').map(str::trim).collect();
                let number = fields.iter().position(|field| ENDS.iter().any(|(end, _)| end == field))?;
                let operation = ENDS.iter().find(|(end, _)| fields.get(number) == Some(end)).map(|(_, operation)| *operation)?;
                let code = u32::from_str_radix(fields.get(number + 4)?, 16).ok().map(ErrorCode)?;
                found(operation, if operation == "scan" { String::new() } else { (*fields.get(number + 2)?).to_owned() }, code)
            }
            "Agent" if lower.contains("** start **") || lower.contains("**  end  **") => {
                let begins = lower.contains("** start **");
                self.doing = begins
                    .then(|| {
                        [("finding updates", "scan"), ("downloading updates", "download"), ("installing updates", "update")]
                            .iter()
                            .find(|(words, _)| lower.contains(words))
                            .map(|(_, operation)| *operation)
                    })
                    .flatten();
                None
            }
            "Agent" if lower.contains("exit code = 0x") => found(self.doing?, String::new(), code?),
            "AU" if lower.contains("failed to find updates with error") || lower.contains("search callback failed") => {
                found("scan", String::new(), code?)
            }
            "AU" if lower.ends_with("updates detected") => found("scan", String::new(), ErrorCode(0)),
            "DnldMgr" if lower.contains("download failed") || lower.contains("error 0x") => found("download", guid(text).unwrap_or_default(), code?),
            _ => None,
        }
    }
}

/// Events that end an operation.
const ENDS: [(&str, &str); 10] = [
    ("147", "scan"),
    ("148", "scan"),
    ("161", "download"),
    ("162", "download"),
    ("182", "update"),
    ("183", "update"),
    ("190", "update"),
    ("195", "update"),
    ("203", "update"),
    ("204", "update"),
];

/// `{8-4-4-4-12}` in a text.
fn guid(text: &str) -> Option<String> {
    let at = text.find('{')?;
    text.get(at..at + 38).filter(|guid| guid.ends_with('}')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Outcomes, parse};
    use crate::logs::Entry;
    use crate::logs::{Level, text_tests};
    use model::ErrorCode;

    const SEVEN: &str = "2026-01-02\t03:04:05:678\t1012\t94c\tAgent\t** START **  Agent: Finding updates [CallerId = AutomaticUpdates]\r\n\
        2026-01-02\t03:04:06:000\t1012\t94c\tAgent\t  * WARNING: Exit code = 0x80072EFD\r\n\
        2026-01-02\t03:04:07:000\t1012\t94c\tReport\tREPORT EVENT: {A1B2C3D4-0000-0000-0000-000000000001}\t2026-01-02 03:04:02:000+0100\t1\t182\t101\t{0F1E2D3C-0000-0000-0000-00000000000A}\t101\t80070002\tAutomaticUpdates\tFailure\tContent Install\tInstallation Failure\r\n\
        2026-01-02\t03:04:08:000\t1012\t94c\tHandler\tFATAL: something\r\n  continued\r\n";

    fn outcomes(entries: &[Entry]) -> Vec<Outcome> {
        let mut outcomes = Outcomes::default();
        entries.iter().filter_map(|entry| outcomes.take(entry)).collect()
    }

    #[test]
    fn seven_and_ten() {
        let (entries, problems) = parse(&mut SEVEN.as_bytes());
        assert_eq!((entries.len(), problems.len()), (4, 0));
        assert_eq!((entries[0].local.as_deref(), entries[0].component.as_str()), (Some("2026-01-02T03:04:05"), "Agent"));
        assert_eq!((entries[3].level, entries[3].text.as_str()), (Level::Error, "FATAL: something\ncontinued"));
        let outcomes: Vec<_> = outcomes(&entries).into_iter().map(|o| (o.operation, o.subject, o.code)).collect();
        assert_eq!(
            outcomes,
            [
                ("scan", String::new(), ErrorCode(0x8007_2EFD)),
                ("update", "{0F1E2D3C-0000-0000-0000-00000000000A}".to_owned(), ErrorCode(0x8007_0002))
            ]
        );
        let ten = "2026/01/02 03:04:05.1234567 1234  5678  ComApi          *QUEUED* LoadServices\n2026/01/02 03:04:06.1234567 1234  5678  Agent           *FAILED* [80070426] GetDeviceTickets";
        let (entries, problems) = parse(&mut ten.as_bytes());
        assert_eq!((entries.len(), problems.len()), (2, 0));
        assert_eq!((entries[0].component.as_str(), entries[0].text.as_str()), ("ComApi", "*QUEUED* LoadServices"));
        assert_eq!((entries[1].level, entries[1].component.as_str()), (Level::Error, "Agent"));
    }

    #[test]
    fn harmless_warnings_are_no_outcome() {
        let text = "2026-01-02\t03:04:05:678\t1012\t94c\tHandler\tWARNING: UH: DpxRestoreJob returned 0x80070002\n";
        let (entries, _) = parse(&mut text.as_bytes());
        assert_eq!(outcomes(&entries), []);
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("WindowsUpdate.log", &text_tests::seeds(SEVEN, &[]), |bytes| {
            let (entries, problems) = parse(&mut &bytes[..]);
            assert!(problems.len() <= 100);
            assert!(outcomes(&entries).len() < 50);
        });
    }
}
