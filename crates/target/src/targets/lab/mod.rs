//! Practice machines: invented Windows installations kept as text and built into real hives and real files.
//!
//! The texts are embedded at compile time, so an installed program can build every machine anywhere. The same texts
//! always give the same bytes. Nothing here reads or changes an existing installation: a machine is only ever built
//! into a folder that is absent or empty.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may fail loudly"))]

mod catalog;
mod disk;
mod embedded;
mod error;
mod ese;
mod ese_log;
mod evtx;
mod file_version;
mod files_text;
mod front_matter;
mod hives;
mod overlap;
mod pe;
pub(crate) mod reg_text;
mod tree;

#[cfg(test)]
mod tests;

pub use error::LabError;

use files_text::FileAction;
use std::path::Path;
use tree::Tree;

/// What the list of machines shows about one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineInfo {
    /// The folder name in `machines/`.
    pub name: &'static str,
    /// The healthy machine that this one differs from; none for a healthy machine that stands alone.
    pub base: Option<&'static str>,
    /// Windows version and build, such as `10.0.19045`.
    pub windows: &'static str,
    /// Whether something is wrong with it.
    pub sick: bool,
    /// The error code its owner came with, such as `0x80070002`; empty when there was none.
    pub code: &'static str,
}

/// The texts of one machine: what `machines/<name>/` holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineTexts {
    /// The machine's name, for messages.
    pub name: String,
    /// The text of `files.txt`.
    pub files: String,
    /// Hive name (`SYSTEM`) and the text of its `.reg` file.
    pub hives: Vec<(String, String)>,
}

/// Every embedded machine, sorted by name.
pub fn machines() -> Vec<MachineInfo> {
    embedded::ALL.iter().map(|machine| front_matter::info(machine.name, machine.expected())).collect()
}

/// The text of a machine's `expected.md`.
pub fn expected(name: &str) -> Option<&'static str> {
    embedded::find(name).map(embedded::Embedded::expected)
}

/// The texts of an embedded machine; for a machine with a base only its differences.
pub fn texts(name: &str) -> Option<MachineTexts> {
    embedded::find(name).map(|machine| MachineTexts {
        name: machine.name.to_string(),
        files: machine.files().to_string(),
        hives: machine.hives().map(|(hive, text)| (hive.to_string(), text.to_string())).collect(),
    })
}

/// Builds one embedded machine into a folder that is absent or empty; the folder becomes the root of its volume.
///
/// # Errors
/// When there is no such machine, the folder holds something, or writing fails.
pub fn build(name: &str, into: &Path) -> Result<(), LabError> {
    let info = find(name)?;
    let own = known_texts(name)?;
    match info.base {
        None => build_from(&own, &[], into),
        Some(base) => build_from(&known_texts(base)?, &[own], into),
    }
}

/// Builds a base with the differences of several of its sick machines, in the order given. The result shows the
/// faults of each, because machines that touch the same file, folder or service are refused.
///
/// # Errors
/// When a name is not known, a machine has another base, two machines overlap ([`can_combine`]), the folder holds
/// something, or writing fails.
pub fn build_combined(base: &str, sick: &[&str], into: &Path) -> Result<(), LabError> {
    let layers = layers_of(base, sick)?;
    build_from(&known_texts(base)?, &layers, into)
}

/// Whether [`build_combined`] would accept these machines together.
pub fn can_combine(base: &str, sick: &[&str]) -> bool {
    layers_of(base, sick).is_ok()
}

fn layers_of(base: &str, sick: &[&str]) -> Result<Vec<MachineTexts>, LabError> {
    find(base)?;
    let mut layers: Vec<MachineTexts> = Vec::new();
    let mut touched = Vec::new();
    for name in sick {
        let found = find(name)?.base;
        if found != Some(base) {
            return Err(LabError::OtherBase { machine: (*name).to_string(), base: base.to_string(), actual: found.unwrap_or("none").to_string() });
        }
        let own = known_texts(name)?;
        let own_touched = overlap::touched(&own)?;
        for (before, before_touched) in layers.iter().zip(&touched) {
            if let Some(what) = overlap::first(before_touched, &own_touched) {
                return Err(LabError::Overlap { first: before.name.clone(), second: own.name, what });
            }
        }
        layers.push(own);
        touched.push(own_touched);
    }
    Ok(layers)
}

/// Builds a machine from texts: the base first, then each difference on top of it.
///
/// # Errors
/// When a text cannot be understood, the folder holds something, or writing fails.
pub fn build_from(base: &MachineTexts, differences: &[MachineTexts], into: &Path) -> Result<(), LabError> {
    disk::check_empty(into)?;
    disk::write(&tree_of(base, differences)?, into)
}

/// The whole machine in memory.
fn tree_of(base: &MachineTexts, differences: &[MachineTexts]) -> Result<Tree, LabError> {
    let layers: Vec<&MachineTexts> = std::iter::once(base).chain(differences).collect();
    let mut tree = Tree::default();
    for (hive, bytes) in hives::build(&layers)? {
        tree.add_file(&hives::path_of(&hive), bytes).map_err(|why| LabError::Hive { machine: base.name.clone(), hive, why })?;
    }
    for layer in layers {
        for (line, action) in files_text::parse(&layer.files).map_err(|error| error.of(&layer.name, "files.txt"))? {
            apply(&mut tree, action).map_err(|why| LabError::Text { machine: layer.name.clone(), file: "files.txt".to_string(), line, why })?;
        }
    }
    Ok(tree)
}

fn apply(tree: &mut Tree, action: FileAction) -> Result<(), String> {
    match action {
        FileAction::Folder { path } => tree.add_folder(&path).map(|_| ()),
        FileAction::File { path, bytes } => tree.add_file(&path, bytes),
        FileAction::Catalog { path, of } => {
            let contents = of.iter().map(|name| tree.bytes(name)).collect::<Result<Vec<_>, _>>()?;
            let bytes = catalog::file(&contents);
            tree.add_file(&path, bytes)
        }
        FileAction::Link { path, target } => tree.add_link(&path, &target),
        FileAction::HardLink { path, other } => tree.add_hard_link(&path, &other),
        FileAction::ReadOnly { path } => tree.set_read_only(&path),
        FileAction::Date { path, unix } => tree.set_date(&path, unix),
        FileAction::Rename { from, to } => tree.rename(&from, &to),
        FileAction::Delete { path } => tree.delete(&path),
    }
}

fn find(name: &str) -> Result<MachineInfo, LabError> {
    machines().into_iter().find(|machine| machine.name == name).ok_or_else(|| LabError::NoSuchMachine { name: name.to_string() })
}

fn known_texts(name: &str) -> Result<MachineTexts, LabError> {
    texts(name).ok_or_else(|| LabError::NoSuchMachine { name: name.to_string() })
}
