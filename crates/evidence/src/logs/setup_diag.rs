//! What SetupDiag says about a failed upgrade: `SetupDiagResults.xml`, `SetupDiagResults.log`, or the same names as values of the
//! key `Setup\SetupDiag\Results` (Windows 10 2004 and later write it by themselves; windows-itpro-docs, "SetupDiag").
//!
//! It names the operation that failed, hardly ever the object.

use super::{civil_time, decode, setup_attempts, xml};
use model::{ErrorCode, codes_in};

/// One result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetupDiag {
    /// The rule that matched: `FindRollbackFailure` …
    pub rule: String,
    /// The result code.
    pub code: Option<ErrorCode>,
    /// The extend code, when it stands beside.
    pub extend: Option<u32>,
    /// The version to be installed, `10.0.22621.1`.
    pub version: Option<String>,
    /// When the upgrade ended (or began), local time, when it is written as Windows sorts it.
    pub local: Option<String>,
    /// The first sentence about the failure.
    pub says: String,
    /// The program that it names: `AppName = …`, or `Application Block for: "…"`.
    pub program: Option<String>,
    /// All that it says about the failure, a sentence or line of a log on each line.
    pub details: String,
}

/// Parses either kind of file. `None` when it names no rule, or the rule that recognises success.
pub fn parse(bytes: &[u8]) -> Option<SetupDiag> {
    let text = decode(bytes);
    let mut pairs: Vec<(String, String)> = Vec::new();
    if text.trim_start().starts_with('<') {
        pairs.extend(xml::elements(&text)?.into_iter().map(|element| (element.name, element.text)));
    } else {
        for line in text.lines().map(str::trim).take(100_000) {
            if let Some(found) = line.strip_prefix("Matching Profile found:") {
                pairs.push(("ProfileName".into(), found.split(" - ").next().unwrap_or_default().trim().into()));
            } else if ["Error:", "Warning:", "LogEntry:"].iter().any(|start| line.starts_with(start)) {
                pairs.push(("FailureData".into(), line.into()));
            } else if let Some((name, value)) = line.split_once(" = ") {
                pairs.push((name.into(), value.into()));
            }
        }
    }
    from_pairs(&pairs)
}

/// From names and values, as the registry holds them.
pub fn from_pairs(pairs: &[(String, String)]) -> Option<SetupDiag> {
    let first =
        |name: &str| pairs.iter().find(|(there, value)| there.eq_ignore_ascii_case(name) && !value.trim().is_empty()).map(|(_, value)| value.trim());
    let rule = first("ProfileName")?.to_owned();
    if rule.eq_ignore_ascii_case("FindSuccessfulUpgrade") {
        return None;
    }
    let texts =
        pairs.iter().filter(|(name, _)| ["FailureData", "FailureDetails", "LogErrorLine"].iter().any(|wanted| name.eq_ignore_ascii_case(wanted)));
    let texts: Vec<&str> = texts.map(|(_, value)| value.as_str()).collect();
    let pair = texts.iter().find_map(|text| setup_attempts::pair(text));
    let failure = |code: &ErrorCode| code.0 >= 0x8000_0000 || (1..=0x3FFF).contains(&code.0);
    let code = pair.map(|(code, _)| code).or_else(|| texts.iter().flat_map(|text| codes_in(text)).find(failure).map(ErrorCode::normal));
    let version = first("TargetOSBuildString").map(|text| text.split_whitespace().next().unwrap_or_default().to_owned());
    let local = ["UpgradeEndTime", "RollbackEndTime", "UpgradeStartTime"].iter().find_map(|name| first(name)).and_then(time);
    let says = texts.first().map(|text| text.lines().next().unwrap_or_default().trim().to_owned()).unwrap_or_default();
    let program = first("AppName").map(str::to_owned).or_else(|| texts.iter().find_map(|text| program(text)));
    let details = texts.join("\n");
    Some(SetupDiag { rule, code, extend: pair.map(|(_, extend)| extend), version, local, says, program, details })
}

/// `Found Application Block for: "Microsoft Endpoint Protection".`, or `AppName = MyBlockedApplication` (both of windows-itpro-docs, "SetupDiag").
fn program(text: &str) -> Option<String> {
    let named = match text.split_once("Application Block for: \"") {
        Some((_, rest)) => rest.split('"').next(),
        None => text.split_once("AppName = ").and_then(|(_, rest)| rest.split([',', '\n', '\r']).next()),
    };
    named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// `2026-01-02T03:04:05`, or with a blank. Dates in the order of a country (`3/21/2018`) are not guessed at.
fn time(text: &str) -> Option<String> {
    civil_time(text, b"-", b" T")
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::logs::text_tests;
    use model::ErrorCode;

    const XML: &str = "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<SetupDiag xmlns=\"https://docs.microsoft.com/windows/deployment/upgrade/setupdiag\">\r\n\
        <Version>1.6.0.0</Version><ProfileName>FindRollbackFailure</ProfileName><SystemInfo><TargetOSBuildString>10.0.22621.1 (ni)</TargetOSBuildString>\
        <UpgradeEndTime>2026-01-02T03:04:05</UpgradeEndTime></SystemInfo>\r\n<FailureData>Error: rollback. Last Phase = Safe OS Error = 0x80070002-0x20009</FailureData></SetupDiag>";

    #[test]
    fn both_kinds_of_file() {
        let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(XML.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let log = "SetupDiag v1.6\nMatching Profile found: FindRollbackFailure - 3A43C9B5\nSystem Information:\n\tTargetOSBuildString = 10.0.22621.1 (ni)\n\
            \tUpgradeEndTime = 2026-01-02 03:04:05\nError: rollback. Last Phase = Safe OS Error = 0x80070002-0x20009\n";
        for bytes in [XML.as_bytes(), &utf16, log.as_bytes()] {
            let Some(found) = parse(bytes) else { unreachable!("nothing found") };
            assert_eq!((found.rule.as_str(), found.code, found.extend), ("FindRollbackFailure", Some(ErrorCode(0x8007_0002)), Some(0x2_0009)));
            assert_eq!((found.version.as_deref(), found.local.as_deref()), (Some("10.0.22621.1"), Some("2026-01-02T03:04:05")));
        }
        assert_eq!(parse(b"Matching Profile found: FindSuccessfulUpgrade - x"), None);
        let named = "Matching Profile found: CompatBlockedApplicationDismissable - EA52620B\nWarning: Found Application Block for: \"Endpoint Protection\".\n";
        assert_eq!(parse(named.as_bytes()).and_then(|found| found.program).as_deref(), Some("Endpoint Protection"));
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("SetupDiagResults", &text_tests::seeds(XML, &[]), |bytes| drop(parse(bytes)));
    }
}
