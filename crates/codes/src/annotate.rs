//! A text with the name behind each code: the same bytes, and ` (ERROR_FILE_NOT_FOUND)` after `0x80070002`.
//!
//! Works on a stream in constant memory, whatever the lines are: bytes that are no text pass through unchanged. Only codes
//! with a known name are touched, and none whose name stands behind it already, so that annotating twice changes nothing.

use model::TextUnits;
use std::io::{self, Read, Write};

/// How many bytes are read at a time.
const CHUNK: usize = 256 * 1024;
/// The longest spelling, `0xFFFFFFFF80070002UL`, and some more.
const LONGEST: usize = 24;
/// How far behind a code its name is looked for: ` - ` or ` (` and the name. Longer than the longest name (a test says so).
const BEHIND: usize = 96;

/// Copies `input` to `output`, naming the codes. What was read is written and flushed before the next read, so that a live
/// log is followed line by line.
///
/// # Errors
/// Those of reading and writing.
pub fn annotate(input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
    stream(input, output, &mut |_| ())
}

/// The codes with a name in a text of any length and encoding, each once, in the order of their first appearance.
///
/// # Errors
/// Those of reading.
pub fn named_in(input: &mut dyn Read) -> io::Result<Vec<u32>> {
    let mut list = Vec::new();
    stream(input, &mut io::sink(), &mut |value| {
        if !list.contains(&value) {
            list.push(value);
        }
    })?;
    Ok(list)
}

fn stream(input: &mut dyn Read, output: &mut dyn Write, seen: &mut dyn FnMut(u32)) -> io::Result<()> {
    let mut buffer = vec![0_u8; CHUNK + 2 * (LONGEST + BEHIND) + 2];
    let (mut held, mut units, mut inside) = (0, None, false);
    let (mut shadow, mut out) = (Vec::new(), Vec::with_capacity(CHUNK * 2));
    loop {
        let room = buffer.get_mut(held..held + CHUNK).unwrap_or_default();
        let count = match input.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        let end = count == 0;
        let filled = buffer.get(..held + count).unwrap_or_default();
        let units = *match (&mut units, filled.len()) {
            // One byte says nothing about the encoding yet; wait for the second.
            (None, 0 | 1) if !end => {
                held += count;
                continue;
            }
            (none @ None, _) => none.insert(TextUnits::guess(filled)),
            (Some(units), _) => units,
        };
        let used = match units {
            TextUnits::Bytes => {
                let scanned = scan(filled, &mut inside, end, |from, to, (value, name)| {
                    seen(value);
                    put(&mut out, filled, from, to, name, units);
                });
                out.extend_from_slice(filled.get(scanned.copied..scanned.used).unwrap_or_default());
                scanned.used
            }
            TextUnits::Utf16Le | TextUnits::Utf16Be => {
                let even = filled.len() & !1;
                shadow.clear();
                shadow.extend(filled.chunks_exact(2).map(|pair| narrow(pair, units)));
                let scanned = scan(&shadow, &mut inside, end, |from, to, (value, name)| {
                    seen(value);
                    put(&mut out, filled, from * 2, to * 2, name, units);
                });
                // At the end a lone last byte is copied as it is.
                let used = if end { filled.len() } else { (scanned.used * 2).min(even) };
                out.extend_from_slice(filled.get(scanned.copied * 2..used).unwrap_or_default());
                used
            }
        };
        held = filled.len() - used;
        output.write_all(&out)?;
        output.flush()?;
        out.clear();
        if end {
            return Ok(());
        }
        buffer.copy_within(used..used + held, 0);
    }
}

/// One UTF-16 unit as the scanner sees it: itself when it is ASCII, otherwise a byte that is part of no word.
fn narrow(pair: &[u8], units: TextUnits) -> u8 {
    let (low, high) = match (pair, units) {
        ([high, low], TextUnits::Utf16Be) => (*low, *high),
        ([low, high], _) => (*low, *high),
        _ => (0xFF, 0xFF),
    };
    if high == 0 && low < 0x80 { low } else { 0xFF }
}

/// Appends the text up to a code's end and then its name.
fn put(out: &mut Vec<u8>, text: &[u8], from: usize, to: usize, name: &str, units: TextUnits) {
    out.extend_from_slice(text.get(from..to).unwrap_or_default());
    for byte in [b" (", name.as_bytes(), b")"].concat() {
        match units {
            TextUnits::Bytes => out.push(byte),
            TextUnits::Utf16Le => out.extend([byte, 0]),
            TextUnits::Utf16Be => out.extend([0, byte]),
        }
    }
}

/// Which bytes are hexadecimal digits: one look instead of three comparisons in the loop that sees every eighth byte.
static IS_HEX: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_hexdigit();
        byte += 1;
    }
    table
};

/// How far a scan came.
struct Scanned {
    /// Up to here everything is decided.
    used: usize,
    /// Up to here the text was handed to the callback.
    copied: usize,
}

