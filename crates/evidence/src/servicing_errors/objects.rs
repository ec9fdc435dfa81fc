//! What a log names, looked up on the target itself: a file of the component store, a package, a service, a task, a folder.
//!
//! `absent`: it is not there. `wrong`: it is there, but not as it must be. `present`: nothing is wrong with it. `unclear`: the
//! log does not name it well enough, or it is nothing that can be looked up. Then as for every reading `not-collected` and
//! `unreadable`.

use super::operations::Named;
use super::refusals;
use model::{Reading, VolumePath};
use target::{EntryKind, Expanded, Target};

const SERVICING: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing";
const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";
const TASKS: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache";

/// An object as it is on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// What people call it: a path, a name, a key.
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) state: &'static str,
    /// A sentence about what was seen.
    pub(crate) says: String,
}

/// The objects that a line of a log means. Never empty.
pub(crate) fn look_up(target: &dyn Target, named: &Named) -> Vec<Object> {
    let object = named.object.as_str();
    match named.rule {
        "ngen-service" => vec![service(target, object)],
        "payload-missing" => vec![file(target, &store_path(target, object))],
        "component-manifest" => vec![file(target, &target.windows_folder().join("WinSxS\\Manifests").join(&with_ending(object, ".manifest")))],
        "package-manifest" | "language-content" => vec![package(target, object)],
        "deployment-missing" => vec![deployment(target, object)],
        "folder-missing" => vec![place(target, object)],
        "pending-file" => match target.expand(object) {
            Expanded::Here(path) => vec![file(target, &path)],
            _ => vec![unclear(object, "file", "Where it lies cannot be told")],
        },
        "driver-service" => services_of(target, object),
        "driver-package" => vec![driver_package(target, object)],
        "driver-operations" => vec![driver_operations(target)],
        "scheduled-task" => vec![task(target, object)],
        "http-installer" => vec![http(target)],
        "pending-transaction" => vec![pending(target)],
        "repair-source" => vec![repair_source(target)],
        "system-partition-full" => {
            vec![unclear("the EFI system partition", "device", "How full the EFI system partition is cannot be seen from here")]
        }
        "store-inconsistent" => {
            let says = format!("The log calls it {object}; which of its parts that is, it does not say");
            vec![unclear("the component store", named.kind, &says)]
        }
        "registry-full" => vec![refusals::registry_limit(target)],
        "components-hive" => vec![refusals::hive(target, object)],
        "package-mismatch" => vec![refusals::package_mismatch(target, object)],
        "catalogue-refused" => vec![refusals::catalogue(target, object)],
        "driver-installation" => vec![refusals::driver_description(target, object)],
        "path-denied" | "path-in-use" => vec![refusals::refused(target, object)],
        "path-corrupt" => vec![refusals::unreadable(target, object, false)],
        "path-redirected" => vec![refusals::unreadable(target, object, true)],
        "file-transactions" => vec![refusals::file_transactions(target)],
        "registry-transactions" => vec![refusals::registry_transactions(target)],
        "disk-full" => vec![unclear(&format!("{}:\\", target.drive()), "device", "How full the drive was at that time cannot be seen now")],
        _ => vec![unclear(object, named.kind, &format!("{object} was not looked up"))],
    }
}

pub(super) fn unclear(name: &str, kind: &'static str, says: &str) -> Object {
    Object { name: name.into(), kind, state: "unclear", says: says.into() }
}

/// What is left of a reading when it is not known.
pub(super) fn unseen<T>(reading: &Reading<T>) -> &'static str {
    match reading {
        Reading::Known(_) => "present",
        Reading::Absent => "absent",
        Reading::NotCollected => "not-collected",
        Reading::Unreadable(_) => "unreadable",
    }
}

pub(super) fn says(name: &str, state: &str) -> String {
    match state {
        "absent" => format!("{name} does not exist"),
        "present" => format!("{name} is there"),
        "not-collected" => format!("{name} is not part of what was given"),
        _ => format!("{name} could not be looked at"),
    }
}

