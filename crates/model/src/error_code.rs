//! Error codes in any spelling people meet.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A 32-bit error code: an HRESULT, an NTSTATUS, or a plain Win32 number.
///
/// Shown as `0x80070002`. Parsed from `0x80070002`, `80070002`, `0X80070002L`, `-2147024894`, `2147942402`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// `HRESULT_FROM_WIN32`: the wrapped form of a Win32 number (winerror.h).
    pub fn from_win32(number: u16) -> Self {
        ErrorCode(0x8007_0000 | u32::from(number))
    }

    /// The Win32 number inside an HRESULT of facility 7, or a plain number below 0x10000.
    pub fn win32(self) -> Option<u16> {
        match self.0 >> 16 {
            0x8007 | 0 => u16::try_from(self.0 & 0xFFFF).ok(),
            _ => None,
        }
    }

    /// The form by which codes are compared: a plain Win32 number becomes its HRESULT.
    #[must_use]
    pub fn normal(self) -> Self {
        match self.win32() {
            Some(number) if number != 0 => ErrorCode::from_win32(number),
            _ => self,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "0x{:08X}", self.0)
    }
}

impl FromStr for ErrorCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim().trim_end_matches(['L', 'l', 'U', 'u']);
        let wrong = || format!("{text:?} is not an error code; examples: 0x80070002, 80070002, -2147024894, 2147942402");
        if let Some(hex) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
            return match hex.len() {
                1..=8 if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).map(ErrorCode).map_err(|_| wrong()),
                // A 64-bit print of a negative HRESULT: ffffffff80070002.
                16 if hex.get(..8).is_some_and(|high| high.eq_ignore_ascii_case("ffffffff")) => {
                    hex.get(8..).and_then(|low| u32::from_str_radix(low, 16).ok()).map(ErrorCode).ok_or_else(wrong)
                }
                _ => Err(wrong()),
            };
        }
        if let Some(digits) = bare.strip_prefix('-') {
            if !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            let number: i64 = digits.parse().map_err(|_| wrong())?;
            return i32::try_from(-number).map(|signed| ErrorCode(signed.cast_unsigned())).map_err(|_| wrong());
        }
        if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        // Eight characters are hexadecimal without the prefix (80070002, 8024402C); other lengths are decimal when they can be.
        if bare.len() == 8 {
            return u32::from_str_radix(bare, 16).map(ErrorCode).map_err(|_| wrong());
        }
        bare.parse::<u32>().map(ErrorCode).map_err(|_| wrong())
    }
}

impl TryFrom<String> for ErrorCode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ErrorCode> for String {
    fn from(code: ErrorCode) -> String {
        code.to_string()
    }
}

/// Every code that stands in a sentence, in the order of appearance: `0xA00F4292<…>(0xC00D3704)` gives two.
///
/// Only spellings that cannot be an ordinary number are taken from running text: with `0x`, eight hexadecimal digits that
/// begin like a failure (8, 9, A–F), or a decimal beyond ±2,000,000,000.
pub fn codes_in(text: &str) -> Vec<ErrorCode> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric() || c == '-') {
        rest = rest.get(start..).unwrap_or_default();
        let end = rest.char_indices().skip(1).find(|(_, c)| !c.is_ascii_alphanumeric()).map_or(rest.len(), |(at, _)| at);
        let (word, after) = rest.split_at(end);
        rest = after;
        let prefixed = word.len() > 2 && (word.starts_with("0x") || word.starts_with("0X"));
        let failure_like =
            word.len() == 8 && word.starts_with(|c: char| matches!(c, '8' | '9' | 'a'..='f' | 'A'..='F')) && word.bytes().any(|b| b.is_ascii_digit());
        let large = word.trim_start_matches('-').len() == 10 && word.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
        if (prefixed || failure_like || large)
            && let Ok(code) = word.parse()
        {
            found.push(code);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{ErrorCode, codes_in};

    #[test]
    fn every_spelling_of_one_code() {
        for text in ["0x80070002", "80070002", "0X80070002L", "-2147024894", "2147942402", " 0x80070002 ", "0xffffffff80070002"] {
            assert_eq!(text.parse(), Ok(ErrorCode(0x8007_0002)), "{text}");
        }
        assert_eq!("2".parse(), Ok(ErrorCode(2)));
        assert_eq!(ErrorCode(2).normal(), ErrorCode(0x8007_0002));
        for text in ["", "hello", "0x", "0x123456789", "--1", "99999999999", "-99999999999", "0x80070002 and more", "１２３"] {
            assert!(text.parse::<ErrorCode>().is_err(), "{text}");
        }
    }

    #[test]
    fn codes_in_sentences() {
        assert_eq!(codes_in("0xA00F4292<PhotoCaptureStartTimeout>(0xC00D3704)"), [ErrorCode(0xA00F_4292), ErrorCode(0xC00D_3704)]);
        assert_eq!(codes_in("Error 8024402c at 10:30, 2026-01-02, KB5034441"), [ErrorCode(0x8024_402C)]);
        assert_eq!(codes_in("code -2147024894."), [ErrorCode(0x8007_0002)]);
        assert_eq!(codes_in("no codes – deadbeat 12345678 é"), []);
    }
}
