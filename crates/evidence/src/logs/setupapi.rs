//! `setupapi.dev.log`, `.setup.log`, `.offline.log` and `.app.log` in `Windows\INF`: what happened to each driver and device.
//!
//! A section begins with `>>>  [operation - subject]` and `>>>  Section start <time>` and ends with `<<<  Section end <time>` and
//! `<<<  [Exit status: …]`. Its lines are a marker of five characters (`!!!` error, `!` warning), a category (`sto:`, `ndv:`, …)
//! and a text; operations are nested as `{name}` … `{name: exit(0x…)}` (windows-driver-docs, "SetupAPI text logs"). A section
//! that only ends where the next one begins was cut short: the computer stopped there, or the log was copied while it ran.

use super::{Entry, Level, Lines, MOST_PROBLEMS, Problem, civil_time};
use std::io::Read;

/// How a section ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Success,
    /// Done; a restart is needed for it.
    RestartNeeded,
    /// Failed with this number as it stands in the log: a Win32 number or an HRESULT.
    Failure(u32),
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Line in the file, from 1.
    pub line: u64,
    /// What was done: `Device Install (Hardware initiated)`, `SetupCopyOEMInf` …; empty for lines outside any section.
    pub operation: String,
    /// The device instance, hardware id or INF path that it was done to; empty when the header names none.
    pub subject: String,
    /// Local time as `YYYY-MM-DDTHH:MM:SS`.
    pub start: Option<String>,
    /// The same, of the end.
    pub end: Option<String>,
    /// How it ended; `None` when the log does not say.
    pub exit: Option<Exit>,
    /// The file name of the first INF that is named in it (`oem3.inf`), lower case.
    pub inf: Option<String>,
    /// The first lines marked `!!!`, at most [`KEPT`].
    pub errors: Vec<Entry>,
    /// Nested operations that ended with an error other than those that only give an answer, at most [`KEPT`].
    pub failed: Vec<Operation>,
    /// Something was logged after this section, so that a missing end means that it was cut short.
    pub followed: bool,
}

/// A nested operation that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Line in the file, from 1.
    pub line: u64,
    /// Its name: `Stage Driver Package`, `DIF_INSTALLDEVICE` …
    pub name: String,
    /// The number it ended with.
    pub code: u32,
}

/// So many errors and operations of one section are kept.
pub const KEPT: usize = 16;
const MOST_SECTIONS: usize = 200_000;
/// Results of nested operations that are answers: done (restart needed, 3010 and 3011), "do the default" and "do not install" of
/// class installers, signed by somebody the user trusts (setupapi.h).
const ANSWERS: [u32; 6] = [0, 3010, 3011, 0xE000_020E, 0xE000_0241, 0xE000_0242];

/// Reads a whole log. A file cut anywhere gives the sections before the cut; reading that fails ends it.
pub fn parse(input: &mut dyn Read) -> (Vec<Section>, Vec<Problem>) {
    let mut lines = Lines::new(input);
    let mut reader = Reader::default();
    loop {
        match lines.next_line() {
            Ok(Some((number, line))) => reader.line(number, line.trim_end_matches(['\r', '\0'])),
            Ok(None) => break,
            Err(error) => {
                reader.problem(0, format!("reading failed: {error}"));
                break;
            }
        }
    }
    reader.close(false);
    (reader.sections, reader.problems)
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    problems: Vec<Problem>,
    open: Option<Section>,
}

