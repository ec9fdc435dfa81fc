//! Logs of the Configuration Manager client (`Windows\CCM\Logs\WUAHandler.log`, `UpdatesHandler.log` …):
//! `<![LOG[text]LOG]!><time="03:04:05.678-60" date="01-02-2026" component="WUAHandler" context="" type="3" thread="12" file="x.cpp:1">`.
//! A text may have several lines; type 1 is information, 2 a warning, 3 an error.

use super::{Entry, Level, Lines, MOST_PROBLEMS, Problem};
use std::io::Read;

const LONGEST_TEXT: usize = 64 * 1024;

/// Reads a log of any size and gives each entry. A file cut anywhere gives the entries before the cut.
pub fn each(input: &mut dyn Read, give: &mut dyn FnMut(Entry)) -> Vec<Problem> {
    let mut lines = Lines::new(input);
    let mut problems = Vec::new();
    let mut open: Option<(u64, String)> = None;
    loop {
        let (number, line) = match lines.next_line() {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) => {
                problems.push(Problem { line: 0, what: format!("reading failed: {error}") });
                break;
            }
        };
        let line = line.trim_end_matches(['\r', '\0']);
        let mut complain = |line: u64, what: &str| {
            if problems.len() < MOST_PROBLEMS {
                problems.push(Problem { line, what: what.to_owned() });
            }
        };
        if let Some(at) = line.find("<![LOG[") {
            if let Some((line, _)) = open.take() {
                complain(line, "the entry has no end");
            }
            open = Some((number, line.get(at + 7..).unwrap_or_default().to_owned()));
        } else if let Some((_, text)) = open.as_mut().filter(|(_, text)| text.len() + line.len() < LONGEST_TEXT) {
            text.push('\n');
            text.push_str(line);
        } else if !line.trim().is_empty() {
            complain(number, "the line belongs to no entry");
        }
        if let Some((start, whole)) = open.take_if(|(_, text)| text.contains("]LOG]!>"))
            && let Some((text, tail)) = whole.split_once("]LOG]!>")
        {
            give(entry(start, text, tail));
        }
    }
    problems
}

/// Reads a whole log.
pub fn parse(input: &mut dyn Read) -> (Vec<Entry>, Vec<Problem>) {
    let mut entries = Vec::new();
    let problems = each(input, &mut |entry| entries.push(entry));
    (entries, problems)
}

fn entry(line: u64, text: &str, tail: &str) -> Entry {
    let attribute = |name: &str| tail.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(value, _)| value);
    let level = match attribute("type") {
        "2" => Level::Warning,
        "3" => Level::Error,
        _ => Level::Info,
    };
    let (date, time) = (attribute("date"), attribute("time"));
    let digits =
        |text: &str, from: usize, to: usize| text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned);
    let local = || {
        let (month, day, year) = (digits(date, 0, 2)?, digits(date, 3, 5)?, digits(date, 6, 10)?);
        let (hour, minute, second) = (digits(time, 0, 2)?, digits(time, 3, 5)?, digits(time, 6, 8)?);
        Some(format!("{year}-{month}-{day}T{hour}:{minute}:{second}"))
    };
    Entry { line, local: local(), level, component: attribute("component").to_owned(), text: text.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::logs::{Level, text_tests};

    const LOG: &str = "<![LOG[Its a WSUS Update Source type.]LOG]!><time=\"03:04:05.678-60\" date=\"01-02-2026\" component=\"WUAHandler\" context=\"\" type=\"1\" thread=\"12\" file=\"x.cpp:1\">\r\n\
        <![LOG[Async searching failed.\r\nError = 0x80240438]LOG]!><time=\"03:04:06.000-60\" date=\"01-02-2026\" component=\"WUAHandler\" context=\"\" type=\"3\" thread=\"12\" file=\"x.cpp:2\">\r\n";

    #[test]
    fn entries_of_one_and_of_several_lines() {
        let (entries, problems) = parse(&mut LOG.as_bytes());
        assert_eq!((entries.len(), problems.len()), (2, 0));
        assert_eq!((entries[1].line, entries[1].local.as_deref(), entries[1].level), (2, Some("2026-01-02T03:04:06"), Level::Error));
        assert_eq!(entries[1].text, "Async searching failed.\r\nError = 0x80240438".replace('\r', ""));
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("Configuration Manager", &text_tests::seeds(LOG, &[]), |bytes| {
            let (entries, problems) = parse(&mut &bytes[..]);
            assert!(entries.len() < 50 && problems.len() <= 100);
        });
    }
}