pub(super) fn file(target: &dyn Target, path: &VolumePath) -> Object {
    let name = path.with_drive(target.drive());
    match target.entry(path) {
        Reading::Known(entry) if entry.kind == EntryKind::File && entry.size == 0 => {
            Object { says: format!("{name} is empty"), name, kind: "file", state: "wrong" }
        }
        Reading::Known(entry)
            if entry.kind == EntryKind::File && target.read_start(path, 512).known().is_some_and(|start| start.iter().all(|byte| *byte == 0)) =>
        {
            Object { says: format!("{name} holds only zeros"), name, kind: "file", state: "wrong" }
        }
        reading => {
            let state = unseen(&reading);
            Object { says: says(&name, state), name, kind: "file", state }
        }
    }
}

fn with_ending(name: &str, ending: &str) -> String {
    if name.to_ascii_lowercase().ends_with(ending) { name.to_owned() } else { format!("{name}{ending}") }
}

/// `<component>\<file>`; where the backslash was lost, the component ends after the 16 digits of its hash.
fn store_path(target: &dyn Target, object: &str) -> VolumePath {
    let store = target.windows_folder().join("WinSxS");
    if object.contains('\\') {
        return store.join(object);
    }
    let ends = object.rmatch_indices('_').map(|(at, _)| at + 1).find_map(|from| {
        let hash = object.get(from..from + 16)?;
        hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(from + 16)
    });
    match ends {
        Some(end) if end < object.len() => store.join(object.get(..end).unwrap_or_default()).join(object.get(end..).unwrap_or_default()),
        _ => store.join(object),
    }
}

/// `Name~token~arch~language~version`, with whatever follows the version left out.
fn identity(object: &str) -> &str {
    let Some(at) = object.rfind('~') else { return object };
    let mut dots = 0;
    let length = object.get(at + 1..).unwrap_or_default().find(|c: char| {
        dots += u32::from(c == '.');
        !(c.is_ascii_digit() || c == '.') || dots == 4
    });
    length.map_or(object, |length| object.get(..at + 1 + length).unwrap_or(object))
}

/// A package is whole when both of its files are there.
fn package(target: &dyn Target, object: &str) -> Object {
    let bare = object.rsplit('\\').next().unwrap_or(object);
    let bare = bare.trim_end_matches(".mum").trim_end_matches(".cat");
    let folder = target.windows_folder().join("servicing\\Packages");
    let name = identity(bare);
    let first = file(target, &folder.join(&format!("{name}.mum")));
    if first.state != "present" {
        return first;
    }
    let second = file(target, &folder.join(&format!("{name}.cat")));
    if second.state == "present" { Object { kind: "package", ..first } } else { second }
}

/// A part that a package refers to. The line gives its name, version and processor, and the package behind `rid`; its manifest is the file
/// that begins with all of them.
fn deployment(target: &dyn Target, text: &str) -> Object {
    let after = |key: &str| text.to_ascii_lowercase().find(key).and_then(|at| text.get(at + key.len()..));
    let rid = after("rid = ").map_or("", |rest| rest.trim_start_matches(|c: char| c != '\'' && c != '"').trim_matches(['\'', '"', ' ']));
    let package = identity(rid.trim_end_matches('~'));
    let object = |state, says: String| Object { name: if package.is_empty() { text.into() } else { package.into() }, kind: "package", state, says };
    let Some(prefix) = manifest_prefix(text, &after) else { return object("unclear", "Which part it is cannot be told from the line".into()) };
    let folder = target.windows_folder().join("WinSxS\\Manifests");
    let shown = folder.with_drive(target.drive());
    match target.list(&folder) {
        Reading::Known(names) => match names.iter().find(|name| name.to_ascii_lowercase().starts_with(&prefix)) {
            Some(name) => object("present", format!("{shown} holds {name}")),
            None => object("absent", format!("{shown} holds no file {prefix}…, which {package} refers to")),
        },
        Reading::Absent => object("absent", format!("{shown} does not exist")),
        reading => object(unseen(&reading), says(&shown, unseen(&reading))),
    }
}

