//! Why a practice machine could not be built.

use std::fmt;
use std::path::PathBuf;

/// Why a practice machine could not be built.
#[derive(Debug)]
pub enum LabError {
    /// There is no machine of that name.
    NoSuchMachine {
        /// The name asked for.
        name: String,
    },
    /// Machines with different bases cannot be combined.
    OtherBase {
        /// The machine that does not fit.
        machine: String,
        /// The base that was asked for.
        base: String,
        /// The base it has.
        actual: String,
    },
    /// Two machines change the same thing, so that one fault would hide the other.
    Overlap {
        /// One machine.
        first: String,
        /// The other machine.
        second: String,
        /// The file, folder or service that both change.
        what: String,
    },
    /// The folder to build into holds something.
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A machine's text says something that cannot be understood or done.
    Text {
        /// The machine.
        machine: String,
        /// Its file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A registry hive could not be made.
    Hive {
        /// The machine.
        machine: String,
        /// The hive, such as `SYSTEM`.
        hive: String,
        /// What went wrong.
        why: String,
    },
    /// Writing failed.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl fmt::Display for LabError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabError::NoSuchMachine { name } => write!(out, "There is no practice machine named {name:?}; `hresolve lab list` shows them."),
            LabError::OtherBase { machine, base, actual } => {
                write!(out, "The machine {machine} cannot be combined with {base}: its base is {actual}. Choose machines of one base.")
            }
            LabError::Overlap { first, second, what } => {
                write!(
                    out,
                    "The machines {first} and {second} cannot be combined: both change {what}. Choose machines that do not touch the same thing."
                )
            }
            LabError::NotEmpty { path } => {
                write!(out, "{} is not an empty folder. Name a folder that is empty or does not exist yet.", path.display())
            }
            LabError::Text { machine, file, line, why } => write!(out, "machines/{machine}/{file}, line {line}: {why}."),
            LabError::Hive { machine, hive, why } => write!(out, "The {hive} hive of the machine {machine} cannot be made: {why}."),
            LabError::Io { path, source } => write!(out, "{} cannot be written: {source}.", path.display()),
        }
    }
}

impl std::error::Error for LabError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LabError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A fault in one line of a text, before it is known whose text it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineFault {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) why: String,
}

impl LineFault {
    /// Names the machine and the file.
    pub(super) fn of(self, machine: &str, file: &str) -> LabError {
        LabError::Text { machine: machine.to_string(), file: file.to_string(), line: self.line, why: self.why }
    }
}
