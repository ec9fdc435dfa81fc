//! Places that are never renamed, whatever a guide or a journal says.

use crate::names_equal;
use model::VolumePath;

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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::why;
    use model::VolumePath;

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
