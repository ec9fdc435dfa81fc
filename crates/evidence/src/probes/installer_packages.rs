//! Whether the packages are there that the Windows Installer keeps of every program, for updating and removing it.
//!
//! Only programs that are installed for everybody, and only updates that are in force, count: what was replaced or is only offered needs no file.
//! Of single programs only Microsoft's are told about, because Windows Update touches no others.

use super::folders::link;
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, RegistryData, Subject, Value};
use target::{EntryKind, Expanded, KeyView, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "installer-package.about",
        kind: FactKind::Text,
        meaning: "the program whose package is missing; of more than five programs their number and the folder",
    },
    FactDeclaration { name: "installer-package.reach", kind: FactKind::Text, meaning: "one (program), or many (more than five; the folder was emptied)" },
    FactDeclaration {
        name: "installer-package.missing",
        kind: FactKind::List,
        meaning: "the missing files, each with its program; Microsoft's programs first, at most thirty",
    },
    FactDeclaration { name: "installer-folder.path", kind: FactKind::Text, meaning: "the path of the folder in which the packages lie" },
    FactDeclaration { name: "installer-folder.kind", kind: FactKind::Text, meaning: "folder, file, link, reparse or other; absent when nothing stands there" },
    FactDeclaration {
        name: "installer-folder.link",
        kind: FactKind::Text,
        meaning: "for a link: missing-drive (a letter this Windows does not know), missing-folder (nothing there on this volume), other-drive, here, or unclear",
    },
];

const FOLDER: &str = "Installer";
/// What is installed for everybody is registered under the account SYSTEM.
const REGISTERED: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Installer\\UserData\\S-1-5-18";
/// `State` of an update of a program: 1 in force, 2 replaced by a later one, 4 obsolete (MSIPATCHSTATE).
const IN_FORCE: u32 = 1;
/// So many programs lose their packages one by one; more, and somebody emptied the folder.
const SINGLE: usize = 5;
/// So many are named of an emptied folder.
const NAMED: usize = 30;

/// A program with files that are missing.
struct Program {
    name: String,
    microsoft: bool,
    missing: Vec<String>,
}

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    if !folder(target, facts) {
        return;
    }
    let Reading::Known(products) = target.key(&format!("{REGISTERED}\\Products")) else { return };
    let mut unseen = 0_usize;
    let mut programs: Vec<Program> = products.subkeys.iter().filter_map(|product| program(target, product, &mut unseen)).collect();
    if unseen > 0 {
        let why = format!("{unseen} of the files that the registry names could not be looked at");
        facts.not_checked.push(NotChecked { what: "packages of installed programs".into(), why, blocking: false });
    }
    programs.sort_by(|one, other| other.microsoft.cmp(&one.microsoft).then_with(|| one.name.cmp(&other.name)));
    if programs.len() > SINGLE && programs.iter().any(|program| program.microsoft) {
        facts.subjects.push(many(target, &programs));
    } else if programs.len() <= SINGLE {
        facts.subjects.extend(programs.iter().filter(|program| program.microsoft).map(single));
    }
}

/// The folder's own subject; whether files in it can be looked for.
fn folder(target: &dyn Target, facts: &mut Facts) -> bool {
    let path = target.windows_folder().join(FOLDER);
    let shown = path.with_drive(target.drive());
    let entry = match target.entry(&path) {
        Reading::Known(entry) => entry,
        // The Windows Installer makes it when it is first needed; what belongs in it is looked for all the same.
        Reading::Absent => return true,
        Reading::NotCollected => {
            facts.not_checked.push(NotChecked { what: shown, why: "it is not part of what was given".into(), blocking: false });
            return false;
        }
        Reading::Unreadable(why) => {
            facts.not_checked.push(NotChecked { what: shown, why, blocking: false });
            return false;
        }
    };
    let (kind, says) = match &entry.kind {
        EntryKind::Folder => return true,
        EntryKind::File => ("file", format!("{shown} is a file of {} bytes where a folder belongs", entry.size)),
        EntryKind::Link(to) => ("link", format!("{shown} is a link to {to}")),
        EntryKind::Reparse(what) => ("reparse", format!("{shown} is a reparse point that cannot be followed here ({what})")),
        EntryKind::Other => ("other", format!("{shown} is neither a file nor a folder")),
    };
    let mut subject = Subject::new("installer-folder", &shown);
    subject.put("installer-folder.path", fact(text(&shown), &shown, &shown, "name"));
    subject.put("installer-folder.kind", fact(text(kind), says, &shown, "entry"));
    let mut followed = false;
    if let EntryKind::Link(to) = &entry.kind {
        let (state, says) = link(target, &path, to);
        // A junction as ntfs-3g shows it may be known to lead here and yet not be followed.
        followed = state == "here" && target.list(&path).known().is_some();
        subject.put("installer-folder.link", fact(text(state), says, &shown, "link target"));
    }
    facts.subjects.push(subject);
    followed
}

