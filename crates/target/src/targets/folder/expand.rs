//! `%SystemRoot%`, `\SystemRoot\`, `\??\C:\` … as this machine's own registry defines them.

use crate::target::{Expanded, Target};
use model::VolumePath;

/// Nested variables (`%ProgramData%` = `%SystemDrive%\ProgramData`) are expanded at most this deep.
const DEEPEST: u32 = 8;

pub(super) fn expand(target: &dyn Target, text: &str) -> Expanded {
    match variables(target, text, 0) {
        Ok(plain) => place(target, &plain),
        Err(why) => Expanded::Unknown(why),
    }
}

/// Replaces every `%NAME%`; a lone percent sign stays.
fn variables(target: &dyn Target, text: &str, depth: u32) -> Result<String, String> {
    if depth > DEEPEST {
        return Err(format!("the variables in {text:?} refer to each other in a circle"));
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let inner = from.get(1..).unwrap_or_default();
        match inner.find('%') {
            Some(end) if end > 0 => {
                let name = inner.get(..end).unwrap_or_default();
                let value = variable(target, name).ok_or_else(|| format!("%{name}% is not defined on this machine"))?;
                out.push_str(&variables(target, &value, depth + 1)?);
                rest = inner.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push('%');
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// A machine-wide variable; users' own variables are never consulted, because services do not see them.
fn variable(target: &dyn Target, name: &str) -> Option<String> {
    let drive = target.drive();
    let text = |key: &str, name: &str| target.value(key, name).into_known().and_then(|data| data.as_text());
    let current = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion";
    let profiles = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
    match name.to_ascii_lowercase().as_str() {
        "systemroot" | "windir" => Some(target.windows_folder().with_drive(drive)),
        "systemdrive" => Some(format!("{drive}:")),
        "programfiles" | "programw6432" => Some(text(current, "ProgramFilesDir").unwrap_or(format!("{drive}:\\Program Files"))),
        "programfiles(x86)" => Some(text(current, "ProgramFilesDir (x86)").unwrap_or(format!("{drive}:\\Program Files (x86)"))),
        "commonprogramfiles" => Some(text(current, "CommonFilesDir").unwrap_or(format!("{drive}:\\Program Files\\Common Files"))),
        "programdata" | "allusersprofile" => Some(text(profiles, "ProgramData").unwrap_or(format!("{drive}:\\ProgramData"))),
        "public" => Some(text(profiles, "Public").unwrap_or(format!("{drive}:\\Users\\Public"))),
        _ => text("HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment", name),
    }
}

/// Finds the volume a plain path lies on.
fn place(target: &dyn Target, plain: &str) -> Expanded {
    let path = plain.trim().replace('/', "\\");
    let path = ["\\??\\", "\\\\?\\", "\\\\.\\"].iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(&path);
    if path.starts_with("\\\\") || path.to_ascii_lowercase().starts_with("unc\\") {
        return Expanded::Unknown(format!("{plain} lies on the network"));
    }
    let on_volume = |inside: &str| match VolumePath::parse(inside) {
        Ok(path) => Expanded::Here(path),
        Err(why) => Expanded::Unknown(why),
    };
    if let Some(letter) = path.chars().next().filter(|_| path.get(1..2) == Some(":")) {
        let rest = path.get(2..).unwrap_or_default();
        return if letter.eq_ignore_ascii_case(&target.drive()) {
            on_volume(rest)
        } else {
            Expanded::Elsewhere(letter.to_ascii_uppercase(), rest.to_owned())
        };
    }
    let in_windows = |rest: &str| on_volume(&format!("{}\\{rest}", target.windows_folder()));
    if path.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("\\SystemRoot\\")) {
        return in_windows(path.get(12..).unwrap_or_default());
    }
    match path.strip_prefix('\\') {
        Some(rest) => on_volume(rest),
        // Drivers write `System32\drivers\x.sys`, which the loader reads relative to the Windows folder.
        None => in_windows(path),
    }
}
