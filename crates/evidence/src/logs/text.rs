//! The text of a log, whatever its encoding: UTF-8, UTF-16 of either order, or a legacy code page.
//!
//! Small files are decoded whole ([`decode`]); logs of any size are read line by line in constant memory ([`Lines`]).

use model::TextUnits;
use std::borrow::Cow;
use std::io::{self, Read};

/// A whole file as text. What is no text in its encoding becomes the replacement character, except that single bytes which
/// are no UTF-8 are read as Windows-1252: file names of western systems stay readable.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match TextUnits::guess(bytes) {
        TextUnits::Bytes => legacy(bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes)),
        TextUnits::Utf16Le => wide(bytes.strip_prefix(&[0xFF, 0xFE]).unwrap_or(bytes), u16::from_le_bytes).into(),
        TextUnits::Utf16Be => wide(bytes.strip_prefix(&[0xFE, 0xFF]).unwrap_or(bytes), u16::from_be_bytes).into(),
    }
}

fn wide(bytes: &[u8], order: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(order));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn legacy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        // UTF-8 with a few torn characters stays UTF-8; a text without any multi-byte character is a code page.
        Err(_) if String::from_utf8_lossy(bytes).chars().any(|c| !c.is_ascii() && c != char::REPLACEMENT_CHARACTER) => String::from_utf8_lossy(bytes),
        Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect::<String>().into(),
    }
}

/// The upper half of Windows-1252 (unicode.org, CP1252.TXT); bytes 0xA0 to 0xFF are the same as in Unicode.
fn windows_1252(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—',
        '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => UPPER.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

/// A line longer than this is cut: no log has such lines, and a file without line ends must not fill the memory.
const LONGEST: usize = 64 * 1024;
const BLOCK: usize = 256 * 1024;

/// Reads a log of any size line by line, in any encoding, in constant memory.
pub struct Lines<'a> {
    input: &'a mut dyn Read,
    units: Option<TextUnits>,
    held: Vec<u8>,
    taken: usize,
    ended: bool,
    number: u64,
}

impl<'a> Lines<'a> {
    /// Over an input that is at its start.
    pub fn new(input: &'a mut dyn Read) -> Self {
        Lines { input, units: None, held: Vec::new(), taken: 0, ended: false, number: 0 }
    }

    /// The next line with its number from 1, without its end. A line that is too long is cut and its rest left out.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, String)>> {
        let mut cut = None;
        loop {
            let rest = self.held.get(self.taken..).unwrap_or_default();
            let found = end_of_line(rest, self.units.unwrap_or(TextUnits::Bytes));
            match found {
                Some((end, next)) if self.units.is_some() => {
                    let line = cut.take().unwrap_or_else(|| self.text(rest.get(..end).unwrap_or_default()));
                    self.taken += next;
                    self.number += 1;
                    return Ok(Some((self.number, line)));
                }
                _ if self.ended => {
                    let line = cut.take().unwrap_or_else(|| self.text(rest));
                    let empty = rest.is_empty() && line.is_empty();
                    self.taken = self.held.len();
                    self.number += u64::from(!empty);
                    return Ok((!empty).then_some((self.number, line)));
                }
                _ => {}
            }
            if self.units.is_some() && rest.len() > LONGEST {
                cut.get_or_insert_with(|| self.text(rest.get(..LONGEST).unwrap_or_default()));
                // An even number stays, so that the halves of UTF-16 units stay together.
                self.taken = self.held.len() - rest.len() % 2;
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.held.drain(..self.taken);
        self.taken = 0;
        let start = self.held.len();
        self.held.resize(start + BLOCK, 0);
        let count = loop {
            match self.input.read(self.held.get_mut(start..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.held.truncate(start + *count.as_ref().unwrap_or(&0));
        self.ended = count? == 0;
        if self.units.is_none() && (self.held.len() >= 1024 || self.ended) {
            self.units = Some(TextUnits::guess(&self.held));
            if self.held.starts_with(&[0xFF, 0xFE]) || self.held.starts_with(&[0xFE, 0xFF]) {
                self.taken = 2;
            } else if self.held.starts_with(&[0xEF, 0xBB, 0xBF]) {
                self.taken = 3;
            }
        }
        Ok(())
    }

    fn text(&self, bytes: &[u8]) -> String {
        match self.units {
            Some(TextUnits::Utf16Le) => wide(bytes, u16::from_le_bytes),
            Some(TextUnits::Utf16Be) => wide(bytes, u16::from_be_bytes),
            _ => legacy(bytes).into_owned(),
        }
    }
}

/// Where a line ends and the next one begins: after `\n`, with a `\r` before it left out.
fn end_of_line(bytes: &[u8], units: TextUnits) -> Option<(usize, usize)> {
    match units {
        TextUnits::Bytes => {
            let at = bytes.iter().position(|byte| *byte == b'\n')?;
            Some((at - usize::from(bytes.get(..at)?.ends_with(b"\r")), at + 1))
        }
        TextUnits::Utf16Le | TextUnits::Utf16Be => {
            let (end, before): ([u8; 2], [u8; 2]) = if units == TextUnits::Utf16Le { ([b'\n', 0], [b'\r', 0]) } else { ([0, b'\n'], [0, b'\r']) };
            let at = bytes.chunks_exact(2).position(|pair| pair == end)? * 2;
            Some((at - if bytes.get(..at)?.chunks_exact(2).next_back() == Some(&before) { 2 } else { 0 }, at + 2))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{LONGEST, Lines, decode};

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut input = bytes;
        let mut lines = Lines::new(&mut input);
        let mut out = Vec::new();
        while let Some((number, line)) = lines.next_line().unwrap() {
            out.push(line);
            assert_eq!(number, out.len() as u64);
        }
        out
    }

    #[test]
    fn every_encoding_gives_the_same_lines() {
        let text = "erste Zeile\r\nzweite mit ü\n\nlast";
        let wanted = ["erste Zeile", "zweite mit ü", "", "last"];
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let legacy: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
            little.clone(),
            [&[0xFF, 0xFE], &little[..]].concat(),
            big.clone(),
            [&[0xFE, 0xFF], &big[..]].concat(),
            legacy,
        ] {
            assert_eq!(lines(&bytes), wanted);
            assert_eq!(decode(&bytes), text);
        }
    }

    #[test]
    fn lines_without_end_are_cut_and_the_next_line_is_right() {
        let text = format!("a\n{}\nb\n", "x".repeat(LONGEST * 9));
        let found = lines(text.as_bytes());
        assert_eq!((found.len(), found[2].as_str()), (3, "b"));
        assert!(found[1].len() >= LONGEST && found[1].len() < LONGEST * 9);
        assert_eq!(lines(b""), Vec::<String>::new());
        assert_eq!(lines(b"\n"), [""]);
    }
}
