//! The attempts of Windows Setup that a log tells of: how each ended, with result code and extend code, and which lines before
//! the end are errors.
//!
//! An extend code is `0x<phase><operation>`: phase 1 old Windows, 2 SafeOS, 3 first boot, 4 second boot, 5 uninstall; operations
//! 00 to 20 (Microsoft, "Windows upgrade error codes"). Logs print the pair (`0x80070003-0x20007`), or the phase by name and the
//! operation as a decimal number (`Operation execution failed: 13. hr = 0x80070005`).

use super::{Entry, Level, Problem, setupact};
use model::{ErrorCode, codes_in};
use std::io::Read;

/// One attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The version to be installed, `10.0.22621.1`, when the log says it.
    pub version: Option<String>,
    /// How it failed; `None` when the log tells of no failure.
    pub end: Option<End>,
    /// Error lines, and lines that a rule may want, before the end; at most [`KEPT`].
    pub lines: Vec<Entry>,
}

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The result.
    pub code: ErrorCode,
    /// The extend code, as far as it is known.
    pub extend: Option<u32>,
    /// Local time, when the line has one.
    pub local: Option<String>,
    /// Line in the file.
    pub line: u64,
    /// How sure the words are: the highest wins.
    weight: u8,
}

/// So many lines of one attempt are kept.
pub const KEPT: usize = 2000;
const MOST_ATTEMPTS: usize = 1000;
/// Lines that are no errors and that a rule may want.
const WANTED: [&str; 4] = ["linked profile root", "bfsvc: unable to open file", "crash 0x", "module name"];
/// What Setup prints when it only stops or goes on.
const NO_FAILURE: [u32; 3] = [0, 0xC180_0104, 0x8000_000A];

/// Reads a log.
pub fn parse(input: &mut dyn Read) -> (Vec<Attempt>, Vec<Problem>) {
    let mut attempts = vec![Attempt::default()];
    let mut extend = Extend::default();
    let problems = setupact::each(input, &mut |entry| {
        if let Some(version) = version(&entry.text) {
            let open = attempts.last().is_some_and(|attempt| attempt.version.is_some() && attempt.end.is_some());
            if open && attempts.len() < MOST_ATTEMPTS {
                attempts.push(Attempt::default());
                extend = Extend::default();
            }
            if let Some(attempt) = attempts.last_mut() {
                attempt.version.get_or_insert(version);
            }
        }
        if let Some(attempt) = attempts.last_mut() {
            take(attempt, &mut extend, entry);
        }
    });
    attempts.retain(|attempt| attempt.end.is_some() || !attempt.lines.is_empty() || attempt.version.is_some());
    (attempts, problems)
}

/// Phase and operation as they become known.
#[derive(Default)]
struct Extend {
    phase: Option<u32>,
    operation: Option<u32>,
}

fn take(attempt: &mut Attempt, extend: &mut Extend, entry: Entry) {
    let text = entry.text.as_str();
    let lower = text.to_lowercase();
    if let Some(at) = lower.find("execution phase") {
        extend.phase = phase(lower.get(at + 15..).unwrap_or_default()).or(extend.phase);
    }
    let found = if let Some((code, pair)) = pair(text) {
        Some((code, 4, Some(pair)))
    } else if let Some(at) = lower.find("operation execution failed:") {
        let digits: String = lower.get(at + 27..).unwrap_or_default().trim_start().chars().take_while(char::is_ascii_digit).take(4).collect();
        extend.operation = digits.parse().ok();
        code_after(text, at).map(|code| (code, 3, None))
    } else if let Some(at) = ["failed execution phase", "operation failed:"].iter().find_map(|words| lower.find(words)) {
        code_after(text, at).map(|code| (code, 3, None))
    } else if lower.contains("execution phase") && lower.contains("exiting with hresult") {
        code_after(text, 0).map(|code| (code, 3, None))
    } else if entry.level == Level::Error && lower.contains("caught exception") && lower.contains("[0x0") {
        codes_in(text).into_iter().find(|code| (1..=0x3FFF).contains(&code.0)).map(|code| (code.normal(), 2, None))
    } else if let Some(at) = lower.find("reporting error event -> [") {
        // What is told to Windows Update; a full drive has no error line of its own.
        code_after(text, at).map(|code| (code, 1, None))
    } else if entry.level == Level::Error
        && lower.contains("::execute")
        && lower.contains("result = 0x")
        && ["setuphost", "setupmanager", "cdlpactionfinalize"].iter().any(|part| lower.contains(part))
    {
        code_after(text, lower.find("result = 0x").unwrap_or_default()).map(|code| (code, 1, None))
    } else {
        None
    };
    if let Some((code, weight, pair)) = found.filter(|(code, ..)| code.0 >= 0x8000_0000 && !NO_FAILURE.contains(&code.0)) {
        let known = extend.phase.map(|phase| phase << 16 | extend.operation.unwrap_or(0));
        let end = End { code, extend: pair.or(known), local: entry.local.clone(), line: entry.line, weight };
        match &mut attempt.end {
            // Later lines of the same failure say more about it, but are not another one.
            Some(old) if old.weight >= weight => {
                if old.code == code && old.weight < 4 {
                    old.extend = end.extend.or(old.extend);
                }
            }
            old => {
                let first = old.as_ref().map(|old| (old.line, old.local.clone()));
                let end = old.insert(end);
                if let Some((line, local)) = first.filter(|_| weight == 4) {
                    (end.line, end.local) = (line, local);
                }
            }
        }
    } else if (entry.level == Level::Error || WANTED.iter().any(|words| lower.contains(words))) && attempt.lines.len() < KEPT {
        attempt.lines.push(entry);
    }
}

