//! `setupact.log` and `setuperr.log` of Windows Setup, and the logs of the same shape: `MoSetup\BlueBox.log`,
//! `MoSetup\UpdateAgent.log`, `UnattendGC`, `Rollback`.
//!
//! A line is `YYYY-MM-DD HH:MM:SS, Level  [0xID] Component  text[gle=0x…]`; the number and the component may be missing. Lines
//! without a head belong to the entry before; excerpts without time stamps begin with the level.

use super::{Entry, Level, Lines, MOST_PROBLEMS, Problem, civil_time};
use std::io::Read;

/// An entry is not made longer than this by its continuation lines.
const LONGEST_TEXT: usize = 64 * 1024;
/// Components of Setup; others are recognised by being a short word in capitals that is set off by two spaces.
const COMPONENTS: [&str; 20] = [
    "SP", "MOUPG", "CONX", "MIG", "CSI", "CBS", "IBS", "IBSLIB", "DU", "DISM", "CMI", "SYSPRP", "PANTHR", "WDS", "UI", "AUTO", "LIBAIR", "SAFEOS",
    "HWRQCHK", "DLMGR",
];

/// Reads a log of any size and gives each entry. A file cut anywhere gives the entries before the cut.
pub fn each(input: &mut dyn Read, give: &mut dyn FnMut(Entry)) -> Vec<Problem> {
    let mut lines = Lines::new(input);
    let mut problems = Vec::new();
    let mut problem = |line: u64, what: String| {
        if problems.len() < MOST_PROBLEMS {
            problems.push(Problem { line, what });
        }
    };
    let mut open: Option<Entry> = None;
    loop {
        let (number, line) = match lines.next_line() {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) => {
                problem(0, format!("reading failed: {error}"));
                break;
            }
        };
        let line = line.trim_end_matches(['\r', '\0', ' ']);
        if line.trim().is_empty() {
            continue;
        }
        if let Some((entry, complaint)) = head(number, line) {
            if let Some(what) = complaint {
                problem(number, what);
            }
            if let Some(done) = open.replace(entry) {
                give(done);
            }
        } else if let Some(entry) = &mut open {
            if entry.text.len() + line.len() < LONGEST_TEXT {
                entry.text.push('\n');
                entry.text.push_str(line);
            }
        } else {
            problem(number, "the line belongs to no entry".to_owned());
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

/// The entry that a line begins, and what is wrong with the line.
fn head(line: u64, text: &str) -> Option<(Entry, Option<String>)> {
    let (local, rest) = match civil_time(text, b"-", b" T") {
        Some(local) => (Some(local), text.get(19..)?.trim_start_matches([',', ' ', '\t', '.'])),
        None => (None, text),
    };
    let (word, after) = rest.split_at(rest.find([' ', '\t', ',', '[']).unwrap_or(rest.len()));
    let (level, complaint) = match word {
        "Error" | "Fatal" | "FatalError" => (Level::Error, None),
        "Warning" => (Level::Warning, None),
        "Info" | "Perf" | "Diag" | "Debug" | "Verbose" => (Level::Info, None),
        // Without a time nothing else begins an entry.
        _ if local.is_none() => return None,
        other => (Level::Info, Some(format!("{other:?} is no level"))),
    };
    // "Fatal error" is two words.
    let after = if word == "Fatal" { after.trim_start().strip_prefix("error").unwrap_or(after) } else { after };
    let mut rest = after.trim_start_matches([' ', '\t', ',']);
    if let Some(end) = rest.strip_prefix("[0x").and_then(|id| id.find(']').filter(|end| *end <= 8).map(|end| end + 4)) {
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    let (component, text) = component(rest);
    Some((Entry { line, local, level, component: component.to_owned(), text: text.to_owned() }, complaint))
}

fn component(rest: &str) -> (&str, &str) {
    let (word, text) = rest.split_at(rest.find([' ', '\t']).unwrap_or(rest.len()));
    let capitals = (2..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if COMPONENTS.contains(&word) || (capitals && (text.starts_with("  ") || text.starts_with('\t'))) {
        (word, text.trim_start())
    } else {
        ("", rest)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::parse;
    use crate::logs::{Entry, Level, text_tests};

    fn shown(entry: &Entry) -> (u64, Option<&str>, Level, &str, &str) {
        (entry.line, entry.local.as_deref(), entry.level, entry.component.as_str(), entry.text.as_str())
    }

    const LOG: &str = "2026-01-02 03:04:05, Info                  MOUPG  Setup build version is: 10.0.22621.1 (ni_release.220506-1250)\r\n\
        2026-01-02 03:04:06, Warning               [0x080489] MIG    Retry\r\n    Additional detail\r\n\r\n\
        2026-01-02 03:04:07, Error                 SP     Operation failed: Install drivers. Error: 0x80070003[gle=0x00000003]\r\n\
        2026-01-02 03:04:08, Fatal error           Persisting data\r\n";

    #[test]
    fn entries_with_and_without_number_component_and_continuation() {
        let (entries, problems) = parse(&mut LOG.as_bytes());
        assert_eq!(problems, []);
        let found: Vec<_> = entries.iter().map(shown).collect();
        assert_eq!(found[0], (1, Some("2026-01-02T03:04:05"), Level::Info, "MOUPG", "Setup build version is: 10.0.22621.1 (ni_release.220506-1250)"));
        assert_eq!(found[1], (2, Some("2026-01-02T03:04:06"), Level::Warning, "MIG", "Retry\n    Additional detail"));
        assert_eq!(found[2].3, "SP");
        assert_eq!((found[3].0, found[3].2, found[3].3, found[3].4), (6, Level::Error, "", "Persisting data"));
    }

    #[test]
    fn excerpts_without_time_stamps_are_entries() {
        let (entries, problems) =
            parse(&mut "Error SP User profile suffix mismatch, upgrade cannot continue.[gle=0x00000012]\nWarning    [0x1] CONX x".as_bytes());
        assert_eq!((entries.len(), problems.len()), (2, 0));
        assert_eq!(shown(&entries[0]), (1, None, Level::Error, "SP", "User profile suffix mismatch, upgrade cannot continue.[gle=0x00000012]"));
        assert_eq!(shown(&entries[1]), (2, None, Level::Warning, "CONX", "x"));
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("setupact.log", &text_tests::seeds(LOG, &["cmtraceopen/panther"]), |bytes| {
            let (entries, problems) = parse(&mut &bytes[..]);
            assert!(entries.len() < 50 && problems.len() <= 100);
        });
    }

    #[test]
    fn published_samples() {
        if let Some(bytes) = text_tests::shared("cmtraceopen/panther/clean/setupact.log") {
            let (entries, problems) = parse(&mut &bytes[..]);
            assert_eq!((entries.len(), problems.len()), (2, 0));
            assert_eq!(
                shown(&entries[0]),
                (1, Some("2024-01-15T08:00:00"), Level::Info, "MIG", "Gather started\nAdditional migration detail\n    indented continuation")
            );
            assert_eq!((entries[1].level, entries[1].component.as_str()), (Level::Warning, "SP"));
        }
        if let Some(bytes) = text_tests::shared("cmtraceopen/panther/mixed/setuperr.log") {
            let (entries, problems) = parse(&mut &bytes[..]);
            assert_eq!((entries.len(), problems.len()), (3, 2));
            assert_eq!((entries[2].level, entries[2].text.as_str()), (Level::Error, "Setup failed"));
        }
    }
}
