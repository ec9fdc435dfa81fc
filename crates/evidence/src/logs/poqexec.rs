//! `Windows\WinSxS\poqexec.log`: what was done with the list of waiting work at a start of Windows.
//!
//! A line is `<file time, hexadecimal>: <status, hexadecimal>[;hash or detail] <operation> …`, for example
//! `1d8f0a1b2c3d4e5: c0000034 MoveFile (…, \SystemRoot\WinSxS\Temp\PendingRenames\1a.cdf-ms, …)`. Only operations that
//! failed are kept. The layout differs between builds, so nothing but the status and the first path is relied on.

use super::{Lines, MOST_PROBLEMS, Problem};
use std::io::{self, Read};

/// An operation that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Line in the file, from 1.
    pub line: u64,
    /// The NTSTATUS, for example 0xC0000034.
    pub status: u32,
    /// The first path in the line, as it stands there; empty when it names none.
    pub source: String,
    /// The line, at most 400 characters.
    pub text: String,
}

/// All operations that failed, at most 1000.
///
/// # Errors
/// Those of reading.
pub fn parse(input: &mut dyn Read) -> io::Result<(Vec<Operation>, Vec<Problem>)> {
    let mut lines = Lines::new(input);
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    while let Some((line, text)) = lines.next_line()? {
        let Some((time, rest)) = text.split_once(':') else {
            if !text.trim().is_empty() && problems.len() < MOST_PROBLEMS {
                problems.push(Problem { line, what: "there is no time in this line".into() });
            }
            continue;
        };
        let word: &str = rest.trim_start().split(|c: char| !c.is_ascii_hexdigit()).next().unwrap_or_default();
        let is_time = time.trim().len() >= 12 && time.trim().bytes().all(|byte| byte.is_ascii_hexdigit());
        match u32::from_str_radix(word, 16) {
            Ok(status) if is_time && word.len() <= 8 => {
                let failed = status >> 30 == 3 && found.len() < 1000;
                found.extend(failed.then(|| Operation { line, status, source: first_path(rest), text: text.chars().take(400).collect() }));
            }
            _ if problems.len() < MOST_PROBLEMS => problems.push(Problem { line, what: "there is no status in this line".into() }),
            _ => {}
        }
    }
    Ok((found, problems))
}

/// What begins like a path of the kernel or of a drive, up to a quote, a comma or a bracket.
fn first_path(text: &str) -> String {
    let starts = ["\\SystemRoot\\", "\\??\\", "\\Registry\\", "\\REGISTRY\\"];
    let start = starts.iter().filter_map(|start| text.find(start)).min();
    let rest = start.and_then(|start| text.get(start..)).unwrap_or_default();
    rest.split(['"', '\'', ',', ')', '\r']).next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::parse;
    use crate::logs::text_tests;

    const LOG: &str = "1d8f0a1b2c3d4e5: 0 Executing checkpoint 4\r\n\
        1d8f0a1b2c3d4e6: c0000034;0 MoveFile (source = \"\\SystemRoot\\WinSxS\\Temp\\PendingRenames\\1a2b.cdf-ms\", target = \"\\SystemRoot\\x\")\r\n\
        nonsense\r\n\
        1d8f0a1b2c3d4e7: c000003a SetKeyValue\r\n";

    #[test]
    fn failed_operations_with_their_source() {
        let (found, problems) = parse(&mut LOG.as_bytes()).unwrap();
        assert_eq!((found.len(), problems.len()), (2, 1));
        assert_eq!(
            (found[0].line, found[0].status, found[0].source.as_str()),
            (2, 0xC000_0034, "\\SystemRoot\\WinSxS\\Temp\\PendingRenames\\1a2b.cdf-ms")
        );
        assert_eq!(found[1].source, "");
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("poqexec.log", &text_tests::seeds(LOG, &[]), |bytes| assert!(parse(&mut &bytes[..]).unwrap().0.len() < 50));
    }

    #[test]
    fn a_cut_log_gives_what_is_before_the_cut() {
        for cut in 0..LOG.len() {
            assert!(parse(&mut &LOG.as_bytes()[..cut]).unwrap().0.len() <= 2);
        }
    }
}
