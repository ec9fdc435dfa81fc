//! What every parser of a text log yields.

/// How bad the writer of a line thought it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The line says nothing about it, or says it is information.
    #[default]
    Info,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

/// One entry of a log; continuation lines belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Line in the file, from 1.
    pub line: u64,
    /// Local time as `YYYY-MM-DDTHH:MM:SS`; the zone is not known. Absent when the line has none (excerpts).
    pub local: Option<String>,
    /// How bad.
    pub level: Level,
    /// Who wrote it: `CBS`, `CSI`, `DISM`, `MOUPG`, `sto` …; empty when the line does not say.
    pub component: String,
    /// The rest, continuation lines joined by line feeds.
    pub text: String,
}

/// A line that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// How many bad lines are remembered; a file of nothing else would take many times its size.
pub(crate) const MOST_PROBLEMS: usize = 100;
