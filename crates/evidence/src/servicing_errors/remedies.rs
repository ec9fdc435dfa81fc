//! What this disk, or the source that a person named, has to put a named object right.

use super::objects::Object;
use model::{FileOrigin, Reading, VolumePath};
use target::{Candidate, Target, names_equal};

/// Where the driver database lies in the hive SYSTEM (from Windows 8 on).
const DRIVERS: &str = "HKLM\\SYSTEM\\DriverDatabase";
const SELECT: &str = "HKLM\\SYSTEM\\Select";
const TASKS: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache";

/// One thing by which an object can be put right: the fact's name, its value, and a sentence.
pub(crate) type Remedy = (&'static str, Option<String>, String);

/// Facts about how the object could be put right, absent where nothing is at hand.
/// `search`: whether copies of files are looked for, which reads every catalog of this Windows.
pub(crate) fn remedies(target: &dyn Target, rule: &str, object: &Object, search: bool) -> Vec<Remedy> {
    let missing = object.state == "absent";
    if missing && !search && matches!(rule, "payload-missing" | "package-manifest" | "package-mismatch" | "catalogue-refused" | "component-manifest")
    {
        return vec![("error.copy", None, "so much is missing that a copy was not looked for".into())];
    }
    match rule {
        "payload-missing" | "package-manifest" | "component-manifest" => {
            vec![if missing { copy(target, &object.name) } else { nothing("error.copy") }]
        }
        "driver-package" if object.kind == "driver-package" => driver_package(target, object),
        "driver-service" => vec![if missing && object.kind == "key" { other_set(target, &object.name) } else { nothing("error.other-set") }],
        "scheduled-task" if object.kind == "task" => task(target, &object.name),
        _ => Vec::new(),
    }
}

fn nothing(name: &'static str) -> Remedy {
    (name, None, String::new())
}

/// Where a file lies that is the missing one: of the same version and architecture, with a hash that this Windows names.
fn copy(target: &dyn Target, name: &str) -> Remedy {
    let Ok(path) = VolumePath::parse(name) else { return nothing("error.copy") };
    let windows = target.windows_folder();
    let mut refused = Vec::new();
    let mut fits = |shown: &str, origin: &FileOrigin| match target.content(origin) {
        Reading::Known(content) => {
            let candidate = Candidate { place: path.clone(), from: origin.clone(), content };
            target::genuine(target, &[candidate]).map_err(|why| refused.push(format!("{shown}: {why}"))).is_ok()
        }
        Reading::Unreadable(why) => {
            refused.push(why);
            false
        }
        _ => false,
    };
    for found in on_disk(&path, &windows) {
        let shown = found.with_drive(target.drive());
        if fits(&shown, &FileOrigin::Volume(found)) {
            return ("error.copy", Some(shown.clone()), format!("{shown} is the same file by version and hash"));
        }
    }
    let Some(source) = target.source() else {
        refused.push("no copy of it is on this disk; with --source, hresolve looks for one in another Windows of the same build".into());
        return ("error.copy", None, refused.join("; "));
    };
    match source.find(&path, &windows) {
        Some(name) if fits(&name, &FileOrigin::Source(name.clone())) => {
            let says = format!("{} holds {name}, and its hash is right", source.name());
            return ("error.copy", Some(format!("source:{name}")), says);
        }
        Some(_) => {}
        None => refused.push(format!("{} does not hold it", source.name())),
    }
    ("error.copy", None, refused.join("; "))
}

/// The places of this disk where Windows keeps a second name or copy of a file of the component store or of a package.
fn on_disk(path: &VolumePath, windows: &VolumePath) -> Vec<VolumePath> {
    let inside = path.components().get(windows.components().len()..).unwrap_or_default();
    match inside {
        [store, component, file] if names_equal(store, "WinSxS") => {
            let folders: &[&str] = match component.split('_').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "wow64" => &["SysWOW64"],
                "x86" => &["SysWOW64", "System32"],
                // The last one is the Windows folder itself.
                _ => &["System32", "System32\\drivers", "System32\\wbem", ""],
            };
            folders.iter().map(|folder| windows.join(&format!("{folder}\\{file}"))).collect()
        }
        [.., file] if file.to_ascii_lowercase().ends_with(".cat") => vec![windows.join(target::CATALOGS).join(file)],
        _ => Vec::new(),
    }
}

/// The same service in a control set that Windows does not use.
fn other_set(target: &dyn Target, key: &str) -> Remedy {
    let current = target.windows().control_set;
    let name = key.rsplit('\\').next().unwrap_or_default();
    let sets = target.key("HKLM\\SYSTEM").into_known().map_or_else(Vec::new, |view| view.subkeys);
    let failed = target.value(SELECT, "Failed").into_known().and_then(|data| data.as_dword()).unwrap_or(0);
    let number = |set: &str| set.get(..10).filter(|start| names_equal(start, "ControlSet")).and_then(|_| set.get(10..)?.parse::<u32>().ok());
    let others = sets.iter().filter(|set| number(set).is_some_and(|number| number != current && number != failed));
    for set in others {
        if let Reading::Known(view) = target.key(&format!("HKLM\\SYSTEM\\{set}\\Services\\{name}"))
            && view.value("Type").is_some()
        {
            return ("error.other-set", Some(view.path.clone()), format!("{} is there", view.path));
        }
    }
    ("error.other-set", None, String::new())
}