impl Reader {
    fn problem(&mut self, line: u64, what: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { line, what });
        }
    }

    /// Ends the open section; `followed` says that something came after it.
    fn close(&mut self, followed: bool) {
        if let Some(mut section) = self.open.take() {
            section.followed = followed;
            // Lines outside a section are an excerpt only when they say something.
            let says = !section.operation.is_empty() || !section.errors.is_empty() || section.exit.is_some();
            if says && self.sections.len() < MOST_SECTIONS {
                self.sections.push(section);
            } else if says {
                self.problem(section.line, "there are too many sections".to_owned());
            }
        }
    }

    fn section(&mut self, line: u64) -> &mut Section {
        self.open.get_or_insert_with(|| Section {
            line,
            operation: String::new(),
            subject: String::new(),
            start: None,
            end: None,
            exit: None,
            inf: None,
            errors: Vec::new(),
            failed: Vec::new(),
            followed: true,
        })
    }

    fn line(&mut self, number: u64, line: &str) {
        if let Some(rest) = line.strip_prefix(">>>") {
            let rest = rest.trim();
            if let Some(header) = rest.strip_prefix('[') {
                self.close(true);
                let header = header.strip_suffix(']').unwrap_or(header);
                let (operation, subject) = header.split_once(" - ").unwrap_or((header, ""));
                let section = self.section(number);
                section.operation = operation.trim().to_owned();
                section.subject = subject.trim().to_owned();
                section.inf = inf(subject);
            } else if let Some(when) = rest.strip_prefix("Section start") {
                self.section(number).start = civil_time(when.trim(), b"/", b" ");
            } else {
                self.problem(number, format!("{rest:?} is no section"));
            }
        } else if let Some(rest) = line.strip_prefix("<<<") {
            let rest = rest.trim();
            if let Some(when) = rest.strip_prefix("Section end") {
                self.section(number).end = civil_time(when.trim(), b"/", b" ");
            } else if let Some(status) = rest.strip_prefix("[Exit status:") {
                match exit(status.trim_end_matches(']').trim()) {
                    Some(exit) => self.section(number).exit = Some(exit),
                    None => self.problem(number, format!("{rest:?} is no exit status")),
                }
                self.close(true);
            } else {
                self.problem(number, format!("{rest:?} is no end of a section"));
            }
        } else if line.starts_with('[') {
            // `[Boot Session: …]`, `[BeginLog]`: outside every section.
            self.close(true);
        } else {
            self.body(number, line);
        }
    }

    fn body(&mut self, number: u64, line: &str) {
        let (level, rest) = match line.as_bytes() {
            [b'!', b'!', b'!', ..] => (Level::Error, line.trim_start_matches('!')),
            [b'!', ..] => (Level::Warning, line.trim_start_matches('!')),
            _ => (Level::Info, line),
        };
        let rest = rest.trim_start_matches(['#', '.', '*', ' ', '\t']);
        let (category, text) = match rest.split_once(':') {
            Some((category, text)) if (2..=4).contains(&category.len()) && category.bytes().all(|b| b.is_ascii_lowercase()) => (category, text),
            _ => ("", rest),
        };
        let (text, nested) = (text.trim(), operation(text));
        if self.open.is_none() && level == Level::Info && nested.is_none() {
            // The head of the log, blank lines between sections.
            return;
        }
        let section = self.section(number);
        if level == Level::Error && section.errors.len() < KEPT {
            let local = section.start.clone();
            section.errors.push(Entry { line: number, local, level, component: category.to_owned(), text: text.to_owned() });
        }
        if let Some((name, code)) = nested.filter(|(_, code)| !ANSWERS.contains(code))
            && section.failed.len() < KEPT
        {
            section.failed.push(Operation { line: number, name: name.to_owned(), code });
        }
        if section.inf.is_none()
            && ["INF path", "Published Inf Path", "Driver Package", "Driver INF", "INF Path", "Inf Path"].iter().any(|key| text.starts_with(key))
        {
            section.inf = inf(text);
        }
    }
}

/// `{Stage Driver Package: exit(0x00000002)} 10:51:43.708` and its spellings with ` - exit` and ` exit (`.
fn operation(text: &str) -> Option<(&str, u32)> {
    let inside = text.trim().strip_prefix('{')?;
    let at = inside.find("exit")?;
    let name = inside.get(..at)?.trim_end_matches([' ', ':', '-']);
    let rest = inside.get(at + 4..)?.trim_start();
    let digits = rest.strip_prefix("(0x")?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    Some((name, u32::from_str_radix(digits.get(..end)?, 16).ok()?))
}

fn exit(status: &str) -> Option<Exit> {
    if let Some(rest) = status.strip_prefix("FAILURE") {
        let digits = rest.trim().strip_prefix("(0x")?;
        let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
        return u32::from_str_radix(digits.get(..end)?, 16).ok().map(Exit::Failure);
    }
    let rest = status.strip_prefix("SUCCESS")?;
    Some(if rest.contains("REBOOT_REQUIRED") { Exit::RestartNeeded } else { Exit::Success })
}

