//! Places that are never renamed, whatever a guide or a journal says.

use crate::names_equal;
use model::{KeyTree, VolumePath};

/// Folders below Windows without which it does not start, or cannot check or repair its own files.
const FOLDERS: [&str; 12] = [
    "Boot",
    "Fonts",
    "Installer",
    "servicing",
    "System32",
    "System32\\CatRoot",
    "System32\\config",
    "System32\\drivers",
    "System32\\DriverStore",
    "SysWOW64",
    "UUS",
    "WinSxS",
];

/// Why this path must not be renamed or renamed to; `None` when it may.
pub fn why(windows: &VolumePath, path: &VolumePath) -> Option<&'static str> {
    let same = |one: &VolumePath, other: &VolumePath| names_equal(&one.to_string(), &other.to_string());
    let below = |folder: &str| {
        let folder = format!("{}\\", windows.join(folder));
        path.to_string().get(..folder.len()).is_some_and(|start| names_equal(start, &folder))
    };
    if path.components().len() < 2 {
        // Undo moves things into ProgramData\hresolve, two levels down; nothing of ours stands at the top of a volume.
        return Some("stands at the top of the volume and is never renamed");
    }
    if same(path, windows) || FOLDERS.iter().any(|name| same(path, &windows.join(name))) {
        return Some("is needed to start or repair Windows and is never renamed");
    }
    if below("System32\\config") || below("System32\\CatRoot") || below("WinSxS") {
        return Some("lies where Windows keeps its registry, signatures or components, and is never renamed");
    }
    None
}

/// Why no file is put at this path, and none taken from it; `None` when one may. The component store, packages and driver packages are
/// not here: putting their missing files back is what this is for.
pub(crate) fn why_no_file(windows: &VolumePath, path: &VolumePath) -> Option<&'static str> {
    let below = |folder: &VolumePath| {
        let start = format!("{folder}\\");
        path.to_string().get(..start.len()).is_some_and(|there| names_equal(there, &start))
    };
    if !below(windows) {
        return Some("lies outside of the Windows folder, where no files are put");
    }
    if ["System32\\config", "System32\\CatRoot", "Boot"].iter().any(|name| below(&windows.join(name))) {
        return Some("lies where Windows keeps its registry, signatures or boot files, where no files are put");
    }
    None
}

/// Why this registry key must not be removed or made whole, whatever a guide or a journal says; `None` when it may. `tree` is what it holds.
pub(crate) fn why_key(key: &str, tree: &KeyTree) -> Option<&'static str> {
    let parts: Vec<&str> = key.split('\\').collect();
    // HKLM, hive, control set, Services, one service; in SOFTWARE the shallowest key that any guide removes lies deeper.
    let shallowest = if parts.get(1).is_some_and(|hive| names_equal(hive, "SOFTWARE")) { 6 } else { 5 };
    if parts.len() < shallowest {
        return Some("holds too much of the registry and is never removed");
    }
    let is_service = parts.len() == 5 && parts.get(3).is_some_and(|name| names_equal(name, "Services"));
    let start = tree.values.iter().find(|(name, _)| names_equal(name, "Start")).and_then(|(_, data)| data.as_dword());
    if is_service && start.is_some_and(|start| start <= 1) {
        return Some("is a service or driver that is loaded while Windows starts, and is never removed");
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{why, why_key, why_no_file};
    use model::{KeyTree, RegistryData, VolumePath};

    #[test]
    fn keys_that_hold_much_or_start_windows_are_never_removed() {
        let service = |start| KeyTree { values: vec![("Start".into(), RegistryData::dword(start))], ..KeyTree::default() };
        for key in [
            "HKLM\\SYSTEM",
            "HKLM\\SYSTEM\\ControlSet001",
            "HKLM\\SYSTEM\\ControlSet001\\Services",
            "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion",
            "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion",
        ] {
            assert!(why_key(key, &service(3)).is_some(), "{key}");
        }
        let key = "HKLM\\SYSTEM\\ControlSet001\\Services\\disk";
        assert!(why_key(key, &service(0)).is_some());
        assert!(why_key(key, &service(1)).is_some());
        assert!(why_key(key, &service(3)).is_none());
        assert!(why_key("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-1-2-3-1001", &KeyTree::default()).is_none());
    }

    #[test]
    fn files_are_put_into_the_store_and_not_among_hives() {
        let path = |text: &str| VolumePath::parse(text).unwrap();
        for text in ["\\Users\\anna\\x.dll", "\\Windows\\System32\\config\\SYSTEM", "\\windows\\system32\\CATROOT\\x.cat", "\\bootmgr"] {
            assert!(why_no_file(&path("\\Windows"), &path(text)).is_some(), "{text}");
        }
        for text in ["\\Windows\\WinSxS\\amd64_x\\x.dll", "\\Windows\\servicing\\Packages\\x.mum"] {
            assert!(why_no_file(&path("\\Windows"), &path(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn what_windows_needs_is_never_renamed() {
        let path = |text: &str| VolumePath::parse(text).unwrap();
        let windows = path("\\Windows");
        for text in [
            "\\Windows",
            "\\windows\\SYSTEM32",
            "\\Windows\\System32\\config",
            "\\Windows\\System32\\config\\SYSTEM",
            "\\Windows\\WinSxS\\x",
            "\\Windows\\System32\\CatRoot",
            "\\pagefile.sys",
        ] {
            assert!(why(&windows, &path(text)).is_some(), "{text}");
        }
        for text in [
            "\\Windows\\System32\\catroot2",
            "\\Windows\\SoftwareDistribution",
            "\\Windows\\System32\\wuaueng.dll",
            "\\ProgramData\\hresolve\\runs\\x\\after\\y",
        ] {
            assert!(why(&windows, &path(text)).is_none(), "{text}");
        }
    }
}
