//! `Windows\Logs\CBS\CBS.log` and `CbsPersist_*.log`: what the servicing stack wrote, up to gigabytes of it.
//!
//! A line is `YYYY-MM-DD HH:MM:SS, Level  Component  text`; lines without that head continue the entry above. Excerpts that
//! people paste have no time, and sometimes commas or tabs in the head. The log is searched for a few words ([`ANCHORS`]); only
//! entries around a hit are looked at, in constant memory. Nothing here knows what an entry means.

use super::{Entry, Level, Lines, MOST_PROBLEMS, Problem, decode};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, packed};
use memchr::{memchr, memchr_iter, memrchr};
use std::io::{self, Read};

/// What an entry must hold to be looked at: words of errors, of the frame around them, and of reports about corruption.
pub const ANCHORS: [&str; 27] = [
    "Error",
    "(F)",
    "Failed",
    "HRESULT",
    "initialized by client",
    "finalized.",
    "Exec: Processing",
    "Starting TrustedInstaller",
    "Doqe: ",
    "Doqi: ",
    ", inf: ",
    "Startup: ",
    "Shtd: ",
    "ollback",
    "olling back",
    "original failure status",
    "package change completion",
    "failure report for package",
    "orruption",
    "System Update Readiness",
    "Summary:",
    "CSI Payload",
    "CSI Manifest",
    "CBS MUM",
    "CBS Catalog",
    "advanced installer",
    "SpaceCheck",
];

const BLOCK: usize = 256 * 1024;
/// An entry longer than this is cut. The longest real ones are reports about thousands of corrupt files.
const LONGEST: usize = 1024 * 1024;
/// How far above a hit the head of its entry is looked for.
const LINES_ABOVE: usize = 512;

/// Hands every entry that holds an anchor to `take`, in order. A log cut anywhere gives the entries before the cut.
///
/// # Errors
/// Those of reading; what was handed on before stays right.
pub fn scan(input: &mut dyn Read, take: &mut dyn FnMut(Entry)) -> io::Result<Vec<Problem>> {
    let mut start = Vec::new();
    Read::take(&mut *input, 4096).read_to_end(&mut start)?;
    let wide = start.contains(&0);
    let mut whole = start.as_slice().chain(input);
    let mut scanner = Scanner { finder: Finder::new(), take, problems: Vec::new(), line: 1 };
    if wide {
        // UTF-16, or a log with the zeros of a power cut: rare, so it may be slow.
        scanner.run(&mut AsUtf8 { lines: Lines::new(&mut whole), held: Vec::new(), given: 0 })?;
    } else {
        scanner.run(&mut whole)?;
    }
    Ok(scanner.problems)
}

/// Any encoding as UTF-8 with line feeds.
struct AsUtf8<'a> {
    lines: Lines<'a>,
    held: Vec<u8>,
    given: usize,
}

impl Read for AsUtf8<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.held.len() {
            self.given = 0;
            self.held.clear();
            match self.lines.next_line()? {
                Some((_, line)) => {
                    self.held.extend(line.bytes().filter(|byte| *byte != 0));
                    self.held.push(b'\n');
                }
                None => return Ok(0),
            }
        }
        let rest = self.held.get(self.given..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

/// Finds the first anchor; by vector instructions where the processor has them.
enum Finder {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// Cannot be with these anchors; then every line is looked at.
    None,
}

impl Finder {
    fn new() -> Self {
        if let Some(searcher) = packed::Config::new().builder().extend(ANCHORS).build() {
            return Finder::Packed(searcher);
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).kind(Some(AhoCorasickKind::DFA)).build(ANCHORS);
        automaton.map_or(Finder::None, Finder::Automaton)
    }

    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        let at = match self {
            Finder::Packed(searcher) => searcher.find(rest)?.start(),
            Finder::Automaton(automaton) => automaton.find(rest)?.start(),
            Finder::None if rest.is_empty() => return None,
            Finder::None => 0,
        };
        Some(from + at)
    }
}

