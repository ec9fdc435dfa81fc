//! The kinds of target, and the one place that chooses between them.

pub(crate) mod bundle;
pub(crate) mod collected;
mod files;
pub(crate) mod folder;
mod identify;
pub mod lab;
pub(crate) mod live;
pub(crate) mod overlay;
mod read_only;
pub(crate) mod recording;
pub(crate) mod watched;

use crate::{BundleTarget, CollectedTarget, FolderTarget, OpenError, Target, WritableTarget};
use model::TargetKind;
use std::path::Path;

/// The word by which people name the running Windows.
pub(crate) const LIVE: &str = "live";

/// Opens a target by what the person typed: a path, or `lab:NAME` (built into `scratch`).
///
/// # Errors
/// When it is neither a Windows installation nor a bundle of logs, or cannot be read.
pub fn open(text: &str, scratch: &Path) -> Result<Box<dyn Target>, OpenError> {
    if text == LIVE {
        let live: Box<dyn WritableTarget> = live::open()?;
        return Ok(live);
    }
    Ok(match open_any(text, scratch)? {
        Opened::Folder(folder) => Box::new(folder),
        Opened::Bundle(bundle) => Box::new(bundle),
        Opened::Collected(bundle) => Box::new(bundle),
    })
}

/// The same for a target that may be changed, `live` among them. A bundle of logs says in `why_not` that nothing can be changed in it.
///
/// # Errors
/// When it is neither a Windows installation nor a bundle of logs, or cannot be read.
pub fn open_writable(text: &str, scratch: &Path) -> Result<Box<dyn WritableTarget>, OpenError> {
    if text == LIVE {
        return live::open();
    }
    Ok(match open_any(text, scratch)? {
        Opened::Folder(folder) => Box::new(folder),
        Opened::Bundle(bundle) => Box::new(read_only::ReadOnlyTarget(bundle)),
        Opened::Collected(bundle) => Box::new(read_only::ReadOnlyTarget(bundle)),
    })
}

enum Opened {
    Folder(FolderTarget),
    Bundle(BundleTarget),
    Collected(CollectedTarget),
}

/// A folder with `Windows/System32/config` is an installation; everything else may be a bundle: what `collect` wrote, or anything else that
/// somebody sent.
fn open_any(text: &str, scratch: &Path) -> Result<Opened, OpenError> {
    let path = Path::new(text);
    // Evidence that was collected with --full holds hives at their places, so it would pass for a Windows when it is unpacked.
    if path.is_dir()
        && let Some(bundle) = CollectedTarget::open(path)?
    {
        return Ok(Opened::Collected(bundle));
    }
    match open_folder(text, scratch) {
        Ok(folder) => Ok(Opened::Folder(folder)),
        Err(error @ (OpenError::NotWindows { .. } | OpenError::NotOffered { .. })) => {
            if path.is_file()
                && let Some(bundle) = CollectedTarget::open(path)?
            {
                return Ok(Opened::Collected(bundle));
            }
            BundleTarget::open(path)?.map(Opened::Bundle).ok_or(error)
        }
        Err(error) => Err(error),
    }
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
