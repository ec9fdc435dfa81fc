//! What a file is, by its first bytes: for files that were renamed before they were sent.

use model::{TextUnits, VolumePath};

/// What a file with this start is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// It belongs there.
    At(VolumePath),
    /// A report about an error, with the name of its event.
    Report(String),
    /// A registry hive; which one is seen in its keys.
    Hive,
    /// A log of a registry hive; it belongs beside the hive of its name.
    HiveLog,
    /// An archive of a kind that is opened.
    Archive,
    /// An archive of another kind.
    OtherArchive(&'static str),
}

/// Recognises the start of a file (16 KiB suffice).
pub(super) fn by_content(start: &[u8]) -> Option<Recognised> {
    let magic = |magic: &[u8]| start.starts_with(magic);
    if magic(b"regf") {
        // The type of file: 0 in hives.
        let hive = start.get(28..32) == Some(&[0, 0, 0, 0]);
        return Some(if hive { Recognised::Hive } else { Recognised::HiveLog });
    }
    if magic(b"ElfFile\0") {
        let channel = channel(start)?.replace('/', "%4");
        return VolumePath::parse(&format!("Windows\\System32\\winevt\\Logs\\{channel}.evtx")).ok().map(Recognised::At);
    }
    if magic(b"PK\x03\x04")
        || magic(b"PK\x05\x06")
        || magic(b"7z\xbc\xaf\x27\x1c")
        || magic(b"MSCF\0\0\0\0")
        || magic(b"\x1f\x8b\x08")
        || super::tar::is_tar(start)
    {
        return Some(Recognised::Archive);
    }
    for (start, kind) in
        [(&b"Rar!\x1a\x07"[..], "rar"), (b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"MSWIM\0\0\0", "wim")]
    {
        if magic(start) {
            return Some(Recognised::OtherArchive(kind));
        }
    }
    let text = text(start);
    if let Some(event) = report(&text) {
        return Some(Recognised::Report(event));
    }
    log(&text).and_then(|path| VolumePath::parse(path).ok()).map(Recognised::At)
}

/// The text of a log, as far as ASCII is concerned: UTF-8, a code page, or UTF-16.
fn text(start: &[u8]) -> String {
    let units = |order: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = start.as_chunks::<2>().0.iter().map(|two| order(*two)).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match TextUnits::guess(start) {
        TextUnits::Utf16Le => units(u16::from_le_bytes),
        TextUnits::Utf16Be => units(u16::from_be_bytes),
        TextUnits::Bytes => String::from_utf8_lossy(start).into_owned(),
    };
    text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text)
}

/// The event of an error report: `Version=1`, then `EventType=…` among its first lines.
fn report(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).take(12);
    lines.next().filter(|first| first.starts_with("Version="))?;
    lines.find_map(|line| line.strip_prefix("EventType=")).map(str::to_owned).filter(|event| !event.is_empty())
}

/// The log of the Configuration Manager client whose part wrote most lines (`<![LOG[text]LOG]!><time=… component="WUAHandler" …>`).
fn of_client(text: &str) -> Option<&'static str> {
    // The parts whose logs are known; one of them has another name than its log.
    const PARTS: [(&str, &str); 5] = [
        ("WUAHandler", "Windows\\CCM\\Logs\\WUAHandler.log"),
        ("UpdatesHandler", "Windows\\CCM\\Logs\\UpdatesHandler.log"),
        ("UpdatesDeploymentAgent", "Windows\\CCM\\Logs\\UpdatesDeployment.log"),
        ("UpdatesStore", "Windows\\CCM\\Logs\\UpdatesStore.log"),
        ("ScanAgent", "Windows\\CCM\\Logs\\ScanAgent.log"),
    ];
    if !text.contains("<![LOG[") {
        return None;
    }
    let count = |part: &str| text.matches(&format!("component=\"{part}\"")).count();
    PARTS.iter().map(|(part, path)| (*path, count(part))).filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count).map(|(path, _)| path)
}

