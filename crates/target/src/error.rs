//! What can go wrong with a target, in sentences a person can act on.

use std::fmt;
use std::path::PathBuf;

/// Why a target cannot be opened (exit code 3).
#[derive(Debug)]
pub enum OpenError {
    /// Nothing is there.
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// Something is there that is not a Windows installation.
    NotWindows {
        /// The path as given.
        path: PathBuf,
        /// What was looked for and not found.
        missing: String,
    },
    /// A kind of target that this version does not open.
    NotOffered {
        /// The path as given.
        path: PathBuf,
        /// What it seems to be.
        what: String,
    },
    /// A registry hive is missing, cut short, damaged or not readable.
    Hive {
        /// The hive file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An archive, or a folder of files, of which nothing can be used.
    Bundle {
        /// The path as given.
        path: PathBuf,
        /// What was left out and why, in sentences.
        why: String,
    },
    /// Reading failed.
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The running Windows was meant, and this computer runs another system.
    NothingLive,
    /// There is no practice machine of that name.
    NoSuchMachine {
        /// The name as given.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A practice machine could not be built.
    Lab {
        /// What went wrong.
        why: String,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::NotFound { path } => write!(out, "There is nothing at {}. Check the path; is the volume mounted?", path.display()),
            OpenError::NotWindows { path, missing } => write!(
                out,
                "{} is not a Windows installation, and no log, event log or registry hive that hresolve knows is in it: {missing} is not there. Name the mounted Windows volume (the folder that holds Windows) or its Windows folder, or what somebody sent: a folder of logs, an archive, a log.",
                path.display()
            ),
            OpenError::NotOffered { path, what } => {
                write!(
                    out,
                    "{} is {what}, which this version cannot open. Mount the Windows volume and name the folder it is mounted at.",
                    path.display()
                )
            }
            OpenError::Hive { path, why } => write!(out, "The registry hive {} cannot be used: {why}.", path.display()),
            OpenError::Bundle { path, why } => write!(out, "{} holds nothing that hresolve can use. {why}", path.display()),
            OpenError::Io { path, source } => write!(out, "{} cannot be read: {source}.", path.display()),
            OpenError::NothingLive => write!(
                out,
                "This computer does not run Windows, so there is no running Windows (live) to look at. Name a mounted Windows volume or what somebody sent."
            ),
            OpenError::NoSuchMachine { name, known } => {
                write!(out, "There is no practice machine named {name:?}. There are: {}.", known.join(", "))
            }
            OpenError::Lab { why } => write!(out, "The practice machine could not be built: {why}"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a change could not be made. Nothing of that change has happened when this is returned; of [`TargetError::Operation`] alone something may.
#[derive(Debug)]
pub enum TargetError {
    /// The system refused an operation on a file.
    Io {
        /// What was being done: "rename", "write" …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The hive library refused.
    Hive {
        /// The hive.
        hive: String,
        /// What it said.
        why: String,
    },
    /// The object may never be written, or not by this target.
    Refused {
        /// Which rule, in a sentence.
        why: String,
    },
    /// The object does not look as the change expects.
    Unexpected {
        /// The object.
        object: String,
        /// What is there.
        found: String,
    },
    /// A program of Windows could not be run, or did not end by itself. What it did before that stands.
    Operation {
        /// What it was.
        what: String,
        /// What happened.
        why: String,
    },
    /// The caller's intent could not be recorded, so nothing was changed.
    NotRecorded {
        /// Why.
        why: String,
    },
}

impl fmt::Display for TargetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Io { doing, path, source } => write!(out, "could not {doing} {}: {source}", path.display()),
            TargetError::Hive { hive, why } => write!(out, "the registry hive {hive} was not written: {why}"),
            TargetError::Refused { why } => write!(out, "refused: {why}"),
            TargetError::Unexpected { object, found } => write!(out, "{object} is not as expected: {found}"),
            TargetError::Operation { what, why } => write!(out, "{what}: {why}"),
            TargetError::NotRecorded { why } => write!(out, "nothing was changed because the journal could not be written: {why}"),
        }
    }
}

impl std::error::Error for TargetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TargetError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