/// `<processor>_<name>_<token>_<version>_<language or none>_` in small letters. Of names longer than 40 characters Windows keeps the
/// first and the last 19.
fn manifest_prefix<'a>(text: &'a str, after: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let word = |rest: &'a str| rest.split([',', ' ']).find(|word| !word.is_empty() && *word != "=").unwrap_or_default();
    let name = text.split(',').next()?.trim().to_ascii_lowercase();
    let version = word(after("version ")?);
    let processor = match (after(" arch "), after("processor_architecture_")) {
        (Some(rest), _) | (None, Some(rest)) => word(rest).to_ascii_lowercase(),
        _ => return None,
    };
    let processor = if processor == "intel" { "x86" } else { &processor };
    let token = after("b:")?.get(..16)?;
    let short = match (name.get(..19), name.len().checked_sub(19).and_then(|at| name.get(at..))) {
        (Some(first), Some(last)) if name.len() > 40 => format!("{first}..{last}"),
        _ => name,
    };
    let right = !short.is_empty() && version.split('.').count() == 4 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then(|| format!("{processor}_{short}_{token}_{version}_none_"))
}

/// A path of the system drive, as the kernel spells it.
fn place(target: &dyn Target, object: &str) -> Object {
    let path = match target.expand(object) {
        Expanded::Here(path) => path,
        Expanded::Elsewhere(letter, rest) => return unclear(&format!("{letter}:{rest}"), "folder", "It is on another drive"),
        Expanded::Unknown(_) => return unclear(object, "folder", "Where it lies cannot be told"),
    };
    let ending = path.file_name().rsplit_once('.').is_some_and(|(_, ending)| (1..=4).contains(&ending.len()));
    match target.entry(&path) {
        Reading::Known(entry) if !ending && entry.kind == EntryKind::File => {
            let name = path.with_drive(target.drive());
            Object { says: format!("{name} is a file, where a folder belongs"), name, kind: "folder", state: "wrong" }
        }
        reading => {
            let (name, state) = (path.with_drive(target.drive()), unseen(&reading));
            Object { says: says(&name, state), name, kind: if ending { "file" } else { "folder" }, state }
        }
    }
}

/// A service whose program is gone is wrong; one that has no key cannot be started by anybody.
fn service(target: &dyn Target, name: &str) -> Object {
    let object = |state, says| Object { name: name.to_owned(), kind: "service", state, says };
    let reading = target.key(&format!("{SERVICES}\\{name}"));
    let Reading::Known(key) = &reading else {
        let state = unseen(&reading);
        return object(state, says(&format!("The service {name}"), state));
    };
    let Some(image) = key.value("ImagePath").and_then(|data| data.as_text()) else {
        return object("wrong", format!("The service {name} names no program"));
    };
    let end = image.to_ascii_lowercase().find(".exe").map_or(image.len(), |at| at + 4);
    let image = image.get(..end).unwrap_or(&image).trim_start_matches('"');
    let Expanded::Here(path) = target.expand(image) else {
        return object("unclear", format!("The service {name} runs {image}, which is not on this drive"));
    };
    let program = file(target, &path);
    match program.state {
        "absent" | "wrong" => object("wrong", format!("The service {name} runs {}, but {}", program.name, program.says)),
        state => object(state, format!("The service {name} runs {}: {}", program.name, program.says)),
    }
}