/// A program some of whose files are missing.
fn program(target: &dyn Target, product: &str, unseen: &mut usize) -> Option<Program> {
    let key = format!("{REGISTERED}\\Products\\{product}");
    let properties = target.key(&format!("{key}\\InstallProperties")).into_known()?;
    let value = |name: &str| properties.value(name).and_then(RegistryData::as_text).map(|text| text.trim().to_owned());
    let patches = in_force(target, &format!("{key}\\Patches"));
    let files = std::iter::once(local_package(&properties)).chain(patches.iter().map(|patch| {
        let registered = target.key(&format!("{REGISTERED}\\Patches\\{patch}")).into_known()?;
        local_package(&registered)
    }));
    let missing: Vec<String> = files.flatten().filter_map(|file| missing(target, &file, unseen)).collect();
    let microsoft = value("Publisher").is_some_and(|publisher| publisher.to_lowercase().starts_with("microsoft"));
    let name = value("DisplayName").filter(|name| !name.is_empty()).unwrap_or_else(|| product.to_owned());
    (!missing.is_empty()).then_some(Program { name, microsoft, missing })
}

/// The updates of a program that are in force, by their registered names.
fn in_force(target: &dyn Target, key: &str) -> Vec<String> {
    let Reading::Known(patches) = target.key(key) else { return Vec::new() };
    let state = |patch: &str| target.value(&format!("{key}\\{patch}"), "State").into_known().as_ref().and_then(RegistryData::as_dword);
    patches.subkeys.iter().filter(|patch| state(patch) == Some(IN_FORCE)).cloned().collect()
}

/// The path that the registry names; a program that is only offered has none.
fn local_package(view: &KeyView) -> Option<String> {
    view.value("LocalPackage").and_then(RegistryData::as_text).map(|path| path.trim().to_owned()).filter(|path| !path.is_empty())
}

/// The file as it is shown, when it was looked for and is not there.
fn missing(target: &dyn Target, file: &str, unseen: &mut usize) -> Option<String> {
    let Expanded::Here(path) = target.expand(file) else { return None };
    match target.entry(&path) {
        Reading::Absent => Some(path.with_drive(target.drive())),
        Reading::Known(_) => None,
        Reading::NotCollected | Reading::Unreadable(_) => {
            *unseen += 1;
            None
        }
    }
}

fn single(program: &Program) -> Subject {
    let says = format!("The registry names {} for {}; {} there", program.missing.join(", "), program.name, are_not(program.missing.len()));
    subject(&program.name, "one", program.missing.clone(), &says)
}

fn many(target: &dyn Target, programs: &[Program]) -> Subject {
    let folder = target.windows_folder().join(FOLDER).with_drive(target.drive());
    let named: Vec<String> =
        programs.iter().flat_map(|program| program.missing.iter().map(move |file| format!("{file} ({})", program.name))).take(NAMED).collect();
    let files: usize = programs.iter().map(|program| program.missing.len()).sum();
    let microsoft: Vec<&str> = programs.iter().filter(|program| program.microsoft).map(|program| program.name.as_str()).collect();
    let shown = microsoft.iter().take(SINGLE).copied().collect::<Vec<_>>().join("; ");
    let more = if microsoft.len() > SINGLE { format!(" and {} more of Microsoft's", microsoft.len() - SINGLE) } else { String::new() };
    let says = format!("{files} files that the registry names for {} programs are not there; among them those of {shown}{more}", programs.len());
    subject(&format!("{} programs, {folder}", programs.len()), "many", named, &says)
}

fn are_not(count: usize) -> &'static str {
    if count == 1 { "it is not" } else { "they are not" }
}

fn subject(about: &str, reach: &'static str, missing: Vec<String>, says: &str) -> Subject {
    let mut subject = Subject::new("installer-package", about);
    subject.put("installer-package.about", fact(text(about), about, "SOFTWARE", "DisplayName"));
    subject.put("installer-package.reach", fact(text(reach), says, "SOFTWARE", "LocalPackage"));
    subject.put("installer-package.missing", fact(Reading::Known(Value::List(missing)), says, "SOFTWARE", "LocalPackage"));
    subject
}
