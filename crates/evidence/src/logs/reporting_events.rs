//! `SoftwareDistribution\ReportingEvents.log`: what the update client reported, one event a line.
//!
//! UTF-16LE (UTF-8 is read as well), tab separated: event GUID, local time with zone, 1, `id [NAME]`, type, update GUID,
//! revision, HRESULT in hexadecimal, caller, Success/Failure, operation, text.

use super::{Lines, MOST_PROBLEMS, Problem};
use crate::civil::days;
use std::io::Read;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Line in the file, from 1.
    pub line: usize,
    /// Local time as `YYYY-MM-DDTHH:MM:SS`.
    pub local: String,
    /// The same moment in seconds since 1970 UTC, when the line names its zone.
    pub unix: Option<i64>,
    /// Event number: 162 = downloaded, 182 = installation failed …
    pub id: u32,
    /// The update's GUID in braces, upper case.
    pub update: String,
    /// The result.
    pub code: u32,
    /// The text at the end, which names the update.
    pub text: String,
}

/// So many of the newest events are kept at least: more than a client reports in years.
const MOST: usize = 100_000;

/// Reads a log of any size; of bad lines the first hundred are given. Never fails as a whole; a file cut anywhere gives the events before the cut.
pub fn parse(input: &mut dyn Read) -> (Vec<Event>, Vec<Problem>) {
    let mut lines = Lines::new(input);
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    loop {
        let (line, content) = match lines.next_line() {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) => {
                problems.push(Problem { line: 0, what: format!("reading failed: {error}") });
                break;
            }
        };
        let content = content.trim_end_matches('\r').trim_matches('\0');
        if content.trim().is_empty() {
            continue;
        }
        match event(usize::try_from(line).unwrap_or(usize::MAX), content) {
            Ok(event) => {
                if events.len() >= 2 * MOST {
                    events.drain(..MOST);
                }
                events.push(event);
            }
            Err(what) if problems.len() < MOST_PROBLEMS => problems.push(Problem { line, what }),
            Err(_) => {}
        }
    }
    (events, problems)
}

fn event(line: usize, content: &str) -> Result<Event, String> {
    let fields: Vec<&str> = content.split('\t').collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default().trim();
    if fields.len() < 9 {
        return Err(format!("{} fields where at least 9 are expected", fields.len()));
    }
    let (local, unix) = time(field(1)).ok_or_else(|| format!("{:?} is not a time", field(1)))?;
    let id =
        field(3).split_whitespace().next().and_then(|number| number.parse().ok()).ok_or_else(|| format!("{:?} is not an event number", field(3)))?;
    let code = u32::from_str_radix(field(7).trim_start_matches("0x"), 16).map_err(|_| format!("{:?} is not a result", field(7)))?;
    Ok(Event { line, local, unix, id, update: field(5).to_ascii_uppercase(), code, text: field(11).to_owned() })
}

/// `2026-01-02 03:04:05:678+0100` to local ISO time and UTC seconds.
fn time(text: &str) -> Option<(String, Option<i64>)> {
    let (date, clock) = text.split_once(' ')?;
    let mut date = date.split('-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, zone) = match clock.find(['+', '-']) {
        Some(at) => (clock.get(..at)?, clock.get(at..)),
        None => (clock, None),
    };
    let mut clock = clock.split(':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1601..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let unix = zone.and_then(|zone| {
        let digits = zone.get(1..5)?;
        let offset = number(digits.get(..2)?)? * 3600 + number(digits.get(2..)?)? * 60;
        let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Some(if zone.starts_with('-') { local + offset } else { local - offset })
    });
    Some((format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"), unix))
}

fn number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::parse;
    use crate::logs::text_tests;

    const LINE: &str = "{A1B2C3D4-0000-0000-0000-000000000001}\t2026-01-02 03:04:05:678+0100\t1\t182 [AGENT_INSTALLING_FAILED]\t101\t{0f1e2d3c-0000-0000-0000-00000000000a}\t200\t80070002\tUpdateOrchestrator\tFailure\tContent Install\tInstallation Failure: Windows failed to install the following update with error 0x80070002: KB5034441.\tcv";

    #[test]
    fn one_line_in_three_encodings() {
        let utf16: Vec<u8> = format!("{LINE}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark = [&[0xFF, 0xFE][..], &utf16].concat();
        for bytes in [utf16.as_slice(), &with_mark, LINE.as_bytes()] {
            let (events, problems) = parse(&mut &bytes[..]);
            assert_eq!(problems, []);
            let event = &events[0];
            assert_eq!((event.id, event.code, event.local.as_str(), event.unix), (182, 0x8007_0002, "2026-01-02T03:04:05", Some(1_767_319_445)));
            assert_eq!(event.update, "{0F1E2D3C-0000-0000-0000-00000000000A}");
        }
    }

    #[test]
    fn bad_lines_cost_only_themselves() {
        let text = format!("orphan\n{LINE}\n{{x}}\tnot-a-time\t1\t182\t1\t1\t1\t0\tx\n{LINE}");
        let (events, problems) = parse(&mut text.as_bytes());
        assert_eq!((events.len(), problems.len()), (2, 2));
        assert_eq!(events[1].line, 4);
    }

    #[test]
    fn spoilt_input_ends() {
        let own = format!("{LINE}\r\n").repeat(3);
        text_tests::spoil("ReportingEvents.log", &text_tests::seeds(&own, &["cmtraceopen/reporting_events"]), |bytes| {
            assert!(parse(&mut &bytes[..]).0.len() < 50);
        });
    }

    #[test]
    fn a_cut_file_gives_what_is_before_the_cut() {
        let text = format!("{LINE}\n{LINE}\n");
        for cut in 0..text.len() {
            let (events, _) = parse(&mut &text.as_bytes()[..cut]);
            assert!(events.len() <= 2);
            if cut > LINE.len() {
                assert!(!events.is_empty());
            }
        }
    }
}