/// Finds the codes in a text. `inside`: the byte before it was part of a word. Unless this is the `end`, what cannot be decided
/// yet is left for the next time. The callback gets (from, to, code and name) for each code: the text between and where the name goes.
fn scan(text: &[u8], inside: &mut bool, end: bool, mut found: impl FnMut(usize, usize, (u32, &str))) -> Scanned {
    let mut copied = 0;
    // A code has eight hexadecimal digits in a row, so that one of every eight places hits it.
    let mut probe = 7;
    let mut undecided = text.len();
    while let Some(byte) = text.get(probe) {
        if !IS_HEX[usize::from(*byte)] {
            probe += 8;
            continue;
        }
        let (left, right) = (text.get(..probe).unwrap_or_default(), text.get(probe..).unwrap_or_default());
        // Most places end here: a letter of a word, a digit of a date. Eight digits in a row are rare.
        let back = left.iter().rev().take(LONGEST).take_while(|byte| IS_HEX[usize::from(**byte)]).count();
        let ahead = right.iter().take(LONGEST).take_while(|byte| IS_HEX[usize::from(**byte)]).count();
        if back + ahead < 8 {
            probe += (ahead - 1) / 8 * 8 + 8;
            continue;
        }
        let start = probe - left.iter().rev().take(LONGEST).take_while(|byte| is_word(**byte)).count();
        let stop = probe + right.iter().take(LONGEST).take_while(|byte| is_word(**byte)).count();
        if !end && stop + BEHIND > text.len() && stop - start < LONGEST && !decided(text.get(stop..).unwrap_or_default()) {
            undecided = start.min(undecided);
            break;
        }
        let cut = start == 0 && *inside;
        if !cut
            && stop - start < LONGEST
            && let Some(code) =
                text.get(start..stop).and_then(|word| name(word, text.get(..start).unwrap_or_default(), text.get(stop..).unwrap_or_default()))
        {
            found(copied, stop, code);
            copied = stop;
        }
        // The next place of the same stride that is behind this word.
        probe += (stop - probe) / 8 * 8 + 8;
    }
    let used = if end {
        text.len()
    } else {
        // A word that reaches the end of what was read may go on; keep it, unless it is too long for a code anyway.
        let open = text.iter().rev().take(LONGEST).take_while(|byte| is_word(**byte)).count();
        let whole = if open < LONGEST { text.len() - open } else { text.len() };
        // Two bytes more: a minus sign and what stands before it belong to a number.
        undecided.min(whole).saturating_sub(2).max(copied)
    };
    if used > 0 {
        *inside = text.get(used - 1).is_some_and(|byte| is_word(*byte));
    }
    Scanned { used, copied }
}

/// True when what follows a word, though short, is enough to tell that no name can follow: the line ends, or other text begins.
fn decided(behind: &[u8]) -> bool {
    match behind {
        [] => false,
        [b' ', rest @ ..] | [b')' | b']' | b'L' | b'l', rest @ ..] if rest.is_empty() => false,
        [b' ', b'-' | b'(', ..] => behind.contains(&b'\n'),
        _ => true,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The name to put behind a word, when it is a code, has a name, and the name is not there yet.
fn name(word: &[u8], before: &[u8], behind: &[u8]) -> Option<(u32, &'static str)> {
    let value = value(word, before, behind)?;
    let name = if value >= 0x8000_0000 {
        crate::name_of(value)
    } else {
        // Success codes of Windows Update and servicing; smaller numbers are flags and sizes far oftener than codes.
        crate::known(value).find(|known| value > 0xFFFF && known.kind == crate::Kind::Hresult).map(|known| known.name)
    }?;
    let there = |gap: &[u8]| behind.strip_prefix(gap).is_some_and(|rest| rest.starts_with(name.as_bytes()));
    (!there(b" - ") && !there(b" (") && !there(b" ")).then_some((value, name))
}

/// The code that a word spells, of those spellings that can be nothing else in running text.
fn value(word: &[u8], before: &[u8], behind: &[u8]) -> Option<u32> {
    let bare = match word {
        [rest @ .., b'U' | b'u', b'L' | b'l'] | [rest @ .., b'L' | b'l'] => rest,
        _ => word,
    };
    let (prefixed, digits) = match bare {
        [b'0', b'x' | b'X', rest @ ..] => (true, rest),
        _ => (false, bare),
    };
    match digits.len() {
        8 if prefixed => hex(digits),
        // Without 0x only what looks like a failure, and not the beginning of a GUID.
        8 if bare.len() == word.len() && matches!(digits, [b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]) => {
            let guid = matches!(behind, [b'-', next, ..] if next.is_ascii_hexdigit()) || before.ends_with(b"{");
            (!guid && digits.iter().any(u8::is_ascii_digit)).then(|| hex(digits))?
        }
        16 => digits.split_at_checked(8).filter(|(high, _)| high.eq_ignore_ascii_case(b"ffffffff")).and_then(|(_, low)| hex(low)),
        10 if !prefixed && digits.iter().all(u8::is_ascii_digit) => {
            let number = digits.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            let negative = matches!(before, [.., last, b'-'] if !is_word(*last)) || before == b"-";
            if negative {
                i32::try_from(-number).ok().map(i32::cast_unsigned)
            } else {
                u32::try_from(number).ok().filter(|value| *value >= 0x8000_0000)
            }
        }
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests;