/// The file name at the end of the first word or path that ends with `.inf`.
fn inf(text: &str) -> Option<String> {
    let at = text.to_ascii_lowercase().find(".inf")? + 4;
    let before = text.get(..at)?;
    let start = before.rfind(['\\', '/', ' ', '\'', '"', '=', ':']).map_or(0, |at| at + 1);
    before.get(start..).filter(|name| name.len() > 4).map(str::to_lowercase)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{Exit, Section, parse};
    use crate::logs::text_tests;

    fn read(text: &str) -> Vec<Section> {
        parse(&mut text.as_bytes()).0
    }

    const LOG: &str = "[Device Install Log]\r\n     OS Version = 10.0.19045\r\n\r\n[BeginLog]\r\n\r\n[Boot Session: 2026/01/02 03:00:00.000]\r\n\r\n\
        >>>  [Device Install (Hardware initiated) - USB\\VID_1234&PID_5678\\6&1]\r\n>>>  Section start 2026/01/02 03:04:05.678\r\n\
        \x20     cmd: C:\\Windows\\system32\\drvinst.exe\r\n     ndv: INF path: C:\\Windows\\INF\\oem7.inf\r\n\
        !    inf: A warning\r\n     flq: {FILE_QUEUE_COMMIT} 03:04:06.000\r\n\
        !!!  flq:      Error installing file (0x00000002)\r\n!!!  flq:      Error 2: The system cannot find the file specified.\r\n\
        \x20    flq: {FILE_QUEUE_COMMIT - exit(0x00000002)} 03:04:06.100\r\n     dvi: {DIF_ALLOW_INSTALL - exit(0xe000020e)} 03:04:06.100\r\n\
        <<<  Section end 2026/01/02 03:04:07.000\r\n<<<  [Exit status: FAILURE(0x00000002)]\r\n\r\n\r\n\
        >>>  [SetupCopyOEMInf - C:\\Drivers\\My Camera.inf]\r\n>>>  Section start 2026/01/02 03:05:00.000\r\n     sto: {Setup Import Driver Package - exit (0x00000000)}\r\n";

    #[test]
    fn a_failed_section_and_one_without_end() {
        let sections = read(LOG);
        assert_eq!(sections.len(), 2);
        let failed = &sections[0];
        assert_eq!((failed.operation.as_str(), failed.subject.as_str()), ("Device Install (Hardware initiated)", "USB\\VID_1234&PID_5678\\6&1"));
        assert_eq!((failed.start.as_deref(), failed.end.as_deref()), (Some("2026-01-02T03:04:05"), Some("2026-01-02T03:04:07")));
        assert_eq!((failed.exit, failed.inf.as_deref(), failed.followed), (Some(Exit::Failure(2)), Some("oem7.inf"), true));
        assert_eq!((failed.errors[0].line, failed.errors[0].component.as_str(), failed.errors.len()), (14, "flq", 2));
        assert_eq!((failed.failed.len(), failed.failed[0].name.as_str(), failed.failed[0].code), (1, "FILE_QUEUE_COMMIT", 2));
        assert_eq!((sections[1].exit, sections[1].end.as_deref(), sections[1].followed), (None, None, false));
        assert_eq!(sections[1].inf.as_deref(), Some("camera.inf"));
    }

    #[test]
    fn excerpts_without_a_section_are_read() {
        let sections = read("!!!  sto: Failed to open driver package 'oem4.inf'. Error = 0x00000002\n<<<  [Exit status: FAILURE(0x80070003)]\n");
        assert_eq!((sections.len(), sections[0].errors.len(), sections[0].exit), (1, 1, Some(Exit::Failure(0x8007_0003))));
        assert!(read("some text\nand more: text\n").is_empty());
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil(
            "setupapi",
            &text_tests::seeds(
                LOG,
                &["setupapi-museum-win11/setupapi.dev.log", "setupapi-plaso/setupapi.dev.log", "setupapi-plaso/setupapi.setup.log"],
            ),
            |bytes| {
                let (sections, problems) = parse(&mut &bytes[..]);
                assert!(sections.len() < 100 && problems.len() <= 100);
            },
        );
    }

    #[test]
    fn real_logs_have_exactly_their_sections() {
        for (name, success, gone, restart) in [
            ("setupapi-museum-win11/setupapi.dev.log", 20, 5, 1),
            ("setupapi-plaso/setupapi.dev.log", 191, 0, 3),
            ("setupapi-plaso/setupapi.setup.log", 16, 0, 0),
        ] {
            let Some(bytes) = text_tests::shared(name) else { continue };
            let (sections, problems) = parse(&mut &bytes[..]);
            assert_eq!(problems, [], "{name}");
            let count = |exit: Exit| sections.iter().filter(|section| section.exit == Some(exit)).count();
            assert_eq!((count(Exit::Success), count(Exit::Failure(0xE000_020B)), count(Exit::RestartNeeded)), (success, gone, restart), "{name}");
            assert_eq!(sections.len(), success + gone + restart, "{name}");
            assert!(sections.iter().all(|section| section.errors.is_empty() && section.start.is_some() && section.end.is_some()));
        }
    }
}
