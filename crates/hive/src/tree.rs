//! The whole content of a hive as a plain tree: what the hive *says*, not how it is stored.
//!
//! Used to verify every edit and to compare hives. Damaged parts are remembered as faults, never dropped silently.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::error::Error;
use crate::hive::Hive;
use crate::key::Key;

/// All keys of a hive; the root is the first.
#[derive(Debug, Clone)]
pub struct Tree<'b> {
    /// The keys, parents before children as read; keys point to each other by their index here.
    pub keys: Vec<TreeKey<'b>>,
    /// What could not be read, in the order it was met.
    pub faults: Vec<Error>,
    /// Damaged keys that share lists, values or names can say many times more than the file holds. A tree that would become larger
    /// than four times the file is given up; it holds what was read before, and differs from every other tree.
    pub given_up: bool,
}

/// A key with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct TreeKey<'b> {
    /// The exact name in UTF-16 units.
    pub name: Vec<u16>,
    /// The flags, with the one that says how the name is stored.
    pub flags: u16,
    /// Access bits, layered-key bits, and virtualisation and user flags.
    pub other_flags: (u32, u16),
    /// FILETIME of the last change.
    pub last_written: u64,
    /// The class name in UTF-16LE.
    pub class: Option<&'b [u8]>,
    /// The security descriptor.
    pub security: Option<Cow<'b, [u8]>>,
    /// The values in their order.
    pub values: Vec<TreeValue<'b>>,
    /// Indices of the subkeys in their order.
    pub subkeys: Vec<usize>,
}

/// A value with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeValue<'b> {
    /// The exact name in UTF-16 units; empty for the default value.
    pub name: Vec<u16>,
    /// The type number.
    pub data_type: u32,
    /// The data.
    pub data: Cow<'b, [u8]>,
}

impl<'b> Tree<'b> {
    /// Reads a whole hive. Never fails; see [`Tree::faults`].
    #[must_use]
    pub fn of(hive: &Hive<'b>) -> Self {
        let mut tree = Tree { keys: Vec::new(), faults: Vec::new(), given_up: false };
        let mut path: Vec<usize> = Vec::new();
        // No healthy hive needs more than about twice its size.
        let mut allowance = Allowance(hive.bytes().len().saturating_mul(4));
        for step in hive.walk() {
            let spent = match step {
                Ok(step) => {
                    let index = tree.keys.len();
                    path.truncate(step.depth);
                    if let Some(parent) = path.last().and_then(|&parent| tree.keys.get_mut(parent)) {
                        parent.subkeys.push(index);
                    }
                    path.push(index);
                    let (key, spent) = read_key(&step.key, &mut allowance, &mut tree.faults);
                    tree.keys.push(key);
                    spent
                }
                Err(error) => {
                    tree.faults.push(error);
                    allowance.spend(size_of::<Error>())
                }
            };
            if spent.is_none() {
                tree.given_up = true;
                break;
            }
        }
        tree
    }

    /// How many keys and values there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.keys.len(), self.keys.iter().map(|key| key.values.len()).sum())
    }

    /// The first difference to another tree as a sentence; `None` when both say the same.
    #[must_use]
    pub fn first_difference(&self, other: &Tree<'_>) -> Option<String> {
        if self.given_up || other.given_up {
            return Some("the hive says many times more than it holds, so it cannot be compared as a whole".to_owned());
        }
        let mut open = vec![(0_usize, 0_usize, String::new())];
        while let Some((here, there, path)) = open.pop() {
            let (here, there) = match (self.keys.get(here), other.keys.get(there)) {
                (Some(here), Some(there)) => (here, there),
                (None, None) => break,
                _ => return Some(format!("the key \"{path}\" is missing on one side")),
            };
            if let Some(what) = key_difference(here, there) {
                return Some(format!("{what} of the key \"{path}\" differs"));
            }
            for (&a, &b) in here.subkeys.iter().zip(&there.subkeys) {
                let name = self.keys.get(a).map(|key| String::from_utf16_lossy(&key.name)).unwrap_or_default();
                let mut below = String::with_capacity(path.len() + name.len() + 1);
                let _ = write!(below, "{path}\\{name}");
                open.push((a, b, below));
            }
        }
        let same_faults = self.faults.len() == other.faults.len() && self.faults.iter().zip(&other.faults).all(|(a, b)| a.is_same_fault(b));
        (!same_faults).then(|| "what cannot be read differs".to_owned())
    }
}

fn key_difference(a: &TreeKey<'_>, b: &TreeKey<'_>) -> Option<String> {
    let what = if a.name != b.name {
        "the name"
    } else if a.flags != b.flags || a.other_flags != b.other_flags {
        "a flag"
    } else if a.last_written != b.last_written {
        "the time stamp"
    } else if a.class != b.class {
        "the class"
    } else if a.security != b.security {
        "the security"
    } else if a.subkeys.len() != b.subkeys.len() {
        "the number of subkeys"
    } else if a.values.len() != b.values.len() {
        "the number of values"
    } else {
        let changed = a.values.iter().zip(&b.values).find(|(a, b)| a != b);
        return changed.map(|(value, _)| format!("the value \"{}\"", String::from_utf16_lossy(&value.name)));
    };
    Some(what.to_owned())
}

/// How many bytes a tree may still take.
struct Allowance(usize);

impl Allowance {
    /// `None` when there is not that much left.
    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }
}

/// The key as far as the allowance goes; `None` beside it when that was spent.
fn read_key<'b>(key: &Key<'b>, allowance: &mut Allowance, faults: &mut Vec<Error>) -> (TreeKey<'b>, Option<()>) {
    let name: Vec<u16> = key.name_units().collect();
    let mut spent = allowance.spend(size_of::<TreeKey<'_>>() + 2 * name.len());
    let mut values = Vec::new();
    for value in key.values() {
        let size = value.as_ref().map_or(0, |value| value.data_size() as usize);
        let read = value.and_then(|value| Ok(TreeValue { name: value.name_units().collect(), data_type: value.data_type(), data: value.data()? }));
        let size = match read {
            Ok(value) => {
                let bytes = size_of::<TreeValue<'_>>() + 2 * value.name.len() + size;
                values.push(value);
                bytes
            }
            Err(error) => {
                faults.push(error);
                size_of::<Error>()
            }
        };
        spent = spent.and_then(|()| allowance.spend(size));
        if spent.is_none() {
            break;
        }
    }
    let mut noted = |error| {
        faults.push(error);
        None
    };
    let class = key.class_bytes().unwrap_or_else(&mut noted);
    let security = key.security().unwrap_or_else(noted);
    let key = TreeKey {
        name,
        flags: key.flags(),
        other_flags: (key.access_bits(), key.user_flags()),
        last_written: key.last_written(),
        class,
        security: security.map(Cow::Borrowed),
        values,
        subkeys: Vec::new(),
    };
    (key, spent)
}
