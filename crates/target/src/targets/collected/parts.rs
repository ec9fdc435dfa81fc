//! Answers as the parts of a bundle, and back: `collect.json`, `registry/<hive>.reg`, and files under their path in Windows.

use super::answers::{Answers, Content, Table};
use super::reg;
use crate::target::{Entry, EntryKind, KeyView};
use model::{CollectedEntry, CollectedFile, CollectedKey, CollectedKind, Collection, LeftOut, Reading};
use std::collections::BTreeMap;

/// The index of a bundle.
pub(super) const INDEX: &str = "collect.json";
const SCHEMA: &str = "hresolve/collection/1";

/// The parts of a bundle: names with `/`, and bytes.
pub type Parts = BTreeMap<String, Vec<u8>>;

/// The parts of these answers, and the index among them. `redactions` is `None` when nothing was replaced on purpose (`--full`).
pub fn pack(answers: &Answers, tool: &str, redactions: Option<BTreeMap<String, u64>>) -> (Parts, Collection) {
    let mut parts = Parts::new();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut left_out = answers.left_out.clone();
    let mut keys = BTreeMap::new();
    let mut written = std::collections::BTreeSet::new();
    for (asked, answer) in answers.keys.iter() {
        let mut answer = answer.clone();
        if let Reading::Known(view) = &answer
            && written.insert(view.path.to_lowercase())
            && let Some(file) = reg::file_of(&view.path)
            && let Err(why) = reg::add(texts.entry(file).or_default(), &view.path, &view.values)
        {
            left_out.push(LeftOut { what: asked.to_owned(), why });
            answer = Reading::NotCollected;
        }
        keys.insert(asked.to_owned(), answer.map(|view| CollectedKey { path: view.path, written: view.last_written, subkeys: view.subkeys }));
    }
    parts.extend(texts.iter().map(|(file, text)| (file.clone(), reg::utf16(text))));
    let mut files = BTreeMap::new();
    for (asked, answer) in answers.files.iter() {
        let file = asked.trim_start_matches('\\').replace('\\', "/");
        if let Reading::Known(content) = answer {
            parts.insert(file.clone(), content.bytes.clone());
        }
        files.insert(asked.to_owned(), answer.clone().map(|content| CollectedFile { file, part: content.part }));
    }
    left_out.sort();
    left_out.dedup();
    let collection = Collection {
        schema: SCHEMA.into(),
        tool: tool.into(),
        redacted: redactions.is_some(),
        redactions: redactions.unwrap_or_default(),
        windows: answers.windows.clone(),
        version: (answers.windows.major, answers.windows.minor),
        drive: answers.drive,
        windows_folder: answers.windows_folder.clone(),
        why_not: answers.why_not.clone(),
        notes: answers.notes.clone(),
        room: answers.room,
        keys,
        entries: answers.entries.iter().map(|(asked, answer)| (asked.to_owned(), answer.clone().map(entry))).collect(),
        lists: answers.lists.iter().map(|(asked, answer)| (asked.to_owned(), answer.clone())).collect(),
        hashes: answers.hashes.iter().map(|(asked, answer)| (asked.to_owned(), answer.clone())).collect(),
        files,
        left_out,
    };
    // A structure of texts and numbers always becomes JSON.
    parts.insert(INDEX.into(), serde_json::to_vec_pretty(&collection).unwrap_or_default());
    (parts, collection)
}

/// The answers that the parts of a bundle hold.
///
/// # Errors
/// A sentence, when the index or a text of the registry is not what this program writes.
pub(super) fn unpack(parts: &Parts) -> Result<(Answers, Collection), String> {
    let index = parts.get(INDEX).ok_or_else(|| format!("{INDEX} is not in it"))?;
    let mut index: Collection = serde_json::from_slice(index).map_err(|error| format!("{INDEX} is damaged or of another version ({error})"))?;
    if index.schema != SCHEMA {
        return Err(format!("{INDEX} is of the kind {:?}, and this version reads {SCHEMA}", index.schema));
    }
    (index.windows.major, index.windows.minor) = index.version;
    let mut values = Table::default();
    for (file, bytes) in parts.iter().filter(|(name, _)| name.starts_with("registry/")) {
        for (key, of) in reg::read(file, bytes)? {
            values.put(key, of);
        }
    }
    let mut keys = Table::default();
    for (asked, answer) in &index.keys {
        let view = |key: CollectedKey| match values.get(&key.path) {
            Some(values) => Reading::Known(KeyView { values: values.clone(), path: key.path, subkeys: key.subkeys, last_written: key.written }),
            None => Reading::NotCollected,
        };
        keys.put(asked.clone(), answer.clone().and_then(view));
    }
    let mut files = Table::default();
    for (asked, answer) in &index.files {
        let content = |there: CollectedFile| match parts.get(&there.file) {
            Some(bytes) => Reading::Known(Content { bytes: bytes.clone(), part: there.part }),
            None => Reading::NotCollected,
        };
        files.put(asked.clone(), answer.clone().and_then(content));
    }
    let answers = Answers {
        windows: index.windows.clone(),
        drive: index.drive,
        windows_folder: index.windows_folder.clone(),
        why_not: index.why_not.clone(),
        notes: index.notes.clone(),
        room: index.room,
        keys,
        entries: table(&index.entries, |entry| entry_back(entry.clone())),
        lists: table(&index.lists, Vec::clone),
        hashes: table(&index.hashes, String::clone),
        files,
        left_out: index.left_out.clone(),
    };
    Ok((answers, index))
}

fn table<T: Clone, U>(map: &BTreeMap<String, Reading<T>>, back: impl Fn(&T) -> U) -> Table<Reading<U>> {
    let mut table = Table::default();
    for (asked, answer) in map {
        table.put(asked.clone(), answer.clone().map(|known| back(&known)));
    }
    table
}

fn entry(entry: Entry) -> CollectedEntry {
    let kind = match entry.kind {
        EntryKind::File => CollectedKind::File,
        EntryKind::Folder => CollectedKind::Folder,
        EntryKind::Link(to) => CollectedKind::Link(to),
        EntryKind::Reparse(what) => CollectedKind::Reparse(what),
        EntryKind::Other => CollectedKind::Other,
    };
    CollectedEntry { kind, path: entry.path, size: entry.size, modified: entry.modified }
}

fn entry_back(entry: CollectedEntry) -> Entry {
    let kind = match entry.kind {
        CollectedKind::File => EntryKind::File,
        CollectedKind::Folder => EntryKind::Folder,
        CollectedKind::Link(to) => EntryKind::Link(to),
        CollectedKind::Reparse(what) => EntryKind::Reparse(what),
        CollectedKind::Other => EntryKind::Other,
    };
    Entry { kind, path: entry.path, size: entry.size, modified: entry.modified }
}
