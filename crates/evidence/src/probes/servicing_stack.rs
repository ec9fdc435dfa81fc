//! Where the registry says that the servicing stack lies (the program part that installs updates), and whether it is there.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject, VolumePath};
use target::{EntryKind, Expanded, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "servicing-stack.key", kind: FactKind::Text, meaning: "the key Component Based Servicing\\Version" },
    FactDeclaration { name: "servicing-stack.version", kind: FactKind::Text, meaning: "the version that the registry names (the highest)" },
    FactDeclaration { name: "servicing-stack.folder", kind: FactKind::Text, meaning: "the folder that the registry names for it, as stored" },
    FactDeclaration {
        name: "servicing-stack.state",
        kind: FactKind::Text,
        meaning: "right, folder-missing, files-missing (CbsCore.dll or wcp.dll), wrong-type, unnamed (the key holds no version) or unclear",
    },
    FactDeclaration {
        name: "servicing-stack.other",
        kind: FactKind::Text,
        meaning: "when it is not right: the version of another complete stack on this disk, with its folder servicing\\Version",
    },
    FactDeclaration { name: "servicing-stack.other-folder", kind: FactKind::Text, meaning: "that stack's folder, as the registry should name it" },
];

const KEY: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Version";
/// Without these two nothing can be installed (cause catalogue NF-05).
const FILES: [&str; 2] = ["CbsCore.dll", "wcp.dll"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let Reading::Known(view) = target.key(KEY) else { return };
    let mut subject = Subject::new("servicing-stack", "servicing stack");
    subject.put("servicing-stack.key", fact(text(&view.path), &view.path, "SOFTWARE", "key"));
    let named = view.values.iter().filter_map(|(name, data)| Some((number(name)?, name, data))).max_by(|a, b| a.0.cmp(&b.0));
    let Some((_, version, data)) = named else {
        subject.put("servicing-stack.state", fact(text("unnamed"), "The registry names no servicing stack", "SOFTWARE", "Version"));
        facts.subjects.push(subject);
        return;
    };
    let (state, says) = state(target, version, data);
    subject.put("servicing-stack.version", fact(text(version), format!("The registry names the servicing stack {version}"), "SOFTWARE", version));
    let folder = data.as_text().map_or(Reading::Unreadable("it is no text".into()), text);
    let says_folder = folder.known().map_or_else(String::new, |folder| format!("It should lie in {folder}"));
    subject.put("servicing-stack.folder", fact(folder, says_folder, "SOFTWARE", version));
    subject.put("servicing-stack.state", fact(text(state), says, "SOFTWARE", version));
    if matches!(state, "folder-missing" | "files-missing") {
        let other = other(target, version);
        let says = other.as_ref().map_or_else(
            || "The component store has no other complete servicing stack".to_owned(),
            |(version, _)| format!("The component store has the complete servicing stack {version}"),
        );
        let (version, folder) = other.map_or((Reading::Absent, Reading::Absent), |(version, folder)| (text(version), text(folder)));
        subject.put("servicing-stack.other", fact(version, &says, "WinSxS", "folder names"));
        subject.put("servicing-stack.other-folder", fact(folder, says, "WinSxS", "folder names"));
    }
    facts.subjects.push(subject);
}

/// A version of four numbers.
fn number(text: &str) -> Option<Vec<u64>> {
    let parts: Option<Vec<u64>> = text.split('.').map(|part| part.parse().ok()).collect();
    parts.filter(|parts| parts.len() == 4)
}

fn state(target: &dyn Target, version: &str, data: &RegistryData) -> (&'static str, String) {
    let Some(folder) = data.as_text() else { return ("wrong-type", format!("The place of the servicing stack {version} is no text")) };
    let Expanded::Here(path) = target.expand(&folder) else { return ("unclear", format!("{folder} cannot be looked at from here")) };
    let shown = path.with_drive(target.drive());
    match target.entry(&path) {
        Reading::Known(entry) if entry.kind == EntryKind::Folder => {}
        Reading::Known(_) => return ("unclear", format!("{shown} is not an ordinary folder")),
        Reading::Absent => return ("folder-missing", format!("The registry names the servicing stack {version} in {shown}, which does not exist")),
        _ => return ("unclear", format!("{shown} could not be looked at")),
    }
    let gone: Vec<&str> = FILES.into_iter().filter(|file| target.entry(&path.join(file)).is_absent()).collect();
    if gone.is_empty() {
        ("right", format!("The servicing stack {version} is in {shown}"))
    } else {
        ("files-missing", format!("The servicing stack {version} in {shown} lacks {}", gone.join(" and ")))
    }
}

/// The newest other stack that is complete, as version and place.
fn other(target: &dyn Target, named: &str) -> Option<(String, String)> {
    let store = target.windows_folder().join("WinSxS");
    let arch = match target.windows().arch.as_str() {
        "x64" => "amd64",
        "arm64" => "arm64",
        _ => "x86",
    };
    let prefix = format!("{arch}_microsoft-windows-servicingstack_31bf3856ad364e35_");
    let whole = |folder: &VolumePath| {
        FILES.iter().all(|file| matches!(target.entry(&folder.join(file)), Reading::Known(entry) if entry.kind == EntryKind::File && entry.size > 0))
    };
    let mut found: Vec<(Vec<u64>, String, String)> = Vec::new();
    for name in target.list(&store).into_known().unwrap_or_default() {
        let Some(rest) = name.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(&prefix)).and_then(|_| name.get(prefix.len()..)) else {
            continue;
        };
        let Some((version, _)) = rest.split_once("_none_") else { continue };
        let Some(parts) = number(version).filter(|_| version != named) else { continue };
        let registered = target.entry(&target.windows_folder().join("servicing").join("Version").join(version)).known().is_some();
        if registered && whole(&store.join(&name)) {
            found.push((parts, version.to_owned(), format!("%SystemRoot%\\WinSxS\\{name}")));
        }
    }
    found.sort();
    found.pop().map(|(_, version, folder)| (version, folder))
}
