//! `Windows\WinSxS\pending.xml`: the work that waits for the next start of Windows.
//!
//! UTF-8 or UTF-16, often one line of many megabytes, so it is read as a stream and only elements that name a source file are
//! kept: `MoveFile source="…"`, `HardlinkFile source="…"`. What is not well-formed costs only the element that it is in.

use super::{MOST_PROBLEMS, Problem};
use std::io::{self, Read};

/// One operation on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The element's name: `MoveFile`, `HardlinkFile`.
    pub name: String,
    /// The file that must be there, as the kernel spells it.
    pub source: String,
    /// Which element of the file this is, from 1.
    pub number: u64,
}

/// An element longer than this is left out.
const LONGEST: usize = 64 * 1024;

/// Operations whose source is named, at most 100 000.
///
/// # Errors
/// Those of reading.
pub fn parse(input: &mut dyn Read) -> io::Result<(Vec<Operation>, Vec<Problem>)> {
    let (mut found, mut problems): (Vec<Operation>, Vec<Problem>) = (Vec::new(), Vec::new());
    let mut block = vec![0_u8; 64 * 1024];
    let (mut element, mut number): (Option<Vec<u16>>, u64) = (None, 0);
    let (mut wide, mut half): (Option<bool>, Option<u8>) = (None, None);
    loop {
        let count = input.read(&mut block)?;
        let bytes = block.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok((found, problems));
        }
        let is_wide = *wide.get_or_insert_with(|| bytes.starts_with(&[0xFF, 0xFE]) || bytes.get(1) == Some(&0));
        for byte in bytes.iter().copied() {
            let unit = match (is_wide, half.take()) {
                (false, _) => u16::from(byte),
                (true, Some(low)) => u16::from_le_bytes([low, byte]),
                (true, None) => {
                    half = Some(byte);
                    continue;
                }
            };
            match (&mut element, u8::try_from(unit)) {
                (_, Ok(b'<')) => element = Some(Vec::new()),
                (Some(units), Ok(b'>')) => {
                    number += 1;
                    if found.len() < 100_000 {
                        found.extend(operation(&text(units, is_wide), number));
                    }
                    element = None;
                }
                (Some(units), _) if units.len() < LONGEST => units.push(unit),
                (Some(_), _) => {
                    if problems.len() < MOST_PROBLEMS {
                        problems.push(Problem { line: number + 1, what: "this element does not end".into() });
                    }
                    element = None;
                }
                (None, _) => {}
            }
        }
    }
}

fn text(units: &[u16], wide: bool) -> String {
    if wide {
        return String::from_utf16_lossy(units);
    }
    let bytes: Vec<u8> = units.iter().filter_map(|unit| u8::try_from(*unit).ok()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn operation(element: &str, number: u64) -> Option<Operation> {
    let name = element.split_whitespace().next()?.trim_end_matches('/');
    if !matches!(name, "MoveFile" | "HardlinkFile" | "CopyFile") {
        return None;
    }
    let (_, rest) = element.split_once("source=")?;
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let source = rest.get(1..)?.split(quote).next()?.replace("&amp;", "&");
    // A name that could not be decoded would only seem to be missing.
    (!source.contains(char::REPLACEMENT_CHARACTER)).then_some(Operation { name: name.to_owned(), source, number })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::parse;
    use crate::logs::text_tests;

    const XML: &str = r#"<?xml version="1.0"?><PendingTransaction><POQ postAction="reboot"><CreateFile path="\SystemRoot\a"/><MoveFile source="\SystemRoot\WinSxS\Temp\PendingRenames\1a&amp;b.cdf-ms" destination="\SystemRoot\b"/><HardlinkFile source='\SystemRoot\ü中' destination="x"/></POQ></PendingTransaction>"#;

    #[test]
    fn operations_that_name_a_source_in_both_encodings() {
        let wide: Vec<u8> = [0xFEFF].into_iter().chain(XML.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [XML.as_bytes(), &wide] {
            let (found, problems) = parse(&mut &*bytes).unwrap();
            let sources: Vec<&str> = found.iter().map(|operation| operation.source.as_str()).collect();
            assert_eq!((sources, problems.len()), (vec!["\\SystemRoot\\WinSxS\\Temp\\PendingRenames\\1a&b.cdf-ms", "\\SystemRoot\\ü中"], 0));
            assert_eq!((found[0].name.as_str(), found[0].number), ("MoveFile", 5));
        }
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("pending.xml", &text_tests::seeds(XML, &[]), |bytes| assert!(parse(&mut &bytes[..]).unwrap().0.len() < 50));
    }

    #[test]
    fn cut_and_endless_files_end() {
        for cut in 0..XML.len() {
            assert!(parse(&mut &XML.as_bytes()[..cut]).unwrap().0.len() <= 2);
        }
        let endless = format!("<{}", "x".repeat(300_000));
        assert_eq!(parse(&mut endless.as_bytes()).unwrap().1.len(), 1);
    }
}