struct Scanner<'a> {
    finder: Finder,
    take: &'a mut dyn FnMut(Entry),
    problems: Vec<Problem>,
    /// Number of the line at which the held bytes begin.
    line: u64,
}

impl Scanner<'_> {
    fn run(&mut self, input: &mut dyn Read) -> io::Result<()> {
        let mut held: Vec<u8> = Vec::with_capacity(2 * BLOCK);
        loop {
            let before = held.len();
            Read::take(&mut *input, BLOCK as u64).read_to_end(&mut held)?;
            let ended = held.len() == before;
            let full = held.len() >= LONGEST;
            let complete = if ended { held.len() } else { memrchr(b'\n', &held).map_or(if full { held.len() } else { 0 }, |at| at + 1) };
            let keep = self.block(held.get(..complete).unwrap_or_default(), ended || full);
            if ended {
                return Ok(());
            }
            self.line += memchr_iter(b'\n', held.get(..keep).unwrap_or_default()).count() as u64;
            held.drain(..keep);
        }
    }

    /// Looks at whole lines; gives where the last entry begins, which may go on in the next block and is then searched again.
    fn block(&mut self, bytes: &[u8], last: bool) -> usize {
        let open = if last { bytes.len() } else { last_head(bytes) };
        let (mut at, mut counted, mut line) = (0, 0, self.line);
        while let Some(hit) = self.finder.find(bytes, at) {
            if hit >= open {
                break;
            }
            let start = head_above(bytes, at, hit);
            let end = if head(bytes.get(start..).unwrap_or_default()).is_some() { next_head(bytes, start) } else { next_line(bytes, start) };
            line += memchr_iter(b'\n', bytes.get(counted..start).unwrap_or_default()).count() as u64;
            counted = start;
            self.entry(bytes.get(start..end).unwrap_or_default(), line);
            at = end.max(hit + 1);
        }
        open
    }

    fn entry(&mut self, bytes: &[u8], line: u64) {
        let text = decode(bytes);
        let mut rest: &str = &text;
        let mut line = line;
        // Two threads now and then write into one line: the second head begins a second entry.
        while let Some(at) = second_head(rest) {
            let (first, second) = rest.split_at(at);
            self.one(first, line);
            line += first.matches('\n').count() as u64;
            rest = second;
        }
        self.one(rest, line);
    }

    fn one(&mut self, text: &str, line: u64) {
        let head = head(text.as_bytes()).unwrap_or_default();
        if head.odd && self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { line, what: "the level of this line is not known".into() });
        }
        let body = text.get(head.length..).unwrap_or_default().trim_end().replace('\r', "");
        (self.take)(Entry { line, local: head.local, level: head.level, component: head.component, text: body });
    }
}

/// Where the line after the one at `from` begins.
fn next_line(bytes: &[u8], from: usize) -> usize {
    memchr(b'\n', bytes.get(from..).unwrap_or_default()).map_or(bytes.len(), |at| from + at + 1)
}

/// Where the next line with a head begins.
fn next_head(bytes: &[u8], from: usize) -> usize {
    let mut at = next_line(bytes, from);
    while at < bytes.len() && at - from < LONGEST && !begins_entry(bytes.get(at..).unwrap_or_default()) {
        at = next_line(bytes, at);
    }
    at
}

/// Where the entry of a hit begins: the nearest line with a head at or above it, or the hit's own line.
fn head_above(bytes: &[u8], floor: usize, hit: usize) -> usize {
    let line_start = |at: usize| memrchr(b'\n', bytes.get(floor..at).unwrap_or_default()).map_or(floor, |found| floor + found + 1);
    let own = line_start(hit);
    let mut at = own;
    for _ in 0..LINES_ABOVE {
        if begins_entry(bytes.get(at..).unwrap_or_default()) {
            return at;
        }
        if at <= floor {
            break;
        }
        at = line_start(at - 1);
    }
    own
}

