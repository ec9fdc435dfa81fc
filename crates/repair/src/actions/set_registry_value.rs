//! Gives a registry value its right data. Keys that are missing below an existing one are made, and removed by undo.

use crate::action::{Settings, setting};
use model::{Change, Reading, RegistryData, UndoKind, registry_type};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["key", "name", "type", "data"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

/// At most this many levels of missing keys are made.
const DEEPEST: usize = 2;

fn shown(settings: &Settings) -> String {
    setting(settings, "data").replace('\n', ", ")
}

pub(super) fn describe(settings: &Settings) -> String {
    format!("Set {}\\{} to {}", setting(settings, "key"), setting(settings, "name"), shown(settings))
}

fn data(settings: &Settings) -> Result<RegistryData, String> {
    let text = setting(settings, "data");
    match setting(settings, "type") {
        "dword" => text.parse().map(RegistryData::dword).map_err(|_| format!("{text:?} is not a number")),
        "sz" => Ok(RegistryData::text(registry_type::SZ, text)),
        "expand-sz" => Ok(RegistryData::text(registry_type::EXPAND_SZ, text)),
        "multi-sz" => Ok(RegistryData::list(&text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>())),
        other => Err(format!("{other:?} is not a type; use dword, sz, expand-sz or multi-sz")),
    }
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let (key, name, new) = (setting(settings, "key"), setting(settings, "name"), data(settings)?);
    let mut missing: Vec<&str> = Vec::new();
    let mut at = key;
    let view = loop {
        match target.key(at) {
            Reading::Known(view) => break view,
            Reading::Absent if missing.len() < DEEPEST => {
                let (parent, child) = at.rsplit_once('\\').ok_or_else(|| format!("the key {key} does not exist"))?;
                missing.push(child);
                at = parent;
            }
            Reading::Absent => return Err(format!("the key {key} does not exist")),
            Reading::NotCollected => return Err(format!("the key {key} is not part of what was given")),
            Reading::Unreadable(why) => return Err(why),
        }
    };
    if missing.is_empty() {
        let old = view.value(name).cloned();
        return Ok(if old.as_ref() == Some(&new) { Vec::new() } else { vec![Change::SetValue { key: view.path, name: name.to_owned(), old, new }] });
    }
    let mut made = view.path;
    let mut changes = Vec::new();
    for child in missing.iter().rev() {
        made = format!("{made}\\{child}");
        changes.push(Change::CreateKey { key: made.clone() });
    }
    changes.push(Change::SetValue { key: made, name: name.to_owned(), old: None, new });
    Ok(changes)
}
