//! What one of Windows' own repair programs came to: from its exit code and from what its logs grew by, never from what it prints.
//!
//! Sources: KB 928228 (what SFC writes into CBS.log), KB 954402 (files that SFC reports though it does not protect them), KB 947821 (the
//! summary that DISM writes there). Exit codes of SFC are documented nowhere (windowsserverdocs issues 6962 and 7391), so they decide
//! nothing but that a run with another code than 0 is not called complete. DISM ends with 0, with 3010 when a restart has to finish the
//! work, or with the code of the error.

use model::{ErrorCode, GrownLog, Operation};

/// At most so many objects are named.
const MOST_NAMED: usize = 12;
/// `ERROR_SUCCESS_REBOOT_REQUIRED`
const RESTART_REQUIRED: u32 = 3010;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It says that everything is right, or was put right.
    Done,
    /// It says that something stays wrong, or it failed.
    NotDone,
    /// It ended, and what it found is not known.
    Unknown,
}

impl Outcome {
    /// The word in journals.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::NotDone => "not-done",
            Outcome::Unknown => "unknown",
        }
    }
}

/// What an operation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationResult {
    /// How it went.
    pub outcome: Outcome,
    /// The same in a sentence, with the objects that stay wrong.
    pub says: String,
    /// Windows must be restarted before everything is in its place.
    pub restart: bool,
}

/// Judges a program that ended by itself.
pub fn judge(operation: &Operation, exit_code: u32, logs: &[GrownLog]) -> OperationResult {
    let servicing = logs.iter().find(|log| log.path.file_name().eq_ignore_ascii_case("CBS.log"));
    let text = servicing.map(|log| String::from_utf8_lossy(&log.text)).unwrap_or_default();
    let whole = servicing.is_some_and(|log| log.whole);
    match operation {
        Operation::RepairComponentStore { .. } => component_store(exit_code, &text),
        Operation::ScanSystemFiles | Operation::ScanSystemFile { .. } => system_files(exit_code, &text, whole),
        Operation::SynchronizeClock => time_service(exit_code),
        // It is no program: the update agent answers with codes of its own.
        Operation::InstallUpdate { .. } => OperationResult { outcome: Outcome::Unknown, says: "nothing is known of it".into(), restart: false },
    }
}

/// The last summary of a repair of the component store.
#[derive(Debug, Default)]
struct Summary {
    result: Option<ErrorCode>,
    detected: Option<u32>,
    repaired: Option<u32>,
    /// What was found and not repaired.
    left: Vec<String>,
}

fn summary(text: &str) -> Option<Summary> {
    // Only the last one belongs to the repair: DISM may have looked before.
    let at = text.rfind("Checking System Update Readiness")?;
    let mut summary = Summary::default();
    let number = |line: &str, label: &str| line.trim().strip_prefix(label)?.trim().parse().ok();
    for line in text.get(at..).unwrap_or_default().lines() {
        let parts: Vec<&str> = line.split('\t').map(str::trim).filter(|part| !part.is_empty()).collect();
        if let ["(p)", what, "(n)", object, ..] = parts.as_slice() {
            summary.left.push(format!("{object} ({what})"));
        }
        let code = line.trim().strip_prefix("Operation result:").and_then(|code| code.trim().parse().ok());
        summary.result = summary.result.or(code);
        summary.detected = summary.detected.or_else(|| number(line, "Total Detected Corruption:"));
        summary.repaired = summary.repaired.or_else(|| number(line, "Total Repaired Corruption:"));
    }
    Some(summary)
}

fn component_store(exit_code: u32, text: &str) -> OperationResult {
    let restart = exit_code == RESTART_REQUIRED;
    let summary = summary(text).unwrap_or_default();
    let left = named(&summary.left);
    let failed = summary.result.filter(|code| code.0 & 0x8000_0000 != 0);
    let counts = match (summary.detected, summary.repaired) {
        (Some(detected), Some(repaired)) => format!("; its log counts {detected} damaged and {repaired} repaired"),
        _ => String::new(),
    };
    let done = exit_code == 0 || restart;
    let (outcome, says) = if !done {
        (Outcome::NotDone, format!("DISM ended with {}{counts}{left}", code_words(exit_code)))
    } else if let Some(code) = failed {
        (Outcome::NotDone, format!("DISM ended without an error, but its log says {code}{counts}{left}"))
    } else if !summary.left.is_empty() || matches!((summary.detected, summary.repaired), (Some(detected), Some(repaired)) if repaired < detected) {
        (Outcome::NotDone, format!("DISM ended without an error and did not repair everything{counts}{left}"))
    } else {
        (Outcome::Done, format!("DISM ended without an error{counts}"))
    };
    OperationResult { outcome, says: with_restart(says, restart), restart }
}

/// Codes of errors are shown as everywhere, small Win32 numbers as themselves.
fn code_words(exit_code: u32) -> String {
    if exit_code & 0x8000_0000 != 0 { format!("0x{exit_code:08X}") } else { format!("exit code {exit_code}") }
}