/// Where the last line with a head begins; the end when none is near.
fn last_head(bytes: &[u8]) -> usize {
    let mut at = bytes.len();
    for _ in 0..LINES_ABOVE * 8 {
        let Some(before) = at.checked_sub(1) else { break };
        at = memrchr(b'\n', bytes.get(..before).unwrap_or_default()).map_or(0, |found| found + 1);
        if begins_entry(bytes.get(at..).unwrap_or_default()) {
            return at;
        }
    }
    bytes.len()
}

fn begins_entry(bytes: &[u8]) -> bool {
    timed(bytes) || head(bytes).is_some()
}

/// `YYYY-MM-DD HH:MM:SS`; people who paste logs write `x` for digits.
fn timed(bytes: &[u8]) -> bool {
    const FORM: &[u8; 19] = b"dddd-dd-dd dd:dd:dd";
    bytes.get(..19).is_some_and(|stamp| {
        stamp.iter().zip(FORM).all(|(byte, form)| if *form == b'd' { byte.is_ascii_digit() || matches!(byte, b'x' | b'X') } else { byte == form })
    })
}

/// What stands before the text of a line.
#[derive(Debug, Default)]
struct Head {
    /// Bytes of it.
    length: usize,
    local: Option<String>,
    level: Level,
    component: String,
    /// There is a time, but what follows is no level.
    odd: bool,
}

/// The head of a line: a time, a level, or both; then perhaps a bracketed number, then perhaps a component.
fn head(bytes: &[u8]) -> Option<Head> {
    let mut head = Head::default();
    let has_time = timed(bytes);
    if has_time {
        let stamp = bytes.get(..19).unwrap_or_default();
        if !stamp.iter().any(|byte| matches!(byte, b'x' | b'X')) {
            let mut stamp = String::from_utf8_lossy(stamp).into_owned();
            stamp.replace_range(10..11, "T");
            head.local = Some(stamp);
        }
        head.length = 19;
    }
    skip_blank(bytes, &mut head.length);
    match word(bytes, head.length) {
        b"Info" => head.level = Level::Info,
        b"Warning" => head.level = Level::Warning,
        b"Error" => head.level = Level::Error,
        _ if has_time => {
            head.odd = true;
            return Some(head);
        }
        _ => return None,
    }
    let after_level = head.length + word(bytes, head.length).len();
    head.length = after_level;
    skip_blank(bytes, &mut head.length);
    if bytes.get(head.length) == Some(&b'[')
        && let Some(end) = memchr(b']', bytes.get(head.length..).unwrap_or_default()).filter(|end| *end < 16)
    {
        head.length += end + 1;
        skip_blank(bytes, &mut head.length);
    }
    let component = word(bytes, head.length);
    let is_component = (2..=12).contains(&component.len())
        && component.first().is_some_and(u8::is_ascii_uppercase)
        && bytes.get(head.length + component.len()).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b','));
    if is_component && (has_time || component.iter().all(u8::is_ascii_uppercase)) {
        head.component = String::from_utf8_lossy(component).into_owned();
        head.length += component.len();
        skip_blank(bytes, &mut head.length);
    } else if !has_time {
        // "Error in the second step" is a sentence, not a head.
        return None;
    }
    Some(head)
}

fn skip_blank(bytes: &[u8], at: &mut usize) {
    while bytes.get(*at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b',')) {
        *at += 1;
    }
}

fn word(bytes: &[u8], from: usize) -> &[u8] {
    let rest = bytes.get(from..).unwrap_or_default();
    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// A head in the middle of a line, where two threads wrote at once.
fn second_head(text: &str) -> Option<usize> {
    let mut from = 1;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(", ")).map(|at| from + at) {
        from = at + 1;
        let follows = text.get(at + 2..).unwrap_or_default();
        if ["Info ", "Error ", "Warning "].iter().any(|level| follows.starts_with(level))
            && let Some(start) = at.checked_sub(19)
            && start > 0
            && text.as_bytes().get(start..).is_some_and(timed)
        {
            return Some(start);
        }
    }
    None
}

#[cfg(test)]
#[path = "cbs/tests.rs"]
mod tests;
