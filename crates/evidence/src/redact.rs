//! Replacing what names people, computers and places, so that evidence can be shown to others.
//!
//! The same word gets the same stand-in everywhere – in paths, names of keys, values and lines of logs – so that what belonged together
//! still does, and a diagnosis of the rewritten evidence is the same. Words are found without regard to case, between characters that
//! are neither letters nor digits, also URL-encoded and as short 8.3 names.

mod bytes;
mod patterns;
mod secrets;

use model::{RegistryData, registry_type};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use target::{Answers, Rewrite, Target};

/// One word that is replaced.
#[derive(Debug, Clone)]
struct Secret {
    /// Lower case.
    word: Vec<char>,
    stand_in: String,
    kind: &'static str,
    /// A word that Windows itself uses (or so short that it is a part of many things): replaced only where it names a person or a computer.
    guarded: bool,
}

/// What was replaced so far.
#[derive(Debug, Default)]
struct Seen {
    /// Stand-ins by kind and word, in the order of their coming.
    numbers: HashMap<(&'static str, String), usize>,
    last: HashMap<&'static str, usize>,
    counts: BTreeMap<String, u64>,
}

/// Knows the words of one machine and replaces them.
pub struct Redactor {
    /// By their first letter, the longest first.
    secrets: HashMap<char, Vec<Secret>>,
    seen: RefCell<Seen>,
}

impl Redactor {
    /// The words of this machine; `answers` tell which words Windows itself uses.
    pub fn of(target: &dyn Target, answers: &Answers) -> Redactor {
        let mut redactor = Redactor { secrets: HashMap::new(), seen: RefCell::default() };
        for secret in secrets::of(target, answers, &redactor) {
            if let Some(first) = secret.word.first() {
                redactor.secrets.entry(*first).or_default().push(secret);
            }
        }
        for list in redactor.secrets.values_mut() {
            list.sort_by(|one, other| other.word.len().cmp(&one.word.len()).then_with(|| one.stand_in.cmp(&other.stand_in)));
        }
        redactor
    }

    /// How many times something was replaced, by kind.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.seen.borrow().counts.clone()
    }

    /// The number of a word among those of its kind; the same word has the same number.
    fn number(&self, kind: &'static str, word: &str) -> usize {
        let mut seen = self.seen.borrow_mut();
        if let Some(number) = seen.numbers.get(&(kind, word.to_lowercase())) {
            return *number;
        }
        let last = seen.last.entry(kind).or_default();
        *last += 1;
        let number = *last;
        seen.numbers.insert((kind, word.to_lowercase()), number);
        number
    }

