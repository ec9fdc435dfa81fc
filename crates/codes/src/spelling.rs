//! The spellings of a code: reading any of them, and printing each.

use crate::{Kind, table};
use model::ErrorCode;

/// A code that somebody asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The number.
    pub value: u32,
    /// The list it belongs to, when the words say so ("Code 39", a name).
    pub kind: Option<Kind>,
    /// The name, when it was asked for by name.
    pub name: Option<&'static str>,
    /// True when it was written in hexadecimal: small numbers in hexadecimal are likelier stop codes.
    pub hexadecimal: bool,
    /// The extend code of Windows setup that stood behind it: `0x8007000D-0x2000C`.
    pub extend: Option<u32>,
}

impl Asked {
    /// A code without anything around it.
    pub fn plain(value: u32) -> Self {
        Asked { value, kind: None, name: None, hexadecimal: true, extend: None }
    }
}

/// Every spelling that reads back as this value, the usual one first.
///
/// Decimal numbers of eight digits are left out: eight digits alone are read as hexadecimal.
pub fn spellings(value: u32) -> Vec<String> {
    let mut list = vec![format!("0x{value:08X}")];
    let decimal = value.to_string();
    if value >= 0x8000_0000 {
        list.push(format!("{value:08X}"));
        list.push(value.cast_signed().to_string());
    }
    if decimal.len() != 8 {
        list.push(decimal);
    }
    list
}

/// Every code in the words of a person: one code in any spelling, a name, "Code 39", or a sentence with codes in it.
///
/// What is asked twice is given once. Empty when there is none.
pub fn read(text: &str) -> Vec<Asked> {
    let text = text.trim();
    if let Ok(code) = text.parse::<ErrorCode>() {
        let hexadecimal = text.len() > 1 && text.as_bytes().get(1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'x'));
        return vec![Asked { value: code.0, kind: None, name: None, hexadecimal, extend: None }];
    }
    let mut found: Vec<Asked> = Vec::new();
    let mut add = |asked: Asked| {
        if !found.iter().any(|there| there.value == asked.value && there.kind == asked.kind && asked.extend.is_none()) {
            found.push(asked);
        }
    };
    let words: Vec<(usize, &str)> = words(text).collect();
    let mut rest = words.iter().copied().peekable();
    while let Some((at, word)) = rest.next() {
        let after = |at: usize, word: &str| text.get(at + word.len()..).unwrap_or_default();
        if let Some(mut asked) = number(word, text.get(..at).unwrap_or_default()) {
            // 0x8007000D-0x2000C, also with blanks around the dash.
            if let Some((next_at, next)) = rest.peek().copied()
                && is_dash(after(at, word).get(..next_at - at - word.len()).unwrap_or_default())
                && let Some(extend) = extend(next)
            {
                asked.extend = Some(extend);
                rest.next();
            }
            add(asked);
        } else if let Some(code) = rest.peek().and_then(|(_, next)| problem(word, next)) {
            add(Asked { value: code, kind: Some(Kind::Problem), name: None, hexadecimal: false, extend: None });
            rest.next();
        } else if word.contains('_') || text.len() == word.len() {
            // Names hold an underscore, but for those of the camera app and the like, which are taken only when alone.
            for known in table::by_name(word) {
                add(Asked { value: known.value, kind: Some(known.kind), name: Some(known.name), hexadecimal: true, extend: None });
            }
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).map(move |word| {
        // Both are parts of the same text, so the difference of their places is the offset.
        (word.as_ptr() as usize - text.as_ptr() as usize, word)
    })
}

fn is_dash(between: &str) -> bool {
    let between = between.trim();
    between.chars().count() == 1 && between.starts_with(['-', '–', '—', '‑'])
}

/// A number in a sentence that can only be a code; `before` is the text in front, which may end in a minus sign.
fn number(word: &str, before: &str) -> Option<Asked> {
    if word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        let minus = before.ends_with('-') && !before.trim_end_matches('-').ends_with(|c: char| c.is_ascii_alphanumeric());
        let text = if minus { format!("-{word}") } else { word.to_owned() };
        return text.parse::<ErrorCode>().ok().map(|code| Asked { value: code.0, kind: None, name: None, hexadecimal: false, extend: None });
    }
    model::codes_in(word).first().map(|code| Asked { value: code.0, kind: None, name: None, hexadecimal: true, extend: None })
}

/// The second half of a setup error: `0x2000C`, one to eight digits of which the phase is the upper half.
fn extend(word: &str) -> Option<u32> {
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"))?;
    let value = (hex.len() <= 6).then(|| u32::from_str_radix(hex, 16).ok())??;
    (value >> 16 <= 0xFF).then_some(value)
}

/// "Code 39", "(Code 10)", "CM_PROB 22".
fn problem(word: &str, next: &str) -> Option<u32> {
    let is_code = ["code", "problem", "cm_prob"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let number = next.parse().ok().filter(|number| (1..=57).contains(number))?;
    (is_code && next.len() <= 2).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{Asked, read, spellings};
    use crate::Kind;

    fn values(text: &str) -> Vec<u32> {
        read(text).into_iter().map(|asked| asked.value).collect()
    }

    #[test]
    fn what_is_printed_reads_back() {
        let mut value = 0x9E37_79B9_u32;
        for round in 0..200_000_u32 {
            // Every upper half in turn with changing lower halves, then the stored codes and the borders.
            value = value.wrapping_mul(0x0001_9660).wrapping_add(0x3C6E_F35F ^ round);
            for spelling in spellings(value) {
                assert_eq!(values(&spelling), [value], "{spelling}");
            }
        }
        let borders = [0, 1, 0x7FFF_FFFF, 0x8000_0000, u32::MAX, 9_999_999, 10_000_000, 99_999_999, 100_000_000];
        for value in borders.into_iter().chain(crate::entries().map(|entry| entry.value)) {
            for spelling in spellings(value) {
                assert_eq!(values(&spelling), [value], "{spelling}");
            }
        }
    }

    #[test]
    fn names_read_back_as_their_values() {
        for entry in crate::entries().step_by(97) {
            assert!(values(entry.name).contains(&entry.value), "{entry:?}");
        }
    }

    #[test]
    fn words_of_people() {
        assert_eq!(values("0X80070002L"), [0x8007_0002]);
        assert_eq!(values("WU_E_DS_NODATA"), [0x8024_8007]);
        assert_eq!(read("Code 39"), [Asked { value: 39, kind: Some(Kind::Problem), name: None, hexadecimal: false, extend: None }]);
        assert_eq!(values("This device cannot start. (Code 10)"), [10]);
        assert_eq!(values("Error 80070002 and 0x80070003, later 80070002 again"), [0x8007_0002, 0x8007_0003]);
        assert_eq!(values("0xA00F4292<PhotoCaptureStartTimeout>(0xC00D3704)"), [0xA00F_4292, 0xC00D_3704]);
        assert_eq!(values("it said -2147024894."), [0x8007_0002]);
        assert_eq!(values("nothing of that kind on 2026-01-02, KB5034441"), [] as [u32; 0]);
        for text in ["0x8007000D-0x2000C", "0x8007000D - 0x2000C", "0x8007000D – 0x2000C"] {
            assert_eq!(read(text).first().map(|asked| (asked.value, asked.extend)), Some((0x8007_000D, Some(0x2_000C))), "{text}");
        }
    }
}
