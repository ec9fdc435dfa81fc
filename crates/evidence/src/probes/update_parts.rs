//! Whether the parts of Windows Update are on the disk at all: images from which they were taken out, and on Windows 11 the
//! folder of the separately serviced update programs.

use crate::defaults;
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Subject, Value};
use target::{EntryKind, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "update-parts.state",
        kind: FactKind::Text,
        meaning: "whole, some-missing or taken-out (services and files are missing together)",
    },
    FactDeclaration {
        name: "update-parts.services-missing",
        kind: FactKind::List,
        meaning: "services of Windows Update without a key; absent when none",
    },
    FactDeclaration {
        name: "update-parts.files-missing",
        kind: FactKind::List,
        meaning: "files of Windows Update that are missing in System32; absent when none",
    },
    FactDeclaration { name: "update-parts.in-store", kind: FactKind::Bool, meaning: "the component store holds at least one of the missing files" },
    FactDeclaration { name: "update-parts.page-hidden", kind: FactKind::Bool, meaning: "the page of Windows Update in Settings is hidden by policy" },
    FactDeclaration {
        name: "update-parts.undocked",
        kind: FactKind::Text,
        meaning: "Windows 11: right, missing or empty: the folder Windows\\UUS\\amd64 (arm64); absent on older Windows",
    },
    FactDeclaration { name: "update-parts.undocked-folder", kind: FactKind::Text, meaning: "that folder's path" },
    FactDeclaration {
        name: "update-parts.undocked-version",
        kind: FactKind::Text,
        meaning: "the version of it that the registry says is installed; absent when it says none",
    },
];

const PAGES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\Explorer";
const INSTALLED: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Update\\TargetingInfo\\DynamicInstalled";
/// How many files have to be missing, together with services, before it is taken for intent.
const MANY: usize = 3;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut subject = Subject::new("update-parts", "Windows Update");
    taken_out(target, &mut subject);
    undocked(target, &mut subject);
    facts.subjects.push(subject);
}

/// Files of the update client, from the time on at which they belong to Windows.
fn files(build: u32) -> Vec<&'static str> {
    let mut files = vec!["wuaueng.dll", "wuauclt.exe", "wuapi.dll", "wups.dll", "wusa.exe", "qmgr.dll"];
    if build >= 10240 {
        files.extend(["UsoClient.exe", "UpdateAgent.dll"]);
    }
    if build >= 18362 {
        files.extend(["usosvc.dll", "WaaSMedicSvc.dll", "upfc.exe"]);
    }
    files
}

fn taken_out(target: &dyn Target, subject: &mut Subject) {
    let services = "HKLM\\SYSTEM\\CurrentControlSet\\Services";
    let known = defaults::services(target.windows());
    let gone: Vec<String> = known
        .iter()
        .filter(|default| ["wuauserv", "BITS", "UsoSvc", "WaaSMedicSvc", "DoSvc"].contains(&default.service))
        .filter(|default| target.key(&format!("{services}\\{}", default.service)).is_absent())
        .map(|default| default.service.to_owned())
        .collect();
    let system32 = target.windows_folder().join("System32");
    let missing: Vec<&str> = files(target.windows().build).into_iter().filter(|name| target.entry(&system32.join(name)).is_absent()).collect();
    // Windows 7 and 8.1 have only two of the services.
    let services_needed = if target.windows().major >= 10 { 2 } else { 1 };
    let state = match (gone.len() >= services_needed, missing.len() >= MANY) {
        (true, true) => "taken-out",
        _ if gone.is_empty() && missing.is_empty() => "whole",
        _ => "some-missing",
    };
    let says = format!("{} services and {} files of Windows Update are missing", gone.len(), missing.len());
    subject.put("update-parts.state", fact(text(state), says, "SYSTEM", "Services and System32"));
    if state == "taken-out" {
        let store = in_store(target, &missing);
        let says = if store { "The component store still holds files of Windows Update" } else { "The component store holds none of these files" };
        subject.put("update-parts.in-store", fact(Reading::Known(Value::Bool(store)), says, "WinSxS", "folders"));
    }
    let list = |names: Vec<String>| if names.is_empty() { Reading::Absent } else { Reading::Known(Value::List(names)) };
    let says = format!("There are no services {}", gone.join(", "));
    subject.put("update-parts.services-missing", fact(list(gone), says, "SYSTEM", "Services"));
    let says = format!("These files are not in System32: {}", missing.join(", "));
    subject.put("update-parts.files-missing", fact(list(missing.into_iter().map(str::to_owned).collect()), says, "System32", "names"));
    let hidden = target.value(PAGES, "SettingsPageVisibility").into_known().and_then(|data| data.as_text());
    let hidden = hidden.is_some_and(|pages| pages.to_ascii_lowercase().starts_with("hide:") && pages.to_ascii_lowercase().contains("windowsupdate"));
    let says = format!("The page of Windows Update in Settings is {}", if hidden { "hidden by policy" } else { "not hidden" });
    subject.put("update-parts.page-hidden", fact(Reading::Known(Value::Bool(hidden)), says, "SOFTWARE", "SettingsPageVisibility"));
}

fn in_store(target: &dyn Target, files: &[&str]) -> bool {
    let store = target.windows_folder().join("WinSxS");
    target.list(&store).into_known().unwrap_or_default().iter().filter(|name| name.contains('_')).any(|component| {
        let folder = store.join(component);
        files.iter().any(|file| matches!(target.entry(&folder.join(file)), Reading::Known(entry) if entry.kind == EntryKind::File))
    })
}

/// Windows 11 keeps part of the update programs in a folder of its own, so that they can be renewed by themselves.
fn undocked(target: &dyn Target, subject: &mut Subject) {
    if target.windows().build < 22000 {
        subject.put("update-parts.undocked", fact(Reading::Absent, "This Windows has no separate update programs", "SOFTWARE", "CurrentBuild"));
        return;
    }
    let arch = if target.windows().arch == "arm64" { "arm64" } else { "amd64" };
    let folder = target.windows_folder().join("UUS").join(arch);
    let shown = folder.with_drive(target.drive());
    let (state, says) = match target.entry(&folder) {
        Reading::Known(entry) if entry.kind == EntryKind::Folder => match target.list(&folder) {
            Reading::Known(names) if names.is_empty() => (text("empty"), format!("{shown} is empty")),
            Reading::Known(_) => (text("right"), format!("{shown} is there")),
            other => (other.map(|_| Value::Bool(true)), format!("{shown} could not be looked into")),
        },
        Reading::Known(_) => (Reading::Unreadable("it is not an ordinary folder".into()), format!("{shown} is not an ordinary folder")),
        Reading::Absent => (text("missing"), format!("{shown} does not exist")),
        Reading::NotCollected => (Reading::NotCollected, format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    };
    subject.put("update-parts.undocked-folder", fact(text(&shown), &shown, &shown, "name"));
    subject.put("update-parts.undocked", fact(state, says, &shown, "entry"));
    let version = target.value(&format!("{INSTALLED}\\UUS.{arch}"), "Version").and_then(|data| data.as_text().into());
    let says = version.known().map_or_else(
        || "The registry names no version of the separate update programs".to_owned(),
        |version| format!("The registry says that version {version} of the separate update programs is installed"),
    );
    subject.put("update-parts.undocked-version", fact(version.map(Value::Text), says, "SOFTWARE", "Version"));
}
