//! Annotating: what is named, what is left alone, and that neither the size of the pieces nor bad bytes change the answer.

use super::{BEHIND, annotate};
use std::io::{self, Read};

fn named(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    annotate(&mut &text[..], &mut out).expect("memory does not fail");
    out
}

fn line(text: &str) -> String {
    String::from_utf8(named(text.as_bytes())).expect("text stays text")
}

/// Gives a text in pieces of changing length, as a pipe does.
struct Pieces<'a>(&'a [u8], u32);

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let count = (1 + (self.1 >> 27) as usize).min(self.0.len()).min(room.len());
        room[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn in_pieces(text: &[u8], seed: u32) -> Vec<u8> {
    let mut out = Vec::new();
    annotate(&mut Pieces(text, seed), &mut out).expect("memory does not fail");
    out
}

#[test]
fn each_spelling_is_named() {
    for code in ["0x80070002", "0X80070002", "80070002", "-2147024894", "2147942402", "0x80070002L", "0xffffffff80070002"] {
        for (before, behind) in [("", ""), ("hr:", "."), ("[", "]"), ("Error ", " happened"), ("é", "é"), ("\t", "\r\n"), ("=", ",x")] {
            assert_eq!(line(&format!("{before}{code}{behind}")), format!("{before}{code} (ERROR_FILE_NOT_FOUND){behind}"));
        }
    }
    assert_eq!(line("FAILURE(0xe000020b)"), "FAILURE(0xe000020b (ERROR_NO_SUCH_DEVINST))");
    assert_eq!(line("0x80070002 0x80070003"), "0x80070002 (ERROR_FILE_NOT_FOUND) 0x80070003 (ERROR_PATH_NOT_FOUND)");
}

#[test]
fn what_is_no_code_stays() {
    for text in [
        "{80070002-1234-4d44-a2a3-0123456789ab}",
        "80070002-1234-4d44-a2a3-0123456789ab",
        "0x800700021",
        "x80070002y",
        "a_80070002",
        "12345678",
        "0x00000002",
        "0x00000000",
        "2026-01-02 10:11:12",
        "KB5034441",
        "deadbeef",
        "31bf3856ad364e35",
        "0x8ABC1234",
        "1700000000",
        "",
    ] {
        assert_eq!(line(text), text);
    }
}

#[test]
fn twice_is_once() {
    for text in
        ["Error 0x80070002", "[HRESULT = 0x80070002 - ERROR_FILE_NOT_FOUND]\n", "0x80070002 ERROR_FILE_NOT_FOUND", "a 80070002 b\nc 0x800f0922"]
    {
        let once = line(text);
        assert_eq!(line(&once), once);
        assert!(once.matches("ERROR_FILE_NOT_FOUND").count() == 1, "{once}");
    }
}

#[test]
fn utf_16_stays_utf_16() {
    let text = "Fehler 0x80070002 für ü\r\n80070003";
    let wanted = "Fehler 0x80070002 (ERROR_FILE_NOT_FOUND) für ü\r\n80070003 (ERROR_PATH_NOT_FOUND)";
    for mark in ["", "\u{FEFF}"] {
        let encode = |text: &str, order: fn(u16) -> [u8; 2]| format!("{mark}{text}").encode_utf16().flat_map(order).collect::<Vec<u8>>();
        assert_eq!(named(&encode(text, u16::to_le_bytes)), encode(wanted, u16::to_le_bytes));
        assert_eq!(named(&encode(text, u16::to_be_bytes)), encode(wanted, u16::to_be_bytes));
        // A last byte without its other half, and a half of a surrogate pair, pass through.
        let mut torn = encode(text, u16::to_le_bytes);
        torn.extend([0x00, 0xD8, 0x41]);
        let mut torn_wanted = encode(wanted, u16::to_le_bytes);
        torn_wanted.extend([0x00, 0xD8, 0x41]);
        assert_eq!(named(&torn), torn_wanted);
    }
}

#[test]
fn pieces_do_not_matter() {
    let mut text = String::new();
    for (number, entry) in crate::entries().filter(|entry| entry.value >= 0x8000_0000).step_by(29).enumerate() {
        match number % 5 {
            0 => text += &format!("x 0x{:08x} - {}\n", entry.value, entry.name),
            1 => text += &format!("{:08X}", entry.value),
            2 => text += &format!(" ({})", entry.value.cast_signed()),
            3 => text += &format!("hr=0x{:08X},äöü ", entry.value),
            _ => text += &"abcdef0123456789".repeat(number % 9),
        }
    }
    let bytes = text.as_bytes();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (whole, whole_wide) = (named(bytes), named(&wide));
    assert!(whole.len() > bytes.len() + 1000);
    for seed in 0..20 {
        assert_eq!(in_pieces(bytes, seed), whole, "seed {seed}");
        // The encoding is told from the first piece; a short one is enough only with a byte order mark.
        let marked = [&[0xFF, 0xFE], &wide[..]].concat();
        assert_eq!(in_pieces(&marked, seed), [&[0xFF, 0xFE], &whole_wide[..]].concat(), "seed {seed}");
    }
}

#[test]
fn any_bytes_pass_through() {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    for round in 0..200 {
        let mut bytes: Vec<u8> = (0..2000).map(|_| byte()).collect();
        if round % 2 == 0 {
            // Mostly digits, so that the scanner has something to look at.
            bytes.iter_mut().for_each(|byte| *byte = b"0123456789abcdefxX89-() \n\0\xFF"[usize::from(*byte) % 27]);
        }
        let out = named(&bytes);
        assert_eq!(in_pieces(&bytes, round), out, "round {round}");
        // Taking the names out again gives the bytes that came in.
        let mut rest = &out[..];
        let mut back = Vec::new();
        while let Some((first, after)) = rest.split_first() {
            match (bytes.get(back.len()), inserted(rest)) {
                (wanted, Some(length)) if wanted != Some(first) || !bytes[back.len()..].starts_with(&rest[..length]) => rest = &rest[length..],
                _ => {
                    back.push(*first);
                    rest = after;
                }
            }
        }
        assert_eq!(back, bytes, "round {round}");
    }
}

/// The length of ` (NAME)` at the start of a text.
fn inserted(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b" (")?;
    let length = inner.iter().position(|byte| *byte == b')')?;
    let name = std::str::from_utf8(&inner[..length]).ok()?;
    crate::by_name(name).next().map(|_| length + 3)
}

#[test]
fn names_fit_the_look_ahead() {
    let longest = crate::entries().map(|entry| entry.name.len()).max().unwrap_or_default();
    assert!(longest + 3 < BEHIND, "the longest name has {longest} letters");
}
