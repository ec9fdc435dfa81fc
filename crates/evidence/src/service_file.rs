//! The file that a service runs: is it there, and if not, is it still in the component store or beside its place under
//! another name? Update blockers rename it; the store's copy tells which renamed file is the right one.

use crate::defaults::ServiceDefault;
use crate::pe;
use crate::probe::{fact, text};
use model::{Reading, Subject, VolumePath};
use target::{EntryKind, Expanded, Target, names_equal};

/// The ServiceDll to expect: of several right ones (builds differ) the one whose file is there or in the store, else the first.
pub(crate) fn right_dll(target: &dyn Target, default: &ServiceDefault) -> Option<String> {
    let exists = |dll: &&&str| matches!(target.expand(dll), Expanded::Here(path) if target.entry(&path).known().is_some());
    default.dll.iter().find(exists).or(default.dll.first()).map(|dll| (*dll).to_owned())
}

/// The program in a command line.
fn program(command: &str) -> &str {
    let end = command.to_ascii_lowercase().find(".exe").map_or(command.len(), |at| at + 4);
    command.get(..end).unwrap_or(command).trim_start_matches('"')
}

/// Puts the facts `service.file*`.
pub(crate) fn put(target: &dyn Target, default: &ServiceDefault, subject: &mut Subject) {
    if !matches!(default.role, "update" | "base") {
        return;
    }
    let name = default.service;
    let image = default.image.first().map(|image| program(image).to_owned());
    let candidates: Vec<String> =
        if default.dll.is_empty() { image.into_iter().collect() } else { default.dll.iter().map(|dll| (*dll).to_owned()).collect() };
    let places: Vec<VolumePath> = candidates
        .iter()
        .filter_map(|candidate| match target.expand(candidate) {
            Expanded::Here(path) => Some(path),
            _ => None,
        })
        .collect();
    let Some(first) = places.first() else { return };
    let found = places.iter().find_map(|place| match target.entry(place) {
        Reading::Known(entry) => Some(entry),
        _ => None,
    });
    if let Some(entry) = found {
        let shown = entry.path.with_drive(target.drive());
        let says = format!("{shown} is there");
        subject.put("service.file.path", fact(text(&shown), &shown, &shown, "name"));
        // A reparse point (compressed, in the cloud) is there, though its content cannot be read from here.
        subject.put("service.file", fact(text(&shown), says, &shown, "entry"));
        return;
    }
    // None of the right files is there. Which one this build uses, the component store tells.
    let with_twins = places.iter().map(|place| (place, twins(target, place))).find(|(_, twins)| !twins.is_empty());
    let (place, twins) = with_twins.unwrap_or((first, Vec::new()));
    let place = &as_on_disk(target, place);
    let shown = place.with_drive(target.drive());
    subject.put("service.file.path", fact(text(&shown), &shown, &shown, "name"));
    let (reading, says) = match target.entry(place) {
        Reading::Absent => (Reading::Absent, format!("{shown}, which {name} runs, does not exist")),
        Reading::NotCollected => (Reading::NotCollected, format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), format!("{shown} could not be looked at: {why}")),
        Reading::Known(_) => (text(&shown), format!("{shown} is there")),
    };
    let absent = reading.is_absent();
    subject.put("service.file", fact(reading, says, &shown, "entry"));
    if !absent {
        return;
    }
    let (reading, says) = match twins.first() {
        Some(twin) => (text(twin.with_drive(target.drive())), format!("The component store has it: {}", twin.with_drive(target.drive()))),
        None => (Reading::Absent, format!("The component store has no copy of {}", place.file_name())),
    };
    subject.put("service.file.twin", fact(reading, says, &shown, "component store"));
    let (reading, says) = match renamed(target, place, &twins) {
        Some(other) => (
            text(other.with_drive(target.drive())),
            format!(
                "{} beside it has exactly the content of the store's copy: it is the missing file under another name",
                other.with_drive(target.drive())
            ),
        ),
        None => (Reading::Absent, "no file beside it has the content of the store's copy".into()),
    };
    subject.put("service.file.renamed", fact(reading, says, &shown, "folder"));
}

