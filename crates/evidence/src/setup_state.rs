//! What stops an upgrade and can be seen without a log: profiles whose folder is gone, and settings of Setup that name nothing.

use crate::logs::{decode, reagent};
use crate::named::look_up::{Named, Place, State, entry};
use crate::named::setup;
use model::{Reading, RegistryData, VolumePath};
use target::{EntryKind, Expanded, Target, names_equal};

/// A named object with its state.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) named: Named,
    pub(crate) state: State,
    /// The registry key that names it.
    pub(crate) key: Option<String>,
    pub(crate) place: Place,
}

const PROFILES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
const SETUP: &str = "HKLM\\SYSTEM\\Setup";
const CONFIG: &str = "\\Users\\Default\\AppData\\Local\\Microsoft\\Windows\\WSUS\\SetupConfig.ini";
/// Settings of `SetupConfig.ini` whose value is a path (windows-hardware docs, "Windows Setup automation overview").
const PATHS: [&str; 9] =
    ["InstallLangPacks", "InstallDrivers", "ReflectDrivers", "PostOOBE", "PostRollback", "Unattend", "InstallFrom", "MigChoice", "OOBEConfig"];
const LARGEST: u64 = 1 << 20;

/// Entries of people in `ProfileList` whose folder does not exist or that are there twice. A machine is judged only when its
/// folder of profiles is whole: `Default` and `Public` are there, and at least one person's folder.
pub(crate) fn profiles(target: &dyn Target) -> Vec<Standing> {
    let Reading::Known(list) = target.key(PROFILES) else { return Vec::new() };
    let people: Vec<&String> = list.subkeys.iter().filter(|sid| is_person(sid)).collect();
    let folder = |sid: &str| {
        let data = target.value(&format!("{PROFILES}\\{sid}"), "ProfileImagePath").into_known()?.as_text()?;
        match target.expand(&data) {
            Expanded::Here(path) => Some(path),
            _ => None,
        }
    };
    let is_folder = |path: &VolumePath| {
        target.entry(path).into_known().is_some_and(|entry| matches!(entry.kind, EntryKind::Folder | EntryKind::Link(_) | EntryKind::Reparse(_)))
    };
    let whole = ["\\Users", "\\Users\\Default", "\\Users\\Public"].iter().all(|path| VolumePath::parse(path).is_ok_and(|path| is_folder(&path)));
    if !whole || !people.iter().filter_map(|sid| folder(sid)).any(|path| is_folder(&path)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut owners: Vec<(String, &str)> = Vec::new();
    for sid in people {
        let key = format!("{}\\{sid}", list.path);
        let place = Place { source: "SOFTWARE".into(), at: format!("ProfileList\\{sid}"), ..Place::default() };
        let standing = |rule, state: State| Standing {
            named: Named { rule, kind: "profile", object: key.clone(), code: None },
            state,
            key: Some(key.clone()),
            place: place.clone(),
        };
        if let Some(plain) = sid.strip_suffix(".bak").or_else(|| sid.strip_suffix(".BAK")) {
            if list.has_subkey(plain) {
                let says = format!(
                    "ProfileList has {plain} twice, once with .bak: Windows set the profile aside and signs that person in to a temporary one"
                );
                found.push(standing("profile-backup", ("wrong", says)));
            }
        } else if let Some(path) = folder(sid)
            && path.parent().is_some_and(|parent| is_folder(&parent))
            && let Reading::Absent = target.entry(&path)
        {
            let says = format!("ProfileList names {} for {sid}, and there is no such folder", path.with_drive(target.drive()));
            found.push(standing("profile-folder", ("absent", says)));
        } else if let Some(path) = folder(sid) {
            let shown = path.with_drive(target.drive());
            match owners.iter().find(|(there, _)| names_equal(there, &shown)) {
                Some((_, owner)) => {
                    let says = format!("ProfileList gives {sid} the folder {shown}, which {owner} has too");
                    found.push(standing("profile-shared", ("wrong", says)));
                }
                None => owners.push((shown, sid)),
            }
        }
    }
    found
}

/// Local, domain and cloud accounts; not the accounts of services.
fn is_person(sid: &str) -> bool {
    sid.starts_with("S-1-5-21-") || sid.starts_with("S-1-12-1-")
}

/// `SetupConfig.ini` and `UnattendFile`, when what they name does not exist.
pub(crate) fn setup_config(target: &dyn Target) -> Vec<Standing> {
    let mut found = Vec::new();
    if let Ok(path) = VolumePath::parse(CONFIG)
        && let Reading::Known(bytes) = target.read(&path, LARGEST)
        && let Some((line, state)) = config_state(target, &decode(&bytes))
    {
        let shown = path.with_drive(target.drive());
        let place = Place { source: shown.clone(), at: line.map_or("contents".into(), |line| format!("line {line}")), ..Place::default() };
        found.push(Standing { named: Named { rule: "setup-config", kind: "file", object: shown, code: None }, state, key: None, place });
    }
    if let Reading::Known(view) = target.key(SETUP)
        && let Some(data) = view.value("UnattendFile").and_then(RegistryData::as_text)
        && let Expanded::Here(path) = target.expand(data.trim_matches('"'))
    {
        let state = entry(target, &path);
        if state.0 == "absent" {
            let says = format!("UnattendFile is {data}, and {}", state.1);
            let place = Place { source: "SYSTEM".into(), at: "UnattendFile".into(), ..Place::default() };
            let object = format!("{}\\UnattendFile", view.path);
            found.push(Standing {
                named: Named { rule: "unattend-file", kind: "file", object, code: None },
                state: ("absent", says),
                key: Some(view.path),
                place,
            });
        }
    }
    found
}

/// What is wrong with the settings, with the line; `None` when nothing is seen to be.
fn config_state(target: &dyn Target, text: &str) -> Option<(Option<usize>, State)> {
    if text.trim().is_empty() {
        return Some((None, ("wrong", "SetupConfig.ini is there but empty".into())));
    }
    if !text.lines().any(|line| line.trim().trim_start_matches('\u{feff}').to_ascii_lowercase().starts_with("[setupconfig]")) {
        return Some((None, ("wrong", "SetupConfig.ini has no section [SetupConfig]".into())));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let Some((name, value)) = line.split_once('=') else { continue };
        if !PATHS.iter().any(|path| path.eq_ignore_ascii_case(name.trim())) {
            continue;
        }
        let value = value.trim().trim_matches('"');
        let has_path = value.get(1..3) == Some(":\\") || value.starts_with('%');
        if let (true, Expanded::Here(path)) = (has_path, target.expand(value))
            && target.entry(&path).is_absent()
        {
            return Some((
                Some(number),
                ("wrong", format!("SetupConfig.ini says {}={value}, and {} does not exist", name.trim(), path.with_drive(target.drive()))),
            ));
        }
    }
    None
}

/// The driver for images, when its key is gone; where it has another path a kit for administrators may want it so.
pub(crate) fn image_driver(target: &dyn Target) -> Option<Standing> {
    let named = Named { rule: "wimmount", kind: "service", object: setup::WIMMOUNT.0.to_owned(), code: None };
    target.key("HKLM\\SYSTEM\\CurrentControlSet\\Services").known()?;
    let state = setup::state(target, &named);
    let place = Place { source: "SYSTEM".into(), at: "Services".into(), ..Place::default() };
    (state.0 == "absent").then_some(Standing { named, state, key: None, place })
}

/// The recovery environment, when its settings or its image are proved to be lost: `ReAgent.xml` is missing or no such file, or
/// it names no partition and the image is in none of its places here. Asked only after Setup failed at it, because many
/// machines have none on purpose.
pub(crate) fn recovery(target: &dyn Target) -> Option<Standing> {
    let folder = target.windows_folder().join("System32\\Recovery");
    let xml = folder.join("ReAgent.xml");
    let standing = |path: &VolumePath, state: State| {
        let shown = path.with_drive(target.drive());
        let place = Place { source: shown.clone(), at: "entry".into(), ..Place::default() };
        Some(Standing { named: Named { rule: "winre-image", kind: "file", object: shown, code: None }, state, key: None, place })
    };
    match target.read(&xml, LARGEST) {
        Reading::Absent => standing(&xml, ("absent", "ReAgent.xml, which says where the recovery environment lies, does not exist".into())),
        Reading::Known(bytes) => {
            let Some(settings) = reagent::parse(&bytes) else {
                return standing(&xml, ("wrong", "ReAgent.xml holds no settings of the recovery environment".into()));
            };
            let image = folder.join("Winre.wim");
            let here = [Some(image.clone()), VolumePath::parse("\\Recovery\\WindowsRE\\Winre.wim").ok()];
            let gone = here.iter().flatten().all(|path| target.entry(path).is_absent());
            // When it names a partition, the image may be there, out of sight.
            let nowhere = settings.offset == 0 || settings.on == Some(false);
            if gone && nowhere {
                standing(&image, ("absent", "Winre.wim is not in its folder, and ReAgent.xml names no partition with it".into()))
            } else {
                None
            }
        }
        _ => None,
    }
}