/// `Setup build version is: 10.0.22621.1 (ni_release…)` and its like.
fn version(text: &str) -> Option<String> {
    let at = text.find("build version is")? + 16;
    let rest = text.get(at..)?.trim_start_matches([':', ' ', '[']);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let version = rest.get(..end)?.trim_end_matches('.');
    (version.split('.').count() >= 3).then(|| version.to_owned())
}

fn code_after(text: &str, at: usize) -> Option<ErrorCode> {
    let body = text.get(at..)?.split("[gle=").next()?;
    codes_in(body).into_iter().find(|code| code.0 >= 0x8000_0000)
}

/// `0x80070003-0x20007`, with or without blanks around the dash.
pub(super) fn pair(text: &str) -> Option<(ErrorCode, u32)> {
    text.match_indices("0x").chain(text.match_indices("0X")).find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let (code, rest) = (rest.get(..10)?, rest.get(10..)?);
        let rest = rest.trim_start().strip_prefix(['-', '–'])?.trim_start();
        let digits = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X"))?;
        let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
        let extend = u32::from_str_radix(digits.get(..end).filter(|digits| digits.len() == 5)?, 16).ok()?;
        let code: ErrorCode = code.parse().ok()?;
        (code.0 >= 0x8000_0000 && extend < 0x6_0000).then_some((code, extend))
    })
}

/// The phase's number by its name in the logs.
fn phase(rest: &str) -> Option<u32> {
    let name = rest.trim_start_matches([' ', '[']);
    [
        ("safe os", 2),
        ("safeos", 2),
        ("pre first boot", 3),
        ("first boot", 3),
        ("pre oobe boot", 4),
        ("oobe boot", 4),
        ("pre second boot", 4),
        ("second boot", 4),
        ("uninstall", 5),
        ("downlevel", 1),
        ("pre-finalize", 1),
        ("finalize", 1),
        ("install", 1),
    ]
    .iter()
    .find(|(words, _)| name.starts_with(words))
    .map(|(_, number)| *number)
}