/// The log that has such lines. The kinds of lines are counted, because every log also holds lines of other parts.
fn log(text: &str) -> Option<&'static str> {
    let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty()).take(200);
    if lines().take(5).any(|line| line == "[Device Install Log]") {
        return Some("Windows\\INF\\setupapi.dev.log");
    }
    // The first line of the whole log, or the summary at its end that people paste.
    if lines().take(40).any(|line| line.starts_with("Checking System Update Readiness") || line.starts_with("Seconds executed: ")) {
        return Some("Windows\\Logs\\CBS\\CheckSUR.log");
    }
    if text.trim_start().starts_with('<') {
        // Settings of the recovery environment, or what SetupDiag found.
        if text.contains("<WindowsRE") {
            return Some("Windows\\System32\\Recovery\\ReAgent.xml");
        }
        if text.contains("<SetupDiag") {
            return Some("Windows\\Logs\\SetupDiag\\SetupDiagResults.xml");
        }
        if let Some(path) = of_client(text) {
            return Some(path);
        }
    }
    let kinds = [
        ("Windows\\Logs\\CBS\\CBS.log", lines().filter(|line| matches!(component(line), Some("CBS" | "CSI" | "DPX"))).count()),
        ("Windows\\Logs\\DISM\\dism.log", lines().filter(|line| component(line) == Some("DISM")).count()),
        (
            "$WINDOWS.~BT\\Sources\\Panther\\setupact.log",
            lines().filter(|line| component(line).is_some_and(|name| !matches!(name, "CBS" | "CSI" | "DPX" | "DISM"))).count(),
        ),
        ("Windows\\INF\\setupapi.dev.log", lines().filter(|line| line.starts_with(">>>  ") || line.starts_with("<<<  ")).count()),
        ("Windows\\SoftwareDistribution\\ReportingEvents.log", lines().filter(|line| is_event(line)).count()),
        ("Windows\\WindowsUpdate.log", lines().filter(|line| is_update(line)).count()),
    ];
    kinds.into_iter().filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count).map(|(path, _)| path)
}

/// True when the text has digits where the pattern has `0`, and else the same letters.
fn shaped(text: &str, pattern: &str) -> bool {
    let mut letters = text.chars();
    pattern.chars().all(|wanted| letters.next().is_some_and(|letter| if wanted == '0' { letter.is_ascii_digit() } else { letter == wanted }))
}

/// The component of `2024-01-02 03:04:05, Info                  CBS    …`; Setup puts a number in brackets before it. In excerpts
/// that people paste the time is often gone; then only the components of servicing are believed, which no other log has.
fn component(line: &str) -> Option<&str> {
    let timed = shaped(line, "0000-00-00 00:00:00, ");
    let mut words = if timed { line.get(21..)? } else { line }.split_whitespace();
    let level = words.next()?.trim_end_matches(',');
    let word = words.next()?;
    let word = if word.starts_with("[0x") { words.next()? } else { word };
    let known = matches!(level, "Info" | "Warning" | "Error" | "Perf" | "Fatal");
    // Everything else might stand there in a log of some program.
    let component = (2..=10).contains(&word.len()) && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    (known && component && (timed || matches!(word, "CBS" | "CSI" | "DISM"))).then_some(word)
}

/// A line of ReportingEvents.log: GUID, time with zone and eight more columns.
fn is_event(line: &str) -> bool {
    let columns: Vec<&str> = line.split('\t').collect();
    columns.len() >= 10
        && columns.first().is_some_and(|id| id.len() == 38 && id.starts_with('{') && id.ends_with('}'))
        && columns.get(1).is_some_and(|time| shaped(time, "0000-00-00 00:00:00:000"))
}

/// A line of WindowsUpdate.log, of Windows 7 (date and time between tabs) or as Get-WindowsUpdateLog writes it.
fn is_update(line: &str) -> bool {
    shaped(line, "0000-00-00\t00:00:00:000\t") || shaped(line, "0000/00/00 00:00:00.0000000 ")
}

