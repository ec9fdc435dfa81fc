//! Whether the differences of two machines can stand together, so that a combined machine shows the faults of both.

use super::files_text::{self, FileAction};
use super::reg_text::{self, RegAction};
use super::{LabError, MachineTexts};
use std::collections::BTreeSet;

/// What a machine's own texts touch: paths of files, and keys or values of hives as `hive:key\value`, all lower case.
/// Everything below a service's key counts as that service.
pub(super) fn touched(texts: &MachineTexts) -> Result<BTreeSet<String>, LabError> {
    let mut out = BTreeSet::new();
    for path in named_paths(texts)? {
        out.insert(path.to_lowercase());
    }
    for (hive, text) in &texts.hives {
        for (_, action) in reg_text::parse(text).map_err(|fault| fault.of(&texts.name, &format!("{hive}.reg")))? {
            let touched = match action {
                // A key's line alone changes nothing in a machine that has the key.
                RegAction::Key { .. } => continue,
                RegAction::DeleteKey { path } => path,
                RegAction::Value { path, name, .. } | RegAction::DeleteValue { path, name } => format!("{path}\\{name}"),
            };
            let parts: Vec<&str> = touched.split('\\').collect();
            let depth = if parts.get(1).is_some_and(|part| part.eq_ignore_ascii_case("services")) { 3 } else { parts.len() };
            let key: Vec<&str> = parts.into_iter().take(depth).collect();
            out.insert(format!("{hive}:{}", key.join("/")).to_lowercase());
        }
    }
    Ok(out)
}

/// The paths of files and folders that a machine's own texts name, the hives included.
#[cfg(test)]
pub(super) fn named(texts: &MachineTexts) -> Result<BTreeSet<String>, LabError> {
    let mut out = named_paths(texts)?;
    out.extend(texts.hives.iter().map(|(hive, _)| super::hives::path_of(hive)));
    Ok(out)
}

/// The first thing that both touch, or that one touches inside what the other touches.
pub(super) fn first(one: &BTreeSet<String>, other: &BTreeSet<String>) -> Option<String> {
    let inside = |inner: &str, outer: &str| inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    one.iter().find(|a| other.iter().any(|b| inside(a, b) || inside(b, a))).cloned()
}

fn named_paths(texts: &MachineTexts) -> Result<BTreeSet<String>, LabError> {
    let mut out = BTreeSet::new();
    for (_, action) in files_text::parse(&texts.files).map_err(|fault| fault.of(&texts.name, "files.txt"))? {
        match action {
            FileAction::Folder { path } | FileAction::File { path, .. } | FileAction::Catalog { path, .. } | FileAction::Link { path, .. } => {
                out.insert(path)
            }
            FileAction::HardLink { path, .. } | FileAction::ReadOnly { path } | FileAction::Date { path, .. } | FileAction::Delete { path } => {
                out.insert(path)
            }
            FileAction::Rename { from, to } => out.insert(from) | out.insert(to),
        };
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &str, reg: &str) -> BTreeSet<String> {
        touched(&MachineTexts { name: "x".into(), files: files.into(), hives: vec![("SYSTEM".into(), reg.into())] }).unwrap()
    }

    #[test]
    fn what_lies_inside_overlaps_and_neighbours_do_not() {
        let folder = machine("delete Windows/SoftwareDistribution\n", "");
        assert!(first(&folder, &machine("empty windows/softwaredistribution/DataStore/x\n", "")).is_some());
        assert!(first(&machine("empty Windows/SoftwareDistribution/x\n", ""), &folder).is_some());
        assert_eq!(first(&folder, &machine("dir Windows/SoftwareDistribution.old\n", "")), None);
    }

    #[test]
    fn two_changes_of_one_service_overlap() {
        let key = |tail: &str| format!("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\{tail}\n");
        let start = machine("", &key("BITS]\n\"Start\"=dword:00000004"));
        assert!(first(&start, &machine("", &key("bits\\Parameters]\n\"ServiceDll\"=-"))).is_some());
        assert_eq!(first(&start, &machine("", &key("wuauserv]\n\"Start\"=dword:00000004"))), None);
    }
}