/// `0x2000D` as people read it: "SafeOS, migrate data".
pub fn extend_words(extend: u32) -> String {
    const OPERATIONS: [&str; 33] = [
        "",
        "copy payload",
        "download updates",
        "install updates",
        "install recovery environment",
        "install recovery image",
        "replicate components",
        "install drivers",
        "prepare SafeOS",
        "prepare rollback",
        "prepare first boot",
        "prepare OOBE boot",
        "apply image",
        "migrate data",
        "set product key",
        "add unattend",
        "add driver",
        "enable feature",
        "disable feature",
        "register asynchronous process",
        "register synchronous process",
        "create file",
        "create registry",
        "boot",
        "sysprep",
        "OOBE",
        "begin first boot",
        "end first boot",
        "begin OOBE boot",
        "end OOBE boot",
        "pre OOBE",
        "post OOBE",
        "add provisioning package",
    ];
    let phase = ["", "old Windows", "SafeOS", "first boot", "second boot", "uninstall"].get((extend >> 16) as usize).copied().unwrap_or_default();
    let operation = OPERATIONS.get((extend & 0xFFFF) as usize).copied().unwrap_or_default();
    [phase, operation].iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Attempt, extend_words, parse};
    use crate::logs::text_tests;
    use model::ErrorCode;

    fn read(text: &str) -> Vec<Attempt> {
        parse(&mut text.as_bytes()).0
    }

    const LOG: &str = "2026-01-02 03:04:05, Info                  MOUPG  SetupHost: Setup build version is: 10.0.22621.1 (ni_release.220506-1250)\n\
        2026-01-02 03:04:06, Error                 SP     Failed to import driver oem7.inf. Error: 0x80070003[gle=0x00000003]\n\
        2026-01-02 03:04:07, Error                 SP     Operation failed: Install drivers. Error: 0x80070003[gle=0x000000b7]\n\
        2026-01-02 03:04:07, Error                 SP     Operation execution failed: 7. hr = 0x80070003[gle=0x000000b7]\n\
        2026-01-02 03:04:07, Error                 SP     ExecuteOperations: Failed execution phase Safe OS. Error: 0x80070003\n\
        2026-01-02 03:04:08, Info                  SP     Execution phase [Safe OS] exiting with HRESULT [0x80070003]\n";

    #[test]
    fn the_extend_code_is_put_together() {
        let attempts = read(LOG);
        assert_eq!((attempts.len(), attempts[0].version.as_deref(), attempts[0].lines.len()), (1, Some("10.0.22621.1"), 1));
        let end = attempts[0].end.as_ref().map(|end| (end.code, end.extend, end.line, end.local.as_deref()));
        assert_eq!(end, Some((ErrorCode(0x8007_0003), Some(0x2_0007), 3, Some("2026-01-02T03:04:07"))));
        assert_eq!(extend_words(0x2_0007), "SafeOS, install drivers");
    }

    #[test]
    fn a_printed_pair_wins_and_a_second_attempt_is_another_one() {
        let text = format!(
            "{LOG}2026-01-02 03:05:00, Info MOUPG  Reporting 0xC1900101 - 0x2000D\n{}",
            LOG.replace("2026-01-02", "2026-02-02").replace("0x80070003", "0x80070002")
        );
        let attempts = read(&text);
        let codes: Vec<_> = attempts.iter().filter_map(|attempt| attempt.end.as_ref()).map(|end| (end.code.0, end.extend)).collect();
        assert_eq!(codes, [(0xC190_0101, Some(0x2_000D)), (0x8007_0002, Some(0x2_0007))]);
    }

    #[test]
    fn exceptions_and_early_ends() {
        let suffix = "Error SP User profile suffix mismatch, upgrade cannot continue.[gle=0x00000012]\nError SP pSPExecuteApply: Migration phase caught exception: Win32Exception: x. [0x000007E7] enum\n";
        assert_eq!(read(suffix)[0].end.as_ref().map(|end| end.code), Some(ErrorCode(0x8007_07E7)));
        let host = "2026-01-02 03:04:05, Error MOUPG  CSetupHost::Execute(425): Result = 0xC1900208[gle=0x0]\n";
        assert_eq!(read(host)[0].end.as_ref().map(|end| end.code), Some(ErrorCode(0xC190_0208)));
        let event = "2026-01-02 03:04:05, Info                  MOUPG  SetupHost: Reporting error event -> [0x80070070, 0xC19001DF]\n";
        assert_eq!(read(event)[0].end.as_ref().map(|end| end.code), Some(ErrorCode(0x8007_0070)));
        let last = "2021-12-08 04:23:00, Error                 MOUPG  CDlpActionFinalize::ExecuteSetupPlatformFinalize(1192): Result = 0xC1900101[gle=0x8007000d]\n";
        assert_eq!(read(last)[0].end.as_ref().map(|end| end.code), Some(ErrorCode(0xC190_0101)));
        let good = "2026-01-02 03:04:05, Info SP     Execution phase [Safe OS] exiting with HRESULT [0x00000000]\n2026-01-02 03:04:05, Error MOUPG  CDlpActionImpl::Suspend(1253): Result = 0xC1800104\n";
        assert!(read(good).iter().all(|attempt| attempt.end.is_none()));
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("attempts of Setup", &text_tests::seeds(LOG, &["cmtraceopen/panther"]), |bytes| {
            assert!(parse(&mut &bytes[..]).0.len() < 50)
        });
    }
}