/// The path with its folder spelled as it is on the disk.
fn as_on_disk(target: &dyn Target, place: &VolumePath) -> VolumePath {
    let folder = place.parent().and_then(|folder| target.entry(&folder).into_known());
    folder.map_or_else(|| place.clone(), |folder| folder.path.join(place.file_name()))
}

/// Copies of a file in `WinSxS` for this machine's architecture, the newest version first.
pub(crate) fn twins(target: &dyn Target, place: &VolumePath) -> Vec<VolumePath> {
    let store = target.windows_folder().join("WinSxS");
    let prefix = match target.windows().arch.as_str() {
        "x64" => "amd64_",
        "arm64" => "arm64_",
        _ => "x86_",
    };
    let mut found: Vec<(Vec<u64>, VolumePath)> = Vec::new();
    for component in target.list(&store).into_known().unwrap_or_default() {
        if !component.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            continue;
        }
        let path = store.join(&component).join(place.file_name());
        if matches!(target.entry(&path), Reading::Known(entry) if entry.kind == EntryKind::File)
            && target.read_start(&path, 4096).known().is_some_and(|start| pe::looks_like_program(start))
        {
            found.push((version(&component), path));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    // A newer revision than the installed one belongs to an update that waits or was taken back.
    if let Some(ubr) = target.windows().ubr.filter(|_| target.windows().major >= 10) {
        let in_use = |(version, _): &(Vec<u64>, VolumePath)| version.get(3).is_none_or(|revision| *revision <= u64::from(ubr));
        if found.iter().any(in_use) {
            found.retain(in_use);
        }
    }
    found.into_iter().map(|(_, path)| path).collect()
}

/// Whether a file has exactly the content of a copy in the component store.
pub(crate) fn in_store(target: &dyn Target, file: &VolumePath) -> Reading<bool> {
    target.sha256(file).map(|hash| twins(target, file).iter().any(|twin| target.sha256(twin).known() == Some(&hash)))
}

/// The version in a component folder's name: `arch_name_token_version_language_hash`.
fn version(component: &str) -> Vec<u64> {
    component.rsplit('_').nth(2).unwrap_or_default().split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// A file beside the missing one whose content equals one of the store's copies.
fn renamed(target: &dyn Target, place: &VolumePath, twins: &[VolumePath]) -> Option<VolumePath> {
    let folder = place.parent()?;
    let stem = place.file_name().rsplit_once('.').map_or(place.file_name(), |(stem, _)| stem).to_lowercase();
    let sizes: Vec<(u64, &VolumePath)> = twins.iter().filter_map(|twin| Some((target.entry(twin).into_known()?.size, twin))).collect();
    for name in target.list(&folder).into_known().unwrap_or_default() {
        if !name.to_lowercase().contains(&stem) || names_equal(&name, place.file_name()) {
            continue;
        }
        let path = folder.join(&name);
        let Reading::Known(entry) = target.entry(&path) else { continue };
        let same = |(size, twin): &&(u64, &VolumePath)| {
            *size == entry.size && target.sha256(&path).known().is_some_and(|hash| target.sha256(twin).known() == Some(hash))
        };
        if entry.kind == EntryKind::File && sizes.iter().any(|pair| same(&pair)) {
            return Some(entry.path);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn component_versions_order_by_number() {
        let of = |text| version(text);
        let old = of("amd64_microsoft-windows-w..pdateclient-core_31bf3856ad364e35_10.0.19041.746_none_aa");
        let new = of("amd64_microsoft-windows-w..pdateclient-core_31bf3856ad364e35_10.0.19041.3570_none_bb");
        assert!(new > old);
    }
}
