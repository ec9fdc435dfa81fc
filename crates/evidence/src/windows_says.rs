//! What a Windows itself says about an error code: the words in its own message tables, in every language it has.
//!
//! Reads the few files it is told to read, and tells for each what it held. It does not know what a code means.

use crate::message_tables::{language_name, messages};
use model::{Reading, VolumePath};
use target::Target;

/// No program of Windows that holds messages is larger; ntoskrnl.exe, the largest of them, has about 12 MB.
const LIMIT: u64 = 64 << 20;

/// A program or library of Windows that may hold words, and the message numbers to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFile<'a> {
    /// The folder below the Windows folder, for example `System32`.
    pub folder: &'a str,
    /// The file's name, for example `kernel32.dll`.
    pub name: &'a str,
    /// Any of these numbers is the code.
    pub ids: &'a [u32],
}

/// A text of that Windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The file, with the drive's letter.
    pub file: String,
    /// `en-US`, or the number of a language that has no folder and no known tag.
    pub language: String,
    /// The text, as Windows would show it without knowing the inserts (`%1`).
    pub text: String,
}

/// One file that was looked at, or for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The file, with the drive's letter.
    pub file: String,
    /// `Known`: read, and how many texts it had for the code. The other answers as everywhere.
    pub texts: Reading<usize>,
    /// What in it is damaged, as a sentence; the rest of it was read.
    pub damage: Vec<String>,
}

/// What was said, and where it was looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowsSays {
    /// In the order of the files and, in each, of the languages as they lie on the target. What two files say alike in one language
    /// stands once.
    pub said: Vec<Said>,
    /// Every file that was looked at or for.
    pub looked: Vec<Looked>,
}

/// Looks into `NAME.mui` of each language folder, where Windows keeps texts since Vista, and into `NAME` itself.
pub fn windows_says(target: &dyn Target, files: &[MessageFile]) -> WindowsSays {
    let mut out = WindowsSays::default();
    for file in files {
        let folder = target.windows_folder().join(file.folder);
        let before = out.looked.len();
        for language in languages(target, &folder, &mut out) {
            let mui = folder.join(&language).join(&format!("{}.mui", file.name));
            look(target, &mui, Some(&language), file.ids, &mut out);
        }
        let found = out.looked.len() > before;
        let itself = folder.join(file.name);
        if !look(target, &itself, None, file.ids, &mut out) && !found {
            out.looked.push(Looked { file: itself.with_drive(target.drive()), texts: target.entry(&itself).map(|_| 0), damage: Vec::new() });
        }
    }
    out
}

/// The names in a folder that can be languages: `en-US`, `sr-Latn-RS`, `de`. Some are not; they hold no `.mui` of that name.
fn languages(target: &dyn Target, folder: &VolumePath, out: &mut WindowsSays) -> Vec<String> {
    match target.list(folder) {
        Reading::Known(names) => names.into_iter().filter(|name| is_language(name)).collect(),
        Reading::Unreadable(why) => {
            out.looked.push(Looked { file: folder.with_drive(target.drive()), texts: Reading::Unreadable(why), damage: Vec::new() });
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn is_language(name: &str) -> bool {
    let mut parts = name.split('-');
    parts.next().is_some_and(|first| matches!(first.len(), 2 | 3) && first.chars().all(|c| c.is_ascii_alphabetic()))
        && parts.all(|part| matches!(part.len(), 2..=8) && part.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// False when there is nothing at that place.
fn look(target: &dyn Target, path: &VolumePath, language: Option<&str>, ids: &[u32], out: &mut WindowsSays) -> bool {
    let entry = match target.entry(path) {
        Reading::Absent | Reading::NotCollected => return false,
        entry => entry,
    };
    // With the spelling of the disk.
    let file = entry.known().map_or(path, |entry| &entry.path).with_drive(target.drive());
    let mut damage = Vec::new();
    let texts = entry.and_then(|entry| target.read(&entry.path, LIMIT)).map(|bytes| {
        let read = messages(&bytes, &|id| ids.contains(&id));
        damage = read.problems;
        let count = read.found.len();
        for message in read.found.into_iter().filter(|message| !message.text.is_empty()) {
            let language = language.map_or_else(|| language_name(message.language), str::to_owned);
            if out.said.iter().all(|said| (&said.language, &said.text) != (&language, &message.text)) {
                out.said.push(Said { file: file.clone(), language, text: message.text });
            }
        }
        count
    });
    out.looked.push(Looked { file, texts, damage });
    true
}

#[cfg(test)]
mod tests {
    use super::is_language;

    #[test]
    fn folders_of_languages_are_told_from_others() {
        for name in ["en-US", "sr-Latn-RS", "de", "fil-PH", "ca-ES-valencia", "qps-ploc", "es-419"] {
            assert!(is_language(name), "{name}");
        }
        for name in ["config", "drivers", "0409", "en-", "kernel32.dll", "Boot", "a-b", "WindowsPowerShell"] {
            assert!(!is_language(name), "{name}");
        }
    }
}
