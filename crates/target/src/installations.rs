//! Windows installations on the drives of this computer, or among what is mounted on it.

use crate::host;
use std::fs;
use std::path::{Path, PathBuf};

/// A drive or mounted folder that holds a Windows.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The drive's root, or where the volume is mounted.
    pub path: PathBuf,
}

/// Looks at every drive but that of the running Windows, elsewhere at every mounted file system (Linux: `/proc/self/mounts`). Reads only.
pub fn installations() -> Vec<Installation> {
    let mut found: Vec<Installation> =
        host::drives().unwrap_or_else(mounted).into_iter().filter(|root| holds_windows(root)).map(|path| Installation { path }).collect();
    found.dedup_by(|a, b| a.path == b.path);
    found
}

fn holds_windows(root: &Path) -> bool {
    ["Windows", "windows", "WINDOWS"].iter().any(|name| root.join(name).join("System32").join("config").is_dir())
}

/// Where file systems are mounted.
fn mounted() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    // The kernel writes a space in a mount point as \040.
    mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(|point| PathBuf::from(point.replace("\\040", " "))).collect()
}
