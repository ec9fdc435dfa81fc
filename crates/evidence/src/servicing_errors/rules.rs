//! The table of lines that name an object (`knowledge/errors/servicing.tsv`), and how a line is compared with it.

use model::ErrorCode;

const TABLE: &str = include_str!("../../../../knowledge/errors/servicing.tsv");

/// Which lines of a rule count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// The first of an operation that failed.
    First,
    /// All of the newest report.
    Listed,
    /// Only when the operation has no other.
    Late,
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    pub(super) counts: Counts,
    parts: Vec<Part>,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(&'static str),
    Any,
    Object,
    Code,
    Win32,
}

/// What a line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) object: String,
    pub(super) code: Option<ErrorCode>,
}

/// All rows, in the order of the table.
pub(super) fn table() -> Vec<Rule> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .filter_map(|line| {
            let [id, kind, counts, pattern, ..] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
            let counts = match counts {
                "first" => Counts::First,
                "listed" => Counts::Listed,
                _ => Counts::Late,
            };
            Some(Rule { id, kind, counts, parts: parts(pattern) })
        })
        .collect()
}

fn parts(pattern: &'static str) -> Vec<Part> {
    const HOLES: [(&str, Part); 4] = [("*", Part::Any), ("{object}", Part::Object), ("{code}", Part::Code), ("{win32}", Part::Win32)];
    let mut parts = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let next = HOLES.iter().filter_map(|(name, part)| rest.find(name).map(|at| (at, name.len(), part.clone()))).min_by_key(|hole| hole.0);
        let (at, length, part) = next.map_or((rest.len(), 0, None), |(at, length, part)| (at, length, Some(part)));
        if let Some(text) = rest.get(..at).filter(|text| !text.is_empty()) {
            parts.push(Part::Text(text));
        }
        parts.extend(part);
        rest = rest.get(at + length..).unwrap_or_default();
    }
    parts
}

impl Rule {
    /// Compares a line in which every run of blanks is one blank. The pattern may stand anywhere in it.
    pub(super) fn fits(&self, line: &str) -> Option<Match> {
        let mut found = Match::default();
        let mut rest = line;
        let mut open = Some(&Part::Any);
        let mut parts = self.parts.iter();
        loop {
            match parts.next() {
                Some(Part::Text(text)) => {
                    let at = rest.find(text)?;
                    let fits = open.take().map_or(at == 0, |part| fill(part, rest.get(..at).unwrap_or_default(), &mut found));
                    if !fits {
                        return None;
                    }
                    rest = rest.get(at + text.len()..)?;
                }
                Some(part @ (Part::Code | Part::Win32)) => {
                    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                    if !fill(part, rest.get(..end)?, &mut found) {
                        return None;
                    }
                    rest = rest.get(end..)?;
                }
                Some(part) => open = Some(part),
                None => return open.is_none_or(|part| fill(part, rest, &mut found)).then_some(found),
            }
        }
    }

    /// The longest piece that a line must hold as it is.
    pub(super) fn longest_text(&self) -> &'static str {
        self.texts().max_by_key(|text| text.len()).unwrap_or_default()
    }

    /// The pieces that a line must hold as they are.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(*text) } else { None })
    }
}

/// Takes the text that stands in a hole; false when it cannot stand there.
fn fill(part: &Part, text: &str, found: &mut Match) -> bool {
    match part {
        Part::Object => {
            found.object = text.trim().trim_end_matches('.').to_owned();
            !found.object.is_empty()
        }
        Part::Code => match text.parse::<ErrorCode>() {
            Ok(code) if code.0 & 0x8000_0000 != 0 => {
                found.code = Some(code);
                true
            }
            _ => false,
        },
        Part::Win32 => match text.parse::<u16>() {
            Ok(number) if number != 0 => {
                found.code = Some(ErrorCode::from_win32(number));
                true
            }
            _ => false,
        },
        Part::Any | Part::Text(_) => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::table;
    use crate::logs::cbs::ANCHORS;

    #[test]
    fn every_row_can_be_found_by_the_search() {
        let rules = table();
        assert!(rules.len() > 30);
        for rule in rules {
            assert!(rule.texts().any(|text| ANCHORS.iter().any(|anchor| text.contains(anchor))), "{rule:?}");
        }
    }

    #[test]
    fn holes_take_what_stands_between() {
        let fits = |line: &str| table().iter().find_map(|rule| rule.fits(line).map(|found| (rule.id, found.object, found.code.map(|c| c.0))));
        assert_eq!(
            fits(r#"x (F) Failed in StartService for [9]"svc_name" with error code 2[gle=0x80004005]"#),
            Some(("ngen-service", "svc_name".into(), Some(0x8007_0002)))
        );
        assert_eq!(fits("INSTALL index: 55, phase: 2, result 2, inf: some.inf"), Some(("driver-service", "some.inf".into(), None)));
        assert_eq!(fits("INSTALL index: 55, phase: 2, result 0, inf: some.inf"), None);
        assert_eq!(
            fits("INSTALL index: 55, phase: 2, result 32, inf: some.inf"),
            Some(("driver-installation", "some.inf".into(), Some(0x8007_0020)))
        );
        assert_eq!(fits("Doqe: Recording result: 0x8007000d, for Inf: a.inf"), Some(("driver-installation", "a.inf".into(), Some(0x8007_000D))));
        assert_eq!(fits("(p) CSI Payload Corrupt (n) amd64_x\\a.dll"), Some(("payload-missing", "amd64_x\\a.dll".into(), None)));
        assert_eq!(fits("(p) CSI Payload Corrupt (w) (Fixed) amd64_x\\a.dll"), None);
        assert_eq!(fits("Failed to get next element [HRESULT = 0x800f080d - CBS_E_MANIFEST_INVALID_ITEM]"), None);
    }
}
