//! Adds one name to a `REG_MULTI_SZ`; what else is listed stays.

use crate::action::{Settings, setting};
use model::{Change, Reading, RegistryData, UndoKind, registry_type};
use target::{Target, names_equal};

pub(super) const SETTINGS: &[&str] = &["key", "name", "item"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

pub(super) fn describe(settings: &Settings) -> String {
    format!("Add {} to the list {}\\{}", setting(settings, "item"), setting(settings, "key"), setting(settings, "name"))
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let (key, name, item) = (setting(settings, "key"), setting(settings, "name"), setting(settings, "item"));
    let view = match target.key(key) {
        Reading::Known(view) => view,
        Reading::Absent => return Err(format!("the key {key} does not exist")),
        Reading::NotCollected => return Err(format!("the key {key} is not part of what was given")),
        Reading::Unreadable(why) => return Err(why),
    };
    let old = view.value(name).cloned();
    let mut items = match &old {
        None => Vec::new(),
        Some(data) => data.as_list().ok_or_else(|| format!("{key}\\{name} is {} instead of a list; it is left alone", registry_type::name(data.kind)))?,
    };
    if items.iter().any(|there| names_equal(there, item)) {
        return Ok(Vec::new());
    }
    items.push(item.to_owned());
    Ok(vec![Change::SetValue { key: view.path, name: name.to_owned(), old, new: RegistryData::list(&items) }])
}