/// The services that an INF of Windows installs, each with whether its key is there.
fn services_of(target: &dyn Target, inf: &str) -> Vec<Object> {
    let path = target.windows_folder().join("INF").join(inf);
    let shown = path.with_drive(target.drive());
    let bytes = match target.read(&path, 4 << 20) {
        Reading::Known(bytes) => bytes,
        reading => {
            let state = if reading.is_absent() { "unclear" } else { unseen(&reading) };
            return vec![Object { name: inf.into(), kind: "inf", state, says: says(&shown, unseen(&reading)) }];
        }
    };
    let mut names: Vec<String> = Vec::new();
    for line in crate::logs::decode(&bytes).lines() {
        let line = line.split(';').next().unwrap_or_default();
        if let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("AddService")
        {
            let name = value.split(',').next().unwrap_or_default().trim().trim_matches('"').to_owned();
            if !name.is_empty() && !name.contains('%') && !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                names.push(name);
            }
        }
    }
    let keys = names.iter().map(|name| {
        let key = format!("{SERVICES}\\{name}");
        let reading = target.key(&key);
        let name = reading
            .known()
            .map_or_else(|| format!("HKLM\\SYSTEM\\ControlSet{:03}\\Services\\{name}", target.windows().control_set), |key| key.path.clone());
        let state = unseen(&reading);
        Object { says: format!("{shown} needs a service; {}", says(&name, state)), name, kind: "key", state }
    });
    let (missing, there): (Vec<Object>, Vec<Object>) = keys.partition(|key| key.state != "present");
    match (missing.is_empty(), there.is_empty()) {
        (false, _) => missing,
        (true, false) => {
            vec![Object { name: inf.into(), kind: "inf", state: "present", says: format!("All {} services of {shown} have their keys", there.len()) }]
        }
        (true, true) => vec![unclear(inf, "inf", &format!("{shown} installs no service"))],
    }
}

/// The folder of a driver package in the driver store: `<inf>_<architecture>_<hash>`.
fn driver_package(target: &dyn Target, inf: &str) -> Object {
    let store = target.windows_folder().join("System32\\DriverStore\\FileRepository");
    let name = store.join(inf).with_drive(target.drive());
    let object = |state, says| Object { name: name.clone(), kind: "driver-package", state, says };
    let start = format!("{}_", inf.to_ascii_lowercase());
    match target.list(&store) {
        Reading::Known(names) => {
            let folders: Vec<&String> = names.iter().filter(|name| name.to_lowercase().starts_with(&start)).collect();
            let filled = folders.iter().find(|name| target.list(&store.join(name)).into_known().is_some_and(|names| !names.is_empty()));
            match (filled, folders.first()) {
                (Some(folder), _) => object("present", format!("The driver store holds {folder}")),
                (None, Some(folder)) => object("wrong", format!("{folder} in the driver store is empty")),
                (None, None) => object("absent", format!("The driver store holds no folder {inf}_…")),
            }
        }
        reading => object(if reading.is_absent() { "absent" } else { unseen(&reading) }, says(&store.with_drive(target.drive()), unseen(&reading))),
    }
}

/// The queue of driver operations: an entry that lacks one of its values stops everything.
fn driver_operations(target: &dyn Target) -> Object {
    let root = format!("{SERVICING}\\DriverOperations");
    let reading = target.key(&root);
    let object = |name: &str, state, says| Object { name: name.into(), kind: "key", state, says };
    let Reading::Known(queue) = &reading else {
        let state = unseen(&reading);
        return object(&root, state, says(&root, state));
    };
    let mut first = None;
    for number in &queue.subkeys {
        let path = format!("{root}\\{number}");
        let Reading::Known(entry) = target.key(&path) else { continue };
        first.get_or_insert_with(|| path.clone());
        let entries =
            if entry.subkeys.is_empty() { vec![path.clone()] } else { entry.subkeys.iter().map(|name| format!("{path}\\{name}")).collect() };
        for entry in entries {
            let Reading::Known(key) = target.key(&entry) else { continue };
            let missing: Vec<&str> = ["Identity", "Arch", "Inf"].into_iter().filter(|name| key.value(name).is_none()).collect();
            if !missing.is_empty() {
                return object(&path, "wrong", format!("{entry} has no value {}", missing.join(", ")));
            }
        }
    }
    match first {
        Some(path) => object(&path, "present", format!("{path} has all of its values")),
        None => object(&root, "absent", format!("{root} is empty")),
    }
}

