//! Writes a machine to disk, with the same dates every time.

use super::LabError;
use super::tree::{Node, Tree};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What no `date` directive speaks of is dated 7 December 2019, 00:00 UTC (seconds since 1970), as files of an installation
/// image are: older than anything the logs of a machine tell.
const DATE: u64 = 1_575_676_800;

/// Refuses a folder that holds something.
pub(super) fn check_empty(into: &Path) -> Result<(), LabError> {
    match fs::read_dir(into) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(LabError::NotEmpty { path: into.to_path_buf() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(LabError::NotEmpty { path: into.to_path_buf() }),
        Err(source) => Err(LabError::Io { path: into.to_path_buf(), source }),
    }
}

/// Writes every file, folder and link below `into`.
pub(super) fn write(tree: &Tree, into: &Path) -> Result<(), LabError> {
    fs::create_dir_all(into).map_err(io_at(into))?;
    let mut written: BTreeMap<usize, PathBuf> = BTreeMap::new();
    for (path, node) in tree.nodes() {
        let full = into.join(path);
        match node {
            Node::Folder => fs::create_dir(&full).map_err(io_at(&full))?,
            Node::Link(target) => symbolic_link(target, &full).map_err(io_at(&full))?,
            Node::File(number) => {
                // A second name of the same file; a file system without hard links gets a copy.
                if written.get(number).is_some_and(|first| fs::hard_link(first, &full).is_ok()) {
                    continue;
                }
                let content = tree.content(*number).map(|content| content.bytes.as_slice()).unwrap_or_default();
                fs::write(&full, content).map_err(io_at(&full))?;
                written.entry(*number).or_insert(full);
            }
        }
    }
    for (path, node) in tree.nodes().rev() {
        let full = into.join(path);
        match node {
            Node::Link(_) => {}
            // Not every system opens a folder as a file.
            Node::Folder => drop(set_date(&full, false, tree.date(path).unwrap_or(DATE))),
            Node::File(number) => {
                set_date(&full, true, tree.date(path).unwrap_or(DATE)).map_err(io_at(&full))?;
                if tree.content(*number).is_some_and(|content| content.read_only) {
                    set_read_only(&full).map_err(io_at(&full))?;
                }
            }
        }
    }
    Ok(())
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> LabError {
    let path = path.to_path_buf();
    move |source| LabError::Io { path, source }
}

fn set_date(path: &Path, file: bool, unix: u64) -> io::Result<()> {
    let date = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(unix)).ok_or_else(|| io::Error::other("the date cannot be represented"))?;
    let times = fs::FileTimes::new().set_modified(date).set_accessed(date);
    // A file that another of its names made read-only already has its date.
    if file && fs::metadata(path)?.permissions().readonly() {
        return Ok(());
    }
    fs::OpenOptions::new().read(true).write(file).open(path)?.set_times(times)
}

fn set_read_only(path: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions)
}

/// `soft_link` is the one call of the standard library that makes a link on every system without conditional code.
#[expect(deprecated, reason = "conditional compilation per system is allowed in the live target only")]
fn symbolic_link(target: &str, at: &Path) -> io::Result<()> {
    fs::soft_link(target, at)
}
