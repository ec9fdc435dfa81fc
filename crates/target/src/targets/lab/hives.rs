//! Turns `.reg` texts into registry hives.
//!
//! The texts are first applied to a model in memory, strictly: deleting what is not there is a mistake in the machine's
//! text and is reported with its line. Only the result is written into a new hive.

use super::reg_text::{self, RegAction};
use super::{LabError, MachineTexts};
use hive::{CleanHive, MinorVersion};
use std::collections::BTreeMap;

/// Every key is dated 1 June 2025, 00:00 UTC (100-nanosecond steps since 1601).
const DATE: u64 = 133_932_096_000_000_000;

/// Hive name and bytes of every hive that a layer names, sorted by name.
pub(super) fn build(layers: &[&MachineTexts]) -> Result<Vec<(String, Vec<u8>)>, LabError> {
    let mut texts: BTreeMap<&str, Vec<(&MachineTexts, &str)>> = BTreeMap::new();
    for layer in layers {
        for (hive, text) in &layer.hives {
            texts.entry(hive).or_default().push((*layer, text));
        }
    }
    texts.into_iter().map(|(hive, texts)| Ok((hive.to_string(), one(hive, &texts)?))).collect()
}

/// Where the hive lies on the volume.
pub(super) fn path_of(hive: &str) -> String {
    match hive.strip_prefix("NTUSER") {
        Some("") => "Users/Default/NTUSER.DAT".to_string(),
        Some(user) => format!("Users/{}/NTUSER.DAT", user.trim_start_matches('-')),
        None => format!("Windows/System32/config/{hive}"),
    }
}

fn one(hive: &str, texts: &[(&MachineTexts, &str)]) -> Result<Vec<u8>, LabError> {
    let keys = keys(hive, texts)?;
    let empty = CleanHive::create(MinorVersion::V5, hive, DATE);
    let mut edit = empty.edit();
    for key in keys.0.values() {
        edit.create_key(&key.path);
        for value in &key.values {
            edit.set_value(&key.path, &value.name, value.kind, &value.data);
        }
    }
    let machine = texts.first().map(|(layer, _)| layer.name.clone()).unwrap_or_default();
    let committed = edit.commit(DATE).map_err(|error| LabError::Hive { machine, hive: hive.to_string(), why: error.to_string() })?;
    Ok(committed.hive.into_bytes())
}

/// The hive's keys after all texts.
pub(super) fn keys(hive: &str, texts: &[(&MachineTexts, &str)]) -> Result<Keys, LabError> {
    let mut keys = Keys::default();
    for (layer, text) in texts {
        let file = format!("{hive}.reg");
        for (line, action) in reg_text::parse(text).map_err(|fault| fault.of(&layer.name, &file))? {
            keys.apply(action).map_err(|why| LabError::Text { machine: layer.name.clone(), file: file.clone(), line, why })?;
        }
    }
    Ok(keys)
}

/// A hive's keys in memory: lower-case path to the key. Keys stand before those below them.
#[derive(Default)]
pub(super) struct Keys(pub(super) BTreeMap<String, Key>);

/// One key with its values in the order of the text.
#[derive(Default)]
pub(super) struct Key {
    pub(super) path: String,
    pub(super) values: Vec<Value>,
}

/// One value.
pub(super) struct Value {
    pub(super) name: String,
    pub(super) kind: u32,
    pub(super) data: Vec<u8>,
}

impl Keys {
    fn apply(&mut self, action: RegAction) -> Result<(), String> {
        match action {
            RegAction::Key { path } => {
                self.0.entry(path.to_lowercase()).or_insert(Key { path, values: Vec::new() });
                Ok(())
            }
            RegAction::DeleteKey { path } => {
                let own = path.to_lowercase();
                let below = format!("{own}\\");
                let before = self.0.len();
                self.0.retain(|key, _| *key != own && !key.starts_with(&below));
                if self.0.len() < before { Ok(()) } else { Err(format!("the key {path} to delete is not there")) }
            }
            RegAction::Value { path, name, kind, data } => {
                let values = self.values(&path)?;
                match values.iter_mut().find(|value| same(&value.name, &name)) {
                    Some(value) => (value.kind, value.data) = (kind, data),
                    None => values.push(Value { name, kind, data }),
                }
                Ok(())
            }
            RegAction::DeleteValue { path, name } => {
                let values = self.values(&path)?;
                let before = values.len();
                values.retain(|value| !same(&value.name, &name));
                if values.len() < before { Ok(()) } else { Err(format!("the value {name:?} to delete is not there")) }
            }
        }
    }

    fn values(&mut self, path: &str) -> Result<&mut Vec<Value>, String> {
        self.0.get_mut(&path.to_lowercase()).map(|key| &mut key.values).ok_or_else(|| format!("the key {path} is not there"))
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
