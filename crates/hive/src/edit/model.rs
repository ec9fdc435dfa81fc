//! What an edit means, computed on a plain tree: a second, independent reading of the operations.
//!
//! Must share nothing with the writer but the operations, so that a mistake there cannot hide here.

use std::borrow::Cow;

use crate::edit::operation::Operation;
use crate::error::Error;
use crate::tree::{Tree, TreeKey, TreeValue};
use crate::upcase::upcase;

/// Carries one operation out on a tree.
pub(super) fn apply<'b>(tree: &mut Tree<'b>, operation: &'b Operation, now: u64) -> Result<(), Error> {
    match operation {
        Operation::CreateKey { path } => {
            let mut key = 0;
            for part in units_of(path) {
                key = match find(tree, key, &part) {
                    Some(subkey) => subkey,
                    None => create(tree, key, part, now),
                };
            }
        }
        Operation::SetValue { path, name, data_type, data } => {
            let key = open(tree, path).and_then(|key| tree.keys.get_mut(key));
            let key = key.ok_or_else(|| Error::KeyNotFound { path: path.clone() })?;
            set_value(key, name.encode_utf16().collect(), *data_type, data, now);
        }
        Operation::DeleteValue { path, name } => {
            let name: Vec<u16> = name.encode_utf16().collect();
            if let Some(key) = open(tree, path).and_then(|key| tree.keys.get_mut(key)) {
                let before = key.values.len();
                key.values.retain(|value| !same(&value.name, &name));
                if key.values.len() != before {
                    key.last_written = now;
                }
            }
        }
        Operation::DeleteKey { path } => {
            let mut parts = units_of(path);
            let Some(last) = parts.pop() else { return Err(Error::KeyProtected { path: path.clone() }) };
            let parent = parts.iter().try_fold(0, |key, part| find(tree, key, part));
            if let Some(parent) = parent
                && let Some(gone) = find(tree, parent, &last)
                && let Some(key) = tree.keys.get_mut(parent)
            {
                key.subkeys.retain(|&subkey| subkey != gone);
                key.last_written = now;
                sort(tree, parent);
            }
        }
        Operation::SetSecurity { path, descriptor } => {
            let key = open(tree, path).and_then(|key| tree.keys.get_mut(key));
            let key = key.ok_or_else(|| Error::KeyNotFound { path: path.clone() })?;
            if key.security.as_deref() != Some(descriptor) {
                key.security = Some(Cow::Borrowed(descriptor));
                key.last_written = now;
            }
        }
    }
    Ok(())
}

fn units_of(path: &str) -> Vec<Vec<u16>> {
    path.split('\\').filter(|part| !part.is_empty()).map(|part| part.encode_utf16().collect()).collect()
}

fn same(a: &[u16], b: &[u16]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| upcase(a) == upcase(b))
}

fn find(tree: &Tree<'_>, key: usize, name: &[u16]) -> Option<usize> {
    let subkeys = &tree.keys.get(key)?.subkeys;
    subkeys.iter().copied().find(|&subkey| tree.keys.get(subkey).is_some_and(|subkey| same(&subkey.name, name)))
}

fn open(tree: &Tree<'_>, path: &str) -> Option<usize> {
    units_of(path).iter().try_fold(0, |key, part| find(tree, key, part))
}

fn create(tree: &mut Tree<'_>, parent: usize, name: Vec<u16>, now: u64) -> usize {
    let index = tree.keys.len();
    let security = tree.keys.get(parent).and_then(|parent| parent.security.clone());
    let flags = if name.iter().all(|&unit| unit < 0x100) { 0x20 } else { 0 };
    tree.keys.push(TreeKey { name, flags, other_flags: (0, 0), last_written: now, class: None, security, values: Vec::new(), subkeys: Vec::new() });
    if let Some(parent) = tree.keys.get_mut(parent) {
        parent.subkeys.push(index);
        parent.last_written = now;
    }
    sort(tree, parent);
    index
}

/// A list that is written is written sorted, whatever it was.
fn sort(tree: &mut Tree<'_>, parent: usize) {
    let Some(key) = tree.keys.get_mut(parent) else { return };
    let mut subkeys = std::mem::take(&mut key.subkeys);
    let name = |subkey: usize| tree.keys.get(subkey).map(|subkey| subkey.name.as_slice()).unwrap_or_default();
    let order = |a: usize, b: usize| {
        let (a, b) = (name(a).iter().map(|&unit| upcase(unit)), name(b).iter().map(|&unit| upcase(unit)));
        a.cmp(b)
    };
    // This sort is quick on a list that is nearly sorted.
    subkeys.sort_by(|&a, &b| order(a, b));
    if let Some(key) = tree.keys.get_mut(parent) {
        key.subkeys = subkeys;
    }
}

fn set_value<'b>(key: &mut TreeKey<'b>, name: Vec<u16>, data_type: u32, data: &'b [u8], now: u64) {
    match key.values.iter_mut().find(|value| same(&value.name, &name)) {
        Some(value) if value.data_type == data_type && value.data == data => return,
        Some(value) => {
            value.data_type = data_type;
            value.data = Cow::Borrowed(data);
        }
        None => key.values.push(TreeValue { name, data_type, data: Cow::Borrowed(data) }),
    }
    key.last_written = now;
}