/// It ends with 0 or with the code of the error; whether the clock is right then is compared, not believed.
fn time_service(exit_code: u32) -> OperationResult {
    let (outcome, says) = match exit_code {
        0 => (Outcome::Done, "the time service says that it has set the clock".to_owned()),
        code => (Outcome::NotDone, format!("w32tm ended with {}", code_words(code))),
    };
    OperationResult { outcome, says, restart: false }
}

fn system_files(exit_code: u32, text: &str, whole: bool) -> OperationResult {
    let (mut begun, mut complete) = (false, false);
    let (mut wrong, mut repaired): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let add = |list: &mut Vec<String>, told: &str| {
        let object = object(told);
        if !object.is_empty() && !list.contains(&object) {
            list.push(object);
        }
    };
    for line in text.lines() {
        let Some((_, told)) = line.split_once("[SR] ") else { continue };
        let told = told.trim();
        if told.starts_with("Beginning Verify and Repair transaction") || told.starts_with("Verifying ") {
            (begun, complete) = (true, false);
        } else if told.starts_with("Verify complete") || told.starts_with("Repair complete") {
            complete = true;
        } else if let Some(rest) = told.strip_prefix("Cannot repair member file ") {
            add(&mut wrong, rest);
        } else if let Some(rest) = told.strip_prefix("Could not reproject corrupted file ") {
            add(&mut wrong, rest);
        } else if let Some(rest) = told.strip_prefix("Repairing corrupted file ").or_else(|| told.strip_prefix("Repaired file ")) {
            add(&mut repaired, rest);
        }
    }
    let (outcome, says) = if !wrong.is_empty() {
        (Outcome::NotDone, format!("SFC could not repair everything{}", named(&wrong)))
    } else if exit_code != 0 {
        (
            Outcome::Unknown,
            format!("SFC ended with {}, whose meaning is documented nowhere; its log names nothing that it could not repair", code_words(exit_code)),
        )
    } else if !begun || !complete || !whole {
        (Outcome::Unknown, "SFC ended, but CBS.log does not show a whole run of it, so what it found is not known".into())
    } else if repaired.is_empty() {
        (Outcome::Done, "SFC found nothing wrong".into())
    } else {
        let list = repaired.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
        (Outcome::Done, format!("SFC repaired {}: {list}", repaired.len()))
    };
    OperationResult { outcome, says, restart: false }
}

