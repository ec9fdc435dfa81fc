//! Questions that were asked of a target, and its answers.

use crate::RegistryPath;
use crate::target::{Entry, EntryKind, KeyView};
use model::{CollectedPart, LeftOut, Reading, RegistryData, Room, VolumePath, WhyNot, WindowsVersion};
use std::collections::BTreeMap;

/// How much is kept of a file that cannot be given away whole.
const START: usize = 1 << 16;

/// Answers by question; Windows does not tell upper from lower case in a question, and the first spelling is kept.
#[derive(Debug, Clone)]
pub struct Table<T>(BTreeMap<Vec<u16>, (String, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table(BTreeMap::new())
    }
}

impl<T> Table<T> {
    /// The answer to a question, when it was asked.
    pub fn get(&self, asked: &str) -> Option<&T> {
        self.0.get(&crate::names::upcase_name(asked)).map(|(_, answer)| answer)
    }

    /// Keeps an answer in place of an earlier one to the same question.
    pub fn put(&mut self, asked: String, answer: T) {
        match self.0.entry(crate::names::upcase_name(&asked)) {
            std::collections::btree_map::Entry::Occupied(mut there) => there.get_mut().1 = answer,
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert((asked, answer));
            }
        }
    }

    /// Questions with their answers, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.values().map(|(asked, answer)| (asked.as_str(), answer))
    }

    fn changed(&self, text: &dyn Fn(&str) -> String, change: impl Fn(&T) -> T) -> Table<T> {
        let mut table = Table::default();
        for (asked, answer) in self.iter() {
            table.put(text(asked), change(answer));
        }
        table
    }
}

/// The content of a file, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Which ones.
    pub part: CollectedPart,
}

/// Everything that was asked of one target.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The Windows.
    pub windows: WindowsVersion,
    /// The letter of its volume.
    pub drive: char,
    /// Its folder.
    pub windows_folder: VolumePath,
    /// Why nothing could be changed.
    pub why_not: Vec<WhyNot>,
    /// How it was read.
    pub notes: Vec<String>,
    /// The room on its volume; none where it was not asked for or could not be told.
    pub room: Option<Room>,
    /// Registry keys by their path with the control set's number.
    pub keys: Table<Reading<KeyView>>,
    /// Entries by path.
    pub entries: Table<Reading<Entry>>,
    /// Names in folders.
    pub lists: Table<Reading<Vec<String>>>,
    /// sha256 of files.
    pub hashes: Table<Reading<String>>,
    /// Contents of files.
    pub files: Table<Reading<Content>>,
    /// What was not kept, and why.
    pub left_out: Vec<LeftOut>,
}

/// How answers are rewritten before they are given away.
pub trait Rewrite {
    /// A text of any kind: a name, a path, a sentence.
    fn text(&self, text: &str) -> String;
    /// A registry value.
    fn value(&self, name: &str, data: &RegistryData) -> RegistryData;
    /// The content of a file; `None` when it cannot be given away.
    fn content(&self, bytes: &[u8]) -> Option<Vec<u8>>;
}

impl Answers {
    /// No answers yet, about this target.
    pub(crate) fn about(target: &dyn crate::Target) -> Answers {
        Answers {
            windows: target.windows().clone(),
            drive: target.drive(),
            windows_folder: target.windows_folder(),
            why_not: target.why_not(),
            notes: target.notes(),
            room: None,
            keys: Table::default(),
            entries: Table::default(),
            lists: Table::default(),
            hashes: Table::default(),
            files: Table::default(),
            left_out: Vec::new(),
        }
    }

    /// How a question about a registry key is spelled in the table.
    pub(crate) fn key_question(&self, path: &str) -> Result<String, String> {
        match crate::registry_path::of_user(path) {
            Some((user, inside)) => Ok(format!("HKU\\{user}\\{inside}").trim_end_matches('\\').to_owned()),
            None => RegistryPath::parse(path, self.windows.control_set).map(|path| path.to_string()),
        }
    }

    /// The same answers with every name, path, value and content rewritten; questions too, so that they still meet.
    #[must_use]
    pub fn rewritten(&self, by: &dyn Rewrite) -> Answers {
        let text = |given: &str| by.text(given);
        let path = |given: &VolumePath| VolumePath::parse(&by.text(&given.to_string())).unwrap_or_else(|_| given.clone());
        let mut left_out: Vec<LeftOut> = self.left_out.iter().map(|one| LeftOut { what: text(&one.what), why: text(&one.why) }).collect();
        let mut files = Table::default();
        for (asked, answer) in self.files.iter() {
            let answer = match said(answer, &text) {
                Reading::Known(content) => match by.content(&content.bytes) {
                    Some(bytes) => Reading::Known(Content { bytes, part: content.part }),
                    None => {
                        let why = "it holds a name or a number that is replaced elsewhere, and its format allows no change";
                        left_out.push(LeftOut { what: text(asked), why: why.into() });
                        // Its header says most of what there is to know.
                        let start = content.bytes.get(..START).filter(|_| content.part != CollectedPart::End).and_then(|start| by.content(start));
                        start.map_or(Reading::NotCollected, |bytes| Reading::Known(Content { bytes, part: CollectedPart::Start }))
                    }
                },
                other => other.map(Content::clone),
            };
            files.put(text(asked), answer);
        }
        let why_not = |why: &WhyNot| match why {
            WhyNot::DirtyHive { hive, why } => WhyNot::DirtyHive { hive: hive.clone(), why: text(why) },
            other => other.clone(),
        };
        let key = |view: &KeyView| KeyView {
            path: text(&view.path),
            subkeys: view.subkeys.iter().map(|name| text(name)).collect(),
            values: view.values.iter().map(|(name, data)| (text(name), by.value(name, data))).collect(),
            last_written: view.last_written,
        };
        let entry = |entry: &Entry| Entry {
            kind: match &entry.kind {
                EntryKind::Link(to) => EntryKind::Link(text(to)),
                EntryKind::Reparse(what) => EntryKind::Reparse(text(what)),
                other => other.clone(),
            },
            path: path(&entry.path),
            ..entry.clone()
        };
        Answers {
            windows: self.windows.clone(),
            drive: self.drive,
            windows_folder: path(&self.windows_folder),
            why_not: self.why_not.iter().map(why_not).collect(),
            notes: self.notes.iter().map(|note| text(note)).collect(),
            room: self.room,
            keys: self.keys.changed(&text, |answer| said(answer, &text).map(key)),
            entries: self.entries.changed(&text, |answer| said(answer, &text).map(entry)),
            lists: self.lists.changed(&text, |answer| said(answer, &text).map(|names| names.iter().map(|name| text(name)).collect())),
            hashes: self.hashes.changed(&text, |answer| said(answer, &text).map(String::clone)),
            files,
            left_out,
        }
    }
}

/// The answer with the reason for reading nothing rewritten.
fn said<'a, T>(answer: &'a Reading<T>, text: &dyn Fn(&str) -> String) -> Reading<&'a T> {
    match answer {
        Reading::Known(known) => Reading::Known(known),
        Reading::Absent => Reading::Absent,
        Reading::NotCollected => Reading::NotCollected,
        Reading::Unreadable(why) => Reading::Unreadable(text(why)),
    }
}
