//! Making names durable: after a rename or a new file, the folder must reach the disk as well.

use std::path::Path;

/// Waits until the folder that holds this path is on the disk. Windows cannot open folders this way and does not need to.
///
/// # Errors
/// What the system said.
pub(crate) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    match std::fs::File::open(parent) {
        Ok(folder) => folder.sync_all(),
        Err(_) => Ok(()),
    }
}