/// The names in what SFC writes: `[l:14{7}]"url.dll" of …`, `[l:20]'x.xml' of …`, `[ml:520{260},l:36{18}]"\??\C:\Windows\inf"[l:18{9}]"netnb.inf" from
/// store`, `\??\C:\Windows\System32\\x.xml; source …`. A folder and a name become one path.
fn object(told: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = told;
    while let Some((before, quote)) = rest.starts_with('[').then(|| rest.find(']')).flatten().and_then(|end| rest.split_at_checked(end + 1)) {
        let _ = before;
        let Some(mark) = quote.chars().next().filter(|mark| matches!(mark, '"' | '\'')) else { break };
        let Some((name, after)) = quote.get(1..).and_then(|inner| inner.split_once(mark)) else { break };
        parts.push(name);
        rest = after;
    }
    if parts.is_empty() {
        parts.push(rest.split([';']).next().unwrap_or_default().split(" from store").next().unwrap_or_default().trim());
    }
    let joined = parts.join("\\").replace("\\\\", "\\");
    let joined = joined.trim_start_matches("\\??\\").trim_start_matches("??\\");
    // The line is untrusted and shown: no control characters, and no endless name.
    joined.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn named(objects: &[String]) -> String {
    match objects.len() {
        0 => String::new(),
        many => {
            let list = objects.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = if many > MOST_NAMED { format!(" and {} more", many - MOST_NAMED) } else { String::new() };
            format!("; still wrong: {list}{more}")
        }
    }
}

fn with_restart(says: String, restart: bool) -> String {
    if restart { format!("{says}; a restart finishes it") } else { says }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{Outcome, judge};
    use model::{GrownLog, Operation, VolumePath};

    fn log(text: &str) -> Vec<GrownLog> {
        vec![GrownLog { path: VolumePath::parse("\\Windows\\Logs\\CBS\\CBS.log").unwrap(), text: text.into(), whole: true }]
    }

    fn dism(exit_code: u32, text: &str) -> super::OperationResult {
        judge(&Operation::RepairComponentStore { source: None }, exit_code, &log(text))
    }

    fn sfc(exit_code: u32, text: &str) -> super::OperationResult {
        judge(&Operation::ScanSystemFiles, exit_code, &log(text))
    }

    /// KB 947821, shortened.
    const NOT_ALL: &str = "Checking System Update Readiness.\n\
        \t(p)\tCSI Payload Corrupt\t\t\t(n)\t\t\tamd64_microsoft-windows-a..modernappmanagement_31bf3856ad364e35_10.0.19041.3636_none_23b3b3ece690d77b\\EnterpriseModernAppMgmtCSP.dll\n\
        \t(p)\tCSI Manifest Corrupt\t\t(w)\t(Fixed)\twow64_microsoft-windows-audio-mmecore-acm_31bf3856ad364e35_10.0.19041.1_none_a12b40f4b4c7b751\n\
        Summary:\nOperation: Detect and Repair\nOperation result: 0x800f081f\nLast Successful Step: Remove staged packages completes.\n\
        Total Detected Corruption:\t4\n\tCBS Manifest Corruption:\t1\nTotal Repaired Corruption:\t1\n";

    #[test]
    fn dism_is_judged_by_its_code_and_its_summary() {
        let done = dism(0, "");
        assert_eq!((done.outcome, done.restart), (Outcome::Done, false));
        let restart = dism(3010, "");
        assert_eq!((restart.outcome, restart.restart), (Outcome::Done, true));
        let failed = dism(0x800F_081F, NOT_ALL);
        assert_eq!(failed.outcome, Outcome::NotDone);
        assert!(
            failed.says.contains("0x800F081F") && failed.says.contains("EnterpriseModernAppMgmtCSP.dll") && failed.says.contains("4 damaged and 1"),
            "{}",
            failed.says
        );
        assert!(!failed.says.contains("mmecore"), "{}", failed.says);
        // The code alone would say that all is well.
        assert_eq!(dism(0, NOT_ALL).outcome, Outcome::NotDone);
        assert_eq!(dism(0, &NOT_ALL.replace("0x800f081f", "0x0")).outcome, Outcome::NotDone);
        let repaired = "Checking System Update Readiness.\nSummary:\nOperation: Detect and Repair\nOperation result: 0x0\nTotal Detected Corruption:\t2\nTotal Repaired Corruption:\t2\n";
        assert_eq!(dism(0, repaired).outcome, Outcome::Done);
        // What an earlier look found is not what the repair left.
        assert_eq!(dism(0, &format!("{NOT_ALL}{repaired}")).outcome, Outcome::Done);
        assert!(dism(87, "").says.contains("exit code 87"));
    }

    const CLEAN: &str = "2015-12-12 11:00:00, Info CSI 00000006 [SR] Verifying 100 (0x00000064) components\n\
        2015-12-12 11:00:00, Info CSI 00000007 [SR] Beginning Verify and Repair transaction\n\
        2015-12-12 11:00:01, Info CSI 00000009 [SR] Verify complete\n";

    #[test]
    fn sfc_is_judged_by_whole_runs_in_its_log() {
        assert_eq!(sfc(0, CLEAN).outcome, Outcome::Done);
        assert_eq!(sfc(0, "").outcome, Outcome::Unknown);
        assert_eq!(sfc(1, CLEAN).outcome, Outcome::Unknown);
        let cut = format!("{CLEAN}{}", CLEAN.lines().take(2).collect::<Vec<_>>().join("\n"));
        assert_eq!(sfc(0, &cut).outcome, Outcome::Unknown);
        let mut rotated = log(CLEAN);
        rotated[0].whole = false;
        assert_eq!(judge(&Operation::ScanSystemFiles, 0, &rotated).outcome, Outcome::Unknown);
    }

    #[test]
    fn what_sfc_repaired_and_could_not_repair_is_named() {
        // KB 928228.
        let repaired = CLEAN.replace(
            "[SR] Verify complete",
            "[SR] Repairing corrupted file [ml:520{260},l:36{18}]\"\\??\\C:\\Windows\\inf\"[l:18{9}]\"netnb.inf\" from store\nx [SR] Verify complete",
        );
        let said = sfc(0, &repaired);
        assert_eq!((said.outcome, said.says.as_str()), (Outcome::Done, "SFC repaired 1: C:\\Windows\\inf\\netnb.inf"));
        // Both spellings of a published Windows 10 and Server 2022 log.
        for (line, name) in [
            (
                "Cannot repair member file [l:10]\"opencl.dll\" of microsoft-windows-RemoteFX-clientVM-RemoteFXWDDMDriver-WOW64-C, version 10.0.10586.0 in the store, hash mismatch",
                "opencl.dll",
            ),
            (
                "Cannot repair member file [l:20]'LServer_PKConfig.xml' of Microsoft-Windows-TerminalServices-LicenseServer-LRWIZDLL, version 10.0.20348.2849",
                "LServer_PKConfig.xml",
            ),
            (
                "Could not reproject corrupted file [l:23 ml:24]\"\\??\\C:\\WINDOWS\\SysWOW64\"[l:10]\"opencl.dll\"; source file in store is also corrupted",
                "C:\\WINDOWS\\SysWOW64\\opencl.dll",
            ),
            (
                "Could not reproject corrupted file \\??\\C:\\Windows\\System32\\\\tls_branding_config.xml; source file in store is also corrupted",
                "C:\\Windows\\System32\\tls_branding_config.xml",
            ),
        ] {
            let said = sfc(0, &CLEAN.replace("[SR] Verify complete", &format!("[SR] {line}\n[SR] Verify complete")));
            assert_eq!((said.outcome, said.says), (Outcome::NotDone, format!("SFC could not repair everything; still wrong: {name}")));
        }
    }
}