/// A task of which the registry and the file system do not say the same. The log names the component that registers it.
fn task(target: &dyn Target, component: &str) -> Object {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let wanted = plain(component);
    let short = component.trim_end_matches("-Task").trim_end_matches("-Tasks").rsplit('-').next().unwrap_or(component);
    let tree = target.key(&format!("{TASKS}\\Tree"));
    if tree.known().is_none() {
        let state = unseen(&tree);
        return Object {
            name: short.into(),
            kind: "task",
            state: if state == "absent" { "unclear" } else { state },
            says: says("The list of scheduled tasks", state),
        };
    }
    let mut open = vec![(String::new(), 0)];
    let (mut best, mut seen) = (None, 0);
    while let Some((path, depth)) = open.pop() {
        seen += 1;
        let Reading::Known(key) = target.key(&format!("{TASKS}\\Tree{path}")) else { continue };
        let name = plain(path.rsplit('\\').next().unwrap_or_default());
        // The name of a task is a part of its component's, and the longest such name is the task.
        if key.value("Id").is_some() && name.len() > 4 && wanted.contains(&name) && best.as_ref().is_none_or(|(length, _, _)| *length < name.len()) {
            best = Some((name.len(), path.clone(), key.value("Id").and_then(|data| data.as_text()).unwrap_or_default()));
        }
        if depth < 8 && seen < 5000 {
            open.extend(key.subkeys.iter().map(|name| (format!("{path}\\{name}"), depth + 1)));
        }
    }
    let Some((_, path, id)) = best else {
        return unclear(short, "task", "No scheduled task of that name is registered");
    };
    let object = |state, says| Object { name: path.clone(), kind: "task", state, says };
    let record = target.key(&format!("{TASKS}\\Tasks\\{id}"));
    let on_disk = target.entry(&target.windows_folder().join("System32\\Tasks").join(&path));
    match (&record, &on_disk) {
        (Reading::Known(_), Reading::Known(_)) => object("present", format!("The task {path} is registered, and its file is there")),
        (Reading::Absent, _) => object("wrong", format!("The task {path} is listed with the number {id}, for which there is no record")),
        (_, Reading::Absent) => object("wrong", format!("The task {path} is registered, but its file below System32\\Tasks does not exist")),
        _ => object(unseen(&record), format!("The task {path} could not be looked at whole")),
    }
}

fn http(target: &dyn Target) -> Object {
    let reading = target.value(&format!("{SERVICES}\\HTTP"), "Start").and_then(|data| data.as_dword().into());
    let object = |state, says: String| Object { name: "HTTP".into(), kind: "service", state, says };
    match reading {
        Reading::Known(4) => object("wrong", "HTTP: Start is 4 (disabled)".into()),
        Reading::Known(start) => object("present", format!("HTTP: Start is {start}")),
        reading => object(unseen(&reading), says("Start of the service HTTP", unseen(&reading))),
    }
}

fn pending(target: &dyn Target) -> Object {
    let path = target.windows_folder().join("WinSxS\\pending.xml");
    let name = path.with_drive(target.drive());
    let reading = target.entry(&path);
    let state = if reading.known().is_some() { "wrong" } else { unseen(&reading) };
    let says = if state == "wrong" { format!("{name} is there: work of an earlier update waits") } else { says(&name, state) };
    Object { name, kind: "file", state, says }
}

/// What forbids Windows to fetch what it needs for a repair.
fn repair_source(target: &dyn Target) -> Object {
    const POLICY: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\Servicing";
    const SERVER: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU";
    let object = |name: String, state, says: String| Object { name, kind: "key", state, says };
    let source = target.value(POLICY, "LocalSourcePath").into_known().and_then(|data| data.as_text()).unwrap_or_default();
    if let Expanded::Here(path) = target.expand(&source)
        && !source.is_empty()
        && target.entry(&path).is_absent()
    {
        return object(format!("{POLICY}\\LocalSourcePath"), "wrong", format!("A policy names {source} as the source, which does not exist"));
    }
    let direct = target.value(POLICY, "RepairContentServerSource").into_known().and_then(|data| data.as_dword()) == Some(2);
    let server = target.value(SERVER, "UseWUServer").into_known().and_then(|data| data.as_dword()) == Some(1);
    if server && !direct {
        return object(
            format!("{SERVER}\\UseWUServer"),
            "wrong",
            "A policy sends this Windows to an update server of an organisation, and nothing allows it to ask Microsoft for repair files".into(),
        );
    }
    unclear("the source of the repair", "key", "No policy is in the way of fetching repair files")
}
