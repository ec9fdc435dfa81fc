//! Rules for sections of driver installation logs.

use super::look_up::{self, Named, State, path_in};
use super::setup::{first_code, published_inf};
use crate::logs::Entry;
use crate::logs::setupapi::Section;
use model::ErrorCode;
use target::Target;

/// What the first error of a section names, with that line.
pub(crate) fn named(section: &Section, code: ErrorCode) -> Option<(Named, &Entry)> {
    if !matches!(code.win32(), Some(2 | 3))
        && !section.errors.iter().any(|error| matches!(first_code(&error.text).and_then(ErrorCode::win32), Some(2 | 3)))
    {
        return None;
    }
    // A package that Windows has published: the store or the INF folder lost it.
    for error in &section.errors {
        let lower = error.text.to_lowercase();
        if (lower.contains("driver package") || lower.contains("driver store"))
            && !lower.contains("copy")
            && let Some(inf) = published_inf(&lower)
        {
            return Some((Named { rule: "driver-package", kind: "inf", object: inf, code: Some(code) }, error));
        }
    }
    // A file that the package should bring: the line names it, or only the INF can be named.
    let copying = |error: &&Entry| matches!(error.component.as_str(), "cpy" | "flq" | "sto" | "ump");
    let error = section.errors.iter().filter(copying).find(|error| path_in(&error.text).is_some()).or_else(|| section.errors.iter().find(copying))?;
    let object = path_in(&error.text).or_else(|| quoted(&error.text)).or_else(|| section.inf.clone()).unwrap_or_else(|| section.subject.clone());
    (!object.is_empty()).then_some((Named { rule: "driver-file", kind: "file", object, code: Some(code) }, error))
}

/// `'camera.sys'` without a path.
fn quoted(text: &str) -> Option<String> {
    let inside = text.split(['\'', '"']).nth(1)?;
    (inside.contains('.') && !inside.contains(' ')).then(|| inside.to_owned())
}

/// What stands now where the object belongs. A file is only said to be missing from a folder that is still there.
pub(crate) fn state(target: &dyn Target, named: &Named) -> State {
    if named.kind == "inf" {
        return look_up::entry(target, &target.windows_folder().join("INF").join(&named.object));
    }
    if path_in(&named.object).is_none() {
        return ("unclear", format!("the log does not say in which folder {} was looked for", named.object));
    }
    let folder = named.object.rsplit_once('\\').map_or("", |(folder, _)| folder);
    match look_up::path(target, &named.object) {
        ("absent", _) if look_up::path(target, folder).0 != "present" => ("unclear", format!("the folder {folder} is not there any more")),
        other => other,
    }
}