/// The channel of an event log: the text of `Channel` in the first record, or the value that stands for it there.
fn channel(file: &[u8]) -> Option<String> {
    // The file's header, then the first chunk with a header of 512 bytes, then its first record with one of 24.
    let chunk = file.get(4096..)?;
    let record = chunk.get(512..)?;
    if record.get(..4) != Some(&[0x2a, 0x2a, 0, 0]) {
        return None;
    }
    let u16_at = |at: usize| chunk.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes).map(usize::from);
    let u32_at =
        |at: usize| chunk.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes).and_then(|n| usize::try_from(n).ok());
    let utf16 = |at: usize, units: usize| {
        let text: Vec<u16> = chunk.get(at..at + 2 * units)?.as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two)).collect();
        String::from_utf16(&text).ok().map(|text| text.trim_end_matches('\0').to_owned()).filter(|text| !text.is_empty())
    };
    // Fragment header (4 bytes), then an instance of a template: token 0x0c, version, id, offset of the definition.
    let instance = 512 + 24 + 4;
    if chunk.get(instance) != Some(&0x0c) {
        return None;
    }
    let definition = u32_at(instance + 6)?;
    let length = u32_at(definition + 20)?;
    let (from, to) = (definition + 24, definition.checked_add(24)?.checked_add(length)?);
    let name: Vec<u8> = "Channel".encode_utf16().flat_map(u16::to_le_bytes).chain([0, 0]).collect();
    let found = chunk.get(from..to)?.windows(name.len()).position(|there| there == name)?;
    // After the name: 0x02 ends the start tag, then a text (0x05) or a substitution (0x0d, 0x0e).
    let value = from + found + name.len();
    match chunk.get(value..value + 2)? {
        [0x02, 0x05] => utf16(value + 5, u16_at(value + 3)?),
        [0x02, 0x0d | 0x0e] => {
            let wanted = u16_at(value + 2)?;
            // A definition in the first place where it is used stands inside the instance.
            let values = if definition == instance + 10 { to } else { instance + 10 };
            let count = u32_at(values)?;
            let mut at = values + 4 + 4 * count;
            for number in 0..wanted {
                at += u16_at(values + 4 + 4 * number)?;
            }
            utf16(at, u16_at(values + 4 + 4 * wanted)? / 2)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::log;

    #[test]
    fn excerpts_without_times_are_recognised_by_the_parts_that_wrote_them() {
        for (text, path) in [
            ("Info CBS Failed to find the package [HRESULT = 0x80070490]\nError CBS Doqi: it stopped", Some("Windows\\Logs\\CBS\\CBS.log")),
            ("Error\tCSI    00000c63 (F) Logged @: nothing\nError      [0x018003] CSI    00000c71 (F) failed", Some("Windows\\Logs\\CBS\\CBS.log")),
            ("Info, DISM   DISM.EXE: Executing command line: dism", Some("Windows\\Logs\\DISM\\dism.log")),
            ("Summary:\nSeconds executed: 12\nFound 1 errors", Some("Windows\\Logs\\CBS\\CheckSUR.log")),
            ("2024-01-02 03:04:05, Info       [0x0601c1] IBS    Setup began", Some("$WINDOWS.~BT\\Sources\\Panther\\setupact.log")),
            ("<?xml version='1.0' encoding='utf-8'?>\n<WindowsRE version=\"2.0\">", Some("Windows\\System32\\Recovery\\ReAgent.xml")),
            ("<html>about WindowsRE and SetupDiag</html>", None),
            (
                "<![LOG[Its a WSUS Update Source type]LOG]!><time=\"03:04:05.678-060\" date=\"01-02-2026\" component=\"WUAHandler\" context=\"\" type=\"1\">",
                Some("Windows\\CCM\\Logs\\WUAHandler.log"),
            ),
            (
                "<![LOG[x]LOG]!><time=\"03:04:05.678-060\" date=\"01-02-2026\" component=\"UpdatesDeploymentAgent\">",
                Some("Windows\\CCM\\Logs\\UpdatesDeployment.log"),
            ),
            ("<![LOG[x]LOG]!><time=\"03:04:05.678-060\" date=\"01-02-2026\" component=\"SomethingElse\">", None),
            ("Error HTTP the server said no\nInfo SQL connected", None),
            ("dear friend,\nWarning CBSX is no part of Windows", None),
        ] {
            assert_eq!(log(text), path, "{text}");
        }
    }
}
