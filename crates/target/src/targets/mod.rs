//! The kinds of target, and the one place that chooses between them.

pub(crate) mod folder;
pub mod lab;
pub(crate) mod overlay;

use crate::{FolderTarget, OpenError, Target, WritableTarget};
use model::TargetKind;
use std::path::Path;

/// Opens a target by what the person typed: a path, or `lab:NAME` (built into `scratch`).
///
/// # Errors
/// When it is not a Windows installation or cannot be read.
pub fn open(text: &str, scratch: &Path) -> Result<Box<dyn Target>, OpenError> {
    Ok(Box::new(open_folder(text, scratch)?))
}

/// The same for a target that may be changed.
///
/// # Errors
/// When it is not a Windows installation or cannot be read.
pub fn open_writable(text: &str, scratch: &Path) -> Result<Box<dyn WritableTarget>, OpenError> {
    Ok(Box::new(open_folder(text, scratch)?))
}

fn open_folder(text: &str, scratch: &Path) -> Result<FolderTarget, OpenError> {
    match text.strip_prefix("lab:") {
        Some(name) => {
            let known = lab::machines();
            if !known.iter().any(|machine| machine.name == name) {
                return Err(OpenError::NoSuchMachine { name: name.into(), known: known.iter().map(|m| m.name.to_string()).collect() });
            }
            let folder = scratch.join(name);
            if !folder.exists() {
                lab::build(name, &folder).map_err(|error| OpenError::Lab { why: error.to_string() })?;
            }
            FolderTarget::open(&folder, TargetKind::Lab)
        }
        None => FolderTarget::open(Path::new(text), TargetKind::Folder),
    }
}
