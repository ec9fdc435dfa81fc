//! Telling CODE, SYMPTOM, RUN and TARGET apart, in whatever order they come.

use crate::cli::Words;
use crate::output::Failure;
use model::ErrorCode;
use std::path::Path;

/// Symptoms of the interface; this version has guides for the first only.
const SYMPTOMS: [&str; 8] = ["update", "sound", "camera", "clipboard", "dvd", "crc", "stuck-configuring", "folder-missing"];

/// What the person came with.
#[derive(Debug, Default)]
pub(crate) struct Meant {
    pub(crate) code: Option<ErrorCode>,
    pub(crate) run: Option<String>,
    pub(crate) target: Option<String>,
}

/// Reads the words of a call.
///
/// # Errors
/// When a word can be read in two ways, or in none, or one kind is given twice.
pub(crate) fn read(words: &Words) -> Result<Meant, Failure> {
    let mut meant = Meant { run: words.run.clone(), target: words.target.clone(), code: None };
    let mut symptom = words.symptom.clone();
    if let Some(code) = &words.code {
        meant.code = Some(code.parse().map_err(Failure::usage)?);
    }
    for word in &words.words {
        let kinds = readings(word);
        if kinds.len() > 1 {
            let flags: Vec<String> = kinds.iter().map(|kind| format!("{} {word}", kind.flag())).collect();
            return Err(Failure::usage(format!("{word:?} can be read in two ways. Say which you mean: {}.", flags.join(" or "))));
        }
        let kind = kinds.first().copied();
        let twice = |what: &str| Failure::usage(format!("{word:?} is a second {what}; give one."));
        match kind {
            Some(Kind::Code) if meant.code.is_some() => return Err(twice("code")),
            Some(Kind::Code) => meant.code = Some(word.parse().map_err(Failure::usage)?),
            Some(Kind::Symptom) if symptom.is_some() => return Err(twice("symptom")),
            Some(Kind::Symptom) => symptom = Some(word.clone()),
            Some(Kind::Run) if meant.run.is_some() => return Err(twice("run")),
            Some(Kind::Run) => meant.run = Some(word.clone()),
            Some(Kind::Target) | None if meant.target.is_some() => return Err(twice("target")),
            Some(Kind::Target) => meant.target = Some(word.clone()),
            None if looks_like_code(word) => {
                return Err(Failure::usage(format!(
                    "{word:?} looks like an error code but is none. Examples: 0x80070002, 80070002, -2147024894. For a target of that name: --target {word}."
                )));
            }
            None if command_like(word).is_some() => {
                return Err(Failure::usage(format!(
                    "{word:?} is not a command. Did you mean `hresolve {}`?",
                    command_like(word).unwrap_or_default()
                )));
            }
            // A path that does not exist: opening it says so, with exit code 3.
            None => meant.target = Some(word.clone()),
        }
    }
    if let Some(symptom) = symptom {
        if !SYMPTOMS.contains(&symptom.as_str()) {
            return Err(Failure::usage(format!("{symptom:?} is not a symptom hresolve knows. It knows: {}.", SYMPTOMS.join(", "))));
        }
        if symptom != "update" {
            return Err(Failure::usage(format!("This version has no guides for {symptom:?} yet; it treats Windows Update (symptom: update).")));
        }
    }
    Ok(meant)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Symptom,
    Run,
    Target,
}

impl Kind {
    fn flag(self) -> &'static str {
        match self {
            Kind::Code => "--code",
            Kind::Symptom => "--symptom",
            Kind::Run => "--run",
            Kind::Target => "--target",
        }
    }
}

fn readings(word: &str) -> Vec<Kind> {
    let mut kinds = Vec::new();
    if word.parse::<ErrorCode>().is_ok() {
        kinds.push(Kind::Code);
    }
    if SYMPTOMS.contains(&word) {
        kinds.push(Kind::Symptom);
    }
    if is_run(word) {
        kinds.push(Kind::Run);
    }
    if word.starts_with("lab:") || word == "live" || word.contains(['/', '\\']) || Path::new(word).exists() {
        kinds.push(Kind::Target);
    }
    kinds
}

/// `20261122T140509Z-…`
fn is_run(word: &str) -> bool {
    let stamp = word.get(..16).unwrap_or_default();
    stamp.len() == 16
        && stamp.char_indices().all(|(at, c)| {
            if at == 8 {
                c == 'T'
            } else if at == 15 {
                c == 'Z'
            } else {
                c.is_ascii_digit()
            }
        })
}

/// The command that a mistyped word is nearest to, when it is near enough.
fn command_like(word: &str) -> Option<&'static str> {
    const COMMANDS: [&str; 13] =
        ["collect", "demo", "explain", "diagnose", "fix", "continue", "undo", "runs", "forget", "guide", "report", "guides", "lab"];
    let near = |command: &&&str| distance(word, command) <= 1 + command.len() / 6;
    COMMANDS.iter().filter(near).min_by_key(|command| distance(word, command)).copied()
}

/// How many letters must be added, removed or exchanged (Levenshtein).
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (cell, wanted) in row.iter_mut().skip(1).zip(&other) {
            let here = (diagonal + usize::from(letter != *wanted)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = here;
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Begins like a code but is not one: a mistake in the digits must not become "no such folder".
fn looks_like_code(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.starts_with("0x") || lower.starts_with("8007") || lower.starts_with("8024") || lower.starts_with("-21")
}

#[cfg(test)]
mod tests {
    use super::{Kind, read, readings};
    use crate::cli::Words;

    fn words(list: &[&str]) -> Words {
        Words { words: list.iter().map(|word| (*word).to_owned()).collect(), ..Words::default() }
    }

    #[test]
    fn any_order() {
        for order in [["0x80070002", "lab:x"], ["lab:x", "0x80070002"]] {
            let meant = read(&words(&order)).map_err(|failure| failure.says);
            assert_eq!(meant.map(|meant| (meant.code.map(|code| code.0), meant.target)), Ok((Some(0x8007_0002), Some("lab:x".into()))));
        }
        assert_eq!(readings("20261122T140509Z-000000001-ab12"), [Kind::Run]);
    }

    #[test]
    fn mistyped_commands_are_named() {
        for (word, command) in [("diagnos", "diagnose"), ("fixx", "fix"), ("undoo", "undo"), ("guid", "guide"), ("contniue", "continue")] {
            assert_eq!(super::command_like(word), Some(command), "{word}");
        }
        assert_eq!(super::command_like("winvolume"), None);
        assert_eq!(super::distance("kitten", "sitting"), 3);
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for list in [&["0x8007000G", "lab:x"][..], &["0x80070002", "0x80070003"], &["lab:x", "lab:y"], &["camera", "lab:x"], &["0x123456789"]] {
            assert_eq!(read(&words(list)).map(|_| ()).map_err(|failure| failure.exit), Err(2), "{list:?}");
        }
    }
}
