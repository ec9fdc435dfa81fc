//! `Report.wer` of Windows Error Reporting: a UTF-16 list of `name=value` lines. The reports about updates keep package, result
//! and phase after the other logs are gone.

use super::decode;
use model::{ErrorCode, codes_in};

/// One report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// `WindowsUpdateFailure3`, `CbsPackageServicingFailure2`, `APPCRASH` …
    pub event: String,
    /// When it happened, 100 ns since 1601 UTC; 0 when it is not said.
    pub time: u64,
    /// `Sig[n]`: the name as Windows wrote it (in its language) and the value, by number.
    pub signature: Vec<(String, String)>,
}

const MOST: usize = 64;

/// Parses a report; `None` when it names no event.
pub fn parse(bytes: &[u8]) -> Option<Report> {
    let text = decode(bytes);
    let mut report = Report::default();
    for line in text.lines().take(10_000) {
        let Some((name, value)) = line.trim_start_matches('\u{feff}').trim().split_once('=') else { continue };
        match name {
            "EventType" => report.event = value.to_owned(),
            "EventTime" => report.time = value.parse().unwrap_or(0),
            _ => {
                let Some((number, part)) = name.strip_prefix("Sig[").and_then(|rest| rest.split_once("].")) else { continue };
                let Some(number) = number.parse::<usize>().ok().filter(|number| *number < MOST) else { continue };
                if report.signature.len() <= number {
                    report.signature.resize(number + 1, (String::new(), String::new()));
                }
                if let Some((name, text)) = report.signature.get_mut(number) {
                    if part == "Name" {
                        value.clone_into(name)
                    } else if part == "Value" {
                        value.clone_into(text)
                    }
                }
            }
        }
    }
    (!report.event.is_empty()).then_some(report)
}

impl Report {
    /// The result code: the first value that is a failure and nothing else (`80070002`, `0x800f0922`).
    pub fn code(&self) -> Option<ErrorCode> {
        self.signature.iter().filter(|(_, value)| value.len() <= 12).flat_map(|(_, value)| codes_in(value)).find(|code| code.0 >= 0x8000_0000)
    }

    /// The package or update: the first value with the form of a package identity, a KB number or a GUID.
    pub fn subject(&self) -> Option<&str> {
        let values = || self.signature.iter().map(|(_, value)| value.as_str());
        let package = values().find(|value| value.contains("~31bf3856ad364e35~") || value.starts_with("Package_"));
        let update = || values().find(|value| value.len() >= 36 && value.matches('-').count() >= 4 && !value.chars().all(|c| c == '0' || c == '-'));
        package.or_else(|| values().find(|value| value.starts_with("KB"))).or_else(update)
    }

    /// `scan`, `download`, `install` … when a value is that word.
    pub fn phase(&self) -> Option<&str> {
        self.signature.iter().map(|(_, value)| value.as_str()).find(|value| {
            ["scan", "download", "install", "uninstall", "commit", "stage", "resolve"].iter().any(|word| value.eq_ignore_ascii_case(word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::logs::text_tests;
    use model::ErrorCode;

    const WER: &str = "Version=1\r\nEventType=WindowsUpdateFailure3\r\nEventTime=134124123456789012\r\nSig[0].Name=ClientVersion\r\nSig[0].Value=10.0.19041.3570\r\n\
        Sig[1].Name=Win32HResult\r\nSig[1].Value=80070002\r\nSig[2].Name=UpdateId\r\nSig[2].Value=0F1E2D3C-1111-2222-3333-444444444444\r\nSig[3].Name=Scenario\r\nSig[3].Value=Install\r\n";

    #[test]
    fn a_report_of_the_update_client() {
        let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(WER.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for bytes in [WER.as_bytes(), &utf16] {
            let Some(report) = parse(bytes) else { unreachable!("no report") };
            assert_eq!((report.event.as_str(), report.time), ("WindowsUpdateFailure3", 134_124_123_456_789_012));
            assert_eq!(
                (report.code(), report.subject(), report.phase()),
                (Some(ErrorCode(0x8007_0002)), Some("0F1E2D3C-1111-2222-3333-444444444444"), Some("Install"))
            );
        }
        assert_eq!(parse(b"nothing"), None);
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("Report.wer", &text_tests::seeds(WER, &[]), |bytes| {
            if let Some(report) = parse(bytes) {
                assert!(report.signature.len() <= super::MOST);
                let _ = (report.code(), report.subject(), report.phase());
            }
        });
    }
}
