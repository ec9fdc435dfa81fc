//! A bundle that `collect` made: it answers what was asked when it was made, and of everything else that it was not collected.

pub(crate) mod answers;
pub(crate) mod archive;
mod gathered;
pub(crate) mod parts;
mod reg;

use crate::target::{Entry, Expanded, KeyView, Target, unpack_stream};
use crate::{OpenError, names_equal};
use answers::{Answers, Content, Table};
use model::{CollectedPart, Reading, Room, TargetInfo, TargetKind, VolumePath, WhyNot, WindowsVersion};
use parts::Parts;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A bundle of collected evidence.
pub struct CollectedTarget {
    given: PathBuf,
    answers: Answers,
    redacted: bool,
}

impl CollectedTarget {
    /// Opens a bundle: the zip archive that `collect` wrote, or what somebody made of it; `None` when there is no `collect.json`.
    ///
    /// # Errors
    /// When it cannot be read, or its index is damaged or of another version.
    pub fn open(given: &Path) -> Result<Option<Self>, OpenError> {
        match gathered::parts_of(given) {
            Ok(Some(parts)) => Self::from_parts(given, &parts).map(Some),
            Ok(None) => Ok(None),
            Err(source) => Err(OpenError::Io { path: given.into(), source }),
        }
    }

    /// The same from the parts of a bundle, however they were packed; `given` is what the person named.
    ///
    /// # Errors
    /// When the index is damaged or of another version.
    pub fn from_parts(given: &Path, parts: &Parts) -> Result<Self, OpenError> {
        let (answers, index) = parts::unpack(parts).map_err(|why| OpenError::Bundle { path: given.into(), why })?;
        Ok(CollectedTarget { given: std::path::absolute(given).unwrap_or_else(|_| given.into()), answers, redacted: index.redacted })
    }

    fn content(&self, path: &VolumePath) -> Reading<&Content> {
        match self.answers.files.get(&path.to_string()) {
            Some(Reading::Known(content)) => Reading::Known(content),
            Some(Reading::Absent) => Reading::Absent,
            Some(Reading::Unreadable(why)) => Reading::Unreadable(why.clone()),
            Some(Reading::NotCollected) | None => Reading::NotCollected,
        }
    }
}

/// The name of a file that lies directly below this path.
fn name_below(asked: &str, folder: &VolumePath) -> Option<String> {
    let asked = VolumePath::parse(asked).ok()?;
    let below = asked.parent().is_some_and(|parent| names_equal(&parent.to_string(), &folder.to_string()));
    below.then(|| asked.file_name().to_owned())
}

fn answer<T: Clone>(table: &Table<Reading<T>>, asked: &str) -> Reading<T> {
    table.get(asked).cloned().unwrap_or(Reading::NotCollected)
}

impl Target for CollectedTarget {
    fn info(&self) -> TargetInfo {
        TargetInfo { kind: TargetKind::Bundle, path: self.given.display().to_string(), windows: Some(self.answers.windows.clone()) }
    }

    fn windows(&self) -> &WindowsVersion {
        &self.answers.windows
    }

    fn drive(&self) -> char {
        self.answers.drive
    }

    fn key(&self, path: &str) -> Reading<KeyView> {
        match self.answers.key_question(path) {
            Ok(asked) => answer(&self.answers.keys, &asked),
            Err(why) => Reading::Unreadable(why),
        }
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        answer(&self.answers.entries, &path.to_string())
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        self.content(path).and_then(|content| match content.part {
            CollectedPart::Whole if content.bytes.len() as u64 > limit => {
                Reading::Unreadable(format!("{path} has {} bytes, more than the {limit} that are read here", content.bytes.len()))
            }
            CollectedPart::Whole => Reading::Known(content.bytes.clone()),
            CollectedPart::Start | CollectedPart::End => Reading::NotCollected,
        })
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.content(path).and_then(|content| match content.bytes.get(..length) {
            _ if content.part == CollectedPart::End => Reading::NotCollected,
            Some(start) => Reading::Known(start.to_vec()),
            None if content.part == CollectedPart::Whole => Reading::Known(content.bytes.clone()),
            None => Reading::NotCollected,
        })
    }

    /// What is packed was collected unpacked, as files below the cabinet's path.
    fn unpack(&self, path: &VolumePath, take: &mut dyn FnMut(&str, &mut dyn Read)) -> Reading<()> {
        let inside: Vec<(String, &Reading<Content>)> =
            self.answers.files.iter().filter_map(|(asked, answer)| Some((name_below(asked, path)?, answer))).collect();
        if inside.is_empty() {
            return unpack_stream(self.open(path), path, take);
        }
        let mut whole = match self.answers.files.get(&path.to_string()) {
            Some(Reading::Unreadable(why)) => Reading::Unreadable(why.clone()),
            _ => Reading::Known(()),
        };
        for (name, answer) in inside {
            match answer {
                Reading::Known(content) if content.part == CollectedPart::Whole => take(&name, &mut content.bytes.as_slice()),
                Reading::Unreadable(why) => whole = Reading::Unreadable(why.clone()),
                _ => whole = Reading::NotCollected,
            }
        }
        whole
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        answer(&self.answers.hashes, &path.to_string())
    }

    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        answer(&self.answers.lists, &path.to_string())
    }

    fn room(&self) -> Reading<Room> {
        self.answers.room.map_or(Reading::NotCollected, Reading::Known)
    }

    fn expand(&self, text: &str) -> Expanded {
        super::folder::expand_on(self, text)
    }

    fn why_not(&self) -> Vec<WhyNot> {
        std::iter::once(WhyNot::Bundle).chain(self.answers.why_not.iter().cloned()).collect()
    }

    fn notes(&self) -> Vec<String> {
        let replaced = if self.redacted { ", and names, numbers and addresses in it were replaced" } else { "" };
        let own = format!("This is collected evidence: what hresolve asked of the machine when it was made{replaced}.");
        std::iter::once(own).chain(self.answers.notes.iter().cloned()).collect()
    }

    fn windows_folder(&self) -> VolumePath {
        self.answers.windows_folder.clone()
    }
}
