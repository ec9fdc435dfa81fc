//! Words in bytes: texts in any encoding are rewritten; of other data only the parts that allow it, or nothing.

use super::{Redactor, lower, starts_word};
use target::Rewrite;

/// The binary form of `S-1-5-21-`: revision, five numbers, authority 5, the first number 21.
const SID: [u8; 12] = [1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0];

/// A text rewritten in its own encoding; other data as it is, or `None` when a word is in it: its format may allow no other length and
/// may hold checksums.
pub(super) fn rewritten(redactor: &Redactor, bytes: &[u8]) -> Option<Vec<u8>> {
    for (mark, decode, encode) in [
        ([0xff, 0xfe], u16::from_le_bytes as fn([u8; 2]) -> u16, u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ([0xfe, 0xff], u16::from_be_bytes, u16::to_be_bytes),
    ] {
        if let Some(rest) = bytes.strip_prefix(&mark) {
            let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|two| decode(*two)).collect();
            let text = redactor.text(&String::from_utf16_lossy(&units));
            return Some(mark.into_iter().chain(text.encode_utf16().flat_map(encode)).collect());
        }
    }
    if bytes.contains(&0) {
        return places(redactor, bytes).is_empty().then(|| bytes.to_vec());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(redactor.text(text).into_bytes());
    }
    // A code page: every byte a character of its own; the stand-ins are plain letters.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    Some(redactor.text(&text).chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect())
}

/// Binary data of the same length, with every letter of a word covered and account numbers replaced.
pub(super) fn masked(redactor: &Redactor, bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for (from, length, width) in places(redactor, bytes) {
        redactor.count("binary");
        for at in from..from + length {
            if let Some(byte) = out.get_mut(at) {
                let low = (at - from).is_multiple_of(width);
                *byte = if width == 0 {
                    1
                } else if low {
                    b'x'
                } else {
                    0
                };
            }
        }
    }
    out
}

/// Where words are in bytes: start, length in bytes, bytes of a character (0: a number).
fn places(redactor: &Redactor, bytes: &[u8]) -> Vec<(usize, usize, usize)> {
    let mut found = words(redactor, bytes.iter().map(|byte| char::from(*byte)), 0, 1);
    for start in [0, 1] {
        let units = bytes.get(start..).unwrap_or_default().as_chunks::<2>().0;
        let chars = units.iter().map(|two| char::from_u32(u32::from(u16::from_le_bytes(*two))).unwrap_or('\u{fffd}'));
        found.extend(words(redactor, chars, start, 2));
    }
    found.extend(bytes.windows(SID.len()).enumerate().filter(|(_, there)| *there == SID).map(|(at, _)| (at + SID.len(), 12, 0)));
    found
}

fn words(redactor: &Redactor, chars: impl Iterator<Item = char>, start: usize, width: usize) -> Vec<(usize, usize, usize)> {
    let chars: Vec<char> = chars.collect();
    let lower: Vec<char> = chars.iter().map(|c| lower(*c)).collect();
    let mut found = Vec::new();
    for at in 0..chars.len() {
        if !starts_word(&chars, at) {
            continue;
        }
        let before = || chars.get(at.saturating_sub(24)..at).unwrap_or_default().iter().collect::<String>();
        let known = redactor.secrets.contains_key(lower.get(at).unwrap_or(&'\0'));
        let length = match known.then(before).and_then(|before| redactor.secret_at(&chars, &lower, at, &before).map(|(_, length)| length)) {
            Some(length) => Some(length),
            None => super::patterns::sid(&lower, at).map(|sid| sid.length),
        };
        if let Some(length) = length {
            found.push((start + at * width, length * width, width));
        }
    }
    found
}