    fn count(&self, kind: &str) {
        *self.seen.borrow_mut().counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// The secret that begins at this place, and its length.
    fn secret_at(&self, line: &[char], lower: &[char], at: usize, before: &str) -> Option<(&Secret, usize)> {
        let list = self.secrets.get(lower.get(at)?)?;
        list.iter().find_map(|secret| {
            let end = at + secret.word.len();
            let fits = lower.get(at..end) == Some(secret.word.as_slice())
                && !line.get(end).is_some_and(|c| c.is_alphanumeric())
                && (!secret.guarded || names_somebody(before));
            fits.then_some((secret, secret.word.len()))
        })
    }

    fn line(&self, line: &str, out: &mut String) {
        let chars: Vec<char> = line.chars().collect();
        let lower: Vec<char> = chars.iter().map(|c| lower(*c)).collect();
        let has_at = line.contains('@');
        let mut at = 0;
        while let Some(c) = chars.get(at) {
            let found = if starts_word(&chars, at) { self.at(&chars, &lower, at, has_at, out) } else { None };
            match found {
                Some((kind, stand_in, length)) => {
                    self.count(kind);
                    out.push_str(&stand_in);
                    at += length;
                }
                None => {
                    out.push(*c);
                    at += 1;
                }
            }
        }
    }

    /// What is to be replaced at this place: kind, stand-in, length.
    fn at(&self, chars: &[char], lower: &[char], at: usize, has_at: bool, before: &str) -> Option<(&'static str, String, usize)> {
        if has_at && let Some(length) = patterns::mail(lower, at) {
            let word: String = lower.iter().skip(at).take(length).collect();
            return Some(("mail", format!("person{}@example.org", self.number("mail", &word)), length));
        }
        if let Some(sid) = patterns::sid(lower, at) {
            return Some(("sid", sid.stand_in(self.number("sid", &sid.authority)), sid.length));
        }
        if let Some((secret, length)) = self.secret_at(chars, lower, at, before) {
            return Some((secret.kind, secret.stand_in.clone(), length));
        }
        if let Some(length) = patterns::device_serial(lower, at) {
            let word: String = lower.iter().skip(at).take(length).collect();
            return Some(("serial", format!("serial{}", self.number("serial", &word)), length));
        }
        if let Some(length) = patterns::mac(lower, at) {
            let word: String = lower.iter().skip(at).take(length).filter(|c| c.is_alphanumeric()).collect();
            return Some(("mac", format!("mac{}", self.number("mac", &word)), length));
        }
        if let Some((word, length)) = patterns::ip6(lower, at).or_else(|| patterns::ip4(lower, at)) {
            return Some(("address", format!("ip{}", self.number("address", &word)), length));
        }
        None
    }
}

impl Rewrite for Redactor {
    fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let mut done = String::with_capacity(line.len());
            self.line(line, &mut done);
            out.push_str(&done);
        }
        out
    }

    fn value(&self, name: &str, data: &RegistryData) -> RegistryData {
        let is_text = matches!(data.kind, registry_type::SZ | registry_type::EXPAND_SZ | registry_type::MULTI_SZ);
        if let Some(kind) = secrets::private_value(name)
            && data.as_dword().is_none()
            && data.data.iter().any(|byte| *byte != 0)
        {
            if let Some(text) = data.as_text() {
                let known = self.text(&text);
                // A word of its own where nothing in it was known.
                let shown = if known == text && !secrets::is_general(&text) {
                    self.count(kind);
                    format!("{kind}{}", self.number(kind, &text))
                } else {
                    known
                };
                return RegistryData::text(data.kind, &shown);
            }
            self.count(kind);
            return RegistryData { kind: data.kind, data: vec![0; data.data.len()] };
        }
        if is_text && data.data.len().is_multiple_of(2) {
            let units: Vec<u16> = data.data.as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two)).collect();
            if let Ok(text) = String::from_utf16(&units) {
                let data_bytes = self.text(&text).encode_utf16().flat_map(u16::to_le_bytes).collect();
                return RegistryData { kind: data.kind, data: data_bytes };
            }
        }
        RegistryData { kind: data.kind, data: bytes::masked(self, &data.data) }
    }

    fn content(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        bytes::rewritten(self, bytes)
    }
}

fn lower(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) }
}

/// True where a word can begin: after no letter or digit, or after an encoded character (`%5C`).
fn starts_word(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| chars.get(before)) else { return true };
    let encoded = || {
        let three = at.checked_sub(3).and_then(|from| chars.get(from..at));
        matches!(three, Some(['%', one, two]) if one.is_ascii_hexdigit() && two.is_ascii_hexdigit())
    };
    !before.is_alphanumeric() || encoded()
}

/// True when what stands before a word says that it names a person: the folder of users, or a computer's stand-in and a backslash.
fn names_somebody(before: &str) -> bool {
    let lower: String = before.chars().rev().take(48).map(lower).collect::<Vec<char>>().into_iter().rev().collect();
    let mut rest = lower.as_str();
    while let Some(shorter) = ["\\", "/", "%5c", "%2f"].iter().find_map(|separator| rest.strip_suffix(separator)) {
        rest = shorter;
    }
    if rest.len() == lower.len() {
        return false;
    }
    let word = rest.rsplit(|c: char| !c.is_alphanumeric() && c != ' ').next().unwrap_or_default();
    let numbered = |kind: &str| word.strip_prefix(kind).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
    matches!(word, "users" | "documents and settings") || rest.ends_with("%5cusers") || numbered("computer") || numbered("domain")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests;