/// The folder that the driver database names for an INF of Windows, and the folder of the component store with the same package: of the
/// version that the database holds, and with that INF in it.
fn driver_package(target: &dyn Target, object: &Object) -> Vec<Remedy> {
    let nothing = vec![nothing("error.package-folder"), nothing("error.package-twin")];
    let inf = object.name.rsplit('\\').next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(object.state, "absent" | "wrong") {
        return nothing;
    }
    let folder = target.value(&format!("{DRIVERS}\\DriverInfFiles\\{inf}"), "Active").into_known().and_then(|data| data.as_text());
    let Some(folder) = folder.filter(|name| name.to_ascii_lowercase().starts_with(&format!("{inf}_")) && !name.contains(['\\', '/'])) else {
        return nothing;
    };
    let version = target.value(&format!("{DRIVERS}\\DriverPackages\\{folder}"), "Version").into_known();
    let Some(version) = version.and_then(|data| package_version(&data.data)) else { return nothing };
    let windows = target.windows_folder();
    let store = windows.join("WinSxS");
    let fits = |name: &&String| {
        let name = name.to_ascii_lowercase();
        let parts: Vec<&str> = name.split('_').collect();
        name.contains(&format!("_{inf}_")) && parts.iter().rev().nth(2) == Some(&version.as_str())
    };
    let names = target.list(&store).into_known().unwrap_or_default();
    let twin = names.iter().filter(fits).map(|name| store.join(name)).find(|twin| target.entry(&twin.join(&inf)).known().is_some());
    let place = windows.join("System32\\DriverStore\\FileRepository").join(&folder);
    let shown = place.with_drive(target.drive());
    let says = format!("the driver database names {shown}, version {version}");
    let vouched_for = |twin: &VolumePath| {
        let mut files = Vec::new();
        files_below(target, twin, &place, &mut files).and_then(|()| target::genuine(target, &files))
    };
    let (twin, found) = match twin.map(|twin| (twin.with_drive(target.drive()), vouched_for(&twin))) {
        Some((twin, Ok(()))) => (Some(twin.clone()), format!("{twin} holds the same package, and the hash of every file in it is right")),
        Some((twin, Err(why))) => (None, format!("{twin}: {why}")),
        None => (None, format!("the component store holds no version {version} of it")),
    };
    vec![("error.package-folder", Some(shown), says), ("error.package-twin", twin, found)]
}

/// Every file below a folder, with where it would be put.
fn files_below(target: &dyn Target, folder: &VolumePath, place: &VolumePath, files: &mut Vec<Candidate>) -> Result<(), String> {
    for name in target.list(folder).into_known().unwrap_or_default() {
        let (path, to) = (folder.join(&name), place.join(&name));
        if target.entry(&path).known().is_some_and(|entry| entry.kind == target::EntryKind::Folder) {
            files_below(target, &path, &to, files)?;
            continue;
        }
        let from = FileOrigin::Volume(path);
        match target.content(&from) {
            Reading::Known(content) => files.push(Candidate { place: to, from, content }),
            Reading::Unreadable(why) => return Err(why),
            _ => return Err(format!("{name} cannot be read")),
        }
    }
    Ok(())
}

/// A driver's version in the `Version` of its package: after flags, class and date, 16 bits each, the highest last (as the published hive
/// of Windows 10 1709 has it).
fn package_version(data: &[u8]) -> Option<String> {
    let number = |at: usize| data.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
    Some(format!("{}.{}.{}.{}", number(38)?, number(36)?, number(34)?, number(32)?))
}

/// What is left of a task: its entry in the tree when it has no others below it, its number, its file.
fn task(target: &dyn Target, path: &str) -> Vec<Remedy> {
    let Reading::Known(entry) = target.key(&format!("{TASKS}\\Tree{path}")) else { return Vec::new() };
    let id = entry.value("Id").and_then(|data| data.as_text());
    let number = id.as_deref().and_then(|id| id.strip_prefix('{')?.strip_suffix('}'));
    let is_number = |text: &str| text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if !entry.subkeys.is_empty() || !number.is_some_and(is_number) {
        return Vec::new();
    }
    let file = target.windows_folder().join("System32\\Tasks").join(path);
    let on_disk = target.entry(&file).known().map(|_| file.with_drive(target.drive()));
    vec![("error.task-tree", Some(entry.path), String::new()), ("error.task-id", id, String::new()), ("error.task-file", on_disk, String::new())]
}
