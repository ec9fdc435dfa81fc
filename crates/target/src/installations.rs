//! Windows installations among what is mounted on this computer.

use std::fs;
use std::path::PathBuf;

/// A mounted folder that holds a Windows.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Where the volume is mounted.
    pub path: PathBuf,
}

/// Looks at every mounted file system (Linux: `/proc/self/mounts`). Reads only.
pub fn installations() -> Vec<Installation> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut found: Vec<Installation> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        // The kernel writes a space in a mount point as \040.
        .map(|point| PathBuf::from(point.replace("\\040", " ")))
        .filter(|point| ["Windows", "windows", "WINDOWS"].iter().any(|name| point.join(name).join("System32").join("config").is_dir()))
        .map(|path| Installation { path })
        .collect();
    found.dedup_by(|a, b| a.path == b.path);
    found
}
